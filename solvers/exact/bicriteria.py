"""Paths over segments that are undominated in time and energy.

Of the segments and the ways to run them, only those are made that can still lead to something of
use: lower bounds on the time and the energy of all other segments tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from heuristics.scope import scope
from instances.instance import Instance
from instances.tables import LIMIT, Ints
from schedules.goal import restricted
from schedules.parallel import in_parallel
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from solvers.exact.choices import cluster_of, least_costs, make_columns
from solvers.exact.labels import FAR
from solvers.exact.path_fronts import Paths, Place, Way
from solvers.exact.paths import shortest_paths, shortest_within
from solvers.exact.segments import settle
from solvers.exact.starts import suggest_from
from solvers.exact.trade import (
    Horizon,
    Part,
    columns_at,
    cost_of,
    falling,
    most_frugal,
    trade,
    useless,
)


class Bound(NamedTuple):
    """What is known of a segment before its trade of time for energy.

    Attributes:
        time, energy: lower bounds on its cycles and picojoules.
        fastest: the way that takes the least time.
        frugal: the way whose stages need the least energy.
        spent: that energy, a sample; FAR if the segment can only be tiled.
        largest: the largest beat at which the trade changes.
    """

    time: int
    energy: int
    fastest: Way
    frugal: Way
    spent: int
    largest: int


class Search:
    """The state of one search, on an instance that is restricted to what the goal allows.

    Attributes:
        points: [.,4] of each segment of use: cycles, picojoules, clusters, beat.
        costs: (cycles, picojoules) of the undominated schedules of use, once they are found.
    """

    def __init__(
        self,
        instance: Instance,
        progress: Progress,
        horizon: Callable[[], Horizon],
        report: Callable[[int, int], None],
        workers: int,
    ) -> None:
        """Bound all segments; suggest schedules to begin with.

        Args:
            horizon: says what is of use at the time.
            report: takes lower bounds on the cycles and picojoules of any schedule of use.

        Raises:
            ValueError: the instance is too large.
            OutOfTimeError: the time limit passed.
        """
        self.progress, self.horizon, self.workers = progress, horizon, workers
        self.instance = restricted(instance, progress.goal)
        self.tables = self.instance.tables
        self.count = len(self.tables.layers)
        clusters = progress.goal.allowed_clusters(self.count)
        segments = progress.goal.allowed_segments(self.count)
        self.alone = np.where((clusters & segments).diagonal(), self.tables.alone, -1)
        suggest_from(scope, self.instance, progress, workers)
        report(*least_costs(self.instance))
        self.columns = make_columns(self.instance, clusters, horizon(), progress, workers)
        self.bounds = self._bounds([(int(i), int(j)) for i, j in np.argwhere(segments)])
        table = self._table({place: (b.time, b.energy) for place, b in self.bounds.items()})
        self.reach, self.onward = _others(table)
        if self.reach[:, -1].max() <= LIMIT:
            report(int(self.reach[0, -1]), int(self.reach[1, -1]))
        self.made: dict[tuple[Place, Way], Segment] = {}
        self._suggest(table)
        self.points: dict[Place, Ints] = {}
        self.costs: list[tuple[int, int]] = []

    def run(self) -> None:
        """Find all undominated schedules of use.

        Raises:
            OutOfTimeError: the time limit passed.
        """
        self._trade()
        most = self.progress.goal.segments or self.count
        _, onward = _others(
            self._table({place: own[:, :2].min(axis=0) for place, own in self.points.items()})
        )
        self.paths = Paths(self.points, onward, self.horizon(), most, self.progress)
        self.costs = self.paths.costs

    def schedule(self, place: int) -> Schedule:
        """The schedule that costs costs[place]."""
        path = self.paths.path(place)
        return Schedule(tuple(self._segment(where, way) for where, way in path))

    def _part(self, place: Place) -> Part:
        tables, most = self.tables, self.progress.goal.clusters
        first, last = place
        size, layers = last - first + 1, slice(first, last + 1)
        return Part(
            first=first,
            last=last,
            batch=self.instance.batch,
            chiplets=tables.chiplets,
            depth=min(size, tables.chiplets, size if most is None else most),
            load=int(tables.load[layers].sum()),
            load_energy=int(tables.energy.load[layers].sum()),
            io=int(tables.io[place]),
            io_energy=int(tables.energy.io[place]),
            leakage=tables.energy.leakage,
        )

    def _tiled(self, place: Place) -> Iterator[tuple[int, int]]:
        """Cycles and picojoules of the tiled segment, if there may be one."""
        first, last = place
        if first == last and self.alone[first] >= 0:
            batch, energy = self.instance.batch, self.tables.energy
            time = int(self.tables.load[first]) + batch * int(self.alone[first])
            spent = int(energy.load[first]) + batch * int(energy.alone[first])
            yield time, spent + energy.leakage * time

    def _bounds(self, places: list[Place]) -> dict[Place, Bound]:
        """Of the segments that can be of use."""
        times, latest = self._stage_times(), self.horizon().latency

        def bound(index: int) -> Bound | None:
            return self._bound(places[index], times, latest)

        found = in_parallel(bound, len(places), self.progress, self.workers)
        return {places[index]: bound for index, bound in found if bound is not None}

    def _bound(self, place: Place, times: Ints, latest: int) -> Bound | None:
        part = self._part(place)
        most = latest - part.load
        _, clusters, beat = settle(*place, times, part.batch, part.io, most, part.depth)
        bound = None
        if clusters:
            spent, fewest, slowest, largest = most_frugal(part, self.columns)
            time, energy = cost_of(part, clusters, beat, spent)
            bound = Bound(time, energy, Way(clusters, beat), Way(fewest, slowest), spent, largest)
        for time, energy in self._tiled(place):
            tiled = Way(0, 0)
            if bound is None:
                bound = Bound(time, energy, tiled, tiled, FAR, 0)
            if time < bound.time:
                bound = bound._replace(time=time, fastest=tiled)
            if energy < bound.energy:
                bound = bound._replace(energy=energy, frugal=tiled)
        return bound

    def _stage_times(self) -> Ints:
        """[L,L,C] the time of each cluster on at most so many chiplets, by the columns."""
        times = np.full((self.count, self.count, self.tables.chiplets), FAR, dtype=np.int64)
        chiplets, time, _, first, last = self.columns.table.T
        np.minimum.at(times, (first, last, chiplets - 1), time)
        falling_times: Ints = np.minimum.accumulate(times, axis=2)
        return falling_times

    def _table(self, costs: dict[Place, tuple[int, int]]) -> Ints:
        """[2,L,L] cycles and picojoules of segments, FAR for those that are not there."""
        table = np.full((2, self.count, self.count), FAR, dtype=np.int64)
        for place, cost in costs.items():
            table[:, place[0], place[1]] = cost
        return table

    def _suggest(self, table: Ints) -> None:
        """Suggest the path of the fastest segments, and that of the most frugal ones."""
        most = self.progress.goal.segments or self.count
        for which, costs in enumerate(table):
            _, path = shortest_within(costs, min(most, self.count))
            places = [(int(first), int(last)) for first, last in path]
            bounds = [self.bounds[place] for place in places]
            ways = [bound.frugal if which else bound.fastest for bound in bounds]
            if ways:
                segments = map(self._segment, places, ways)
                self.progress.suggest(Schedule(tuple(segments)))

    def _segment(self, place: Place, way: Way) -> Segment:
        if (place, way) not in self.made:
            self.made[place, way] = self._make_segment(place, way)
        return self.made[place, way]

    def _make_segment(self, place: Place, way: Way) -> Segment:
        if way.clusters == 0:
            whole = Cluster(*place, self.tables.chiplets, self.tables.options[:1])
            return Segment((whole,), tiled=True)
        chosen = columns_at(*place, self.columns, way.beat, self.tables.chiplets, way.clusters)
        rows = self.columns.table[chosen]
        return Segment(tuple(cluster_of(self.tables, row) for row in rows))

    def _trade(self) -> None:
        """The points of all segments; only of those on paths that can be of use."""
        horizon = self.horizon()
        places = []
        for place, bound in self.bounds.items():
            others = self._others_of(place)
            if not useless(horizon, others[0] + bound.time, others[1] + bound.energy):
                places.append(place)

        def trade_of(index: int) -> Ints:
            return self._points(places[index], horizon)

        for index, points in in_parallel(trade_of, len(places), self.progress, self.workers):
            if len(points):
                self.points[places[index]] = points

    def _others_of(self, place: Place) -> Ints:
        """[2] lower bounds on the cycles and the picojoules of all other segments."""
        others: Ints = self.reach[:, place[0]] + self.onward[:, place[1] + 1]
        return others

    def _points(self, place: Place, horizon: Horizon) -> Ints:
        bound, others = self.bounds[place], self._others_of(place)
        points = np.empty((0, 4), dtype=np.int64)
        if bound.spent < FAR:
            points = trade(
                self._part(place),
                self.columns,
                horizon,
                others,
                bound.time,
                bound.spent,
                bound.largest,
            )
        for time, energy in self._tiled(place):
            if not useless(horizon, others[0] + time, others[1] + energy):
                points = falling(np.append(points, [[time, energy, 0, 0]], axis=0))
        return points


def _others(table: Ints) -> tuple[Ints, Ints]:
    """[2,L+1] lower bounds on the cycles and picojoules of all layers before each, and from it."""
    paths = [shortest_paths(costs) for costs in table]
    reach, onward = (np.stack([path[k] for path in paths]) for k in (0, 1))
    return np.minimum(reach, FAR // 4), np.minimum(onward, FAR // 4)
