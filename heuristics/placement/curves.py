"""Orders of a mesh's places in which near ones are near: regions are first laid along them."""

from __future__ import annotations

from collections.abc import Iterator

from instances.mesh import Mesh
from instances.package import Tile

STRIPS = (1, 2, 3, 4)
"""Widths of the strips that a snake goes down and up."""


def curves(mesh: Mesh) -> list[tuple[Tile, ...]]:
    """Snakes through strips of columns and of rows, and a spiral; each of the places that compute.

    A snake of width 1 steps from neighbour to neighbour. A wider one keeps regions nearer to a
    square, but some of its steps may go further.
    """
    columns, rows = mesh.size
    found: dict[tuple[Tile, ...], None] = {}
    for width in STRIPS:
        if width <= columns:
            found[_usable(mesh, _strips(columns, rows, width))] = None
            found[_usable(mesh, ((x, rows - 1 - y) for x, y in _strips(columns, rows, width)))] = (
                None
            )
        if width <= rows:
            found[_usable(mesh, ((x, y) for y, x in _strips(rows, columns, width)))] = None
            flipped = ((columns - 1 - x, y) for y, x in _strips(rows, columns, width))
            found[_usable(mesh, flipped)] = None
    found[_usable(mesh, _spiral(columns, rows))] = None
    return list(found)


def _usable(mesh: Mesh, order: Iterator[Tile]) -> tuple[Tile, ...]:
    return tuple(tile for tile in order if tile in mesh.usable)


def _strips(columns: int, rows: int, width: int) -> Iterator[Tile]:
    """Down the first strip of columns, row by row to and fro; up the next."""
    for number, left in enumerate(range(0, columns, width)):
        strip = range(left, min(left + width, columns))
        for turn, row in enumerate(range(rows)):
            y = rows - 1 - row if number % 2 else row
            for x in reversed(strip) if turn % 2 else strip:
                yield x, y


def _spiral(columns: int, rows: int) -> Iterator[Tile]:
    """From the corner around the rim, then inwards."""
    left, right, top, bottom = 0, columns - 1, 0, rows - 1
    while left <= right and top <= bottom:
        yield from ((left, y) for y in range(top, bottom + 1))
        yield from ((x, bottom) for x in range(left + 1, right + 1))
        if left < right:
            yield from ((right, y) for y in range(bottom - 1, top - 1, -1))
        if top < bottom:
            yield from ((x, top) for x in range(right - 1, left, -1))
        left, right, top, bottom = left + 1, right - 1, top + 1, bottom - 1
