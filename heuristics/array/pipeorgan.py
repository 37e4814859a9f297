"""PipeOrgan's decisions stage by stage (arXiv 2405.01736), each of which may be another function.

Its text gives ideas, not equations *(PipeOrgan)*: how deep to pipeline, if at all, follows from the
volumes of activations and weights and from skip connections; the granularity is the smallest tile
with which a consumer may start; the organisation follows from the granularity, with a consumer's
PEs beside its producer's where tiles are fine, and large blocks where they are coarse. How the
ideas become numbers is ours, as are the shares of PEs, which follow the work, and the last look,
whether pipelining pays at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from heuristics.array.segments import (
    Found,
    alone,
    busy,
    few_bands,
    laid_out,
    organised,
    schedule_of,
)
from instances.array import Array, Organisation
from instances.cost.array import ArrayCosts, SegmentWork
from instances.cost.rates import over
from instances.cost.tiles import Tiling
from schedules.array.patterns import Pattern
from schedules.array.progress import ArrayProgress
from schedules.progress import Stop

NARROW = 2
"""Columns of a block on average: with fewer, blocks side by side are too unequal (ours)."""

Depth = Callable[[ArrayCosts, int], int]
"""First layer of a segment -> last one that is worth pipelining with it."""

Granularity = Callable[[ArrayCosts, int, int], tuple[Tiling, int]]
"""First and last layer of a segment -> tiling and tiles."""

Organise = Callable[[Array, SegmentWork], Organisation]
"""Work of a segment -> its organisation."""

Allocate = Callable[[ArrayCosts, SegmentWork, tuple[Pattern, ...]], Found | None]
"""Work of a segment, patterns -> the segment in one of them."""


@dataclass(frozen=True)
class Rules:
    """The stages; defaults are our reading of PipeOrgan's.

    Attributes:
        depth: how many layers are pipelined, before the buffer is looked at.
        granularity: in what tiles.
        organisation: how their blocks lie.
        allocate: how many PEs each has.
        guarded: whether smaller depths are compared, down to a layer by itself *(ours)*.
    """

    depth: Depth
    granularity: Granularity
    organisation: Organise
    allocate: Allocate
    guarded: bool = True


def by_volume(costs: ArrayCosts, first: int) -> int:
    """Pipeline as long as memory bounds the layers, and activations outweigh weights.

    A layer joins the segment if it, or the segment so far, waits for data; what it reads from the
    segment is no less than its own weights; and all that is handed on is no less than all weights
    *(PipeOrgan: the ratio of activations to weights; ours: this form)*. Where one does not, the
    layers up to the end of a skip edge join all at once if all that is handed on, the skip edge
    included, is no less than all weights *(PipeOrgan: skip connections ask for more depth; ours:
    this form)*.
    """
    limit = min(costs.layers, first + costs.array.depth) - 1
    last, handed, weights = first, 0, costs.stationary(first)
    while last < limit:
        reads, own = _handed(costs, first, last + 1), costs.stationary(last + 1)
        heavy = own > reads or weights + own > handed + reads
        if not heavy and not waits(costs, first, last) and not waits(costs, last + 1, last + 1):
            break
        end = _skip_end(costs, first, last, limit) if heavy else last + 1
        handed += sum(_handed(costs, first, k) for k in range(last + 1, end + 1))
        weights += sum(costs.stationary(k) for k in range(last + 1, end + 1))
        if end == last or handed < weights or weights > costs.array.buffer_bytes // 2:
            break
        last = end
    return last


def waits(costs: ArrayCosts, first: int, last: int) -> bool:
    """Whether layers, pipelined or a single one, wait for data even if all PEs have equal shares.

    Counted is what comes and goes by the DRAM, and by the buses.
    """
    array, inside = costs.array, range(first, last + 1)
    works = (costs.segment(k, k, "positions", 1).layers[0] for k in inside)
    compute = costs.batch * sum(work.compute(array.pes, 1) for work in works)
    moved = sum(costs.size(t) for k in inside for t in costs.tensors[k] if t.producer < first)
    moved += sum(
        costs.size(tensor)
        for k in inside
        for tensor in costs.made[k]
        if tensor.leaves or max(tensor.consumers, default=last) > last
    )
    moved = costs.batch * moved + sum(map(costs.weights, inside))
    bus = over(moved, array.bus_bytes * array.mesh[0])
    return max(bus, over(costs.dram(first, last), array.dram_bytes)) > compute


def _handed(costs: ArrayCosts, first: int, layer: int) -> int:
    """Bytes of a batch that a layer reads from those from `first` on."""
    return costs.batch * sum(costs.size(t) for t in costs.tensors[layer] if t.producer >= first)


def _skip_end(costs: ArrayCosts, first: int, last: int, limit: int) -> int:
    """The last layer up to `limit` that skips `last + 1`: reads from `first` to `last` directly."""
    ends = [
        reader
        for layer in range(first, last + 1)
        for tensor in costs.made[layer]
        for reader in tensor.consumers
        if last + 1 < reader <= limit
    ]
    return max(ends, default=last)


def by_granule(array: Array, work: SegmentWork) -> Organisation:
    """Fine tiles: cells all over the array; coarse ones: one block a layer.

    Tiles are fine if, with two cells, each layer's share of the registers holds its weights and the
    data on their way to it, so that they need not go through the buffer tile by tile *(PipeOrgan:
    organisation from granularity; ours: this bound)*. Where blocks would be narrow, they are in
    rows *(ours)*.
    """
    share = array.pes // (2 * work.depth) * array.register_bytes
    held = (layer.needs[-1] for layer in work.layers)
    fine = all(need.own + over(need.shared, 2) <= share for need in held)
    if work.depth * NARROW > array.mesh[0]:
        return "checkerboard" if fine else "blocked-2d"
    return "striped" if fine else "blocked-1d"


def in_proportion(costs: ArrayCosts, work: SegmentWork, among: tuple[Pattern, ...]) -> Found | None:
    """Whole numbers of PEs that keep the slowest layer as fast as can be.

    Shares follow the work of a tile, but are solved, not rounded *(ours)*.
    """
    return laid_out(costs, work, among)


PIPEORGAN = Rules(by_volume, busy, by_granule, in_proportion)
"""The rules of method `pipeorgan`."""


def pipeorgan(progress: ArrayProgress, options: object, rules: Rules = PIPEORGAN) -> Stop:
    """Segment after segment, as the rules decide.

    At the time limit, the layers that are left run one by one.
    """
    costs, first, found = progress.costs, 0, list[Found]()
    while first < costs.layers:
        found.append(alone(costs, first) if progress.expired else decided(costs, first, rules))
        first = found[-1].segment.last + 1
    progress.offer(schedule_of(found))
    return "time-limit" if progress.expired else "finished"


def decided(costs: ArrayCosts, first: int, rules: Rules = PIPEORGAN) -> Found:
    """The next segment from a layer on.

    Where the depth that was asked for does not fit, half of it, rounded up, is tried, and so on.
    With a guard, halves are tried anyway, and what takes the smallest part of its layers' time one
    by one is chosen *(ours)*.
    """
    depth = rules.depth(costs, first) - first + 1
    best, least = alone(costs, first), Fraction(1)
    while depth > 1:
        found = _laid_out(costs, first, first + depth - 1, rules)
        if found is not None:
            if not rules.guarded:
                return found
            layers = range(first, first + depth)
            part = Fraction(found.cycles, sum(alone(costs, k).cycles for k in layers))
            if part < least:
                best, least = found, part
        depth -= depth // 2
    return best


def _laid_out(costs: ArrayCosts, first: int, last: int, rules: Rules) -> Found | None:
    """A segment of these layers as the rules have it; None if it does not fit."""
    if not choices(costs.array, last - first + 1):
        return None
    work = costs.segment(first, last, *rules.granularity(costs, first, last))
    if not work.fits:
        return None
    among = choices(costs.array, work.depth, rules.organisation(costs.array, work))
    return rules.allocate(costs, work, among)


@cache
def choices(
    array: Array, depth: int, organisation: Organisation = "blocked-1d"
) -> tuple[Pattern, ...]:
    """Patterns of an organisation; of all organisations where it has no room for so many layers."""
    few = few_bands(array, depth)
    return tuple(own for own in organised(array, depth, organisation) if own in few) or few
