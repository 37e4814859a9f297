"""A shortest path over guesses: few segments are priced, those that look best *(ours)*.

Layers are cut into segments by a dynamic program over what each segment is guessed to take. The
segments on the best path are priced, their guesses replaced by what they take, and the program is
run anew, until a best path has no guess on it, or enough was priced. The answer is the best path of
segments that were priced.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from heuristics.array.pipeorgan import pipeorgan
from heuristics.array.segments import Found, alone, busy, few_bands, laid_out, schedule_of
from instances.cost.array import ArrayCosts
from instances.cost.tiles import Tiling
from instances.jit import compiled
from instances.network import OUTSIDE, Tensor
from schedules.array.progress import ArrayProgress
from schedules.progress import Stop

Floats = NDArray[np.float64]

Span = tuple[int, int]
"""First and last layer."""

ENOUGH = (3, 8)
"""Outputs of each PE in a tile that are tried, as for the baselines."""

BUDGET = 64
"""Segments that are priced; as many as there are layers, if these are more."""

WAIT = 0.5
"""Of the time to fill a pipeline, what guesses take: with all of it, good segments are not looked
at, with little, many that are not."""


def pipeorgan_plus(progress: ArrayProgress, options: object, budget: int | None = None) -> Stop:
    """PipeOrgan's rules, then the shortest path, then the best tiles of each segment on it.

    No path is looked for once `budget` segments are priced; by default BUDGET, or one for each
    layer if there are more.
    """
    pipeorgan(progress, options)
    assert progress.best is not None, "rules always lead to a schedule"
    costs = progress.costs
    known: dict[Span, Found] = {(k, k): alone(costs, k) for k in range(costs.layers)}
    guesses = guessed(costs)
    for (first, _), own in known.items():
        guesses[first, 0] = own.cycles
    left = max(BUDGET, costs.layers) if budget is None else budget
    while left > 0 and not progress.expired:
        new = [(a, b) for a, b in _path(guesses) if a < b and (a, b) not in known]
        if not new:
            break
        left -= len(new)
        progress.count("segments", len(new))
        for first, last in new:
            found = priced(costs, first, last)
            if found is None:
                _rule_out(guesses, first, last)
            else:
                known[first, last] = found
                guesses[first, last - first] = found.cycles
    best = [known[span] for span in _path(_table(costs, known))]
    progress.offer(schedule_of(best))
    progress.offer(schedule_of(own if progress.expired else refined(costs, own) for own in best))
    return "time-limit" if progress.expired else "finished"


def priced(costs: ArrayCosts, first: int, last: int) -> Found | None:
    """The best of a few ways to pipeline layers; None if there is none."""
    ways = dict.fromkeys(busy(costs, first, last, outputs) for outputs in ENOUGH)
    return min(_laid_out(costs, (first, last), list(ways)), key=_cycles, default=None)


def refined(costs: ArrayCosts, found: Found) -> Found:
    """A segment with the next finer or coarser tiles, as long as that is better."""
    span, best = (found.segment.first, found.segment.last), found
    counts = [n for name, n in costs.tile_counts(*span) if name == found.segment.tiling]
    for step in (-1, 1):
        at = counts.index(found.segment.tiles) + step
        while 0 <= at < len(counts):
            own = _laid_out(costs, span, [(found.segment.tiling, counts[at])])
            if not own or own[0].cycles >= best.cycles:
                break
            best, at = own[0], at + step
    return best


def _laid_out(costs: ArrayCosts, span: Span, ways: list[tuple[Tiling, int]]) -> list[Found]:
    """The segments of these layers with these tiles, as far as there are any."""
    among = few_bands(costs.array, span[1] - span[0] + 1)
    if not among:
        return []
    works = [costs.segment(*span, *way) for way in ways]
    return [own for work in works if (own := laid_out(costs, work, among)) is not None]


def _cycles(found: Found) -> int:
    return found.cycles


def guessed(costs: ArrayCosts) -> Floats:
    """[L,D] what the segment from a layer on, of 1 to D layers, is guessed to take.

    All layers' work spread over all PEs, or what goes through the DRAM or the buses if that takes
    longer; stretched by the filling of the pipeline. Infinite where weights do not fit the buffer.
    """
    array, count = costs.array, costs.layers
    deep = min(array.depth, count)
    works = [costs.segment(k, k, "positions", 1).layers[0] for k in range(count)]
    compute = np.array([work.compute(array.pes, 1) * costs.batch for work in works], np.float64)
    weights = np.array([costs.weights(k) for k in range(count)], np.float64)
    standing = np.array([costs.stationary(k) for k in range(count)], np.float64)
    late = np.array([WAIT * _late(costs, k) / costs.batch for k in range(count)])
    dram = _crossing(costs, [t for t in costs.network.tensors if t.name not in costs.kept], deep)
    bus = _crossing(costs, list(costs.network.tensors), deep)
    found = np.full((count, deep), np.inf)
    for first in range(count):
        own = slice(first, min(first + deep, count))
        size = own.stop - first
        loaded = np.cumsum(weights[own])
        stretch = 1 + np.concatenate(([0.0], np.cumsum(late[first + 1 : own.stop])))
        through_dram = (loaded + costs.batch * dram[first, :size]) / array.dram_bytes
        on_bus = (loaded + costs.batch * bus[first, :size]) / (array.bus_bytes * array.mesh[0])
        most = np.maximum(np.cumsum(compute[own]), np.maximum(through_dram, on_bus))
        fits = np.cumsum(standing[own]) <= array.buffer_bytes // 2
        found[first, :size] = np.where(fits, most * stretch, np.inf)
    return found


def _late(costs: ArrayCosts, layer: int) -> float:
    """The fraction of a sample that a layer waits for: the rows under its kernel, and a tile."""
    own = costs.network.layers[layer]
    rows = own.positions[0]
    return min(1.0, (1 + (own.kernel[0] - 1) / own.stride[0]) / rows)


def _crossing(costs: ArrayCosts, tensors: list[Tensor], deep: int) -> Floats:
    """[L,D] bytes of a sample of these tensors that the segments of `guessed` read and write."""
    found = np.zeros((costs.layers, deep))
    for tensor in tensors:
        size, made = costs.size(tensor), tensor.producer
        readers = tensor.consumers
        if made != OUTSIDE:
            end = costs.layers if tensor.leaves else max(readers, default=made)
            for first in range(max(0, made - deep + 1), made + 1):
                found[first, made - first : max(0, end - first)] += size
        before = made
        for reader in readers:
            for first in range(max(before + 1, reader - deep + 1), reader + 1):
                found[first, reader - first :] += size
            before = reader
    return found


def _rule_out(guesses: Floats, first: int, last: int) -> None:
    """Where layers do not fit, look at no segment that holds them and others."""
    for k in range(max(0, last + 1 - guesses.shape[1]), first + 1):
        guesses[k, last - k :] = np.inf


def _table(costs: ArrayCosts, known: dict[Span, Found]) -> Floats:
    """[L,D] what segments take that were priced; the others are infinite."""
    table = np.full((costs.layers, min(costs.array.depth, costs.layers)), np.inf)
    for (first, last), own in known.items():
        table[first, last - first] = own.cycles
    return table


def _path(table: Floats) -> list[Span]:
    """The segments that take the least in all."""
    before, spans, end = _steps(table), list[Span](), len(table)
    while end:
        first = int(before[end])
        spans.append((first, end - 1))
        end = first
    return spans[::-1]


@compiled
def _steps(table: Floats) -> NDArray[np.int64]:
    """For each number of layers, where the last segment begins on the best way to run them."""
    count, deep = table.shape
    reached = np.full(count + 1, np.inf)
    reached[0] = 0.0
    before = np.zeros(count + 1, np.int64)
    for first in range(count):
        for more in range(min(deep, count - first)):
            cycles = reached[first] + table[first, more]
            if cycles < reached[first + more + 1]:
                reached[first + more + 1], before[first + more + 1] = cycles, first
    return before
