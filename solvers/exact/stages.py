"""Stage times of every cluster: bounds at first, made exact where the search asks."""

from __future__ import annotations

import numpy as np

from instances.instance import Instance
from instances.tables import Ints
from schedules.goal import Flags
from schedules.parallel import in_parallel
from schedules.progress import Progress
from schedules.schedule import Cluster
from solvers.exact.bounds import stage_times_from
from solvers.exact.labels import FAR, Column, fastest

CAP = 16
"""Labels kept for a layer and an option while all clusters are bounded."""


class Stages:
    """What is known of the time of every cluster on every number of chiplets.

    Attributes:
        times: [L,L,C] a lower bound for cluster i..j on at most c+1 chiplets, non-increasing in c;
            FAR where the cluster cannot fit or cannot matter.
        reached: [L,L,C] a time that some options reach on exactly c+1 chiplets, FAR if unknown.
    """

    def __init__(
        self,
        instance: Instance,
        longest: int,
        cutoff: int,
        allowed: Flags,
        progress: Progress,
        workers: int,
    ) -> None:
        """Bound all clusters of at most `longest` layers whose time is at most `cutoff`.

        Args:
            allowed: [L,L] which clusters there may be.
        """
        self.tables = instance.tables
        count, _, chiplets = self.tables.shape
        self.times = np.full((count, count, chiplets), FAR, dtype=np.int64)
        self.reached = np.full((count, count, chiplets), FAR, dtype=np.int64)

        def bound(first: int) -> tuple[Ints, Ints]:
            farthest = min(first + longest, count) - 1
            return self._bounds(first, farthest, cutoff)

        for first, (lower, upper) in in_parallel(bound, count, progress, workers):
            self.times[first], self.reached[first] = lower, upper
        self.times[~allowed] = self.reached[~allowed] = FAR

    def _bounds(self, first: int, farthest: int, cutoff: int) -> tuple[Ints, Ints]:
        """[L,C] bounds, and what is reached, of the clusters that begin at a layer."""
        tables = self.tables
        last = np.arange(first, farthest + 1)
        leaving = tables.leaving(first)[last]
        found: tuple[Ints, Ints] = stage_times_from(
            first,
            farthest,
            tables.entry[first],
            tables.step,
            tables.entering(first),
            tables.resident,
            tables.working + tables.held(first)[:, None, :],
            tables.exit[None],
            last,
            np.zeros_like(last),
            leaving,
            np.zeros_like(leaving),
            tables.capacity,
            cutoff,
            CAP,
        )
        bounds = np.full((2, *self.times.shape[1:]), FAR, dtype=np.int64)
        bounds[:, last] = found
        return bounds[0], bounds[1]

    def reaches(self, first: int, last: int, chiplets: int, beat: int) -> bool:
        """Whether the cluster on exactly so many chiplets meets the beat; sharpens the bounds.

        The search for options stops a little above the beat: that is fast, and enough to
        know that the cluster is out of the question for this beat and its neighbours.
        """
        place = first, last, chiplets - 1
        if self.reached[place] <= beat:
            return True
        limit = min(beat + beat // 16 + 1, int(self.reached[place]))
        time, _ = self._fastest(first, last, chiplets, limit)
        if time < FAR:
            self.reached[place] = time
        fewer = int(self.times[first, last, chiplets - 2]) if chiplets > 1 else FAR
        self.times[place] = min(fewer, time, limit)
        return time <= beat

    def cluster(self, first: int, last: int, chiplets: int) -> Cluster:
        """The fastest cluster first..last on exactly `chiplets` chiplets."""
        limit = int(self.reached[first, last, chiplets - 1]) + 1
        _, options = self._fastest(first, last, chiplets, limit)
        return Cluster(first, last, chiplets, tuple(self.tables.options[o] for o in options))

    def _fastest(self, first: int, last: int, chiplets: int, limit: int) -> tuple[int, Ints]:
        """Time and options of the fastest cluster, if that is below the limit; else FAR."""
        tables, c = self.tables, chiplets - 1
        layers = slice(first, last + 1)
        steps = tables.step[layers, :, :, c].copy()
        momentary = tables.working[layers, :, c].copy()
        entry = tables.entry[first, :, c].copy()
        leaving = 0
        for skip in tables.skips:
            use = skip.first_use_from(first)
            if skip.producer < first and use is not None and use <= last:
                arriving = skip.enter[skip.consumers.index(use), :, c]
                if use == first:
                    entry += arriving
                else:
                    steps[use - first] += arriving
            if first <= skip.producer < last and skip.needed_after(last):
                leaving += int(skip.leave[c])
            momentary[[layer - first for layer in skip.waits(first, last)]] += skip.hold[c]
        exits, resident = tables.exit[last, :, c].copy(), tables.resident[layers, :, c].copy()
        column = Column(entry, steps, exits, resident, momentary, tables.capacity)
        time, options = fastest(column, limit - leaving)
        return (time + leaving if time < FAR else FAR), options
