"""Columns: what a segment can be but for the sizes of its blocks, and what sizes cost *(ours)*.

A column is an interval of layers, tiling, tiles and a pattern. In it, a layer's cycles are a table
over the height of its band and the width of its column of the grid; what links carry is a table
over one of the two. All tables fall as blocks grow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instances.array import Array
from instances.cost.array import ArrayCosts, SegmentWork, Work
from instances.cost.rates import over
from schedules.array.links import crossings
from schedules.array.patterns import Pattern, patterns
from schedules.array.schedule import Layout

Ints = NDArray[np.int64]

Block = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True, eq=False)
class Sizes:
    """Sizes of blocks, and the cycles of a beat that they lead to.

    Attributes:
        heights: of each band, ascending.
        widths: of each of the grid's columns, ascending.
        layers: of each, [heights of its band, widths of its column] cycles of PEs and buses.
        bands: of each, [heights] cycles of the links along its rows.
        columns: of each, [widths] cycles of the links along it.
    """

    heights: tuple[Ints, ...]
    widths: tuple[Ints, ...]
    layers: tuple[Ints, ...]
    bands: tuple[Ints, ...]
    columns: tuple[Ints, ...]

    @property
    def longest(self) -> int:
        """The most cycles that any of them leads to."""
        return max(int(table.max()) for table in (*self.layers, *self.bands, *self.columns))


@dataclass(frozen=True, eq=False)
class Column:
    """What a segment can be.

    Attributes:
        work: of its layers, with tiling and tiles.
        pattern: of its layout.
        bound: no beat is shorter.
        most: longer beats are of no use.
        sizes: that may be of use.
    """

    work: SegmentWork
    pattern: Pattern
    bound: int
    most: int
    sizes: Sizes

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from others: layers, tiling, tiles, grid, repeats, express links."""
        work, own = self.work, self.pattern
        express = tuple(map(int, own.express))
        return work.first, work.last, work.tiling, work.tiles, *own.grid, *own.repeats, *express

    @property
    def places(self) -> list[tuple[int, int]]:
        """Band and column of the grid of each layer."""
        return list(_shape(self.pattern).places(self.work.depth))

    def crossed(self, layer: int) -> bool:
        """Whether there is a choice of heights as well as of widths for a layer's block."""
        band, column = self.places[layer]
        return len(self.sizes.heights[band]) > 1 and len(self.sizes.widths[column]) > 1

    def fast(self, layer: int) -> Iterator[tuple[Block, int]]:
        """Blocks of a layer that are fast enough for the longest useful beat, and its cycles."""
        band, column = self.places[layer]
        heights, widths = self.sizes.heights[band], self.sizes.widths[column]
        table = self.sizes.layers[layer]
        for n, m in np.argwhere(table <= self.most).tolist():
            yield (int(heights[n]), int(widths[m])), int(table[n, m])

    @property
    def variables(self) -> int:
        """How many a model has for it."""
        choices = [len(sizes) for sizes in (*self.sizes.heights, *self.sizes.widths)]
        crossed = [table for k, table in enumerate(self.sizes.layers) if self.crossed(k)]
        blocks = sum(int((table <= self.most).sum()) for table in crossed)
        return 2 + sum(count for count in choices if count > 1) + blocks


def all_columns(costs: ArrayCosts) -> list[Column]:
    """Every column, with all sizes; no beat is shorter than the DRAM needs."""
    found = []
    for work in all_works(costs):
        for pattern in patterns(costs.array, work.depth):
            sizes, bound = all_sizes(costs.array, work, pattern), dram_cycles(costs.array, work)
            found.append(Column(work, pattern, bound, max(bound, sizes.longest), sizes))
    return found


def all_works(costs: ArrayCosts) -> Iterator[SegmentWork]:
    """Every interval of layers that may be pipelined, in every way to cut it."""
    for first in range(costs.layers):
        held = 0
        for last in range(first, min(costs.layers, first + costs.array.depth)):
            held += costs.stationary(last)
            if first < last and held > costs.array.buffer_bytes // 2:
                break  # however it is cut
            for tiling, tiles in costs.tile_counts(first, last):
                work = costs.segment(first, last, tiling, tiles)
                if work.fits:
                    yield work


def dram_cycles(array: Array, work: SegmentWork) -> int:
    """Cycles of a beat that the DRAM needs."""
    return over(work.dram, work.beats * array.dram_bytes)


