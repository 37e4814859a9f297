"""The best schedule on an array so far."""

from __future__ import annotations

from collections.abc import Callable

from instances.cost.array import ArrayCosts
from schedules.array.evaluate import evaluate_array
from schedules.array.schedule import ArraySchedule
from schedules.array.verify import array_violations
from schedules.progress import Keeper, TracePoint


class ArrayProgress(Keeper[ArraySchedule]):
    """Keeps the schedule of the lowest latency.

    Attributes:
        costs: of the network on the array.
    """

    def __init__(
        self,
        costs: ArrayCosts,
        time_limit: float | None = None,
        listener: Callable[[TracePoint], None] | None = None,
    ) -> None:
        super().__init__(time_limit, listener)
        self.costs = costs

    def wrong(self, schedule: ArraySchedule) -> list[str]:
        """Violations."""
        return array_violations(self.costs, schedule)

    def value(self, schedule: ArraySchedule) -> int:
        """Its latency in cycles."""
        return evaluate_array(self.costs, schedule).latency
