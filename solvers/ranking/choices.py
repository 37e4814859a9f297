"""How many choices of options make a stage so fast: a counting program over labels.

A label stands for all choices of options of a cluster's first layers that have the same cycles,
resident bytes, momentary peak and last option, and counts them. Equal labels are one, so that a
label stands for ever more choices the longer the cluster grows. Nothing is rounded or dropped but
what does not fit or is too slow.

Counts have as many limbs of LIMB bits as they need, the lowest first.
"""

from __future__ import annotations

import numpy as np

from instances.jit import compiled
from instances.stages import (
    StageCosts,
    arrival,
    departure,
    entry,
    momentary,
    resident,
    sending,
    step,
)
from instances.tables import Ints

LIMB = 40

TIME, RESIDENT, PEAK, OPTION = range(4)


@compiled
def count_choices(
    costs: StageCosts,
    first: int,
    chiplets: int,
    shape: tuple[int, int],
    grid: Ints,
    exact: bool,
    limbs: int,
    most: int,
) -> tuple[Ints, Ints, int]:
    """Choices of all clusters that begin at a layer, on one number of chiplets, by their time.

    Args:
        shape: numbers of layers and options of the instance.
        grid: rising times. Stages slower than the last one are left out; none is if it is empty,
            and all times are 0 then.
        exact: whether each time has a row of its own; otherwise it is rounded up to the grid.
        limbs: of a count.
        most: labels of one layer at which to give up.

    Returns:
        ([n,2] last layer and time, [n,limbs] counts, labels made): each pair once; -1 labels
        if it gave up.
    """
    layers, options = shape
    most_kept, most_peak, least_peak = _needs_from(costs, first, chiplets, shape)
    timed = grid.shape[0] > 0
    labels, counts = np.zeros((1, 4), dtype=np.int64), np.zeros((1, limbs), dtype=np.int64)
    counts[0, 0] = 1
    rows, sums = np.empty((0, 2), dtype=np.int64), np.empty((0, limbs), dtype=np.int64)
    made = 0
    for layer in range(first, layers):
        fresh = np.empty((labels.shape[0] * options, 4), dtype=np.int64)
        tallies = np.zeros((fresh.shape[0], limbs), dtype=np.int64)
        slots = _slots(fresh.shape[0])
        size = 0
        for own in range(options):
            kept = resident(costs, layer, own, chiplets)
            peak = momentary(costs, first, layer, own, chiplets)
            received = arrival(costs, first, layer, own, chiplets)
            for place in range(labels.shape[0]):
                time, all_kept, highest, before = labels[place]
                all_kept += kept
                highest = max(highest, peak)
                if all_kept + highest > costs.capacity:
                    continue
                if timed:
                    if layer == first:
                        time = entry(costs, layer, own, chiplets) + received
                    else:
                        time += step(costs, layer, before, own, chiplets) + received
                    if time > grid[-1]:
                        continue
                # Where all that may follow fits in any case, bytes tell nothing any more.
                worst = max(highest, most_peak[layer + 1 - first])
                if all_kept + most_kept[layer + 1 - first] + worst <= costs.capacity:
                    all_kept, highest = 0, 0
                else:
                    highest = max(highest, least_peak[layer + 1 - first])
                key = (time, all_kept, highest, own if timed else 0)
                size = _tally(slots, fresh, tallies, size, key, counts[place])
        labels, counts = fresh[:size], tallies[:size]
        made += size
        if size > most:
            return rows, sums, -1
        if size == 0:
            break
        ended, ended_sums = _ended(costs, first, layer, chiplets, labels, counts, grid, exact)
        rows = np.concatenate((rows, ended))
        sums = np.concatenate((sums, ended_sums))
    return rows, sums, made


@compiled
def _needs_from(
    costs: StageCosts, first: int, chiplets: int, shape: tuple[int, int]
) -> tuple[Ints, Ints, Ints]:
    """What layers first+k and later need: at most resident and as peak, at least as next peak."""
    layers, options = shape
    most_kept = np.zeros(layers - first + 1, dtype=np.int64)
    most_peak, least_peak = np.zeros_like(most_kept), np.zeros_like(most_kept)
    for k in range(layers - first - 1, -1, -1):
        kept, highest = 0, 0
        lowest = costs.capacity
        for own in range(options):
            peak = momentary(costs, first, first + k, own, chiplets)
            kept = max(kept, resident(costs, first + k, own, chiplets))
            highest, lowest = max(highest, peak), min(lowest, peak)
        most_kept[k] = most_kept[k + 1] + kept
        most_peak[k] = max(most_peak[k + 1], highest)
        least_peak[k] = lowest
    return most_kept, most_peak, least_peak


@compiled
def _ended(
    costs: StageCosts,
    first: int,
    last: int,
    chiplets: int,
    labels: Ints,
    counts: Ints,
    grid: Ints,
    exact: bool,
) -> tuple[Ints, Ints]:
    """The labels as whole clusters: (last layer, time) rows and their counts."""
    found = np.empty((labels.shape[0], 4), dtype=np.int64)
    sums = np.zeros_like(counts)
    slots = _slots(labels.shape[0])
    size = 0
    timed = grid.shape[0] > 0
    left = departure(costs, first, last, chiplets)
    for place in range(labels.shape[0]):
        time = 0
        if timed:
            time = labels[place, TIME] + sending(costs, last, labels[place, OPTION], chiplets)
            time += left
            if time > grid[-1]:
                continue
            if not exact:
                time = grid[np.searchsorted(grid, time)]
        size = _tally(slots, found, sums, size, (time, 0, 0, 0), counts[place])
    rows = np.empty((size, 2), dtype=np.int64)
    rows[:, 0] = last
    rows[:, 1] = found[:size, TIME]
    return rows, sums[:size]


@compiled
def _slots(number: int) -> Ints:
    """An empty hash table, at least twice as large as the number of keys."""
    size = 16
    while size < 2 * number:
        size *= 2
    return np.full(size, -1, dtype=np.int64)


@compiled
def _tally(
    slots: Ints, keys: Ints, sums: Ints, size: int, key: tuple[int, int, int, int], count: Ints
) -> int:
    """Add a count to that of a key, which is new or known; return the number of keys."""
    mixed = key[TIME]
    for part in key[1:]:
        mixed = (mixed ^ (mixed >> 29)) * 6364136223846793005 + part
    mixed = (mixed ^ (mixed >> 32)) * 3935559000370003845
    slot = (mixed ^ (mixed >> 29)) & (slots.shape[0] - 1)
    while slots[slot] >= 0:
        place = slots[slot]
        own = keys[place]
        if own[0] == key[0] and own[1] == key[1] and own[2] == key[2] and own[3] == key[3]:
            _add(sums[place], count)
            return size
        slot = (slot + 1) & (slots.shape[0] - 1)
    slots[slot] = size
    for part in range(4):
        keys[size, part] = key[part]
    _add(sums[size], count)
    return size + 1


@compiled
def _add(total: Ints, count: Ints) -> None:
    """Add one count to another, limb by limb."""
    carry = 0
    for limb in range(total.shape[0]):
        whole = total[limb] + count[limb] + carry
        carry = whole >> LIMB
        total[limb] = whole & ((1 << LIMB) - 1)
