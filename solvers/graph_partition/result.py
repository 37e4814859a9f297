"""The answer for a graph, and how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from instances.graph import OperatorGraph, Order
from schedules.partition.evaluate import PartitionEvaluation
from schedules.partition.files import partition_to_data
from schedules.partition.partition import Partition
from schedules.progress import gap_of
from solvers.methods import Ran


@dataclass(frozen=True, kw_only=True)
class PartitionResult(Ran):
    """What a method found; `bound` and `trace` are in ticks, as `objective` is.

    Attributes:
        graph: what was divided.
        order: which divisions were allowed.
        schedule: the best division found, None if none.
        evaluation: its loads, recomputed by the evaluator; None without a division.
    """

    graph: OperatorGraph
    order: Order
    schedule: Partition | None
    evaluation: PartitionEvaluation | None

    @property
    def objective(self) -> int | None:
        """Largest load of the division, ticks."""
        return None if self.evaluation is None else self.evaluation.objective

    @property
    def time(self) -> float | None:
        """Largest load of the division, in the unit of the graph's file."""
        return None if self.objective is None else self.graph.time(self.objective)

    @property
    def gap(self) -> float | None:
        """(objective - bound) / objective; None unless both are known."""
        return gap_of(self.objective, self.bound)

    def to_data(self) -> dict[str, Any]:
        """The result as plain data, times in the file's unit: what `solve --json` prints."""
        graph, time, data = self.graph, self.time, self.run_data()
        data["trace"] = [
            [seconds, *(None if ticks is None else graph.time(ticks) for ticks in both)]
            for seconds, *both in data["trace"]
        ]
        return {
            "graph": graph.name,
            "order": self.order,
            "method": self.method,
            "stop": self.stop,
            "objective": time,
            "unit": "time of the file",
            "bound": None if self.bound is None else graph.time(self.bound),
            "gap": self.gap,
            "throughput": 1 / time if time else None,
            "schedule": None if self.schedule is None else partition_to_data(self.schedule),
            **data,
        }
