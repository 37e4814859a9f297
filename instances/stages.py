"""What stages and segments cost, for compiled kernels: every cost is read through a function here.

Kernels that ask for a cost by layer, option and region size need not know where it comes from.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from instances.jit import compiled
from instances.tables import CostTables, Ints, Skip

FAR = 2**62
"""The cost of what does not fit."""


class StageCosts(NamedTuple):
    """The cost tables as flat arrays, skip tensors sorted by the layer that they concern.

    Attributes:
        entry, step, exits, resident, working, io, alone, capacity: as in the cost tables.
        loads: [L+1] prefix sums of the cycles that bring the weights.
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
    io: Ints
    alone: Ints
    loads: Ints
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
        tables.io,
        tables.alone,
        tables.loads,
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
def entry(costs: StageCosts, layer: int, option: int, chiplets: int) -> int:
    """Cycles a sample of a layer that is first in its cluster, skip tensors left out."""
    return costs.entry[layer, option, chiplets - 1]


@compiled
def step(costs: StageCosts, layer: int, before: int, option: int, chiplets: int) -> int:
    """Cycles a sample of a layer after its predecessor, whose option is `before`."""
    return costs.step[layer, before, option, chiplets - 1]


@compiled
def sending(costs: StageCosts, layer: int, option: int, chiplets: int) -> int:
    """Cycles a sample to send away the results of a cluster's last layer (`exit`)."""
    return costs.exits[layer, option, chiplets - 1]


@compiled
def resident(costs: StageCosts, layer: int, option: int, chiplets: int) -> int:
    """Bytes that each chiplet holds for the whole segment."""
    return costs.resident[layer, option, chiplets - 1]


@compiled
def dram(costs: StageCosts, first: int, last: int) -> int:
    """Cycles of DRAM traffic a sample of a segment (`io`)."""
    return costs.io[first, last]


@compiled
def loading(costs: StageCosts, first: int, last: int) -> int:
    """Cycles to bring the weights of a segment, once."""
    return costs.loads[last + 1] - costs.loads[first]


@compiled
def arrival(costs: StageCosts, first: int, layer: int, option: int, chiplets: int) -> int:
    """Cycles for skip tensors that come from outside at a layer of a cluster from `first`."""
    total = 0
    for a in range(costs.arrive_at[layer], costs.arrive_at[layer + 1]):
        if costs.arrive_last[a] < first:
            total += costs.arrive_cost[a, option, chiplets - 1]
    return total


@compiled
def momentary(costs: StageCosts, first: int, layer: int, option: int, chiplets: int) -> int:
    """Bytes needed while a layer of a cluster from `first` runs."""
    total = costs.working[layer, option, chiplets - 1]
    for w in range(costs.wait_at[layer], costs.wait_at[layer + 1]):
        if costs.wait_since[w] >= first:
            total += costs.wait_bytes[w, chiplets - 1]
    return total


@compiled
def departure(costs: StageCosts, first: int, last: int, chiplets: int) -> int:
    """Cycles for skip tensors that a cluster makes before its last layer and others need."""
    total = 0
    for layer in range(first, last):
        for d in range(costs.made_at[layer], costs.made_at[layer + 1]):
            if costs.made_until[d] > last:
                total += costs.made_cost[d, chiplets - 1]
    return total
