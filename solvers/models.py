"""The methods `cpsat` and `milp`: build a formulation, start it, run an engine, believe nothing.

What an engine reports is checked: schedules by the verifier, objectives by the evaluator, and a
bound counts only as far as the engine's arithmetic carries it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import RLock

from formulations.formulation import Formulation, formulate
from formulations.modellers import Modeller, Solution
from heuristics.baselines import sequential
from heuristics.scope import scope
from instances.instance import Instance
from schedules.evaluate import Evaluation, evaluate
from schedules.goal import Weights, breaches, restricted
from schedules.progress import Progress, Stop, WrongBoundError, WrongScheduleError
from schedules.schedule import Schedule
from schedules.verify import violations
from solvers.engines import Engine, Settings
from solvers.engines.arithmetic import close, integer_bound, same
from solvers.engines.engine import Outcome

logger = logging.getLogger("chipweave")

RaiseBound = Callable[[int], None]
"""Takes a lower bound on a weighted cost."""

GUESSES = 0.0005, 0.003, 0.02
"""How far above its bound an optimum is looked for, before all of a large model is."""


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


@dataclass(frozen=True)
class Solved:
    """How the run of one model ended.

    Attributes:
        stop: why.
        bound: no schedule that obeys the goal has a smaller weighted cost; None if unknown.
    """

    stop: Stop
    bound: int | None = None


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
        for method in (sequential, scope):
            own = Progress(instance, self.progress.remaining)
            method(instance, own, self.options.seed, self.options.workers)
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

        def report(bound: int | None) -> None:
            if raise_bound is not None and bound is not None:
                raise_bound(bound)
            if self.progress.expired or self.progress.proved:
                raise EnoughError

        best = self.cheapest(weights)
        known = None if best is None else weights.cost(best.costs)
        formulation = formulate(
            self.options.formulation,
            self._instance,
            _modeller(self.options.engine),
            self.progress.goal,
            weights,
            known if reach is None else reach,
            report=report,
        )
        if best is not None and known is not None and (reach is None or known <= reach):
            formulation.hint(best.schedule)
        return formulation

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
        reports = _Reports(self, formulation, weights, raise_bound, reach)
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


def _modeller(engine: Engine) -> Modeller:
    if engine.kind == "cpsat":
        from formulations.modellers.cpsat import CpSatModeller

        return CpSatModeller()
    from formulations.modellers.milp import MilpModeller

    return MilpModeller()


class _Reports:
    """Hears of an engine's progress and checks it; CP-SAT and HiGHS call from their own threads.

    Attributes:
        best_bound: on the weighted cost, None while none is known.
        ending: why the engine need not go on, None while it must.
    """

    def __init__(
        self,
        search: ModelSearch,
        formulation: Formulation,
        weights: Weights,
        listener: RaiseBound,
        reach: int | None,
    ) -> None:
        self.best_bound: int | None = None
        self.ending: Stop | None = None
        self._search = search
        self._formulation = formulation
        self._weights = weights
        self._listener = listener
        self._reach = reach
        self._engine = search.options.engine
        self._exact = self._engine.kind == "cpsat"
        self._error: Exception | None = None
        self._lock = RLock()

    def solution(self, solution: Solution) -> bool:
        """Take an incumbent; whether the engine shall go on."""
        return self._safely(lambda: self._take(solution))

    def bound(self, value: float) -> bool:
        """Take a bound; whether the engine shall go on."""
        return self._safely(lambda: self.raise_bound(integer_bound(value, self._exact)))

    def _safely(self, take: Callable[[], object]) -> bool:
        """Keep an exception: in the engine's thread it would be lost, or end the process."""
        with self._lock:
            try:
                take()
            except Exception as error:
                self._error = self._error or error
            return self._error is None and self.ending is None

    def raise_bound(self, bound: int) -> None:
        """Take a bound; nothing can be better than it, so what is known ends the run.

        Raises:
            WrongBoundError: a known schedule undercuts the bound of exact arithmetic.
        """
        best = self._cheapest()
        if best is not None and best < min(bound, self._beyond or bound):
            wrong = f"{self._engine.name} proves a bound of {bound}, but a schedule costs {best}"
            if self._exact:
                raise WrongBoundError(f"a bound is wrong: {wrong}")
            if not close(bound, best):
                logger.warning("%s: its arithmetic is too coarse for this model", wrong)
                return
        bound = min(most for most in (bound, best, self._beyond) if most is not None)
        if self.best_bound is None or bound > self.best_bound:
            self.best_bound = bound
            self._listener(bound)
        if bound == best:
            self.ending = "optimal"
        elif bound == self._beyond:
            self.ending = "infeasible"
        elif self._search.enough():
            self.ending = "gap-limit"

    def settle(self, outcome: Outcome) -> Solved:
        """What the run has shown.

        Raises:
            RuntimeError: the evaluator contradicts the model.
            Exception: what went wrong while the engine ran.
        """
        if self._error is not None:
            raise self._error
        if outcome.stop == "infeasible":
            return self._infeasible()
        if outcome.solution is not None:
            self._take(outcome.solution)
        if outcome.stop == "optimal" and self.ending is None:
            return self._optimum(outcome)
        if outcome.bound is not None:
            self.raise_bound(integer_bound(outcome.bound, self._exact))
        return Solved(self.ending or outcome.stop, self.best_bound)

    def _take(self, solution: Solution) -> None:
        try:
            obeys = self._search.suggest(self._formulation.extract(solution))
        except WrongScheduleError as error:
            if self._exact:
                raise
            logger.warning("%s: rounding spoilt a schedule: %s", self._engine.name, error)
            return
        if not obeys and self._exact:
            raise RuntimeError("the model is wrong: its schedule breaks the goal")

    def _cheapest(self) -> int | None:
        best = self._search.cheapest(self._weights)
        return None if best is None else self._weights.cost(best.costs)

    @property
    def _beyond(self) -> int | None:
        """No bound of a model can be above what it leaves out."""
        return None if self._reach is None else self._reach + 1

    def _infeasible(self) -> Solved:
        best = self._cheapest()
        if self._beyond is not None and (best is None or best >= self._beyond):
            self.raise_bound(self._beyond)
            return Solved(self.ending or "infeasible", self.best_bound)
        if best is None:
            return Solved("infeasible")
        contradiction = (
            f"{self._engine.name} finds no solution of the model, but there is a schedule"
        )
        if self._exact:
            raise RuntimeError(contradiction)
        logger.warning("%s: its arithmetic is too coarse for this model", contradiction)
        return Solved("finished", self.best_bound)

    def _optimum(self, outcome: Outcome) -> Solved:
        """Believe a proof if the schedule costs what the engine says that it does."""
        best, claimed = self._cheapest(), outcome.objective
        assert claimed is not None
        if self._beyond is not None and (best is None or best >= self._beyond):
            return self._infeasible()
        if best is not None and same(claimed, best, self._exact):
            self.raise_bound(best)
            return Solved("optimal", best)
        if best is not None and not close(claimed, best):
            raise RuntimeError(
                f"the model is wrong: its optimum is {claimed:.0f}, but its schedule costs {best}"
            )
        if outcome.bound is not None:
            self.raise_bound(integer_bound(outcome.bound, self._exact))
        return Solved(self.ending or "finished", self.best_bound)
