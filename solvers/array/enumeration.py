"""The best of all schedules on an array: everything is tried. For very small arrays."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product

from schedules.array.evaluate import beat_of
from schedules.array.patterns import patterns
from schedules.array.progress import ArrayProgress
from schedules.array.schedule import ArraySchedule, ArraySegment
from schedules.progress import Stop
from solvers.array.solve import ArrayOptions

Found = tuple[int, ArraySegment] | None
"""Cycles, and a segment that takes them."""


def enumerate_array(progress: ArrayProgress, options: ArrayOptions) -> Stop:
    """Offer the best of all schedules; nothing before all are known."""
    costs = progress.costs
    of = cache(lambda first, last: best_segment(progress, first, last))
    best: tuple[int, tuple[ArraySegment, ...]] | None = None
    try:
        for ends in _ends(costs.layers):
            firsts = (0, *(last + 1 for last in ends[:-1]))
            found = [of(a, b) for a, b in zip(firsts, ends, strict=True)]
            if all(found):
                cycles = sum(own[0] for own in found if own)
                if best is None or cycles < best[0]:
                    best = cycles, tuple(own[1] for own in found if own)
    except TimeoutError:
        return "time-limit"
    assert best is not None, "a layer by itself always has a schedule"
    progress.raise_bound(progress.offer(ArraySchedule(best[1])))
    return "optimal"


def _ends(layers: int) -> Iterator[tuple[int, ...]]:
    """All ways to cut layers into segments: the last layer of each."""
    for cut in product((False, True), repeat=layers - 1):
        yield (*(k for k, here in enumerate(cut) if here), layers - 1)


def best_segment(progress: ArrayProgress, first: int, last: int) -> Found:
    """The best of all ways to run layers as one segment, None if there is none.

    Raises:
        TimeoutError: the time limit has passed.
    """
    costs, depth = progress.costs, last - first + 1
    best: Found = None
    if depth > costs.array.depth:
        return None
    for tiling, tiles in costs.tile_counts(first, last):
        work = costs.segment(first, last, tiling, tiles)
        if not work.fits:
            continue
        for pattern in patterns(costs.array, depth):
            if progress.expired:
                raise TimeoutError
            sizes = [
                _sizes(pattern.grid[k], pattern.units[1 - k], pattern.cell[1 - k]) for k in (0, 1)
            ]
            if depth == 1:
                sizes = [[(pattern.cell[1],)], [(pattern.cell[0],)]]
            for heights, widths in product(*sizes):
                layout = pattern.layout(heights, widths)
                segment = ArraySegment(first, last, tiling, tiles, layout)
                cycles = work.beats * beat_of(costs.array, work, layout).cycles
                if best is None or cycles < best[0]:
                    best = cycles, segment
    return best


def _sizes(parts: int, unit: int, room: int) -> list[tuple[int, ...]]:
    """All multiples of a unit for so many parts that together have room."""
    if not parts:
        return [()]
    return [
        (size, *rest)
        for size in range(unit, room - unit * (parts - 1) + 1, unit)
        for rest in _sizes(parts - 1, unit, room - size)
    ]
