"""The best schedule on an array, proved: a shortest path over segments, settled as late as can be.

A schedule is a path over the cuts between layers, a segment is an arc. Every arc has a lower bound
at first; the shortest path with these bounds is a lower bound on all schedules. Arcs on it are
settled, each by the best of its tile counts and layouts, until the shortest path has settled arcs
only: then it is the optimum. An arc need not be settled beyond what could still improve the best
schedule so far, which the bounds on the ways to it and from it tell.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from heuristics.array.allocation import best_layout
from heuristics.array.search import pipeorgan_plus
from instances.cost.array import ArrayCosts
from instances.cost.rates import over
from instances.cost.tiles import Tiling
from instances.jit import compiled
from schedules.array.progress import ArrayProgress
from schedules.array.schedule import ArraySchedule, ArraySegment
from schedules.progress import Stop
from solvers.array.bounds import NEVER, Ints, segment_bounds
from solvers.array.solve import ArrayOptions


def exact(progress: ArrayProgress, options: ArrayOptions) -> Stop:
    """Offer better and better schedules, from that of `pipeorgan+` on, and prove the last one."""
    pipeorgan_plus(progress, options)
    search = _Search(progress)
    while not progress.expired:
        if search.step():
            return "optimal"
    return "time-limit"


class _Search:
    """Bounds and settled segments.

    Attributes:
        low: [first, depth - 1] cycles of a segment: lower bounds, exact where settled.
        settled: where `low` is exact, or NEVER.
        best: the best segment of each settled arc.
    """

    def __init__(self, progress: ArrayProgress) -> None:
        self._progress, self._costs = progress, progress.costs
        self.low = segment_bounds(self._costs)
        self.settled = np.zeros(self.low.shape, dtype=np.bool_)
        self.best: dict[tuple[int, int], ArraySegment] = {}
        for k in range(self._costs.layers):
            self._settle(k, k, NEVER)
        self._offer()

    def step(self) -> bool:
        """Settle what is open on the shortest path; whether the best schedule is proved."""
        to, back, via = shortest(self.low)
        known = self._progress.objective
        assert known is not None, "the heuristic has offered a schedule"
        self._progress.raise_bound(min(int(to[-1]), known))
        if to[-1] >= known:
            return True
        for first, last in _arcs(via):
            if not self.settled[first, last - first]:
                self._settle(first, last, known - int(to[first]) - int(back[last + 1]))
        self._offer()
        return False

    def _offer(self) -> None:
        """Offer the best schedule of settled segments."""
        to, _, via = shortest(np.where(self.settled, self.low, NEVER))
        if to[-1] < (self._progress.objective or NEVER):
            segments = [self.best[arc] for arc in _arcs(via)]
            self._progress.offer(ArraySchedule(tuple(segments)))

    def _settle(self, first: int, last: int, limit: int) -> None:
        """Find the best segment of these layers with fewer than `limit` cycles."""
        self._progress.count("segments")
        cycles = limit
        for tiling, tiles in _promising(self._costs, first, last):
            found = self._try(first, last, tiling, tiles, cycles)
            if found is not None:
                cycles, self.best[first, last] = found
        self.settled[first, last - first] = True
        self.low[first, last - first] = cycles if (first, last) in self.best else NEVER

    def _try(
        self, first: int, last: int, tiling: Tiling, tiles: int, limit: int
    ) -> tuple[int, ArraySegment] | None:
        costs = self._costs
        if costs.batch * tiles >= limit:
            return None
        work = costs.segment(first, last, tiling, tiles)
        if not work.fits:
            return None
        self._progress.count("tile counts")
        found = best_layout(costs.array, work, over(limit, work.beats))
        if found is None or work.beats * found.beat >= limit:
            return None
        cycles = work.beats * found.beat
        return cycles, ArraySegment(first, last, tiling, tiles, found.layout)


def _promising(costs: ArrayCosts, first: int, last: int) -> list[tuple[Tiling, int]]:
    """Ways to cut, the finest first."""
    return sorted(costs.tile_counts(first, last), key=lambda way: -way[1])


def _arcs(via: Ints) -> Iterator[tuple[int, int]]:
    """Segments of the shortest path, from the last one to the first, in order."""
    found, end = [], len(via) - 1
    while end > 0:
        found.append((int(via[end]), end - 1))
        end = int(via[end])
    yield from reversed(found)


@compiled
def shortest(low: Ints) -> tuple[Ints, Ints, Ints]:
    """Least cycles to each cut, from each cut to the end, and where the way to it comes from."""
    layers, depth = low.shape
    to, back = np.full(layers + 1, NEVER), np.full(layers + 1, NEVER)
    via = np.zeros(layers + 1, np.int64)
    to[0] = back[layers] = 0
    for first in range(layers):
        for d in range(min(depth, layers - first)):
            if to[first] + low[first, d] < to[first + d + 1]:
                to[first + d + 1], via[first + d + 1] = to[first] + low[first, d], first
    for first in range(layers - 1, -1, -1):
        for d in range(min(depth, layers - first)):
            back[first] = min(back[first], low[first, d] + back[first + d + 1])
    return to, back, via
