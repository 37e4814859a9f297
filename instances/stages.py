"""What stages and segments cost, for compiled kernels: every cost is read through a function here.

Kernels that ask for a cost by layer, option and region size need not know where it comes from.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from instances.cost import layers as model
from instances.cost.dram import traffic, traffics
from instances.cost.facts import Facts, no_facts
from instances.cost.model import AnalyticCosts
from instances.costs import Costs
from instances.jit import compiled, lean
from instances.tables import CostTables, Ints

FAR = 2**62
"""The cost of what does not fit."""


class StageCosts(NamedTuple):
    """Cost tables as flat arrays, or the facts of the cost model; what is not there is empty.

    Attributes:
        dense: whether there are tables.
        options, chiplets, capacity: O, C, M.
        alone: [L] as in the cost tables.
        loads: [L+1] prefix sums of the cycles that bring the weights.
        facts: what the cost model needs.
        entry, step, exits, resident, working, io: as in the cost tables.
        arrive_at: [L+1] arrivals at layer l are arrive_at[l] to arrive_at[l+1].
        arrive_last: [A] the latest earlier use or the making of the tensor: it arrives from outside
            in clusters that begin after that.
        arrive_cost: [A,O,C] cycles.
        made_at, made_until, made_cost: [L+1], [D], [D,C] tensors made by a layer, the last layer
            that needs them, and the cycles to send them away before that.
        wait_at, wait_until, wait_bytes: [L+1], [W], [W,C] tensors that a layer makes or reads, the
            next layer that reads them, and the bytes that they take until then.
    """

    dense: bool
    options: int
    chiplets: int
    capacity: int
    alone: Ints
    loads: Ints
    facts: Facts
    entry: Ints
    step: Ints
    exits: Ints
    resident: Ints
    working: Ints
    io: Ints
    arrive_at: Ints
    arrive_last: Ints
    arrive_cost: Ints
    made_at: Ints
    made_until: Ints
    made_cost: Ints
    wait_at: Ints
    wait_until: Ints
    wait_bytes: Ints


def stage_costs(costs: Costs) -> StageCosts:
    """The costs for kernels: tables where there are any, or the model, asked on demand."""
    if isinstance(costs, AnalyticCosts) and not costs.has_tables:
        return _on_demand(costs)
    return _from_tables(costs.dense)


def _on_demand(costs: AnalyticCosts) -> StageCosts:
    load, _, alone, _ = costs.weights
    none = [np.zeros((0,) * dimensions, dtype=np.int64) for dimensions in range(5)]
    return StageCosts(
        False,
        len(costs.options),
        costs.chiplets,
        costs.capacity,
        alone,
        np.concatenate([[0], np.cumsum(load)]),
        costs.facts,
        *(none[d] for d in (3, 4, 3, 3, 3, 2)),
        *(none[d] for d in (1, 1, 3)),
        *(none[d] for d in (1, 1, 2)),
        *(none[d] for d in (1, 1, 2)),
    )


def _from_tables(tables: CostTables) -> StageCosts:
    count, options, chiplets = tables.shape
    arrivals: list[list[tuple[int, Ints]]] = [[] for _ in range(count)]
    made: list[list[tuple[int, Ints]]] = [[] for _ in range(count)]
    waits: list[list[tuple[int, Ints]]] = [[] for _ in range(count)]
    for skip in tables.skips:
        uses = [skip.producer, *skip.consumers, *([count] if skip.leaves else [])]
        for k, consumer in enumerate(skip.consumers):
            arrivals[consumer].append((uses[k], skip.enter[k]))
        if skip.producer >= 0:
            made[skip.producer].append((uses[-1], skip.leave))
        for since, until in pairwise(uses):
            if since >= 0 and until > since + 1:
                waits[since].append((until, skip.hold))
    return StageCosts(
        True,
        options,
        chiplets,
        tables.capacity,
        tables.alone,
        tables.loads,
        no_facts(),
        tables.entry,
        tables.step,
        tables.exit,
        tables.resident,
        tables.working,
        tables.io,
        *_flat(arrivals, (options, chiplets)),
        *_flat(made, (chiplets,)),
        *_flat(waits, (chiplets,)),
    )


def _flat(rows: list[list[tuple[int, Ints]]], shape: tuple[int, ...]) -> tuple[Ints, Ints, Ints]:
    """Lists by layer as offsets, keys and values."""
    starts = np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64)
    keys = np.array([key for row in rows for key, _ in row], dtype=np.int64)
    values = [value for row in rows for _, value in row]
    stacked = np.stack(values) if values else np.zeros((0, *shape), dtype=np.int64)
    return starts, keys, stacked


@lean
def entry(costs: StageCosts, layer: int, option: int, chiplets: int) -> int:
    """Cycles a sample of a layer that is first in its cluster, skip tensors left out."""
    if costs.dense:
        return costs.entry[layer, option, chiplets - 1]
    return model.entry(costs.facts, layer, option, chiplets)


@lean
def step(costs: StageCosts, layer: int, before: int, option: int, chiplets: int) -> int:
    """Cycles a sample of a layer after its predecessor, whose option is `before`."""
    if costs.dense:
        return costs.step[layer, before, option, chiplets - 1]
    return model.step(costs.facts, layer, before, option, chiplets)


@lean
def sending(costs: StageCosts, layer: int, option: int, chiplets: int) -> int:
    """Cycles a sample to send away the results of a cluster's last layer (`exit`)."""
    if costs.dense:
        return costs.exits[layer, option, chiplets - 1]
    return model.sending(costs.facts, layer, option, chiplets)


