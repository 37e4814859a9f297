"""How a segment trades time for energy.

For a given beat, the clusters of a segment and their regions are chosen such that no stage exceeds
the beat, the chiplets suffice, and the stages need the least energy; one choice for each number of
clusters that needs less energy than fewer do. Its slowest stage tells down to which beat the
choice remains the best, so that the next beat to look at is the one just below.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.jit import compiled
from instances.tables import Ints
from solvers.exact.labels import FAR

CHIPLETS, TIME, ENERGY = range(3)
"""Fields of a column: a cluster with its region and options."""

USED, CLUSTERS, SPENT, SLOWEST, PARENT, COLUMN = range(6)
"""Fields of a label: columns for the first layers of a segment."""
FIELDS = 6


class Columns(NamedTuple):
    """The clusters that matter.

    Attributes:
        table: [N,5] chiplets, cycles and picojoules a sample, first and last layer; in the order
            of first layer, last layer, chiplets, energy.
        ends: [L,L+1] those of cluster i..j are table[ends[i,j] : ends[i,j+1]].
    """

    table: Ints
    ends: Ints


class Horizon(NamedTuple):
    """What a whole schedule has to stay below to be of any use.

    Attributes:
        latency, energy: most cycles, most picojoules.
        product: most of both multiplied, a hair added against rounding; infinite without need.
        times, energies: [n] schedules that are there already, ascending and descending.
    """

    latency: int
    energy: int
    product: float
    times: Ints
    energies: Ints


class Part(NamedTuple):
    """A segment and what it depends on.

    Attributes:
        first, last: layers.
        batch: samples.
        chiplets, depth: most of the segment's chiplets and clusters.
        load, load_energy: of all its weights.
        io, io_energy: DRAM traffic a sample.
        leakage: picojoules a cycle.
    """

    first: int
    last: int
    batch: int
    chiplets: int
    depth: int
    load: int
    load_energy: int
    io: int
    io_energy: int
    leakage: int


@compiled
def useless(horizon: Horizon, time: int, energy: int) -> bool:
    """Whether no schedule that costs at least so much is of use."""
    if time > horizon.latency or energy > horizon.energy:
        return True
    if float(time) * float(energy) > horizon.product:
        return True
    place = np.searchsorted(horizon.times, time, side="right")
    return bool(place > 0 and horizon.energies[place - 1] <= energy)


@compiled
def at_beat(
    first: int, last: int, columns: Columns, beat: int, chiplets: int, depth: int
) -> tuple[Ints, Ints]:
    """The least energy of first..j for each number of chiplets and clusters, at most `beat` slow.

    Returns:
        labels: [.,6] those that need less energy than all with no more chiplets and clusters.
        ends: [n+2] the labels of the first j layers are labels[ends[j] : ends[j+1]].
    """
    count = last - first + 1
    labels = np.empty((4 * (chiplets + 1) * (depth + 1), FIELDS), dtype=np.int64)
    ends = np.zeros(count + 2, dtype=np.int64)
    labels[0] = 0
    labels[0, PARENT] = labels[0, COLUMN] = -1
    ends[1] = 1
    best = np.empty((chiplets + 1, depth + 1, FIELDS), dtype=np.int64)
    for j in range(1, count + 1):
        best[:, :, SPENT] = FAR
        for i in range(j):
            if ends[i] == ends[i + 1]:
                continue
            least = FAR
            cluster = columns.ends[first + i, first + j - 1 : first + j + 1]
            for column in range(cluster[0], cluster[1]):
                own = columns.table[column]
                if own[TIME] <= beat and own[ENERGY] < least:
                    least = own[ENERGY]
                    for label in range(ends[i], ends[i + 1]):
                        append_column(labels, label, column, own, best)
        end = ends[j]
        if end + best.shape[0] * best.shape[1] > labels.shape[0]:
            larger = np.empty((2 * (end + best.shape[0] * best.shape[1]), FIELDS), dtype=np.int64)
            larger[:end] = labels[:end]
            labels = larger
        ends[j + 1] = keep_useful(best, labels, end)
    return labels, ends


@compiled
def append_column(labels: Ints, label: int, column: int, own: Ints, best: Ints) -> None:
    """Note in `best` [C+1,K+1,6] what a label becomes with one more cluster, if that is better."""
    used, clusters = labels[label, USED] + own[CHIPLETS], labels[label, CLUSTERS] + 1
    if used >= best.shape[0] or clusters >= best.shape[1]:
        return
    spent = labels[label, SPENT] + own[ENERGY]
    slowest = max(labels[label, SLOWEST], own[TIME])
    there = best[used, clusters]
    if spent < there[SPENT] or (spent == there[SPENT] and slowest < there[SLOWEST]):
        there[USED], there[CLUSTERS] = used, clusters
        there[SPENT], there[SLOWEST] = spent, slowest
        there[PARENT], there[COLUMN] = label, column


@compiled
def keep_useful(best: Ints, labels: Ints, end: int) -> int:
    """Append to labels[:end] what needs less energy than all with no more chiplets and clusters."""
    least = np.full(best.shape[1], FAR, dtype=np.int64)
    for used in range(best.shape[0]):
        fewer = FAR
        for clusters in range(best.shape[1]):
            fewer = min(fewer, least[clusters])
            if best[used, clusters, SPENT] < fewer:
                labels[end] = best[used, clusters]
                end += 1
                fewer = best[used, clusters, SPENT]
            least[clusters] = fewer
    return end


@compiled
def cheapest_by_clusters(labels: Ints, ends: Ints, depth: int) -> Ints:
    """[.] labels of the whole segment that need less energy than all with fewer clusters."""
    chosen = np.full(depth + 1, -1, dtype=np.int64)
    for label in range(ends[-2], ends[-1]):
        there = chosen[labels[label, CLUSTERS]]
        if there < 0 or labels[label, SPENT] < labels[there, SPENT]:
            chosen[labels[label, CLUSTERS]] = label
    end = 0
    for found in chosen.copy():
        if found >= 0 and (end == 0 or labels[found, SPENT] < labels[chosen[end - 1], SPENT]):
            chosen[end] = found
            end += 1
    return chosen[:end]


@compiled
def most_frugal(part: Part, columns: Columns) -> tuple[int, int, int, int]:
    """The least energy of the stages, a sample, however slow; FAR if there are no stages.

    Returns (picojoules, clusters, slowest stage, the largest beat at which something changes).
    """
    labels, ends = at_beat(part.first, part.last, columns, FAR, part.chiplets, part.depth)
    chosen = cheapest_by_clusters(labels, ends, part.depth)
    if chosen.shape[0] == 0:
        return FAR, 0, 0, 0
    largest = 0
    for label in chosen:
        largest = max(largest, labels[label, SLOWEST])
    best = labels[chosen[-1]]
    return best[SPENT], best[CLUSTERS], best[SLOWEST], max(largest, part.io)


@compiled
def cost_of(part: Part, clusters: int, beat: int, spent: int) -> tuple[int, int]:
    """Cycles and picojoules of the segment, leakage included."""
    time = part.load + (part.batch + clusters - 1) * max(part.io, beat)
    energy = part.load_energy + part.batch * (part.io_energy + spent)
    return time, energy + part.leakage * time


@compiled
def slowest_of_use(part: Part, horizon: Horizon, others: Ints, spent: int, beat: int) -> int:
    """The largest beat up to `beat` with which the segment can be of use; -1 if none."""
    low, high = -1, beat
    while low < high:
        middle = (low + high + 1) // 2
        time, energy = cost_of(part, 1, middle, spent)
        if useless(horizon, others[0] + time, others[1] + energy):
            high = middle - 1
        else:
            low = middle
    return low


@compiled
def trade(
    part: Part,
    columns: Columns,
    horizon: Horizon,
    others: Ints,
    least_time: int,
    spent: int,
    beat: int,
) -> Ints:
    """The undominated (time, energy) of a segment that may be of use.

    Args:
        others: [2] lower bounds on the cycles and the picojoules of all other segments.
        least_time: a lower bound on the segment's cycles.
        spent: the least energy of the stages, a sample.
        beat: the largest at which something changes.

    Returns:
        [.,4] cycles, picojoules, clusters, beat: ascending in cycles, descending in picojoules.
    """
    points = np.empty((64, 4), dtype=np.int64)
    end = 0
    beat = slowest_of_use(part, horizon, others, spent, beat)
    while beat >= part.io:
        labels, ends = at_beat(part.first, part.last, columns, beat, part.chiplets, part.depth)
        slowest, spent = -1, FAR
        for label in cheapest_by_clusters(labels, ends, part.depth):
            own = labels[label]
            slowest, spent = max(slowest, own[SLOWEST]), min(spent, own[SPENT])
            time, energy = cost_of(part, own[CLUSTERS], own[SLOWEST], own[SPENT])
            if not useless(horizon, others[0] + time, others[1] + energy):
                if end == points.shape[0]:
                    points = np.concatenate((points, np.empty_like(points)))
                points[end] = time, energy, own[CLUSTERS], own[SLOWEST]
                end += 1
        if slowest < 0:
            break
        energy = part.load_energy + part.batch * (part.io_energy + spent)
        energy += part.leakage * least_time
        if useless(horizon, others[0] + least_time, others[1] + energy):
            break
        beat = slowest - 1
    return falling(points[:end])


@compiled
def falling(points: Ints) -> Ints:
    """The undominated rows, by field 0 ascending and field 1 descending."""
    ordered = points[np.argsort(points[:, 1], kind="mergesort")]
    ordered = ordered[np.argsort(ordered[:, 0], kind="mergesort")]
    end = 0
    for row in range(ordered.shape[0]):
        if end == 0 or ordered[row, 1] < ordered[end - 1, 1]:
            ordered[end] = ordered[row]
            end += 1
    return ordered[:end].copy()


@compiled
def columns_at(
    first: int, last: int, columns: Columns, beat: int, chiplets: int, clusters: int
) -> Ints:
    """[clusters] the columns of the frugal segment of so many clusters at that beat."""
    labels, ends = at_beat(first, last, columns, beat, chiplets, clusters)
    best = -1
    for label in range(ends[-2], ends[-1]):
        if labels[label, CLUSTERS] == clusters and (
            best < 0 or labels[label, SPENT] < labels[best, SPENT]
        ):
            best = label
    chosen = np.empty(clusters, dtype=np.int64)
    for place in range(clusters - 1, -1, -1):
        chosen[place] = labels[best, COLUMN]
        best = labels[best, PARENT]
    return chosen
