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
    """Ways to run the layers of a cluster so far, up to Q for each option of the last layer.

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
    shape = (longest, options, ways)
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
        _extend(costs, column, changes, first, layer, labels)
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
    costs: StageCosts, column: Column, changes: Bools, first: int, layer: int, labels: Labels
) -> None:
    """Labels of one more layer of a cluster from `first`."""
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
                total = labels.kept[k - 1, before, way] + kept
                peak = max(labels.peak[k - 1, before, way], need)
                if total + peak <= costs.capacity:
                    time = labels.time[k - 1, before, way] + more
                    parent = before * labels.time.shape[2] + way
                    insert(labels, k, option, time, total, peak, parent)


@lean
def insert(
    labels: Labels, k: int, option: int, time: int, kept: int, peak: int, parent: int
) -> None:
    """Add a way unless another is as good in everything; if there is no room, the slowest goes.

    The one that needs the least memory stays, so that a cluster can always grow as long as any
    choice of options lets it.
    """
    number, way = labels.number[k, option], 0
    while way < number:
        same = labels.time[k, option, way], labels.kept[k, option, way], labels.peak[k, option, way]
        if same[0] <= time and same[1] <= kept and same[2] <= peak:
            return
        if same[0] >= time and same[1] >= kept and same[2] >= peak:
            number -= 1
            _move(labels, k, option, number, way)
        else:
            way += 1
    if number < labels.time.shape[2]:
        place = number
        number += 1
    else:
        place = _to_replace(labels, k, option, time, kept + peak)
    labels.number[k, option] = number
    if place >= 0:
        labels.time[k, option, place] = time
        labels.kept[k, option, place] = kept
        labels.peak[k, option, place] = peak
        labels.parent[k, option, place] = parent


@lean
def _move(labels: Labels, k: int, option: int, source: int, target: int) -> None:
    labels.time[k, option, target] = labels.time[k, option, source]
    labels.kept[k, option, target] = labels.kept[k, option, source]
    labels.peak[k, option, target] = labels.peak[k, option, source]
    labels.parent[k, option, target] = labels.parent[k, option, source]


@lean
def _to_replace(labels: Labels, k: int, option: int, time: int, memory: int) -> int:
    """The place of the way that a new one drives out of a full list; -1 if the new one has to go.

    The leanest goes only for a leaner one, of the others the slowest goes.
    """
    ways = labels.time.shape[2]
    leanest, slowest = 0, -1
    for way in range(1, ways):
        own = labels.kept[k, option, way] + labels.peak[k, option, way]
        if own < labels.kept[k, option, leanest] + labels.peak[k, option, leanest]:
            leanest = way
    if memory < labels.kept[k, option, leanest] + labels.peak[k, option, leanest]:
        return leanest
    for way in range(ways):
        if way != leanest and (
            slowest < 0 or labels.time[k, option, way] > labels.time[k, option, slowest]
        ):
            slowest = way
    if slowest >= 0 and labels.time[k, option, slowest] > time:
        return slowest
    return -1


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
    best, state = FAR, 0
    for option in range(changes.shape[0]):
        for way in range(labels.number[size - 1, option]):
            time = labels.time[size - 1, option, way] + column.sending[size - 1, option]
            if time < best:
                best, state = time, option * ways + way
    for k in range(size - 1, -1, -1):
        chosen[k] = state // ways
        state = labels.parent[k, state // ways, state % ways]
    return times[size - 1], chosen
