"""Whether some places leave room for the other regions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from instances.mesh import Mesh
from instances.package import Tile


class Room:
    """Tells whether regions fit beside those that have a place.

    What is left of the mesh falls apart into connected parts, and each of the other regions must
    lie in one of them. Where that fails there is no solution; where it holds there may be none,
    too.

    Args:
        sizes: [K] chiplets that each region holds at least.
    """

    def __init__(self, mesh: Mesh, sizes: Sequence[int]) -> None:
        self._mesh = mesh
        self._sizes = sizes
        self._known: dict[tuple[frozenset[int], tuple[int, ...]], bool] = {}

    def beside(self, regions: frozenset[int], held: frozenset[Tile]) -> bool:
        """Whether there may be room for all others.

        Args:
            regions: that have a place.
            held: by them.
        """
        rooms = tuple(sorted(parts(self._mesh, self._mesh.usable - held)))
        if (regions, rooms) not in self._known:
            others = [size for k, size in enumerate(self._sizes) if k not in regions]
            self._known[regions, rooms] = packable(sorted(others, reverse=True), rooms)
        return self._known[regions, rooms]


def parts(mesh: Mesh, tiles: Iterable[Tile]) -> list[int]:
    """The sizes of the connected parts of some chiplets."""
    left, found = set(tiles), []
    while left:
        ahead = [left.pop()]
        size = 0
        while ahead:
            size += 1
            near = left.intersection(mesh.joined(ahead.pop()))
            left -= near
            ahead.extend(near)
        found.append(size)
    return found


def packable(sizes: Sequence[int], rooms: Sequence[int]) -> bool:
    """Whether items, largest first, can be packed into rooms."""
    if not sizes:
        return True
    if sum(sizes) > sum(rooms):
        return False
    for room in sorted(set(rooms)):
        if sizes[0] <= room:
            rest = list(rooms)
            rest.remove(room)
            rest.append(room - sizes[0])
            if packable(sizes[1:], rest):
                return True
    return False
