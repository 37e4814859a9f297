"""The columns of the segment formulation: segments priced from below, with their stages.

A segment column is an interval of layers in K clusters. Its beat is bounded by three relaxations,
each a dynamic program over cluster columns that lets go of the sharing of chiplets:

- area: the stages' chiplets times their times sum to at most C times the beat;
- min-max: each stage has all chiplets but K-1 to itself;
- the segment's DRAM traffic.

A known latency then removes the segments that lie on no path cheap enough (reduced-cost fixing on
the shortest path), and from the others the stages that are too slow or too wide. With fewer stages
the area bound rises, and with it the paths: both steps are repeated until nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from formulations.merged_pipeline.columns import FAR, Columns
from instances.instance import Instance
from instances.jit import compiled
from instances.tables import LIMIT, Ints

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Stage:
    """A cluster column within a segment.

    Attributes:
        first, last: layers, inclusive.
        chiplets: exactly so many.
        excess: cycles by which its time exceeds the segment's least beat, at least 0.
    """

    first: int
    last: int
    chiplets: int
    excess: int


@dataclass(frozen=True)
class SegmentColumn:
    """A segment in a given number of clusters.

    Attributes:
        first, last: layers, inclusive.
        clusters: K; 0 if the segment is tiled.
        beats: how often its beat is paid, m+K-1; m if it is tiled.
        load: cycles.
        least: cycles, a lower bound on its beat; the beat itself if it is tiled.
        stages: that may be among its clusters; none if it is tiled. Of those that differ only in
            chiplets and do not exceed the least beat, just the smallest.
    """

    first: int
    last: int
    clusters: int
    beats: int
    load: int
    least: int
    stages: tuple[Stage, ...] = ()

    @property
    def bound(self) -> int:
        """A lower bound on the segment's cycles, load included."""
        return self.load + self.beats * self.least


def segment_columns(
    instance: Instance, columns: Columns, upper: int | None = None
) -> list[SegmentColumn]:
    """All segment columns that a schedule of at most `upper` cycles can use; LIMIT if None."""
    tables, batch = instance.tables, instance.batch
    bounds = Bounds(instance, columns, LIMIT if upper is None else min(upper, LIMIT))
    while bounds.tighten():
        pass
    found = [
        SegmentColumn(layer, layer, 0, batch, int(tables.load[layer]), int(tables.alone[layer]))
        for layer in bounds.tiled()
    ]
    for first, last, clusters in bounds.open():
        least, useful = bounds.useful(first, last, clusters)
        if least < FAR:
            paid, load = batch + clusters - 1, int(bounds.loads[first, last])
            stages = _stages(columns.times, first, np.argwhere(useful), least)
            found.append(SegmentColumn(first, last, clusters, paid, load, least, stages))
    return found


def _stages(times: Ints, offset: int, places: Ints, least: int) -> tuple[Stage, ...]:
    """Stages at places [.,3] counted from the segment's first layer, `offset`."""
    stages = []
    for i, j, c in places.tolist():
        first, last = offset + i, offset + j
        stages.append(Stage(first, last, c + 1, max(0, int(times[first, last, c]) - least)))
    return tuple(stages)


def path_bound(columns: Sequence[SegmentColumn], layers: int) -> int | None:
    """Cycles of the cheapest chain of segments at their bounds; None if there is no chain.

    No schedule made of these columns takes less.
    """
    reach = {0: 0}
    for q in sorted(columns, key=lambda column: column.first):
        if q.first in reach:
            cycles = reach[q.first] + q.bound
            reach[q.last + 1] = min(cycles, reach.get(q.last + 1, cycles))
    return reach.get(layers)


