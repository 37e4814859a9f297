"""Results: the answer of a run and how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schedules.evaluate import Evaluation
from schedules.files import schedule_to_data
from schedules.progress import Stop, TracePoint
from schedules.schedule import Schedule


@dataclass(frozen=True)
class Result:
    """What a method found.

    Attributes:
        instance, method: their names.
        stop: why the run ended; 'optimal' and 'infeasible' mean proved.
        schedule: the best schedule found, None if none.
        evaluation: its costs, recomputed by the evaluator; None without a schedule.
        bound: a valid lower bound on the latency in cycles, None if none is known.
        runtime_s: wall time, the building of cost tables and the loading of kernels not counted.
        trace: improvements of incumbent and bound over time.
        seed, workers, time_limit: as asked for.
        versions: of the packages that took part.
    """

    instance: str
    method: str
    stop: Stop
    schedule: Schedule | None
    evaluation: Evaluation | None
    bound: float | None
    runtime_s: float
    trace: tuple[TracePoint, ...]
    seed: int
    workers: int
    time_limit: float | None
    versions: dict[str, str]

    @property
    def objective(self) -> int | None:
        """Latency of the schedule in cycles."""
        return None if self.evaluation is None else self.evaluation.latency

    @property
    def gap(self) -> float | None:
        """(objective - bound) / objective; None unless both are known."""
        if self.objective is None or self.bound is None:
            return None
        return (self.objective - self.bound) / self.objective if self.objective else 0.0

    @property
    def throughput(self) -> float | None:
        """Samples a cycle."""
        return None if self.evaluation is None else self.evaluation.throughput

    def to_data(self) -> dict[str, Any]:
        """The result as plain data: what `chipweave solve --json` prints."""
        return {
            "instance": self.instance,
            "method": self.method,
            "stop": self.stop,
            "objective": self.objective,
            "bound": self.bound,
            "gap": self.gap,
            "runtime_s": self.runtime_s,
            "throughput": self.throughput,
            "energy": None if self.evaluation is None else self.evaluation.energy,
            "schedule": None if self.schedule is None else schedule_to_data(self.schedule),
            "trace": [[point.seconds, point.objective, point.bound] for point in self.trace],
            "seed": self.seed,
            "workers": self.workers,
            "time_limit": self.time_limit,
            "versions": self.versions,
        }
