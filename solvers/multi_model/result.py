"""The answer for a workload, and how it came about."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from schedules.progress import gap_of
from schedules.windows.evaluate import WindowEvaluation
from schedules.windows.files import windows_to_data
from schedules.windows.goal import UNITS, WindowGoal
from schedules.windows.schedule import WindowSchedule
from solvers.methods import Ran


@dataclass(frozen=True, kw_only=True)
class WindowResult(Ran):
    """What a method found.

    Attributes:
        workload: its name.
        goal: what was minimised, and what a schedule was allowed.
        schedule: the best schedule found, None if none.
        evaluation: its costs, recomputed by the evaluator; None without a schedule.
    """

    workload: str
    goal: WindowGoal
    schedule: WindowSchedule | None
    evaluation: WindowEvaluation | None

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
        return gap_of(self.objective, self.bound)

    def to_data(self) -> dict[str, Any]:
        """The result as plain data: what `chipweave solve --models --json` prints."""
        found = self.evaluation
        return {
            "workload": self.workload,
            "method": self.method,
            "stop": self.stop,
            "objective": self.objective,
            "unit": self.unit,
            "bound": self.bound,
            "gap": self.gap,
            "goal": asdict(self.goal),
            "throughput": None if found is None else 1 / found.period,
            "latency": None if found is None else found.latency,
            "period": None if found is None else found.period,
            "energy": None if found is None else found.energy,
            "edp": None if found is None else found.edp,
            "schedule": None if self.schedule is None else windows_to_data(self.schedule),
            **self.run_data(),
        }
