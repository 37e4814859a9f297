"""Which candidate places leave room for all other regions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from formulations.placement.shapes import Place
from instances.mesh import Mesh
from instances.package import Tile


def roomy(mesh: Mesh, sizes: Sequence[int], places: Sequence[Sequence[Place]]) -> list[list[Place]]:
    """[K] the places of each region beside which the others' chiplets fit.

    What is left of the mesh falls apart into connected parts, and each of the other regions must
    lie in one of them. Places that fail the test are in no solution; others may be in none, too.
    """
    found = []
    for region, own in enumerate(places):
        others = sorted((s for k, s in enumerate(sizes) if k != region), reverse=True)
        known: dict[tuple[int, ...], bool] = {}
        kept = []
        for place in own:
            rooms = tuple(sorted(parts(mesh, mesh.usable - place.held)))
            if rooms not in known:
                known[rooms] = packable(others, rooms)
            if known[rooms]:
                kept.append(place)
        found.append(kept)
    return found


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
