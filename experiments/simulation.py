"""Schedules simulated: how far the formula is from a run, and what contention takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.bars import Measure
from experiments.cases import Case, Watch
from instances.instance import Instance
from schedules.evaluate import evaluate
from schedules.place import mesh_of, with_places
from schedules.placed import placed_evaluation
from schedules.schedule import Schedule
from schedules.simulate import simulate
from schedules.verify import violations
from solvers.solve import solve

METHOD = "scope"
"""What makes the schedules."""

PACKAGES = ("simba-4x4", "simba-8x8", "datacentre-4x4")
MESHES = ("simba-4x4", "simba-6x6", "simba-8x8", "datacentre-2x2", "datacentre-4x4")
"""Packages of the two experiments."""

DIFFERENCE = 0.02
"""The most that the makespan without contention may be off the formula's latency."""

Place = Callable[[Instance, Schedule], Schedule]
"""Gives each region a place."""


@dataclass(frozen=True)
class Simulated:
    """A schedule by formula and as it ran.

    Attributes:
        case: the instance.
        latency: by formula, cycles.
        placed: by the formula with hops and links of the places; None without contention.
        floor: by formula without filling and draining pipelines: loads and a beat for each sample.
        makespan: of the run.
        high_water, capacity: most bytes in a buffer, and what it holds.
        error: why there is no run; all numbers are 0 then.
    """

    case: Case
    latency: int = 0
    placed: int | None = None
    floor: int = 0
    makespan: int = 0
    high_water: int = 0
    capacity: int = 0
    error: str = ""

    @property
    def difference(self) -> float | None:
        """The makespan over the latency, minus 1; what the formula promises too much."""
        return None if self.error else self.makespan / self.latency - 1

    def to_data(self) -> dict[str, Any]:
        """The run as plain data."""
        return {
            "network": self.case.network,
            "package": self.case.package,
            "batch": self.case.batch,
            "latency": self.latency,
            "placed": self.placed,
            "floor": self.floor,
            "makespan": self.makespan,
            "difference": self.difference,
            "high_water": self.high_water,
            "capacity": self.capacity,
            "error": self.error,
        }


def along_snake(instance: Instance, schedule: Schedule) -> Schedule:
    """The places that a schedule gets if nobody names any."""
    return with_places(schedule, mesh_of(instance))


def simulated(
    cases: Sequence[Case],
    *,
    contention: bool,
    place: Place = along_snake,
    watch: Watch | None = None,
) -> list[Simulated]:
    """A run of the schedule that METHOD finds for each case.

    Args:
        cases: instances.
        contention: whether the links of the mesh limit what passes over them.
        place: where the regions lie.
        watch: called with the name of each case before it begins.
    """
    found = []
    for case in cases:
        if watch is not None:
            watch(str(case))
        found.append(_simulated(case, contention, place))
    return found


def _simulated(case: Case, contention: bool, place: Place) -> Simulated:
    instance = case.instance()
    schedule = solve(instance, METHOD).schedule
    if schedule is None:
        return Simulated(case, error=f"{METHOD} found no schedule")
    schedule = place(instance, schedule)
    wrong = violations(instance, schedule)
    if wrong:
        return Simulated(case, error=wrong[0])
    costs = evaluate(instance, schedule)
    run = simulate(instance, schedule, contention)
    return Simulated(
        case,
        costs.latency,
        placed_evaluation(instance, schedule).latency if contention else None,
        sum(own.load + instance.batch * own.beat for own in costs.segments),
        run.makespan,
        max(run.high_water.values()),
        instance.capacity,
    )


def simulation_measures(runs: Sequence[Simulated]) -> list[Measure]:
    """What has to hold of runs without contention."""
    done = [run for run in runs if not run.error]
    count = f"{len(done)} of {len(runs)} instances"
    off = [(abs(run.difference or 0.0), run) for run in done]
    worst = max(off, key=lambda pair: pair[0], default=None)
    fast = [run for run in done if run.makespan < run.floor]
    over = [run for run in done if run.high_water > run.capacity]
    return [
        Measure(
            "makespan against latency, worst",
            None if worst is None else worst[0],
            DIFFERENCE,
            "share",
            count if worst is None else f"{worst[1].case}; {count}",
        ),
        Measure("runs faster than their beats", len(fast), 0, "", _names(fast)),
        Measure("buffers that held more than they can", len(over), 0, "", _names(over)),
    ]


def _names(runs: Sequence[Simulated]) -> str:
    return "; ".join(str(run.case) for run in runs)
