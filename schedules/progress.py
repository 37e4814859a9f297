"""What a running method tells its caller, and when it has to stop."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from instances.instance import Instance
from schedules.evaluate import evaluate
from schedules.goal import Goal, breaches
from schedules.schedule import Schedule
from schedules.verify import violations

Stop = Literal[
    "optimal",
    "infeasible",
    "gap-limit",
    "time-limit",
    "memory-limit",
    "interrupted",
    "finished",
]
"""Why a run ended; whether there is a schedule is another matter."""

Found = TypeVar("Found")
"""A kind of schedule."""


def gap_of(objective: float | None, bound: float | None) -> float | None:
    """(objective - bound) / objective, 0 for an objective of 0; None unless both are known."""
    if objective is None or bound is None:
        return None
    return (objective - bound) / objective if objective else 0.0


@dataclass(frozen=True)
class TracePoint:
    """The state of a run at one moment.

    Attributes:
        seconds: since the run began.
        objective: of the incumbent, None while there is none.
        bound: the best valid lower bound on it, None while there is none.
    """

    seconds: float
    objective: float | None
    bound: float | None


class WrongScheduleError(RuntimeError):
    """A method offered a schedule that the verifier rejects: a defect of the method."""


class WrongBoundError(RuntimeError):
    """A schedule costs less than a bound allows: a defect of the method, or of its solver."""


class Keeper(Generic[Found]):
    """Keeps a run's best schedule and bound, and its clock.

    A method offers every schedule that it finds; each is verified and evaluated here, so that an
    objective never comes from the method itself.

    Attributes:
        best: the incumbent, None while there is none.
        objective: its value, None while there is none.
        bound: the best valid lower bound, None while there is none.
        trace: a point for each improvement.
        counts: how often the method has done what, by name.
    """

    def __init__(
        self,
        time_limit: float | None = None,
        listener: Callable[[TracePoint], None] | None = None,
    ) -> None:
        self.best: Found | None = None
        self.objective: int | None = None
        self.bound: float | None = None
        self.trace: list[TracePoint] = []
        self.counts: dict[str, int] = {}
        self._listener = listener
        self._start = time.perf_counter()
        self._time_limit = time_limit

    @abstractmethod
    def wrong(self, schedule: Found) -> list[str]:
        """Why a schedule may not run, a sentence each; empty if it may."""

    @abstractmethod
    def value(self, schedule: Found) -> int:
        """What a schedule costs that may run."""

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.perf_counter() - self._start

    @property
    def remaining(self) -> float | None:
        """Seconds until the time limit, at least 0; None without a limit."""
        return None if self._time_limit is None else max(0.0, self._time_limit - self.seconds)

    @property
    def expired(self) -> bool:
        """Whether the time limit has passed."""
        return self.remaining == 0.0

    @property
    def proved(self) -> bool:
        """Whether the bound proves the incumbent optimal."""
        return self.objective is not None and self.bound == self.objective

    def offer(self, schedule: Found) -> int:
        """Verify and evaluate a schedule, keep it if it is the best; return its objective.

        Raises:
            WrongScheduleError: the schedule violates a constraint or a condition of the goal.
            WrongBoundError: the schedule undercuts the bound.
        """
        wrong = self.wrong(schedule)
        if wrong:
            raise WrongScheduleError("; ".join(wrong))
        value = self.value(schedule)
        if self.objective is None or value < self.objective:
            self.best, self.objective = schedule, value
            self._check_bound()
            self._record()
        return value

    def raise_bound(self, bound: float) -> None:
        """Take note of a valid lower bound.

        Raises:
            WrongBoundError: the incumbent undercuts it.
        """
        if self.bound is None or bound > self.bound:
            self.bound = bound
            self._check_bound()
            self._record()

    def count(self, what: str, number: int = 1) -> None:
        """Add to the count of something that the method has done."""
        self.counts[what] = self.counts.get(what, 0) + number

    def _check_bound(self) -> None:
        if self.bound is not None and self.objective is not None and self.objective < self.bound:
            raise WrongBoundError(
                f"a bound is wrong: it was proved that no schedule costs less than {self.bound},"
                f" but one costs {self.objective}"
            )

    def _record(self) -> None:
        point = TracePoint(self.seconds, self.objective, self.bound)
        self.trace.append(point)
        if self._listener is not None:
            self._listener(point)


class Progress(Keeper[Schedule]):
    """Keeps the best schedule of an instance.

    Attributes:
        goal: what is minimised, and under which conditions; the objective is cycles, picojoules or
            their product, as it says.
        bounds: whether bounds are of use; a method may leave out what it does for these alone.
    """

    def __init__(
        self,
        instance: Instance,
        time_limit: float | None = None,
        listener: Callable[[TracePoint], None] | None = None,
        goal: Goal | None = None,
        bounds: bool = True,
    ) -> None:
        super().__init__(time_limit, listener)
        self.instance, self.bounds = instance, bounds
        self.goal = Goal() if goal is None else goal

    def wrong(self, schedule: Schedule) -> list[str]:
        """Violations, or else breaches of the goal."""
        found = violations(self.instance, schedule)
        return found or breaches(self.instance, schedule, self.goal)

    def value(self, schedule: Schedule) -> int:
        """The goal's value."""
        return self.goal.value(evaluate(self.instance, schedule))

    def suggest(self, schedule: Schedule) -> bool:
        """Offer a schedule that may break conditions of the goal; whether it does not.

        Raises:
            WrongScheduleError: the schedule violates a constraint of the problem itself.
        """
        if not violations(self.instance, schedule) and breaches(self.instance, schedule, self.goal):
            return False
        self.offer(schedule)
        return True
