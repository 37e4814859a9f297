"""How short a beat can be, from a relaxation *(ours)*.

For a beat that is asked for, each layer tells how many PEs its block needs, how wide it must be in
the highest band that can be, and how high in the widest column. Where blocks have grown by this,
others have less room, and need more: it goes on until nothing changes. Also, the blocks of a band
lie side by side, so they need the band's height times the width of the cell together; likewise
those of a column. If all that has no room, no layout meets the beat; if it has, there may be none.
The least beat that is not ruled out, found by bisection, is a bound. Of a pattern with one band it
is the least beat, as the widths that are left are a layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from instances.array import Array
from instances.cost.array import SegmentWork
from instances.cost.rates import over
from instances.jit import compiled, lean
from schedules.array.links import crossings
from schedules.array.patterns import Pattern, patterns
from schedules.array.schedule import Layout

Ints = NDArray[np.int64]

FAR = 2**62
"""More than any beat or size."""


@dataclass(frozen=True)
class Priced:
    """A pattern in which a segment may be worth while.

    Attributes:
        pattern: of its layout.
        bound: no beat is shorter.
        layout: with this beat; None unless there is one band.
    """

    pattern: Pattern
    bound: int
    layout: Layout | None


def price(array: Array, work: SegmentWork, low: int, most: int) -> list[Priced]:
    """All patterns of a segment whose beat may be at most `most`.

    Args:
        array: where it is.
        work: of the segment.
        low: no beat is shorter.
        most: longer ones are of no use.
    """
    allowed = patterns(array, work.depth)
    if low > most or not allowed:
        return []
    lines, grids = _lines(array, work.depth)
    across = np.zeros((len(grids), 2 * work.depth), dtype=np.int64)
    for n, (bands, columns) in enumerate(grids):
        shape = Layout((1,) * bands, (1,) * columns)
        loads = crossings(work.flows, shape, work.depth)
        across[n, : bands + columns] = (*loads.bands, *loads.columns)
    bounds, widths = _least_beats(
        *work.arrays(), across, lines, _constants(array), np.array([max(1, low), most])
    )
    return [
        Priced(allowed[n], int(bounds[n]), _one_band(allowed[n], widths[n]))
        for n in np.flatnonzero(bounds <= most).tolist()
    ]


def _one_band(pattern: Pattern, widths: Ints) -> Layout | None:
    """The layout with these widths; None if there are several bands."""
    bands, columns = pattern.grid
    if bands > 1:
        return None
    return pattern.layout(pattern.cell[1:], tuple(widths[:columns].tolist()))


@cache
def _lines(array: Array, depth: int) -> tuple[Ints, list[tuple[int, int]]]:
    """A line for each pattern: grid, repeats, cell, units of sizes, lanes, number of its grid."""
    allowed = patterns(array, depth)
    grids = sorted({own.grid for own in allowed})
    lines = []
    for own in allowed:
        wide = own.cell[0] if depth == 1 else own.units[0]
        high = own.cell[1] if own.grid[0] == 1 else own.units[1]
        lanes = own.units
        lines.append(
            (*own.grid, *own.repeats, *own.cell, wide, high, *lanes, grids.index(own.grid))
        )
    return np.array(lines, dtype=np.int64).reshape(-1, 11), grids


@cache
def _constants(array: Array) -> Ints:
    return np.array([array.register_bytes, array.bus_bytes, array.link_bytes], dtype=np.int64)


@compiled
def _least_beats(
    layers: Ints, needs: Ints, ends: Ints, across: Ints, lines: Ints, constants: Ints, ranges: Ints
) -> tuple[Ints, Ints]:
    """Of each pattern, the least beat in a range that is not ruled out, and widths for it."""
    count, depth = len(lines), len(layers)
    low, most = ranges
    bounds, found = np.full(count, FAR), np.zeros((count, depth), np.int64)
    heights, widths = np.zeros(depth, np.int64), np.zeros(depth, np.int64)
    areas = np.zeros((2, depth), np.int64)
    for p in range(count):
        line, loads = lines[p], across[lines[p, 10]]
        start, end = low, most + 1
        while start < end:
            beat = most if end > most else (start + end) // 2
            if _possible(layers, needs, ends, loads, line, constants, beat, heights, widths, areas):
                bounds[p] = end = beat
                found[p] = widths
            else:
                start = beat + 1
    return bounds, found


@lean
def _place(layer: int, columns: int) -> tuple[int, int]:
    """Band and column of a layer in the grid."""
    band, place = layer // columns, layer % columns
    return band, columns - 1 - place if band % 2 else place


@lean
def _up(size: int, unit: int) -> int:
    return over(size, unit) * unit


@lean
def _possible(
    layers: Ints,
    needs: Ints,
    ends: Ints,
    loads: Ints,
    line: Ints,
    constants: Ints,
    beat: int,
    heights: Ints,
    widths: Ints,
    areas: Ints,
) -> bool:
    """Whether a beat is not ruled out; heights and widths become the least ones if so."""
    bands, columns, wide, high = line[0], line[1], line[4], line[5]
    cells, link = line[2] * line[3], constants[2]
    for band in range(bands):
        heights[band] = _up(max(1, over(loads[band], beat * cells * line[8] * link)), line[7])
    for column in range(columns):
        load = loads[bands + column]
        widths[column] = _up(max(1, over(load, beat * cells * line[9] * link)), line[6])
    changed = True
    while changed:
        changed = False
        rows, across = 0, 0
        for band in range(bands):
            rows += heights[band]
        for column in range(columns):
            across += widths[column]
        if rows > high or across > wide:
            return False
        for part in range(len(layers)):
            areas[0, part], areas[1, part] = 0, 0
        for k in range(len(layers)):
            band, column = _place(k, columns)
            tallest = high - rows + heights[band]
            widest = wide - across + widths[column]
            pes, tall, broad = _least(
                layers, needs, ends, line, constants, beat, k, tallest, widest
            )
            if tall > tallest or broad > widest:
                return False
            if tall > heights[band]:
                rows += _up(tall, line[7]) - heights[band]
                heights[band] = _up(tall, line[7])
                changed = True
            if broad > widths[column]:
                across += _up(broad, line[6]) - widths[column]
                widths[column] = _up(broad, line[6])
                changed = True
            area = max(pes, heights[band] * widths[column])
            areas[0, band] += area
            areas[1, column] += area
        for band in range(bands):
            if over(areas[0, band], wide) > heights[band]:
                heights[band] = _up(over(areas[0, band], wide), line[7])
                changed = True
        for column in range(columns):
            if over(areas[1, column], high) > widths[column]:
                widths[column] = _up(over(areas[1, column], high), line[6])
                changed = True
    return True


@lean
def _least(
    layers: Ints,
    needs: Ints,
    ends: Ints,
    line: Ints,
    constants: Ints,
    beat: int,
    k: int,
    tallest: int,
    widest: int,
) -> tuple[int, int, int]:
    """PEs that a layer needs; its height in the widest column, its width in the highest band."""
    cells, at_once = line[2] * line[3], beat // layers[k, 2]
    if at_once == 0:
        return FAR, FAR, FAR
    pes = over(over(layers[k, 0], cells) * layers[k, 1], at_once)
    least, tall, broad = FAR, FAR, FAR
    for n in range(ends[k], ends[k + 1]):
        held = over(needs[n, 0] + over(needs[n, 1], cells), constants[0])
        moved = (needs[n, 2] + over(needs[n, 3], line[2])) * line[0]
        buses = over(moved, constants[1] * beat)
        broad = min(broad, max(over(held, tallest), buses))
        if buses <= widest:
            tall = min(tall, over(held, widest))
            least = min(least, held)
    return max(pes, least), max(tall, over(pes, widest)), max(broad, over(pes, tallest))
