"""Labels of a shortest path with resources, and which of them no other beats.

A label is a choice of options for the first layers of a cluster (Desrochers and Soumis, INFOR 26,
1988): a row with its time, energy, resident bytes, momentary peak, last option, and the row of the
label that it continues.
"""

from __future__ import annotations

import numpy as np

from instances.jit import compiled
from instances.tables import Ints

TIME, ENERGY, RESIDENT, PEAK, OPTION, PARENT = range(6)
FIELDS = 6


@compiled
def undominated(labels: Ints, priced: int) -> Ints:
    """Labels of one last option that no other beats or equals in all criteria, by rising time.

    The labels kept so far are sorted into stairs, by rising resident bytes and falling peak, or,
    if energy counts, into one stair a peak by falling energy. A stair is searched by bisection.

    Args:
        priced: 1 if energy is a criterion.
    """
    kept = labels[np.argsort(labels[:, TIME], kind="mergesort")]
    peaks = np.unique(kept[:, PEAK]) if priced else np.zeros(1, dtype=np.int64)
    height = ENERGY if priced else PEAK
    stairs = np.empty((peaks.shape[0], 16), dtype=np.int64)
    sizes = np.zeros(peaks.shape[0], dtype=np.int64)
    end = 0
    for candidate in range(kept.shape[0]):
        label = kept[candidate]
        own = np.searchsorted(peaks, label[PEAK]) if priced else 0
        dominated = False
        for stair in range(own + 1):
            place = _places_up_to(kept, stairs[stair], sizes[stair], label[RESIDENT])
            if place > 0 and kept[stairs[stair, place - 1], height] <= label[height]:
                dominated = True
                break
        if not dominated:
            kept[end] = label
            if sizes[own] == stairs.shape[1]:
                stairs = np.concatenate((stairs, np.empty_like(stairs)), axis=1)
            sizes[own] = _put_on_stair(kept, stairs[own], sizes[own], end, height)
            end += 1
    return kept[:end]


@compiled
def _places_up_to(labels: Ints, stair: Ints, size: int, resident: int) -> int:
    """How many labels of a stair have no more resident bytes."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if labels[stair[middle], RESIDENT] <= resident:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _put_on_stair(labels: Ints, stair: Ints, size: int, own: int, height: int) -> int:
    """Put label `own`, which none on the stair dominates, in its place; return the new size.

    Labels that are no lower and have no fewer resident bytes leave: they decide nothing any more.
    """
    begin = _places_up_to(labels, stair, size, labels[own, RESIDENT] - 1)
    end = begin
    while end < size and labels[stair[end], height] >= labels[own, height]:
        end += 1
    if end == begin:
        for place in range(size, begin, -1):
            stair[place] = stair[place - 1]
        stair[begin] = own
        return size + 1
    stair[begin] = own
    for place in range(end, size):
        stair[begin + 1 + place - end] = stair[place]
    return size - (end - begin) + 1
