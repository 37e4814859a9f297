"""The methods `cpsat` and `milp`: build a formulation, start it, run an engine, believe nothing.

What an engine reports is checked: schedules by the verifier, objectives by the evaluator, and a
bound counts only as far as the engine's arithmetic carries it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from formulations.formulation import Formulation, Report, formulate
from formulations.merged_pipeline.segment_pricing import settled_bound
from formulations.modellers import Solution
from heuristics.baselines import sequential
from heuristics.ratios import with_ratios
from heuristics.scope import scope
from instances.instance import Instance
from schedules.evaluate import Evaluation, evaluate
from schedules.goal import Goal, Weights, breaches, restricted
from schedules.progress import Progress, Stop
from schedules.schedule import Schedule
from schedules.verify import violations
from solvers.engines import Engine, Settings
from solvers.engines.engine import Kind
from solvers.engines.modellers import modeller_of
from solvers.reports import RaiseBound, Reports, Solved

GUESSES = 0.0005, 0.003, 0.02
"""How far above its bound an optimum is looked for, before all of a large model is."""

FARTHEST = 4
"""How far guesses go that rise further, in bounds."""


@dataclass(frozen=True)
class ModelOptions:
    """How a model is built and run.

    Attributes:
        engine: to run it.
        formulation: one of `formulations.formulation.FORMULATIONS`.
        start: a schedule to start from, or whether to start from the one of `scope`.
        gap_limit: gap at which to stop; None for a proof.
        memory_limit: MiB at which to stop.
        seed, workers: for the engine.
        log: takes the engine's log, a line at a time.
    """

    engine: Engine
    formulation: str = "segment"
    start: bool | Schedule = True
    gap_limit: float | None = None
    memory_limit: int | None = None
    seed: int = 0
    workers: int = 1
    log: Callable[[str], None] | None = None


def solve_model(instance: Instance, progress: Progress, options: ModelOptions) -> Stop:
    """Minimise the goal of `progress` with a model.

    Raises:
        ValueError: a start that may not run or breaks the goal, or costs too large for the engine.
        RuntimeError: the engine fails, or the model is wrong: the evaluator contradicts it.
    """
    search = ModelSearch(instance, progress, options)
    search.start()
    try:
        if progress.goal.objective == "edp":
            from solvers.edp import minimise_product

            return minimise_product(search)
        return search.minimise(progress.goal.weights, progress.raise_bound).stop
    except EnoughError:
        return "optimal" if progress.proved else "time-limit"


class EnoughError(Exception):
    """A model need not be built to its end: time is over, or its bounds prove the incumbent."""


@dataclass(frozen=True)
class Known:
    """A schedule that obeys the goal, and what it costs."""

    schedule: Schedule
    costs: Evaluation


class ModelSearch:
    """Runs models of one instance, one after another, with all that is known so far.

    Attributes:
        progress: of the whole run.
        options: for every model.
        known: schedules that obey the goal, in the order in which they were found.
    """

    def __init__(self, instance: Instance, progress: Progress, options: ModelOptions) -> None:
        self.progress = progress
        self.options = options
        self.known: list[Known] = []
        self._instance = instance

    def start(self) -> None:
        """Begin with the schedule that the user gave, or with those of the fast methods."""
        start = self.options.start
        if isinstance(start, Schedule):
            wrong = violations(self._instance, start)
            wrong = wrong or breaches(self._instance, start, self.progress.goal)
            if wrong:
                raise ValueError(f"the start cannot be used: {wrong[0]}; leave it out")
            self.suggest(start)
        elif start:
            self._fast_methods()

    def _fast_methods(self) -> None:
        instance = restricted(self._instance, self.progress.goal)
        # With conditions, or for less energy, the start compresses nothing.
        ratios = instance.compression is not None and self.progress.goal == Goal()
        for method in (sequential, scope):
            own = Progress(instance, self.progress.remaining)
            run = partial(with_ratios, method) if ratios else method
            run(instance, own, self.options.seed, self.options.workers)
            if own.best is not None:
                self.suggest(own.best)

    def suggest(self, schedule: Schedule) -> bool:
        """Take a schedule, unless it breaks the goal; whether it does not.

        Raises:
            WrongScheduleError: the schedule may not run at all.
        """
        if not self.progress.suggest(schedule):
            return False
        self.known.append(Known(schedule, evaluate(self._instance, schedule)))
        return True

    def cheapest(self, weights: Weights) -> Known | None:
        """The best known schedule by weighted cost."""
        return min(self.known, key=lambda known: weights.cost(known.costs), default=None)

    def formulate(
        self, weights: Weights, reach: int | None = None, raise_bound: RaiseBound | None = None
    ) -> Formulation:
        """The model with a weighted objective, told what is known and hinted at it.

        Args:
            reach: leave out what only costlier schedules use, known or not; by default, what is
                costlier than the best known schedule.
            raise_bound: hears of the bounds that come up on the way.

        Raises:
            EnoughError: the time is over, or the bounds prove the incumbent.
        """
        best, known = self.cheapest(weights), self._known_cost(weights)
        formulation = formulate(
            self.options.formulation,
            self._instance,
            modeller_of(self.options.engine),
            self.progress.goal,
            weights,
            known if reach is None else reach,
            report=self._report(raise_bound),
        )
        if best is not None and known is not None and (reach is None or known <= reach):
            formulation.hint(best.schedule)
        return formulation

    def _report(self, raise_bound: RaiseBound | None) -> Report:
        """Passes on the bounds that come up while a model is built, and ends that in time."""

        def report(bound: int | None) -> None:
            if raise_bound is not None and bound is not None:
                raise_bound(bound)
            if self.progress.expired or self.progress.proved:
                raise EnoughError

        return report

    def _known_cost(self, weights: Weights) -> int | None:
        best = self.cheapest(weights)
        return None if best is None else weights.cost(best.costs)

    @property
    def kind(self) -> Kind:
        """Of the engine."""
        return self.options.engine.kind

    def cheap_bound(self, weights: Weights) -> int | None:
        """What a model knows before it is solved."""
        return self.formulate(weights).bound

    def minimise(self, weights: Weights, raise_bound: RaiseBound) -> Solved:
        """Find and prove the least weighted cost, as far as the limits allow.

        A model that knows a good bound but no good schedule is large. It is then tried with what
        schedules just above the bound can use: they are in that small model if there are any, and
        if there are none, the bound rises.

        Args:
            raise_bound: takes every lower bound on the weighted cost, also those on the way.

        Raises:
            EnoughError: a model need not be built to its end.
        """
        guesses: Iterable[int]
        if self._instance.compression is not None and self.options.formulation == "segment":
            guesses = self._guesses_of_ratios(weights, raise_bound)
        else:
            formulation = self.formulate(weights, raise_bound=raise_bound)
            guesses = self._guesses(weights, formulation.bound)
            if not guesses:
                return self.run(formulation, weights, raise_bound)
        for reach in guesses:
            formulation = self.formulate(weights, reach)
            solved = self.run(formulation, weights, raise_bound, reach)
            if solved.stop != "infeasible":
                return solved
        return self.run(self.formulate(weights), weights, raise_bound)

    def _guesses_of_ratios(self, weights: Weights, raise_bound: RaiseBound) -> Iterator[int]:
        """Guesses that go on to rise, from a bound without its model, up to what is known.

        Where ratios are to be chosen a model is very large unless its limit is near the bound.
        """
        goal, report = self.progress.goal, self._report(raise_bound)
        bound = settled_bound(self._instance, goal, weights, self._known_cost(weights), report)
        guesses = self._guesses(weights, bound)
        while guesses and bound:
            guess = guesses.pop(0)
            best = self._known_cost(weights)
            if not bound < guess < (FARTHEST * bound if best is None else best):
                return
            yield guess
            guesses = guesses or [bound + 2 * (guess - bound)]

    def _guesses(self, weights: Weights, bound: int | None) -> list[int]:
        """Costs that may be within reach, far below what is known."""
        if not bound:
            return []
        best = self.cheapest(weights)
        most = None if best is None else (bound + weights.cost(best.costs)) // 2
        guesses = [bound + int(share * bound) for share in GUESSES]
        return [guess for guess in guesses if most is None or guess < most]

    def run(
        self,
        formulation: Formulation,
        weights: Weights,
        raise_bound: RaiseBound,
        reach: int | None = None,
    ) -> Solved:
        """Run the engine on a model that minimises a weighted cost.

        Args:
            raise_bound: takes every lower bound on the weighted cost, also those on the way.
            reach: the model has every schedule up to this cost, and not all others.

        Returns:
            How it ended; 'infeasible' with a bound, if nothing is within reach.
        """
        search = _Search(self, formulation, weights)
        reports = Reports(self.options.engine, search, raise_bound, reach)
        if formulation.bound is not None:
            reports.raise_bound(formulation.bound)
        if reports.ending is not None:
            return Solved(reports.ending, reports.best_bound)
        remaining = self.progress.remaining
        if remaining is not None and remaining <= 0:
            return Solved("time-limit", reports.best_bound)
        options = self.options
        if options.log is not None:
            within = "" if reach is None else f", up to {reach}"
            options.log(f"chipweave: the least {weights.latency} T + {weights.energy} E{within}")
        settings = Settings(
            end=None if remaining is None else time.perf_counter() + remaining,
            gap=options.gap_limit,
            memory=options.memory_limit,
            seed=options.seed,
            workers=options.workers,
            log=options.log,
        )
        if self.progress.goal.objective == "edp":
            settings = replace(settings, gap=None)  # the gap is that of the product
        outcome = options.engine.run(formulation.modeller.model, settings, reports)
        return reports.settle(outcome)

    def enough(self) -> bool:
        """Whether the gap that was asked for is reached."""
        objective, bound = self.progress.objective, self.progress.bound
        if self.options.gap_limit is None or objective is None or bound is None:
            return False
        return objective - bound <= self.options.gap_limit * objective


@dataclass(frozen=True)
class _Search:
    """The search that one model is part of."""

    whole: ModelSearch
    formulation: Formulation
    weights: Weights

    def take(self, solution: Solution) -> bool:
        """Suggest the solution's schedule."""
        return self.whole.suggest(self.formulation.extract(solution))

    def cheapest(self) -> int | None:
        """By weighted cost."""
        best = self.whole.cheapest(self.weights)
        return None if best is None else self.weights.cost(best.costs)

    def enough(self) -> bool:
        """Whether the gap that was asked for is reached."""
        return self.whole.enough()
