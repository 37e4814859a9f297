"""How many PEs each layer of a segment gets: the best layout, found without trying all.

For a beat that is asked for, each band's height decides what width each column of the grid needs
at least: enough PEs to compute in time, registers enough that the buses keep up, and links enough
between bands. Widths that are more than needed never hurt, so a beat can be met with these heights
if and only if the least widths have room. Heights are tried one by one, the least beat is found by
bisection. The layouts that come out use no more columns than needed; the rest is idle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from instances.array import Array
from instances.cost.array import SegmentWork
from instances.cost.rates import over
from instances.jit import compiled, lean
from schedules.array.evaluate import beat_of
from schedules.array.patterns import Pattern, patterns
from schedules.array.schedule import Layout

Ints = NDArray[np.int64]

FAR = 2**62
"""More than any width."""


@dataclass(frozen=True)
class Allocation:
    """The best layout of a segment.

    Attributes:
        beat: cycles of a tile.
        layout: with this beat.
    """

    beat: int
    layout: Layout


def best_layout(
    array: Array,
    work: SegmentWork,
    below: int | None = None,
    among: tuple[Pattern, ...] | None = None,
) -> Allocation | None:
    """The layout with the least beat.

    Args:
        array: where it is.
        work: of the segment.
        below: only beats less than this count.
        among: patterns that count; all by default.

    Returns:
        None if there is none.
    """
    allowed = patterns(array, work.depth) if among is None else among
    if not allowed:
        return None
    low = over(work.dram, work.beats * array.dram_bytes)
    if below is not None and low >= below:
        return None
    simple = _simple(allowed[0])
    beat = beat_of(array, work, simple).cycles
    if work.depth == 1:
        return Allocation(beat, simple) if below is None or beat < below else None
    below = beat + 1 if below is None else min(below, beat + 1)
    beat, chosen, heights, widths = least_beat(
        *work.arrays(), _flows(work), _pattern_table(allowed), _constants(array), max(1, low), below
    )
    if chosen < 0:
        return None
    pattern = allowed[chosen]
    bands, columns = pattern.grid
    return Allocation(
        int(beat),
        pattern.layout(
            tuple(int(h) for h in heights[:bands]), tuple(int(w) for w in widths[:columns])
        ),
    )


def _simple(pattern: Pattern) -> Layout:
    """The layout with blocks as small as can be, but for the last band and column."""
    (bands, columns), (wide, high) = pattern.grid, pattern.cell
    unit, tall = pattern.units
    heights = (*[tall] * (bands - 1), high // tall * tall - tall * (bands - 1))
    widths = (*[unit] * (columns - 1), wide // unit * unit - unit * (columns - 1))
    return pattern.layout(heights, widths)


def _flows(work: SegmentWork) -> Ints:
    """A line for each: producer, consumer, bytes."""
    flows = [(flow.producer, flow.consumer, flow.size) for flow in work.flows]
    return np.array(flows, dtype=np.int64).reshape(-1, 3)


@cache
def _pattern_table(chosen: Sequence[Pattern]) -> Ints:
    """A line for each: grid, repeats, cell and units."""
    return np.array(
        [(*own.grid, *own.repeats, *own.cell, *own.units) for own in chosen], dtype=np.int64
    )


@cache
def _constants(array: Array) -> Ints:
    return np.array([array.register_bytes, array.bus_bytes, array.link_bytes], dtype=np.int64)


@compiled
def least_beat(
    layers: Ints,
    needs: Ints,
    ends: Ints,
    flows: Ints,
    table: Ints,
    constants: Ints,
    low: int,
    below: int,
) -> tuple[int, int, Ints, Ints]:
    """Least beat, from `low` on and below `below`; its pattern (-1: none), heights and widths."""
    depth = len(layers)
    best, chosen = below, -1
    best_heights, best_widths = np.zeros(depth, np.int64), np.zeros(depth, np.int64)
    heights, widths = np.zeros(depth, np.int64), np.zeros(depth, np.int64)
    for p in range(len(table)):
        pattern = table[p]
        bands, columns = pattern[0], pattern[1]
        unit, rows = pattern[7], pattern[5]
        if bands == 1:
            unit = rows
        if _area(layers, pattern) >= best:
            continue
        across = _crossings(flows, pattern, depth)
        heights[:bands] = unit
        heights[bands - 1] = rows // unit * unit - unit * (bands - 1)
        while True:
            at = best - 1
            if at >= low and _fits(
                layers, needs, ends, across, pattern, constants, heights, at, widths
            ):
                start, best = low, at
                while start < best:
                    at = (start + best) // 2
                    if _fits(layers, needs, ends, across, pattern, constants, heights, at, widths):
                        best = at
                    else:
                        start = at + 1
                _fits(layers, needs, ends, across, pattern, constants, heights, best, widths)
                chosen = p
                best_heights[:bands] = heights[:bands]
                best_widths[:columns] = widths[:columns]
            if not _next(heights, bands, unit):
                break
    return best, chosen, best_heights, best_widths


@lean
def _next(heights: Ints, bands: int, unit: int) -> bool:
    """The next way to share out the same rows; whether there is one."""
    for k in range(bands - 2, -1, -1):
        if heights[bands - 1] > unit:
            heights[k] += unit
            heights[bands - 1] -= unit
            return True
        heights[bands - 1] += heights[k] - unit
        heights[k] = unit
    return False


@lean
def _area(layers: Ints, pattern: Ints) -> int:
    """The least beat if work could be spread over all PEs at will."""
    cells, pes = pattern[2] * pattern[3], pattern[4] * pattern[5]
    total = 0
    for k in range(len(layers)):
        total += over(layers[k, 0], cells) * layers[k, 1] * layers[k, 2]
    return over(total, pes)


@compiled
def _crossings(flows: Ints, pattern: Ints, depth: int) -> Ints:
    """Bytes over the fullest boundary of each band, and then of each column."""
    bands, columns = pattern[0], pattern[1]
    loads = np.zeros((bands + columns, 2, depth + 1), np.int64)
    for f in range(len(flows)):
        band, column = _place(flows[f, 0], columns)
        other, into = _place(flows[f, 1], columns)
        for boundary in range(min(column, into), max(column, into)):
            loads[band, int(column < into), boundary] += flows[f, 2]
        for boundary in range(min(band, other), max(band, other)):
            loads[bands + into, int(band < other), boundary] += flows[f, 2]
    found = np.zeros(bands + columns, np.int64)
    for k in range(bands + columns):
        found[k] = loads[k].max()
    return found


@lean
def _place(layer: int, columns: int) -> tuple[int, int]:
    """Band and column of a layer in the grid."""
    band, place = layer // columns, layer % columns
    return band, columns - 1 - place if band % 2 else place


@lean
def _fits(
    layers: Ints,
    needs: Ints,
    ends: Ints,
    across: Ints,
    pattern: Ints,
    constants: Ints,
    heights: Ints,
    beat: int,
    widths: Ints,
) -> bool:
    """Whether a beat can be met; `widths` becomes the least ones if so."""
    bands, columns = pattern[0], pattern[1]
    cells = pattern[2] * pattern[3]
    registers, bus, link = constants[0], constants[1], constants[2]
    room = pattern[4]
    for band in range(bands):
        if over(across[band], heights[band] * cells * pattern[6] * link) > beat:
            return False
    for column in range(columns):
        widths[column] = max(1, over(across[bands + column], beat * cells * pattern[7] * link))
    for k in range(len(layers)):
        band, column = _place(k, columns)
        height, at_once = heights[band], beat // layers[k, 2]
        if at_once == 0:
            return False
        pes = over(over(layers[k, 0], cells) * layers[k, 1], at_once)
        width = over(pes, height)
        least = FAR
        for n in range(ends[k], ends[k + 1]):
            held = over(needs[n, 0] + over(needs[n, 1], cells), height * registers)
            moved = (needs[n, 2] + over(needs[n, 3], pattern[2])) * bands
            least = min(least, max(held, over(moved, bus * beat)))
        widths[column] = max(widths[column], max(width, least))
    used = 0
    for column in range(columns):
        widths[column] = over(widths[column], pattern[6]) * pattern[6]
        used += widths[column]
    return used <= room
