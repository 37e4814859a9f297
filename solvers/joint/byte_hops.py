"""Places of the fewest bytes times hops, by trying all: what deciding places second means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from instances.instance import Instance
from instances.mesh import Mesh
from schedules.placement import PlacementProblem, placement_problem
from schedules.schedule import Schedule, Segment
from schedules.traffic import DRAM, Stream, loads_of, model_of
from solvers.joint.regions import Regions


def fewest_byte_hops(instance: Instance, schedule: Schedule) -> Schedule:
    """The schedule with connected places that have the fewest bytes times hops in each segment.

    Raises:
        ValueError: a table instance, too many chiplets, or regions for which there is no room.
    """
    regions = Regions(Mesh.of(model_of(instance).package))
    return Schedule(tuple(_placed(instance, regions, segment) for segment in schedule.segments))


def _placed(instance: Instance, regions: Regions, segment: Segment) -> Segment:
    if segment.tiled:
        tiles = [regions.mesh.tiles]
    else:
        search = _Search(placement_problem(instance, segment), regions)
        search.place((), 0)
        if search.best is None:
            raise ValueError(
                f"the regions of layers {segment.first} to {segment.last} do not fit the mesh as"
                " connected ones"
            )
        tiles = [regions.tiles[region] for region in search.best]
    return Segment(
        tuple(replace(c, tiles=own) for c, own in zip(segment.clusters, tiles, strict=True)),
        segment.tiled,
    )


class _Search:
    """Depth-first over the clusters, each on every region that is free.

    Attributes:
        best: regions of the best places, None while there are none.
        fewest: their bytes times hops.
    """

    def __init__(self, problem: PlacementProblem, regions: Regions) -> None:
        self.problem, self.regions = problem, regions
        self.best: tuple[int, ...] | None = None
        self.fewest = 0
        self.masks = [int(sum(1 << t for t in row.nonzero()[0])) for row in regions.members]
        self.cost = cache(self._cost)

    def place(self, chosen: tuple[int, ...], spent: int) -> None:
        """Try all places of the clusters after those that have one."""
        if len(chosen) == len(self.problem.sizes):
            self.best, self.fewest = chosen, spent
            return
        for more, region in sorted(self._choices(chosen)):
            if self.best is None or spent + more < self.fewest:
                self.place((*chosen, region), spent + more)

    def _choices(self, chosen: tuple[int, ...]) -> Iterator[tuple[int, int]]:
        """Bytes times hops that a place adds, and its region."""
        k, used = len(chosen), 0
        for region in chosen:
            used |= self.masks[region]
        own = [s for s in self.problem.streams if max(s.sender, s.receiver) == k]
        for region, size in enumerate(self.regions.sizes.tolist()):
            if size == self.problem.sizes[k] and not used & self.masks[region]:
                at = (*chosen, region)  # at[DRAM] is of no account
                yield sum(self.cost(s, at[s.sender], at[s.receiver]) for s in own), region

    def _cost(self, stream: Stream, sender: int, receiver: int) -> int:
        places = [self.regions.tiles[sender], self.regions.tiles[receiver]]
        ends = [
            DRAM if end == DRAM else k for k, end in enumerate((stream.sender, stream.receiver))
        ]
        own = replace(stream, sender=ends[0], receiver=ends[1])
        return int(loads_of(own, self.regions.mesh, places).sum())