class Bounds:
    """Lower bounds on the beats of all segments, for schedules of at most `upper` cycles.

    Attributes:
        least: [L,L,K+1] of segment s..e in k clusters; FAR where it is out of the question.
        loads: [L,L] cycles to load the segment's weights.
    """

    def __init__(self, instance: Instance, columns: Columns, upper: int) -> None:
        tables = instance.tables
        self._batch, self._upper, self._times = instance.batch, upper, columns.times
        self.loads: Ints = tables.loads[None, 1:] - tables.loads[:-1, None]
        self.least = least_beats(columns.times, tables.io)
        self.least[self.least > upper // instance.batch] = FAR
        fits = (tables.alone >= 0) & (tables.alone <= upper // instance.batch)
        tiled = tables.load + instance.batch * np.where(fits, tables.alone, 0)
        self._tiled: Ints = np.where(fits, tiled, FAR)
        self._beats = instance.batch + np.arange(self.least.shape[2]) - 1
        self._price()

    def _price(self) -> None:
        """Costs from the beats, and what a segment may cost beside the cheapest others."""
        known = self.least < FAR
        costs = self.loads[:, :, None] + np.where(known, self.least, 0) * self._beats
        self._costs: Ints = np.where(known, costs, FAR)
        cheapest = self._costs.min(axis=2)
        np.fill_diagonal(cheapest, np.minimum(np.diagonal(cheapest), self._tiled))
        others = others_cost(cheapest)
        self._most: Ints = self._upper - others

    def tiled(self) -> list[int]:
        """Layers that may be tiled."""
        return np.flatnonzero(self._tiled <= np.diagonal(self._most)).tolist()

    def open(self) -> list[tuple[int, int, int]]:
        """(first, last, clusters) of the segments that are not out of the question."""
        places = np.argwhere(self._costs <= self._most[:, :, None]).tolist()
        return [(first, last, clusters) for first, last, clusters in places]

    def useful(self, first: int, last: int, clusters: int) -> tuple[int, Flags]:
        """A better bound on the segment's beat, FAR if it is too slow, and its useful stages."""
        load, paid = int(self.loads[first, last]), int(self._beats[clusters])
        longest = (int(self._most[first, last]) - load) // paid
        layers = slice(first, last + 1)
        least = int(self.least[first, last, clusters])
        bound, useful = tightened(self._times[layers, layers], clusters, least, longest)
        return int(bound), useful

    def tighten(self) -> bool:
        """Raise the bounds of all open segments; whether that may help to raise others."""
        before = self._costs.copy()
        least = np.full_like(self.least, FAR)
        for first, last, clusters in self.open():
            least[first, last, clusters] = self.useful(first, last, clusters)[0]
        self.least = least
        self._price()
        return not np.array_equal(before, self._costs)


def least_beats(times: Ints, io: Ints) -> Ints:
    """[L,L,K+1] a lower bound on the beat of segment s..e in k clusters; FAR where there is none.

    Entry 0 of the last axis is unused, and FAR. K is the smaller of L and C.
    """
    chiplets = times.shape[2]
    sizes = np.arange(1, chiplets + 1)
    areas = np.where(times < FAR, np.minimum(times, LIMIT) * sizes, FAR).min(axis=2)
    area, slowest = relaxations(areas, np.minimum.accumulate(times, axis=2))
    shared = np.where(area < FAR, -(-area // chiplets), FAR)
    beats: Ints = np.maximum(np.maximum(shared, slowest), io[:, :, None])
    return beats


@compiled
def relaxations(areas: Ints, fastest: Ints) -> tuple[Ints, Ints]:
    """[L,L,K+1] the least area, and the least slowest stage, of segment s..e in k clusters.

    Args:
        areas: [L,L] the least chiplets times time of a cluster.
        fastest: [L,L,C] the time of a cluster on at most c+1 chiplets.
    """
    count, _, chiplets = fastest.shape
    most = min(count, chiplets)
    area = np.full((count, count, most + 1), FAR, dtype=np.int64)
    slowest = np.full((count, count, most + 1), FAR, dtype=np.int64)
    area[:, :, 1] = areas
    slowest[:, :, 1] = fastest[:, :, chiplets - 1]
    for first in range(count):
        for last in range(first + 1, count):
            for i in range(first + 1, last + 1):
                for k in range(2, min(most, i - first + 1) + 1):
                    before, own = slowest[first, i - 1, k - 1], fastest[i, last, chiplets - k]
                    slowest[first, last, k] = min(slowest[first, last, k], max(before, own))
                    if area[first, i - 1, k - 1] < FAR and areas[i, last] < FAR:
                        together = area[first, i - 1, k - 1] + areas[i, last]
                        area[first, last, k] = min(area[first, last, k], together)
    return area, slowest


@compiled
def tightened(times: Ints, clusters: int, least: int, longest: int) -> tuple[int, Flags]:
    """A better bound on the beat of one segment, if that is at most `longest`; FAR if it cannot be.

    The area bound once more, now for the stages alone that meet the longest beat, each of which
    keeps its chiplets for the least beat, however fast it is. Whatever stage makes the area too
    large goes, and so on until nothing changes.

    Args:
        times: [n,n,C] of the segment's own layers.

    Returns:
        The bound, and [n,n,C] the stages that may be of use.
    """
    count, _, chiplets = times.shape
    useful = times <= longest
    useful[:, :, chiplets - clusters + 1 :] = False
    while True:
        areas = least_areas(times, useful, least)
        before, after = areas_around(areas, clusters)
        area = before[count, clusters]
        bound = max(least, -(-area // chiplets))
        if area == FAR or bound > longest:
            return FAR, useful
        changed = drop_wide(times, useful, least, before, after, chiplets * longest)
        if bound == least and not changed:
            return least, useful
        least = bound


@compiled
def least_areas(times: Ints, useful: Flags, least: int) -> Ints:
    """[n,n] the smallest area of a useful stage; drops stages larger than those that do."""
    count, _, chiplets = times.shape
    areas = np.full((count, count), FAR, dtype=np.int64)
    for i in range(count):
        for j in range(i, count):
            for c in range(chiplets):
                if useful[i, j, c]:
                    areas[i, j] = min(areas[i, j], (c + 1) * max(times[i, j, c], least))
                    if times[i, j, c] <= least:
                        useful[i, j, c + 1 :] = False
    return areas


@compiled
def areas_around(areas: Ints, clusters: int) -> tuple[Ints, Ints]:
    """[n+1,K+1] the least area of the layers before, and from, each one, in k clusters."""
    count = areas.shape[0]
    before = np.full((count + 1, clusters + 1), FAR, dtype=np.int64)
    after = np.full((count + 1, clusters + 1), FAR, dtype=np.int64)
    before[0, 0] = after[count, 0] = 0
    for size in range(count):
        for i in range(size + 1):
            own, mirrored = areas[i, size], areas[count - 1 - size, count - 1 - i]
            for k in range(min(i, clusters - 1) + 1):
                if own < FAR and before[i, k] < FAR:
                    before[size + 1, k + 1] = min(before[size + 1, k + 1], before[i, k] + own)
                if mirrored < FAR and after[count - i, k] < FAR:
                    total = after[count - i, k] + mirrored
                    after[count - 1 - size, k + 1] = min(after[count - 1 - size, k + 1], total)
    return before, after


@compiled
def drop_wide(times: Ints, useful: Flags, least: int, before: Ints, after: Ints, most: int) -> bool:
    """Drop stages with which the segment's area exceeds `most`; whether there are any."""
    count, _, chiplets = times.shape
    clusters = before.shape[1] - 1
    changed = False
    for i in range(count):
        for j in range(i, count):
            around = FAR
            for k in range(clusters):
                if before[i, k] < FAR and after[j + 1, clusters - 1 - k] < FAR:
                    around = min(around, before[i, k] + after[j + 1, clusters - 1 - k])
            for c in range(chiplets):
                own = (c + 1) * max(times[i, j, c], least) if useful[i, j, c] else 0
                if useful[i, j, c] and (around == FAR or around + own > most):
                    useful[i, j, c] = False
                    changed = True
    return changed


@compiled
def others_cost(costs: Ints) -> Ints:
    """[L,L] the least cost of all layers outside s..e, segments costing `costs`; FAR if none is."""
    count = costs.shape[0]
    reach = np.full(count + 1, FAR, dtype=np.int64)
    onward = np.full(count + 1, FAR, dtype=np.int64)
    reach[0] = onward[count] = 0
    for last in range(count):
        for first in range(last + 1):
            if reach[first] < FAR and costs[first, last] < FAR:
                reach[last + 1] = min(reach[last + 1], reach[first] + costs[first, last])
    for first in range(count - 1, -1, -1):
        for last in range(first, count):
            if onward[last + 1] < FAR and costs[first, last] < FAR:
                onward[first] = min(onward[first], costs[first, last] + onward[last + 1])
    others = np.full((count, count), FAR, dtype=np.int64)
    for first in range(count):
        for last in range(first, count):
            if reach[first] < FAR and onward[last + 1] < FAR:
                others[first, last] = reach[first] + onward[last + 1]
    return others
