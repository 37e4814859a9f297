"""What the heuristics for arrays share: a segment of given layers and tiles, and what it takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from heuristics.array.allocation import best_layout
from instances.array import Array, Organisation
from instances.cost.array import ArrayCosts, SegmentWork
from instances.cost.tiles import Tiling
from schedules.array.patterns import Pattern, patterns
from schedules.array.schedule import ArraySchedule, ArraySegment
from schedules.array.schedule import organisation as organisation_of

BANDS = 2
"""The most rows of blocks: with more, there are too many ways to share out PE rows (ours)."""

OUTPUTS = 6
"""Of each PE in a tile, at least (ours): with fewer, the last of them leaves many PEs idle."""


@dataclass(frozen=True)
class Found:
    """A segment, and what it takes.

    Attributes:
        cycles: of the whole batch.
        segment: that takes them.
    """

    cycles: int
    segment: ArraySegment


def schedule_of(found: Iterable[Found]) -> ArraySchedule:
    """The schedule of segments that follow each other."""
    return ArraySchedule(tuple(own.segment for own in found))


def alone(costs: ArrayCosts, layer: int) -> Found:
    """A layer by itself on the whole array."""
    found = laid_out(costs, costs.segment(layer, layer, "positions", 1))
    assert found is not None, "there is one pattern for a layer by itself"
    return found


def laid_out(
    costs: ArrayCosts, work: SegmentWork, among: tuple[Pattern, ...] | None = None
) -> Found | None:
    """A segment in the best layout; None if there is none or it does not fit the buffer.

    Args:
        costs: of the network on the array.
        work: of the segment.
        among: patterns that count; all by default.
    """
    found = best_layout(costs.array, work, among=among) if work.fits else None
    if found is None:
        return None
    segment = ArraySegment(work.first, work.last, work.tiling, work.tiles, found.layout)
    return Found(work.beats * found.beat, segment)


@cache
def organised(array: Array, depth: int, organisation: Organisation) -> tuple[Pattern, ...]:
    """The patterns of an organisation in which so many layers can be laid out."""
    return tuple(
        own
        for own in patterns(array, depth)
        if organisation_of(depth, own.grid[0], own.cells) == organisation
    )


@cache
def few_bands(array: Array, depth: int) -> tuple[Pattern, ...]:
    """Patterns of all organisations with at most BANDS rows of blocks."""
    return tuple(own for own in patterns(array, depth) if own.grid[0] <= BANDS)


def finest(costs: ArrayCosts, first: int, last: int) -> tuple[Tiling, int]:
    """The smallest tiles with which consumers may start *(Tangram, PipeOrgan)*.

    Of the two tilings it is the one with more tiles; by positions if both have equally many.
    """
    by_channels = costs.most_tiles(first, last, "channels")
    by_positions = costs.most_tiles(first, last, "positions")
    if by_channels > by_positions:
        return "channels", by_channels
    return "positions", by_positions


def busy(costs: ArrayCosts, first: int, last: int, outputs: int = OUTPUTS) -> tuple[Tiling, int]:
    """The smallest tiles with which consumers may start and PEs have enough to do *(ours)*.

    If all PEs work at all times, each of N makes, of a tile of 1/T of a sample with M MACs in
    all, M / (N T m) outputs of a layer whose outputs take m. T is the most for which it makes
    `outputs` of each layer.
    """
    layers = costs.network.layers[first : last + 1]
    tiling, most = finest(costs, first, last)
    macs = sum(layer.macs for layer in layers)
    own = max(layer.depth // layer.groups * layer.kernel[0] * layer.kernel[1] for layer in layers)
    limit = macs // (own * costs.array.pes * outputs)
    counts = [n for name, n in costs.tile_counts(first, last) if name == tiling]
    return tiling, max([n for n in counts if n <= min(limit, most)], default=counts[0])
