"""The best options of one cluster on one number of chiplets: label setting over time and memory.

The options of a cluster's layers are coupled twice: each layer's time depends on its
predecessor's option, and all resident bytes and the largest momentary need share one buffer. That
is a shortest path with a resource constraint. A label is a choice of options for the layers
first..l, described by its time, resident bytes, momentary peak and last option. It is dropped if

- another with the same last option is no worse in all three (Desrochers and Soumis, 1988), or
- no completion can fit, or beat the best cluster known, by a Lagrangian bound: with a price u >= 0
  a byte, time + u * (resident + peak - capacity) never exceeds the time of a choice that fits.
"""

from __future__ import annotations

import numpy as np

from instances.jit import compiled
from instances.tables import Floats, Ints

FAR = 2**62
"""Stands for 'impossible' in all time tables."""

TIME, RESIDENT, PEAK, OPTION, PARENT = range(5)
FIELDS = 5


@compiled
def fastest(
    first_costs: Ints,
    steps: Ints,
    exits: Ints,
    resident: Ints,
    momentary: Ints,
    capacity: int,
    known: int,
) -> tuple[int, Ints]:
    """The time of the fastest cluster that fits and is faster than `known`, and its options.

    Args:
        first_costs: [O] cycles of the first layer.
        steps: [n,O,O] cycles of each later layer after the previous option; row 0 unused.
        exits: [O] cycles after the last layer.
        resident, momentary: [n,O] bytes.
        known: FAR, or a time that need not be beaten.

    Returns:
        (time, [n] options); (FAR, empty) if there is none.
    """
    count, options = resident.shape
    prices, reached = bracket_price(first_costs, steps, exits, resident, momentary, capacity)
    worse_than = min(known, reached + 1) if reached < FAR else known
    ahead = completions(steps, exits, resident, prices)
    bytes_ahead, peak_ahead = least_ahead(resident, momentary)
    labels = np.empty((256, FIELDS), dtype=np.int64)
    fresh = np.empty((256, FIELDS), dtype=np.int64)
    before, begin, end = 0, 0, 0
    for layer in range(count):
        before, begin = begin, end
        for own in range(options):
            parents = begin - before if layer > 0 else 1
            if fresh.shape[0] < parents:
                fresh = np.empty((2 * parents, FIELDS), dtype=np.int64)
            found = 0
            for place in range(parents):
                if layer == 0:
                    parent, time, kept, peak = -1, first_costs[own], 0, 0
                else:
                    parent = before + place
                    time = labels[parent, TIME] + steps[layer, labels[parent, OPTION], own]
                    kept, peak = labels[parent, RESIDENT], labels[parent, PEAK]
                kept += resident[layer, own]
                peak = max(peak, momentary[layer, own])
                need = kept + max(peak, peak_ahead[layer + 1])
                if need + bytes_ahead[layer + 1] > capacity:
                    continue
                if hopeless(time, need - capacity, ahead[:, layer, own], prices, worse_than):
                    continue
                fresh[found, TIME] = time
                fresh[found, RESIDENT] = kept
                fresh[found, PEAK] = peak
                fresh[found, OPTION] = own
                fresh[found, PARENT] = parent
                found += 1
            if end + found > labels.shape[0]:
                larger = np.empty((2 * (end + found), FIELDS), dtype=np.int64)
                larger[:end] = labels[:end]
                labels = larger
            end = keep_undominated(fresh, found, labels, end)
    best, label = FAR, -1
    for candidate in range(begin, end):
        time = labels[candidate, TIME] + exits[labels[candidate, OPTION]]
        if time < best:
            best, label = time, candidate
    return best, trace_back(labels, label, count)


@compiled
def hopeless(time: int, excess: int, ahead: Floats, prices: Floats, known: int) -> bool:
    """Whether some price shows that no completion of a label is faster than `known`."""
    for u in range(prices.shape[0]):
        if time + ahead[u] + prices[u] * excess >= known:
            return True
    return False


