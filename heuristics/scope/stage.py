"""Stage times on demand, for clusters that switch from WSP to ISP once (step 4 of Scope).

The paper lets the partition change from WSP to ISP at one layer of a segment, which leaves n + 1
choices for n layers instead of 2^n. Ours: every cluster has a switch of its own, which costs no
more to search. The first option of the tables takes the place of ISP; each other one that of WSP.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from instances.jit import compiled
from instances.tables import CostTables, Ints, Skip

FAR = 2**62
"""The time of a cluster that does not fit."""


class StageCosts(NamedTuple):
    """The cost tables as flat arrays, skip tensors sorted by the layer that they concern.

    Attributes:
        entry, step, exits, resident, working, capacity: as in the cost tables.
        arrive_at: [L+1] arrivals at layer l are arrive_at[l] to arrive_at[l+1].
        arrive_last: [A] the latest earlier use or the making of the tensor: it arrives from outside
            in clusters that begin after that.
        arrive_cost: [A,O,C] cycles.
        made_at, made_until, made_cost: [L+1], [D], [D,C] tensors made by a layer, the last layer
            that needs them, and the cycles to send them away before that.
        wait_at, wait_since, wait_bytes: [L+1], [W], [W,C] tensors that wait while a layer runs in
            clusters that begin no later than `wait_since`.
    """

    entry: Ints
    step: Ints
    exits: Ints
    resident: Ints
    working: Ints
    capacity: int
    arrive_at: Ints
    arrive_last: Ints
    arrive_cost: Ints
    made_at: Ints
    made_until: Ints
    made_cost: Ints
    wait_at: Ints
    wait_since: Ints
    wait_bytes: Ints


def stage_costs(tables: CostTables) -> StageCosts:
    """Flatten the cost tables."""
    count, options, chiplets = tables.shape
    arrivals: list[list[tuple[int, Ints]]] = [[] for _ in range(count)]
    made: list[list[tuple[int, Ints]]] = [[] for _ in range(count)]
    waits: list[list[tuple[int, Ints]]] = [[] for _ in range(count)]
    for skip in tables.skips:
        uses = _uses(skip, count)
        for k, consumer in enumerate(skip.consumers):
            arrivals[consumer].append((uses[k], skip.enter[k]))
        if skip.producer >= 0:
            made[skip.producer].append((uses[-1], skip.leave))
        for since, until in pairwise(uses):
            if since >= 0:
                for layer in range(since + 1, until):
                    waits[layer].append((since, skip.hold))
    return StageCosts(
        tables.entry,
        tables.step,
        tables.exit,
        tables.resident,
        tables.working,
        tables.capacity,
        *_flat(arrivals, (options, chiplets)),
        *_flat(made, (chiplets,)),
        *_flat(waits, (chiplets,)),
    )


def _uses(skip: Skip, count: int) -> list[int]:
    """Its producer, its consumers, and the end of the network if it leaves."""
    return [skip.producer, *skip.consumers, *([count] if skip.leaves else [])]


def _flat(rows: list[list[tuple[int, Ints]]], shape: tuple[int, ...]) -> tuple[Ints, Ints, Ints]:
    """Lists by layer as offsets, keys and values."""
    starts = np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64)
    keys = np.array([key for row in rows for key, _ in row], dtype=np.int64)
    values = [value for row in rows for _, value in row]
    stacked = np.stack(values) if values else np.zeros((0, *shape), dtype=np.int64)
    return starts, keys, stacked


@compiled
def arrival(costs: StageCosts, first: int, layer: int, option: int, c: int) -> int:
    """Cycles for skip tensors that come from outside at a layer of a cluster from `first`."""
    total = 0
    for a in range(costs.arrive_at[layer], costs.arrive_at[layer + 1]):
        if costs.arrive_last[a] < first:
            total += costs.arrive_cost[a, option, c]
    return total


@compiled
def momentary(costs: StageCosts, first: int, layer: int, option: int, c: int) -> int:
    """Bytes needed while a layer of a cluster from `first` runs."""
    total = costs.working[layer, option, c]
    for w in range(costs.wait_at[layer], costs.wait_at[layer + 1]):
        if costs.wait_since[w] >= first:
            total += costs.wait_bytes[w, c]
    return total


@compiled
def departure(costs: StageCosts, first: int, last: int, c: int) -> int:
    """Cycles for skip tensors that a cluster makes before its last layer and others need."""
    total = 0
    for layer in range(first, last):
        for d in range(costs.made_at[layer], costs.made_at[layer + 1]):
            if costs.made_until[d] > last:
                total += costs.made_cost[d, c]
    return total


@compiled
def best_switch(costs: StageCosts, first: int, last: int, chiplets: int) -> tuple[int, int, int]:
    """The fastest cluster with one switch: O(n O) for n layers and O options.

    Returns:
        (time, switch, option): layers before `switch` take `option`, the others the tables' first
        option; time is FAR if no such choice fits.
    """
    c = chiplets - 1
    size = last - first + 1
    options = costs.entry.shape[1]
    tail_time = np.empty(size + 1, dtype=np.int64)
    tail_kept = np.zeros(size + 1, dtype=np.int64)
    tail_peak = np.zeros(size + 1, dtype=np.int64)
    time = costs.exits[last, 0, c]
    for k in range(size - 1, -1, -1):
        layer = first + k
        tail_kept[k] = tail_kept[k + 1] + costs.resident[layer, 0, c]
        tail_peak[k] = max(tail_peak[k + 1], momentary(costs, first, layer, 0, c))
        time += arrival(costs, first, layer, 0, c)
        tail_time[k] = time
        time += costs.step[layer, 0, 0, c]
    best, switch, choice = FAR, first, 0
    if tail_kept[0] + tail_peak[0] <= costs.capacity:
        best = costs.entry[first, 0, c] + tail_time[0]
    for option in range(1, options):
        time, kept, peak = costs.entry[first, option, c], 0, 0
        for k in range(size):
            layer = first + k
            if k > 0:
                time += costs.step[layer, option, option, c]
            time += arrival(costs, first, layer, option, c)
            kept += costs.resident[layer, option, c]
            peak = max(peak, momentary(costs, first, layer, option, c))
            if kept + peak > costs.capacity or time >= best:
                break
            if kept + tail_kept[k + 1] + max(peak, tail_peak[k + 1]) > costs.capacity:
                continue
            if k + 1 < size:
                total = time + costs.step[layer + 1, option, 0, c] + tail_time[k + 1]
            else:
                total = time + costs.exits[last, option, c]
            if total < best:
                best, switch, choice = total, layer + 1, option
    if best < FAR:
        best += departure(costs, first, last, c)
    return best, switch, choice
