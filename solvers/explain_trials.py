"""Solves of variants of an infeasible instance: is it possible so, and how little would do?"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from instances.instance import Instance
from instances.tables import Ints
from schedules.evaluate import cluster_memory
from schedules.goal import Goal, Objective, Pin
from schedules.schedule import Schedule
from solvers.explain_conditions import Condition, Kind, under
from solvers.result import Result
from solvers.solve import solve

METHODS = (("exact", None), ("cpsat", "compact"))
"""Methods and formulations that prove; the next one takes over where one refuses."""


class UnsettledError(Exception):
    """The time limit came before a proof, or no method takes the instance.

    Attributes:
        enough: a limit with which there is a schedule, if one is known; perhaps not the least.
    """

    def __init__(self, enough: int | None = None) -> None:
        super().__init__(enough)
        self.enough = enough


class Budget:
    """What all trials together may take: seconds of wall time, and threads."""

    def __init__(self, seconds: float, workers: int | None) -> None:
        self.workers = workers
        self._end = time.perf_counter() + seconds

    @property
    def left(self) -> float:
        """Seconds.

        Raises:
            UnsettledError: there are none.
        """
        left = self._end - time.perf_counter()
        if left <= 0:
            raise UnsettledError
        return left


class Trials:
    """Variants of one instance and goal, solved by the exact program where it takes them."""

    def __init__(self, instance: Instance, goal: Goal, budget: Budget) -> None:
        self._instance, self._goal, self._budget = instance, goal, budget

    def impossible(self, conditions: Collection[Condition]) -> bool:
        """Whether it is proved that no schedule meets the conditions."""
        try:
            return self._schedule(*under(self._instance, self._goal, conditions)) is None
        except UnsettledError:
            return False

    def possible(self) -> bool:
        """Whether there is a schedule.

        Raises:
            UnsettledError: the time did not suffice.
        """
        return self._schedule(self._instance, self._goal) is not None

    def least(self, what: Condition) -> int | None:
        """The least limit with which there is a schedule, all else held; None if there is none.

        Args:
            what: any condition but a pin.

        Raises:
            UnsettledError: the time did not suffice.
        """
        if what.kind == "buffer":
            return self._least_buffer()
        if what.kind == "latency_cap":
            return self._least_cost("latency", latency_cap=None)
        if what.kind == "energy_cap":
            return self._least_cost("energy", energy_cap=None)
        return self._least_limit(what.kind)

    def does_without(self, pin: Pin) -> bool:
        """Whether there is a schedule without a pin, all else held.

        Raises:
            UnsettledError: the time did not suffice.
        """
        pins = tuple(other for other in self._goal.pins if other != pin)
        return self._schedule(self._instance, replace(self._goal, pins=pins)) is not None

    def _least_cost(self, objective: Objective, **no_cap: Any) -> int | None:
        result = self._solve(self._instance, replace(self._goal, objective=objective, **no_cap))
        if result.stop not in ("optimal", "infeasible"):
            raise UnsettledError(result.objective)
        return result.objective

    def _least_limit(self, kind: Kind) -> int | None:
        def used(schedule: Schedule) -> int:
            segments = schedule.segments
            if kind == "segments":
                return len(segments)
            if kind == "clusters":
                return max(len(segment.clusters) for segment in segments)
            return max(sum(cluster.chiplets for cluster in s.clusters) for s in segments)

        def attempt(limit: int | None) -> int | None:
            changed: dict[str, Any] = {kind: limit}
            schedule = self._schedule(self._instance, replace(self._goal, **changed))
            return None if schedule is None else used(schedule)

        limit: int = getattr(self._goal, kind)
        return _least(limit + 1, attempt)

    def _least_buffer(self) -> int | None:
        tables = self._instance.tables
        everything = _sum(tables.resident) + _sum(tables.working)
        everything += sum(_sum(skip.hold) for skip in tables.skips)

        def attempt(limit: int | None) -> int | None:
            capacity = max(tables.capacity, everything) if limit is None else limit
            instance = replace(self._instance, tables=replace(tables, capacity=capacity))
            schedule = self._schedule(instance, self._goal)
            if schedule is None:
                return None
            stages = [c for s in schedule.segments if not s.tiled for c in s.clusters]
            return max((cluster_memory(tables, stage) for stage in stages), default=0)

        return _least(tables.capacity + 1, attempt)

    def _schedule(self, instance: Instance, goal: Goal) -> Schedule | None:
        """Any schedule; None if it is proved that there is none."""
        only_energy = goal.energy_cap is not None and goal.latency_cap is None
        goal = replace(goal, objective="energy" if only_energy else "latency")
        result = self._solve(instance, goal)
        if result.schedule is None and result.stop != "infeasible":
            raise UnsettledError
        return result.schedule

    def _solve(self, instance: Instance, goal: Goal) -> Result:
        for method, formulation in METHODS:
            left, workers = self._budget.left, self._budget.workers
            try:
                result = solve(
                    instance,
                    method,
                    goal=goal,
                    formulation=formulation,
                    time_limit=left,
                    workers=workers,
                )
            except ValueError:
                continue  # the instance is too large for the method
            if result.stop == "interrupted":
                raise KeyboardInterrupt
            return result
        raise UnsettledError


def _least(low: int, attempt: Callable[[int | None], int | None]) -> int | None:
    """The least number, from `low` on, with which an attempt succeeds; None if none does.

    Args:
        attempt: tells what a schedule within a limit uses, None if there is none; within no limit
            if called with None.

    Raises:
        UnsettledError: an attempt does.
    """
    high = attempt(None)
    if high is None:
        return None
    while low < high:
        middle = (low + high) // 2
        try:
            used = attempt(middle)
        except UnsettledError as error:
            raise UnsettledError(high) from error
        if used is None:
            low = middle + 1
        else:
            high = used
    return high


def _sum(table: Ints) -> int:
    return sum(table.ravel().tolist())
