"""Every schedule of a tiny instance: the reference that the other methods are tested against.

Written straight from the problem statement (docs/problem.md) and sharing nothing with the other
methods or with the evaluator, so that an agreement between them means something.

What is enumerated: every way to cut the layers into segments, every way to cut a segment into
clusters, every choice of region sizes whose sum does not exceed the package, every choice of
options; and every segment of one layer also tiled. Conditions of the goal are checked on each
choice. Three facts save time and lose no schedule: a cluster's options touch the rest only through
its time, its energy and its memory, so the best of them are looked up once for each (first, last,
chiplets); a segment touches the others only through its time and its energy, so the best of them
are looked up once for each (first, last); and of two ways to run the same layers, one that is no
better in time nor in energy is not needed. Where energy decides nothing it counts as zero, which
leaves the fastest way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, product
from math import comb
from typing import Generic, TypeVar

from instances.instance import Instance
from instances.tables import Skip
from schedules.goal import Pin
from schedules.progress import Progress, Stop
from schedules.schedule import Cluster, Schedule, Segment

WORKLOAD_LIMIT = 100_000_000
"""Clusterings, option choices and segmentations together; some minutes of work."""


def enumerate_all(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """The best of all schedules, by trying each; one thread and no random numbers.

    Raises:
        ValueError: the instance has too many schedules.
    """
    _refuse_large(instance, progress.goal.needs_energy)
    search = _search(instance, progress)
    try:
        search.run()
    except ExpiredError:
        search.offer_best()
        return "time-limit"
    optimum = search.offer_best()
    if optimum is None:
        return "infeasible"
    progress.raise_bound(optimum)
    return "optimal"


def _search(instance: Instance, progress: Progress) -> Enumeration:
    if instance.compression is None:
        return Enumeration(instance, progress)
    from solvers.enumeration_ratios import RatioEnumeration

    return RatioEnumeration(instance, instance.compression, progress)


def workload(layers: int, options: int, chiplets: int, energy: bool = False) -> int:
    """How many choices `enumerate_all` tries, at most.

    An interval of n layers has O^n option choices on each of C region sizes, and
    sum_K binom(n-1, K-1) binom(C, K) = binom(C+n-1, n) ways to be cut into clusters on regions;
    with energy, each of these is tried with every option choice that neither time nor energy rules
    out, O^n at most. There are 2^(L-1) segmentations.
    """
    intervals = sum(
        (layers - n + 1)
        * (chiplets * options**n + comb(chiplets + n - 1, n) * (options**n if energy else 1))
        for n in range(1, layers + 1)
    )
    return int(intervals + 2 ** (layers - 1))


def _refuse_large(instance: Instance, energy: bool) -> None:
    layers, options, chiplets = instance.tables.shape
    work = workload(layers, options, chiplets, energy)
    if work > WORKLOAD_LIMIT:
        raise ValueError(
            f"method 'enumerate' is for tiny instances: {layers} layers with {options} options on"
            f" {chiplets} chiplets mean {work:.1e} choices, at most {WORKLOAD_LIMIT:.0e} are"
            " allowed; use 'exact'"
        )


class ExpiredError(Exception):
    """The time limit has passed."""


Part = TypeVar("Part", Cluster, Segment, tuple[Segment, ...])


@dataclass(frozen=True)
class Way(Generic[Part]):
    """One way to run some layers: cycles, picojoules, and what runs them."""

    time: int
    energy: int
    part: Part


def best_ways(ways: Iterable[Way[Part]]) -> list[Way[Part]]:
    """Those that no other equals or beats in both time and energy."""
    best: list[Way[Part]] = []
    for way in ways:
        if not any(b.time <= way.time and b.energy <= way.energy for b in best):
            best = [b for b in best if b.time < way.time or b.energy < way.energy]
            best.append(way)
    return best


class Enumeration:
    """Plain recursion over segmentations, clusterings, regions and options."""

    def __init__(self, instance: Instance, progress: Progress) -> None:
        tables, energy = instance.tables, instance.tables.energy
        self.progress = progress
        self.goal = progress.goal
        self.batch = instance.batch
        self.layers, _, self.chiplets = tables.shape
        self.names = tables.options
        self.capacity = tables.capacity
        self.skips = tables.skips
        # Nested lists of Python integers: plain arithmetic that cannot overflow.
        self.enter = [skip.enter.tolist() for skip in tables.skips]
        self.entry, self.step = tables.entry.tolist(), tables.step.tolist()
        self.exit, self.io = tables.exit.tolist(), tables.io.tolist()
        self.resident, self.working = tables.resident.tolist(), tables.working.tolist()
        self.load, self.alone = tables.load.tolist(), tables.alone.tolist()
        self.enter_energy = [skip.enter_energy.tolist() for skip in tables.skips]
        self.entry_energy, self.step_energy = energy.entry.tolist(), energy.step.tolist()
        self.exit_energy, self.io_energy = energy.exit.tolist(), energy.io.tolist()
        self.load_energy, self.alone_energy = energy.load.tolist(), energy.alone.tolist()
        self.leakage = energy.leakage
        self.best: tuple[int, Schedule] | None = None
        self.stages: dict[tuple[int, int, int], list[Way[Cluster]]] = {}
        self.segments: dict[tuple[int, int], list[Way[Segment]]] = {}

    def run(self) -> None:
        """Try every segmentation; the best schedule is left in `best`."""
        self._try_segmentations(0, 0, [Way(0, 0, ())])

    def offer_best(self) -> int | None:
        """Hand the best schedule so far to the progress; return its objective."""
        return None if self.best is None else self.progress.offer(self.best[1])

    def _try_segmentations(
        self, first: int, count: int, before: list[Way[tuple[Segment, ...]]]
    ) -> None:
        """Every way to go on from layer `first` after the ways `before`, of `count` segments."""
        if first == self.layers:
            for way in before:
                self._keep_if_best(way, count)
            return
        for last in range(first, self.layers):
            found = self._segment(first, last)
            ways = best_ways(
                Way(way.time + own.time, way.energy + own.energy, (*way.part, own.part))
                for way, own in product(before, found)
            )
            if ways:
                self._try_segmentations(last + 1, count + 1, ways)

    def _keep_if_best(self, way: Way[tuple[Segment, ...]], count: int) -> None:
        """Check the goal's conditions on the whole schedule."""
        goal = self.goal
        if goal.segments is not None and count > goal.segments:
            return
        if goal.latency_cap is not None and way.time > goal.latency_cap:
            return
        if goal.energy_cap is not None and way.energy > goal.energy_cap:
            return
        values = {"latency": way.time, "energy": way.energy, "edp": way.time * way.energy}
        value = values[goal.objective]
        if self.best is None or value < self.best[0]:
            self.best = value, Schedule(way.part)

    def _segment(self, first: int, last: int) -> list[Way[Segment]]:
        if (first, last) not in self.segments:
            begins_as_pinned = all(
                pin.segment in (None, pin.layer == first) for pin in self._pins(first, last)
            )
            candidates = chain(self._tiled(first, last), self._pipelines(first, last))
            self.segments[first, last] = best_ways(candidates) if begins_as_pinned else []
        return self.segments[first, last]

    def _pins(self, first: int, last: int) -> list[Pin]:
        return [pin for pin in self.goal.pins if first <= pin.layer <= last]

    def _charged(self, first: int, last: int, time: int, energy: int) -> int:
        """Energy of a segment of so many cycles: loads and leakage added; 0 if it is not asked."""
        if not self.goal.needs_energy:
            return 0
        loads: int = sum(self.load_energy[first : last + 1])
        return loads + energy + self.leakage * time

    def _tiled(self, first: int, last: int) -> Iterator[Way[Segment]]:
        """load[l] + m * alone[l], for a layer alone that has a tile that fits."""
        if first != last or self.alone[first] < 0:
            return
        if self.goal.chiplets is not None and self.goal.chiplets < self.chiplets:
            return
        for pin in self._pins(first, last):
            if pin.tiled is False or pin.cluster is False or pin.option is not None:
                return
            if pin.chiplets not in (None, self.chiplets):
                return
        # A tiled layer's options are not used: any will do.
        cluster = Cluster(first, first, self.chiplets, (self.names[0],))
        time = self.load[first] + self.batch * self.alone[first]
        energy = self._charged(first, last, time, self.batch * self.alone_energy[first])
        yield Way(time, energy, Segment((cluster,), tiled=True))

    def _pipelines(self, first: int, last: int) -> Iterator[Way[Segment]]:
        """Load + (m + K - 1) * max(io, slowest stage), for all clusterings and regions."""
        goal, load = self.goal, sum(self.load[first : last + 1])
        chiplets = self.chiplets if goal.chiplets is None else min(self.chiplets, goal.chiplets)
        io, io_energy = self._dram(first, last)
        for stages in self._stage_chains(first, last, chiplets):
            if self.progress.expired:
                raise ExpiredError
            if goal.clusters is not None and len(stages) > goal.clusters:
                continue
            beat = max(io, *(stage.time for stage in stages))
            coders = [self._coders_load(stage.part.first, stage.part.last) for stage in stages]
            time = load + sum(cycles for cycles, _ in coders)
            time += (self.batch + len(stages) - 1) * beat
            samples = self.batch * (io_energy + sum(stage.energy for stage in stages))
            once = sum(energy for _, energy in coders)
            energy = self._charged(first, last, time, samples + once)
            yield Way(time, energy, Segment(tuple(stage.part for stage in stages)))

    def _dram(self, first: int, last: int) -> tuple[int, int]:
        """Cycles and picojoules of a segment's DRAM traffic, a sample."""
        return self.io[first][last], self.io_energy[first][last]

    def _coders_load(self, first: int, last: int) -> tuple[int, int]:
        """Cycles and picojoules to load what compresses the tensors of a cluster: none here."""
        return 0, 0

    def _stage_chains(
        self, first: int, last: int, chiplets: int
    ) -> Iterator[tuple[Way[Cluster], ...]]:
        """Every clustering of first..last on regions of together at most `chiplets`."""
        for end in range(first, last + 1):
            for size in range(1, chiplets + 1):
                for stage in self._stage(first, end, size):
                    if end == last:
                        yield (stage,)
                        continue
                    for rest in self._stage_chains(end + 1, last, chiplets - size):
                        yield (stage, *rest)

    def _stage(self, first: int, last: int, size: int) -> list[Way[Cluster]]:
        """The best of all option choices that fit the buffer and are as the pins want them."""
        key = first, last, size
        if key not in self.stages:
            if self.progress.expired:
                raise ExpiredError
            self.stages[key] = best_ways(self._stages(first, last, size))
        return self.stages[key]

    def _stages(self, first: int, last: int, size: int) -> Iterator[Way[Cluster]]:
        allowed = [list(range(len(self.names))) for _ in range(first, last + 1)]
        for pin in self._pins(first, last):
            if pin.tiled or pin.chiplets not in (None, size):
                return
            if pin.cluster not in (None, pin.layer == first):
                return
            if pin.option is not None:
                own = allowed[pin.layer - first]
                own[:] = [o for o in own if self.names[o] == pin.option]
        for choice in product(*allowed):
            if self._memory(first, size, choice) <= self.capacity:
                energy = self._energy(first, size, choice) if self.goal.needs_energy else 0
                cluster = Cluster(first, last, size, tuple(self.names[o] for o in choice))
                yield Way(self._time(first, size, choice), energy, cluster)

    def _time(self, first: int, size: int, choice: tuple[int, ...]) -> int:
        """Entry of the first layer, steps, exit of the last, and the skip tensors."""
        last, c = first + len(choice) - 1, size - 1
        time: int = self.entry[first][choice[0]][c] + self.exit[last][choice[-1]][c]
        for k in range(1, len(choice)):
            time += self.step[first + k][choice[k - 1]][choice[k]][c]
        for skip, enter in zip(self.skips, self.enter, strict=True):
            which = _receiver(skip, first, last)
            if which is not None:
                time += enter[which][choice[skip.consumers[which] - first]][c]
            if _is_sent(skip, first, last):
                time += int(skip.leave[c])
        return time

    def _energy(self, first: int, size: int, choice: tuple[int, ...]) -> int:
        """The same sum over the energy tables."""
        last, c = first + len(choice) - 1, size - 1
        energy: int = self.entry_energy[first][choice[0]][c]
        energy += self.exit_energy[last][choice[-1]][c]
        for k in range(1, len(choice)):
            energy += self.step_energy[first + k][choice[k - 1]][choice[k]][c]
        for skip, enter in zip(self.skips, self.enter_energy, strict=True):
            which = _receiver(skip, first, last)
            if which is not None:
                energy += enter[which][choice[skip.consumers[which] - first]][c]
            if _is_sent(skip, first, last):
                energy += int(skip.leave_energy[c])
        return energy

    def _memory(self, first: int, size: int, choice: tuple[int, ...]) -> int:
        """All resident bytes, and the most that one layer needs beside them."""
        c = size - 1
        resident, most = 0, 0
        for layer, o in enumerate(choice, start=first):
            resident += self.resident[layer][o][c]
            waiting = sum(int(skip.hold[c]) for skip in self.skips if _waits(skip, first, layer))
            most = max(most, self.working[layer][o][c] + waiting)
        return resident + most


def _receiver(skip: Skip, first: int, last: int) -> int | None:
    """Which consumer receives a tensor made before the cluster: once, the first in it."""
    for which, v in enumerate(skip.consumers):
        if skip.producer < first <= v <= last:
            return which
    return None


def _is_sent(skip: Skip, first: int, last: int) -> bool:
    """Whether the tensor is made in the cluster, not by its last layer, and used after it."""
    return first <= skip.producer < last and _is_used_after(skip, last)


def _is_used_after(skip: Skip, layer: int) -> bool:
    return skip.leaves or any(v > layer for v in skip.consumers)


def _waits(skip: Skip, first: int, layer: int) -> bool:
    """Whether the tensor is in the buffers of a cluster from `first` without use by `layer`.

    It got there when the cluster made it or when an earlier layer of the cluster received it.
    """
    got_here = any(first <= t < layer for t in (skip.producer, *skip.consumers))
    return got_here and layer not in skip.consumers and _is_used_after(skip, layer)
