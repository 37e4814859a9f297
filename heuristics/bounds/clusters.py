"""Lower bounds on the time of every cluster, as sums over its two ends.

For one region size, let V[l,o] be the least time of layers up to l, the last one with option o, by
any options (a shortest path). Then steps i+1..j of a cluster take at least V[j,o_j] - V[i,o_i], so

    time(i..j) >= min_o (entry[i,o] - V[i,o]) + min_o (V[j,o] + exit[j,o])
               =         begin[i]             +         end[j]

whatever its options: two numbers a layer instead of one a cluster. A price on every resident byte,
paid back for the whole buffer, makes the same sum heed the memory (a Lagrangian relaxation).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.jit import compiled
from instances.stages import (
    FAR,
    StageCosts,
    arrival,
    entry,
    momentary,
    resident,
    sending,
    step,
)
from instances.tables import Ints


class ClusterBounds(NamedTuple):
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
def cluster_bounds(costs: StageCosts, low: Ints, high: Ints, prices: Ints) -> ClusterBounds:
    """Bounds for regions of low[n] to high[n] chiplets: O(L C O^2) costs read, each once.

    Args:
        low, high: [N] ranges of region sizes.
        prices: [P,2] numerator and denominator of the cycles that a byte costs.
    """
    count, options = costs.entry.shape[:2]
    number, rates = low.shape[0], prices.shape[0]
    begin = np.empty((count, number, rates), dtype=np.int64)
    end = np.empty((count, number, rates), dtype=np.int64)
    since = np.empty((count, number), dtype=np.int64)
    allowance = costs.capacity * prices[:, 0] // prices[:, 1]
    enter = np.empty(options, dtype=np.int64)
    follow = np.empty((options, options), dtype=np.int64)
    leave = np.empty(options, dtype=np.int64)
    kept = np.empty(options, dtype=np.int64)
    peak = np.empty(options, dtype=np.int64)
    both = np.empty(options, dtype=np.int64)
    held = np.empty(count + 1, dtype=np.int64)
    peaks = np.empty(count, dtype=np.int64)
    queue = np.empty(count, dtype=np.int64)
    sums = np.empty((rates, options), dtype=np.int64)
    fresh = np.empty(options, dtype=np.int64)
    for n in range(number):
        head, tail, first = 0, 0, 0
        held[0] = 0
        for layer in range(count):
            least_costs(costs, layer, low[n], high[n], enter, follow, leave, kept, peak, both)
            if both.min() == FAR:
                first, head, tail = layer + 1, 0, 0
                held[layer + 1] = held[layer]
                since[layer, n] = first
                begin[layer, n] = FAR
                end[layer, n] = FAR
                continue
            held[layer + 1] = held[layer] + kept.min()
            peaks[layer] = both.min() - kept.min()
            while tail > head and peaks[queue[tail - 1]] <= peaks[layer]:
                tail -= 1
            queue[tail] = layer
            tail += 1
            restart = first == layer
            while held[layer + 1] - held[first] + peaks[queue[head]] > costs.capacity:
                first += 1
                if queue[head] < first:
                    head += 1
            since[layer, n] = first
            for p in range(rates):
                extend_sums(sums[p], fresh, follow, kept, prices[p], restart)
                begin[layer, n, p] = FAR
                end[layer, n, p] = FAR
                for o in range(options):
                    if both[o] < FAR:
                        priced = kept[o] * prices[p, 0] // prices[p, 1]
                        total = enter[o] + priced - sums[p, o]
                        begin[layer, n, p] = min(begin[layer, n, p], total)
                        total = sums[p, o] + leave[o] + peak[o] * prices[p, 0] // prices[p, 1]
                        end[layer, n, p] = min(end[layer, n, p], total)
                if not restart:
                    begin[layer, n, p] = min(begin[layer, n, p], begin[layer - 1, n, p])
        for layer in range(count - 2, -1, -1):
            if since[layer, n] <= layer and since[layer + 1, n] <= layer:
                for p in range(rates):
                    end[layer, n, p] = min(end[layer, n, p], end[layer + 1, n, p])
    return ClusterBounds(low, begin, end, since, allowance)


@compiled
def least_costs(
    costs: StageCosts,
    layer: int,
    low: int,
    high: int,
    enter: Ints,
    follow: Ints,
    leave: Ints,
    kept: Ints,
    peak: Ints,
    both: Ints,
) -> None:
    """Fill in the least of each cost of a layer over regions of low..high chiplets.

    By option; `both` is resident and momentary bytes together, FAR where they never fit.
    """
    options = costs.entry.shape[1]
    enter[:] = FAR
    follow[:] = FAR
    leave[:] = FAR
    kept[:] = FAR
    peak[:] = FAR
    both[:] = FAR
    for c in range(low, high + 1):
        for o in range(options):
            held = resident(costs, layer, o, c)
            moment = momentary(costs, layer, layer, o, c)
            if held + moment > costs.capacity:
                continue
            kept[o] = min(kept[o], held)
            peak[o] = min(peak[o], moment)
            both[o] = min(both[o], held + moment)
            own = entry(costs, layer, o, c) + arrival(costs, layer, layer, o, c)
            enter[o] = min(enter[o], own)
            leave[o] = min(leave[o], sending(costs, layer, o, c))
            if layer > 0:
                arriving = arrival(costs, 0, layer, o, c)
                for before in range(options):
                    own = step(costs, layer, before, o, c) + arriving
                    follow[before, o] = min(follow[before, o], own)


@compiled
def extend_sums(
    sums: Ints, fresh: Ints, follow: Ints, kept: Ints, price: Ints, restart: bool
) -> None:
    """Least priced times up to a layer, by its option, from those up to the layer before."""
    options = sums.shape[0]
    for o in range(options):
        if kept[o] == FAR:
            fresh[o] = FAR
        elif restart:
            fresh[o] = 0
        else:
            least = FAR
            for before in range(options):
                if sums[before] < FAR:
                    least = min(least, sums[before] + follow[before, o])
            fresh[o] = least + kept[o] * price[0] // price[1]
    sums[:] = fresh
