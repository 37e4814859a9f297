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
        most: no more clusters than this.
        precision: beats are settled to 1 / 2^precision.
    """

    batch: int
    chiplets: int
    even: bool
    most: int
    precision: int


class Cover(NamedTuple):
    """Room for the shortest paths over a segment's n layers, counted from its first.

    Attributes:
        start: [n] smaller regions, by number, are too slow for a cluster from this layer.
        reach: [n] how many clusters from this layer keep the beat.
        region: [n,W] the chiplets that they take.
        togo: [n+1] the fewest chiplets from this layer to the end; too many if nothing keeps it.
        least: [n+1] the fewest up to this layer with any number of clusters so far.
        used: [K+1,n+1] the fewest for k clusters over the first layers; too many if none.
        begins: [K+1,n+1] the layer at which the last of these clusters begins.
    """

    start: Ints
    reach: Ints
    region: Ints
    togo: Ints
    least: Ints
    used: Ints
    begins: Ints


@compiled
def new_cover(most: int, layers: int, longest: int) -> Cover:
    """Room for up to `most` clusters of up to `longest` layers over `layers` layers."""
    shape = (most + 1, layers + 1)
    return Cover(
        np.zeros(layers, dtype=np.int64),
        np.empty(layers, dtype=np.int64),
        np.empty((layers, min(layers, longest)), dtype=np.int64),
        np.empty(layers + 1, dtype=np.int64),
        np.empty(layers + 1, dtype=np.int64),
        np.empty(shape, dtype=np.int64),
        np.empty(shape, dtype=np.int64),
    )


@compiled
def cover(stages: StageTimes, task: Task, rules: Rules, beat: int, most: int, room: Cover) -> int:
    """The fewest clusters that keep a beat on the package.

    More than `most` if it takes more than these; FAR if no number will do.
    """
    if rules.even:
        return _even_cover(stages, task, rules, beat, most, room)
    _regions(stages, task, beat, 0, stages.sizes.shape[0], room)
    if room.togo[0] > rules.chiplets:
        return FAR
    return _fewest(task.last - task.first + 1, rules.chiplets, most, room)


@compiled
def _even_cover(
    stages: StageTimes, task: Task, rules: Rules, beat: int, most: int, room: Cover
) -> int:
    """The same with C // K chiplets for each of K clusters."""
    for clusters in range(1, most + 1):
        g = np.searchsorted(stages.sizes, rules.chiplets // clusters)
        _regions(stages, task, beat, g, g + 1, room)
        if room.togo[0] <= rules.chiplets:
            found = _fewest(task.last - task.first + 1, rules.chiplets, clusters, room)
            if found == clusters:
                return clusters
    return most + 1


@lean
def _regions(
    stages: StageTimes, task: Task, beat: int, lowest: int, after: int, room: Cover
) -> None:
    """The smallest regions numbered lowest..after-1 that keep the beat, and the chiplets to go."""
    size = task.last - task.first + 1
    far = stages.sizes[-1] + 1
    room.togo[size] = 0
    for at in range(size - 1, -1, -1):
        g, reach, togo = max(lowest, room.start[at]), 0, far
        for end in range(at, size):
            while g < after and time_of(stages, task.first + at, task.first + end, g) > beat:
                g += 1
            if g >= after:
                break
            room.region[at, reach] = stages.sizes[g]
            reach += 1
            togo = min(togo, stages.sizes[g] + room.togo[end + 1])
        room.reach[at], room.togo[at] = reach, togo


@lean
def _fewest(size: int, chiplets: int, most: int, room: Cover) -> int:
    """Cluster after cluster, from every layer where this number takes fewer chiplets than fewer.

    What cannot reach the end with the chiplets that are left is not followed.
    """
    room.least[: size + 1] = chiplets + 1
    room.used[0, : size + 1] = chiplets + 1
    room.used[0, 0] = 0
    for k in range(most):
        room.used[k + 1, : size + 1] = chiplets + 1
        for at in range(k, size):
            used = room.used[k, at]
            if used >= room.least[at]:
                continue
            room.least[at] = used
            for length in range(room.reach[at]):
                end, total = at + length + 1, used + room.region[at, length]
                if total < room.used[k + 1, end] and total + room.togo[end] <= chiplets:
                    room.used[k + 1, end] = total
                    room.begins[k + 1, end] = at
        if room.used[k + 1, size] <= chiplets:
            return k + 1
    return most + 1


@compiled
def clusters_of(task: Task, number: int, room: Cover) -> tuple[Ints, Ints]:
    """([K] first layers, [K] regions) of the cover that was found last."""
    begins, regions = np.empty(number, dtype=np.int64), np.empty(number, dtype=np.int64)
    end = task.last - task.first + 1
    for k in range(number, 0, -1):
        at = room.begins[k, end]
        begins[k - 1] = task.first + at
        regions[k - 1] = room.used[k, end] - room.used[k - 1, at]
        end = at
    return begins, regions


@lean
def _slowest(stages: StageTimes, task: Task, number: int, room: Cover) -> int:
    """The beat of the cover that was found last."""
    worst, end = task.dram, task.last - task.first + 1
    for k in range(number, 0, -1):
        at = room.begins[k, end]
        g = np.searchsorted(stages.sizes, room.used[k, end] - room.used[k - 1, at])
        worst = max(worst, time_of(stages, task.first + at, task.first + end - 1, g))
        end = at
    return worst


@compiled
def best_cover(stages: StageTimes, task: Task, rules: Rules, room: Cover) -> tuple[int, int, int]:
    """(cost, clusters, beat): `cover` finds this cost with them; FAR and 0 if none is of use.

    A bisection: an interval of beats is left out where even its lowest beat, with the fewest
    clusters that any beat above it takes, costs no less than the best so far.
    """
    hardest = min(task.last - task.first + 1, rules.chiplets, rules.most)
    low = max(task.dram, task.least, 1)
    best = (task.below, 0, 0)
    room.start[: task.last - task.first + 1] = 0
    # Intervals of beats, and the fewest clusters that each of theirs takes.
    ahead = [(low, (task.below - 1) // rules.batch, 1)]
    step = 0
    while len(ahead) > 0:
        low, high, fewest = ahead.pop()
        high = min(high, (best[0] - 1) // (rules.batch + fewest - 1))
        if low > high or (best[1] > 0 and high - low <= high >> rules.precision):
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
