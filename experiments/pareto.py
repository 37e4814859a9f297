"""The Pareto front of latency and energy, by epsilon constraint."""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from instances.instance import Instance
from schedules.evaluate import Evaluation, evaluate
from schedules.files import schedule_to_data
from schedules.goal import Goal, Objective, breaches
from schedules.parallel import OutOfTimeError
from schedules.progress import Stop, TracePoint
from schedules.schedule import Schedule
from solvers.exact import frontier
from solvers.result import goal_to_data
from solvers.solve import METHODS, solve

PROVING = tuple(name for name, method in METHODS.items() if method.goals == "any")
"""Methods that minimise any goal and prove what they find."""

Watch = Callable[[str], Callable[[TracePoint], None]]


@dataclass(frozen=True)
class Point:
    """One schedule of a front.

    Attributes:
        schedule, evaluation: what it is and what it costs.
        proved: whether no other schedule is as good in one and better in the other.
    """

    schedule: Schedule
    evaluation: Evaluation
    proved: bool


@dataclass(frozen=True)
class Front:
    """The schedules that trade latency for energy; none of them is worse than another in both.

    Attributes:
        instance: what was scheduled.
        method: the one that found the points.
        goal: the conditions that all of them obey; its objective plays no role.
        points: from the fastest to the most frugal.
        stop: 'optimal' if every point of the front is here, proved; 'finished' if all points that
            were asked for are, some perhaps not proved; 'infeasible' if there is none, proved;
            otherwise why the run ended before.
        runtime_s: wall time.
    """

    instance: Instance
    method: str
    goal: Goal
    points: tuple[Point, ...]
    stop: Stop
    runtime_s: float

    @property
    def lowest_edp(self) -> Point | None:
        """The point with the lowest energy-delay product; None without a point."""
        return min(self.points, key=lambda point: point.evaluation.edp, default=None)

    def to_data(self) -> dict[str, Any]:
        """The front as plain data."""
        return {
            "instance": self.instance.name,
            "batch": self.instance.batch,
            "method": self.method,
            "goal": goal_to_data(self.goal),
            "stop": self.stop,
            "runtime_s": self.runtime_s,
            "points": [
                {
                    "latency": point.evaluation.latency,
                    "energy": point.evaluation.energy,
                    "edp": point.evaluation.edp,
                    "throughput": point.evaluation.throughput,
                    "proved": point.proved,
                    "schedule": schedule_to_data(point.schedule),
                }
                for point in self.points
            ],
        }


def pareto(
    instance: Instance,
    method: str = "exact",
    goal: Goal | None = None,
    points: int | None = None,
    *,
    time_limit: float | None = None,
    watch: Watch | None = None,
    **arguments: Any,
) -> Front:
    """The Pareto front of latency and energy.

    Two runs find each point: the least energy under a cap on latency, then the least latency at
    that energy. The next cap is a cycle below the point, or the next of an evenly spaced grid.
    The exact method finds the whole front at once; only if half of the time does not suffice for
    that, or where tensors may be compressed, it goes on like the others.

    Args:
        method: one of PROVING.
        goal: conditions on every point.
        points: at most so many, spread over the latencies of the front; all by default.
        time_limit: wall seconds for everything.
        watch: called with the name of each run before it begins; returns its listener.
        arguments: what else `solve` takes.

    Returns:
        The front; after Ctrl-C or the time limit what there is of it.

    Raises:
        ValueError: a method that proves nothing, or fewer than 2 points.
    """
    if method not in PROVING:
        raise ValueError(f"method {method!r} proves no front: choose one of {', '.join(PROVING)}")
    if points is not None and points < 2:
        raise ValueError(f"{points} points: a front has two ends, so at least 2 are needed")
    if time_limit is not None and not time_limit > 0:
        raise ValueError(f"time limit {time_limit} is not a positive number of seconds")
    goal = Goal() if goal is None else goal
    goal.check(instance)
    search = _Search(instance, method, goal, points, time_limit, watch, arguments)
    at_once = method == "exact" and instance.compression is None
    stop = search.at_once() if at_once else None
    if stop is None:
        stop = search.run()
    return Front(instance, method, goal, _efficient(search.found), stop, search.seconds)


