"""Results: the answer of a run and how it came about."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from schedules.compressed import Compressed, compressed_to_data
from schedules.evaluate import Evaluation
from schedules.files import schedule_to_data
from schedules.goal import UNITS, Goal
from schedules.progress import gap_of
from schedules.schedule import Schedule
from solvers.methods import Ran

if TYPE_CHECKING:
    from heuristics.scope import Steps


@dataclass(frozen=True, kw_only=True)
class Result(Ran):
    """What a method found.

    Attributes:
        instance: its name; its cost tables count to the run time of the first method that needs
            them.
        goal: what was minimised, and under which conditions.
        schedule: the best schedule found, None if none.
        evaluation: its costs, recomputed by the evaluator; None without a schedule.
        compressed: what the schedule compresses; None where the instance allows no compression.
        formulation: of a method with models; None for the others.
        steps: of Scope's search, if they were asked for.
        gap_limit, memory_limit: as asked for.
    """

    instance: str
    goal: Goal
    schedule: Schedule | None
    evaluation: Evaluation | None
    compressed: Compressed | None
    formulation: str | None
    steps: Steps | None
    gap_limit: float | None
    memory_limit: int | None

    @property
    def objective(self) -> int | None:
        """The goal's value of the schedule, in `unit`."""
        return None if self.evaluation is None else self.goal.value(self.evaluation)

    @property
    def unit(self) -> str:
        """Of objective and bound: cycles, pJ, or their product."""
        return UNITS[self.goal.objective]

    @property
    def gap(self) -> float | None:
        """(objective - bound) / objective; None unless both are known."""
        return gap_of(self.objective, self.bound)

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
            "unit": self.unit,
            "bound": self.bound,
            "gap": self.gap,
            "goal": goal_to_data(self.goal),
            "throughput": self.throughput,
            "latency": None if self.evaluation is None else self.evaluation.latency,
            "energy": None if self.evaluation is None else self.evaluation.energy,
            "edp": None if self.evaluation is None else self.evaluation.edp,
            "schedule": None if self.schedule is None else schedule_to_data(self.schedule),
            **compressed_to_data(self.compressed),
            **self.run_data(),
            "formulation": self.formulation,
            "steps": None if self.steps is None else asdict(self.steps),
            "gap_limit": self.gap_limit,
            "memory_limit": self.memory_limit,
        }


def goal_to_data(goal: Goal) -> dict[str, Any]:
    """What the goal says; what it leaves free is left out."""
    return {**_given(asdict(goal)), "pins": [_given(asdict(pin)) for pin in goal.pins]}


def _given(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
