"""Lower bounds on the cost of segments, from those on the times of clusters.

If the beat of a segment lies in an interval lower <= beat < upper, each of its clusters needs the
chiplets that bring it below `upper`; the fewest clusters K that get by with the chiplets there are
then make the segment cost at least (m + K - 1) * max(io, lower).
"""

from __future__ import annotations

import numpy as np

from heuristics.bounds.clusters import ClusterBounds
from instances.jit import compiled
from instances.stages import FAR
from instances.tables import Ints

NEVER = 2**30
"""More chiplets, or clusters, than any package has."""


@compiled
def needs(bounds: ClusterBounds, beat: int) -> tuple[Ints, Ints, Ints]:
    """The chiplets with which clusters may take less than `beat`, by their last layer.

    Returns:
        (at, first, chiplets): for each k from at[j] to at[j+1], in this order, clusters first[k]..j
        need at least chiplets[k]; `first` falls and `chiplets` rises. None begins earlier.
    """
    count, number = bounds.since.shape
    rates = bounds.allowance.shape[0]
    at = np.zeros(count + 1, dtype=np.int64)
    room = 4 * count
    first = np.empty(room, dtype=np.int64)
    chiplets = np.empty(room, dtype=np.int64)
    earliest = np.zeros(number, dtype=np.int64)
    end = 0
    for j in range(count):
        if end + number > room:
            first = np.append(first, np.empty(room + number, dtype=np.int64))
            chiplets = np.append(chiplets, np.empty(room + number, dtype=np.int64))
            room = first.shape[0]
        known = j + 1
        for n in range(number):
            i = max(earliest[n], bounds.since[j, n])
            for p in range(rates):
                most = beat - 1 + bounds.allowance[p] - bounds.end[j, n, p]
                while i <= j and bounds.begin[i, n, p] > most:
                    i += 1
            earliest[n] = i
            if i < known:
                first[end], chiplets[end], known = i, bounds.low[n], i
                end += 1
        at[j + 1] = end
    return at, first[:end], chiplets[:end]


@compiled
def fewest_clusters(
    begin: int, stop: int, needed: tuple[Ints, Ints, Ints], chiplets: int, counts: Ints
) -> int:
    """Fill counts[e] with the fewest clusters of segments begin..e for all e < stop.

    A dynamic program over the layers that keeps, for each number of clusters, the fewest chiplets,
    as long as more clusters need fewer chiplets.

    Returns the first e that no clusters reach, or `stop`.
    """
    at, first, sizes = needed
    most = min(stop - begin, chiplets)
    fewest = np.full((stop - begin + 1, most + 2), NEVER, dtype=np.int64)
    low = np.zeros(stop - begin + 1, dtype=np.int64)
    high = np.zeros(stop - begin + 1, dtype=np.int64)
    fewest[0, 0] = 0
    for j in range(begin, stop):
        own, place = fewest[j + 1 - begin], j + 1 - begin
        low[place], high[place] = most + 1, 0
        for k in range(at[j], at[j + 1]):
            i = max(first[k], begin) - begin
            for number in range(low[i], min(high[i], most - 1) + 1):
                own[number + 1] = min(own[number + 1], fewest[i, number] + sizes[k])
            low[place] = min(low[place], low[i] + 1)
            high[place] = max(high[place], min(high[i] + 1, most))
            if i == 0:
                break
        best = chiplets + 1
        least, useful = most + 1, 0
        for number in range(low[place], high[place] + 1):
            if own[number] < best:
                best, useful = own[number], number
                least = min(least, number)
            else:
                own[number] = NEVER
        low[place], high[place] = least, useful
        if useful == 0:
            return j
        counts[j] = least
    return stop


@compiled
def bound_segments(
    bounds: ClusterBounds,
    beats: Ints,
    chiplets: int,
    batch: int,
    io: Ints,
    loads: Ints,
    before: Ints,
    after: Ints,
    limit: int,
    ends: Ints,
    costs: Ints,
) -> None:
    """Lower costs[s,e] to what segments s..e cost at least whose beat lies among `beats`.

    Args:
        beats: [R+1] rising; the first is the least beat, all are less than the last.
        before, after: [L+1] what the layers before, and from, each one cost at least.
        limit: a segment that makes a schedule cost so much does not count.
        ends: [L] for each first layer, segments end before that layer; it falls where those that
            end later do not count.
        costs: [L,L] changed in place.
    """
    count = ends.shape[0]
    counts = np.empty(count, dtype=np.int64)
    for part in range(beats.shape[0] - 1, 0, -1):
        if ends.max() == 0:
            return
        needed = needs(bounds, beats[part])
        for first in range(count):
            if ends[first] == 0:
                continue
            stop = fewest_clusters(first, ends[first], needed, chiplets, counts)
            if part == beats.shape[0] - 1:
                ends[first] = 0
                for last in range(first, stop):
                    load = loads[last + 1] - loads[first]
                    cost = load + (batch - 1 + counts[last]) * max(io[first, last], beats[0])
                    reached = max(before[first], after[last + 1]) < FAR
                    if reached and before[first] + cost + after[last + 1] < limit:
                        ends[first] = last + 1
                stop = ends[first]
            for last in range(first, stop):
                load = loads[last + 1] - loads[first]
                cost = load + (batch - 1 + counts[last]) * max(io[first, last], beats[part - 1])
                costs[first, last] = min(costs[first, last], cost)


@compiled
def path_costs(costs: Ints) -> tuple[Ints, Ints]:
    """[L+1] the least cost of the layers before, and from, each one; FAR where there is none."""
    count = costs.shape[0]
    before = np.full(count + 1, FAR, dtype=np.int64)
    after = np.full(count + 1, FAR, dtype=np.int64)
    before[0] = after[count] = 0
    for first in range(count):
        for last in range(first, count):
            if before[first] < FAR and costs[first, last] < FAR:
                total = before[first] + costs[first, last]
                before[last + 1] = min(before[last + 1], total)
    for first in range(count - 1, -1, -1):
        for last in range(first, count):
            if after[last + 1] < FAR and costs[first, last] < FAR:
                after[first] = min(after[first], costs[first, last] + after[last + 1])
    return before, after
