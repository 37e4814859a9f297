"""Dataflows that decide depth and organisation once for all: what PipeOrgan is compared with.

All lay out the blocks of a segment side by side, from one side of the array to the other. PEs are
shared out as well as can be, and each segment has the best of a few tile counts *(ours)*: what sets
them apart is the depth. A layer that can be pipelined with no other runs by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from heuristics.array.segments import Found, alone, busy, laid_out, organised, schedule_of
from instances.cost.array import ArrayCosts
from instances.cost.tiles import Tiling
from schedules.array.progress import ArrayProgress
from schedules.progress import Stop

ENOUGH = (3, 8)
"""Outputs of each PE in a tile that are tried (ours)."""

Tiles = tuple[Tiling, int]

Cut = Callable[[ArrayCosts, int, int], list[Tiles]]
"""Costs, first and last layer of a segment -> tilings and tiles that are tried."""


def unpipelined(progress: ArrayProgress, options: object) -> Stop:
    """Each layer by itself on the whole array, one after the other."""
    costs = progress.costs
    progress.offer(schedule_of(alone(costs, k) for k in range(costs.layers)))
    return "finished"


def pairs(progress: ArrayProgress, options: object) -> Stop:
    """Two layers at a time: the first and the second, the third and the fourth, and so on.

    Tiles are the finest of Tangram's rule with which PEs have enough to do *(ours)*.
    """
    found = fixed_depth(progress.costs, 2)
    progress.offer(schedule_of(found))
    return "finished"


def tangram_like(progress: ArrayProgress, options: object) -> Stop:
    """The same number of layers, 2 or more, in every segment that they fit: the best number.

    Blocks side by side, in fine tiles from loop orders that alternate, are Tangram's (Gao and
    others, ASPLOS 2019). Its search gives each segment a depth of its own; here all have the same,
    which is the fixed dataflow that bears its name here *(ours)*.
    """
    most = progress.costs.array.depth
    for depth in range(min(2, most), most + 1):
        progress.offer(schedule_of(fixed_depth(progress.costs, depth)))
        if progress.expired:
            return "time-limit"
    return "finished"


def simba_like(progress: ArrayProgress, options: object) -> Stop:
    """As many layers at a time as the registers of all PEs can hold the weights of.

    That weights stay where they are is Simba's (Shao and others, MICRO 2019). The depth that
    follows, and tiles of a row of the layer with the fewest, are ours.
    """
    costs, first, found = progress.costs, 0, list[Found]()
    while first < costs.layers:
        last = _in_registers(costs, first)
        found.append(longest(costs, first, last, _rows))
        first = found[-1].segment.last + 1
    progress.offer(schedule_of(found))
    return "finished"


def fixed_depth(costs: ArrayCosts, depth: int) -> Iterator[Found]:
    """Segments of so many layers; one that does not fit is cut shorter."""
    first = 0
    while first < costs.layers:
        found = longest(costs, first, min(first + depth, costs.layers) - 1, _fine)
        yield found
        first = found.segment.last + 1


def longest(costs: ArrayCosts, first: int, last: int, cut: Cut) -> Found:
    """The best segment of the most layers from `first` on, none after `last`, that fits."""
    for end in range(last, first, -1):
        among = organised(costs.array, end - first + 1, "blocked-1d")
        if (
            not among
            or sum(map(costs.stationary, range(first, end + 1))) > costs.array.buffer_bytes // 2
        ):
            continue
        works = [costs.segment(first, end, *own) for own in cut(costs, first, end)]
        found = [own for work in works if (own := laid_out(costs, work, among)) is not None]
        if found:
            return min(found, key=lambda own: own.cycles)
    return alone(costs, first)


def _in_registers(costs: ArrayCosts, first: int) -> int:
    """The last layer of which registers hold the weights together with all from `first` on."""
    array, last = costs.array, first
    room = array.pes * array.register_bytes - costs.stationary(first)
    while last + 1 < min(costs.layers, first + array.depth):
        room -= costs.stationary(last + 1)
        if room < 0:
            break
        last += 1
    return last


def _fine(costs: ArrayCosts, first: int, last: int) -> list[Tiles]:
    """The finest tiles for which PEs have enough to do."""
    return list(dict.fromkeys(busy(costs, first, last, outputs) for outputs in ENOUGH))


def _rows(costs: ArrayCosts, first: int, last: int) -> list[Tiles]:
    """A row of the layer with the fewest rows."""
    rows = min(layer.positions[0] for layer in costs.network.layers[first : last + 1])
    return [("positions", rows)]
