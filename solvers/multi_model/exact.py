"""The best schedule of several models, proved by a dynamic program (ours).

Three steps. `runs`: of each model, each interval of units and each set of chiplets, the runs that
no other one beats in cycles and energy. `windows`: models side by side on disjoint sets, folded
model by model. Here: windows one after the other, from the end to the beginning; a front for each
place in all models and each number of windows that may follow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import prod

import numpy as np

from heuristics.multi_model import scar, search
from heuristics.multi_model.bounds import lower_bound
from instances.tables import Ints
from schedules.progress import Stop
from schedules.windows.goal import WindowGoal
from schedules.windows.progress import WindowProgress
from schedules.windows.schedule import WindowSchedule
from solvers.multi_model.fronts import gather
from solvers.multi_model.runs import Caps, ExpiredError
from solvers.multi_model.solve import WindowOptions
from solvers.multi_model.windows import MOST_TURNS, Spans, Windows

Place = tuple[int, ...]
"""Of each model, the unit that comes next."""

MOST_WINDOWS = 2_000_000
"""Choices of units of all models, each of which may be a window."""

MOST_CHIPLETS, FEW_CHIPLETS = 9, 4
"""That exact takes, and with which a wide search would cost more than it saves."""

SEARCH_SECONDS, SEARCH_SHARE = 2.0, 0.2
"""For the search that comes first, and the most of the time limit that it takes."""


def exact(progress: WindowProgress, options: WindowOptions) -> Stop:
    """Offer the best schedule and prove it.

    Raises:
        ValueError: the workload is too large.
    """
    _check_size(progress)
    caps = _search_first(progress, options)
    if progress.proved:
        return "optimal"
    goal, leakage = progress.goal, progress.costs.package.leakage
    try:
        found = best(Windows(progress, caps=caps), leakage, goal)
        if goal.objective == "throughput" and goal.pipelined:
            found += _fastest_beat(Windows(progress, period=True, caps=caps))
    except ExpiredError:
        return "time-limit"
    if not found:
        return "infeasible"
    progress.raise_bound(min(progress.offer(schedule) for schedule in found))
    return "optimal"


def _search_first(progress: WindowProgress, options: WindowOptions) -> Caps:
    """Look for a good schedule; what a run of a better one can take at most."""
    goal, left = progress.goal, progress.remaining
    seconds = SEARCH_SECONDS if left is None else min(SEARCH_SECONDS, SEARCH_SHARE * left)
    first = WindowProgress(progress.costs, goal, seconds)
    look = scar if len(progress.costs.package.tiles) <= FEW_CHIPLETS else search
    look(first, options)
    if first.bound is not None:
        progress.raise_bound(first.bound)
    if first.best is None:
        return Caps()
    value = progress.offer(first.best)
    if goal.objective == "edp":
        # Their product is no more than the value, and either is at least its own bound.
        time = lower_bound(progress.costs, replace(goal, objective="latency"), seconds)
        energy = lower_bound(progress.costs, replace(goal, objective="energy"), seconds)
        return Caps(value // max(1, energy), value // max(1, time))
    return Caps(energy=value) if goal.objective == "energy" else Caps(time=value)


def _check_size(progress: WindowProgress) -> None:
    jobs, chiplets = progress.costs.workload.jobs, len(progress.costs.package.tiles)
    if chiplets > MOST_CHIPLETS:
        raise ValueError(
            f"exact is for up to {MOST_CHIPLETS} chiplets, the package has {chiplets}:"
            " take search, which has a bound, too"
        )
    windows = prod((job.units + 1) * (job.units + 2) // 2 for job in jobs)
    if windows > MOST_WINDOWS:
        raise ValueError(
            f"exact is for up to {MOST_WINDOWS:,} possible windows, the models have {windows:,}:"
            " make their units larger (blocks or stages), or take search, which has a bound, too"
        )
    if progress.goal.shared and len(jobs) > MOST_TURNS:
        raise ValueError(
            f"exact shares chiplets among up to {MOST_TURNS} models, there are {len(jobs)}:"
            " take cpsat"
        )


def _fastest_beat(windows: Windows) -> list[WindowSchedule]:
    """The schedule of one window with the shortest period; none if there is none."""
    windows.build(whole=True)
    node = windows.of(tuple((k, 0, units) for k, units in enumerate(windows.units)))
    if not len(node.fronts.time):
        return []
    return [WindowSchedule((windows.window(node, int(np.argmin(node.fronts.time))),))]


@dataclass(frozen=True)
class Rest:
    """The ways from a place to the end that no other one beats.

    Attributes:
        time, energy: [points] cycles, and picojoules without leakage.
        place: [points] number of the place after the next window.
        window: [points] that window's point; of the end, which has no window, it means nothing.
        rest: [points] the point of that place, with a window less.
    """

    time: Ints
    energy: Ints
    place: Ints
    window: Ints
    rest: Ints


Rests = dict[int, Rest]
"""By number of the place."""


def best(windows: Windows, leakage: int, goal: WindowGoal) -> list[WindowSchedule]:
    """The schedule with the least latency, energy or product; none if there is none.

    Args:
        windows: all that there may be.
        leakage: picojoules a cycle.
        goal: what is minimised; for throughput, the latency.

    Raises:
        ExpiredError: the time limit has passed.
    """
    windows.build()
    places = list(product(*(range(units + 1) for units in windows.units)))
    steps: list[Rests] = [{len(places) - 1: Rest(*np.zeros((5, 1), np.int64))}]
    for _ in range(goal.windows):
        steps.append(_with_one_more(windows, places, steps[-1]))
    whole = steps[-1].get(0)
    if whole is None:
        return []
    values = [
        _value(goal, t, e + leakage * t)
        for t, e in zip(whole.time.tolist(), whole.energy.tolist(), strict=True)
    ]
    return [_schedule(windows, places, steps, values.index(min(values)))]


def _value(goal: WindowGoal, latency: int, energy: int) -> int:
    if goal.objective == "energy":
        return energy
    return latency * energy if goal.objective == "edp" else latency


def _with_one_more(windows: Windows, places: list[Place], known: Rests) -> Rests:
    """The ways from each place with at most one window more than is known."""
    found: Rests = {len(places) - 1: known[len(places) - 1]}
    for at, place in enumerate(places[:-1]):
        windows.look_at_the_clock()
        ways = []
        for number, rest in known.items():
            spans = _spans(place, places[number])
            if spans:
                ways.append(_joined(windows, spans, number, rest))
        points = np.concatenate(ways, axis=1) if ways else np.zeros((5, 0), np.int64)
        if points.shape[1]:
            numbers = np.arange(points.shape[1])
            kept = gather(np.zeros_like(numbers), points[0], points[1], numbers, 1).left
            found[at] = Rest(*points[:, kept])
    return found


def _spans(place: Place, until: Place) -> Spans:
    """What runs between two places; nothing if one model would go back."""
    if any(a > b for a, b in zip(place, until, strict=True)):
        return ()
    return tuple((job, a, b) for job, (a, b) in enumerate(zip(place, until, strict=True)) if a < b)


def _joined(windows: Windows, spans: Spans, number: int, rest: Rest) -> Ints:
    """[5,points] fields of Rest: each window of some units before each way that follows."""
    fronts = windows.of(spans).fronts
    first, end = int(fronts.ends[-2]), int(fronts.ends[-1])
    own, later = np.indices((end - first, len(rest.time))).reshape(2, -1)
    own += first
    time, energy = fronts.time[own] + rest.time[later], fronts.energy[own] + rest.energy[later]
    return np.array([time, energy, np.full(len(own), number), own, later])


def _schedule(
    windows: Windows, places: list[Place], steps: list[Rests], point: int
) -> WindowSchedule:
    """The windows of a point of the first place."""
    found, at, left = [], 0, len(steps) - 1
    while places[at] != windows.units:
        rest = steps[left][at]
        number = int(rest.place[point])
        node = windows.of(_spans(places[at], places[number]))
        found.append(windows.window(node, int(rest.window[point])))
        at, point, left = number, int(rest.rest[point]), left - 1
    return WindowSchedule(tuple(found))
