"""The best division of a graph so far."""

from __future__ import annotations

from collections.abc import Callable

from instances.graph import OperatorGraph, Order
from schedules.partition.evaluate import evaluate_partition
from schedules.partition.partition import Partition
from schedules.partition.verify import partition_violations
from schedules.progress import Keeper, TracePoint


class PartitionProgress(Keeper[Partition]):
    """Keeps the division with the least largest load, in ticks.

    Attributes:
        graph: what is divided.
        order: which divisions are allowed.
    """

    def __init__(
        self,
        graph: OperatorGraph,
        order: Order = "ordered",
        time_limit: float | None = None,
        listener: Callable[[TracePoint], None] | None = None,
    ) -> None:
        super().__init__(time_limit, listener)
        self.graph, self.order = graph, order

    def wrong(self, schedule: Partition) -> list[str]:
        """Violations."""
        return partition_violations(self.graph, schedule, self.order)

    def value(self, schedule: Partition) -> int:
        """Its largest load in ticks."""
        return evaluate_partition(self.graph, schedule).objective