@compiled
def bracket_price(
    first_costs: Ints, steps: Ints, exits: Ints, resident: Ints, momentary: Ints, capacity: int
) -> tuple[Floats, int]:
    """Prices 0, and just below and above the one at which the best choice begins to fit.

    Those give the tightest Lagrangian bounds. The choices met on the way that fit give a time
    that can be reached, FAR if there was none.
    """
    low, high, reached = 0.0, 0.0, FAR
    for _ in range(40):
        time, need = best_at(high, first_costs, steps, exits, resident, momentary)
        if need <= capacity:
            reached = time
            break
        low = high
        high = max(2.0**-20, 4 * high)
    for _ in range(24 if high > 0.0 and reached < FAR else 0):
        middle = (low + high) / 2
        time, need = best_at(middle, first_costs, steps, exits, resident, momentary)
        if need <= capacity:
            reached = min(reached, time)
            high = middle
        else:
            low = middle
    return np.array([0.0, low, high]), reached


@compiled
def best_at(
    price: float, first_costs: Ints, steps: Ints, exits: Ints, resident: Ints, momentary: Ints
) -> tuple[int, int]:
    """Time and bytes of the choice with the least time + price * resident bytes."""
    count, options = resident.shape
    value = first_costs + price * resident[0]
    time, kept, peak = first_costs.copy(), resident[0].copy(), momentary[0].copy()
    for layer in range(1, count):
        last_value, last_time = value.copy(), time.copy()
        last_kept, last_peak = kept.copy(), peak.copy()
        for own in range(options):
            before = np.argmin(last_value + steps[layer, :, own])
            cycles = steps[layer, before, own]
            value[own] = last_value[before] + cycles + price * resident[layer, own]
            time[own] = last_time[before] + cycles
            kept[own] = last_kept[before] + resident[layer, own]
            peak[own] = max(last_peak[before], momentary[layer, own])
    best = np.argmin(value + exits)
    return time[best] + exits[best], kept[best] + peak[best]


@compiled
def completions(steps: Ints, exits: Ints, resident: Ints, prices: Floats) -> Floats:
    """[U,n,O] the least time + price * resident bytes of all that follows a layer, exit included.

    A hair is taken off, so that rounding never makes the bound too large.
    """
    count, options = resident.shape
    ahead = np.empty((prices.shape[0], count, options))
    for u in range(prices.shape[0]):
        for own in range(options):
            ahead[u, count - 1, own] = exits[own]
        for layer in range(count - 2, -1, -1):
            for own in range(options):
                best = np.inf
                for then in range(options):
                    value = ahead[u, layer + 1, then] + steps[layer + 1, own, then]
                    best = min(best, value + prices[u] * resident[layer + 1, then])
                ahead[u, layer, own] = best
    return ahead * (1 - 1e-12) - 1e-3


@compiled
def least_ahead(resident: Ints, momentary: Ints) -> tuple[Ints, Ints]:
    """[n+1] the least resident bytes, and the least peak, of the layers from each one on."""
    count = resident.shape[0]
    kept = np.zeros(count + 1, dtype=np.int64)
    peak = np.zeros(count + 1, dtype=np.int64)
    for layer in range(count - 1, -1, -1):
        kept[layer] = kept[layer + 1] + resident[layer].min()
        peak[layer] = max(peak[layer + 1], momentary[layer].min())
    return kept, peak


@compiled
def keep_undominated(fresh: Ints, found: int, labels: Ints, end: int) -> int:
    """Append the undominated ones of fresh[:found] to labels[:end]; return the new end."""
    start = end
    for candidate in np.argsort(fresh[:found, TIME], kind="mergesort"):
        kept, peak = fresh[candidate, RESIDENT], fresh[candidate, PEAK]
        dominated = False
        for other in range(start, end):
            if labels[other, RESIDENT] <= kept and labels[other, PEAK] <= peak:
                dominated = True
                break
        if not dominated:
            labels[end] = fresh[candidate]
            end += 1
    return end


@compiled
def trace_back(labels: Ints, label: int, count: int) -> Ints:
    """[count] the options of a label's layers; empty for label -1."""
    if label < 0:
        return np.empty(0, dtype=np.int64)
    chosen = np.empty(count, dtype=np.int64)
    for layer in range(count - 1, -1, -1):
        chosen[layer] = labels[label, OPTION]
        label = labels[label, PARENT]
    return chosen
