"""What a schedule costs: the specification in code.

Nothing here is shared with the methods: plain loops over the tables, Python integers, no solver.
The formulas are those of docs/problem.md; a schedule is expected to pass `verify` first.
"""

from __future__ import annotations

from dataclasses import dataclass

from instances.instance import Instance
from instances.tables import CostTables
from schedules.schedule import Cluster, Schedule, Segment


@dataclass(frozen=True)
class ClusterCost:
    """Cost of one pipeline stage, a sample.

    Attributes:
        time: cycles between two samples that the stage needs.
        compute: the arithmetic in it, None if the tables do not tell it.
        exchange: the rest: receiving, redistributing, sending; None likewise.
        memory: bytes that each chiplet of the region needs.
        energy: picojoules.
    """

    time: int
    compute: int | None
    exchange: int | None
    memory: int
    energy: int


@dataclass(frozen=True)
class SegmentCost:
    """Cost of one segment.

    Attributes:
        load: cycles to bring all weights from DRAM, once.
        dram: cycles of DRAM traffic a sample.
        beat: cycles between two samples: the slowest stage or the DRAM.
        beats: batch + clusters - 1.
        time: load + beats * beat.
        energy: picojoules of the whole batch, without leakage.
        clusters: the stages.
    """

    load: int
    dram: int
    beat: int
    beats: int
    time: int
    energy: int
    clusters: tuple[ClusterCost, ...]


@dataclass(frozen=True)
class Evaluation:
    """Cost of a schedule.

    Attributes:
        latency: cycles for the whole batch.
        throughput: samples a cycle.
        energy: picojoules, leakage included.
        utilisation: the share of chiplet-cycles in which a chiplet's stage is busy.
        segments: the parts.
    """

    latency: int
    throughput: float
    energy: int
    utilisation: float
    segments: tuple[SegmentCost, ...]

    @property
    def edp(self) -> int:
        """Energy-delay product in picojoule cycles."""
        return self.energy * self.latency


def evaluate(instance: Instance, schedule: Schedule) -> Evaluation:
    """All costs of a schedule, by segment and cluster."""
    costs = tuple(segment_cost(instance, segment) for segment in schedule.segments)
    cycles = sum(cost.time for cost in costs)
    busy = sum(
        cluster.chiplets * cost.time * instance.batch
        for segment, parts in zip(schedule.segments, costs, strict=True)
        for cluster, cost in zip(segment.clusters, parts.clusters, strict=True)
    )
    available = instance.tables.chiplets * cycles
    return Evaluation(
        latency=cycles,
        throughput=instance.batch / cycles if cycles else float("inf"),
        energy=sum(cost.energy for cost in costs) + instance.tables.energy.leakage * cycles,
        utilisation=busy / available if available else 1.0,
        segments=costs,
    )


def latency(instance: Instance, schedule: Schedule) -> int:
    """Cycles for the whole batch."""
    return sum(segment_cost(instance, segment).time for segment in schedule.segments)


def segment_cost(instance: Instance, segment: Segment) -> SegmentCost:
    """Cost of one segment (docs/problem.md, 'The cost of a schedule')."""
    tables, batch = instance.tables, instance.batch
    first, last = segment.first, segment.last
    load = int(sum(tables.load[first : last + 1].tolist()))
    load_energy = sum(tables.energy.load[first : last + 1].tolist())
    if segment.tiled:
        stage = _tiled_cost(tables, first)
        clusters: tuple[ClusterCost, ...] = (stage,)
        dram, sample_energy = 0, stage.energy
        beat = stage.time
    else:
        clusters = tuple(cluster_cost(tables, cluster) for cluster in segment.clusters)
        dram = int(tables.io[first, last])
        sample_energy = int(tables.energy.io[first, last]) + sum(c.energy for c in clusters)
        beat = max(dram, *(cluster.time for cluster in clusters))
    beats = batch + len(clusters) - 1
    return SegmentCost(
        load=load,
        dram=dram,
        beat=beat,
        beats=beats,
        time=load + beats * beat,
        energy=load_energy + batch * sample_energy,
        clusters=clusters,
    )


def _tiled_cost(tables: CostTables, layer: int) -> ClusterCost:
    time, energy = int(tables.alone[layer]), int(tables.energy.alone[layer])
    return ClusterCost(time, None, None, memory=0, energy=energy)


def cluster_cost(tables: CostTables, cluster: Cluster) -> ClusterCost:
    """Cost of one stage (docs/problem.md, 'The cost of a schedule')."""
    first, last, c = cluster.first, cluster.last, cluster.chiplets - 1
    options = [tables.options.index(name) for name in cluster.options]
    energy_tables = tables.energy
    time = int(tables.entry[first, options[0], c])
    energy = int(energy_tables.entry[first, options[0], c])
    for layer in range(first + 1, last + 1):
        before, own = options[layer - 1 - first], options[layer - first]
        time += int(tables.step[layer, before, own, c])
        energy += int(energy_tables.step[layer, before, own, c])
    time += int(tables.exit[last, options[-1], c])
    energy += int(energy_tables.exit[last, options[-1], c])
    for skip_time, skip_energy in _skip_costs(tables, cluster, options):
        time += skip_time
        energy += skip_energy
    compute = None
    if tables.compute is not None:
        compute = sum(int(tables.compute[first + k, o, c]) for k, o in enumerate(options))
    return ClusterCost(
        time=time,
        compute=compute,
        exchange=None if compute is None else time - compute,
        memory=cluster_memory(tables, cluster),
        energy=energy,
    )


def _skip_costs(tables: CostTables, cluster: Cluster, options: list[int]) -> list[tuple[int, int]]:
    """(cycles, picojoules) of each skip tensor that crosses the cluster's border."""
    first, last, c = cluster.first, cluster.last, cluster.chiplets - 1
    costs = []
    for skip in tables.skips:
        used_here = [v for v in skip.consumers if first <= v <= last]
        if skip.producer < first and used_here:
            which = skip.consumers.index(used_here[0])
            own = options[used_here[0] - first]
            costs.append((int(skip.enter[which, own, c]), int(skip.enter_energy[which, own, c])))
        used_later = skip.leaves or skip.consumers[-1] > last
        if first <= skip.producer < last and used_later:
            costs.append((int(skip.leave[c]), int(skip.leave_energy[c])))
    return costs


def cluster_memory(tables: CostTables, cluster: Cluster) -> int:
    """Bytes each chiplet of the region needs: all resident, and the largest momentary need."""
    first, c = cluster.first, cluster.chiplets - 1
    resident, peak = 0, 0
    for layer, name in enumerate(cluster.options, start=first):
        option = tables.options.index(name)
        resident += int(tables.resident[layer, option, c])
        momentary = int(tables.working[layer, option, c]) + _held(tables, first, layer, c)
        peak = max(peak, momentary)
    return resident + peak


def _held(tables: CostTables, first: int, layer: int, c: int) -> int:
    """Bytes of skip tensors that wait in the buffer while `layer` runs."""
    total = 0
    for skip in tables.skips:
        needed_later = skip.leaves or skip.consumers[-1] > layer
        if layer in skip.consumers or not needed_later:
            continue
        arrived_with = [v for v in (skip.producer, *skip.consumers) if v >= first]
        if arrived_with and arrived_with[0] < layer:
            total += int(skip.hold[c])
    return total
