"""Schedules of a network on an array."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from instances.array import Organisation
from instances.cost.tiles import Tiling


@dataclass(frozen=True)
class Layout:
    """Where the blocks of a segment's layers are.

    A cell is a grid of blocks: bands of PE rows, crossed by columns. Layers take the places of the
    grid in order, the first band from left to right, the second from right to left, and so on.
    Cells are laid out side by side from the array's first column and row.

    Attributes:
        heights: PE rows of each band.
        widths: PE columns of each of the grid's columns.
        repeats: cells side by side, and one above the other.
        express: whether tensors travel over express links, along rows, and along columns. If so,
            a PE of one block sends only to PEs of another that are whole express links away, and
            widths (heights) are multiples of the links' length.
    """

    heights: tuple[int, ...]
    widths: tuple[int, ...]
    repeats: tuple[int, int] = (1, 1)
    express: tuple[bool, bool] = (False, False)

    @property
    def cells(self) -> int:
        """How many there are."""
        return self.repeats[0] * self.repeats[1]

    def places(self, depth: int) -> Iterator[tuple[int, int]]:
        """Band and column in the grid of each of `depth` layers."""
        columns = len(self.widths)
        for k in range(depth):
            band, place = divmod(k, columns)
            yield band, columns - 1 - place if band % 2 else place

    def pes(self, depth: int) -> list[int]:
        """PEs of each layer's block in a cell."""
        return [self.heights[band] * self.widths[column] for band, column in self.places(depth)]


@dataclass(frozen=True)
class ArraySegment:
    """Consecutive layers that share the array, pipelined.

    Attributes:
        first, last: layers, inclusive.
        tiling, tiles: how each sample is cut (`instances.cost.tiles`).
        layout: where the blocks are.
    """

    first: int
    last: int
    tiling: Tiling
    tiles: int
    layout: Layout

    @property
    def depth(self) -> int:
        """How many layers are pipelined."""
        return self.last - self.first + 1

    @property
    def organisation(self) -> Organisation:
        """The name of its layout."""
        return organisation(self.depth, len(self.layout.heights), self.layout.cells)


def organisation(depth: int, bands: int, cells: int) -> Organisation:
    """The name of a layout of so many layers in so many bands, repeated in so many cells."""
    if depth == 1:
        return "sequential"
    if cells == 1:
        return "blocked-1d" if bands == 1 else "blocked-2d"
    return "striped" if bands == 1 else "checkerboard"


@dataclass(frozen=True)
class ArraySchedule:
    """Segments, one after another.

    Attributes:
        segments: in execution order.
    """

    segments: tuple[ArraySegment, ...]
