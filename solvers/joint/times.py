"""The least time of a cluster on a region: all its options, given its ways."""

from __future__ import annotations

from functools import cache, cached_property

import numpy as np

from instances.cost.facts import Records, way_cycles
from instances.cost.placed import PlacedTables, placed_tables
from instances.instance import Instance
from instances.mesh import Mesh
from instances.tables import Ints
from schedules.schedule import Cluster, Schedule
from schedules.traffic import model_of
from solvers.exact.labels import FAR, Column, fastest
from solvers.joint.regions import Regions

Hops = tuple[int, ...]
"""Of each source of a cluster, the links of the longest way from it."""


class Times:
    """Times of all clusters of an instance on all regions of its mesh.

    Attributes:
        instance: with a network and a package.
        regions: of its mesh.
        held: clusters that alone are allowed, by (first, last); None if all are.
    """

    def __init__(self, instance: Instance, held: Schedule | None = None) -> None:
        self.instance = instance
        self.costs = model_of(instance)
        self.regions = Regions(Mesh.of(self.costs.package))
        self.held: dict[tuple[int, int], Cluster] | None = None
        if held is not None:
            own = [cluster for segment in held.segments for cluster in segment.clusters]
            self.held = {(cluster.first, cluster.last): cluster for cluster in own}
        self.sources = cache(self._sources)
        self._fastest = cache(self._search)

    def allowed(self, first: int, last: int, size: int) -> bool:
        """Whether there may be such a cluster."""
        if self.held is None:
            return True
        cluster = self.held.get((first, last))
        return cluster is not None and cluster.chiplets == size

    def _sources(self, first: int, last: int) -> tuple[int, ...]:
        """Layers before a cluster that made what it reads; -1 for the world outside."""
        own = self._uses(first, last)
        return tuple(sorted({int(p) for p in own["producer"][own["since"] < first]}))

    def _uses(self, first: int, last: int) -> Records:
        facts = self.costs.facts
        uses: Records = facts.uses[facts.layers["uses"][first] : facts.layers["uses"][last + 1]]
        return uses

    def fastest(self, first: int, last: int, region: int, hops: Hops) -> tuple[int, Ints]:
        """Cycles and options of the fastest cluster with these ways; FAR if none fits."""
        inside = int(self.regions.ways[region, region])
        return self._fastest(first, last, int(self.regions.sizes[region]), inside, hops)

    def _search(
        self, first: int, last: int, size: int, inside: int, hops: Hops
    ) -> tuple[int, Ints]:
        tables = self.tables(first, last, size, inside, hops)
        resident, momentary = self.bytes(first, last, size)
        column = Column(*tables, resident, momentary, self.costs.capacity)
        time, options = fastest(column, FAR)
        return int(time), options

    def tables(self, first: int, last: int, size: int, inside: int, hops: Hops) -> PlacedTables:
        """Cycles of the cluster's layers by option, with the ways within it and to it."""
        sources = self.sources(first, last)
        way = {p: self._way[h] for p, h in zip(sources, hops, strict=True)}
        skip_ways = np.array([way.get(int(p), 0) for p in self._uses(first, last)["producer"]])
        chain = way.get(first - 1, 0)
        found: PlacedTables = placed_tables(
            self.costs.facts, first, last, size, self._way[inside], chain, skip_ways
        )
        return found

    @cached_property
    def _way(self) -> list[int]:
        """Cycles for the latency of so many hops."""
        most = len(self.regions.mesh.links)
        return [way_cycles(self.costs.package, hops) for hops in range(most + 1)]

    def bytes(self, first: int, last: int, size: int) -> tuple[Ints, Ints]:
        """[n,O] bytes that each layer holds all the time, and while it runs; too many if barred."""
        tables, c = self.instance.tables, size - 1
        resident = tables.resident[first : last + 1, :, c].copy()
        momentary = tables.working[first : last + 1, :, c] + self._waiting(first, last, c)[:, None]
        if self.held is not None:
            for k, name in enumerate(self.held[first, last].options):
                barred = [o != name for o in tables.options]
                resident[k, barred] = tables.capacity + 1
        return resident, np.ascontiguousarray(momentary)

    @cached_property
    def _held_from(self) -> list[Ints]:
        """[L][L,C] bytes of waiting skip tensors, by the layer with which the cluster begins."""
        tables = self.instance.tables
        return [tables.held(first) for first in range(len(tables.layers))]

    def _waiting(self, first: int, last: int, c: int) -> Ints:
        return self._held_from[first][first : last + 1, c]

    def least_hops(self, first: int, last: int, region: int, begin: int) -> Hops:
        """The nearest that its sources can be if the segment begins with layer `begin`."""
        regions = self.regions
        dram, near = int(regions.from_dram[region]), int(regions.least[region])
        return tuple(dram if p < begin else near for p in self.sources(first, last))

    def any_hops(self, first: int, last: int, region: int) -> Hops:
        """The nearest that its sources can be in any segment."""
        nearest = min(int(self.regions.from_dram[region]), int(self.regions.least[region]))
        if first == 0:
            return self.least_hops(first, last, region, begin=0)
        return (nearest,) * len(self.sources(first, last))
