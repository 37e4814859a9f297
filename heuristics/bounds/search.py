"""A lower bound on the latency of every schedule: a shortest path over bounds on segments."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import ceil, log

import numpy as np

from heuristics.bounds.clusters import ClusterBounds, cluster_bounds
from heuristics.bounds.prices import byte_prices
from heuristics.bounds.segments import bound_segments, path_costs
from heuristics.bounds.single import sequential_cost
from instances.instance import Instance
from instances.stages import FAR, StageCosts, stage_costs
from instances.tables import Ints

RATIO = 1.1
"""Ratio of neighbouring beats of the first grid."""

PARTS = 4
"""Parts into which an interval of beats is cut at each further level."""

LEVELS = 4


def lower_bound(
    instance: Instance, time_limit: float | None = None, known: int | None = None
) -> int | None:
    """A lower bound on the latency of every schedule, in cycles; None if there is no schedule.

    Args:
        time_limit: seconds; the best bound until then is returned.
        known: the latency of some schedule; with it the bound is found sooner, and may reach it.
    """
    start = time.perf_counter()

    def expired() -> bool:
        return time_limit is not None and time.perf_counter() - start > time_limit

    return max(rising_bounds(instance, known, expired), default=None)


def rising_bounds(
    instance: Instance, known: int | None = None, expired: Callable[[], bool] = lambda: False
) -> Iterator[int]:
    """Lower bounds on the latency of every schedule, each better than the one before.

    There is at least one, unless there is no schedule.

    Args:
        known: the latency of some schedule, which no bound exceeds.
        expired: asked now and then whether to stop.
    """
    costs = stage_costs(instance.tables)
    sequential = int(sequential_cost(costs, instance.batch, instance.tables.chiplets))
    if sequential == FAR:
        return
    most = sequential if known is None else min(known, sequential)
    best = int(costs.loads[-1])
    yield best
    if expired():
        return
    search = _Search(instance, costs, most)
    for _ in range(LEVELS):
        if not search.deepen(expired):
            return
        if search.bound > best:
            best = search.bound
            yield best


class _Search:
    """Bounds over intervals of beats, which are cut into smaller ones where that may help.

    Attributes:
        bound: no schedule takes fewer cycles.
        limit: schedules that take so long are left out; all bounds are at most that.
    """

    def __init__(self, instance: Instance, costs: StageCosts, most: int) -> None:
        tables = instance.tables
        self.batch, self.chiplets, self.io = instance.batch, tables.chiplets, tables.io
        self.count = len(tables.layers)
        self.costs, self.known = costs, most
        sizes = np.arange(1, self.chiplets + 1)
        prices = byte_prices(costs, self.chiplets)
        self.clusters: ClusterBounds = cluster_bounds(costs, sizes, sizes, prices)
        self.before = self.after = np.zeros(self.count + 1, dtype=np.int64)
        self.bound, self.limit, self.ratio = 0, most, 1.0
        self.intervals = self._grid()

    def _grid(self) -> list[tuple[Ints, Ints]]:
        """Beats, and for each first layer before which layer segments of such beats end."""
        begin, end, _ = self.clusters[1:4]
        fits = begin[:, :, 0] < FAR
        least = (begin[:, :, 0] + end[:, :, 0])[fits].min() if fits.any() else 1
        low, high = max(1, int(least)), self.known // self.batch + 1
        beats = beats_between(low, max(high, low + 1), RATIO)
        everywhere = np.full(self.count, self.count)
        return [(np.array(pair), everywhere) for pair in pairwise([0, *beats])]

    def deepen(self, expired: Callable[[], bool]) -> bool:
        """Bound all segments in all intervals, cut the intervals; whether there was the time."""
        costs = np.full((self.count, self.count), FAR, dtype=np.int64)
        further = []
        for beats, ends in self.intervals:
            if expired():
                return False
            bound_segments(
                self.clusters,
                beats,
                self.chiplets,
                self.batch,
                self.io,
                self.costs.loads,
                self.before,
                self.after,
                self.limit,
                ends := ends.copy(),
                costs,
            )
            if ends.any():
                further += [(parts(*pair), ends) for pair in pairwise(beats)]
        self._add_tiled(costs)
        self.before, self.after = path_costs(costs)
        self.bound = min(int(self.before[-1]), self.limit)
        self.ratio = self.ratio ** (1 / PARTS) if self.ratio > 1 else RATIO
        self.limit = min(self.limit, int(self.bound * (1 + 1.5 * (self.ratio - 1))) + 1)
        self.intervals = further
        return True

    def _add_tiled(self, costs: Ints) -> None:
        for layer in np.flatnonzero(self.costs.alone >= 0).tolist():
            load = int(self.costs.loads[layer + 1] - self.costs.loads[layer])
            tiled = self.batch * int(self.costs.alone[layer]) + load
            costs[layer, layer] = min(int(costs[layer, layer]), tiled)


def beats_between(low: int, high: int, ratio: float) -> Ints:
    """Rising whole numbers from low to high, neighbours about `ratio` apart."""
    steps = ceil(log(high / low) / log(ratio))
    beats = np.geomspace(low, high, steps + 1).astype(np.int64)
    beats[0], beats[-1] = low, high
    return np.unique(beats)


def parts(low: int, high: int) -> Ints:
    """An interval of beats cut into PARTS, fewer if there are not so many whole numbers."""
    return np.unique(np.linspace(low, high, PARTS + 1).astype(np.int64))
