"""The columns of the interval formulation: the fastest stage of each interval on each region.

A column is a cluster i..j on exactly c chiplets with the options that make its stage fastest among
those that fit the buffer. Times are coupled from layer to layer by the options, memory over the
whole cluster, so the fastest choice is a shortest path with a resource. It is found by labels
(time, resident bytes, peak, last option), layer by layer; a label goes if another with the same
last option is no worse in all three, if it does not fit, or if it is too late to matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from instances.jit import compiled
from instances.tables import LIMIT, CostTables, Ints

FAR = 2**62
"""The time of a cluster that is no column."""

TIME, RESIDENT, PEAK, OPTION, PARENT = range(5)
FIELDS = 5


class Columns:
    """The cluster columns of an instance.

    Attributes:
        times: [L,L,C] the time of cluster i..j on exactly c+1 chiplets, by its fastest options
            that fit. FAR where none fits, none is fast enough, or fewer chiplets do as well.

    Args:
        longest: cycles; slower clusters are left out. None: keep all.
    """

    def __init__(self, tables: CostTables, longest: int | None = None) -> None:
        self._tables = tables
        self._longest = LIMIT if longest is None else min(longest, LIMIT)
        count, _, chiplets = tables.shape
        times = np.full((count, count, chiplets), FAR, dtype=np.int64)
        for first in range(count):
            for c, costs in enumerate(_costs_from(tables, first, self._longest)):
                times[first, first:, c], _, _ = grow(costs)
        self.times = _falling(times)

    def options(self, first: int, last: int, chiplets: int) -> tuple[str, ...]:
        """The options of the layers of a column, in order.

        Raises:
            KeyError: no options of that cluster fit and are fast enough.
        """
        costs = list(_costs_from(self._tables, first, self._longest))[chiplets - 1]
        _, best, labels = grow(costs)
        label = int(best[last - first])
        if label < 0:
            raise KeyError((first, last, chiplets))
        chosen = []
        while label >= 0:
            chosen.append(self._tables.options[labels[label, OPTION]])
            label = int(labels[label, PARENT])
        return tuple(chosen[::-1])


class Costs(NamedTuple):
    """All clusters that begin at one layer, on one number of chiplets, skip tensors included.

    Row k of an array is the k-th layer of the cluster.

    Attributes:
        entry: [O] cycles of the first layer.
        step: [n,O,O] cycles of a later layer by the previous option and its own; row 0 unused.
        exits: [n,O] cycles after the last layer.
        resident, momentary: [n,O] bytes.
        capacity: bytes.
        longest: cycles.
    """

    entry: Ints
    step: Ints
    exits: Ints
    resident: Ints
    momentary: Ints
    capacity: int
    longest: int


def _costs_from(tables: CostTables, first: int, longest: int) -> Iterator[Costs]:
    """Costs of the clusters from `first` on, for 1..C chiplets."""
    rows = slice(first, None)
    enter = tables.entering(first)[rows]
    leave = tables.leaving(first)[rows, None, :]
    hold = tables.held(first)[rows, None, :]
    cycles, size = longest + 1, tables.capacity + 1  # cut off just beyond: sums cannot overflow
    entry = np.minimum(tables.entry[first], cycles) + np.minimum(enter[0], cycles)
    step = np.minimum(tables.step[rows], cycles) + np.minimum(enter, cycles)[:, None]
    exits = np.minimum(tables.exit[rows], cycles) + np.minimum(leave, cycles)
    resident = np.minimum(tables.resident[rows], size)
    momentary = np.minimum(np.minimum(tables.working[rows], size) + np.minimum(hold, size), size)
    for c in range(tables.chiplets):
        yield Costs(
            entry=np.ascontiguousarray(entry[..., c]),
            step=np.ascontiguousarray(step[..., c]),
            exits=np.ascontiguousarray(exits[..., c]),
            resident=np.ascontiguousarray(resident[..., c]),
            momentary=np.ascontiguousarray(momentary[..., c]),
            capacity=tables.capacity,
            longest=longest,
        )


def _falling(times: Ints) -> Ints:
    """Only the times that are below those of all smaller regions; FAR elsewhere."""
    before = np.minimum.accumulate(times, axis=2)[:, :, :-1]
    falling = times.copy()
    falling[:, :, 1:][times[:, :, 1:] >= before] = FAR
    return falling


@compiled
def grow(costs: Costs) -> tuple[Ints, Ints, Ints]:
    """Labels of the clusters of 1, 2, ... layers.

    Returns:
        times: [n] of the fastest cluster up to each layer, FAR if there is none.
        best: [n] its label, or -1.
        labels: [.,5] all labels; PARENT leads back to the first layer's, whose parent is -1.
    """
    count, options = costs.resident.shape
    times = np.full(count, FAR, dtype=np.int64)
    best = np.full(count, -1, dtype=np.int64)
    labels = np.empty((256, FIELDS), dtype=np.int64)
    begin, end = 0, 0
    for layer in range(count):
        parents, offset = labels[begin:end], begin
        begin = end
        for own in range(options):
            fresh = undominated(extend(costs, layer, own, parents, offset))
            if end + fresh.shape[0] > labels.shape[0]:
                larger = np.empty((2 * (end + fresh.shape[0]), FIELDS), dtype=np.int64)
                larger[:end] = labels[:end]
                labels = larger
            labels[end : end + fresh.shape[0]] = fresh
            end += fresh.shape[0]
        for label in range(begin, end):
            time = labels[label, TIME] + costs.exits[layer, labels[label, OPTION]]
            if time <= costs.longest and time < times[layer]:
                times[layer], best[layer] = time, label
    return times, best, labels[:end]


@compiled
def extend(costs: Costs, layer: int, own: int, parents: Ints, offset: int) -> Ints:
    """Labels that follow `parents` by option `own`, fit and are not too late.

    The first of the parents has the index `offset`; layer 0 has none.
    """
    number = 1 if layer == 0 else parents.shape[0]
    fresh = np.empty((number, FIELDS), dtype=np.int64)
    end = 0
    for place in range(number):
        if layer == 0:
            parent, time, resident, peak = -1, costs.entry[own], 0, 0
        else:
            parent = offset + place
            time = parents[place, TIME] + costs.step[layer, parents[place, OPTION], own]
            resident, peak = parents[place, RESIDENT], parents[place, PEAK]
        resident += costs.resident[layer, own]
        peak = max(peak, costs.momentary[layer, own])
        if time <= costs.longest and resident + peak <= costs.capacity:
            fresh[end, TIME], fresh[end, RESIDENT], fresh[end, PEAK] = time, resident, peak
            fresh[end, OPTION], fresh[end, PARENT] = own, parent
            end += 1
    return fresh[:end]


@compiled
def undominated(labels: Ints) -> Ints:
    """Labels of one last option that no other beats or equals in time, resident bytes and peak."""
    ordered = labels[np.argsort(labels[:, TIME], kind="mergesort")]
    end = 0
    for label in range(ordered.shape[0]):
        dominated = False
        for other in range(end):
            if (
                ordered[other, RESIDENT] <= ordered[label, RESIDENT]
                and ordered[other, PEAK] <= ordered[label, PEAK]
            ):
                dominated = True
                break
        if not dominated:
            ordered[end] = ordered[label]
            end += 1
    return ordered[:end]
