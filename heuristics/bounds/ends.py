"""Lower bounds on the time of every cluster as a sum over its two ends: two numbers a layer.

For one region size, let V[l,o] be the least time of layers up to l, the last one with option o, by
any options (a shortest path). Then layers i+1..j of a cluster take at least V[j,o_j] - V[i,o_i], so

    time(i..j) >= min_o (entry[i,o] - V[i,o]) + min_o (V[j,o] + exit[j,o])
               =         begin[i]             +         end[j]

whatever its options. A price on every resident byte, paid back for a whole buffer, makes the same
sum heed the memory (a Lagrangian relaxation).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heuristics.bounds.layers import LayerCosts, layer_costs
from instances.jit import compiled, lean
from instances.stages import FAR, StageCosts
from instances.tables import Ints


class ClusterEnds(NamedTuple):
    """What a cluster i..j costs at least on a region of one of N ranges of sizes.

    Attributes:
        low: [N] the smallest region of each range.
        begin, end: [L,N,P] cycles; time + allowance[p] is at least begin[i,n,p] + end[j,n,p].
            `begin` does not rise with the layer, `end` does not fall, within what `since` allows.
        since: [L,N] the first layer that a cluster that ends with a layer can have, by its memory
            alone; larger than the layer if there is none.
        allowance: [P] the price of a whole buffer.
    """

    low: Ints
    begin: Ints
    end: Ints
    since: Ints
    allowance: Ints


@compiled
def new_ends(costs: StageCosts, low: Ints, prices: Ints) -> ClusterEnds:
    """Room for bounds on N ranges of regions, at [P,2] prices: fractions, cycles for a byte."""
    shape = (costs.alone.shape[0], low.shape[0], prices.shape[0])
    return ClusterEnds(
        low,
        np.full(shape, FAR, dtype=np.int64),
        np.full(shape, FAR, dtype=np.int64),
        np.empty(shape[:2], dtype=np.int64),
        costs.capacity * prices[:, 0] // prices[:, 1],
    )


@compiled
def fill_ends(costs: StageCosts, ends: ClusterEnds, n: int, high: int, prices: Ints) -> None:
    """Bounds for regions of low[n]..high chiplets: O(L O^2)."""
    layers = layer_costs(costs, ends.low[n], high)
    fill_since(layers, costs.capacity, ends.since[:, n])
    for p in range(prices.shape[0]):
        price = prices[p, 0], prices[p, 1]
        fill_times(layers, ends.since[:, n], price, ends.begin[:, n, p], ends.end[:, n, p])


@compiled
def fill_since(layers: LayerCosts, capacity: int, since: Ints) -> None:
    """The longest clusters whose least resident bytes and largest least peak fit."""
    count = since.shape[0]
    kept = np.empty(count, dtype=np.int64)
    peaks = np.empty(count, dtype=np.int64)
    queue = np.empty(count, dtype=np.int64)
    first, head, tail, total = 0, 0, 0, 0
    for layer in range(count):
        kept[layer] = layers.kept[layer].min()
        if kept[layer] == FAR:
            first, head, tail, total = layer + 1, 0, 0, 0
        else:
            peaks[layer] = layers.both[layer].min() - kept[layer]
            total += kept[layer]
            while tail > head and peaks[queue[tail - 1]] <= peaks[layer]:
                tail -= 1
            queue[tail] = layer
            tail += 1
            while total + peaks[queue[head]] > capacity:
                total -= kept[first]
                first += 1
                if queue[head] < first:
                    head += 1
        since[layer] = first


@compiled
def fill_times(
    layers: LayerCosts, since: Ints, price: tuple[int, int], begin: Ints, end: Ints
) -> None:
    """The least times from both ends, bytes priced; the sums start anew where nothing fits."""
    count, options = layers.kept.shape
    sums = np.zeros(options, dtype=np.int64)
    fresh = np.empty(options, dtype=np.int64)
    for layer in range(count):
        if since[layer] > layer:
            continue
        alone = layer == 0 or since[layer - 1] > layer - 1
        extend_sums(layers, layer, price, alone, sums, fresh)
        for option in range(options):
            kept = layers.kept[layer, option]
            if kept < FAR:
                own = layers.enter[layer, option] + layers.begin[layer, option]
                own += kept * price[0] // price[1] - sums[option]
                begin[layer] = min(begin[layer], own)
                own = layers.leave[layer, option] + sums[option]
                own += layers.peak[layer, option] * price[0] // price[1]
                end[layer] = min(end[layer], own)
        if since[layer] < layer:
            begin[layer] = min(begin[layer], begin[layer - 1])
    for layer in range(count - 2, -1, -1):
        if since[layer + 1] <= layer:
            end[layer] = min(end[layer], end[layer + 1])


@lean
def extend_sums(
    layers: LayerCosts, layer: int, price: tuple[int, int], alone: bool, sums: Ints, fresh: Ints
) -> None:
    """Least priced times up to a layer, by its option, from those up to the layer before."""
    options = sums.shape[0]
    for option in range(options):
        kept = layers.kept[layer, option]
        fresh[option] = 0 if alone and kept < FAR else FAR
        if kept < FAR and not alone:
            for before in range(options):
                if sums[before] < FAR:
                    time = sums[before] + layers.follow[layer, before, option]
                    fresh[option] = min(fresh[option], time)
            fresh[option] += layers.arrive[layer, option] + kept * price[0] // price[1]
    for option in range(options):
        sums[option] = fresh[option]


@compiled
def needs_by_ends(ends: ClusterEnds, beat: int) -> tuple[Ints, Ints, Ints]:
    """The chiplets with which clusters may take less than `beat`, by their last layer.

    Returns:
        (at, first, chiplets): for each k from at[j] to at[j+1], in this order, clusters first[k]..j
        need at least chiplets[k]; `first` falls and `chiplets` rises. None begins earlier.
    """
    count, number = ends.since.shape
    at = np.zeros(count + 1, dtype=np.int64)
    room = 4 * count
    first = np.empty(room, dtype=np.int64)
    chiplets = np.empty(room, dtype=np.int64)
    earliest = np.zeros(number, dtype=np.int64)
    most = beat - 1 + ends.allowance
    size = 0
    for j in range(count):
        if size + number > room:
            first = np.append(first, np.empty(room + number, dtype=np.int64))
            chiplets = np.append(chiplets, np.empty(room + number, dtype=np.int64))
            room = first.shape[0]
        known = j + 1
        for n in range(number):
            i = max(earliest[n], ends.since[j, n])
            for p in range(most.shape[0]):
                left = most[p] - ends.end[j, n, p]
                while i <= j and ends.begin[i, n, p] > left:
                    i += 1
            earliest[n] = i
            if i < known:
                first[size], chiplets[size], known = i, ends.low[n], i
                size += 1
        at[j + 1] = size
    return at, first[:size].copy(), chiplets[:size].copy()
