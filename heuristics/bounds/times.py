"""Lower bounds on the time of every cluster, each for itself: a table, while it is small enough.

Options are chosen freely, at a price on each resident byte that is paid back for a whole buffer: a
Lagrangian relaxation, of which the best price counts. Skip tensors are counted in full.
"""

from __future__ import annotations

import numpy as np

from heuristics.bounds.layers import LayerCosts, layer_costs
from instances.jit import compiled, lean
from instances.stages import FAR, StageCosts, arrival, departure, momentary
from instances.tables import Ints

NEAR = 32
"""Skip tensors that were made or read longer ago, in layers, are forgotten: a cluster that keeps or
sends them costs more."""


@compiled
def fill_cluster_times(
    costs: StageCosts, low: int, high: int, prices: Ints, longest: int, times: Ints
) -> None:
    """[L,L] what cluster i..j takes at least on low..high chiplets, at [j,i]: O(L^2 P O^2).

    Args:
        prices: [P,2] numerator and denominator of the cycles that a byte costs; zero is the first.
        longest: larger times count as FAR.
        times: changed in place where it is larger.
    """
    layers = layer_costs(costs, low, high)
    sums = np.empty((prices.shape[0], 2, costs.options), dtype=np.int64)
    for first in range(times.shape[0]):
        fill_from(costs, layers, first, prices, longest, sums, times)


@lean
def fill_from(
    costs: StageCosts,
    layers: LayerCosts,
    first: int,
    prices: Ints,
    longest: int,
    sums: Ints,
    times: Ints,
) -> None:
    """The clusters that begin with one layer, as long as they fit."""
    kept, peak, over = 0, 0, 0
    for last in range(first, times.shape[0]):
        held, sent = 0, 0
        if layers.low == layers.high:
            near = max(first, last - NEAR)
            held = momentary(costs, near, last, 0, layers.low)
            held -= momentary(costs, last, last, 0, layers.low)
            sent = departure(costs, near, last, layers.low)
        least = least_of(layers.kept, last)
        if least == FAR:
            return
        kept += least
        over = max(over, least_of(layers.both, last) - least + held)
        peak = max(peak, least_of(layers.peak, last) + held)
        if kept + over > costs.capacity:
            return
        bound, passed = 0, 0
        for p in range(prices.shape[0]):
            reached = extend(costs, layers, first, last, prices[p], held, sums[p])
            allowed = (costs.capacity - peak) * prices[p, 0] // prices[p, 1]
            time = with_leaving(layers, last, sums[p])
            bound, passed = max(bound, time + sent - allowed), max(passed, reached - allowed)
            if passed > longest:
                return
        if bound <= longest:
            times[last, first] = min(times[last, first], bound)


@lean
def with_leaving(layers: LayerCosts, last: int, sums: Ints) -> int:
    """The least of the sums and what it costs to send the last layer's results away."""
    least = FAR
    for option in range(sums.shape[1]):
        if sums[last % 2, option] < FAR:
            least = min(least, sums[last % 2, option] + layers.leave[last, option])
    return least


@lean
def least_of(values: Ints, layer: int) -> int:
    """Over a layer's options."""
    least = FAR
    for option in range(values.shape[1]):
        least = min(least, values[layer, option])
    return least


@lean
def extend(
    costs: StageCosts,
    layers: LayerCosts,
    first: int,
    last: int,
    price: Ints,
    held: int,
    sums: Ints,
) -> int:
    """Least priced times of layers first..last, by the last one's option; FAR where none fits.

    Args:
        held: bytes of skip tensors that wait while the last layer runs.
        sums: [2,O] those up to an even layer, and up to an odd one.

    Returns the least of them.
    """
    old, new, least = (last + 1) % 2, last % 2, FAR
    for option in range(costs.options):
        time = FAR
        if layers.both[last, option] + held <= costs.capacity:
            if last == first:
                time = layers.enter[last, option] + layers.begin[last, option]
            else:
                for before in range(costs.options):
                    if sums[old, before] < FAR:
                        own = sums[old, before] + layers.follow[last, before, option]
                        time = min(time, own)
                if layers.low == layers.high:
                    time += arrival(costs, first, last, option, layers.low)
            time += layers.kept[last, option] * price[0] // price[1]
        sums[new, option] = min(time, FAR)
        least = min(least, time)
    return least


@compiled
def settle_times(times: Ints) -> None:
    """[L,L,N]: let times fall with n and with i and rise with j, by lowering them.

    A cluster on more chiplets may leave some idle, and what holds for the clusters that contain it
    holds for a cluster: so the earliest first layer is always the best one to look at.
    """
    count, _, number = times.shape
    for last in range(count - 1, -1, -1):
        for first in range(last + 1):
            for n in range(number):
                least = times[last, first, n]
                if n > 0:
                    least = min(least, times[last, first, n - 1])
                if first > 0:
                    least = min(least, times[last, first - 1, n])
                if last < count - 1:
                    least = min(least, times[last + 1, first, n])
                times[last, first, n] = least


@compiled
def needs_by_times(times: Ints, low: Ints, beat: int) -> tuple[Ints, Ints, Ints]:
    """What `needs_by_ends` tells, from a table of times on at least low[n] chiplets."""
    count, _, number = times.shape
    at = np.zeros(count + 1, dtype=np.int64)
    first = np.empty(count * min(count, number), dtype=np.int64)
    chiplets = np.empty(count * min(count, number), dtype=np.int64)
    size = 0
    for j in range(count):
        n, i, begun = 0, j, size
        while i >= 0 and times[j, i, number - 1] < beat:
            while times[j, i, n] >= beat:
                n += 1
            if size > begun and chiplets[size - 1] == low[n]:
                size -= 1
            first[size], chiplets[size] = i, low[n]
            size += 1
            i -= 1
        at[j + 1] = size
    return at, first[:size].copy(), chiplets[:size].copy()