def all_sizes(array: Array, work: SegmentWork, pattern: Pattern) -> Sizes:
    """All sizes that blocks may have; a single band is as high as its cell."""
    (bands, columns), (wide, high) = pattern.grid, pattern.cell
    unit, tall = (wide, high) if work.depth == 1 else pattern.units
    heights = _multiples(high if bands == 1 else tall, high, bands)
    widths = _multiples(unit, wide, columns)
    across = crossings(work.flows, _shape(pattern), work.depth)
    rate = pattern.cells * array.link_bytes
    lanes = pattern.units
    return Sizes(
        heights=(heights,) * bands,
        widths=(widths,) * columns,
        layers=tuple(layer_cycles(array, own, pattern, heights, widths) for own in work.layers),
        bands=tuple(_over(size, heights * rate * lanes[0]) for size in across.bands),
        columns=tuple(_over(size, widths * rate * lanes[1]) for size in across.columns),
    )


def layer_cycles(array: Array, work: Work, pattern: Pattern, heights: Ints, widths: Ints) -> Ints:
    """Cycles of a layer's PEs and buses, [heights, widths]."""
    pes = heights[:, None] * widths[None, :]
    compute = _over(over(work.positions, pattern.cells) * work.channels, pes) * work.cycles
    carried = np.full_like(pes, np.iinfo(np.int64).max)
    for need in work.needs:
        fits = need.own + over(need.shared, pattern.cells) <= pes * array.register_bytes
        size = need.bus_own + over(need.bus_shared, pattern.repeats[0])
        carried = np.where(fits, np.minimum(carried, size), carried)
    bus = _over(carried * pattern.grid[0], widths[None, :] * array.bus_bytes)
    return np.maximum(compute, bus)


def useful(column: Column) -> Sizes | None:
    """The sizes of a column that may be of use; None if the longest useful beat cannot be met.

    A size goes if with it no beat is short enough, if it leaves no room for the others, or if the
    size below it leads to the same beats. Cycles below the bound count as the bound.
    """
    trim = _Trim(column)
    while trim.step():
        pass
    return trim.sizes


class _Trim:
    """Leaves out sizes, one kind after another."""

    def __init__(self, column: Column) -> None:
        sizes = column.sizes
        self._most, self._cell = column.most, column.pattern.cell
        self._heights, self._widths = list(sizes.heights), list(sizes.widths)
        self._layers, self._bands, self._columns = (
            [np.clip(table, column.bound, column.most + 1) for table in tables]
            for tables in (sizes.layers, sizes.bands, sizes.columns)
        )
        self._places = column.places
        self._possible = True

    @property
    def sizes(self) -> Sizes | None:
        """What is left."""
        if not self._possible:
            return None
        return Sizes(
            tuple(self._heights),
            tuple(self._widths),
            tuple(self._layers),
            tuple(self._bands),
            tuple(self._columns),
        )

    def step(self) -> bool:
        """Leave out what can be; whether anything was."""
        before = self._count()
        for band in range(len(self._heights)):
            self._one(self._heights, self._bands, band, axis=0)
        for column in range(len(self._widths)):
            self._one(self._widths, self._columns, column, axis=1)
        return self._possible and self._count() < before

    def _count(self) -> int:
        return sum(len(sizes) for sizes in (*self._heights, *self._widths))

    def _one(self, sizes: list[Ints], links: list[Ints], part: int, axis: int) -> None:
        """Leave out sizes of one band (axis 0) or column of the grid (axis 1)."""
        if not self._possible:
            return
        own = [k for k, place in enumerate(self._places) if place[axis] == part]
        tables = [np.moveaxis(self._layers[k], axis, 0) for k in own]
        others = sum(int(size[0]) for n, size in enumerate(sizes) if n != part)
        alive = (sizes[part] <= self._cell[1 - axis] - others) & (links[part] <= self._most)
        for table in tables:
            alive &= table.min(axis=1) <= self._most
        kept = _distinct(alive, [links[part][:, None], *tables])
        if not len(kept):
            self._possible = False
            return
        sizes[part], links[part] = sizes[part][kept], links[part][kept]
        for k in own:
            self._layers[k] = np.take(self._layers[k], kept, axis=axis)


def _distinct(alive: NDArray[np.bool_], tables: Sequence[Ints]) -> Ints:
    """Of the sizes that are alive, the first of those with equal lines in all tables."""
    numbers = np.flatnonzero(alive)
    lines = np.concatenate([table[numbers] for table in tables], axis=1)
    new = np.ones(len(numbers), dtype=bool)
    new[1:] = (lines[1:] != lines[:-1]).any(axis=1)
    return numbers[new]


def _shape(pattern: Pattern) -> Layout:
    """A layout of the pattern with blocks of any size."""
    bands, columns = pattern.grid
    return pattern.layout((1,) * bands, (1,) * columns)


def _multiples(unit: int, room: int, parts: int) -> Ints:
    """Sizes of one of so many parts that together have room."""
    return np.arange(unit, room - unit * (parts - 1) + 1, unit, dtype=np.int64)


def _over(amount: int | Ints, divisor: Ints) -> Ints:
    return -(-amount // divisor)
