"""Every schedule of a tiny instance: the reference that the other methods are tested against.

Written straight from the problem statement (docs/problem.md) and sharing nothing with the other
methods or with the evaluator, so that an agreement between them means something.

What is enumerated: every way to cut the layers into segments, every way to cut a segment into
clusters, every choice of region sizes whose sum does not exceed the package, every choice of
options; and every segment of one layer also tiled. Two facts save time and lose no schedule: a
cluster's options touch the rest only through its time and its memory, so the best of them is
looked up once for each (first, last, chiplets); a segment's cost does not depend on the other
segments, so the best of them is looked up once for each (first, last).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, product
from math import comb

from instances.instance import Instance
from instances.tables import Skip
from schedules.progress import Progress, Stop
from schedules.schedule import Cluster, Schedule, Segment

WORKLOAD_LIMIT = 100_000_000
"""Clusterings, option choices and segmentations together; some minutes of work."""


def enumerate_all(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """The best of all schedules, by trying each; one thread and no random numbers.

    Raises:
        ValueError: the instance has too many schedules.
    """
    _refuse_large(instance)
    search = _Enumeration(instance, progress)
    try:
        search.run()
    except _ExpiredError:
        search.offer_best()
        return "time-limit"
    optimum = search.offer_best()
    if optimum is None:
        return "infeasible"
    progress.raise_bound(optimum)
    return "optimal"


def workload(layers: int, options: int, chiplets: int) -> int:
    """How many choices `enumerate_all` tries.

    An interval of n layers has O^n option choices on each of C region sizes, and
    sum_K binom(n-1, K-1) binom(C, K) = binom(C+n-1, n) ways to be cut into clusters on regions;
    there are 2^(L-1) segmentations.
    """
    intervals = sum(
        (layers - n + 1) * (chiplets * options**n + comb(chiplets + n - 1, n))
        for n in range(1, layers + 1)
    )
    return int(intervals + 2 ** (layers - 1))


def _refuse_large(instance: Instance) -> None:
    layers, options, chiplets = instance.tables.shape
    work = workload(layers, options, chiplets)
    if work > WORKLOAD_LIMIT:
        raise ValueError(
            f"method 'enumerate' is for tiny instances: {layers} layers with {options} options on"
            f" {chiplets} chiplets mean {work:.1e} choices, at most {WORKLOAD_LIMIT:.0e} are"
            " allowed; use 'exact'"
        )


class _ExpiredError(Exception):
    """The time limit has passed."""


@dataclass(frozen=True)
class _Stage:
    """A cluster on a region with its best options, and the time that they give."""

    time: int
    cluster: Cluster


@dataclass(frozen=True)
class _Timed:
    """A segment and its time."""

    time: int
    segment: Segment


class _Enumeration:
    """Plain recursion over segmentations, clusterings, regions and options."""

    def __init__(self, instance: Instance, progress: Progress) -> None:
        tables = instance.tables
        self.progress = progress
        self.batch = instance.batch
        self.layers, _, self.chiplets = tables.shape
        self.names = tables.options
        self.capacity = tables.capacity
        self.skips = tables.skips
        self.enter = [skip.enter.tolist() for skip in tables.skips]
        # Nested lists of Python integers: plain arithmetic that cannot overflow.
        self.entry, self.step = tables.entry.tolist(), tables.step.tolist()
        self.exit, self.io = tables.exit.tolist(), tables.io.tolist()
        self.resident, self.working = tables.resident.tolist(), tables.working.tolist()
        self.load, self.alone = tables.load.tolist(), tables.alone.tolist()
        self.best: tuple[int, Schedule] | None = None
        self.stages: dict[tuple[int, int, int], _Stage | None] = {}
        self.segments: dict[tuple[int, int], _Timed | None] = {}

    def run(self) -> None:
        """Try every segmentation; the best schedule is left in `best`."""
        self._try_segmentations(0, 0, ())

    def offer_best(self) -> int | None:
        """Hand the best schedule so far to the progress; return its latency."""
        return None if self.best is None else self.progress.offer(self.best[1])

    def _try_segmentations(self, first: int, cycles: int, before: tuple[Segment, ...]) -> None:
        """Every way to continue the segments `before`, which take `cycles`, from layer `first`."""
        if first == self.layers:
            if self.best is None or cycles < self.best[0]:
                self.best = cycles, Schedule(before)
            return
        for last in range(first, self.layers):
            found = self._best_segment(first, last)
            if found is not None:
                self._try_segmentations(last + 1, cycles + found.time, (*before, found.segment))

    def _best_segment(self, first: int, last: int) -> _Timed | None:
        if (first, last) not in self.segments:
            candidates = chain(self._tiled(first, last), self._pipelines(first, last))
            self.segments[first, last] = min(candidates, key=lambda s: s.time, default=None)
        return self.segments[first, last]

    def _tiled(self, first: int, last: int) -> Iterator[_Timed]:
        """load[l] + m * alone[l], for a layer alone that has a tile that fits."""
        if first == last and self.alone[first] >= 0:
            # A tiled layer's options are not used: any will do.
            cluster = Cluster(first, first, self.chiplets, (self.names[0],))
            time = self.load[first] + self.batch * self.alone[first]
            yield _Timed(time, Segment((cluster,), tiled=True))

    def _pipelines(self, first: int, last: int) -> Iterator[_Timed]:
        """Load + (m + K - 1) * max(io, slowest stage), for all clusterings and regions."""
        load = sum(self.load[first : last + 1])
        for stages in self._stage_chains(first, last, self.chiplets):
            if self.progress.expired:
                raise _ExpiredError
            beat = max(self.io[first][last], *(stage.time for stage in stages))
            time = load + (self.batch + len(stages) - 1) * beat
            yield _Timed(time, Segment(tuple(stage.cluster for stage in stages)))

    def _stage_chains(self, first: int, last: int, chiplets: int) -> Iterator[tuple[_Stage, ...]]:
        """Every clustering of first..last on regions of together at most `chiplets`."""
        for end in range(first, last + 1):
            for size in range(1, chiplets + 1):
                stage = self._best_stage(first, end, size)
                if stage is None:
                    continue
                if end == last:
                    yield (stage,)
                    continue
                for rest in self._stage_chains(end + 1, last, chiplets - size):
                    yield (stage, *rest)

    def _best_stage(self, first: int, last: int, size: int) -> _Stage | None:
        """The fastest of all option choices that fit the buffer; None if none fits."""
        key = first, last, size
        if key not in self.stages:
            if self.progress.expired:
                raise _ExpiredError
            choices = product(range(len(self.names)), repeat=last - first + 1)
            candidates = (
                (self._time(first, size, choice), choice)
                for choice in choices
                if self._memory(first, size, choice) <= self.capacity
            )
            time, choice = min(candidates, default=(0, ()))
            options = tuple(self.names[o] for o in choice)
            cluster = Cluster(first, last, size, options)
            self.stages[key] = _Stage(time, cluster) if choice else None
        return self.stages[key]

    def _time(self, first: int, size: int, choice: tuple[int, ...]) -> int:
        """Entry of the first layer, steps, exit of the last, and the skip tensors."""
        last, c = first + len(choice) - 1, size - 1
        time: int = self.entry[first][choice[0]][c] + self.exit[last][choice[-1]][c]
        for k in range(1, len(choice)):
            time += self.step[first + k][choice[k - 1]][choice[k]][c]
        for skip, enter in zip(self.skips, self.enter, strict=True):
            for which, v in enumerate(skip.consumers):
                if skip.producer < first <= v <= last:
                    time += enter[which][choice[v - first]][c]
                    break  # received once, by the first consumer in the cluster
            made_here_not_last = first <= skip.producer < last
            if made_here_not_last and _is_used_after(skip, last):
                time += int(skip.leave[c])
        return time

    def _memory(self, first: int, size: int, choice: tuple[int, ...]) -> int:
        """All resident bytes, and the most that one layer needs beside them."""
        c = size - 1
        resident, most = 0, 0
        for layer, o in enumerate(choice, start=first):
            resident += self.resident[layer][o][c]
            waiting = sum(int(skip.hold[c]) for skip in self.skips if _waits(skip, first, layer))
            most = max(most, self.working[layer][o][c] + waiting)
        return resident + most


def _is_used_after(skip: Skip, layer: int) -> bool:
    return skip.leaves or any(v > layer for v in skip.consumers)


def _waits(skip: Skip, first: int, layer: int) -> bool:
    """Whether the tensor is in the buffers of a cluster from `first` without use by `layer`.

    It got there when the cluster made it or when an earlier layer of the cluster received it.
    """
    got_here = any(first <= t < layer for t in (skip.producer, *skip.consumers))
    return got_here and layer not in skip.consumers and _is_used_after(skip, layer)