class _EndedError(Exception):
    """The search has to end before the front is finished."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop)
        self.stop = stop


class _Search:
    """The runs behind one front, under one clock.

    Attributes:
        found: the points so far, also such that a later one makes worthless.
    """

    def __init__(
        self,
        instance: Instance,
        method: str,
        goal: Goal,
        points: int | None,
        time_limit: float | None,
        watch: Watch | None,
        arguments: dict[str, Any],
    ) -> None:
        self.found: list[Point] = []
        self._instance, self._method, self._goal = instance, method, goal
        self._points, self._watch, self._arguments = points, watch, arguments
        self._time_limit = time_limit
        self._start = time.perf_counter()
        self._parts = 3  # of the time that is left; a run takes one: the ends matter most
        self._cut: Stop | None = None

    @property
    def seconds(self) -> float:
        """Since the search began."""
        return time.perf_counter() - self._start

    def at_once(self) -> Stop | None:
        """Find the whole front by the exact program, choose points; None if it takes too long."""
        try:
            # A first run refuses what `solve` refuses, and leaves a point if the rest is stopped.
            _, stop = self._run(replace(self._goal, objective="latency"))
            if stop != "optimal":
                return stop
            threads = self._arguments.get("workers") or os.cpu_count() or 1
            schedules = frontier(self._instance, self._goal, self._half(), threads)
        except _EndedError as ended:
            return ended.stop
        except KeyboardInterrupt:
            return "interrupted"
        except OutOfTimeError:
            return None
        whole = [Point(found, evaluate(self._instance, found), True) for found in schedules]
        self.found = self._chosen(whole)
        return "optimal" if len(self.found) == len(whole) else "finished"

    def _half(self) -> float | None:
        """Half of the time that is left."""
        return None if self._time_limit is None else (self._time_limit - self.seconds) / 2

    def _chosen(self, whole: list[Point]) -> list[Point]:
        """The points of the grid: below each of its caps the most frugal."""
        order = sorted(whole, key=lambda point: point.evaluation.latency)
        latencies = [point.evaluation.latency for point in order]
        chosen, place = [order[-1]], len(order) - 1
        while place > 0:
            cap = self._next_cap(latencies[place], latencies[0], latencies[-1])
            place = bisect_right(latencies, cap) - 1
            chosen.append(order[place])
        return chosen

    def run(self) -> Stop:
        """Find the points run by run; why the search ended."""
        try:
            fastest, frugal = self._point("latency"), self._point("energy")
            if fastest is None or frugal is None:
                return self._cut or "infeasible"
            self._between(fastest.evaluation.latency, frugal.evaluation.latency)
        except _EndedError as ended:
            return ended.stop
        return self._cut or ("optimal" if self._points is None else "finished")

    def _between(self, least: int, most: int) -> None:
        """Find the points between the two ends, from the frugal one on."""
        cap = self._next_cap(most, least, most)
        runs = 0 if self._points is None else 2 * (self._points - 2)
        while cap > least:
            self._parts, runs = max(1, runs), runs - 2
            point = self._point("energy", cap)
            if point is None:
                return
            # What is not proved says nothing about the caps below.
            reached = point.evaluation.latency if point.proved or self._points is None else cap
            cap = self._next_cap(reached, least, most)

    def _next_cap(self, latency: int, least: int, most: int) -> int:
        """The next cap below a point's latency: a cycle less, or the grid's next."""
        if self._points is None:
            return latency - 1
        if latency <= least:
            return least
        steps = self._points - 1
        # The last of the caps least + (most - least) * step // steps that is below the latency.
        step = min(((latency - least) * steps - 1) // (most - least), steps - 1)
        return least + (most - least) * step // steps

    def _point(self, first: Objective, latency_cap: int | None = None) -> Point | None:
        """Minimise one objective, then the other with the first one held; None: no schedule."""
        goal = replace(self._goal, objective=first)
        if latency_cap is not None:
            goal = replace(goal, latency_cap=latency_cap)
        one, stop = self._run(goal)
        if one is None or stop != "optimal":
            return one
        other: Objective = "latency" if first == "energy" else "energy"
        costs = one.evaluation
        held = replace(goal, objective=other, latency_cap=costs.latency, energy_cap=costs.energy)
        two, stop = self._run(held)
        if two is None or stop != "optimal":
            return two or one
        self.found.append(replace(two, proved=True))
        return self.found[-1]

    def _run(self, goal: Goal) -> tuple[Point | None, Stop]:
        """One run within the time that is left; what it finds is kept, not proved yet.

        Raises:
            _EndedError: no time or memory is left, or Ctrl-C.
        """
        seconds = None
        if self._time_limit is not None:
            seconds = (self._time_limit - self.seconds) / self._parts
            if seconds <= 0:
                raise _EndedError("time-limit")
        result = solve(
            self._instance,
            self._method,
            goal=goal,
            time_limit=seconds,
            listener=None if self._watch is None else self._watch(_task(goal)),
            **{**self._arguments, "start": self._start_for(goal)},
        )
        point = None
        if result.schedule is not None and result.evaluation is not None:
            point = Point(result.schedule, result.evaluation, False)
            self.found.append(point)
        if result.stop in ("interrupted", "memory-limit"):
            raise _EndedError(result.stop)
        if result.stop not in ("optimal", "infeasible"):
            self._cut = self._cut or result.stop
        return point, result.stop

    def _start_for(self, goal: Goal) -> bool | Schedule:
        """The best point so far that obeys the goal: few other schedules would under tight caps."""
        given: bool | Schedule = self._arguments.get("start", True)
        if given is False or METHODS[self._method].models is None:
            return given
        known = [
            point for point in self.found if not breaches(self._instance, point.schedule, goal)
        ]
        best = min(known, key=lambda point: goal.value(point.evaluation), default=None)
        return given if best is None else best.schedule


def _task(goal: Goal) -> str:
    if goal.latency_cap is None:
        return f"least {goal.objective}"
    return f"least {goal.objective} within {goal.latency_cap:,} cycles"


def _efficient(found: list[Point]) -> tuple[Point, ...]:
    """The points that no other one makes worthless, each cost once, from the fastest on."""
    order = sorted(
        found,
        key=lambda point: (point.evaluation.latency, point.evaluation.energy, not point.proved),
    )
    kept: list[Point] = []
    for point in order:
        if not kept or point.evaluation.energy < kept[-1].evaluation.energy:
            kept.append(point)
    return tuple(kept)
