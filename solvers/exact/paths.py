"""Shortest paths over segments."""

from __future__ import annotations

import numpy as np

from instances.jit import compiled
from instances.tables import Ints
from solvers.exact.labels import FAR


@compiled
def shortest_paths(costs: Ints) -> tuple[Ints, Ints, Ints]:
    """The cheapest chains of segments; FAR where there is none.

    Returns:
        reach: [L+1] the least cost of all layers before each one.
        onward: [L+1] the least cost of all layers from each one on.
        starts: [L] where the last segment of the cheapest chain up to each layer begins, or -1.
    """
    count = costs.shape[0]
    reach = np.full(count + 1, FAR, dtype=np.int64)
    onward = np.full(count + 1, FAR, dtype=np.int64)
    starts = np.full(count, -1, dtype=np.int64)
    reach[0] = onward[count] = 0
    for last in range(count):
        for first in range(last + 1):
            if reach[first] < FAR and costs[first, last] < FAR:
                total = reach[first] + costs[first, last]
                if total < reach[last + 1]:
                    reach[last + 1] = total
                    starts[last] = first
    for first in range(count - 1, -1, -1):
        for last in range(first, count):
            if onward[last + 1] < FAR and costs[first, last] < FAR:
                onward[first] = min(onward[first], costs[first, last] + onward[last + 1])
    return reach, onward, starts


@compiled
def shortest_within(costs: Ints, most: int) -> tuple[int, Ints]:
    """The cheapest chain of at most `most` segments from the first layer to the last.

    Returns (cost, [n, 2] first and last layers); (FAR, empty) if there is none.
    """
    count = costs.shape[0]
    reach = np.full((most + 1, count + 1), FAR, dtype=np.int64)
    starts = np.full((most + 1, count + 1), -1, dtype=np.int64)
    reach[0, 0] = 0
    for used in range(1, most + 1):
        for last in range(count):
            for first in range(last + 1):
                before = reach[used - 1, first]
                if before < FAR and costs[first, last] < FAR:
                    total = before + costs[first, last]
                    if total < reach[used, last + 1]:
                        reach[used, last + 1] = total
                        starts[used, last + 1] = first
    used, end = int(np.argmin(reach[:, count])), count
    if reach[used, count] >= FAR:
        return FAR, np.empty((0, 2), dtype=np.int64)
    length = int(reach[used, count])
    path = np.empty((used, 2), dtype=np.int64)
    for place in range(used - 1, -1, -1):
        path[place, 0], path[place, 1] = starts[place + 1, end], end - 1
        end = starts[place + 1, end]
    return length, path


def path_of(starts: Ints) -> list[tuple[int, int]]:
    """The path as (first, last) pairs in order; empty if there is none."""
    path: list[tuple[int, int]] = []
    last = len(starts) - 1
    while last >= 0:
        first = int(starts[last])
        if first < 0:
            return []
        path.append((first, last))
        last = first - 1
    return path[::-1]
