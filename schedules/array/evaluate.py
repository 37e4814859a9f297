"""What a schedule on an array costs; it knows no solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from instances.array import Array
from instances.cost.array import REGISTER_ACCESSES, ArrayCosts, Need, SegmentWork, Work
from instances.cost.rates import over
from schedules.array.links import hop_bytes, link_cycles
from schedules.array.schedule import ArraySchedule, ArraySegment, Layout

Resource = Literal["compute", "bus", "links", "DRAM"]

RESOURCES: tuple[Resource, ...] = get_args(Resource)


@dataclass(frozen=True)
class Beat:
    """Cycles that each resource needs for a tile; the slowest makes the beat.

    Attributes:
        compute: of each layer's PEs.
        bus: of each layer's columns.
        links: of the busiest link.
        dram: of the DRAM.
    """

    compute: tuple[int, ...]
    bus: tuple[int, ...]
    links: int
    dram: int

    @property
    def cycles(self) -> int:
        """Of the beat."""
        return max(*self.compute, *self.bus, self.links, self.dram)

    @property
    def limit(self) -> Resource:
        """The first of RESOURCES that needs the whole beat."""
        needs = (max(self.compute), max(self.bus), self.links, self.dram)
        return RESOURCES[needs.index(self.cycles)]


@dataclass(frozen=True)
class SegmentEvaluation:
    """Costs of a segment.

    Attributes:
        segment: that was evaluated.
        work: of its layers.
        beat: what a tile takes.
        energy: picojoules of the whole batch.
    """

    segment: ArraySegment
    work: SegmentWork
    beat: Beat
    energy: float

    @property
    def cycles(self) -> int:
        """Of the whole batch: beats times the beat."""
        return self.work.beats * self.beat.cycles


@dataclass(frozen=True)
class ArrayEvaluation:
    """Costs of a schedule.

    Attributes:
        segments: of each.
        latency: cycles of the whole batch.
        energy: picojoules of the whole batch.
    """

    segments: tuple[SegmentEvaluation, ...]
    latency: int
    energy: int


def evaluate_array(costs: ArrayCosts, schedule: ArraySchedule) -> ArrayEvaluation:
    """Costs of a schedule that `array_violations` accepts."""
    segments = tuple(evaluate_segment(costs, segment) for segment in schedule.segments)
    return ArrayEvaluation(
        segments,
        latency=sum(segment.cycles for segment in segments),
        energy=round(sum(segment.energy for segment in segments)),
    )


def evaluate_segment(costs: ArrayCosts, segment: ArraySegment) -> SegmentEvaluation:
    """Costs of a segment."""
    work = costs.segment(segment.first, segment.last, segment.tiling, segment.tiles)
    beat = beat_of(costs.array, work, segment.layout)
    return SegmentEvaluation(segment, work, beat, _energy(costs, work, segment.layout))


def beat_of(array: Array, work: SegmentWork, layout: Layout) -> Beat:
    """What a tile takes in a layout."""
    own = list(zip(work.layers, layout.pes(work.depth), strict=True))
    widths = [layout.widths[column] for _, column in layout.places(work.depth)]
    return Beat(
        compute=tuple(layer.compute(pes, layout.cells) for layer, pes in own),
        bus=tuple(
            bus_cycles(array, carried(array, layer, pes, layout), width, layout)
            for (layer, pes), width in zip(own, widths, strict=True)
        ),
        links=link_cycles(work.flows, layout, work.depth, array.express, array.link_bytes),
        dram=over(work.dram, work.beats * array.dram_bytes),
    )


def carried(array: Array, layer: Work, pes: int, layout: Layout) -> Need:
    """The way to use a block's registers that leaves least to the buses.

    Args:
        array: with these registers.
        layer: whose block it is.
        pes: of the block in a cell.
        layout: with these cells.
    """
    room = pes * array.register_bytes
    fitting = [need for need in layer.needs if need.own + over(need.shared, layout.cells) <= room]
    return min(fitting, key=lambda need: need.bus_own + over(need.bus_shared, layout.repeats[0]))


def bus_cycles(array: Array, need: Need, width: int, layout: Layout) -> int:
    """Cycles of a tile on the buses of a block's columns.

    The bands of a cell have equal shares of a column's bus. Cells in the same columns need the
    same weights, which are sent once, and have shares of the data.
    """
    size = need.bus_own + over(need.bus_shared, layout.repeats[0])
    return over(size * len(layout.heights), width * array.bus_bytes)


def _energy(costs: ArrayCosts, work: SegmentWork, layout: Layout) -> float:
    """Picojoules of the whole batch."""
    array, layers = costs.array, costs.network.layers[work.first : work.last + 1]
    macs = sum(layer.macs for layer in layers) * costs.batch
    tiles = work.tiles * costs.batch
    bus = 0
    for layer, pes in zip(work.layers, layout.pes(work.depth), strict=True):
        need = carried(array, layer, pes, layout)
        bus += need.bus_own * layout.repeats[0] + need.bus_shared
    hops = hop_bytes(work.flows, layout, work.depth, array.express)
    registers = REGISTER_ACCESSES * array.element_bytes * macs
    return (
        macs * array.mac_pj
        + registers * array.register_pj
        + bus * tiles * array.buffer_pj
        + float(hops * tiles) * array.hop_pj
        + work.dram * array.dram_pj
    )
