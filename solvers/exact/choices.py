"""The option choices of every cluster that matter when both time and energy count.

A label is a choice of options for the first layers of a cluster: time, energy, resident bytes,
momentary peak and last option. It is dropped if it does not fit, if it is too slow, or if another
with the same last option is no worse in all four.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from instances.jit import compiled
from instances.tables import CostTables, Ints
from schedules.goal import Flags
from schedules.parallel import in_parallel
from schedules.progress import Progress
from schedules.schedule import Cluster
from solvers.exact.trade import Columns

TIME, ENERGY, RESIDENT, PEAK, OPTION, PARENT = range(6)
FIELDS = 6


class Costs(NamedTuple):
    """All clusters that begin at one layer, on one number of chiplets, skip tensors included.

    Row k of an array is the k-th layer of the cluster; index 0 of the last axis is cycles, 1 is
    picojoules.

    Attributes:
        entry: [O,2] of the first layer.
        step: [n,O,O,2] of a later layer by the previous option and its own; row 0 unused.
        exits: [n,O,2] after the last layer.
        resident, momentary: [n,O] bytes.
        capacity: bytes.
    """

    entry: Ints
    step: Ints
    exits: Ints
    resident: Ints
    momentary: Ints
    capacity: int


def costs_from(tables: CostTables, first: int) -> Iterator[Costs]:
    """Costs of the clusters from `first` on, for 1..C chiplets."""
    rows = slice(first, None)
    energy = tables.energy
    enter, leave = np.zeros((*tables.shape, 2), np.int64), np.zeros((*tables.shape, 2), np.int64)
    for skip in tables.skips:
        use = skip.first_use_from(first)
        if skip.producer < first and use is not None:
            which = skip.consumers.index(use)
            enter[use, ..., 0] += skip.enter[which]
            enter[use, ..., 1] += skip.enter_energy[which]
        elif skip.producer >= first:
            end = len(tables.layers) if skip.leaves else skip.consumers[-1]
            leave[skip.producer + 1 : end, ..., 0] += skip.leave
            leave[skip.producer + 1 : end, ..., 1] += skip.leave_energy
    entry = np.stack([tables.entry, energy.entry], axis=-1)[first] + enter[first]
    step = np.stack([tables.step, energy.step], axis=-1)[rows] + enter[rows, None]
    exits = (np.stack([tables.exit, energy.exit], axis=-1) + leave)[rows]
    momentary = (tables.working + tables.held(first)[:, None, :])[rows]
    for c in range(tables.chiplets):
        yield Costs(
            entry=np.ascontiguousarray(entry[:, c]),
            step=np.ascontiguousarray(step[..., c, :]),
            exits=np.ascontiguousarray(exits[..., c, :]),
            resident=np.ascontiguousarray(tables.resident[rows, :, c]),
            momentary=np.ascontiguousarray(momentary[..., c]),
            capacity=tables.capacity,
        )


@compiled
def grow(costs: Costs, slowest: int) -> tuple[Ints, Ints]:
    """Labels of the clusters of 1, 2, ... layers.

    Args:
        slowest: most cycles of a cluster.

    Returns:
        labels: [.,6]; PARENT leads back to the first layer's, whose parent is -1.
        ends: [n+1] where the labels of each layer end.
    """
    count, options = costs.resident.shape
    labels = np.empty((256, FIELDS), dtype=np.int64)
    ends = np.zeros(count + 1, dtype=np.int64)
    begin, end = 0, 0
    for layer in range(count):
        parents, offset = labels[begin:end], begin
        begin = end
        for own in range(options):
            fresh = undominated(extend(costs, layer, own, parents, offset, slowest))
            if end + fresh.shape[0] > labels.shape[0]:
                larger = np.empty((2 * (end + fresh.shape[0]), FIELDS), dtype=np.int64)
                larger[:end] = labels[:end]
                labels = larger
            labels[end : end + fresh.shape[0]] = fresh
            end += fresh.shape[0]
        ends[layer + 1] = end
    return labels[:end], ends


@compiled
def extend(costs: Costs, layer: int, own: int, parents: Ints, offset: int, slowest: int) -> Ints:
    """Labels that follow `parents` by option `own`, fit and are not too slow.

    The first of the parents has the index `offset`; layer 0 has none.
    """
    number = 1 if layer == 0 else parents.shape[0]
    fresh = np.zeros((number, FIELDS), dtype=np.int64)
    end = 0
    for place in range(number):
        if layer == 0:
            fresh[end, TIME], fresh[end, ENERGY] = costs.entry[own]
            fresh[end, PARENT] = -1
        else:
            fresh[end] = parents[place]
            moved = costs.step[layer, parents[place, OPTION], own]
            fresh[end, TIME] += moved[0]
            fresh[end, ENERGY] += moved[1]
            fresh[end, PARENT] = offset + place
        fresh[end, RESIDENT] += costs.resident[layer, own]
        fresh[end, PEAK] = max(fresh[end, PEAK], costs.momentary[layer, own])
        fresh[end, OPTION] = own
        fits = fresh[end, RESIDENT] + fresh[end, PEAK] <= costs.capacity
        if fits and fresh[end, TIME] <= slowest:
            end += 1
        else:
            fresh[end] = 0
    return fresh[:end]


@compiled
def undominated(labels: Ints) -> Ints:
    """Labels of one last option that no other beats or equals in all four."""
    kept = labels[np.argsort(labels[:, TIME], kind="mergesort")]
    end = 0
    for candidate in range(kept.shape[0]):
        dominated = False
        for other in range(end):
            if (
                kept[other, ENERGY] <= kept[candidate, ENERGY]
                and kept[other, RESIDENT] <= kept[candidate, RESIDENT]
                and kept[other, PEAK] <= kept[candidate, PEAK]
            ):
                dominated = True
                break
        if not dominated:
            kept[end] = kept[candidate]
            end += 1
    return kept[:end]


@compiled
def finish(labels: Ints, ends: Ints, costs: Costs, first: int, chiplets: int) -> Ints:
    """[.,5] what the labels stand for as whole clusters: rows of a table of columns."""
    rows = np.empty((labels.shape[0], 5), dtype=np.int64)
    for k in range(costs.exits.shape[0]):
        for label in range(ends[k], ends[k + 1]):
            sent = costs.exits[k, labels[label, OPTION]]
            time, energy = labels[label, TIME] + sent[0], labels[label, ENERGY] + sent[1]
            rows[label] = chiplets, time, energy, first, first + k
    return rows


@compiled
def best_columns(rows: Ints, slowest: int) -> Ints:
    """Rows of one first layer that no other with the same last layer beats or equals.

    Another does if it has no more chiplets, time and energy. The rest is in the order of last
    layer, chiplets, energy.
    """
    kept = rows[rows[:, 1] <= slowest]
    for field in (1, 2, 0, 4):
        kept = kept[np.argsort(kept[:, field], kind="mergesort")]
    begin, end = 0, 0
    for row in range(kept.shape[0]):
        if end > begin and kept[begin, 4] != kept[row, 4]:
            begin = end
        dominated = False
        for other in range(begin, end):
            if kept[other, 1] <= kept[row, 1] and kept[other, 2] <= kept[row, 2]:
                dominated = True
                break
        if not dominated:
            kept[end] = kept[row]
            end += 1
    return kept[:end].copy()


@compiled
def trace_options(labels: Ints, label: int, count: int) -> Ints:
    """[count] the options of a label's layers."""
    chosen = np.empty(count, dtype=np.int64)
    for layer in range(count - 1, -1, -1):
        chosen[layer] = labels[label, OPTION]
        label = labels[label, PARENT]
    return chosen


