"""The places that a region may have: rectangles, intervals of the snake, any connected shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

from instances.mesh import Mesh
from instances.package import Tile
from schedules.place import snake


@dataclass(frozen=True)
class Place:
    """Where a region may lie.

    Attributes:
        tiles: its chiplets, ascending.
        held: where no other region may lie; all its tiles, and what is left over of a rectangle.
    """

    tiles: tuple[Tile, ...]
    held: frozenset[Tile]


class TooManyPlacesError(ValueError):
    """A region has more connected shapes than are to be enumerated."""


def places(mesh: Mesh, size: int, family: str, most: int | None = None) -> list[Place]:
    """All places of a family for a region.

    Args:
        family: one of FAMILIES.
        most: places at which to give up.

    Raises:
        TooManyPlacesError: there are more than `most`.
    """
    found: dict[Place, None] = {}
    for place in FAMILIES[family](mesh, size):
        found[place] = None
        if most is not None and len(found) > most:
            raise TooManyPlacesError(
                f"a region of {size} chiplets has more than {most} {family} places"
            )
    return list(found)


def rectangles(mesh: Mesh, size: int) -> Iterator[Place]:
    """Rectangles that have the chiplets, of which the first ones, column by column, are used.

    Of rectangles with the same used chiplets only the smallest is one of these.
    """
    columns, rows = mesh.size
    for left, top in product(range(columns), range(rows)):
        for height in range(1, min(size, rows - top) + 1):
            bottom = top + height - 1
            used = [t for t in mesh.tiles if t[0] >= left and top <= t[1] <= bottom][:size]
            right = max((x for x, _ in used), default=left)
            edges = {(0, left), (1, top), (1, bottom)}
            touched = {(axis, tile[axis]) for tile in used for axis in (0, 1)}
            if len(used) == size and edges <= touched and mesh.connected(used):
                held = product(range(left, right + 1), range(top, bottom + 1))
                yield Place(tuple(used), frozenset(held))


def intervals(mesh: Mesh, size: int) -> Iterator[Place]:
    """Consecutive chiplets along the snake, those that do not compute left out, if connected."""
    order = [tile for tile in snake(mesh.size) if tile in mesh.usable]
    for first in range(len(order) - size + 1):
        used = order[first : first + size]
        if mesh.connected(used):
            yield Place(tuple(sorted(used)), frozenset(used))


def free(mesh: Mesh, size: int) -> Iterator[Place]:
    """All connected shapes, each once.

    A shape grows from its first chiplet. Of the chiplets at its border one after another is either
    taken in or left out for good, so that no shape comes up twice.
    """
    number = {tile: k for k, tile in enumerate(mesh.tiles)}
    beside = {t: [u for u in mesh.joined(t) if u in number] for t in mesh.tiles}

    def grow(shape: list[Tile], border: list[Tile], seen: set[Tile]) -> Iterator[Place]:
        if len(shape) == size:
            yield Place(tuple(sorted(shape)), frozenset(shape))
            return
        while border:
            tile = border.pop()
            new = [t for t in beside[tile] if t not in seen and number[t] > number[shape[0]]]
            yield from grow([*shape, tile], [*border, *new], seen | set(new))

    for first in mesh.tiles:
        near = [t for t in beside[first] if number[t] > number[first]]
        yield from grow([first], near, {first, *near})


FAMILIES: dict[str, Callable[[Mesh, int], Iterator[Place]]] = {
    "rectangles": rectangles,
    "intervals": intervals,
    "free": free,
}
"""Family -> the places in it for a region of some size."""
