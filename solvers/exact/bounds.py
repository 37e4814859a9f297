"""Stage times of all clusters that begin at one layer, exact or bounded from below.

The labels of solvers.exact.labels, but for all last layers at once and of bounded number: when a
set grows beyond a cap, neighbours in the order of time are merged into one that is no worse than
either. A merged label stands for choices that may not exist, so what it says is only a lower
bound; the fastest label is never merged, so where memory is ample the times stay exact.
"""

from __future__ import annotations

import numpy as np

from instances.jit import compiled
from instances.tables import Ints
from solvers.exact.labels import FAR, OPTION, PEAK, RESIDENT, TIME, undominated

MERGED = 4
"""Label field: 1 if the label, or one that it extends, was merged."""


@compiled
def stage_times_from(
    first: int,
    farthest: int,
    entry: Ints,
    step: Ints,
    enter: Ints,
    resident: Ints,
    momentary: Ints,
    exits: Ints,
    last: Ints,
    choice: Ints,
    leaving: Ints,
    coders: Ints,
    capacity: int,
    cutoff: int,
    cap: int,
) -> tuple[Ints, Ints]:
    """Times of the clusters first..j up to `farthest`, for every way out of their last layers.

    There may be several ways to send the results of one layer, and some may need bytes of their own
    (see solvers.exact.ratios).

    Args:
        entry: [O,C] of the first layer.
        enter: [L,O,C] cycles for skip tensors that arrive at a layer of such a cluster.
        momentary: [L,O,C] working bytes and waiting skip tensors.
        exits: [R,L,O,C] cycles after the last layer, by `choice`.
        last, choice: [X] the last layer of each way, rising, and its row of `exits`.
        leaving: [X,C] cycles for skip tensors that leave.
        coders: [X,C] bytes that the way needs for the segment's duration.
        cutoff: larger times cannot matter and count as FAR.
        cap: most labels kept for a layer and an option, at least 2.

    Returns:
        lower: [X,C] a lower bound on at most c chiplets: a running minimum over c, because a
            segment need not use every chiplet.
        reached: [X,C] a time that some options reach on exactly c chiplets, FAR if none is known.
    """
    options, chiplets = entry.shape
    lower = np.full((last.shape[0], chiplets), FAR, dtype=np.int64)
    reached = np.full((last.shape[0], chiplets), FAR, dtype=np.int64)
    labels = np.empty((cap * options, 5), dtype=np.int64)
    extended = np.empty((cap * options, 5), dtype=np.int64)
    fresh = np.empty((cap * options + 1, 5), dtype=np.int64)
    for c in range(chiplets):
        number, way = 0, 0
        for layer in range(first, farthest + 1):
            end = 0
            for own in range(options):
                if layer == first:
                    found = begin_labels(own, entry[own, c], fresh)
                else:
                    found = extend_labels(own, step[layer, :, own, c], labels, number, fresh)
                found = charge_labels(
                    fresh,
                    found,
                    enter[layer, own, c],
                    resident[layer, own, c],
                    momentary[layer, own, c],
                    capacity,
                    cutoff,
                )
                end = keep_best(fresh, found, extended, end, cap)
            labels, extended, number = extended, labels, end
            if number == 0:
                break
            while way < last.shape[0] and last[way] < layer:
                way += 1
            while way < last.shape[0] and last[way] == layer:
                room = capacity - coders[way, c]
                bound, known = finish_labels(labels, number, exits[choice[way], layer, :, c], room)
                if bound + leaving[way, c] <= cutoff:
                    lower[way, c] = bound + leaving[way, c]
                if known + leaving[way, c] <= cutoff:
                    reached[way, c] = known + leaving[way, c]
                way += 1
        if c > 0:
            lower[:, c] = np.minimum(lower[:, c], lower[:, c - 1])
    return lower, reached


@compiled
def begin_labels(own: int, cycles: int, fresh: Ints) -> int:
    """One label for the first layer; returns 1."""
    fresh[0] = 0
    fresh[0, TIME] = cycles
    fresh[0, OPTION] = own
    return 1


@compiled
def extend_labels(own: int, cycles: Ints, labels: Ints, number: int, fresh: Ints) -> int:
    """Each label followed by option `own`, `cycles` by previous option; returns their number."""
    for label in range(number):
        fresh[label] = labels[label]
        fresh[label, TIME] += cycles[labels[label, OPTION]]
        fresh[label, OPTION] = own
    return number


@compiled
def charge_labels(
    fresh: Ints, found: int, cycles: int, kept: int, peak: int, capacity: int, cutoff: int
) -> int:
    """Add a layer's cost to fresh[:found]; drop what is too large or too late; return the rest."""
    end = 0
    for label in range(found):
        time = fresh[label, TIME] + cycles
        all_kept = fresh[label, RESIDENT] + kept
        highest = max(fresh[label, PEAK], peak)
        if time <= cutoff and all_kept + highest <= capacity:
            fresh[end] = fresh[label]
            fresh[end, TIME] = time
            fresh[end, RESIDENT] = all_kept
            fresh[end, PEAK] = highest
            end += 1
    return end


@compiled
def keep_best(fresh: Ints, found: int, labels: Ints, begin: int, cap: int) -> int:
    """Append the undominated of fresh[:found] to labels[:begin], at most `cap`; return the end."""
    kept = undominated(fresh[:found])
    end = kept.shape[0]
    while end > cap:
        end = merge_neighbours(kept, end)
    labels[begin : begin + end] = kept[:end]
    return begin + end


@compiled
def merge_neighbours(kept: Ints, number: int) -> int:
    """Merge labels 1 and 2, 3 and 4, ... into ones no worse than either; return how many remain."""
    end = 1
    for label in range(1, number, 2):
        kept[end] = kept[label]
        if label + 1 < number:
            kept[end, RESIDENT] = min(kept[label, RESIDENT], kept[label + 1, RESIDENT])
            kept[end, PEAK] = min(kept[label, PEAK], kept[label + 1, PEAK])
            kept[end, MERGED] = 1
        end += 1
    return end


@compiled
def finish_labels(labels: Ints, number: int, exits: Ints, room: int) -> tuple[int, int]:
    """The least time of all labels that fit in `room`, and of those that were never merged."""
    bound, known = FAR, FAR
    for label in range(number):
        if labels[label, RESIDENT] + labels[label, PEAK] <= room:
            time = labels[label, TIME] + exits[labels[label, OPTION]]
            bound = min(bound, time)
            if labels[label, MERGED] == 0:
                known = min(known, time)
    return bound, known
