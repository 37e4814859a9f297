"""The cheapest ways to run one segment, in all states of its cuts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instances.compression import Compression
from instances.instance import Instance
from instances.tables import Ints
from solvers.exact.ratios.clusters import Clusters
from solvers.exact.ratios.segments import (
    ARC,
    CLUSTERS,
    LOAD,
    LOSS,
    PARENT,
    Price,
    Range,
    chains,
    chiplets_for,
)

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
    """Settles segments: one after the other, in one state of its first cut at a time."""

    def __init__(self, instance: Instance, given: Compression, clusters: Clusters) -> None:
        self._batch, self._tables, self._given = instance.batch, instance.tables, given
        self._clusters, self._states = clusters, clusters.states

    def cheapest(
        self, first: int, last: int, source: int, price: Price, limits: Ints, least: int
    ) -> list[Way]:
        """For each node where the segment may end, the way of the least priced cost.

        Args:
            limits: [T] of the priced cost, by node of the last cut; costlier ways are left out.
            least: a lower bound on the beat.
        """
        while True:
            own = _Segment(self, first, last, source, price, limits, least)
            ways = own.cheapest()
            met = [self._confirmed(way) for way in ways]
            if all(met):
                return ways + self._tiled(first, last, source, price, limits)

    def front(
        self, first: int, last: int, source: int, price: Price, limits: Ints, least: int
    ) -> list[Way]:
        """For each node where the segment may end, all ways that trade cycles against loss."""
        while True:
            own = _Segment(self, first, last, source, price, limits, least)
            ways = own.front()
            met = [self._confirmed(way) for way in ways]
            if all(met):
                return ways + self._tiled(first, last, source, price, limits)

    def _confirmed(self, way: Way) -> bool:
        """Whether all clusters meet the beat in fact, not only by their bounds; sharpens these."""
        times = self._clusters.graph.times
        met = [
            self._clusters.reaches(arc, int(chiplets_for(times[arc], way.beat)), way.beat)
            for arc in way.arcs
        ]
        return all(met)

    def _tiled(self, first: int, last: int, source: int, price: Price, limits: Ints) -> list[Way]:
        """The layer alone in weight tiles, where nothing that it reads or makes is compressed."""
        alone = int(self._tables.alone[first])
        if first != last or alone < 0:
            return []
        before, readers = self._states.choices(source), self._given.readers
        if any(k and first in readers[layer] for layer, k in before.items()):
            return []
        target = self._states.node(first + 1, {**before, first: 0})
        time = self._batch * alone + int(self._tables.load[first])
        if price.of(time, 0) > limits[target - int(self._states.first[first + 1])]:
            return []
        return [Way(source, target, time, 0, alone, ())]


class _Segment:
    """One segment in one state of its first cut."""

    def __init__(
        self,
        own: SegmentWays,
        first: int,
        last: int,
        source: int,
        price: Price,
        limits: Ints,
        least: int,
    ) -> None:
        nodes, self._graph = own._states.first, own._clusters.graph
        self._where = Range(
            source, *(int(nodes[p]) for p in (first, first + 1, last + 1, last + 2))
        )
        self._batch, self._price, self._budget = own._batch, price, own._given.budget
        self._load = int(own._tables.loads[last + 1] - own._tables.loads[first])
        self._limits = limits - price.scale * self._load
        self._io = _dram(own, first, last, source)
        self._beats = self._candidates(least)

    def _candidates(self, least: int) -> Ints:
        """All beats that the segment can have, ascending."""
        graph, where = self._graph, self._where
        low, high = int(graph.into[where.inner]), int(graph.into[where.last])
        inside = graph.source[low:high] >= where.begin
        most = int(self._limits.max()) // (self._price.scale * self._batch)
        found = np.unique(np.concatenate([graph.times[low:high][inside].ravel(), self._io]))
        return found[(found >= least) & (found <= most)]

    def _chains(self, high: int, low: int, limit: int, exact: bool) -> tuple[Ints, Ints, Ints]:
        """Labels at beat number `high`, paid as number `low`; those at the end, and their nodes."""
        budget = self._budget if exact else ANY_LOSS
        beat, paid = int(self._beats[high]), int(self._beats[low])
        labels, at = chains(
            self._graph, self._where, beat, paid, self._batch, self._price, limit, budget, exact
        )
        ends = at[self._where.end - self._where.inner :]
        numbers = np.arange(ends[0], ends[-1])
        targets = np.searchsorted(ends, numbers, side="right") - 1
        possible = self._io[targets] <= beat
        return labels, numbers[possible], targets[possible]

    def _times(self, ends: Ints, targets: Ints, beat: int) -> Ints:
        """Cycles of ways, the segment's own load left out, if the clusters take `beat`."""
        beats = np.maximum(beat, self._io[targets])
        times: Ints = (self._batch - 1 + ends[:, CLUSTERS]) * beats + ends[:, LOAD]
        return times

    def _priced(self, ends: Ints, targets: Ints, beat: int) -> Ints:
        times = self._times(ends, targets, beat)
        costs: Ints = self._price.scale * times + self._price.price * ends[:, LOSS]
        return costs

    def cheapest(self) -> list[Way]:
        """By bisection of the beats; an interval is left if it holds nothing cheaper."""
        best = self._limits + 1
        found: dict[int, Way] = {}
        stack = [(0, len(self._beats) - 1)] if len(self._beats) else []
        while stack:
            low, high = stack.pop()
            labels, numbers, targets = self._chains(high, low, int(best.max()) - 1, exact=False)
            ends = labels[numbers]
            lower = self._priced(ends, targets, int(self._beats[low]))
            reached = self._priced(ends, targets, int(self._beats[high]))
            for number, target, cost in zip(
                numbers.tolist(), targets.tolist(), reached.tolist(), strict=True
            ):
                if cost < best[target]:
                    best[target] = cost
                    found[target] = self._way(labels, number, target, int(self._beats[high]))
            if low < high and (lower < best[targets]).any():
                middle = (low + high) // 2
                stack += [(middle + 1, high), (low, middle)]
        return list(found.values())

    def front(self) -> list[Way]:
        """By bisection of the beats; an interval in which nothing changes is left."""
        found: dict[int, list[Way]] = {}
        stack = [(0, len(self._beats) - 1)] if len(self._beats) else []
        while stack:
            low, high = stack.pop()
            slow = self._kept(high, low)
            if not slow:
                continue
            fast = self._kept(low, low)
            for target, way in fast.values():
                _add(found.setdefault(target, []), way)
            if low < high and fast.keys() != slow.keys():
                middle = (low + 1 + high) // 2
                stack += [(middle + 1, high)] if middle < high else []
                stack += [(low + 1, middle)]
        return [way for ways in found.values() for way in ways]

    def _kept(self, high: int, low: int) -> dict[tuple[int, ...], tuple[int, Way]]:
        """(target, clusters, load, loss) -> way, of those within the limits."""
        labels, numbers, targets = self._chains(high, low, int(self._limits.max()), exact=True)
        ends = labels[numbers]
        within = self._priced(ends, targets, int(self._beats[low])) <= self._limits[targets]
        kept = {}
        for number, target in zip(numbers[within].tolist(), targets[within].tolist(), strict=True):
            key = (target, *labels[number, [CLUSTERS, LOAD, LOSS]].tolist())
            kept[key] = target, self._way(labels, number, target, int(self._beats[low]))
        return kept

    def _way(self, labels: Ints, number: int, target: int, beat: int) -> Way:
        time = self._load + int(self._times(labels[[number]], np.array([target]), beat)[0])
        loss, arcs = int(labels[number, LOSS]), []
        while labels[number, PARENT] >= 0:
            arcs.append(int(labels[number, ARC]))
            number = int(labels[number, PARENT])
        return Way(
            self._where.source, self._where.end + target, time, loss, beat, tuple(reversed(arcs))
        )


def _add(ways: list[Way], way: Way) -> None:
    """Keep the undominated."""
    if any(other.time <= way.time and other.loss <= way.loss for other in ways):
        return
    ways[:] = [o for o in ways if o.time < way.time or o.loss < way.loss]
    ways.append(way)


def _dram(own: SegmentWays, first: int, last: int, source: int) -> Ints:
    """[T] cycles of DRAM traffic, by node where the segment ends."""
    given, states = own._given, own._states
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
