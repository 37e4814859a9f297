"""The cheapest ways to run one segment, in all states of its cuts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instances.compression import Compression
from instances.instance import Instance
from instances.tables import Ints
from schedules.parallel import OutOfTimeError
from schedules.progress import Progress
from solvers.exact.ratios.clusters import Clusters
from solvers.exact.ratios.segments import (
    ARC,
    BASE,
    BEAT,
    CLUSTERS,
    LOAD,
    LOSS,
    PARENT,
    UNBOUND,
    Price,
    Range,
    chains,
    chiplets_for,
    clusters_to_go,
)
from solvers.exact.ratios.states import States

ANY_LOSS = 2**60
"""No budget."""


@dataclass(frozen=True)
class Way:
    """A way to run a segment.

    Attributes:
        source, target: the nodes where it begins and ends.
        time, loss: cycles, and millionths that its clusters lose.
        beat: cycles.
        arcs: its clusters; none if it is tiled.
    """

    source: int
    target: int
    time: int
    loss: int
    beat: int
    arcs: tuple[int, ...]


class SegmentWays:
    """Settles the ways to run one segment.

    Args:
        least: a lower bound on the beat.
        limit: of the priced cost of a segment; costlier ways are left out.

    Raises:
        OutOfTimeError: by all methods; the time limit passed.
    """

    def __init__(
        self,
        instance: Instance,
        given: Compression,
        clusters: Clusters,
        place: tuple[int, int],
        price: Price,
        least: int,
        limit: int,
        progress: Progress,
    ) -> None:
        self._progress = progress
        self._batch, self._tables, self._given = instance.batch, instance.tables, given
        self._clusters, self._states = clusters, clusters.states
        self._graph, self._price = clusters.graph, price
        self._first, self._last = first, last = place
        nodes = self._states.first
        begin, inner, end, beyond = nodes[[first, first + 1, last + 1, last + 2]].tolist()
        self._where = Range(begin, inner, end, beyond, nodes[first : last + 3])
        self._load = int(self._tables.loads[last + 1] - self._tables.loads[first])
        self._least = least
        self._most = (limit - price.scale * self._load) // (price.scale * self._batch)
        self._io = np.stack([_dram(given, self._states, place, n) for n in self.sources])
        self._known: Ints | None = None

    @property
    def sources(self) -> range:
        """The nodes where the segment may begin."""
        return range(self._where.begin, self._where.inner)

    def least_total(self, before: Ints, after: Ints, limit: int) -> int:
        """A lower bound on the priced cost with what comes before and after, in any states.

        Args:
            before, after: [S], [T] priced costs by state.
            limit: more than this is of no interest.

        Returns:
            The bound; more than the limit if there is no way within it.
        """
        possible = before < UNBOUND
        io = self._io[possible].min(
            axis=0
        )  # any state's tensors, so that one label can stand for all
        best, _ = self._cheapest(before, limit - after, io)
        totals = best + after
        for source in self.sources:
            base = int(before[source - self._where.begin])
            for way in self._tiled(source, limit - after - base):
                cost = base + self._price.of(way.time, way.loss)
                totals = np.minimum(totals, cost + int(after[way.target - self._where.end]))
        return int(totals.min())

    def cheapest(self, source: int, limits: Ints) -> list[Way]:
        """For each node where the segment may end, the way of the least priced cost.

        Args:
            source: where it begins.
            limits: [T] of the priced cost, by node of the last cut; costlier ways are left out.
        """
        while True:
            _, ways = self._cheapest(self._only(source), limits, self._io_from(source))
            met = [self._confirmed(way) for way in ways]
            if all(met):
                return ways + self._tiled(source, limits)

    def front(self, source: int, limits: Ints) -> list[Way]:
        """For each node where the segment may end, all ways that trade cycles against loss."""
        while True:
            ways = self._front(source, limits)
            met = [self._confirmed(way) for way in ways]
            if all(met):
                return ways + self._tiled(source, limits)

    def _only(self, source: int) -> Ints:
        """Bases of one node."""
        bases = np.full(len(self.sources), UNBOUND)
        bases[source - self._where.begin] = 0
        return bases

    def _io_from(self, source: int) -> Ints:
        own: Ints = self._io[source - self._where.begin]
        return own

    def _confirmed(self, way: Way) -> bool:
        """Whether all clusters meet the beat in fact, not only by their bounds; sharpens these."""
        times = self._graph.times
        met = [
            self._clusters.reaches(arc, int(chiplets_for(times[arc], way.beat)), way.beat)
            for arc in way.arcs
        ]
        if not all(met):
            self._known = None
        return all(met)

    def _tiled(self, source: int, limits: Ints) -> list[Way]:
        """The layer alone in weight tiles, where nothing that it reads or makes is compressed."""
        first, alone = self._first, int(self._tables.alone[self._first])
        if first != self._last or alone < 0:
            return []
        before, readers = self._states.choices(source), self._given.readers
        if any(k and first in readers[layer] for layer, k in before.items()):
            return []
        target = self._states.node(first + 1, {**before, first: 0})
        time = self._batch * alone + int(self._tables.load[first])
        if self._price.of(time, 0) > limits[target - self._where.end]:
            return []
        return [Way(source, target, time, 0, alone, ())]

    def _beats(self) -> Ints:
        """All beats that the segment can have, ascending."""
        known = self._known
        if known is None:
            graph, where = self._graph, self._where
            low, high = int(graph.into[where.inner]), int(graph.into[where.last])
            times = graph.times[low:high][graph.source[low:high] >= where.begin]
            # A bound below the least beat still has to lead to the beat that it stands for.
            near = np.maximum(times, self._least)
            near = near[near <= self._most]
            io = self._io[(self._io >= self._least) & (self._io <= self._most)]
            known = self._known = np.unique(np.concatenate([near, io]))
        return known

    def _ways(
        self, bases: Ints, beat: int, paid: int, limit: int, exact: bool
    ) -> tuple[Ints, Ints, Ints]:
        """Labels of ways that meet a beat, where it is `paid`; numbers and targets of the ends."""
        if self._progress.expired:
            raise OutOfTimeError
        budget = self._given.budget if exact else ANY_LOSS
        labels, at = chains(
            self._graph,
            self._where,
            bases,
            clusters_to_go(self._first, self._last, self._clusters.eased, beat),
            beat,
            paid,
            self._batch,
            self._price,
            limit - self._price.scale * self._load,
            budget,
            exact,
        )
        numbers = np.arange(at[self._where.end - self._where.inner], at[-1])
        return labels, numbers, self._clusters.target[labels[numbers, ARC]] - self._where.end

    def _priced(self, ends: Ints, io: Ints, beat: int | Ints) -> Ints:
        """Costs of ways whose clusters take `beat`, load included; `io` of each way's DRAM."""
        times = self._times(ends, io, beat)
        costs: Ints = ends[:, BASE] + self._price.scale * times + self._price.price * ends[:, LOSS]
        return costs

    def _times(self, ends: Ints, io: Ints, beat: int | Ints) -> Ints:
        paid = (self._batch - 1 + ends[:, CLUSTERS]) * np.maximum(beat, io)
        times: Ints = self._load + paid + ends[:, LOAD]
        return times

    def _cheapest(self, bases: Ints, limits: Ints, io: Ints) -> tuple[Ints, list[Way]]:
        """By bisection of the beats; an interval is left if it holds nothing cheaper.

        Returns:
            [T] the least costs, more than the limit where there is none; and the ways.
        """
        best, found, beats = limits + 1, {}, self._beats()
        stack = [(0, len(beats) - 1)] if len(beats) else []
        while stack:
            low, high = stack.pop()
            most = int(best.max()) - 1
            longest = (most - self._price.scale * self._load) // (self._price.scale * self._batch)
            high = min(high, int(np.searchsorted(beats, longest, side="right")) - 1)
            if high < low:
                continue
            slowest, fastest = int(beats[high]), int(beats[low])
            labels, numbers, targets = self._ways(bases, slowest, fastest, most, False)
            met = io[targets] <= slowest
            numbers, targets = numbers[met], targets[met]
            ends = labels[numbers]
            lower = self._priced(ends, io[targets], fastest)
            reached = self._priced(ends, io[targets], ends[:, BEAT])
            for n in np.flatnonzero(reached < best[targets]).tolist():
                target = int(targets[n])
                if reached[n] < best[target]:
                    best[target] = reached[n]
                    found[target] = self._way(labels, int(numbers[n]), io)
            if low < high and (lower < best[targets]).any():
                middle = (low + high) // 2
                stack += [(middle + 1, high), (low, middle)]
        return best, list(found.values())

    def _front(self, source: int, limits: Ints) -> list[Way]:
        """By bisection of the beats; an interval in which nothing changes is left."""
        found: dict[int, list[Way]] = {}
        beats = self._beats().tolist()
        stack = [(0, len(beats) - 1)] if beats else []
        while stack:
            low, high = stack.pop()
            slow = self._kept(source, beats[high], beats[low], limits)
            if not slow:
                continue
            fast = self._kept(source, beats[low], beats[low], limits)
            for way in fast.values():
                _add(found.setdefault(way.target, []), way)
            if low < high and fast.keys() != slow.keys():
                middle = (low + 1 + high) // 2
                stack += [(middle + 1, high)] if middle < high else []
                stack += [(low + 1, middle)]
        return [way for ways in found.values() for way in ways]

    def _kept(self, source: int, beat: int, paid: int, limits: Ints) -> dict[tuple[int, ...], Way]:
        """(target, clusters, load, loss) -> way, of those that meet a beat within the limits."""
        io, most = self._io_from(source), int(limits.max())
        labels, numbers, targets = self._ways(self._only(source), beat, paid, most, True)
        within = self._priced(labels[numbers], io[targets], paid) <= limits[targets]
        within &= io[targets] <= beat
        kept = {}
        for number, target in zip(numbers[within].tolist(), targets[within].tolist(), strict=True):
            key = (target, *labels[number, [CLUSTERS, LOAD, LOSS]].tolist())
            kept[key] = self._way(labels, number, io)
        return kept

    def _way(self, labels: Ints, number: int, io: Ints) -> Way:
        """The way that a label ends."""
        beat = int(labels[number, BEAT])
        loss, arcs = int(labels[number, LOSS]), []
        target = int(self._clusters.target[labels[number, ARC]])
        time = int(self._times(labels[[number]], io[[target - self._where.end]], beat)[0])
        while labels[number, PARENT] >= 0:
            arcs.append(int(labels[number, ARC]))
            number = int(labels[number, PARENT])
        return Way(int(labels[number, ARC]), target, time, loss, beat, tuple(reversed(arcs)))


def _add(ways: list[Way], way: Way) -> None:
    """Keep the undominated."""
    if any(other.time <= way.time and other.loss <= way.loss for other in ways):
        return
    ways[:] = [o for o in ways if o.time < way.time or o.loss < way.loss]
    ways.append(way)


def _dram(given: Compression, states: States, place: tuple[int, int], source: int) -> Ints:
    """[T] cycles of DRAM traffic, by node where the segment ends."""
    first, last = place
    units = int(given.traffic[first, last])
    for layer, k in states.choices(source).items():
        if any(first <= reader <= last for reader in given.readers[layer]):
            units -= int(given.saved[k, layer])
    made = [n for n, layer in enumerate(states.live[last + 1]) if layer >= first]
    layers = [states.live[last + 1][n] for n in made]
    cycles = [
        given.cycles(
            units - sum(int(given.saved[state[n], u]) for n, u in zip(made, layers, strict=True))
        )
        for state in states.at[last + 1]
    ]
    return np.array(cycles, dtype=np.int64)
