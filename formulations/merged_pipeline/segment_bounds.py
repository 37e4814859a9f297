"""Lower bounds on the cost of all segments, and what a limit on a schedule's cost rules out.

A segment's beat is bounded by three relaxations, each a dynamic program over cluster columns that
lets go of the sharing of chiplets:

- area: the stages' chiplets times their times sum to at most C times the beat;
- min-max: the k-th stage has at most C-k+1 chiplets, as each one before it needs one;
- the segment's DRAM traffic.

Its energy is bounded by the cheapest stages, and a weighted cost also by area and energy together.
A limited resource (cycles, picojoules, or a weighted cost) then removes the segments that lie on no
path cheap enough (reduced-cost fixing on the shortest path), and from the others the stages that
are too slow, too wide or too dear. With fewer stages the bounds rise, and with them the paths: both
steps are repeated until nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np

from formulations.merged_pipeline.columns import FAR
from formulations.merged_pipeline.segment_relaxations import (
    Flags,
    all_other_costs,
    other_costs,
    path_costs,
    path_of,
    tightened,
)
from formulations.merged_pipeline.segment_start import SAFE, Resource, Start
from instances.tables import LIMIT, Ints

FINENESS = 4096
"""A segment's bounds are raised again if its room shrinks by this fraction of the limit."""


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
        self._proved = np.zeros_like(known.load)
        self._raised_in = np.full_like(known.load, FAR)
        self.bound: int | None = None
        self._price()

    def limited(self, most: int) -> Bounds:
        """Bounds for the schedules whose objective is at most `most`; what is proved is shared."""
        tighter = copy(self)
        others = [resource.limited(most) for resource in self._resources[1:]]
        tighter._resources = [self._resources[0]._replace(most=most), *others]
        tighter._floors = [floor.copy() for floor in self._floors]
        tighter._spent = self._spent.copy()
        tighter._raised_in = np.full_like(self._raised_in, FAR)
        tighter._price()
        return tighter

    def tiled(self) -> list[int]:
        """Layers that may be tiled."""
        return np.flatnonzero(self._tiled < FAR).tolist()

    def open(self, part: tuple[int, int] | None = None) -> list[tuple[int, int, int]]:
        """(first, last, clusters) of the segments that are not out of the question.

        Args:
            part: first and last layer, if only that segment is asked for.
        """
        if part is not None:
            return [(*part, k) for k in np.flatnonzero(self._least[part] < FAR).tolist()]
        return [(s, e, k) for s, e, k in np.argwhere(self._least < FAR).tolist()]

    def useful(self, first: int, last: int, clusters: int) -> tuple[int, Flags]:
        """The least beat of an open segment, FAR if it is out of the question, and its stages.

        The stages are [n,n,N] flags, those of its own layers.
        """
        least, _, useful = self._tightened(first, last, clusters)
        return least, useful

    def approach(self) -> None:
        """Raise the bounds of the segments on the cheapest path, until that path stands."""
        limit, rooms = self._resources[0].most, self._most[0]
        little = limit // FINENESS
        standing = False
        while self.bound is not None and not standing:
            before, after = path_costs(self._cheapest, self._segments)
            self.bound = None if before[-1, -1] > limit else int(before[-1, -1])
            standing = True
            for first, last in self.path():
                room = limit - other_costs(before, after, first, last)
                rooms[first, last] = min(rooms[first, last], room)
                if rooms[first, last] < self._raised_in[first, last] - little:
                    self._raised_in[first, last] = rooms[first, last]
                    standing = False
                    self._raise_all(first, last)

    def path(self) -> list[tuple[int, int]]:
        """First and last layer of the segments on the cheapest path; none if there is none."""
        if self.bound is None:
            return []
        before, _ = path_costs(self._cheapest, self._segments)
        return [(first, last) for first, last in path_of(self._cheapest, before).tolist()]

    def room(self, first: int, last: int) -> int:
        """What a segment may add to the objective."""
        return int(self._most[0][first, last])

    def prove(self, first: int, last: int, cost: int) -> None:
        """Take note that a segment adds at least `cost` to the objective, whatever the limit."""
        self._proved[first, last] = max(self._proved[first, last], cost)
        self._price_one(first, last)

    def tighten(self, pause: Callable[[], object]) -> None:
        """Raise the bounds of all open segments until nothing changes.

        Args:
            pause: called now and then; what it raises ends this.
        """
        self._price()
        changed = True
        while changed and self.bound is not None:
            before = self._costs
            for place in self.open():
                pause()
                self._raise(*place)
            self._price()
            changed = not all(map(np.array_equal, before, self._costs))

    def _raise_all(self, first: int, last: int) -> None:
        """Raise the bounds of a segment in any number of clusters, and with them its cost."""
        for place in self.open((first, last)):
            self._raise(*place)
        self._price_one(first, last)

    def _price_one(self, first: int, last: int) -> None:
        """The least that a segment adds to the objective."""
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
        if number == 0:
            costs = np.maximum(costs, self._proved[where][..., None])
        return np.where(taken, costs, FAR)

    def _tiled_in(self, number: int) -> Ints:
        """[L] what tiled layers use of a resource; FAR where they are closed."""
        known, r, tiles = self._known, self._resources[number], self._tiled < FAR
        used = r.cycles * np.where(tiles, known.tiled, 0) + r.energy * known.tiled_energy
        if number == 0:
            used = np.maximum(used, np.diagonal(self._proved))
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
