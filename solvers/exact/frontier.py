"""The exact program where energy counts: what is undominated in time and energy, the best of it.

Undominated are kept: the option choices of a cluster (solvers.exact.choices), the clusters and
regions of a segment (solvers.exact.trade), and the segments of a path (solvers.exact.bicriteria).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from instances.instance import Instance
from instances.tables import LIMIT
from schedules.evaluate import evaluate
from schedules.goal import Goal
from schedules.parallel import OutOfTimeError
from schedules.progress import Progress, Stop
from schedules.schedule import Schedule
from solvers.exact.bicriteria import Search
from solvers.exact.labels import FAR
from solvers.exact.trade import Horizon

VALUES: dict[str, Callable[[int, int], int]] = {
    "latency": lambda time, energy: time,
    "energy": lambda time, energy: energy,
    "edp": lambda time, energy: time * energy,
}
"""Objective by cycles and picojoules; none falls when one of them rises."""


def best_of_front(instance: Instance, progress: Progress, workers: int) -> Stop:
    """Prove the best schedule where energy is the objective, part of it, or capped.

    Raises:
        ValueError: the instance is too large.
    """
    value = VALUES[progress.goal.objective]

    def report(time: int, energy: int) -> None:
        least, incumbent = value(time, energy), progress.objective
        progress.raise_bound(least if incumbent is None else min(least, incumbent))

    try:
        search = Search(instance, progress, lambda: _better(progress), report, workers)
        search.run()
    except OutOfTimeError:
        return "time-limit"
    values = [value(time, energy) for time, energy in search.costs]
    if values:
        progress.offer(search.schedule(values.index(min(values))))
    if progress.objective is None:
        return "infeasible"
    progress.raise_bound(progress.objective)
    return "optimal"


def frontier(
    instance: Instance, goal: Goal, time_limit: float | None = None, workers: int = 1
) -> list[Schedule]:
    """The schedules of the Pareto front of latency and energy, one a point, the fastest first.

    All obey the goal's conditions; its objective plays no role.

    Raises:
        ValueError: the instance is too large.
        OutOfTimeError: the time limit passed before the front was complete.
    """
    progress = _Gathering(instance, time_limit, goal)
    search = Search(instance, progress, lambda: _beyond(progress), lambda *_: None, workers)
    search.run()
    for place, cost in enumerate(search.costs):
        progress.points[cost] = search.schedule(place)
    return list(progress.front().values())


class _Gathering(Progress):
    """Keeps every schedule that is offered.

    Attributes:
        points: schedules by cycles and picojoules.
    """

    def __init__(self, instance: Instance, time_limit: float | None, goal: Goal) -> None:
        super().__init__(instance, time_limit, goal=goal)
        self.points: dict[tuple[int, int], Schedule] = {}

    def offer(self, schedule: Schedule) -> int:
        """Verify a schedule and keep it."""
        value = super().offer(schedule)
        costs = evaluate(self.instance, schedule)
        self.points[costs.latency, costs.energy] = schedule
        return value

    def front(self) -> dict[tuple[int, int], Schedule]:
        """The undominated of the points, the fastest first."""
        undominated: dict[tuple[int, int], Schedule] = {}
        least = FAR
        for (time, energy), schedule in sorted(self.points.items(), key=lambda item: item[0]):
            if energy < least:
                undominated[time, energy] = schedule
                least = energy
        return undominated


def _capped(goal: Goal) -> Horizon:
    """Below the caps."""
    latency, energy = (
        LIMIT if cap is None else min(cap, LIMIT) for cap in (goal.latency_cap, goal.energy_cap)
    )
    nothing = np.empty(0, dtype=np.int64)
    return Horizon(latency, energy, math.inf, nothing, nothing)


def _better(progress: Progress) -> Horizon:
    """Below the caps and better than the incumbent."""
    horizon, incumbent = _capped(progress.goal), progress.objective
    if incumbent is None:
        return horizon
    most = incumbent - 1
    if progress.goal.objective == "latency":
        return horizon._replace(latency=min(most, horizon.latency))
    if progress.goal.objective == "energy":
        return horizon._replace(energy=min(most, horizon.energy))
    return horizon._replace(product=float(most) * (1 + 1e-12))


def _beyond(progress: _Gathering) -> Horizon:
    """Below the caps and not dominated by a known schedule."""
    known = np.array(list(progress.front()), dtype=np.int64).reshape(-1, 2)
    times, energies = np.ascontiguousarray(known.T)
    return _capped(progress.goal)._replace(times=times, energies=energies)
