"""All connected regions of a small mesh, and the ways between them."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from instances.mesh import Mesh
from instances.package import Tile
from instances.tables import Ints
from schedules.placed import longest_way

MOST_CHIPLETS = 12
"""A mesh of 3 x 4 has 1,126 connected regions, one of 4 x 4 already 11,506."""


class Regions:
    """Regions by number.

    Attributes:
        mesh: on which they lie.
        tiles: of each.
        sizes: [R] chiplets of each.
        from_dram: [R] hops of the longest way from a DRAM port.
    """

    def __init__(self, mesh: Mesh) -> None:
        if len(mesh.tiles) > MOST_CHIPLETS:
            raise ValueError(
                f"joint placement looks at every connected region: expected at most"
                f" {MOST_CHIPLETS} chiplets, found {len(mesh.tiles)}; take `solve` and then `place`"
            )
        self.mesh = mesh
        self.tiles = _connected(mesh)
        self.sizes: Ints = np.array([len(tiles) for tiles in self.tiles])
        self.from_dram: Ints = np.array([longest_way(mesh, mesh.ports, own) for own in self.tiles])

    @cached_property
    def ways(self) -> Ints:
        """[R,R] hops of the longest way from one region to another, or within one."""
        mesh = self.mesh
        hops = np.array([[mesh.hops(a, b) for b in mesh.tiles] for a in mesh.tiles])
        to = np.array([np.where(row, hops, -1).max(axis=1) for row in self.members])
        ways: Ints = np.array([np.where(row, to, -1).max(axis=1) for row in self.members])
        return ways.astype(np.int64)

    @cached_property
    def members(self) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        """[R,tiles] whether a region has a tile of `mesh.tiles`."""
        return np.array([[tile in own for tile in self.mesh.tiles] for own in self.tiles])

    @cached_property
    def least(self) -> Ints:
        """[R] hops of the longest way from a nearest other region; 0 if there is room for none."""
        far = len(self.mesh.links) + 1
        single = np.flatnonzero(self.sizes == 1)
        apart = ~self.members[:, [self.mesh.tiles.index(self.tiles[r][0]) for r in single]]
        nearest = np.where(apart, self.ways[single].T, far).min(axis=1)
        return np.where(nearest == far, 0, nearest).astype(np.int64)


def _connected(mesh: Mesh) -> tuple[tuple[Tile, ...], ...]:
    """Every connected set of chiplets that compute, small ones first."""
    layer = {frozenset([tile]) for tile in mesh.tiles}
    found: list[frozenset[Tile]] = []
    while layer:
        found += sorted(layer, key=sorted)
        layer = {
            own | {other}
            for own in layer
            for tile in own
            for other in mesh.joined(tile)
            if other in mesh.usable and other not in own
        }
    return tuple(tuple(sorted(own)) for own in found)
