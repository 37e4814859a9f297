"""Labels of the options of one cluster: a shortest path with resources.

Times and energies are coupled from layer to layer by the options, memory over the whole cluster.
A label (see `instances.dominance`) is a choice of options for the layers so far. It goes if another
with the same last option is no worse in all that counts, if it does not fit, or if it is too late
to matter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.dominance import ENERGY, FIELDS, OPTION, PARENT, PEAK, RESIDENT, TIME, undominated
from instances.jit import compiled
from instances.tables import LIMIT, Ints

LAST, STAGE_TIME, STAGE_ENERGY, WAY, LABEL = range(5)
"""Fields of a stage: a cluster that ends after a label, in one of the ways to end there."""


class Costs(NamedTuple):
    """All clusters that begin at one layer, on one number of chiplets, skip tensors included.

    Row k of an array is the k-th layer of the cluster.

    Attributes:
        entry, entry_energy: [O] of the first layer.
        step, step_energy: [n,O,O] of a later layer by the previous option and its own.
        ways: [n+1] the ways to end after layer k are ways[k]..ways[k+1]-1; one without compression.
        exits, exits_energy: [W,O] what it takes to end in each way.
        kept: [W] bytes that this way needs besides.
        latest: [W] cycles that it may take together.
        resident, momentary: [n,O] bytes.
        capacity: bytes.
        longest: cycles.
        priced: 1 if energy counts; else only the fastest options are found.
    """

    entry: Ints
    entry_energy: Ints
    step: Ints
    step_energy: Ints
    ways: Ints
    exits: Ints
    exits_energy: Ints
    kept: Ints
    latest: Ints
    resident: Ints
    momentary: Ints
    capacity: int
    longest: int
    priced: int


@compiled
def grow(costs: Costs) -> tuple[Ints, Ints]:
    """The best choices of options for the clusters of 1, 2, ... layers.

    Returns:
        stages: [.,5] those undominated in time and energy, or the fastest if not `priced`;
            ascending by last layer, way and time.
        labels: [.,6] PARENT leads back to the first layer's, whose parent is -1.
    """
    count, options = costs.resident.shape
    labels = np.empty((256, FIELDS), dtype=np.int64)
    stages = np.empty((256, LABEL + 1), dtype=np.int64)
    begin, end, found = 0, 0, 0
    sure = costs.capacity - costs.kept.max()
    kept, peak = rest_of(costs)
    for layer in range(count):
        parents, offset = labels[begin:end], begin
        begin = end
        for own in range(options):
            fresh = extend(costs, layer, own, parents, offset)
            forget(fresh, kept[layer], peak[layer], sure)
            fresh = undominated(fresh, costs.priced)
            labels = room_for(labels, end, fresh.shape[0])
            labels[end : end + fresh.shape[0]] = fresh
            end += fresh.shape[0]
        if begin == end:
            break
        for way in range(costs.ways[layer], costs.ways[layer + 1]):
            ended = finish(costs, layer, way, labels[begin:end], begin)
            stages = room_for(stages, found, ended.shape[0])
            stages[found : found + ended.shape[0]] = ended
            found += ended.shape[0]
    return stages[:found], labels[:end]


@compiled
def rest_of(costs: Costs) -> tuple[Ints, Ints]:
    """[n] the most resident bytes and the highest peak of the layers after each."""
    count = costs.resident.shape[0]
    kept, peak = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for layer in range(count - 2, -1, -1):
        kept[layer] = kept[layer + 1] + costs.resident[layer + 1].max()
        peak[layer] = max(peak[layer + 1], costs.momentary[layer + 1].max())
    return kept, peak


@compiled
def forget(labels: Ints, kept: int, peak: int, capacity: int) -> None:
    """Bytes do not count any more in labels with which all that may follow fits in any case."""
    for label in labels:
        if label[RESIDENT] + kept + max(label[PEAK], peak) <= capacity:
            label[RESIDENT] = label[PEAK] = 0


@compiled
def room_for(rows: Ints, used: int, more: int) -> Ints:
    """The rows, in a larger array if there is no room for so many more."""
    if used + more <= rows.shape[0]:
        return rows
    larger = np.empty((2 * (used + more), rows.shape[1]), dtype=np.int64)
    larger[:used] = rows[:used]
    return larger


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
            parent, resident, peak = -1, 0, 0
            time, energy = costs.entry[own], costs.entry_energy[own]
        else:
            parent, before = offset + place, parents[place, OPTION]
            resident, peak = parents[place, RESIDENT], parents[place, PEAK]
            time = parents[place, TIME] + costs.step[layer, before, own]
            energy = parents[place, ENERGY] + costs.step_energy[layer, before, own]
        resident += costs.resident[layer, own]
        peak = max(peak, costs.momentary[layer, own])
        if time <= costs.longest and resident + peak <= costs.capacity:
            fresh[end, TIME], fresh[end, ENERGY] = time, min(energy, LIMIT)
            fresh[end, RESIDENT], fresh[end, PEAK] = resident, peak
            fresh[end, OPTION], fresh[end, PARENT] = own, parent
            end += 1
    return fresh[:end]


@compiled
def finish(costs: Costs, layer: int, way: int, labels: Ints, offset: int) -> Ints:
    """[.,5] the undominated stages that end with one of the labels, ascending by time."""
    stages = np.empty((labels.shape[0], LABEL + 1), dtype=np.int64)
    found = 0
    for place in range(labels.shape[0]):
        own = labels[place, OPTION]
        time = labels[place, TIME] + costs.exits[way, own]
        need = labels[place, RESIDENT] + labels[place, PEAK] + costs.kept[way]
        if time <= costs.latest[way] and need <= costs.capacity:
            energy = labels[place, ENERGY] + costs.exits_energy[way, own]
            stages[found, LAST], stages[found, WAY] = layer, way
            stages[found, LABEL] = offset + place
            stages[found, STAGE_TIME], stages[found, STAGE_ENERGY] = time, min(energy, LIMIT)
            found += 1
    cheapest_first = stages[np.argsort(stages[:found, STAGE_ENERGY], kind="mergesort")]
    ordered = cheapest_first[np.argsort(cheapest_first[:, STAGE_TIME], kind="mergesort")]
    end = 0
    for stage in range(found):
        cheaper = end == 0 or ordered[stage, STAGE_ENERGY] < ordered[end - 1, STAGE_ENERGY]
        if end == 0 or (costs.priced == 1 and cheaper):
            ordered[end] = ordered[stage]
            end += 1
    return ordered[:end]


@compiled
def improving(stages: Ints, known: Ints, priced: int) -> Ints:
    """Places of the stages that none of `known` that end in the same way beats or equals."""
    kept = np.empty(stages.shape[0], dtype=np.int64)
    end = 0
    for place in range(stages.shape[0]):
        beaten = False
        for other in range(known.shape[0]):
            if (
                known[other, WAY] == stages[place, WAY]
                and known[other, STAGE_TIME] <= stages[place, STAGE_TIME]
                and (priced == 0 or known[other, STAGE_ENERGY] <= stages[place, STAGE_ENERGY])
            ):
                beaten = True
                break
        if not beaten:
            kept[end] = place
            end += 1
    return kept[:end]


@compiled
def trace_back(labels: Ints, stages: Ints, count: int) -> Ints:
    """[.,count] the options of the stages' layers; -1 beyond their last."""
    chosen = np.full((stages.shape[0], count), -1, dtype=np.int64)
    for place in range(stages.shape[0]):
        label = stages[place, LABEL]
        for layer in range(stages[place, LAST], -1, -1):
            chosen[place, layer] = labels[label, OPTION]
            label = labels[label, PARENT]
    return chosen
