"""What a running method tells its caller, and when it has to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True)
class TracePoint:
    """The state of a run at one moment.

    Attributes:
        seconds: since the run began.
        objective: of the incumbent, None while there is none.
        bound: the best valid lower bound on it, None while there is none.
    """

    seconds: float
    objective: int | None
    bound: float | None


class WrongScheduleError(RuntimeError):
    """A method offered a schedule that the verifier rejects: a defect of the method."""


class WrongBoundError(RuntimeError):
    """A schedule costs less than a bound allows: a defect of the method, or of its solver."""


class Progress:
    """Keeps a run's best schedule and bound, and its clock.

    A method offers every schedule that it finds; each is verified and evaluated here, so that an
    objective never comes from the method itself.

    Attributes:
        goal: what is minimised, and under which conditions.
        best: the incumbent, None while there is none.
        objective: its value: cycles, picojoules or their product, as the goal says.
        bound: the best valid lower bound, None while there is none.
        trace: a point for each improvement.
        counts: how often the method has done what, by name.
    """

    def __init__(
        self,
        instance: Instance,
        time_limit: float | None = None,
        listener: Callable[[TracePoint], None] | None = None,
        goal: Goal | None = None,
    ) -> None:
        self.instance = instance
        self.goal = Goal() if goal is None else goal
        self.best: Schedule | None = None
        self.objective: int | None = None
        self.bound: float | None = None
        self.trace: list[TracePoint] = []
        self.counts: dict[str, int] = {}
        self._listener = listener
        self._start = time.perf_counter()
        self._time_limit = time_limit

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

    def offer(self, schedule: Schedule) -> int:
        """Verify and evaluate a schedule, keep it if it is the best; return its objective.

        Raises:
            WrongScheduleError: the schedule violates a constraint or a condition of the goal.
            WrongBoundError: the schedule undercuts the bound.
        """
        wrong = violations(self.instance, schedule) or breaches(self.instance, schedule, self.goal)
        if wrong:
            raise WrongScheduleError("; ".join(wrong))
        value = self.goal.value(evaluate(self.instance, schedule))
        if self.objective is None or value < self.objective:
            self.best, self.objective = schedule, value
            self._check_bound()
            self._record()
        return value

    def suggest(self, schedule: Schedule) -> bool:
        """Offer a schedule that may break conditions of the goal; whether it does not.

        Raises:
            WrongScheduleError: the schedule violates a constraint of the problem itself.
        """
        if not violations(self.instance, schedule) and breaches(self.instance, schedule, self.goal):
            return False
        self.offer(schedule)
        return True

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
