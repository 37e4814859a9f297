"""Label setting over the option choices of clusters, where both time and energy count.

A label (see `instances.dominance`) is dropped if it does not fit, if no schedule with it is of use,
or if another with the same last option is no worse in all four. Where all that may follow fits in
any case, bytes do not count any more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.dominance import ENERGY, FIELDS, OPTION, PARENT, PEAK, RESIDENT, TIME, undominated
from instances.jit import compiled
from instances.tables import Floats, Ints
from solvers.exact.trade import Horizon, useless


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


class Rest(NamedTuple):
    """What a schedule costs beside one of its clusters, at the least, and what is of use.

    Attributes:
        horizon: of the whole schedule.
        batch: samples.
        leakage: picojoules a cycle.
        share: the part of the package that the cluster has.
        load: cycles of all loads.
        times: [n] cycles a sample that the other layers keep the whole package busy, if the
            cluster has layers up to the k-th.
        energies: [n] picojoules of all else, leakage not counted, likewise.
    """

    horizon: Horizon
    batch: int
    leakage: int
    share: float
    load: int
    times: Floats
    energies: Ints


@compiled
def next_labels(costs: Costs, rest: Rest, layer: int, parents: Ints) -> Ints:
    """[.,6] labels up to the given layer of the cluster; PARENT is a row of `parents`."""
    count, options = costs.resident.shape
    kept, peak, next_peak = 0, 0, 0
    for later in range(layer + 1, count):
        kept += costs.resident[later].max()
        peak = max(peak, costs.momentary[later].max())
    if layer + 1 < count:
        next_peak = costs.momentary[layer + 1].min()
    labels = np.empty((0, FIELDS), dtype=np.int64)
    for own in range(options):
        fresh = extend(costs, rest, layer, own, parents)
        for label in fresh:
            if label[RESIDENT] + kept + max(label[PEAK], peak) <= costs.capacity:
                label[RESIDENT] = label[PEAK] = 0
            label[PEAK] = max(label[PEAK], next_peak)
        labels = np.concatenate((labels, undominated(fresh, 1)))
    return labels


@compiled
def extend(costs: Costs, rest: Rest, layer: int, own: int, parents: Ints) -> Ints:
    """Labels that follow `parents` by option `own`, fit, and may be of use; layer 0 has none."""
    number = 1 if layer == 0 else parents.shape[0]
    fresh = np.zeros((number, FIELDS), dtype=np.int64)
    end = 0
    for place in range(number):
        label = fresh[end]
        if layer == 0:
            label[:] = 0
            label[TIME], label[ENERGY] = costs.entry[own]
        else:
            label[:] = parents[place]
            label[TIME] += costs.step[layer, parents[place, OPTION], own, 0]
            label[ENERGY] += costs.step[layer, parents[place, OPTION], own, 1]
        label[RESIDENT] += costs.resident[layer, own]
        label[PEAK] = max(label[PEAK], costs.momentary[layer, own])
        label[OPTION], label[PARENT] = own, place
        if label[RESIDENT] + label[PEAK] <= costs.capacity:
            busy = rest.times[layer] + rest.share * label[TIME]
            time = rest.load + rest.batch * max(label[TIME], int(busy))
            energy = rest.energies[layer] + rest.batch * label[ENERGY] + rest.leakage * time
            if not useless(rest.horizon, time, energy):
                end += 1
    return fresh[:end]


@compiled
def finish(labels: Ints, exits: Ints, chiplets: int, first: int, last: int) -> Ints:
    """[.,5] the labels as whole clusters: rows of a table of columns."""
    rows = np.empty((labels.shape[0], 5), dtype=np.int64)
    for place in range(labels.shape[0]):
        label = labels[place]
        sent = exits[label[OPTION]]
        rows[place] = chiplets, label[TIME] + sent[0], label[ENERGY] + sent[1], first, last
    return rows


@compiled
def best_columns(rows: Ints) -> Ints:
    """Rows of one first layer that no other with the same last layer beats or equals.

    Another does if it has no more chiplets, time and energy. The rest is in the order of last
    layer, chiplets, energy.
    """
    kept = rows
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
