"""The answer for an array, and how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schedules.array.evaluate import ArrayEvaluation
from schedules.array.files import array_schedule_to_data
from schedules.array.schedule import ArraySchedule
from schedules.progress import gap_of
from solvers.methods import Ran


@dataclass(frozen=True, kw_only=True)
class ArrayResult(Ran):
    """What a method found.

    Attributes:
        network, array, batch: what was scheduled where.
        schedule: the best schedule found, None if none.
        evaluation: its costs, recomputed by the evaluator; None without a schedule.
    """

    network: str
    array: str
    batch: int
    schedule: ArraySchedule | None
    evaluation: ArrayEvaluation | None

    @property
    def objective(self) -> int | None:
        """Latency of the schedule, cycles."""
        return None if self.evaluation is None else self.evaluation.latency

    @property
    def gap(self) -> float | None:
        """(objective - bound) / objective; None unless both are known."""
        return gap_of(self.objective, self.bound)

    def to_data(self) -> dict[str, Any]:
        """The result as plain data: what `chipweave solve --array --json` prints."""
        found = self.evaluation
        return {
            "network": self.network,
            "array": self.array,
            "batch": self.batch,
            "method": self.method,
            "stop": self.stop,
            "objective": self.objective,
            "unit": "cycles",
            "bound": self.bound,
            "gap": self.gap,
            "throughput": None if found is None else self.batch / found.latency,
            "energy": None if found is None else found.energy,
            "schedule": None if self.schedule is None else array_schedule_to_data(self.schedule),
            **self.run_data(),
        }
