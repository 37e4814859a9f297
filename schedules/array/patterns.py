"""Patterns: what a layout is but for the sizes of its blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

from instances.array import Array
from schedules.array.schedule import Layout, organisation


@dataclass(frozen=True)
class Pattern:
    """A grid of blocks, how often it is repeated, and where express links are used.

    Attributes:
        grid: bands, and columns.
        repeats, express: as in a layout.
        cell: PE columns and rows that a cell has.
        units: widths, and heights, are multiples of these.
    """

    grid: tuple[int, int]
    repeats: tuple[int, int]
    express: tuple[bool, bool]
    cell: tuple[int, int]
    units: tuple[int, int]

    @property
    def cells(self) -> int:
        """How many there are."""
        return self.repeats[0] * self.repeats[1]

    def layout(self, heights: tuple[int, ...], widths: tuple[int, ...]) -> Layout:
        """The layout with blocks of these sizes."""
        return Layout(heights, widths, self.repeats, self.express)


@cache
def patterns(array: Array, depth: int) -> tuple[Pattern, ...]:
    """All patterns in which `depth` layers can be laid out, from coarse to fine."""
    columns, rows = array.mesh
    if depth == 1:
        return (Pattern((1, 1), (1, 1), (False, False), array.mesh, (1, 1)),)
    found = []
    for bands in range(1, min(array.bands, depth, rows) + 1):
        grid = (bands, -(-depth // bands))
        if (bands - 1) * grid[1] >= depth:
            continue
        above = _divisors(rows) if bands > 1 else [1]
        for repeats in product(_divisors(columns), above):
            cell = (columns // repeats[0], rows // repeats[1])
            for express in product(_choices(array, grid[1]), _choices(array, bands)):
                units = [array.express if used else 1 for used in express]
                name = organisation(depth, bands, repeats[0] * repeats[1])
                if name not in array.organisations:
                    continue
                if units[0] * grid[1] <= cell[0] and units[1] * bands <= cell[1]:
                    found.append(Pattern(grid, repeats, express, cell, (units[0], units[1])))
    return tuple(sorted(found, key=lambda pattern: pattern.cells))


def _divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]


def _choices(array: Array, blocks: int) -> list[bool]:
    """Whether express links may be used between blocks side by side."""
    return [False, True] if array.express and blocks > 1 else [False]
