"""Among all schedules with any number of segments: how many are faster.

The latency of a schedule is the sum of its segments' times. A polynomial in another variable,
whose powers are cycles, counts the ways to run the layers before each one by their latency. What
can no longer end within the given latency is left out, and powers count from the least latency on:
what is carried is as long as the given schedule is slower than the best one, in cycles.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from instances.instance import Instance
from instances.jit import compiled
from instances.stages import FAR
from instances.tables import Ints
from schedules.parallel import OutOfTimeError
from schedules.progress import Progress
from solvers.ranking.convolution import product
from solvers.ranking.space import Space, number_of_all
from solvers.ranking.stages import Chains, Packing, StageCounts
from solvers.ranking.work import (
    refuse_long,
    seconds_of_convolutions,
    seconds_of_products,
)

SECONDS_A_STEP = 1e-9
"""Of `least_beats`."""


def count_up_to(
    instance: Instance, space: Space, latency: int, progress: Progress, workers: int
) -> tuple[int, int]:
    """How many schedules are faster, and how many take exactly as long.

    Raises:
        TooManyError: counting would take too long.
        OutOfTimeError: the time limit passed.
    """
    spare = latency - int(instance.tables.loads[-1])
    if spare < 0:
        return 0, 0
    cap = [spare // instance.batch]
    count, _, chiplets = instance.tables.shape
    steps = count**3 * min(count, chiplets) * chiplets**2 / 4
    refuse_long(steps * SECONDS_A_STEP, "bounding all segments")
    packing = Packing(instance, space)
    stages = StageCounts(instance, packing, cap, progress, workers, exact=True)
    return _Counting(instance, space, latency, stages, progress).run()


@dataclass(frozen=True)
class _Window:
    """Segments s..last of so many clusters that can be part of a schedule that is fast enough.

    Attributes:
        beats: rising, all that such a segment may have.
    """

    last: int
    clusters: int
    beats: list[int]


class _Counting:
    def __init__(
        self,
        instance: Instance,
        space: Space,
        latency: int,
        stages: StageCounts,
        progress: Progress,
    ) -> None:
        self.instance, self.space, self.latency = instance, space, latency
        self.tables, self.batch = instance.tables, instance.batch
        self.stages, self.progress = stages, progress
        self.count, _, chiplets = self.tables.shape
        self.most = min(self.count, chiplets)
        self.beats = []
        for s in range(self.count):
            _heed(progress)
            self.beats.append(least_beats(stages.fastest, s, self.most, space.all_chiplets))
        self.before, self.after = self._least_latencies()

    def run(self) -> tuple[int, int]:
        """Paths of segments from the first layer to the end, by latency."""
        excess = self.latency - self.before[self.count]
        if excess < 0:
            return 0, 0
        windows = self._all_windows(excess)
        reached: list[list[int]] = [[] for _ in range(self.count + 1)]
        reached[0] = [1]
        for s in range(self.count):
            if reached[s]:
                for last, ways in self._segments(s, windows[s]).items():
                    _heed(self.progress)
                    room = self._room(last + 1)
                    reached[last + 1] = _sum(reached[last + 1], product(reached[s], ways, room))
        ends = reached[self.count]
        return sum(ends[:excess]), sum(ends[excess : excess + 1])

    def _room(self, layer: int) -> int:
        """Latencies of the layers before one, from the least on, that are still fast enough."""
        return max(0, self.latency - self.before[layer] - self.after[layer] + 1)

    def _least_latencies(self) -> tuple[list[int], list[int]]:
        """[L+1] of the layers before each, and from each on; FAR where there is no schedule."""
        before, after = [0] + [FAR] * self.count, [FAR] * self.count + [0]
        least = [[self._least(s, e) for e in range(s, self.count)] for s in range(self.count)]
        for e in range(self.count):
            before[e + 1] = min(FAR, *(before[s] + least[s][e - s] for s in range(e + 1)))
        for s in reversed(range(self.count)):
            after[s] = min(FAR, *(least[s][e - s] + after[e + 1] for e in range(s, self.count)))
        return before, after

    def _least(self, s: int, e: int) -> int:
        """Least time of a segment that counts; FAR where none does."""
        times = [
            self._time(s, e, k, max(int(self.tables.io[s, e]), int(self.beats[s][k, e - s])))
            for k in range(1, min(self.most, e - s + 1) + 1)
            if self.beats[s][k, e - s] < FAR
        ]
        return min(times + self._tiled(s, e), default=FAR)

    def _tiled(self, s: int, e: int) -> list[int]:
        beat = int(self.tables.alone[s])
        return [self._time(s, s, 1, beat)] if s == e and beat >= 0 else []

    def _time(self, s: int, e: int, clusters: int, beat: int) -> int:
        loads = self.tables.loads
        return int(loads[e + 1] - loads[s]) + (self.batch + clusters - 1) * beat

    def _all_windows(self, excess: int) -> list[list[_Window]]:
        """Windows by first layer.

        Raises:
            TooManyError: there are too many beats, or the schedule is too far from the best one.
        """
        digits = 2 * len(str(number_of_all(self.instance, self.space)))
        windows, seconds = [], 0.0
        for s in range(self.count):
            _heed(self.progress)
            own = list(self._windows(s))
            beats = len({beat for window in own for beat in window.beats})
            products = beats * (self.count - s) ** 2 / 2 * self.most / 2
            ends = len({window.last for window in own})
            seconds += seconds_of_products(products, self.stages.packing.size)
            seconds += seconds_of_convolutions(ends, excess, digits)
            refuse_long(seconds, f"counting {excess:,} cycles from the best schedule on")
            windows.append(own)
        return windows

    def _windows(self, s: int) -> Iterator[_Window]:
        for e in range(s, self.count):
            spare = self.latency - self.before[s] - self.after[e + 1] - self._time(s, e, 1, 0)
            io = int(self.tables.io[s, e])
            ranges = {
                k: (max(io, int(self.beats[s][k, e - s])), spare // (self.batch + k - 1))
                for k in range(1, min(self.most, e - s + 1) + 1)
            }
            ranges = {k: (low, high) for k, (low, high) in ranges.items() if low <= high}
            if ranges:
                lowest = min(low for low, _ in ranges.values())
                highest = max(high for _, high in ranges.values())
                times = self.stages.times_between(s, e, lowest, highest)
                for k, (low, high) in ranges.items():
                    within = times[bisect_right(times, low) : bisect_right(times, high)]
                    yield _Window(e, k, [low, *within])

    def _segments(self, s: int, windows: list[_Window]) -> dict[int, list[int]]:
        """By last layer, the ways to run a segment by its time, from the least that counts on."""
        found: dict[int, list[int]] = {}
        for window in windows:
            found.setdefault(window.last, [0] * self._length(s, window.last))
        for e in range(s, self.count):
            for time in self._tiled(s, e):
                if self._length(s, e) > self._place(s, e, time):
                    found.setdefault(e, [0] * self._length(s, e))[self._place(s, e, time)] += 1
        for window, beat, ways in self._ways(s, windows):
            time = self._time(s, window.last, window.clusters, beat)
            found[window.last][self._place(s, window.last, time)] += ways
        return found

    def _length(self, s: int, e: int) -> int:
        """Times of a segment that count."""
        return max(0, self._place(s, e, self.latency - self.before[s] - self.after[e + 1]) + 1)

    def _place(self, s: int, e: int, time: int) -> int:
        """By how much a segment makes the way to layer e + 1 longer than the shortest one."""
        return time + self.before[s] - self.before[e + 1]

    def _ways(self, s: int, windows: list[_Window]) -> Iterator[tuple[_Window, int, int]]:
        """(window, beat, ways to run the segment at exactly this beat)."""
        slower: dict[int, list[_Window]] = {}
        for window in windows:
            for beat in window.beats:
                slower.setdefault(beat, []).append(window)
        counted: dict[tuple[int, int], int] = {}
        for beat in sorted(slower):
            _heed(self.progress)
            chains = Chains(self.stages, s, beat, max(w.clusters for w in slower[beat]))
            for window in sorted(slower[beat], key=lambda w: w.last):
                key = window.last, window.clusters
                ways = self.stages.packing.allowed(chains.ways(window.last)[window.clusters])
                yield window, beat, ways - counted.get(key, 0)
                counted[key] = ways


def _heed(progress: Progress) -> None:
    if progress.expired:
        raise OutOfTimeError


def _sum(one: list[int], other: list[int]) -> list[int]:
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return [a + b for a, b in zip(longer, shorter, strict=False)] + longer[len(shorter) :]


@compiled
def least_beats(fastest: Ints, first: int, most: int, all_chiplets: bool) -> Ints:
    """[most+1,n] least beat of segments from a layer on, by clusters and last layer.

    Args:
        fastest: [L,L,C] least time of each stage.
        all_chiplets: whether the regions have to add up to the package, or may have less.
    """
    layers, _, chiplets = fastest.shape
    size = layers - first
    beats = np.full((most + 1, size), FAR, dtype=np.int64)
    ways = np.full((size + 1, chiplets + 1), FAR, dtype=np.int64)
    ways[0, 0] = 0
    for clusters in range(1, most + 1):
        longer = np.full_like(ways, FAR)
        for begin in range(size):
            for end in range(begin, size):
                for used in range(chiplets):
                    if ways[begin, used] < FAR:
                        for own in range(1, chiplets - used + 1):
                            time = fastest[first + begin, first + end, own - 1]
                            beat = max(ways[begin, used], time)
                            if beat < longer[end + 1, used + own]:
                                longer[end + 1, used + own] = beat
        ways = longer
        for end in range(size):
            whole = ways[end + 1]
            beats[clusters, end] = whole[chiplets] if all_chiplets else whole.min()
    return beats
