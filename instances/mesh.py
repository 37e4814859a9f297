"""The mesh of a package: its links, the ways that traffic takes, and the load on each link.

Traffic goes along its row first and then along its column (XY routing). What a chiplet sends to
several others alike is copied where the ways part: a link carries it once (multicast as a tree).
Where a router or a link of that way is out of order, the way is the one along the column first;
where that is broken, too, a shortest way around (ours).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from itertools import pairwise

import numpy as np

from instances.package import Package, Tile
from instances.tables import Ints

Link = tuple[Tile, Tile]
"""From one router to a neighbour's; each direction is a link of its own."""


def neighbours(tile: Tile, size: tuple[int, int]) -> list[Tile]:
    """The places beside one: right, left, below, above."""
    x, y = tile
    around = [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
    return [(u, v) for u, v in around if 0 <= u < size[0] and 0 <= v < size[1]]


class Mesh:
    """The routers and links of a package that work.

    Attributes:
        size: (X, Y), columns and rows.
        places: [x, y] of all, column by column, also those without chiplet or router.
        tiles: [x, y] of the chiplets that compute, column by column.
        ports: [x, y] of the routers at which the DRAM's ports are, in turn left and right, spread
            over the rows. Where the router is missing, the port is at the nearest of its column.
        links: all links of an X by Y mesh, also broken ones: to the right, row by row; to the left;
            down; up.
    """

    def __init__(
        self,
        size: tuple[int, int],
        ports: int,
        unusable: Iterable[Tile] = (),
        missing: Iterable[Tile] = (),
        broken: Iterable[tuple[Tile, Tile]] = (),
    ) -> None:
        columns, rows = self.size = size
        out, self._missing = frozenset(unusable), frozenset(missing)
        self._broken = frozenset(way for a, b in broken for way in ((a, b), (b, a)))
        self.places = tuple((x, y) for x in range(columns) for y in range(rows))
        self.tiles = tuple(t for t in self.places if t not in out and t not in self._missing)
        self.ports = tuple(self._port(k, ports) for k in range(ports))
        right = [((x, y), (x + 1, y)) for y in range(rows) for x in range(columns - 1)]
        down = [((x, y), (x, y + 1)) for y in range(rows - 1) for x in range(columns)]
        self.links: tuple[Link, ...] = (
            *right,
            *((b, a) for a, b in right),
            *down,
            *((b, a) for a, b in down),
        )
        self._check()

    @classmethod
    def of(cls, package: Package) -> Mesh:
        """The mesh of a package.

        Raises:
            ValueError: no chiplet is left, or some are cut off from the others or from a port.
        """
        return _mesh_of(package)

    def _port(self, k: int, ports: int) -> Tile:
        """Port k: even ones on the left column, odd ones on the right."""
        columns, rows = self.size
        x = 0 if k % 2 == 0 else columns - 1
        own = (ports + 1) // 2 if k % 2 == 0 else ports // 2
        wanted = min(rows - 1, (2 * (k // 2) + 1) * rows // (2 * own))
        there = [y for y in range(rows) if (x, y) not in self._missing]
        if not there:
            raise ValueError(f"column {x} has a DRAM port, but all its chiplets are missing")
        return x, min(there, key=lambda y: (abs(y - wanted), y))

    @property
    def whole(self) -> bool:
        """Whether all routers and links work, so that all ways are XY."""
        return not (self._missing or self._broken)

    def _check(self) -> None:
        if not self.tiles:
            raise ValueError("no chiplet is left")
        if self.whole:
            return
        reached = set(self._ways_from(self.tiles[0]))
        for tile in (*self.tiles, *self.ports):
            if tile not in reached:
                raise ValueError(f"{list(tile)} is cut off from {list(self.tiles[0])}")

    @cached_property
    def index(self) -> dict[Link, int]:
        """Link -> its number."""
        return {link: k for k, link in enumerate(self.links)}

    @cached_property
    def usable(self) -> frozenset[Tile]:
        """Where a chiplet computes."""
        return frozenset(self.tiles)

    def has_router(self, tile: Tile) -> bool:
        """Whether traffic can pass a place."""
        return tile not in self._missing

    def is_broken(self, link: Link) -> bool:
        """Whether a link between two routers is out of order."""
        return link in self._broken and not self._missing.intersection(link)

    def joined(self, tile: Tile) -> list[Tile]:
        """The neighbours to which a working link leads."""
        return [
            other
            for other in neighbours(tile, self.size)
            if other not in self._missing and (tile, other) not in self._broken
        ]

    def connected(self, tiles: Iterable[Tile]) -> bool:
        """Whether each of some places can be reached from each other by links among them."""
        return len(self.parts(tiles)) <= 1

    def parts(self, tiles: Iterable[Tile]) -> list[list[Tile]]:
        """Some places, by what can be reached from each other by links among them."""
        left, found = set(tiles), []
        while left:
            part = [left.pop()]
            for tile in part:
                joined = left.intersection(self.joined(tile))
                left -= joined
                part += joined
            found.append(part)
        return found

    def way(self, start: Tile, end: Tile) -> list[Tile]:
        """The routers that traffic passes, both ends included."""
        for way in (_bent(start, end, along_row=True), _bent(start, end, along_row=False)):
            if self._open(way):
                return way
        before, way = self._ways_from(start), [end]
        while way[-1] != start:
            way.append(before[way[-1]])
        return way[::-1]

    def _open(self, way: Sequence[Tile]) -> bool:
        return not self._missing.intersection(way) and not any(
            link in self._broken for link in pairwise(way)
        )

    def _ways_from(self, start: Tile) -> dict[Tile, Tile]:
        """Router -> the one before it on a shortest way from a start."""
        if start not in self._around:
            before, ahead = {start: start}, deque([start])
            while ahead:
                tile = ahead.popleft()
                for other in self.joined(tile):
                    if other not in before:
                        before[other] = tile
                        ahead.append(other)
            self._around[start] = before
        return self._around[start]

    @cached_property
    def _around(self) -> dict[Tile, dict[Tile, Tile]]:
        return {}

    def hops(self, start: Tile, end: Tile) -> int:
        """Links on the way from one place to another."""
        if self.whole:
            return abs(start[0] - end[0]) + abs(start[1] - end[1])
        return len(self.way(start, end)) - 1

    def all_hops(self) -> Ints:
        """[C,C] links on the way between every two chiplets."""
        if self.whole:
            x, y = np.array(self.tiles).T
            return abs(x[:, None] - x) + abs(y[:, None] - y)
        return np.array([[self.hops(a, b) for b in self.tiles] for a in self.tiles])

    def loads(self, senders: Sequence[Tile], receivers: Sequence[Tile], multicast: bool) -> Ints:
        """[links] how often each is used if each sender sends a unit.

        Args:
            multicast: the unit goes to all receivers alike; otherwise each gets one of its own.
        """
        if not self.whole:
            return self._loads_by_way(senders, receivers, multicast)
        at, to = self._counts(senders), self._counts(receivers)
        if multicast:
            to = np.minimum(to, 1)
        by_column = to.sum(axis=0)
        if multicast:
            by_column = np.minimum(by_column, 1)
        # A unit leaves its column of senders as often as there are receivers beyond.
        behind, ahead = np.cumsum(at, axis=1), _after(by_column, multicast)
        right = behind[:, :-1] * ahead[:-1]
        behind, ahead = _from(at, 1), _before(by_column, multicast)
        left = behind[:, 1:] * ahead[1:]
        # Then it is in its receivers' column, at its sender's row.
        by_row = at.sum(axis=1)[:, None]
        down = np.cumsum(by_row, axis=0)[:-1] * _after(to.T, multicast).T[:-1]
        up = _from(by_row, 0)[1:] * _before(to.T, multicast).T[1:]
        return np.concatenate([part.ravel() for part in (right, left, down, up)])

    def _counts(self, tiles: Sequence[Tile]) -> Ints:
        """[Y,X] how often each place is among some."""
        columns, rows = self.size
        flat = [y * columns + x for x, y in tiles]
        return np.bincount(flat, minlength=columns * rows).reshape(rows, columns)

    def _loads_by_way(
        self, senders: Sequence[Tile], receivers: Sequence[Tile], multicast: bool
    ) -> Ints:
        """The same, way by way."""
        found = np.zeros(len(self.links), dtype=np.int64)
        for sender in senders:
            used: set[Link] = set()
            for receiver in receivers:
                way = self.way(sender, receiver)
                links = pairwise(way)
                if multicast:
                    used.update(links)
                else:
                    for link in links:
                        found[self.index[link]] += 1
            for link in used:
                found[self.index[link]] += 1
        return found


@cache
def _mesh_of(package: Package) -> Mesh:
    faults = package.faults
    return Mesh(package.mesh, package.dram.ports, package.unusable, faults.missing, faults.links)


def _bent(start: Tile, end: Tile, *, along_row: bool) -> list[Tile]:
    """The way with one bend."""
    (x, y), (u, v) = start, end
    across = range(x, u, 1 if u > x else -1)
    along = range(y, v, 1 if v > y else -1)
    if along_row:
        return [*((k, y) for k in across), *((u, k) for k in along), end]
    return [*((x, k) for k in along), *((k, v) for k in across), end]


def _from(counts: Ints, axis: int) -> Ints:
    """Sums from each place to the end."""
    return np.flip(np.cumsum(np.flip(counts, axis), axis), axis)


def _after(counts: Ints, once: bool) -> Ints:
    """How many there are beyond each place of the last axis; only whether, if once."""
    sums = _from(counts, -1) - counts
    return np.minimum(sums, 1) if once else sums


def _before(counts: Ints, once: bool) -> Ints:
    """How many there are before each place of the last axis; only whether, if once."""
    sums = np.cumsum(counts, -1) - counts
    return np.minimum(sums, 1) if once else sums
