"""Times of a cluster whose region has a place: every transfer has a way of its own.

The formulas are those of `layers`; only the cycles for the hops of a transfer are given here,
instead of those of a near-square region.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.cost.facts import OPTIONS, Facts
from instances.cost.layers import (
    arrived,
    arriving,
    departure,
    entry_after,
    gathered,
    outside,
    sending,
    step_after,
)
from instances.jit import compiled, lean
from instances.tables import Ints

COUNT = len(OPTIONS)


@compiled
def stage_cycles(
    facts: Facts, first: int, last: int, options: Ints, n: int, ways: Ints, skip_ways: Ints
) -> int:
    """Cycles a sample of a cluster on n chiplets.

    Args:
        options: [layers] numbers.
        ways: [layers] cycles for the hops of what each layer gets through `entry` or `step`.
        skip_ways: of each use of the layers, in the order of `facts.uses`: cycles for the hops of
            a skip tensor that comes from outside the region.
    """
    total = departure(facts, first, last, n) + sending(facts, last, options[-1], n)
    offset = facts.layers[first].uses
    for layer in range(first, last + 1):
        own, way = options[layer - first], ways[layer - first]
        if layer == first:
            total += entry_after(facts, layer, own, n, way)
        else:
            total += step_after(facts, layer, options[layer - first - 1], own, n, way)
        total += _skips(facts, first, layer, own, n, skip_ways, offset)
    return total


@lean
def _skips(
    facts: Facts, first: int, layer: int, option: int, n: int, ways: Ints, offset: int
) -> int:
    """Cycles for skip tensors that come from outside at a layer of a cluster from `first`."""
    total = 0
    for use in range(facts.layers[layer].uses, facts.layers[layer + 1].uses):
        if facts.uses[use].since < first:
            amount = arriving(facts, layer, use, option, n)
            total += arrived(facts, amount, ways[use - offset])
    return total


class PlacedTables(NamedTuple):
    """Times of the layers of one cluster on one region, by option; skip tensors are in them.

    Attributes:
        entry: [O] cycles of the first layer.
        steps: [n,O,O] cycles of each later one after the previous option; row 0 unused.
        exits: [O] cycles after the last one.
    """

    entry: Ints
    steps: Ints
    exits: Ints


@compiled
def placed_tables(
    facts: Facts, first: int, last: int, n: int, inside_way: int, chain_way: int, skip_ways: Ints
) -> PlacedTables:
    """The times of layers first..last on a region of n chiplets.

    Args:
        inside_way: cycles for the hops of what is sent within the region.
        chain_way: cycles for the hops of what the first layer gets from its predecessor.
        skip_ways: of each use, as `stage_cycles` takes them.
    """
    entry = np.empty(COUNT, dtype=np.int64)
    steps = np.zeros((last - first + 1, COUNT, COUNT), dtype=np.int64)
    exits = np.empty(COUNT, dtype=np.int64)
    offset = facts.layers[first].uses
    for own in range(COUNT):
        shards = gathered(facts, first, own, n)
        way = inside_way if shards > 0 else 0
        if outside(facts, first, own, n) > shards:
            way = max(way, chain_way)
        entry[own] = entry_after(facts, first, own, n, way)
        entry[own] += _skips(facts, first, first, own, n, skip_ways, offset)
        exits[own] = departure(facts, first, last, n) + sending(facts, last, own, n)
        for layer in range(first + 1, last + 1):
            skips = _skips(facts, first, layer, own, n, skip_ways, offset)
            for before in range(COUNT):
                cycles = step_after(facts, layer, before, own, n, inside_way)
                steps[layer - first, before, own] = cycles + skips
    return PlacedTables(entry, steps, exits)
