"""Candidate places of all regions, and what they cost: each alone, and each pair of them.

All loads come from `Mesh.loads`, so that the model and the checker cannot mean different things.
What a region sends is the sum of what its chiplets send; so the loads of all pairs of places of two
regions follow from those of every chiplet to every place of the receiver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd

import numpy as np
import numpy.typing as npt

from formulations.placement.room import Room
from formulations.placement.shapes import Place, TooManyPlacesError, places
from instances.package import Tile
from instances.tables import Ints
from schedules.placement import PlacementProblem
from schedules.traffic import DRAM, Stream
from schedules.traffic import Places as Chosen

MOST_PLACES, MOST_PAIRS = 5_000, 1_000_000
"""Beyond these the pairs alone take minutes to list; a 4 x 4 mesh keeps below."""

Ends = tuple[int, int]
"""Two regions that send to each other, the smaller number first."""


@dataclass(frozen=True)
class Pairs:
    """Places of two regions that can be together.

    Attributes:
        first, second: [Q] numbers of the two places.
        loads: [Q,links] what the two regions send to each other over each link, in units.
        all_loads: [Q,links] the same with what each sends inside itself and to and from the DRAM.
    """

    first: Ints
    second: Ints
    loads: Ints
    all_loads: Ints


@dataclass(frozen=True)
class Candidates:
    """The places that the regions of a problem may have.

    Attributes:
        problem: whose regions they are.
        unit: bytes that one of the loads stands for.
        places: [K] of each region.
        alone: [K] of each region, [places,links] what it sends inside itself and to and from the
            DRAM over each link, in units.
        pairs: of regions that send to each other, those of their places that can be together.
    """

    problem: PlacementProblem
    unit: int
    places: tuple[tuple[Place, ...], ...]
    alone: tuple[Ints, ...]
    pairs: dict[Ends, Pairs]

    def numbers(self, chosen: Chosen) -> list[int]:
        """[K] which candidates some places are.

        Raises:
            ValueError: one is no candidate, or two of them cannot be together.
        """
        found = [self._number(k, tiles) for k, tiles in enumerate(chosen)]
        held: set[Tile] = set()
        for region, number in enumerate(found):
            place = self.places[region][number]
            if held & place.held:
                raise ValueError(f"the place of region {region} overlaps others")
            held |= place.held
        return found

    def _number(self, region: int, tiles: Sequence[Tile]) -> int:
        wanted = tuple(sorted(tiles))
        for number, place in enumerate(self.places[region]):
            if place.tiles == wanted:
                return number
        raise ValueError(f"the place of region {region} is no candidate")

    def within(self, cap: int | None) -> Candidates:
        """Without the places, and the pairs of them, that alone bring a link above a cap.

        Args:
            cap: bytes; None for no cap.
        """
        if cap is None:
            return self
        most = cap // self.unit
        kept = [np.flatnonzero(own.max(axis=1, initial=0) <= most) for own in self.alone]
        return replace(
            self,
            places=tuple(
                tuple(own[n] for n in numbers.tolist())
                for own, numbers in zip(self.places, kept, strict=True)
            ),
            alone=tuple(own[numbers] for own, numbers in zip(self.alone, kept, strict=True)),
            pairs={
                (a, b): _among(pairs, most, kept[a], kept[b])
                for (a, b), pairs in self.pairs.items()
            },
        )


def _among(pairs: Pairs, most: int, first: Ints, second: Ints) -> Pairs:
    """The pairs of places that are kept, of which none alone exceeds the most."""
    here = np.isin(pairs.first, first) & np.isin(pairs.second, second)
    here &= pairs.all_loads.max(axis=1, initial=0) <= most
    return Pairs(
        np.searchsorted(first, pairs.first[here]),
        np.searchsorted(second, pairs.second[here]),
        pairs.loads[here],
        pairs.all_loads[here],
    )


def candidates(problem: PlacementProblem, family: str, few: bool = False) -> Candidates:
    """All places of a family that leave room for the other regions.

    Args:
        family: of `formulations.placement.shapes.FAMILIES`.
        few: give up if a region has more than MOST_PLACES, or two regions have more than
            MOST_PAIRS pairs of places.

    Raises:
        TooManyPlacesError: there are more.
    """
    most = MOST_PLACES if few else None
    unit = gcd(*(s.bytes for s in problem.streams)) or 1
    streams = tuple(replace(s, bytes=s.bytes // unit) for s in problem.streams)
    of_size = {size: places(problem.mesh, size, family, most) for size in set(problem.sizes)}
    least = {
        size: min((len(place.held & problem.mesh.usable) for place in own), default=size)
        for size, own in of_size.items()
    }
    room = Room(problem.mesh, [least[size] for size in problem.sizes])
    found = tuple(
        tuple(place for place in of_size[size] if room.beside(frozenset((k,)), place.held))
        for k, size in enumerate(problem.sizes)
    )
    ends = {(min(s.sender, s.receiver), max(s.sender, s.receiver)) for s in streams}
    ends = {(a, b) for a, b in ends if a != b and a != DRAM}
    pairs_of_places = sum(len(found[a]) * len(found[b]) for a, b in ends)
    if few and pairs_of_places > MOST_PAIRS:
        raise TooManyPlacesError(
            f"the regions have {pairs_of_places} pairs of {family} places, the most is {MOST_PAIRS}"
        )
    loads = _Loads(replace(problem, streams=streams), found)
    alone = tuple(loads.alone(k) for k in range(len(found)))
    ends = {(min(s.sender, s.receiver), max(s.sender, s.receiver)) for s in streams}
    pairs = {}
    for a, b in sorted(ends):
        if a != b and a != DRAM:
            first, second = _together(room, a, b, loads.held, found)
            between = loads.between(a, b, first, second)
            pairs[a, b] = Pairs(
                first, second, between, between + alone[a][first] + alone[b][second]
            )
    return Candidates(problem, unit, found, alone, pairs)


def _together(
    room: Room,
    a: int,
    b: int,
    held: Sequence[npt.NDArray[np.float32]],
    found: Sequence[Sequence[Place]],
) -> tuple[Ints, Ints]:
    """The pairs of places of two regions that do not overlap and leave room for the others."""
    apart = held[a] @ held[b].T == 0
    for p, q in np.argwhere(apart).tolist():
        apart[p, q] = room.beside(frozenset((a, b)), found[a][p].held | found[b][q].held)
    first, second = np.nonzero(apart)
    return first, second


class _Loads:
    """Loads of the streams of a problem, for places.

    Attributes:
        used, held: of each region, [places,tiles] whether a place uses, or holds, a chiplet; the
            latter as floats, which multiply fast.
    """

    def __init__(self, problem: PlacementProblem, found: Sequence[Sequence[Place]]) -> None:
        self._problem = problem
        self._places = found
        tiles = problem.mesh.tiles
        shapes = [(len(own), len(tiles)) for own in found]
        used = [[[t in place.tiles for t in tiles] for place in own] for own in found]
        held = [[[t in place.held for t in tiles] for place in own] for own in found]
        self.used = [np.array(u, np.int64).reshape(s) for u, s in zip(used, shapes, strict=True)]
        self.held = [np.array(h, np.float32).reshape(s) for h, s in zip(held, shapes, strict=True)]

    def alone(self, region: int) -> Ints:
        """[places,links] traffic inside a region and with the DRAM."""
        mesh, own = self._problem.mesh, self._places[region]
        found = np.zeros((len(own), len(mesh.links)), dtype=np.int64)
        for stream in self._problem.streams:
            ends = stream.sender, stream.receiver
            if {*ends} <= {region, DRAM}:
                for number, place in enumerate(own):
                    sender, receiver = (mesh.ports if e == DRAM else place.tiles for e in ends)
                    found[number] += stream.bytes * mesh.loads(sender, receiver, stream.multicast)
        return found

    def between(self, a: int, b: int, first: Ints, second: Ints) -> Ints:
        """[Q,links] traffic between two regions, for pairs of their places."""
        found = np.zeros((len(first), len(self._problem.mesh.links)), dtype=np.int64)
        for stream in self._problem.streams:
            if (stream.sender, stream.receiver) == (a, b):
                found += self._of(stream, first, second)
            elif (stream.sender, stream.receiver) == (b, a):
                found += self._of(stream, second, first)
        return found

    def _of(self, stream: Stream, senders: Ints, receivers: Ints) -> Ints:
        mesh, used = self._problem.mesh, self.used[stream.sender]
        found = np.zeros((len(senders), len(mesh.links)), dtype=np.int64)
        for number, place in enumerate(self._places[stream.receiver]):
            here = np.flatnonzero(receivers == number)
            if here.size:
                by_tile = [mesh.loads([t], place.tiles, stream.multicast) for t in mesh.tiles]
                found[here] = used[senders[here]] @ np.array(by_tile)
        return stream.bytes * found
