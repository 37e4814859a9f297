"""What an engine reports of a model, believed only as far as the evaluator confirms it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import Generic, Protocol, TypeVar

from formulations.modellers import Solution
from schedules.progress import Keeper, Stop, WrongBoundError, WrongScheduleError
from solvers.engines import Engine
from solvers.engines.arithmetic import close, integer_bound, same
from solvers.engines.engine import Outcome

logger = logging.getLogger("chipweave")

Found = TypeVar("Found")
"""A kind of schedule."""

Extracted = TypeVar("Extracted", covariant=True)

RaiseBound = Callable[[int], None]
"""Takes a lower bound on what a model minimises."""


@dataclass(frozen=True)
class Solved:
    """How the run of one model ended.

    Attributes:
        stop: why.
        bound: no schedule that obeys the goal has a smaller weighted cost; None if unknown.
    """

    stop: Stop
    bound: int | None = None


class Search(Protocol):
    """What reports of one model are for."""

    def take(self, solution: Solution) -> bool:
        """Take a solution's schedule; whether it obeys the goal.

        Raises:
            WrongScheduleError: it may not run at all.
        """
        ...

    def cheapest(self) -> int | None:
        """What the best known schedule costs, None while there is none."""
        ...

    def enough(self) -> bool:
        """Whether the search may end before a proof."""
        ...


class Extracting(Protocol[Extracted]):
    """A formulation, as far as reports need it."""

    def extract(self, solution: Solution, /) -> Extracted:
        """What a solution means."""
        ...


@dataclass(frozen=True)
class PlainSearch(Generic[Found]):
    """The search of one model whose solutions have no condition to break, for a proof."""

    progress: Keeper[Found]
    formulation: Extracting[Found]

    def take(self, solution: Solution) -> bool:
        """Offer what the solution means."""
        self.progress.offer(self.formulation.extract(solution))
        return True

    def cheapest(self) -> int | None:
        """What the best known one costs."""
        return self.progress.objective

    def enough(self) -> bool:
        """Only a proof is."""
        return False


class Reports:
    """Hears of an engine's progress and checks it; CP-SAT and HiGHS call from their own threads.

    Args:
        engine: that runs.
        search: to which its solutions go.
        listener: takes every lower bound, also those on the way.
        reach: the model has every schedule up to this cost, and not all others; None if it has all
            that can be better than what is known.

    Attributes:
        best_bound: on the weighted cost, None while none is known.
        ending: why the engine need not go on, None while it must.
    """

    def __init__(
        self,
        engine: Engine,
        search: Search,
        listener: RaiseBound,
        reach: int | None = None,
        tolerance: float = 0.0,
    ) -> None:
        self.best_bound: int | None = None
        self.ending: Stop | None = None
        self._engine = engine
        self._search = search
        self._listener = listener
        self._reach = reach
        self._tolerance = tolerance
        self._exact = engine.kind == "cpsat"
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
        best = self._search.cheapest()
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
            obeys = self._search.take(solution)
        except WrongScheduleError as error:
            if self._exact:
                raise
            logger.warning("%s: rounding spoilt a schedule: %s", self._engine.name, error)
            return
        if not obeys and self._exact:
            raise RuntimeError("the model is wrong: its schedule breaks the goal")

    @property
    def _beyond(self) -> int | None:
        """No bound of a model can be above what it leaves out."""
        return None if self._reach is None else self._reach + 1

    def _infeasible(self) -> Solved:
        best = self._search.cheapest()
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
        best, claimed = self._search.cheapest(), outcome.objective
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
        near = None if best is None else best - self._tolerance * best
        if near is not None and self.best_bound is not None and self.best_bound >= near:
            return Solved("optimal", self.best_bound)
        return Solved(self.ending or "finished", self.best_bound)
