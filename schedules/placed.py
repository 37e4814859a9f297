"""What a placed schedule costs: the specification in code, plain, without any method.

The times of `evaluate` with two changes (ours): what a layer receives takes as many hops as the
longest way of its flows has, and no beat is shorter than the busiest link needs for a sample's
bytes. A link has the bandwidth of a port. Weights are loaded before the first sample and take no
part in the beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from instances.cost.facts import way_cycles
from instances.cost.model import AnalyticCosts
from instances.cost.placed import stage_cycles
from instances.cost.rates import at_rate
from instances.cost.work import WEIGHTS
from instances.instance import Instance
from instances.mesh import Mesh
from instances.package import Package
from instances.tables import Ints
from schedules.compressed import refuse_compressed
from schedules.schedule import Cluster, Schedule, Segment
from schedules.traffic import DRAM, Flow, Places, ends, flows, loads_of, model_of


@dataclass(frozen=True)
class PlacedStage:
    """Cost of one stage with a place, a sample.

    Attributes:
        cycles: of its layers, with the hops of its ways.
        link: cycles that its flows keep the busiest of their links.
    """

    cycles: int
    link: int

    @property
    def time(self) -> int:
        """Cycles between two samples that the stage needs."""
        return max(self.cycles, self.link)


@dataclass(frozen=True)
class PlacedSegment:
    """Cost of one segment with places.

    Attributes:
        load: cycles to bring all weights from DRAM, once.
        dram: cycles of DRAM traffic a sample.
        link: cycles that a sample keeps the busiest link of all flows together.
        beat: cycles between two samples: the slowest stage, the DRAM or the busiest link.
        time: load + (batch + clusters - 1) * beat.
        stages: of each cluster; of a tiled segment, none.
    """

    load: int
    dram: int
    link: int
    beat: int
    time: int
    stages: tuple[PlacedStage, ...]


@dataclass(frozen=True)
class PlacedEvaluation:
    """Cost of a placed schedule: cycles of the whole batch, and of each segment."""

    latency: int
    segments: tuple[PlacedSegment, ...]


def placed_evaluation(instance: Instance, schedule: Schedule) -> PlacedEvaluation:
    """The cost of a schedule whose clusters all have places; tiled segments need none.

    Raises:
        ValueError: a table instance, a schedule with compressed tensors, or a cluster has no place.
    """
    refuse_compressed(schedule, "the cost of places")
    segments = tuple(placed_segment(instance, segment) for segment in schedule.segments)
    return PlacedEvaluation(sum(segment.time for segment in segments), segments)


def placed_segment(instance: Instance, segment: Segment) -> PlacedSegment:
    """The cost of one segment.

    Raises:
        ValueError: a table instance, or a cluster has no place.
    """
    costs = model_of(instance)
    mesh = Mesh.of(costs.package)
    places = places_of(mesh, segment)
    own = costs.segment(segment.first, segment.last)
    each_sample = [flow for flow in flows(instance, segment) if not flow.once]
    link = _busiest(costs.package, mesh, each_sample, places)
    dram = own.dram
    stages: tuple[PlacedStage, ...] = ()
    if segment.tiled:
        dram, beat = 0, (costs.tiled(segment.first) or (-1, 0))[0]
    else:
        stages = tuple(
            _stage(costs, mesh, cluster, [f for f in each_sample if stage_of(f) == k], places)
            for k, cluster in enumerate(segment.clusters)
        )
        beat = max(dram, *(stage.time for stage in stages))
    load, beats = sum(own.load), instance.batch + len(segment.clusters) - 1
    beat = max(beat, link)
    return PlacedSegment(load, dram, link, beat, load + beats * beat, stages)


def places_of(mesh: Mesh, segment: Segment) -> Places:
    """Of each cluster of a segment; a tiled one takes all chiplets.

    Raises:
        ValueError: a cluster has no place.
    """
    if segment.tiled:
        return [mesh.tiles]
    for cluster in segment.clusters:
        if cluster.tiles is None:
            raise ValueError(
                f"the cluster of layers {cluster.first} to {cluster.last} has no place: places"
                " are needed to tell its ways"
            )
    return [cluster.tiles or () for cluster in segment.clusters]


def stage_of(flow: Flow) -> int:
    """The stage that pays for a flow: the one that takes it in, or sends it to DRAM."""
    return flow.sender if flow.receiver == DRAM else flow.receiver


def _busiest(package: Package, mesh: Mesh, given: Sequence[Flow], places: Places) -> int:
    """Cycles that the busiest link needs for what is sent over it."""
    loads: Ints = np.zeros(len(mesh.links), dtype=np.int64)
    for flow in given:
        loads += loads_of(flow, mesh, places)
    return link_cycles(package, int(loads.max(initial=0)))


def link_cycles(package: Package, amount: int) -> int:
    """Cycles that a link needs for so many bytes."""
    return at_rate(amount, package.chiplet.clock_hz, package.nop.bandwidth) if amount else 0


def _stage(
    costs: AnalyticCosts, mesh: Mesh, cluster: Cluster, own: Sequence[Flow], places: Places
) -> PlacedStage:
    """Its layers' times with the longest ways of what each of them takes in."""
    facts, network = costs.facts, costs.network
    ways = np.zeros(cluster.last - cluster.first + 1, dtype=np.int64)
    offset = int(facts.layers["uses"][cluster.first])
    uses = facts.uses["tensor"][offset : facts.layers["uses"][cluster.last + 1]]
    readers = facts.uses["layer"][offset:]
    skip_ways = np.zeros(len(uses), dtype=np.int64)
    for flow in own:
        if flow.receiver == DRAM:
            continue
        way = way_cycles(costs.package, longest_way(mesh, *ends(flow, mesh, places)))
        at = flow.layer - cluster.first
        if flow.tensor == WEIGHTS or network.tensors[flow.tensor].producer + 1 == flow.layer:
            ways[at] = max(ways[at], way)
        else:
            use = next(
                k for k, t in enumerate(uses) if t == flow.tensor and readers[k] == flow.layer
            )
            skip_ways[use] = way
    options = np.array([costs.options.index(name) for name in cluster.options], dtype=np.int64)
    cycles = stage_cycles(
        facts, cluster.first, cluster.last, options, cluster.chiplets, ways, skip_ways
    )
    return PlacedStage(int(cycles), _busiest(costs.package, mesh, own, places))


def longest_way(
    mesh: Mesh, senders: Sequence[tuple[int, int]], receivers: Sequence[tuple[int, int]]
) -> int:
    """Hops from the farthest of some places to another of some."""
    return max((mesh.hops(a, b) for a in senders for b in receivers), default=0)
