"""Stage times of every cluster that begins at one layer with one region size (step 4 of Scope).

A sweep goes on from layer to layer and keeps, for each option of the last one, the ways to get
there that another way does not beat in both time and memory. The paper lets the partition change
from WSP to ISP at one layer, which leaves n + 1 choices for n layers instead of O^n; which changes
a sweep may make is an argument here, so that this rule is one of several.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from instances.jit import compiled, lean
from instances.stages import (
    FAR,
    StageCosts,
    arrival,
    departure,
    entry,
    resident,
    sending,
    step,
    waiting,
    working,
)
from instances.tables import Ints

Bools = NDArray[np.bool_]


class Column(NamedTuple):
    """What layers cost on one region size.

    Attributes:
        first: the layer of row 0.
        chiplets: the region size.
        entry, sending, resident, working: [n,O]. step: [n,O,O], by the option before.
    """

    first: int
    chiplets: int
    entry: Ints
    step: Ints
    sending: Ints
    resident: Ints
    working: Ints


class Labels(NamedTuple):
    """Ways to run the layers of a cluster so far, fewer than Q for each option of the last layer.

    Attributes:
        number: [W,O] how many there are after each layer.
        time, kept, peak: [W,O,Q] cycles without `exit`; bytes for the whole segment, for a while.
        parent: [W,O,Q] the way that it extends: option * Q + place.
    """

    number: Ints
    time: Ints
    kept: Ints
    peak: Ints
    parent: Ints


@compiled
def new_labels(longest: int, options: int, ways: int) -> Labels:
    """Room for clusters of up to `longest` layers."""
    shape = (longest, options, ways + 1)  # one place more, until it is known which way goes
    return Labels(
        np.zeros((longest, options), dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
    )


@compiled
def column_of(costs: StageCosts, first: int, last: int, chiplets: int) -> Column:
    """Costs of layers first..last on one region size."""
    size, options = last - first + 1, costs.options
    column = Column(
        first,
        chiplets,
        np.zeros((size, options), dtype=np.int64),
        np.zeros((size, options, options), dtype=np.int64),
        np.zeros((size, options), dtype=np.int64),
        np.zeros((size, options), dtype=np.int64),
        np.zeros((size, options), dtype=np.int64),
    )
    for k in range(size):
        layer = first + k
        for option in range(options):
            column.entry[k, option] = entry(costs, layer, option, chiplets)
            column.sending[k, option] = sending(costs, layer, option, chiplets)
            column.resident[k, option] = resident(costs, layer, option, chiplets)
            column.working[k, option] = working(costs, layer, option, chiplets)
            if layer > 0:
                for before in range(options):
                    column.step[k, before, option] = step(costs, layer, before, option, chiplets)
    return column


@compiled
def sweep(
    costs: StageCosts,
    column: Column,
    changes: Bools,
    first: int,
    last: int,
    limit: int,
    labels: Labels,
    times: Ints,
) -> int:
    """Fill in the times of clusters first..first, first..first+1 and so on.

    It ends with the last layer, where nothing fits any more, or before a time exceeds the limit;
    the first layer alone has none.

    Args:
        column: of layers first..last at least.
        changes: [O,O] whether an option (row) may be followed by another (column).
        times: [W] to be filled: cycles a sample.

    Returns:
        How many clusters there are.
    """
    for layer in range(first, last + 1):
        k = layer - first
        _extend(costs, column, changes, first, layer, limit, labels)
        row = layer - column.first
        best = FAR
        for option in range(changes.shape[0]):
            for way in range(labels.number[k, option]):
                best = min(best, labels.time[k, option, way] + column.sending[row, option])
        if best == FAR:
            return k
        times[k] = best + departure(costs, first, layer, column.chiplets)
        if times[k] > limit:
            return max(k, 1)
    return last - first + 1


@lean
def _extend(
    costs: StageCosts,
    column: Column,
    changes: Bools,
    first: int,
    layer: int,
    limit: int,
    labels: Labels,
) -> None:
    """Labels of one more layer of a cluster from `first`, as far as they keep the limit."""
    k, row, c = layer - first, layer - column.first, column.chiplets
    held = waiting(costs, first, layer, c)
    for option in range(changes.shape[0]):
        labels.number[k, option] = 0
        kept = column.resident[row, option]
        if kept > costs.capacity or not changes[option, option]:
            continue
        need = column.working[row, option] + held
        extra = arrival(costs, first, layer, option, c)
        if k == 0:
            if kept + need <= costs.capacity:
                time = column.entry[row, option] + extra
                insert(labels, k, option, time, kept, need, -1)
            continue
        for before in range(changes.shape[0]):
            if not changes[before, option]:
                continue
            more = column.step[row, before, option] + extra
            for way in range(labels.number[k - 1, before]):
                time = labels.time[k - 1, before, way] + more
                total = labels.kept[k - 1, before, way] + kept
                peak = max(labels.peak[k - 1, before, way], need)
                if time <= limit and total + peak <= costs.capacity:
                    parent = before * labels.time.shape[2] + way
                    insert(labels, k, option, time, total, peak, parent)


@lean
def insert(
    labels: Labels, k: int, option: int, time: int, kept: int, peak: int, parent: int
) -> None:
    """Add a way, in the order of memory, unless another is as good in everything.

    If there is no room, the one goes that the others make up for best. The leanest stays, so that a
    cluster can always grow as long as any choice of options lets it.
    """
    number, place = 0, 0
    for way in range(labels.number[k, option]):
        same = labels.time[k, option, way], labels.kept[k, option, way], labels.peak[k, option, way]
        if same[0] <= time and same[1] <= kept and same[2] <= peak:
            return
        if same[0] < time or same[1] < kept or same[2] < peak:
            if number < way:
                _move(labels, k, option, way, number)
            number += 1
            if same[1] + same[2] <= kept + peak:
                place = number
    for way in range(number, place, -1):
        _move(labels, k, option, way - 1, way)
    labels.time[k, option, place] = time
    labels.kept[k, option, place] = kept
    labels.peak[k, option, place] = peak
    labels.parent[k, option, place] = parent
    number += 1
    if number == labels.time.shape[2]:
        number -= 1
        for way in range(_least_loss(labels, k, option), number):
            _move(labels, k, option, way + 1, way)
    labels.number[k, option] = number


@lean
def _move(labels: Labels, k: int, option: int, source: int, target: int) -> None:
    labels.time[k, option, target] = labels.time[k, option, source]
    labels.kept[k, option, target] = labels.kept[k, option, source]
    labels.peak[k, option, target] = labels.peak[k, option, source]
    labels.parent[k, option, target] = labels.parent[k, option, source]


@lean
def _least_loss(labels: Labels, k: int, option: int) -> int:
    """The way that takes the least area from the front of time and memory; not one of its ends.

    What counts in the end is the front's convex hull: there lie the ways that are best at some
    price of memory. A way above the line between its neighbours goes before any below it.
    """
    chosen, least = 1, np.inf
    for way in range(1, labels.time.shape[2] - 1):
        faster = float(labels.time[k, option, way - 1] - labels.time[k, option, way])
        fastest = float(labels.time[k, option, way - 1] - labels.time[k, option, way + 1])
        fatter = memory(labels, k, option, way) - memory(labels, k, option, way - 1)
        fattest = memory(labels, k, option, way + 1) - memory(labels, k, option, way - 1)
        loss = faster * fattest - fastest * fatter
        if loss < least:
            chosen, least = way, loss
    return chosen


@lean
def memory(labels: Labels, k: int, option: int, way: int) -> int:
    """Bytes that a way takes up."""
    return labels.kept[k, option, way] + labels.peak[k, option, way]


@compiled
def best_options(
    costs: StageCosts, changes: Bools, ways: int, first: int, last: int, chiplets: int
) -> tuple[int, Ints]:
    """(cycles a sample, [n] options) of one cluster; the cycles are FAR if it does not fit."""
    size = last - first + 1
    labels = new_labels(size, changes.shape[0], ways)
    times = np.empty(size, dtype=np.int64)
    column = column_of(costs, first, last, chiplets)
    chosen = np.zeros(size, dtype=np.int64)
    if sweep(costs, column, changes, first, last, FAR, labels, times) < size:
        return FAR, chosen
    best, state, width = FAR, 0, labels.time.shape[2]
    for option in range(changes.shape[0]):
        for way in range(labels.number[size - 1, option]):
            time = labels.time[size - 1, option, way] + column.sending[size - 1, option]
            if time < best:
                best, state = time, option * width + way
    for k in range(size - 1, -1, -1):
        chosen[k] = state // width
        state = labels.parent[k, state // width, state % width]
    return times[size - 1], chosen
