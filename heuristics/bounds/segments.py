"""Lower bounds on the cost of segments, from what clusters need.

If the beat of a segment lies in an interval lower <= beat < upper, each of its clusters needs the
chiplets that bring it below `upper`; the fewest clusters K that get by with the chiplets there are
then make the segment cost at least (m + K - 1) * max(io, lower).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.jit import compiled, lean
from instances.stages import FAR
from instances.tables import Ints

NEVER = 2**30
"""More chiplets, or clusters, than any package has."""


class SegmentFacts(NamedTuple):
    """What the cost of segments rests on besides their clusters.

    Attributes:
        chiplets, batch: C and m.
        io: [L,L] cycles of DRAM traffic a sample.
        loads: [L+1] prefix sums of the cycles that bring the weights.
    """

    chiplets: int
    batch: int
    io: Ints
    loads: Ints


class Around(NamedTuple):
    """What else a schedule costs.

    Attributes:
        before, after: [L+1] what the layers before, and from, each one cost at least.
        limit: schedules that cost so much do not count.
    """

    before: Ints
    after: Ints
    limit: int


@compiled
def fewest_clusters(
    begin: int, stop: int, needed: tuple[Ints, Ints, Ints], chiplets: int, counts: Ints
) -> int:
    """Fill counts[e] with the fewest clusters of segments begin..e for all e < stop.

    A dynamic program over the layers that keeps, for each number of clusters, the fewest chiplets,
    as long as more clusters need fewer chiplets.

    Args:
        needed: see `needs_by_ends`.

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
        low[place], high[place] = keep_useful(own, low[place], high[place], chiplets)
        if high[place] == 0:
            return j
        counts[j] = low[place]
    return stop


@lean
def keep_useful(own: Ints, low: int, high: int, chiplets: int) -> tuple[int, int]:
    """Drop what does not fit or saves no chiplets; the range of what is left, (., 0) if nothing."""
    best, least, most = chiplets + 1, high + 1, 0
    for number in range(low, high + 1):
        if own[number] < best:
            best, most = own[number], number
            least = min(least, number)
        else:
            own[number] = NEVER
    return least, most


@compiled
def bound_segments(
    needed: tuple[Ints, Ints, Ints],
    lower: int,
    lowest: int,
    facts: SegmentFacts,
    around: Around,
    ends: Ints,
    costs: Ints,
) -> None:
    """Lower costs[s,e] to what segments s..e cost at least whose beat is in an interval.

    Args:
        needed: what clusters need to stay below its upper end.
        lower: its lower end.
        lowest: the lower end of the interval of which this one is the top; -1 if it is another
            part. Then `ends` falls where no part of that interval matters.
        ends: [L] for each first layer, segments end before that layer.
        costs: [L,L].
    """
    count = ends.shape[0]
    counts = np.empty(count, dtype=np.int64)
    for first in range(count):
        stop = ends[first]
        if stop > first:
            stop = fewest_clusters(first, stop, needed, facts.chiplets, counts)
        if lowest >= 0:
            stop = ends[first] = last_that_matters(first, stop, lowest, facts, around, counts)
        for last in range(first, stop):
            cost = least_cost(first, last, counts[last], lower, facts)
            costs[first, last] = min(costs[first, last], cost)


@lean
def last_that_matters(
    first: int, stop: int, beat: int, facts: SegmentFacts, around: Around, counts: Ints
) -> int:
    """The layer before which all segments end that leave a schedule below the limit; 0 if none."""
    if around.before[first] < FAR:
        for last in range(stop - 1, first - 1, -1):
            if around.after[last + 1] < FAR:
                cost = least_cost(first, last, counts[last], beat, facts)
                if around.before[first] + cost + around.after[last + 1] < around.limit:
                    return last + 1
    return 0


@lean
def least_cost(first: int, last: int, clusters: int, beat: int, facts: SegmentFacts) -> int:
    """Cycles of a segment with at least so many clusters and so long a beat."""
    beat = max(beat, facts.io[first, last])
    return facts.loads[last + 1] - facts.loads[first] + (facts.batch - 1 + clusters) * beat


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
