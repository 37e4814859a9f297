"""The best options of clusters with places where links take part: of all of them, or of some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import product

import numpy as np

from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.protocol import Modeller
from formulations.placement.choice import ChoiceModel, Stage
from instances.tables import Ints
from schedules.parallel import OutOfTimeError
from schedules.schedule import Cluster, Segment
from schedules.traffic import DRAM, flows, loads_of
from solvers.engines.engine import Outcome
from solvers.joint.times import Hops, Times

Place = tuple[int, int, int]
"""First layer, last layer, number of the region."""

Solve = Callable[[Modeller], Outcome]


def segment_of(times: Times, places: Sequence[Place], options: Sequence[Sequence[int]]) -> Segment:
    """The segment of clusters with regions and options."""
    names, regions = times.instance.options, times.regions
    return Segment(
        tuple(
            Cluster(
                first,
                last,
                int(regions.sizes[region]),
                tuple(names[o] for o in own),
                regions.tiles[region],
            )
            for (first, last, region), own in zip(places, options, strict=True)
        )
    )


class Linked:
    """A segment's clusters on their regions.

    Attributes:
        times, places: of the clusters.
        solve: runs CP-SAT.
    """

    def __init__(self, times: Times, places: Sequence[Place], solve: Solve) -> None:
        self.times, self.places, self.solve = times, places, solve
        self.begin = places[0][0]

    def hops(self, k: int, among: Sequence[int]) -> Hops:
        """Ways to a cluster from its sources; those not among some are as near as can be."""
        regions, (first, last, region) = self.times.regions, self.places[k]
        found = []
        for source in self.times.sources(first, last):
            home = next(
                (c for c in among if self.places[c][0] <= source <= self.places[c][1]), None
            )
            if home is not None:
                found.append(int(regions.ways[self.places[home][2], region]))
            else:
                nearest = regions.from_dram if source < self.begin else regions.least
                found.append(int(nearest[region]))
        return tuple(found)

    def best(self, among: Sequence[int], least: int, most: int) -> tuple[int, list[list[int]]]:
        """The least beat of some of the clusters, between two, and the options that reach it.

        What they send to the other clusters, and get from them, is left out. So the beat is a
        lower bound for every segment that has these clusters on these regions.

        Raises:
            OutOfTimeError: before the proof.
        """
        package = self.times.costs.package
        rate = Fraction(package.chiplet.clock_hz, package.nop.bandwidth).as_integer_ratio()
        senders = [*among, DRAM]
        model = ChoiceModel(
            CpSatModeller(),
            [self._stage(k, among, self.coming[senders].sum(axis=0)) for k in among],
            self.going[list(among)].sum(axis=0),
            rate,
            self.times.costs.capacity,
            least,
            most,
        )
        outcome = self.solve(model.modeller)
        if outcome.stop != "optimal" or outcome.solution is None:
            raise OutOfTimeError
        return outcome.solution.value(model.beat), model.chosen(outcome.solution)

    def _stage(self, k: int, among: Sequence[int], loads: Ints) -> Stage:
        first, last, region = self.places[k]
        regions = self.times.regions
        size, inside = int(regions.sizes[region]), int(regions.ways[region, region])
        tables = self.times.tables(first, last, size, inside, self.hops(k, among))
        resident, momentary = self.times.bytes(first, last, size)
        own = loads[first - self.begin : last + 1 - self.begin]
        return Stage(*tables, resident, momentary, own)

    def culprits(self, beat: int, enough: Callable[[int], int]) -> tuple[tuple[int, ...], int]:
        """A few clusters that cannot have a beat below what is enough, and the least they can.

        Args:
            beat: the least of all of them together.
            enough: of how many clusters -> a beat at which they are of no use.
        """
        among, least = list(range(len(self.places))), beat
        for k in list(among):
            fewer = [c for c in among if c != k]
            if fewer:
                reached, _ = self.best(fewer, 0, beat)
                if reached >= enough(len(fewer)):
                    among, least = fewer, reached
        return tuple(among), least

    @property
    def coming(self) -> Ints:
        """[K+1,layers,O,O,links] bytes for what each layer takes in, by sender, DRAM last.

        What a layer takes in depends on its option and on the one before, which is of no account
        for the first layer of a cluster.
        """
        return self._loads[0]

    @property
    def going(self) -> Ints:
        """[K,links] bytes that each cluster sends to DRAM, whatever the options."""
        return self._loads[1]

    @cached_property
    def _loads(self) -> tuple[Ints, Ints]:
        """Schedules in which two options take turns tell the loads of all pairs."""
        instance, mesh = self.times.instance, self.times.regions.mesh
        layers, count = self.places[-1][1] + 1 - self.begin, len(instance.options)
        clusters, links = len(self.places), len(mesh.links)
        coming = np.zeros((clusters + 1, layers, count, count, links), dtype=np.int64)
        going = np.zeros((clusters, links), dtype=np.int64)
        tiles = [self.times.regions.tiles[region] for _, _, region in self.places]
        firsts = {first for first, _, _ in self.places}
        for before, own, parity in product(range(count), range(count), range(2)):
            turns = (own, before) if parity == 0 else (before, own)
            options = [[turns[k % 2] for k in range(i, j + 1)] for i, j, _ in self.places]
            for flow in flows(instance, segment_of(self.times, self.places, options)):
                if flow.once:
                    continue
                if flow.receiver == DRAM:
                    if before == own == parity == 0:
                        going[flow.sender] += loads_of(flow, mesh, tiles)
                elif flow.layer % 2 == parity and (before == 0 or flow.layer not in firsts):
                    at = flow.sender, flow.layer - self.begin, before, own
                    coming[at] += loads_of(flow, mesh, tiles)
        return coming, going
