"""A lower bound on the latency of every schedule: a shortest path over bounds on segments."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import ceil, log

import numpy as np

from heuristics.bounds.ends import ClusterEnds, fill_ends, needs_by_ends, new_ends
from heuristics.bounds.potentials import cheapest_path, fill_potentials, new_potentials
from heuristics.bounds.prices import byte_prices
from heuristics.bounds.segments import Around, SegmentFacts, bound_segments, path_costs
from heuristics.bounds.single import sequential_cost
from heuristics.bounds.times import fill_cluster_times, needs_by_times, settle_times
from instances.instance import Instance
from instances.stages import FAR, StageCosts, drams, stage_costs
from instances.tables import Ints

Expired = Callable[[], bool]

FINE, FINE_ENOUGH, COARSE = 1.03, 1.07, 1.1
"""Ratio of neighbouring beats: for potentials, for those of many layers, for the first of grids."""

MANY = 2_000
"""Layers."""

PARTS, LEVELS = 4, 4
"""How often intervals of beats are looked at, and into how many parts they are cut each time."""

ENDS, TIMES = 600_000, 16_000_000
"""Most entries of the tables of cluster ends, [L,N], and of cluster times, [L,L,N]."""

REGIONS, MOST_REGIONS = 16, 256
"""Ranges of region sizes that are told apart at least, and at most."""

WEIGHTS = (0.0, 0.25, 1.0, 4.0)
"""Of chiplets against clusters, in units of (m - 1) / C, which is what a beat makes of them."""


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
    instance: Instance, known: int | None = None, expired: Expired = lambda: False
) -> Iterator[int]:
    """Lower bounds on the latency of every schedule, each better than the one before.

    There is at least one, unless there is no schedule.

    Args:
        known: the latency of some schedule, which no bound exceeds.
        expired: asked now and then whether to stop.
    """
    costs = stage_costs(instance.costs)
    most = int(sequential_cost(costs, instance.batch))
    if most == FAR:
        return
    best = int(costs.loads[-1])
    yield best
    search = _Search(costs, instance.batch, most if known is None else min(known, most))
    for bound in search.bounds(expired):
        if bound > best:
            best = bound
            yield best


class _Search:
    """The state of one search.

    Attributes:
        known: the latency of some schedule.
    """

    def __init__(self, costs: StageCosts, batch: int, known: int) -> None:
        self.costs, self.batch, self.known = costs, batch, known
        self.count, self.chiplets = len(costs.alone), costs.chiplets
        self.prices = byte_prices(costs)

    def bounds(self, expired: Expired) -> Iterator[int]:
        """First what two ends of a cluster tell, then what each cluster tells, if they are few."""
        ends = self._ends(expired)
        if ends is None:
            return
        fits = ends.begin[:, :, 0] < FAR
        least = int((ends.begin[:, :, 0] + ends.end[:, :, 0])[fits].min()) if fits.any() else 1
        if (bound := self._by_ends(ends, max(1, least), expired)) is not None:
            yield min(bound, self.known)
        if TIMES // self.count**2 >= min(self.chiplets, REGIONS):
            yield from self._by_times(max(1, least), expired)

    def _grid(self, least: int, ratio: float) -> Ints:
        """Beats from 0 to more than a segment of the known schedule can have."""
        high = max(self.known // self.batch, least) + 1
        return np.array([0, *beats_between(least, high, ratio)])

    def _ranges(self, most: int) -> tuple[Ints, Ints]:
        return region_ranges(self.chiplets, min(most, MOST_REGIONS))

    def _ends(self, expired: Expired) -> ClusterEnds | None:
        low, high = self._ranges(max(REGIONS, ENDS // self.count))
        prices = self.prices[::2].copy()
        ends: ClusterEnds = new_ends(self.costs, low, prices)
        for n, last in enumerate(high.tolist()):
            if expired():
                return None
            fill_ends(self.costs, ends, n, last, prices)
        return ends

    def _by_ends(self, ends: ClusterEnds, least: int, expired: Expired) -> int | None:
        beats = self._grid(least, FINE if self.count <= MANY else FINE_ENOUGH)
        weights = np.array([0, *WEIGHTS]) * (self.batch - 1) / self.chiplets
        potentials = new_potentials(self.count, beats[:-1], weights)
        for g, beat in enumerate(beats[1:].tolist()):
            if expired():
                return None
            fill_potentials(needs_by_ends(ends, beat), g, potentials)
        return int(cheapest_path(self.costs, potentials, self.batch))

    def _by_times(self, least: int, expired: Expired) -> Iterator[int]:
        """Intervals of beats, cut into smaller ones wherever a segment may still matter."""
        low, high = self._ranges(TIMES // self.count**2)
        times = np.full((self.count, self.count, len(low)), FAR)
        longest = self.known // self.batch
        for n, last in enumerate(high.tolist()):
            if expired():
                return
            fill_cluster_times(self.costs, low[n], last, self.prices, longest, times[:, :, n])
        settle_times(times)
        facts = self._facts()
        around = Around(np.zeros(self.count + 1, int), np.zeros(self.count + 1, int), self.known)
        ratio = COARSE
        everywhere = np.full(self.count, self.count)
        intervals = [
            (np.array(pair), everywhere) for pair in pairwise(self._grid(least, ratio).tolist())
        ]
        for _ in range(LEVELS):
            found = np.full((self.count, self.count), FAR)
            further = []
            for beats, ends in intervals:
                if expired():
                    return
                kept = ends.copy()
                self._bound(times, low, beats, facts, around, kept, found)
                further += [(parts(*pair), kept) for pair in pairwise(beats.tolist())]
            self._add_tiled(found)
            before, after = path_costs(found)
            bound = min(int(before[-1]), around.limit)
            yield bound
            limit = min(around.limit, int(bound * (1 + 1.5 * (ratio - 1))) + 1)
            around, ratio = Around(before, after, limit), ratio ** (1 / PARTS)
            intervals = [(beats, ends) for beats, ends in further if ends.any()]

    def _bound(
        self,
        times: Ints,
        low: Ints,
        beats: Ints,
        facts: SegmentFacts,
        around: Around,
        ends: Ints,
        found: Ints,
    ) -> None:
        """Bound the segments of an interval part by part, from the top."""
        lowest = int(beats[0])
        for lower, upper in reversed(list(pairwise(beats.tolist()))):
            if ends.any():
                needed = needs_by_times(times, low, upper)
                bound_segments(needed, lower, lowest, facts, around, ends, found)
            lowest = -1

    def _facts(self) -> SegmentFacts:
        io = np.zeros((self.count, self.count), dtype=np.int64)
        for first in range(self.count):
            io[first, first:] = drams(self.costs, first, self.count - 1)
        return SegmentFacts(self.chiplets, self.batch, io, self.costs.loads)

    def _add_tiled(self, found: Ints) -> None:
        for layer in np.flatnonzero(self.costs.alone >= 0).tolist():
            load = int(self.costs.loads[layer + 1] - self.costs.loads[layer])
            tiled = self.batch * int(self.costs.alone[layer]) + load
            found[layer, layer] = min(int(found[layer, layer]), tiled)


def region_ranges(chiplets: int, most: int) -> tuple[Ints, Ints]:
    """[N] first and last sizes of at most so many ranges; single sizes while there is room."""
    if chiplets <= most:
        low = np.arange(1, chiplets + 1)
    else:
        low = np.unique(np.geomspace(1, chiplets, most).astype(np.int64))
    return low, np.append(low[1:] - 1, chiplets)


def beats_between(low: int, high: int, ratio: float) -> Ints:
    """Rising whole numbers from low to high, neighbours about `ratio` apart."""
    steps = ceil(log(high / low) / log(ratio))
    beats = np.geomspace(low, high, steps + 1).astype(np.int64)
    beats[0], beats[-1] = low, high
    return np.unique(beats)


def parts(low: int, high: int) -> Ints:
    """An interval of beats cut into PARTS, fewer if there are not so many whole numbers."""
    return np.unique(np.linspace(low, high, PARTS + 1).astype(np.int64))
