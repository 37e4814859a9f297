"""Exact search: a shortest path over segments, each settled only when the path needs it."""

from __future__ import annotations

import numpy as np

from heuristics.baselines import pipeline, sequential
from heuristics.scope import scope
from instances.instance import Instance
from instances.jit import compiled
from instances.tables import Ints
from schedules.parallel import OutOfTimeError, in_parallel
from schedules.progress import Progress, Stop
from schedules.schedule import Cluster, Schedule, Segment
from solvers.exact.labels import FAR
from solvers.exact.segments import NEVER, clusters_at, fewest_clusters, settle
from solvers.exact.stages import Stages


def exact(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """Prove the best schedule of the whole problem (docs/problem.md, 'The exact program').

    Bounding all stage times takes O(L^2 C) sets of at most CAP labels an option; each beat of the
    grid O(L^3) steps times the handful of undominated cluster counts; a segment that is
    settled, the square of its layers for each beat tried. Few are settled.
    """
    return _solve(instance, progress, workers, merging=True)


def segmented(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """The best schedule whose clusters are single layers: the classic segmented pipeline.

    It is found exactly, but says nothing about merged clusters: there is no bound. Where no
    such schedule fits, none fits at all, since a layer needs no more memory alone.
    """
    stop = _solve(instance, progress, workers, merging=False)
    return "finished" if stop == "optimal" else stop


def _solve(instance: Instance, progress: Progress, workers: int, merging: bool) -> Stop:
    """Search on from the fast methods' schedules; `merging` allows clusters of several layers."""
    try:
        for heuristic in (scope,) if merging else (sequential, pipeline):
            heuristic(instance, progress, 0, workers)
        return _Search(instance, progress, workers, merging).run()
    except OutOfTimeError:
        return "time-limit"


class _Search:
    """The state of one search.

    Attributes:
        lower, upper: [L,L] bounds on the cost of each segment, load included; FAR where it cannot
            be or cannot matter. `upper` rests on the stages' bounds and is only a guide.
        least: [L,L] a lower bound on the beat of each segment.
        settled: [L,L] whether `lower` is the true cost, or FAR because it cannot matter.
        found: (clusters, beat) of settled segments; 0 clusters where tiled is best.
    """

    def __init__(self, instance: Instance, progress: Progress, workers: int, merging: bool) -> None:
        self.instance = instance
        self.merging = merging
        self.progress = progress
        tables = instance.tables
        self.count = len(tables.layers)
        self.loads = tables.loads[None, 1:] - tables.loads[:-1, None]
        incumbent = progress.objective
        cutoff = FAR - 1 if incumbent is None else incumbent // instance.batch
        longest = self.count if merging else 1
        self.stages = Stages(instance, longest, cutoff, progress, workers)
        self.found: dict[tuple[int, int], tuple[int, int]] = {}
        self.settled = np.zeros((self.count, self.count), dtype=bool)
        self._bound_segments(workers)
        self._bound_tiled()

    def _bound_segments(self, workers: int) -> None:
        """Bounds from the fewest clusters at each beat of a grid.

        A segment whose beat lies between two neighbours of the grid has at least the clusters that
        the upper one needs, and costs at least the lower one each.
        """
        times, batch, io = self.stages.times, self.instance.batch, self.instance.tables.io
        grid = beat_grid(times)
        shape = (self.count, self.count)
        lower, upper = np.full(shape, FAR), np.full(shape, FAR)
        least = np.full(shape, FAR)

        def count(index: int) -> Ints:
            counts: Ints = fewest_clusters(times, grid[index])
            return counts

        below = 0
        for index, counts in in_parallel(count, len(grid), self.progress, workers):
            possible = counts < NEVER
            beats = batch + np.where(possible, counts, 0).astype(np.int64) - 1
            shortest = np.maximum(io, below + 1)
            np.minimum(lower, beats * shortest + self.loads, out=lower, where=possible)
            reached = beats * np.maximum(io, grid[index]) + self.loads
            np.minimum(upper, reached, out=upper, where=possible)
            np.minimum(least, shortest, out=least, where=possible)
            below = int(grid[index])
        self.lower, self.upper, self.least = lower, upper, least

    def _bound_tiled(self) -> None:
        for layer, beat in enumerate(self.instance.tables.alone.tolist()):
            if beat >= 0:
                cost = self.instance.batch * beat + int(self.loads[layer, layer])
                self.lower[layer, layer] = min(cost, int(self.lower[layer, layer]))
                self.upper[layer, layer] = min(cost, int(self.upper[layer, layer]))

    def run(self) -> Stop:
        """Settle the segments of promising paths until the shortest one is settled."""
        reach, onward, _ = shortest_paths(self.lower)
        _, _, starts = shortest_paths(self.upper)
        self._try(_segments_of(starts), reach, onward)
        while not self.progress.expired:
            reach, onward, starts = shortest_paths(self.lower)
            length, incumbent = int(reach[-1]), self.progress.objective
            if length >= (FAR if incumbent is None else incumbent):
                if incumbent is None:
                    return "infeasible"
                self._raise_bound(incumbent)
                return "optimal"
            self._raise_bound(length)
            self._try(_segments_of(starts), reach, onward)
        return "time-limit"

    def _raise_bound(self, bound: int) -> None:
        """Report a bound, unless it holds only for schedules without merged layers."""
        if self.merging:
            self.progress.raise_bound(bound)

    def _try(self, path: list[tuple[int, int]], reach: Ints, onward: Ints) -> None:
        """Settle a path's segments; offer the schedule if it is better than the incumbent.

        `reach` and `onward` bound what the layers before and after a segment cost.
        """
        for first, last in path:
            if not self.settled[first, last]:
                self._settle(first, last, int(reach[first]) + int(onward[last + 1]))
        if path and all(place in self.found for place in path):
            incumbent = self.progress.objective
            if incumbent is None or sum(int(self.lower[place]) for place in path) < incumbent:
                self.progress.offer(self._schedule(path))

    def _settle(self, first: int, last: int, others: int) -> None:
        """Find the segment's true cost, or that with `others` it cannot improve the incumbent."""
        load = int(self.loads[first, last])
        incumbent = self.progress.objective
        most = FAR // 2 if incumbent is None else incumbent - 1 - others - load
        cost, clusters, beat = self._cheapest(first, last, most)
        alone = int(self.instance.tables.alone[first]) if first == last else -1
        if alone >= 0 and self.instance.batch * alone < cost:
            cost, clusters, beat = self.instance.batch * alone, 0, alone
        self.settled[first, last] = True
        self.lower[first, last] = FAR
        if cost <= most:
            self.lower[first, last] = cost + load
            self.found[first, last] = clusters, beat

    def _cheapest(self, first: int, last: int, most: int) -> tuple[int, int, int]:
        """`settle` with true stage times: repeat until the clusters it chose reach their beat."""
        times, least = self.stages.times, int(self.least[first, last])
        while True:
            cost, clusters, beat = settle(first, last, times, self.instance.batch, least, most)
            if clusters == 0:
                return cost, clusters, beat
            parts = clusters_at(first, last, times, beat, clusters)
            met = [self.stages.reaches(i, j, c, beat) for i, j, c in parts.tolist()]
            if all(met):
                return cost, clusters, beat
            if self.progress.expired:
                raise OutOfTimeError

    def _schedule(self, path: list[tuple[int, int]]) -> Schedule:
        return Schedule(tuple(self._segment(first, last) for first, last in path))

    def _segment(self, first: int, last: int) -> Segment:
        clusters, beat = self.found[first, last]
        if clusters == 0:
            tables = self.instance.tables
            whole = Cluster(first, last, tables.chiplets, tables.options[:1])
            return Segment((whole,), tiled=True)
        parts = clusters_at(first, last, self.stages.times, beat, clusters)
        return Segment(tuple(self.stages.cluster(i, j, c) for i, j, c in parts.tolist()))


@compiled
def shortest_paths(costs: Ints) -> tuple[Ints, Ints, Ints]:
    """The cheapest chains of segments; FAR where there is none.

    Returns:
        reach: [L+1] the least cost of all layers before each one.
        onward: [L+1] the least cost of all layers from each one on.
        starts: [L] where the last segment of the cheapest chain up to each layer begins, or -1.
    """
    count = costs.shape[0]
    reach = np.full(count + 1, FAR, dtype=np.int64)
    onward = np.full(count + 1, FAR, dtype=np.int64)
    starts = np.full(count, -1, dtype=np.int64)
    reach[0] = onward[count] = 0
    for last in range(count):
        for first in range(last + 1):
            if reach[first] < FAR and costs[first, last] < FAR:
                total = reach[first] + costs[first, last]
                if total < reach[last + 1]:
                    reach[last + 1] = total
                    starts[last] = first
    for first in range(count - 1, -1, -1):
        for last in range(first, count):
            if onward[last + 1] < FAR and costs[first, last] < FAR:
                onward[first] = min(onward[first], costs[first, last] + onward[last + 1])
    return reach, onward, starts


def beat_grid(times: Ints, steps: int = 256) -> Ints:
    """Beats in geometric steps that span all finite stage times, the largest last."""
    finite = times[times < FAR]
    if not finite.size:
        return np.empty(0, dtype=np.int64)
    low, high = max(1, int(finite.min())), max(1, int(finite.max()))
    beats = np.unique(np.geomspace(low, high, steps).astype(np.int64))
    beats[-1] = high
    return beats


def _segments_of(starts: Ints) -> list[tuple[int, int]]:
    """The path as (first, last) pairs in order; empty if there is none."""
    path: list[tuple[int, int]] = []
    last = len(starts) - 1
    while last >= 0:
        first = int(starts[last])
        if first < 0:
            return []
        path.append((first, last))
        last = first - 1
    return path[::-1]
