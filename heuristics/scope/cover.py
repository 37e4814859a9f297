"""The clusters and regions of one segment (steps 2 and 3 of Scope).

The paper merges layers and shares chiplets out step by step. Ours: for a beat, the fewest clusters
that cover the segment on the package come from shortest paths over its layers, where a cluster
takes the smallest region that keeps the beat; a bisection over the beat finds the least cost.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heuristics.scope.times import StageTimes, time_of
from instances.jit import compiled, lean
from instances.stages import FAR
from instances.tables import Ints

COUNTED = 64
"""Where a segment takes more clusters, the last one or two too many are not looked for."""


class Task(NamedTuple):
    """A segment to be covered.

    Attributes:
        first, last: layers.
        dram: cycles of DRAM traffic a sample.
        guess: a beat to try first.
        least: a beat, lower ones are not tried.
        below: a cost (batch + K - 1) * beat; only lower ones are of use.
    """

    first: int
    last: int
    dram: int
    guess: int
    least: int
    below: int


class Rules(NamedTuple):
    """What covers all segments alike.

    Attributes:
        batch: samples.
        chiplets: of the package.
        even: the clusters of a segment get the same number of chiplets.
        precision: beats are settled to 1 / 2^precision.
    """

    batch: int
    chiplets: int
    even: bool
    precision: int


class Cover(NamedTuple):
    """Room for the shortest paths over a segment's n layers, counted from its first.

    Attributes:
        start: [n] smaller regions, by number, are too slow for a cluster from this layer;
            `best_cover` raises it for beats below its best, so `cover` alone needs new room.
        reach: [n] clusters from this layer of up to so many layers keep the beat.
        region: [n,W] the chiplets that they take, by their layers less one.
        ahead: [n+1] the cost of the clusters from this layer to the end, FAR if nothing keeps it.
        layers: [n] of the first of these clusters.
        used: [K+1,n+1] the fewest chiplets for k clusters over the first layers; FAR if none.
        begins: [K+1,n+1] the layer at which the last of these clusters begins.
        least: [n+1] the fewest chiplets up to this layer with any number of clusters so far.
        first, chiplets: [n] of the clusters of the cover that was found last.
    """

    start: Ints
    reach: Ints
    region: Ints
    ahead: Ints
    layers: Ints
    used: Ints
    begins: Ints
    least: Ints
    first: Ints
    chiplets: Ints


@compiled
def new_cover(layers: int, longest: int) -> Cover:
    """Room for up to `layers` layers in clusters of up to `longest`."""
    shape = (min(layers, COUNTED) + 1, layers + 1)
    return Cover(
        np.zeros(layers, dtype=np.int64),
        np.empty(layers, dtype=np.int64),
        np.empty((layers, min(layers, longest)), dtype=np.int64),
        np.empty(layers + 1, dtype=np.int64),
        np.empty(layers, dtype=np.int64),
        np.empty(shape, dtype=np.int64),
        np.empty(shape, dtype=np.int64),
        np.empty(layers + 1, dtype=np.int64),
        np.empty(layers, dtype=np.int64),
        np.empty(layers, dtype=np.int64),
    )


@compiled
def cover(stages: StageTimes, task: Task, rules: Rules, beat: int, most: int, room: Cover) -> int:
    """The fewest clusters that keep a beat on the package.

    More than `most` if it takes more than these; FAR if no number will do. Where a cluster gets
    faster with one more layer (its last tensor is smaller), the fewest may be missed: see
    `_regions`.
    """
    if rules.even:
        return _even_cover(stages, task, rules, beat, most, room)
    _regions(stages, task, beat, 0, stages.sizes.shape[0], room)
    return _fewest(task.last - task.first + 1, rules.chiplets, most, room)


@compiled
def _even_cover(
    stages: StageTimes, task: Task, rules: Rules, beat: int, most: int, room: Cover
) -> int:
    """The same with C // K chiplets for each of K clusters."""
    for clusters in range(1, min(most, COUNTED) + 1):
        g = int(np.searchsorted(stages.sizes, rules.chiplets // clusters))
        _regions(stages, task, beat, g, g + 1, room)
        if _fewest(task.last - task.first + 1, rules.chiplets, clusters, room) == clusters:
            return clusters
    return most + 1


@lean
def _regions(
    stages: StageTimes, task: Task, beat: int, lowest: int, after: int, room: Cover
) -> None:
    """The smallest regions numbered lowest..after-1 that keep the beat.

    One pass for all clusters from a layer: none is given a smaller region than one of fewer layers,
    which is what keeps the search linear, and none is tried beyond the first that is too slow.
    """
    for at in range(task.last - task.first + 1):
        g, reach, first = max(lowest, room.start[at]), 0, task.first + at
        for last in range(first, task.last + 1):
            while g < after and time_of(stages, first, last, g) > beat:
                g += 1
            if g >= after:
                break
            room.region[at, reach] = stages.sizes[g]
            reach += 1
        room.reach[at] = reach


@lean
def _fewest(size: int, chiplets: int, most: int, room: Cover) -> int:
    """The fewest clusters within the chiplets, by a price of chiplets in clusters.

    The price is that of Lagrange: the best covers at a price are the corners of the convex hull of
    all covers, and a bound on the others. Where the bound leaves a doubt, clusters are counted.
    """
    _cheapest(size, size + 1, 1, room)
    few, clusters = _follow(size, room)
    if few > chiplets:
        return FAR
    _keep(size, room)
    _cheapest(size, 1, size * (chiplets + 1), room)
    many, lower = _follow(size, room)
    if many <= chiplets:
        return _keep(size, room)
    fewer = lower
    while clusters > fewer and lower <= most:
        price, fee = clusters - fewer, many - few
        cost = _cheapest(size, price, fee, room)
        lower = max(lower, -((price * chiplets - cost) // fee))
        if cost == price * few + fee * clusters:
            return _count(size, chiplets, lower, clusters, most, price, fee, room)
        used, number = _follow(size, room)
        if used <= chiplets:
            few, clusters = used, _keep(size, room)
        else:
            many, fewer = used, number
    return max(lower, min(clusters, most + 1))


@lean
def _cheapest(size: int, price: int, fee: int, room: Cover) -> int:
    """The least cost of a cover, each chiplet at a price, each cluster at a fee."""
    room.ahead[size] = 0
    for at in range(size - 1, -1, -1):
        best, layers = FAR, 0
        for j in range(room.reach[at]):
            cost = room.ahead[at + j + 1] + price * room.region[at, j]
            if cost < best:
                best, layers = cost, j + 1
        room.ahead[at], room.layers[at] = min(best, FAR - fee) + fee, layers
    return room.ahead[0]


@lean
def _follow(size: int, room: Cover) -> tuple[int, int]:
    """(chiplets, clusters) of the cheapest cover."""
    if room.ahead[0] >= FAR:
        return FAR, FAR
    at, used, number = 0, 0, 0
    while at < size:
        used += room.region[at, room.layers[at] - 1]
        number += 1
        at += room.layers[at]
    return used, number


@lean
def _keep(size: int, room: Cover) -> int:
    """Keep the cheapest cover; return its clusters."""
    at, number = 0, 0
    while at < size:
        room.first[number], room.chiplets[number] = at, room.region[at, room.layers[at] - 1]
        number += 1
        at += room.layers[at]
    return number


@lean
def _count(
    size: int, chiplets: int, lower: int, known: int, most: int, price: int, fee: int, room: Cover
) -> int:
    """The fewest clusters from `lower` up to fewer than are known, counted one by one.

    A layer is followed where this number of clusters takes fewer chiplets than any smaller one, and
    where the cost ahead leaves hope.
    """
    end = min(known - 1, most)
    if lower > end or end > COUNTED:
        return max(lower, min(known, most + 1))
    room.least[: size + 1] = FAR
    room.used[: end + 1, : size + 1] = FAR
    room.used[0, 0] = 0
    for k in range(end):
        hope = price * chiplets + fee * (end - k)
        for at in range(k, size):
            used = room.used[k, at]
            if used >= room.least[at] or price * used + room.ahead[at] > hope:
                continue
            room.least[at] = used
            for j in range(room.reach[at]):
                total = used + room.region[at, j]
                if total < room.used[k + 1, at + j + 1]:
                    room.used[k + 1, at + j + 1], room.begins[k + 1, at + j + 1] = total, at
        if room.used[k + 1, size] <= chiplets:
            _trace_back(size, k + 1, room)
            return k + 1
    return min(known, most + 1)


@lean
def _trace_back(size: int, number: int, room: Cover) -> None:
    """Keep the cover that was counted."""
    end = size
    for k in range(number, 0, -1):
        at = room.begins[k, end]
        room.first[k - 1], room.chiplets[k - 1] = at, room.used[k, end] - room.used[k - 1, at]
        end = at


def clusters_of(task: Task, number: int, room: Cover) -> tuple[Ints, Ints]:
    """([K] first layers, [K] regions) of the cover that was found last."""
    return task.first + room.first[:number], room.chiplets[:number].copy()


@lean
def _slowest(stages: StageTimes, task: Task, number: int, room: Cover) -> int:
    """The beat of the cover that was found last."""
    worst, last = task.dram, task.last
    for k in range(number - 1, -1, -1):
        first = task.first + room.first[k]
        g = np.searchsorted(stages.sizes, room.chiplets[k])
        worst = max(worst, time_of(stages, first, last, g))
        last = first - 1
    return worst


@compiled
def best_cover(stages: StageTimes, task: Task, rules: Rules, room: Cover) -> tuple[int, int, int]:
    """(cost, clusters, beat): `cover` finds this cost with them; FAR and 0 if none is of use.

    A bisection: an interval of beats is left out where even its lowest beat, with the fewest
    clusters that any beat above it takes, costs no less than the best so far.
    """
    hardest = min(task.last - task.first + 1, rules.chiplets)
    low = max(task.dram, task.least, 1)
    best = (task.below, 0, 0)
    room.start[: task.last - task.first + 1] = 0
    # Intervals of beats, and the fewest clusters that each of theirs takes.
    ahead = [(low, (task.below - 1) // rules.batch, 1)]
    step = 0
    while len(ahead) > 0:
        low, high, fewest = ahead.pop()
        high = min(high, (best[0] - 1) // (rules.batch + fewest - 1))
        if low > high or (best[1] > 0 and high - low < high >> rules.precision):
            continue
        if best[1] > 0:
            beat = (low + high) // 2
        else:
            beat = min(high, max(low, task.guess) + step)
            step = 2 * step + (beat >> 5) + 1
        most = min(hardest, (best[0] - 1) // beat - rules.batch + 1)
        found = cover(stages, task, rules, beat, most, room)
        if found < FAR and fewest < found:
            # More clusters than above may be worth it, or fewer at a higher beat.
            ahead.append((beat + 1, high, fewest))
        elif found == FAR:
            ahead.append((beat + 1, high, fewest))
        if found > most:
            if found <= hardest:
                ahead.append((low, beat - 1, found))
            continue
        slowest = _slowest(stages, task, found, room)
        if (rules.batch + found - 1) * slowest < best[0]:
            best = ((rules.batch + found - 1) * slowest, found, beat)
            _raise_start(stages, task, (best[0] - 1) // rules.batch, room)
        ahead.append((low, min(slowest, beat) - 1, found))
    return best if best[1] > 0 else (FAR, 0, 0)


@lean
def _raise_start(stages: StageTimes, task: Task, beat: int, room: Cover) -> None:
    """Pass over the regions that are too slow for even the first layer of a cluster."""
    for at in range(task.last - task.first + 1):
        g, layer = room.start[at], task.first + at
        while g < stages.sizes.shape[0] and time_of(stages, layer, layer, g) > beat:
            g += 1
        room.start[at] = g