@lean
def resident(costs: StageCosts, layer: int, option: int, chiplets: int) -> int:
    """Bytes that each chiplet holds for the whole segment."""
    if costs.dense:
        return costs.resident[layer, option, chiplets - 1]
    return model.resident(costs.facts, layer, option, chiplets)


@lean
def dram(costs: StageCosts, first: int, last: int) -> int:
    """Cycles of DRAM traffic a sample of a segment (`io`): O(its tensors) on demand."""
    if costs.dense:
        return costs.io[first, last]
    return model.dram_port(costs.facts, traffic(costs.facts, first, last))


@compiled
def drams(costs: StageCosts, first: int, last: int) -> Ints:
    """[last - first + 1] `dram` of first..first up to first..last: O(their tensors) in all."""
    if costs.dense:
        return costs.io[first, first : last + 1].copy()
    found = traffics(costs.facts, first, last)
    _to_cycles(costs, found)
    return found


@lean
def _to_cycles(costs: StageCosts, amounts: Ints) -> None:
    for k in range(amounts.shape[0]):
        amounts[k] = model.dram_port(costs.facts, amounts[k])


@lean
def loading(costs: StageCosts, first: int, last: int) -> int:
    """Cycles to bring the weights of a segment, once."""
    return costs.loads[last + 1] - costs.loads[first]


@lean
def arrival(costs: StageCosts, first: int, layer: int, option: int, chiplets: int) -> int:
    """Cycles for skip tensors that come from outside at a layer of a cluster from `first`."""
    if not costs.dense:
        return model.arrival(costs.facts, first, layer, option, chiplets)
    total = 0
    for a in range(costs.arrive_at[layer], costs.arrive_at[layer + 1]):
        if costs.arrive_last[a] < first:
            total += costs.arrive_cost[a, option, chiplets - 1]
    return total


@lean
def working(costs: StageCosts, layer: int, option: int, chiplets: int) -> int:
    """Bytes that each chiplet needs while a layer runs, waiting tensors left out."""
    if costs.dense:
        return costs.working[layer, option, chiplets - 1]
    return model.working(costs.facts, layer, option, chiplets)


@lean
def waiting(costs: StageCosts, first: int, layer: int, chiplets: int) -> int:
    """Bytes of skip tensors that wait while a layer of a cluster from `first` runs."""
    if not costs.dense:
        return model.waiting(costs.facts, first, layer, chiplets)
    total = 0
    for w in range(costs.wait_at[first], costs.wait_at[layer]):
        if costs.wait_until[w] > layer:
            total += costs.wait_bytes[w, chiplets - 1]
    return total


@lean
def momentary(costs: StageCosts, first: int, layer: int, option: int, chiplets: int) -> int:
    """Bytes needed while a layer of a cluster from `first` runs."""
    return working(costs, layer, option, chiplets) + waiting(costs, first, layer, chiplets)


@lean
def departure(costs: StageCosts, first: int, last: int, chiplets: int) -> int:
    """Cycles for skip tensors that a cluster makes before its last layer and others need."""
    if not costs.dense:
        return model.departure(costs.facts, first, last, chiplets)
    total = 0
    for d in range(costs.made_at[first], costs.made_at[last]):
        if costs.made_until[d] > last:
            total += costs.made_cost[d, chiplets - 1]
    return total
