"""The method `decompose`: a shortest path over segments, with a model a segment where it matters.

Trial limits rise from a lower bound. For each, the segments on the cheapest path over lower bounds
are priced: first by relaxations that know how much room the trial leaves for the segment, then by a
CP-SAT model of that one segment. A trial whose path becomes too dear is refuted: no schedule is as
cheap, and the bound rises. A path whose segments are all settled is an optimum. What one trial has
settled holds for the next. Only models and relaxations of the segment formulation prove anything.
"""

from __future__ import annotations

import time

from formulations.merged_pipeline.one_segment import OneSegment
from formulations.merged_pipeline.segment_bounds import Bounds
from formulations.merged_pipeline.segment_pricing import Pricing
from formulations.modellers import Solution
from formulations.modellers.cpsat import CpSatModeller
from instances.instance import Instance
from schedules.progress import Progress, Stop
from schedules.schedule import Schedule, Segment
from solvers.engines import Settings, choose
from solvers.engines.arithmetic import integer_bound
from solvers.models import ModelOptions, ModelSearch

Part = tuple[int, int]
"""First and last layer of a segment."""

FINENESS = 4096
"""The first trial limit is this fraction above the bound."""

FEW = 16
"""Segment models in a trial, up to which the trials' steps are doubled."""

SECONDS = 10.0
"""For the model of a segment; more whenever one needs more."""


def decompose(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """Minimise latency, or energy, by a model of each segment that can be part of an optimum.

    Raises:
        ValueError: costs are too large for CP-SAT.
        RuntimeError: a model is wrong: the evaluator contradicts it.
    """
    engine, _ = choose("cpsat")
    ModelSearch(instance, progress, ModelOptions(engine, seed=seed, workers=workers)).start()
    try:
        return _Decomposition(instance, progress, seed, workers).run()
    except _InterruptedError as interrupted:
        return "optimal" if progress.proved else interrupted.stop


class _InterruptedError(Exception):
    """A model's run ended before its proof, for a reason that ends the whole run.

    Attributes:
        stop: why.
    """

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop)
        self.stop: Stop = stop


class _Decomposition:
    """The trials, and what is known of single segments."""

    def __init__(self, instance: Instance, progress: Progress, seed: int, workers: int) -> None:
        goal = progress.goal
        self._progress = progress
        self._pricing = Pricing(instance, goal, goal.weights, progress.objective, self._report)
        self._seed, self._workers = seed, workers
        self._engine, _ = choose("cpsat")
        self._seconds = SECONDS
        self._settled: dict[Part, Segment] = {}
        self._models = 0

    def run(self) -> Stop:
        """Trials until a proof.

        Raises:
            _InterruptedError: the run ends before.
        """
        pricing, progress = self._pricing, self._progress
        pricing.settle(self._report)
        step = 1 if pricing.bound is None else pricing.bound // FINENESS + 1
        while pricing.bound is not None:
            progress.raise_bound(pricing.bound)
            if progress.proved:
                return "optimal"
            models, limit = self._models, min(pricing.bound + step, pricing.most)
            bounds = self._try(limit)
            if bounds.bound is not None:
                return self._optimum(bounds)
            pricing.refute(limit)
            if self._models - models <= FEW:
                step *= 2
        return "infeasible"

    def _report(self, bound: int | None) -> None:
        if bound is not None:
            self._progress.raise_bound(bound)
        if self._progress.expired:
            raise _InterruptedError("time-limit")

    def _try(self, limit: int) -> Bounds:
        """Settle the segments on cheapest paths, until the limit is refuted or all are settled."""
        bounds = self._pricing.limited(limit)
        while unsettled := [part for part in bounds.path() if part not in self._settled]:
            self._report(None)
            self._settle(bounds, min(unsettled, key=lambda part: part[1] - part[0]))
            bounds.approach()
        return bounds

    def _settle(self, bounds: Bounds, part: Part) -> None:
        """Raise the bound of a segment by its model, as far as its room demands.

        Raises:
            _InterruptedError: time is over, or Ctrl-C.
        """
        model = OneSegment(CpSatModeller(), self._pricing, bounds, part)
        remaining = self._progress.remaining
        seconds = self._seconds if remaining is None else min(self._seconds, remaining)
        end = time.perf_counter() + seconds
        settings = Settings(end=end, seed=self._seed, workers=self._workers)
        outcome = self._engine.run(model.modeller.model, settings, _Silent())
        self._models += 1
        if outcome.stop == "infeasible":
            bounds.prove(*part, bounds.room(*part) + 1)
        elif outcome.stop == "optimal":
            assert outcome.solution is not None
            assert outcome.objective is not None
            (self._settled[part],) = model.extract(outcome.solution).segments
            bounds.prove(*part, round(outcome.objective))
        elif outcome.stop != "time-limit":
            raise _InterruptedError(outcome.stop)
        else:
            if outcome.bound is not None:
                bounds.prove(*part, integer_bound(outcome.bound, exact=True))
            self._seconds *= 2

    def _optimum(self, bounds: Bounds) -> Stop:
        """Offer the schedule of a path on which all segments are settled.

        Raises:
            RuntimeError: it does not cost what the models say.
        """
        schedule = Schedule(tuple(self._settled[part] for part in bounds.path()))
        cost = self._progress.offer(schedule)
        if cost != bounds.bound:
            raise RuntimeError(
                f"the models are wrong: together they promise {bounds.bound}, but their schedule"
                f" costs {cost}"
            )
        self._progress.raise_bound(cost)
        return "optimal"


class _Silent:
    """Lets an engine go on, whatever it reports."""

    def solution(self, solution: Solution) -> bool:
        """Go on."""
        return True

    def bound(self, value: float) -> bool:
        """Go on."""
        return True
