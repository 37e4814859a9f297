"""What candidate places cost: each alone, and each pair that can be together.

All loads come from `Mesh.loads`, so that the model and the checker cannot mean different things.
What a region sends is the sum of what its chiplets send; so the loads of all pairs of two regions
follow from those of every chiplet to every place of the receiver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from formulations.placement.room import Room
from formulations.placement.shapes import Place
from instances.tables import Ints
from schedules.placement import PlacementProblem
from schedules.traffic import DRAM, Stream


@dataclass(frozen=True)
class Pairs:
    """Places of two regions that can be together.

    Attributes:
        first, second: [Q] numbers of the two places.
        hops: [Q] bytes times links of what the two regions send to each other.
        loads: [Q,links] bytes on each link.
    """

    first: Ints
    second: Ints
    hops: Ints
    loads: Ints


class Costs:
    """Loads of the streams of a problem, for candidate places.

    Attributes:
        places: [K] of each region, the candidates that leave room for the others.
        alone: [K] of each region, [places,links]: traffic inside it and with the DRAM.
        ends: pairs of regions that send to each other, the smaller number first.
    """

    def __init__(self, problem: PlacementProblem, candidates: Sequence[Sequence[Place]]) -> None:
        self._problem = problem
        self._room = Room(problem.mesh, problem.sizes)
        self.places = [
            [place for place in own if self._room.beside(frozenset((k,)), place.held)]
            for k, own in enumerate(candidates)
        ]
        ends = {(s.sender, s.receiver) for s in problem.streams if s.sender != s.receiver}
        self.ends = sorted({(min(e), max(e)) for e in ends if DRAM not in e})
        self.alone = [self._alone(k) for k in range(len(candidates))]

    def _alone(self, region: int) -> Ints:
        mesh = self._problem.mesh
        own = [s for s in self._problem.streams if {s.sender, s.receiver} <= {region, DRAM}]
        found = np.zeros((len(self.places[region]), len(mesh.links)), dtype=np.int64)
        for number, place in enumerate(self.places[region]):
            for stream in own:
                sender, receiver = (
                    mesh.ports if end == DRAM else place.tiles
                    for end in (stream.sender, stream.receiver)
                )
                found[number] += stream.bytes * mesh.loads(sender, receiver, stream.multicast)
        return found

    def pairs(self, a: int, b: int) -> Pairs:
        """The pairs of places of two regions that do not overlap and leave room for the others."""
        apart = self._held[a] @ self._held[b].T == 0
        ends = frozenset((a, b))
        for p, q in np.argwhere(apart).tolist():
            held = self.places[a][p].held | self.places[b][q].held
            apart[p, q] = self._room.beside(ends, held)
        first, second = np.nonzero(apart)
        loads = np.zeros((len(first), len(self._problem.mesh.links)), dtype=np.int64)
        for stream in self._problem.streams:
            if (stream.sender, stream.receiver) == (a, b):
                loads += self._between(stream, first, second)
            elif (stream.sender, stream.receiver) == (b, a):
                loads += self._between(stream, second, first)
        return Pairs(first, second, loads.sum(axis=1), loads)

    def _between(self, stream: Stream, senders: Ints, receivers: Ints) -> Ints:
        """[Q,links] loads of a stream for pairs of places."""
        mesh, used = self._problem.mesh, self._used[stream.sender]
        found = np.zeros((len(senders), len(mesh.links)), dtype=np.int64)
        for number, place in enumerate(self.places[stream.receiver]):
            here = np.flatnonzero(receivers == number)
            if here.size:
                by_tile = [mesh.loads([t], place.tiles, stream.multicast) for t in mesh.tiles]
                found[here] = used[senders[here]] @ np.array(by_tile)
        return stream.bytes * found

    @cached_property
    def _used(self) -> list[Ints]:
        """Of each region, [places,tiles] whether a place uses a chiplet."""
        return [
            np.array([[t in place.tiles for t in self._problem.mesh.tiles] for place in own])
            .reshape(len(own), len(self._problem.mesh.tiles))
            .astype(np.int64)
            for own in self.places
        ]

    @cached_property
    def _held(self) -> list[npt.NDArray[np.float32]]:
        """Of each region, [places,tiles] whether a place holds a chiplet; floats multiply fast."""
        return [
            np.array([[t in place.held for t in self._problem.mesh.tiles] for place in own])
            .reshape(len(own), len(self._problem.mesh.tiles))
            .astype(np.float32)
            for own in self.places
        ]
