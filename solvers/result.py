"""Results: the answer of a run and how it came about."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from schedules.evaluate import Evaluation
from schedules.files import schedule_to_data
from schedules.goal import UNITS, Goal
from schedules.progress import Stop, TracePoint
from schedules.schedule import Schedule

if TYPE_CHECKING:
    from heuristics.scope import Steps


@dataclass(frozen=True)
class Result:
    """What a method found.

    Attributes:
        instance, method: their names.
        goal: what was minimised, and under which conditions.
        stop: why the run ended; 'optimal' and 'infeasible' mean proved.
        schedule: the best schedule found, None if none.
        evaluation: its costs, recomputed by the evaluator; None without a schedule.
        bound: a valid lower bound on the objective, None if none is known.
        runtime_s: wall time, the loading of kernels not counted; the cost tables of a network are
            counted by the first method that needs them.
        trace: improvements of incumbent and bound over time.
        counts: how often the method did what, by name; empty if it does not count.
        formulation, engine: of a method with models; None for the others.
        steps: of Scope's search, if they were asked for.
        seed, workers, time_limit, gap_limit, memory_limit: as asked for; workers as used.
        versions: of the packages that took part, and of the engine.
    """

    instance: str
    method: str
    goal: Goal
    stop: Stop
    schedule: Schedule | None
    evaluation: Evaluation | None
    bound: float | None
    runtime_s: float
    trace: tuple[TracePoint, ...]
    counts: dict[str, int]
    formulation: str | None
    engine: str | None
    steps: Steps | None
    seed: int
    workers: int
    time_limit: float | None
    gap_limit: float | None
    memory_limit: int | None
    versions: dict[str, str]

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
            "goal": goal_to_data(self.goal),
            "stop": self.stop,
            "objective": self.objective,
            "unit": self.unit,
            "bound": self.bound,
            "gap": self.gap,
            "runtime_s": self.runtime_s,
            "throughput": self.throughput,
            "latency": None if self.evaluation is None else self.evaluation.latency,
            "energy": None if self.evaluation is None else self.evaluation.energy,
            "edp": None if self.evaluation is None else self.evaluation.edp,
            "schedule": None if self.schedule is None else schedule_to_data(self.schedule),
            "trace": [[point.seconds, point.objective, point.bound] for point in self.trace],
            "counts": self.counts,
            "formulation": self.formulation,
            "engine": self.engine,
            "steps": None if self.steps is None else asdict(self.steps),
            "seed": self.seed,
            "workers": self.workers,
            "time_limit": self.time_limit,
            "gap_limit": self.gap_limit,
            "memory_limit": self.memory_limit,
            "versions": self.versions,
        }


def goal_to_data(goal: Goal) -> dict[str, Any]:
    """What the goal says; what it leaves free is left out."""
    return {**_given(asdict(goal)), "pins": [_given(asdict(pin)) for pin in goal.pins]}


def _given(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
