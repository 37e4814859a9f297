"""The best schedule of several models so far."""

from __future__ import annotations

from collections.abc import Callable

from instances.cost.jobs import WorkloadCosts
from schedules.progress import Keeper, TracePoint
from schedules.windows.evaluate import evaluate_windows
from schedules.windows.goal import WindowGoal
from schedules.windows.schedule import WindowSchedule
from schedules.windows.verify import window_violations


class WindowProgress(Keeper[WindowSchedule]):
    """Keeps the best schedule of a workload.

    Attributes:
        costs: those of the workload.
        goal: what is minimised, and what a schedule may do.
    """

    def __init__(
        self,
        costs: WorkloadCosts,
        goal: WindowGoal,
        time_limit: float | None = None,
        listener: Callable[[TracePoint], None] | None = None,
    ) -> None:
        super().__init__(time_limit, listener)
        self.costs, self.goal = costs, goal

    def wrong(self, schedule: WindowSchedule) -> list[str]:
        """Violations."""
        return window_violations(self.costs, schedule, self.goal)

    def value(self, schedule: WindowSchedule) -> int:
        """The goal's value."""
        return self.goal.value(evaluate_windows(self.costs, schedule, self.goal.pipelined))
