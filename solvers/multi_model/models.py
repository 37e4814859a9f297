"""The methods `cpsat` and `milp` for several models: build a model, run an engine, believe nothing.

What an engine reports is checked as in `solvers.models`. The model is by runs where these can be
listed, otherwise by stages. The product of energy and latency is minimised by weighted sums
(solvers.edp); throughput by two models: the period of a single window, and the latency of
schedules that are faster than that.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from formulations.modellers import Solution
from formulations.multi_model.frame import Frame
from formulations.multi_model.listing import Asked, ListedRun, TooManyRunsError, list_runs
from formulations.multi_model.question import Question
from formulations.multi_model.runs import ByRuns
from formulations.multi_model.stages import ByStages, count_stages
from schedules.goal import Weights
from schedules.progress import Stop
from schedules.windows.evaluate import WindowEvaluation, evaluate_windows
from schedules.windows.progress import WindowProgress
from schedules.windows.schedule import WindowSchedule
from schedules.windows.verify import window_violations
from solvers.edp import minimise_product
from solvers.engines import Engine, Settings
from solvers.engines.engine import Kind
from solvers.engines.modellers import modeller_of
from solvers.multi_model.solve import WINDOW_METHODS, WindowOptions
from solvers.reports import RaiseBound, Reports, Solved

LATENCY, ENERGY = Weights(1, 0), Weights(0, 1)

MOST_STAGES = 50_000
"""Larger models by stages would take minutes to build, and prove nothing."""

GUESSES = 0.01, 0.02, 0.04, 0.08, 0.16
"""How far above its bound an optimum is looked for, before all of a model is."""

FEW_RUNS = 150
"""Models with no more runs are not worth it."""

GUESS_SHARE = 0.25
"""Of the time that is left, at most, for each guess."""

PERIOD_SHARE = 0.5
"""Of the time that is left, at most, for the period of a single window."""

START_SHARE = 0.2
"""Of the time, at most, for the method that finds a start."""


def solve_windows(progress: WindowProgress, options: WindowOptions) -> Stop:
    """Minimise the goal of `progress` with models.

    Raises:
        ValueError: a start that may not run, or costs too large for the engine.
        RuntimeError: the engine fails, or the model is wrong: the evaluator contradicts it.
    """
    search = WindowSearch(progress, options)
    search.start()
    objective = progress.goal.objective
    if objective == "edp":
        return minimise_product(search)
    if objective == "throughput":
        return _shortest_period(search)
    weights = LATENCY if objective == "latency" else ENERGY
    return search.minimise(weights, progress.raise_bound).stop


def _shortest_period(search: WindowSearch) -> Stop:
    """The least period: of a single window whose chiplets have one stage each, or a latency."""
    progress = search.progress
    if not progress.goal.pipelined:
        return search.minimise(LATENCY, progress.raise_bound).stop
    period = search.minimise(None, lambda bound: None, share=PERIOD_SHARE)
    reach = None if progress.objective is None else progress.objective - 1

    def raise_bound(bound: int) -> None:
        if period.stop == "infeasible":
            progress.raise_bound(bound)
        elif period.bound is not None:
            progress.raise_bound(min(bound, period.bound))

    latency = search.minimise(LATENCY, raise_bound, reach)
    if period.stop not in ("optimal", "infeasible"):
        return period.stop
    if period.bound is not None and latency.stop == "infeasible":
        progress.raise_bound(period.bound)
        return "optimal"
    return latency.stop


@dataclass(frozen=True)
class Known:
    """A schedule, and what it costs."""

    schedule: WindowSchedule
    costs: WindowEvaluation


@dataclass(frozen=True)
class Cheapest:
    """A schedule, and its cost in terms of a question."""

    cost: int
    schedule: WindowSchedule


class WindowSearch:
    """Runs models of one workload, one after another, with all that is known so far.

    Attributes:
        progress: of the whole run.
        options: for every model.
        known: schedules, in the order in which they were found.
    """

    def __init__(self, progress: WindowProgress, options: WindowOptions) -> None:
        self.progress = progress
        self.options = options
        self.known: list[Known] = []
        self._listed: dict[Asked, list[list[ListedRun]] | None] = {}

    @property
    def engine(self) -> Engine:
        """That runs the models."""
        assert self.options.engine is not None
        return self.options.engine

    @property
    def kind(self) -> Kind:
        """Of the engine."""
        return self.engine.kind

    def start(self) -> None:
        """Begin with the schedule that the user gave, or with that of `scar`."""
        progress, start = self.progress, self.options.start
        if start is not None:
            wrong = window_violations(progress.costs, start, progress.goal)
            if wrong:
                raise ValueError(f"the start cannot be used: {wrong[0]}; leave it out")
            self.suggest(start)
            return
        left = progress.remaining
        own = WindowProgress(
            progress.costs, progress.goal, None if left is None else START_SHARE * left
        )
        options = WindowOptions(seed=self.options.seed, workers=self.options.workers)
        WINDOW_METHODS["scar"].load()(own, options)
        if own.best is not None:
            self.suggest(own.best)

    def suggest(self, schedule: WindowSchedule) -> None:
        """Take a schedule.

        Raises:
            WrongScheduleError: it may not run.
        """
        self.progress.offer(schedule)
        costs = evaluate_windows(self.progress.costs, schedule, self.progress.goal.pipelined)
        self.known.append(Known(schedule, costs))

    def cheapest(self, question: Question) -> Cheapest | None:
        """The best known schedule that a question asks for."""
        costs = [(question.cost(known.costs), known.schedule) for known in self.known]
        fit = [Cheapest(cost, schedule) for cost, schedule in costs if cost is not None]
        return min(fit, key=lambda own: own.cost, default=None)

    def cheap_bound(self, weights: Weights) -> int | None:
        """What a model knows before it is solved."""
        return None if self.progress.expired else self._formulate(self._question(weights)).bound

    def enough(self) -> bool:
        """Only a proof is."""
        return False

    def minimise(
        self,
        weights: Weights | None,
        raise_bound: RaiseBound,
        reach: int | None = None,
        share: float = 1.0,
    ) -> Solved:
        """Find and prove the least weighted cost, as far as the limits allow.

        Args:
            weights: of latency and energy; None for the period of a single window.
            raise_bound: takes every lower bound on the cost, also those on the way.
            reach: schedules that cost more do not matter, known or not.
            share: of the time that is left.

        Returns:
            How it ended; 'infeasible' with a bound, if nothing is within reach.
        """
        if self.progress.expired:
            return Solved("time-limit")
        formulation = self._formulate(self._question(weights, reach))
        bound = formulation.bound
        for guess in self._guesses(formulation):
            small = self._formulate(replace(formulation.question, limit=guess))
            solved = self._run(small, raise_bound, guess, share * GUESS_SHARE)
            bound = _higher(bound, solved.bound)
            late = solved.stop == "time-limit" and not self.progress.expired
            if solved.stop != "infeasible" and not late:
                return replace(solved, bound=bound)
        if self._question(weights, reach) != formulation.question:
            formulation = self._formulate(self._question(weights, reach))
        solved = self._run(formulation, raise_bound, reach, share)
        return replace(solved, bound=_higher(bound, solved.bound))

    def _guesses(self, formulation: Frame) -> list[int]:
        """Costs that may be within reach, and for which the model is much smaller."""
        bound = formulation.bound
        if not bound or not isinstance(formulation, ByRuns) or formulation.count <= FEW_RUNS:
            return []
        guesses = [bound + int(share * bound) for share in GUESSES]
        limit = formulation.question.limit
        most = None if limit is None else (bound + limit) // 2
        return [guess for guess in guesses if most is None or guess < most]

    def _run(
        self, formulation: Frame, raise_bound: RaiseBound, reach: int | None, share: float
    ) -> Solved:
        """Run the engine on a model, hinted at the best that is known."""
        reports = Reports(self.engine, _Search(self, formulation), raise_bound, reach)
        if formulation.bound is not None:
            reports.raise_bound(formulation.bound)
        left = self.progress.remaining
        if reports.ending is not None or left == 0:
            return Solved(reports.ending or "time-limit", reports.best_bound)
        best = self.cheapest(formulation.question)
        if best is not None and (reach is None or best.cost <= reach):
            formulation.hint(best.schedule)
        settings = Settings(
            end=None if left is None else time.perf_counter() + share * left,
            seed=self.options.seed,
            workers=self.options.workers,
        )
        outcome = self.engine.run(formulation.modeller.model, settings, reports)
        return reports.settle(outcome)

    def _question(self, weights: Weights | None, reach: int | None = None) -> Question:
        """What costs more than the best known schedule, or the reach, need not be in the model."""
        goal, costs = self.progress.goal, self.progress.costs
        question = Question(costs, goal, weights or LATENCY, period=weights is None)
        best = self.cheapest(question)
        limits = [cost for cost in (reach, None if best is None else best.cost) if cost is not None]
        return replace(question, limit=min(limits, default=None))

    def _formulate(self, question: Question) -> Frame:
        """The model of a question."""
        modeller = modeller_of(self.engine)
        listed = self._list(question)
        if listed is not None:
            return ByRuns(question, listed, modeller)
        stages = count_stages(question)
        if stages > MOST_STAGES:
            raise ValueError(
                f"the workload is too large for the models: they would have {stages:,} stages,"
                f" more than {MOST_STAGES:,}; use coarser units, fewer windows or method search"
            )
        return ByStages(question, modeller)

    def _list(self, question: Question) -> list[list[ListedRun]] | None:
        """The runs of all models, None if they are too many."""
        cycle, picojoule = question.prices
        asked = Asked(self.progress.goal.pipelined, question.period, energy=picojoule > 0)
        if question.limit is not None and not picojoule:
            asked = replace(asked, longest=question.limit // cycle)
        for known, listed in self._listed.items():
            if listed is not None and known.includes(asked):
                return listed
        if asked not in self._listed:
            try:
                self._listed[asked] = list_runs(self.progress.costs, asked)
            except TooManyRunsError:
                self._listed[asked] = None
        return self._listed[asked]


@dataclass(frozen=True)
class _Search:
    """The search that one model is part of."""

    whole: WindowSearch
    formulation: Frame

    def take(self, solution: Solution) -> bool:
        """Suggest the solution's schedule, which has no condition to break."""
        self.whole.suggest(self.formulation.extract(solution))
        return True

    def cheapest(self) -> int | None:
        """What the best known schedule costs."""
        best = self.whole.cheapest(self.formulation.question)
        return None if best is None else best.cost

    def enough(self) -> bool:
        """Only a proof is."""
        return False


def _higher(first: int | None, second: int | None) -> int | None:
    """The better of two bounds, each None if there is none."""
    return max((bound for bound in (first, second) if bound is not None), default=None)
