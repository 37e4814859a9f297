"""SCAR's third step: the ways to cut a model's units into stages that are worth placing."""

from __future__ import annotations

from collections.abc import Callable
from heapq import nsmallest

import numpy as np

from instances.cost.jobs import Floats

Cuts = tuple[int, ...]
"""First unit of each stage, and the one after the last."""

Segment = Callable[[Floats, int, int], list[Cuts]]
"""(expected cycles of units, most stages, how many ways) -> ways to cut, the most promising first.

The way without a cut is among them, so that there always is one that fits."""


def balanced(units: Floats, stages: int, ways: int) -> list[Cuts]:
    """The top ways to cut *(SCAR)*: those with the fastest slowest stage, expected (ours).

    Of all numbers of stages up to the most. Of equals, the one with fewer stages comes first. A
    dynamic program keeps the best ways to end each stage at each unit.
    """
    count = len(units)
    ends = [0.0, *np.cumsum(units).tolist()]
    reached: list[list[tuple[float, Cuts]]] = [[(0.0, (0,))], *([] for _ in range(count))]
    found: list[tuple[float, Cuts]] = []
    for _ in range(min(stages, count)):
        after: list[list[tuple[float, Cuts]]] = [[]]
        for end in range(1, count + 1):
            each = [
                (max(slowest, ends[end] - ends[begin]), (*cuts, end))
                for begin in range(end)
                for slowest, cuts in reached[begin]
            ]
            after.append(nsmallest(ways, each))
        reached = after
        found += reached[count]
    best = sorted(found, key=lambda own: (own[0], len(own[1]), own[1]))[:ways]
    return _with_whole([cuts for _, cuts in best], count)


def even_units(units: Floats, stages: int, ways: int) -> list[Cuts]:
    """As many units in each stage, for the largest numbers of stages (ours)."""
    count = len(units)
    most = min(stages, count)
    found = [
        tuple(round(count * k / parts) for k in range(parts + 1))
        for parts in range(most, max(0, most - ways), -1)
    ]
    return _with_whole(found, count)


def _with_whole(found: list[Cuts], count: int) -> list[Cuts]:
    whole = (0, count)
    return found if whole in found else [*found, whole]
