"""The answer for a workload, and how it came about."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from schedules.progress import Stop, TracePoint
from schedules.windows.evaluate import WindowEvaluation
from schedules.windows.files import windows_to_data
from schedules.windows.goal import UNITS, WindowGoal
from schedules.windows.schedule import WindowSchedule


@dataclass(frozen=True)
class WindowResult:
    """What a method found.

    Attributes:
        workload, method: their names.
        goal: what was minimised, and what a schedule was allowed.
        stop: why the run ended; 'optimal' and 'infeasible' mean proved.
        schedule: the best schedule found, None if none.
        evaluation: its costs, recomputed by the evaluator; None without a schedule.
        bound: a valid lower bound on the objective, None if none is known.
        runtime_s: wall time, the loading of kernels not counted.
        trace: improvements of incumbent and bound over time.
        counts: how often the method did what, by name; empty if it does not count.
        engine: of a method with models; None for the others.
        seed, workers, time_limit: as asked for; workers as used.
        versions: of the packages that took part, and of the engine.
    """

    workload: str
    method: str
    goal: WindowGoal
    stop: Stop
    schedule: WindowSchedule | None
    evaluation: WindowEvaluation | None
    bound: float | None
    runtime_s: float
    trace: tuple[TracePoint, ...]
    counts: dict[str, int]
    engine: str | None
    seed: int
    workers: int
    time_limit: float | None
    versions: dict[str, str]

    @property
    def objective(self) -> int | None:
        """The goal's value of the schedule, in `unit`."""
        return None if self.evaluation is None else self.goal.value(self.evaluation)

    @property
    def unit(self) -> str:
        """Of objective and bound."""
        return UNITS[self.goal.objective]

    @property
    def gap(self) -> float | None:
        """(objective - bound) / objective; None unless both are known."""
        if self.objective is None or self.bound is None:
            return None
        return (self.objective - self.bound) / self.objective if self.objective else 0.0

    def to_data(self) -> dict[str, Any]:
        """The result as plain data: what `chipweave solve --models --json` prints."""
        found = self.evaluation
        return {
            "workload": self.workload,
            "method": self.method,
            "goal": asdict(self.goal),
            "stop": self.stop,
            "objective": self.objective,
            "unit": self.unit,
            "bound": self.bound,
            "gap": self.gap,
            "runtime_s": self.runtime_s,
            "throughput": None if found is None else 1 / found.period,
            "latency": None if found is None else found.latency,
            "period": None if found is None else found.period,
            "energy": None if found is None else found.energy,
            "edp": None if found is None else found.edp,
            "schedule": None if self.schedule is None else windows_to_data(self.schedule),
            "trace": [[point.seconds, point.objective, point.bound] for point in self.trace],
            "counts": self.counts,
            "engine": self.engine,
            "seed": self.seed,
            "workers": self.workers,
            "time_limit": self.time_limit,
            "versions": self.versions,
        }
