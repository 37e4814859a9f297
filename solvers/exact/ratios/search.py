"""The best schedule with ratios: a shortest path under a budget of loss.

Three rounds, each on the bounds of the one before:

1. Without a budget and with all ratios at once (whatever costs least of each, as if every tensor
   had all its ratios), the plain search bounds every segment.
2. With a price for losses (a Lagrangian of the budget; Handler and Zang, 1980), the shortest path
   over segments in states is found, each segment settled only when the path needs it. The price
   moves between a path that loses too much and one that does not, until no price bounds better.
3. What the bound leaves open is closed by labels: of all segments that can still be in a better
   schedule, every way that trades cycles against loss; and chains of them, undominated ones only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from heuristics.ratios import best_ratios
from instances.compression import Compression
from instances.instance import Instance
from instances.tables import Ints
from schedules.parallel import OutOfTimeError
from schedules.progress import Progress, Stop
from schedules.schedule import Cluster, Schedule, Segment
from solvers.exact.labels import FAR
from solvers.exact.ratios.beats import SegmentWays, Way
from solvers.exact.ratios.clusters import Clusters
from solvers.exact.ratios.network import Place, Segments, added, bounds
from solvers.exact.ratios.segments import UNBOUND, Price, chiplets_for
from solvers.exact.ratios.states import States

ROUNDS = 16
"""Prices tried, at most."""

SHARES = (1 / 16, 1 / 4, 1)
"""How far above the bound a path is looked for, as shares of the gap."""


def exact_with_ratios(
    instance: Instance, given: Compression, states: States, progress: Progress, workers: int
) -> Stop:
    """Prove the best schedule whose losses are within the budget.

    Args:
        states: of the cuts.
        progress: has an incumbent already, such as the best schedule without compression.

    Raises:
        ValueError: there are too many clusters with their states to follow.
    """
    try:
        return _Search(instance, given, states, progress, workers).run()
    except OutOfTimeError:
        return "time-limit"


class _Label(NamedTuple):
    """A chain of ways from the start: cycles, millionths, the last way and the chain before."""

    time: int
    loss: int
    way: Way | None
    before: _Label | None


class _Search:
    """The state of one search.

    Attributes:
        price: the present one, None before the first.
        target: cycles; only schedules that take less are looked for.
        network: the segments and their costs under it.
        ways: (first, last) -> the ways that have these costs, where they are settled.
        scale: of a cycle among priced costs.
    """

    def __init__(
        self,
        instance: Instance,
        given: Compression,
        states: States,
        progress: Progress,
        workers: int,
    ) -> None:
        self.instance, self.given = instance, given
        self.states, self.progress = states, progress
        lower, least, times = bounds(instance, progress, workers)
        self.network = Segments(self.states, lower, least)
        cutoff = min(FAR - 1, self._incumbent // instance.batch)
        self.clusters = Clusters(instance, given, self.states, times, cutoff, progress)
        self.scale = 2 ** max(0, min(10, 50 - self._incumbent.bit_length()))
        self.price: Price | None = None
        self.target = self._incumbent
        self.ways: dict[Place, list[Way]] = {}

    @property
    def _incumbent(self) -> int:
        """Cycles of the incumbent."""
        if self.progress.objective is None:
            raise ValueError("the search for ratios needs an incumbent")
        return self.progress.objective

    def run(self) -> Stop:
        """The rounds two and three."""
        price = self._best_price()
        if not self.progress.proved:
            self._close(price)
            self.progress.raise_bound(self._incumbent)
        return "optimal"

    def _limit(self, price: Price) -> int:
        """The highest priced cost of a path that can be better than target and incumbent."""
        return price.of(min(self.target, self._incumbent) - 1, self.given.budget)

    # Round two: paths under a price

    def _best_price(self) -> Price:
        """Raise the bound by prices, each from the line between two paths; return the best one.

        One of the two paths loses more than the budget, and one does not.
        """
        best = price = Price(self.scale, 0)
        cheap, dear = self._incumbent_point(), (0, 0)
        for _ in range(ROUNDS):
            path = self._shortest(price)
            if path is None:
                break
            point = sum(way.time for way in path), sum(way.loss for way in path)
            cost = price.of(*point)
            bound = self._bound(cost, price)
            if bound >= (self.progress.bound or 0):
                best = price
            within = point[1] <= self.given.budget
            found = self._schedule(path)
            self.progress.offer(found if within else best_ratios(self.instance, found))
            if self.progress.proved or (price.price and cost >= price.of(*dear)):
                break
            cheap, dear = (point, dear) if within else (self._incumbent_point(), point)
            slope = self.scale * (cheap[0] - dear[0]) // (dear[1] - cheap[1])
            if slope <= 0 or slope == price.price:
                break
            price = Price(self.scale, slope)
        return best

    def _bound(self, cost: int, price: Price) -> int:
        """The cycles that no schedule within the budget falls short of, by a shortest path."""
        return -(-(cost - price.price * self.given.budget) // self.scale)

    def _incumbent_point(self) -> tuple[int, int]:
        """Cycles and millionths of the incumbent."""
        best = self.progress.best
        ratios = () if best is None else best.ratios
        return self._incumbent, self.given.loss(self.given.choices(ratios))

    def _shortest(self, price: Price) -> list[Way] | None:
        """The path of the least priced cost; None if all cost more than the incumbent allows.

        Looked for first among paths that would be much better than the incumbent, as the fewer can
        matter the faster it is.
        """
        if price != self.price:
            self.network.reset(price.scale)
            self.price, self.ways = price, {}
        least = self._bound(int(self.network.reach()[-1]), price)
        known = min(max(least, int(self.progress.bound or 0)), self._incumbent)
        for share in SHARES:
            self.target = round(known + share * (self._incumbent - known))
            self.network.probed.clear()
            path = self._shortest_within(price)
            if path is not None:
                return path
            self.progress.raise_bound(min(self.target, self._incumbent))
        return None

    def _shortest_within(self, price: Price) -> list[Way] | None:
        """The same; None if all cost more than the target allows."""
        while True:
            reach = self.network.reach()
            self.progress.raise_bound(min(self._bound(int(reach[-1]), price), self._incumbent))
            if reach[-1] > self._limit(price):
                return None
            path = self.network.path(reach)
            fresh = [step for step in path if not self._is_exact(*step)]
            if not fresh:
                return [self._way(*step, price) for step in path]
            onward = self.network.onward()
            for place, _, _ in fresh:
                self._look_at(place, price, reach, onward)

    def _is_exact(self, place: Place, source: int, target: int) -> bool:
        begin = self.states.first
        at = source - int(begin[place[0]]), target - int(begin[place[1] + 1])
        return bool(self.network.exact(place)[at])

    def _look_at(self, place: Place, price: Price, reach: Ints, onward: Ints) -> None:
        """Raise the bounds of a segment; settle it if that was done before."""
        if place in self.network.probed:
            self._settle(place, price, reach, onward)
        else:
            self._probe(place, price, reach, onward)

    def _way(self, place: Place, source: int, target: int, price: Price) -> Way:
        """The way of a settled segment between two nodes that costs least."""
        between = (w for w in self.ways[place] if (w.source, w.target) == (source, target))
        return min(between, key=lambda way: price.of(way.time, way.loss))

    def _probe(self, place: Place, price: Price, reach: Ints, onward: Ints) -> None:
        """Bound a segment by the least that it costs with all states before and after it at once.

        Whatever the states, their parts of that least total are not less than the whole.
        """
        before, after = self._around(place, reach, onward)
        limit, segment = self._limit(price), self._segment_ways(place, price, before, after)
        total = min(limit + 1, segment.least_total(before, after, limit))
        self.network.raise_to(place, total - before[:, None] - after)
        self.progress.count("segments probed")

    def _settle(self, place: Place, price: Price, reach: Ints, onward: Ints) -> None:
        """Find the priced cost of a segment in all states that can matter.

        In the others it is so dear that with what is before and after, the limit is passed.
        """
        before, after = self._around(place, reach, onward)
        segment = self._segment_ways(place, price, before, after)
        ways = self._from_sources(segment, segment.cheapest, price, before, after)
        costs = np.full_like(self.network.of(place), UNBOUND)
        begin, (first, last) = self.states.first, place
        for way in ways:
            at = way.source - int(begin[first]), way.target - int(begin[last + 1])
            costs[at] = min(int(costs[at]), price.of(way.time, way.loss))
        self.network.put(place, costs)
        self.network.raise_to(place, self._limit(price) + 1 - before[:, None] - after)
        self.ways.setdefault(place, []).extend(ways)
        self.progress.count("segments settled")

    def _around(self, place: Place, reach: Ints, onward: Ints) -> tuple[Ints, Ints]:
        """[S], [T] what all that comes before and after a segment costs at least, by state."""
        begin, (first, last) = self.states.first, place
        return reach[begin[first] : begin[first + 1]], onward[begin[last + 1] : begin[last + 2]]

    def _segment_ways(self, place: Place, price: Price, before: Ints, after: Ints) -> SegmentWays:
        return SegmentWays(
            self.instance,
            self.given,
            self.clusters,
            place,
            price,
            int(self.network.least[self.network.number[place]]),
            self._limit(price) - int(before.min()) - int(after.min()),
            self.progress,
        )

    def _from_sources(
        self,
        segment: SegmentWays,
        settle: Callable[[int, Ints], list[Way]],
        price: Price,
        before: Ints,
        after: Ints,
    ) -> list[Way]:
        """The ways of a segment from each state of its first cut that can matter."""
        limit, begin, found = self._limit(price), segment.sources.start, list[Way]()
        for source in segment.sources:
            left = limit - int(before[source - begin])
            if int(after.min()) <= left:
                found += settle(source, np.where(after > limit, -1, left - after))
        return found

    # Round three: what the bound leaves open

    def _close(self, price: Price) -> None:
        """Find the best schedule, or that the incumbent is."""
        if self._shortest(price) is None:
            return
        open_places = self._open(price)
        reach, onward = self.network.reach(), self.network.onward()
        fronts: dict[Place, list[Way]] = {}
        for place in open_places:
            self.progress.count("fronts of segments")
            around = self._around(place, reach, onward)
            segment = self._segment_ways(place, price, *around)
            fronts[place] = self._from_sources(segment, segment.front, price, *around)
        best = self._best_chain(fronts, price, onward)
        if best is not None:
            self.progress.offer(self._schedule(best))

    def _open(self, price: Price) -> list[Place]:
        """The segments that can be in a better schedule, all settled, by last layer."""
        self.target = self._incumbent
        self.network.probed.clear()
        while True:
            reach, onward = self.network.reach(), self.network.onward()
            found, fresh = [], []
            for place in self.network.number:
                before, after = self._around(place, reach, onward)
                totals = added(added(before[:, None], self.network.of(place)), after)
                possible = totals <= self._limit(price)
                if possible.any():
                    found.append(place)
                if (possible & ~self.network.exact(place)).any():
                    fresh.append((int(totals.min()), place))
            if not fresh:
                return found
            for _, place in sorted(fresh)[: max(8, len(fresh) // 4)]:
                self._look_at(place, price, reach, onward)

    def _best_chain(
        self, fronts: dict[Place, list[Way]], price: Price, onward: Ints
    ) -> list[Way] | None:
        """The fastest chain within the budget that is faster than the incumbent, if there is one.

        Labels are set from node to node; `fronts` come by rising last layer.
        """
        limit, budget = self._limit(price), self.given.budget
        labels: dict[int, list[_Label]] = {0: [_Label(0, 0, None, None)]}
        for ways in fronts.values():
            for way in ways:
                for label in list(labels.get(way.source, ())):
                    time, loss = label.time + way.time, label.loss + way.loss
                    if loss > budget or price.of(time, loss) + int(onward[way.target]) > limit:
                        continue
                    _keep(labels.setdefault(way.target, []), _Label(time, loss, way, label))
        ends = labels.get(int(self.states.first[-1]) - 1, [])
        best: _Label | None = min(ends, key=lambda label: label.time, default=None)
        if best is None or best.time >= self._incumbent:
            return None
        path: list[Way] = []
        while best is not None and best.way is not None:
            path.append(best.way)
            best = best.before
        return path[::-1]

    # Schedules

    def _schedule(self, path: list[Way]) -> Schedule:
        chosen = [0] * len(self.instance.layers)
        segments = []
        for way in path:
            segments.append(self._segment(way))
            targets = [int(self.clusters.target[arc]) for arc in way.arcs] or [way.target]
            for node in targets:
                for layer, k in self.states.choices(node).items():
                    chosen[layer] = k
        return Schedule(tuple(segments), self.given.ratios_of(chosen))

    def _segment(self, way: Way) -> Segment:
        tables, graph = self.instance.tables, self.clusters.graph
        if not way.arcs:
            layer = self.states.cut_of(way.source)
            whole = Cluster(layer, layer, tables.chiplets, tables.options[:1])
            return Segment((whole,), tiled=True)
        parts = []
        for arc in way.arcs:
            chiplets = int(chiplets_for(graph.times[arc], way.beat))
            limit = int(self.clusters.reached[arc, chiplets - 1]) + 1
            _, options = self.clusters.fastest(arc, chiplets, limit)
            names = tuple(tables.options[o] for o in options)
            parts.append(Cluster(*self.clusters.place(arc), chiplets, names))
        return Segment(tuple(parts))


def _keep(labels: list[_Label], fresh: _Label) -> None:
    """Add a label unless another is no worse; drop those that it makes useless."""
    if any(own.time <= fresh.time and own.loss <= fresh.loss for own in labels):
        return
    labels[:] = [own for own in labels if own.time < fresh.time or own.loss < fresh.loss]
    labels.append(fresh)