def make_columns(
    tables: CostTables, allowed: Flags, slowest: int, progress: Progress, workers: int
) -> Columns:
    """All columns of at most `slowest` cycles whose clusters are `allowed` [L,L].

    Raises:
        OutOfTimeError: the time limit passed.
    """
    count = len(tables.layers)

    def from_layer(first: int) -> Ints:
        rows = []
        for c, costs in enumerate(costs_from(tables, first)):
            labels, ends = grow(costs, slowest)
            found = finish(labels, ends, costs, first, c + 1)
            rows.append(best_columns(found[allowed[first, found[:, 4]]], slowest))
        columns: Ints = best_columns(np.concatenate(rows), slowest)
        return columns

    found = [columns for _, columns in in_parallel(from_layer, count, progress, workers)]
    table = np.concatenate(found)
    places = table[:, 3] * (count + 1) + table[:, 4]
    wanted = np.arange(count)[:, None] * (count + 1) + np.arange(count + 1)
    return Columns(table, np.searchsorted(places, wanted))


def cluster_of(tables: CostTables, column: Ints) -> Cluster:
    """The cluster that a column stands for, by growing its labels once more."""
    chiplets, time, _, first, last = column.tolist()
    costs = list(costs_from(tables, first))[chiplets - 1]
    count = last - first + 1
    costs = costs._replace(
        step=costs.step[:count],
        exits=costs.exits[:count],
        resident=costs.resident[:count],
        momentary=costs.momentary[:count],
    )
    labels, ends = grow(costs, time)
    rows = finish(labels, ends, costs, first, chiplets)
    label = int(np.flatnonzero((rows == column).all(axis=1))[0])
    options = trace_options(labels, label, count)
    return Cluster(first, last, chiplets, tuple(tables.options[o] for o in options))
