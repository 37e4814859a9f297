"""What a schedule costs: the specification in code.

Nothing here is shared with the methods: plain loops over the tables of one cluster after the
other, Python integers, no solver.
The formulas are those of docs/problem.md; a schedule is expected to pass `verify` first.
"""

from __future__ import annotations

from dataclasses import dataclass

from instances.compressed_costs import costs_of
from instances.costs import Costs, StageSkip, StageTables
from instances.instance import Instance
from schedules.schedule import Cluster, Schedule, Segment


@dataclass(frozen=True)
class ClusterCost:
    """Cost of one pipeline stage, a sample.

    Attributes:
        time: cycles between two samples that the stage needs.
        compute: the arithmetic in it, None if the tables do not tell it.
        exchange: the rest: receiving, redistributing, sending, and what coders do; None likewise.
        memory: bytes that each chiplet of the region needs.
        energy: picojoules.
        load, load_energy: cycles and picojoules to bring the weights of its encoders and decoders,
            once.
    """

    time: int
    compute: int | None
    exchange: int | None
    memory: int
    energy: int
    load: int = 0
    load_energy: int = 0


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
    ratios = schedule.ratios
    costs = tuple(segment_cost(instance, segment, ratios) for segment in schedule.segments)
    cycles = sum(cost.time for cost in costs)
    busy = sum(
        cluster.chiplets * cost.time * instance.batch
        for segment, parts in zip(schedule.segments, costs, strict=True)
        for cluster, cost in zip(segment.clusters, parts.clusters, strict=True)
    )
    available = instance.chiplets * cycles
    return Evaluation(
        latency=cycles,
        throughput=instance.batch / cycles if cycles else float("inf"),
        energy=sum(cost.energy for cost in costs) + instance.costs.leakage * cycles,
        utilisation=busy / available if available else 1.0,
        segments=costs,
    )


def latency(instance: Instance, schedule: Schedule) -> int:
    """Cycles for the whole batch."""
    ratios = schedule.ratios
    return sum(segment_cost(instance, segment, ratios).time for segment in schedule.segments)


def segment_cost(instance: Instance, segment: Segment, ratios: tuple[int, ...] = ()) -> SegmentCost:
    """Cost of one segment (docs/problem.md, 'The cost of a schedule').

    Args:
        ratios: those of the schedule.
    """
    costs, batch = costs_of(instance, ratios), instance.batch
    own = costs.segment(segment.first, segment.last)
    if segment.tiled:
        stage = _tiled_cost(costs, segment.first)
        clusters: tuple[ClusterCost, ...] = (stage,)
        dram, sample_energy = 0, stage.energy
        beat = stage.time
    else:
        clusters = tuple(cluster_cost(costs, cluster) for cluster in segment.clusters)
        dram, sample_energy = own.dram, own.dram_energy + sum(c.energy for c in clusters)
        beat = max(dram, *(cluster.time for cluster in clusters))
    load = sum(own.load) + sum(cluster.load for cluster in clusters)
    load_energy = sum(own.load_energy) + sum(cluster.load_energy for cluster in clusters)
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


def _tiled_cost(costs: Costs, layer: int) -> ClusterCost:
    time, energy = costs.tiled(layer) or (-1, 0)
    return ClusterCost(time, None, None, memory=0, energy=energy)


def cluster_cost(costs: Costs, cluster: Cluster) -> ClusterCost:
    """Cost of one stage (docs/problem.md, 'The cost of a schedule')."""
    stage = costs.stage(cluster.first, cluster.last, cluster.chiplets)
    options = [costs.options.index(name) for name in cluster.options]
    time = int(stage.entry[0, options[0]]) + int(stage.exit[-1, options[-1]])
    energy = int(stage.entry_energy[0, options[0]]) + int(stage.exit_energy[-1, options[-1]])
    for k in range(1, len(options)):
        time += int(stage.step[k, options[k - 1], options[k]])
        energy += int(stage.step_energy[k, options[k - 1], options[k]])
    for skip in stage.skips:
        skip_time, skip_energy = _skip_cost(skip, cluster, options)
        time += skip_time
        energy += skip_energy
    compute = None
    if stage.compute is not None:
        compute = sum(int(stage.compute[k, option]) for k, option in enumerate(options))
    return ClusterCost(
        time=time,
        compute=compute,
        exchange=None if compute is None else time - compute,
        memory=_memory(stage, cluster.first, options),
        energy=energy,
        load=stage.coders_load,
        load_energy=stage.coders_load_energy,
    )


def _skip_cost(skip: StageSkip, cluster: Cluster, options: list[int]) -> tuple[int, int]:
    """Cycles and picojoules of a skip tensor if it crosses the cluster's border."""
    first, last = cluster.first, cluster.last
    if skip.producer < first and skip.consumers:
        own = options[skip.consumers[0] - first]
        return int(skip.enter[0, own]), int(skip.enter_energy[0, own])
    if first <= skip.producer < last < skip.last_use:
        return skip.leave, skip.leave_energy
    return 0, 0


def cluster_memory(costs: Costs, cluster: Cluster) -> int:
    """Bytes each chiplet of the region needs: all resident, and the largest momentary need."""
    stage = costs.stage(cluster.first, cluster.last, cluster.chiplets)
    return _memory(stage, cluster.first, [costs.options.index(name) for name in cluster.options])


def _memory(stage: StageTables, first: int, options: list[int]) -> int:
    resident, peak = stage.coders_resident, 0
    for k, option in enumerate(options):
        resident += int(stage.resident[k, option])
        momentary = int(stage.working[k, option]) + _held(stage, first, first + k)
        peak = max(peak, momentary)
    return resident + peak


def _held(stage: StageTables, first: int, layer: int) -> int:
    """Bytes of skip tensors that wait in the buffer while `layer` runs."""
    total = 0
    for skip in stage.skips:
        if layer in skip.consumers or skip.last_use <= layer:
            continue
        arrived_with = [v for v in (skip.producer, *skip.consumers) if v >= first]
        if arrived_with and arrived_with[0] < layer:
            total += skip.hold
    return total
