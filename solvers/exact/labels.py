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

from typing import NamedTuple

import numpy as np

from instances.jit import compiled
from instances.tables import Floats, Ints

FAR = 2**62
"""Stands for 'impossible' in all time tables."""

TIME, RESIDENT, PEAK, OPTION, PARENT = range(5)
FIELDS = 5


class Column(NamedTuple):
    """One cluster of n layers on one number of chiplets.

    Attributes:
        entry: [O] cycles of the first layer.
        steps: [n,O,O] cycles of each later layer after the previous option; row 0 unused.
        exits: [O] cycles after the last layer.
        resident, momentary: [n,O] bytes.
        capacity: bytes.
    """

    entry: Ints
    steps: Ints
    exits: Ints
    resident: Ints
    momentary: Ints
    capacity: int


@compiled
def fastest(column: Column, known: int) -> tuple[int, Ints]:
    """The time of the fastest cluster that fits and is faster than `known`, and its options.

    Returns (time, [n] options); (FAR, empty) if there is none. `known` may be FAR.
    """
    count, options = column.resident.shape
    prices, reached = bracket_price(column)
    limit = min(known, reached + 1) if reached < FAR else known
    ahead = completions(column, prices)
    kept_ahead, peak_ahead = least_ahead(column)
    labels = np.empty((256, FIELDS), dtype=np.int64)
    before, begin, end = 0, 0, 0
    for layer in range(count):
        before, begin = begin, end
        parents = labels[before:begin]
        for own in range(options):
            fresh = extend(column, layer, own, parents, before)
            promising = np.empty(fresh.shape[0], dtype=np.bool_)
            for label in range(fresh.shape[0]):
                need = fresh[label, RESIDENT] + max(fresh[label, PEAK], peak_ahead[layer + 1])
                promising[label] = need + kept_ahead[layer + 1] <= column.capacity and not hopeless(
                    fresh[label, TIME], need - column.capacity, ahead[:, layer, own], prices, limit
                )
            fresh = undominated(fresh[promising])
            if end + fresh.shape[0] > labels.shape[0]:
                larger = np.empty((2 * (end + fresh.shape[0]), FIELDS), dtype=np.int64)
                larger[:end] = labels[:end]
                labels = larger
            labels[end : end + fresh.shape[0]] = fresh
            end += fresh.shape[0]
    best, label = known, -1
    for candidate in range(begin, end):
        time = labels[candidate, TIME] + column.exits[labels[candidate, OPTION]]
        if time < best:
            best, label = time, candidate
    return best if label >= 0 else FAR, trace_back(labels, label, count)


@compiled
def extend(column: Column, layer: int, own: int, parents: Ints, offset: int) -> Ints:
    """Labels that follow `parents`, whose first has the index `offset`, by option `own`."""
    if layer == 0:
        fresh = np.zeros((1, FIELDS), dtype=np.int64)
        fresh[0, TIME] = column.entry[own]
        fresh[0, PARENT] = -1
    else:
        fresh = parents.copy()
        for place in range(parents.shape[0]):
            fresh[place, TIME] += column.steps[layer, parents[place, OPTION], own]
            fresh[place, PARENT] = offset + place
    fresh[:, RESIDENT] += column.resident[layer, own]
    fresh[:, PEAK] = np.maximum(fresh[:, PEAK], column.momentary[layer, own])
    fresh[:, OPTION] = own
    return fresh


@compiled
def hopeless(time: int, excess: int, ahead: Floats, prices: Floats, limit: int) -> bool:
    """Whether some price shows that no completion of a label is faster than the limit."""
    for u in range(prices.shape[0]):
        if time + ahead[u] + prices[u] * excess >= limit:
            return True
    return False


@compiled
def undominated(labels: Ints) -> Ints:
    """Labels of one last option that no other beats or equals in time, resident bytes and peak."""
    kept = labels[np.argsort(labels[:, TIME], kind="mergesort")]
    end = 0
    for candidate in range(kept.shape[0]):
        dominated = False
        for other in range(end):
            if (
                kept[other, RESIDENT] <= kept[candidate, RESIDENT]
                and kept[other, PEAK] <= kept[candidate, PEAK]
            ):
                dominated = True
                break
        if not dominated:
            kept[end] = kept[candidate]
            end += 1
    return kept[:end]


@compiled
def bracket_price(column: Column) -> tuple[Floats, int]:
    """Prices 0, and just below and above the one at which the best choice begins to fit.

    Those give the tightest Lagrangian bounds. The choices met on the way that fit give a time
    that can be reached, FAR if there was none.
    """
    low, high, reached = 0.0, 0.0, FAR
    for _ in range(40):
        time, need = best_at(column, high)
        if need <= column.capacity:
            reached = time
            break
        low = high
        high = max(2.0**-20, 4 * high)
    for _ in range(24 if high > 0.0 and reached < FAR else 0):
        middle = (low + high) / 2
        time, need = best_at(column, middle)
        if need <= column.capacity:
            reached = min(reached, time)
            high = middle
        else:
            low = middle
    return np.array([0.0, low, high]), reached


@compiled
def best_at(column: Column, price: float) -> tuple[int, int]:
    """Time and bytes of the choice with the least time + price * resident bytes."""
    count, options = column.resident.shape
    value = column.entry + price * column.resident[0]
    time, kept, peak = column.entry.copy(), column.resident[0].copy(), column.momentary[0].copy()
    for layer in range(1, count):
        last_value, last_time = value.copy(), time.copy()
        last_kept, last_peak = kept.copy(), peak.copy()
        for own in range(options):
            before = np.argmin(last_value + column.steps[layer, :, own])
            cycles = column.steps[layer, before, own]
            value[own] = last_value[before] + cycles + price * column.resident[layer, own]
            time[own] = last_time[before] + cycles
            kept[own] = last_kept[before] + column.resident[layer, own]
            peak[own] = max(last_peak[before], column.momentary[layer, own])
    best = np.argmin(value + column.exits)
    return time[best] + column.exits[best], kept[best] + peak[best]


@compiled
def completions(column: Column, prices: Floats) -> Floats:
    """[U,n,O] the least time + price * resident bytes of all that follows a layer, exit included.

    A hair is taken off, so that rounding never makes the bound too large.
    """
    count, options = column.resident.shape
    ahead = np.empty((prices.shape[0], count, options))
    for u in range(prices.shape[0]):
        for own in range(options):
            ahead[u, count - 1, own] = column.exits[own]
        for layer in range(count - 2, -1, -1):
            for own in range(options):
                best = np.inf
                for then in range(options):
                    value = ahead[u, layer + 1, then] + column.steps[layer + 1, own, then]
                    best = min(best, value + prices[u] * column.resident[layer + 1, then])
                ahead[u, layer, own] = best
    return ahead * (1 - 1e-12) - 1e-3


@compiled
def least_ahead(column: Column) -> tuple[Ints, Ints]:
    """[n+1] the least resident bytes, and the least peak, of the layers from each one on."""
    count = column.resident.shape[0]
    kept = np.zeros(count + 1, dtype=np.int64)
    peak = np.zeros(count + 1, dtype=np.int64)
    for layer in range(count - 1, -1, -1):
        kept[layer] = kept[layer + 1] + column.resident[layer].min()
        peak[layer] = max(peak[layer + 1], column.momentary[layer].min())
    return kept, peak


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
