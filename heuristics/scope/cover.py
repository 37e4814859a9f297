"""The clusters and regions of one segment (steps 2 and 3 of Scope).

The paper merges layers and shares chiplets out step by step. Ours: for a beat, the fewest chiplets
with which 1, 2, .. clusters cover the segment come from a shortest path over its layers; the beat
is lowered for one number of clusters after the other, as long as there are chiplets to do so.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heuristics.scope.times import StageTimes, time_of
from instances.jit import compiled
from instances.stages import FAR
from instances.tables import Ints


class Task(NamedTuple):
    """A segment to be covered.

    Attributes:
        first, last: layers.
        dram: cycles of DRAM traffic a sample.
        clusters: a number of clusters to try first.
        least: a beat, lower ones are not tried.
        below: a cost (batch + K - 1) * beat; only lower ones are of use.
    """

    first: int
    last: int
    dram: int
    clusters: int
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
    """Room for the shortest paths over a segment's n layers.

    Attributes:
        chiplets: [K+1,n+1] the fewest for k clusters over the first layers; too many if none.
        begins: [K+1,n+1] the layer at which the last of these clusters begins.
    """

    chiplets: Ints
    begins: Ints


@compiled
def new_cover(most: int, layers: int) -> Cover:
    """Room for up to `most` clusters over `layers` layers."""
    shape = (most + 1, layers + 1)
    return Cover(np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.int64))


@compiled
def cover(stages: StageTimes, task: Task, rules: Rules, beat: int, most: int, room: Cover) -> int:
    """The fewest clusters that keep a beat on the package; 0 if it takes more than `most`."""
    first, size, chiplets = task.first, task.last - task.first + 1, rules.chiplets
    lowest, after = 0, stages.sizes.shape[0]
    if rules.even:
        lowest = int(np.searchsorted(stages.sizes, chiplets // most))
        after = lowest + 1
    room.chiplets[: most + 1, : size + 1] = chiplets + 1
    room.chiplets[0, 0] = 0
    for at in range(size):
        low, high, used = most, -1, chiplets
        for k in range(min(at, most - 1) + 1):
            if room.chiplets[k, at] < chiplets:
                low, high, used = min(low, k), k, min(used, room.chiplets[k, at])
        if high < 0:
            continue
        g = lowest
        for end in range(at, size):
            while g < after and time_of(stages, first + at, first + end, g) > beat:
                g += 1
            if g == after or used + stages.sizes[g] > chiplets:
                break
            for k in range(low, high + 1):
                total = room.chiplets[k, at] + stages.sizes[g]
                if total < room.chiplets[k + 1, end + 1]:
                    room.chiplets[k + 1, end + 1] = total
                    room.begins[k + 1, end + 1] = at
    for k in range(1, most + 1):
        if room.chiplets[k, size] <= chiplets:
            return k
    return 0


@compiled
def clusters_of(task: Task, number: int, room: Cover) -> tuple[Ints, Ints]:
    """([K] first layers, [K] regions) of the cover that was found last."""
    begins, regions = np.empty(number, dtype=np.int64), np.empty(number, dtype=np.int64)
    end = task.last - task.first + 1
    for k in range(number, 0, -1):
        at = room.begins[k, end]
        begins[k - 1] = task.first + at
        regions[k - 1] = room.chiplets[k, end] - room.chiplets[k - 1, at]
        end = at
    return begins, regions


@compiled
def _slowest(stages: StageTimes, task: Task, number: int, room: Cover) -> int:
    """The beat of the cover that was found last."""
    worst, end = task.dram, task.last - task.first + 1
    for k in range(number, 0, -1):
        at = room.begins[k, end]
        region = room.chiplets[k, end] - room.chiplets[k - 1, at]
        g = np.searchsorted(stages.sizes, region)
        worst = max(worst, time_of(stages, task.first + at, task.first + end - 1, g))
        end = at
    return worst


@compiled
def best_cover(stages: StageTimes, task: Task, rules: Rules, room: Cover) -> tuple[int, int, int]:
    """(cost, most, beat): `cover` finds this cost with them; the cost is FAR if none is of use."""
    most = min(task.last - task.first + 1, rules.chiplets, rules.most)
    start = max(1, min(task.clusters, most))
    least = max(task.dram, task.least, 1)
    best = settle(stages, task, rules, start, least, (task.below, 0, 0), room)
    # Mostly no smaller number of clusters will do, as one cover with the slowest beat tells.
    slowest = (best[0] - 1) // rules.batch
    if slowest >= least and (
        rules.even or (start > 1 and cover(stages, task, rules, slowest, start - 1, room) > 0)
    ):
        for clusters in range(start - 1, 0, -1):
            best = settle(stages, task, rules, clusters, least, best, room)
    for clusters in range(start + 1, most + 1):
        best = settle(stages, task, rules, clusters, least, best, room)
    return best if best[1] > 0 else (FAR, 0, 0)


@compiled
def settle(
    stages: StageTimes,
    task: Task,
    rules: Rules,
    clusters: int,
    least: int,
    best: tuple[int, int, int],
    room: Cover,
) -> tuple[int, int, int]:
    """The better of `best` and what up to `clusters` clusters reach by bisection over the beat."""
    low, high = least, (best[0] - 1) // (rules.batch + clusters - 1)
    if low > high:
        return best
    probe = high if high < 2 * low else low + low // 16
    found_any = False
    while low <= high:
        found = cover(stages, task, rules, probe, clusters, room)
        if found > 0:
            beat = _slowest(stages, task, found, room)
            cost = (rules.batch + found - 1) * beat
            if cost < best[0]:
                best = (cost, clusters, probe)
            high, found_any = min(beat, probe) - 1, True
        elif probe == high:
            break
        else:
            low = probe + 1
        if found_any and high - low <= high >> rules.precision:
            break
        probe = (low + high) // 2 if found_any else min(high, probe + probe // 8 + 1)
    return best
