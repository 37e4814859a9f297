"""Exact search: a shortest path over segments, each settled only when the path needs it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from heuristics.baselines import pipeline, sequential
from heuristics.scope import scope
from instances.compression import Compression
from instances.instance import Instance
from instances.tables import Ints
from schedules.goal import restricted
from schedules.parallel import OutOfTimeError, in_parallel
from schedules.progress import Progress, Stop
from schedules.schedule import Cluster, Schedule, Segment
from solvers.exact.frontier import best_of_front
from solvers.exact.labels import FAR
from solvers.exact.paths import path_of, shortest_paths, shortest_within
from solvers.exact.segments import clusters_at, fewest_clusters, settle
from solvers.exact.stages import Stages
from solvers.exact.starts import suggest_from


def exact(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """Prove the best schedule of the whole problem (docs/problem.md, 'The exact program').

    Bounding all stage times takes O(L^2 C) sets of at most CAP labels an option; each beat of the
    grid O(L^3) steps times the handful of undominated cluster counts; a segment that is
    settled, the square of its layers for each beat tried. Few are settled.

    Where energy counts, the program is another one: see solvers.exact.frontier.

    Raises:
        ValueError: energy counts and the instance is too large for that.
    """
    if instance.compression is not None:
        return _with_ratios(instance, instance.compression, progress, workers)
    if progress.goal.needs_energy:
        return best_of_front(instance, progress, workers)
    return _solve(instance, progress, workers, merging=True)


def _with_ratios(instance: Instance, given: Compression, progress: Progress, workers: int) -> Stop:
    """Search on from the best schedule without compression, and from one with it that is fast."""
    from heuristics.ratios import with_ratios
    from solvers.exact.ratios import States, exact_with_ratios

    states = States(given, instance.layers)  # refuses at once what it cannot follow
    plain = replace(instance, tables=instance.costs, compression=None)
    stop = suggest_from(_best, plain, progress, workers)
    if stop != "optimal":  # nothing fits with coders that does not without
        return stop
    with_ratios(scope, instance, progress, 0, workers)
    return exact_with_ratios(instance, given, states, progress, workers)


def _best(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
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
    allowed = restricted(instance, progress.goal)
    try:
        for heuristic in (scope,) if merging else (sequential, pipeline):
            suggest_from(heuristic, allowed, progress, workers)
        return Search(allowed, progress, workers, merging).run()
    except OutOfTimeError:
        return "time-limit"


class Search:
    """The state of one search, on an instance that is restricted to what the goal allows.

    Attributes:
        depth: most clusters of a segment.
        segments: [L,L] which segments the pins allow.
        alone: [L] beat of each layer as a tiled segment; -1 where there may be none.
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
        tables, goal = instance.tables, progress.goal
        self.count = len(tables.layers)
        self.depth = self.count if goal.clusters is None else min(goal.clusters, self.count)
        self.loads = tables.loads[None, 1:] - tables.loads[:-1, None]
        longest = self.count if merging else 1
        clusters = goal.allowed_clusters(self.count)
        self.segments = goal.allowed_segments(self.count)
        self.alone = np.where((clusters & self.segments).diagonal(), tables.alone, -1)
        cutoff = min(FAR - 1, self._too_much // instance.batch)
        self.stages = Stages(instance, longest, cutoff, clusters, progress, workers)
        self.found: dict[tuple[int, int], tuple[int, int]] = {}
        self.settled = np.zeros((self.count, self.count), dtype=bool)
        self._bound_segments(workers)
        self._bound_tiled()

    @property
    def _too_much(self) -> int:
        """The least latency that is of no use: the incumbent's, or one beyond the cap."""
        if self.progress.objective is not None:
            return self.progress.objective
        cap = self.progress.goal.latency_cap
        return FAR if cap is None else cap + 1

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
            possible = (counts <= self.depth) & self.segments
            beats = batch + np.where(possible, counts, 0).astype(np.int64) - 1
            shortest = np.maximum(io, below + 1)
            np.minimum(lower, beats * shortest + self.loads, out=lower, where=possible)
            reached = beats * np.maximum(io, grid[index]) + self.loads
            np.minimum(upper, reached, out=upper, where=possible)
            np.minimum(least, shortest, out=least, where=possible)
            below = int(grid[index])
        self.lower, self.upper, self.least = lower, upper, least

    def _bound_tiled(self) -> None:
        for layer, beat in enumerate(self.alone.tolist()):
            if beat >= 0:
                cost = self.instance.batch * beat + int(self.loads[layer, layer])
                self.lower[layer, layer] = min(cost, int(self.lower[layer, layer]))
                self.upper[layer, layer] = min(cost, int(self.upper[layer, layer]))

    def run(self) -> Stop:
        """Settle the segments of promising paths until the shortest one is settled."""
        reach, onward, _ = shortest_paths(self.lower)
        self._try(self._shortest(self.upper)[1], reach, onward)
        while not self.progress.expired:
            reach, onward, _ = shortest_paths(self.lower)
            length, path = self._shortest(self.lower)
            if length >= self._too_much:
                incumbent = self.progress.objective
                if incumbent is None:
                    return "infeasible"
                self._raise_bound(incumbent)
                return "optimal"
            self._raise_bound(length)
            self._try(path, reach, onward)
        return "time-limit"

    def _shortest(self, costs: Ints) -> tuple[int, list[tuple[int, int]]]:
        """Cost and segments of the cheapest path with no more segments than the goal allows."""
        reach, _, starts = shortest_paths(costs)
        path, most = path_of(starts), self.progress.goal.segments
        if most is None or len(path) <= most:
            return int(reach[-1]), path
        length, within = shortest_within(costs, most)
        return length, [(first, last) for first, last in within.tolist()]

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
        if path and sum(int(self.lower[place]) for place in path) < self._too_much:
            self.progress.offer(self._schedule(path))

    def _settle(self, first: int, last: int, others: int) -> None:
        """Find the segment's true cost, or that with `others` it cannot improve the incumbent."""
        load = int(self.loads[first, last])
        most = min(FAR // 2, self._too_much - 1 - others - load)
        cost, clusters, beat = self._cheapest(first, last, most)
        alone = int(self.alone[first]) if first == last else -1
        if alone >= 0 and self.instance.batch * alone < cost:
            cost, clusters, beat = self.instance.batch * alone, 0, alone
        self.settled[first, last] = True
        self.progress.count("segments settled")
        self.lower[first, last] = FAR
        if cost <= most:
            self.lower[first, last] = cost + load
            self.found[first, last] = clusters, beat

    def _cheapest(self, first: int, last: int, most: int) -> tuple[int, int, int]:
        """`settle` with true stage times: repeat until the clusters it chose reach their beat."""
        times, least = self.stages.times, int(self.least[first, last])
        depth = min(self.depth, last - first + 1)
        while True:
            cost, clusters, beat = settle(
                first, last, times, self.instance.batch, least, most, depth
            )
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


def beat_grid(times: Ints, steps: int = 256) -> Ints:
    """Beats in geometric steps that span all finite stage times, the largest last."""
    finite = times[times < FAR]
    if not finite.size:
        return np.empty(0, dtype=np.int64)
    low, high = max(1, int(finite.min())), max(1, int(finite.max()))
    beats = np.unique(np.geomspace(low, high, steps).astype(np.int64))
    beats[-1] = high
    return beats
