"""What each link of an array carries, counted byte by byte along its way; it knows no formula.

Every PE of a producer's block holds an equal share of what is handed on, every PE of the
consumer's block gets an equal share. Along rows, and along columns, shares are matched in order:
the first part of the one side goes to the first part of the other. Where express links are used,
PEs are matched only with PEs at the same place modulo the length of these links. A share goes
along its row first, then along its column, over an express link wherever its layout says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from instances.array import Array
from instances.cost.array import Flow
from schedules.array.schedule import Layout

Pe = tuple[int, int]
"""Column and row."""

Link = tuple[Pe, Pe]
"""From one PE to another."""

Span = tuple[int, int]
"""First column or row, and how many."""


def blocks(array: Array, layout: Layout, depth: int) -> list[list[tuple[Span, Span]]]:
    """For each cell, the columns and rows of each layer's block."""
    wide = array.mesh[0] // layout.repeats[0]
    high = array.mesh[1] // layout.repeats[1]
    lefts = [sum(layout.widths[:k]) for k in range(len(layout.widths))]
    tops = [sum(layout.heights[:k]) for k in range(len(layout.heights))]
    return [
        [
            (
                (x * wide + lefts[column], layout.widths[column]),
                (y * high + tops[band], layout.heights[band]),
            )
            for band, column in layout.places(depth)
        ]
        for y in range(layout.repeats[1])
        for x in range(layout.repeats[0])
    ]


def link_loads(
    array: Array, flows: Sequence[Flow], layout: Layout, depth: int
) -> dict[Link, Fraction]:
    """Bytes of a tile on every link that carries any."""
    loads: Counter[Link] = Counter()
    steps = [array.express if used else 1 for used in layout.express]
    for cell in blocks(array, layout, depth):
        for flow in flows:
            (xs, ys), (to_xs, to_ys) = cell[flow.producer], cell[flow.consumer]
            share = Fraction(flow.size, layout.cells)
            for x, to_x, part in matched(xs, to_xs, steps[0]):
                for y, to_y, other in matched(ys, to_ys, steps[1]):
                    for link in way((x, y), (to_x, to_y), steps):
                        loads[link] += share * part * other  # type: ignore[assignment]
    return dict(loads)  # type: ignore[arg-type]


def matched(one: Span, other: Span, lanes: int) -> Iterator[tuple[int, int, Fraction]]:
    """Which columns (rows) of two blocks are matched, and what share of all goes between them."""
    for lane in range(lanes):
        a = [x for x in range(one[0], sum(one)) if x % lanes == lane]
        b = [x for x in range(other[0], sum(other)) if x % lanes == lane]
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                begin = max(Fraction(i, len(a)), Fraction(j, len(b)))
                end = min(Fraction(i + 1, len(a)), Fraction(j + 1, len(b)))
                if begin < end:
                    yield x, y, (end - begin) / lanes


def way(start: Pe, end: Pe, steps: Sequence[int]) -> Iterator[Link]:
    """Links from one PE to another: along the row first, by steps of these lengths."""
    here = list(start)
    for axis in (0, 1):
        while here[axis] != end[axis]:
            before = (here[0], here[1])
            here[axis] += steps[axis] if here[axis] < end[axis] else -steps[axis]
            yield before, (here[0], here[1])
