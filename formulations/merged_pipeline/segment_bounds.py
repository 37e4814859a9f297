"""Lower bounds on the cost of all segments, and what a limit on a schedule's cost rules out.

A segment's beat is bounded by three relaxations, each a dynamic program over cluster columns that
lets go of the sharing of chiplets:

- area: the stages' chiplets times their times sum to at most C times the beat;
- min-max: each stage has all chiplets but K-1 to itself;
- the segment's DRAM traffic.

Its energy is bounded by the cheapest stages, and a weighted cost also by area and energy together.
A limited resource (cycles, picojoules, or a weighted cost) then removes the segments that lie on no
path cheap enough (reduced-cost fixing on the shortest path), and from the others the stages that
are too slow, too wide or too dear. With fewer stages the bounds rise, and with them the paths: both
steps are repeated until nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, NamedTuple

import numpy as np

from formulations.merged_pipeline.columns import FAR, Columns
from formulations.merged_pipeline.segment_relaxations import (
    Flags,
    Stages,
    all_other_costs,
    least_slowest,
    least_sums,
    other_costs,
    path_costs,
    path_of,
    tightened,
)
from instances.instance import Instance
from instances.tables import LIMIT, Ints
from schedules.goal import Goal, Weights

SAFE = 2**58
"""Costs below this can be added without a thought for 64 bits."""


class Resource(NamedTuple):
    """What a schedule uses: `cycles` a cycle of latency, `energy` a picojoule without leakage.

    Attributes:
        most: that may be used.
    """

    cycles: int
    energy: int
    most: int


class Start(NamedTuple):
    """What holds for all schedules that obey a goal's pins and limits; no energy has leakage.

    Attributes:
        stages: the cluster columns.
        beats: [K+1] how often a segment in k clusters pays its beat.
        least: [L,L,K+1] cycles, a lower bound on the beat of segment s..e in k clusters.
        spent: [L,L,K+1] picojoules a sample, a lower bound on those of its stages.
        load: [L,L] cycles to load the segment.
        energy: [L,L] picojoules of a segment but for its stages.
        tiled: [L] cycles of a tiled layer; FAR where it cannot be.
        tiled_energy: [L] picojoules.
    """

    stages: Stages
    beats: Ints
    least: Ints
    spent: Ints
    load: Ints
    energy: Ints
    tiled: Ints
    tiled_energy: Ints


def start(instance: Instance, goal: Goal, columns: Columns, priced: bool) -> Start:
    """The bounds before any resource is limited.

    Args:
        instance: restricted to the goal.
        priced: whether the columns know energies.
    """
    tables, batch, count = instance.tables, instance.batch, len(instance.tables.layers)
    clusters, segments = goal.allowed_clusters(count), goal.allowed_segments(count)
    most = min(count, tables.chiplets, goal.clusters or count)
    stages = _stages(columns, clusters, LIMIT // batch if priced else None)
    taken = stages.times < FAR
    area = least_sums(np.where(taken, stages.times * stages.chiplets, FAR).min(axis=2), most)
    shared = np.where(area < FAR, -(-area // tables.chiplets), FAR)
    fastest = np.where(clusters[:, :, None], np.minimum.accumulate(columns.times, axis=2), FAR)
    least = np.maximum(np.maximum(shared, least_slowest(fastest, most)), tables.io[:, :, None])
    least[~segments | (least.min(axis=2) > LIMIT // batch)] = FAR
    spent = least_sums(np.where(taken, stages.energies, FAR).min(axis=2), most)
    io, alone = tables.energy.io, tables.energy.alone
    small = tables.alone <= LIMIT // batch
    if priced:
        least[io > LIMIT // batch] = FAR
        small &= alone <= LIMIT // batch
    may_tile = (tables.alone >= 0) & small & np.diagonal(segments & clusters)
    return Start(
        stages=stages,
        beats=batch + np.arange(most + 1) - 1,
        least=least,
        spent=spent,
        load=_sums(tables.load),
        energy=_sums(tables.energy.load) + batch * np.minimum(io, LIMIT // batch),
        tiled=np.where(may_tile, tables.load + batch * np.where(may_tile, tables.alone, 0), FAR),
        tiled_energy=tables.energy.load + batch * np.minimum(alone, LIMIT // batch),
    )


def _stages(columns: Columns, allowed: Flags, dearest: int | None) -> Stages:
    """The columns of allowed clusters; without energies if `dearest` (picojoules) is None."""
    if dearest is None:
        chiplets = columns.times.shape[2]
        times = np.where(allowed[:, :, None], columns.times, FAR)
        sizes = np.broadcast_to(np.arange(1, chiplets + 1), times.shape)
        energies = np.zeros_like(times)
    else:
        times, sizes, energies = _listed(columns, allowed, dearest)
    # What is no column goes to the end, where it can be cut off.
    order = np.argsort(times == FAR, axis=2, kind="stable")
    slots = max(1, int((times < FAR).sum(axis=2).max()))
    return Stages(
        *(
            np.ascontiguousarray(np.take_along_axis(table, order, axis=2)[:, :, :slots])
            for table in (times, sizes, energies)
        )
    )


def _listed(columns: Columns, allowed: Flags, dearest: int) -> tuple[Ints, Ints, Ints]:
    """Times, chiplets and energies [L,L,N], by chiplets, then energy."""
    found = {
        (first, last): sorted(
            (column.chiplets, column.energy, column.time)
            for column in columns.of(first, last)
            if column.energy <= dearest
        )
        for first, last in np.argwhere(allowed).tolist()
    }
    slots = max([1, *map(len, found.values())])
    tables = np.full((3, *allowed.shape, slots), FAR, dtype=np.int64)
    for (first, last), rows in found.items():
        if rows:
            tables[:, first, last, : len(rows)] = np.array(rows).T
    sizes, energies, times = tables
    return times, sizes, energies


def _sums(load: Ints) -> Ints:
    """[L,L] the sum over the layers s..e."""
    before = np.concatenate([[0], np.cumsum(load)])
    return np.ascontiguousarray(before[None, 1:] - before[:-1, None])


def resources(
    known: Start, goal: Goal, weights: Weights, leakage: int, limit: int | None
) -> list[Resource]:
    """The objective first, then what the goal caps.

    Raises:
        ValueError: costs are too large to be added in 64 bits.
    """
    cycles, energy = weights.latency + weights.energy * leakage, weights.energy
    most = _worst(known, cycles, energy)
    found = [Resource(cycles, energy, most if limit is None else min(limit, most))]
    if goal.latency_cap is not None:
        found.append(Resource(1, 0, min(goal.latency_cap, LIMIT)))
    if goal.energy_cap is not None:
        found.append(Resource(leakage, 1, min(goal.energy_cap, LIMIT)))
    if found[0].most >= SAFE:
        raise ValueError(
            f"the numbers are too large for 64-bit integers: costs may reach {found[0].most:.1e},"
            f" the limit is {SAFE:.1e}; use larger units, or smaller weights"
        )
    return found


def _worst(known: Start, cycles: int, energy: int) -> int:
    """No schedule costs more."""
    stages, count = known.stages, len(known.tiled)

    def most(table: Ints) -> int:
        return int(table[table < FAR].max(initial=0))

    beat = max(most(stages.times), most(known.least))
    latency = count * max(most(known.load) + int(known.beats[-1]) * beat, most(known.tiled))
    joules = count * (most(known.energy) + most(known.tiled_energy))
    joules += count * int(known.beats[1]) * most(stages.energies)
    return cycles * min(LIMIT, latency) + energy * min(LIMIT, joules)


class Bounds:
    """Lower bounds for the schedules that keep to all resources.

    Attributes:
        bound: no such schedule has an objective below; None if there is no such schedule.

    Args:
        segments: most that a schedule may have; 0 if there may be any number.
    """

    def __init__(
        self, known: Start, chiplets: int, resources: Sequence[Resource], segments: int
    ) -> None:
        self._known, self._chiplets, self._segments = known, chiplets, segments
        self._resources = list(resources)
        self._priced = any(resource.energy > 0 for resource in resources)
        self._least, self._spent, self._tiled = known.least, known.spent.copy(), known.tiled
        self._floors = [np.zeros_like(known.least) for _ in resources]
        self.bound: int | None = None
        self._price()

    def limited(self, most: int) -> Bounds:
        """Bounds for the schedules whose objective is at most `most`."""
        tighter = copy(self)
        tighter._resources = [self._resources[0]._replace(most=most), *self._resources[1:]]
        tighter._floors = [floor.copy() for floor in self._floors]
        tighter._spent = self._spent.copy()
        tighter._price()
        return tighter

    def tiled(self) -> list[int]:
        """Layers that may be tiled."""
        return np.flatnonzero(self._tiled < FAR).tolist()

    def open(self) -> list[tuple[int, int, int]]:
        """(first, last, clusters) of the segments that are not out of the question."""
        return [(s, e, k) for s, e, k in np.argwhere(self._least < FAR).tolist()]

    def useful(self, first: int, last: int, clusters: int) -> tuple[int, Flags]:
        """The least beat of an open segment, FAR if it is out of the question, and its stages.

        The stages are [n,n,N] flags, those of its own layers.
        """
        least, _, useful = self._tightened(first, last, clusters)
        return least, useful

    def approach(self) -> None:
        """Raise the bounds of the segments on the cheapest path, until that path stands."""
        limit, most = self._resources[0].most, self._most[0]
        seen = np.full_like(most, FAR)
        standing = False
        while self.bound is not None and not standing:
            before, after = path_costs(self._cheapest, self._segments)
            self.bound = None if before[-1, -1] > limit else int(before[-1, -1])
            path = [] if self.bound is None else path_of(self._cheapest, before).tolist()
            standing = True
            for first, last in path:
                most[first, last] = limit - other_costs(before, after, first, last)
                if most[first, last] < seen[first, last]:
                    seen[first, last] = most[first, last]
                    standing = False
                    self._raise_all(first, last)

    def tighten(self) -> None:
        """Raise the bounds of all open segments until nothing changes."""
        self._price()
        changed = True
        while changed and self.bound is not None:
            before = self._costs
            for place in self.open():
                self._raise(*place)
            self._price()
            changed = not all(map(np.array_equal, before, self._costs))

    def _raise_all(self, first: int, last: int) -> None:
        """Raise the bounds of a segment in any number of clusters, and with them its cost."""
        for clusters in np.flatnonzero(self._least[first, last] < FAR).tolist():
            self._raise(first, last, clusters)
        costs = self._costs_in(0, np.s_[first, last])
        self._costs[0][first, last] = costs
        self._cheapest[first, last] = costs.min()
        if first == last:
            self._cheapest[first, last] = min(costs.min(), self._tiled_in(0)[first])

    def _raise(self, first: int, last: int, clusters: int) -> None:
        """Raise the bounds of an open segment."""
        place = first, last, clusters
        self._least[place], sums, _ = self._tightened(*place)
        if self._least[place] == FAR or len(sums) == 1:
            return
        self._spent[place] = sums[1]
        mixed = [f for f, r in zip(self._floors, self._resources, strict=True) if self._is_mixed(r)]
        for floor, total in zip(mixed, sums[2:].tolist(), strict=True):
            floor[place] = -(-total // self._chiplets)

    def _price(self) -> None:
        """Costs from the beats and energies, and what a segment may cost beside the others.

        Closes the segments that cost too much; `_costs` and `_most` have an entry a resource.
        """
        self._costs: list[Ints] = []
        self._most: list[Ints] = []
        self._least = self._trimmed()
        taken, tiles, least_totals = self._least < FAR, self._tiled < FAR, []
        for number, r in enumerate(self._resources):
            costs, tiled = self._costs_in(number, np.s_[:, :]), self._tiled_in(number)
            cheapest = costs.min(axis=2)
            np.fill_diagonal(cheapest, np.minimum(np.diagonal(cheapest), tiled))
            if number == 0:
                self._cheapest = cheapest
            before, after = path_costs(cheapest, self._segments)
            least_totals.append(int(before[-1, -1]))
            most = r.most - all_other_costs(before, after)
            self._costs.append(costs)
            self._most.append(most)
            taken &= costs <= most[:, :, None]
            tiles &= tiled <= np.diagonal(most)
        self._least = np.where(taken, self._least, FAR)
        self._tiled = np.where(tiles, self._tiled, FAR)
        within = all(t <= r.most for t, r in zip(least_totals, self._resources, strict=True))
        self.bound = least_totals[0] if within else None

    def _costs_in(self, number: int, where: Any) -> Ints:
        """[...,K+1] what segments use of a resource at least; FAR where they are closed.

        Args:
            where: the segments, an index of [L,L].
        """
        known, r = self._known, self._resources[number]
        taken = self._least[where] < FAR
        least, spent = np.where(taken, self._least[where], 0), self._spent[where]
        running = r.cycles * known.beats * least
        running += r.energy * known.beats[1] * np.where(taken, spent, 0)
        once = r.cycles * known.load[where] + r.energy * known.energy[where]
        costs = np.maximum(running, self._floors[number][where]) + once[..., None]
        return np.where(taken, costs, FAR)

    def _tiled_in(self, number: int) -> Ints:
        """[L] what tiled layers use of a resource; FAR where they are closed."""
        known, r, tiles = self._known, self._resources[number], self._tiled < FAR
        used = r.cycles * np.where(tiles, known.tiled, 0) + r.energy * known.tiled_energy
        return np.where(tiles, used, FAR)

    def _trimmed(self) -> Ints:
        """The least beats, without the segments of which a part alone costs too much."""
        known = self._known
        close = np.zeros_like(self._least, dtype=np.bool_)
        for r in self._resources:
            if r.cycles > 0:
                close |= self._least > r.most // (r.cycles * known.beats.clip(1))
                close |= known.load[:, :, None] > r.most // r.cycles
            if r.energy > 0:
                close |= self._spent > r.most // (r.energy * int(known.beats[1]))
                close |= known.energy[:, :, None] > r.most // r.energy
                dear = known.tiled_energy > r.most // r.energy
                self._tiled = np.where(dear, FAR, self._tiled)
        return np.where(close, FAR, self._least)

    def _is_mixed(self, resource: Resource) -> bool:
        """Whether cycles and energy are bounded together, which needs larger numbers."""
        large = 4 * self._chiplets * resource.most >= SAFE
        return resource.cycles > 0 and resource.energy > 0 and not large

    def _tightened(self, first: int, last: int, clusters: int) -> tuple[int, Ints, Flags]:
        """`tightened` for an open segment, by what its resources leave for it."""
        known, place = self._known, (first, last, clusters)
        paid, batch = int(known.beats[clusters]), int(known.beats[1])
        least, spent = int(self._least[place]), int(self._spent[place])
        longest, dearest, mixed = LIMIT // batch, LIMIT // batch, []
        for r, left in zip(self._resources, self._most, strict=True):
            most = int(left[first, last]) - r.cycles * int(known.load[first, last])
            most -= r.energy * int(known.energy[first, last])
            if r.cycles > 0:
                longest = min(longest, (most - r.energy * batch * spent) // (r.cycles * paid))
            if r.energy > 0:
                dearest = min(dearest, (most - r.cycles * paid * least) // (r.energy * batch))
            if self._is_mixed(r):
                both = r.cycles * paid, r.energy * batch * self._chiplets, self._chiplets * most
                mixed.append(both)
        forms = [(1, 0, self._chiplets * longest)]
        if self._priced:
            forms += [(0, 1, dearest), *mixed]
        return tightened(
            known.stages, first, last, clusters, self._chiplets, least, np.array(forms)
        )
