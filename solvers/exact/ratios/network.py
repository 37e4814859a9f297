"""Shortest paths over segments in states, and the segments' bounds to begin with."""

from __future__ import annotations

from typing import Any

import numpy as np

from instances.instance import Instance
from instances.jit import compiled
from instances.ratio_tables import relaxed
from instances.tables import Ints
from schedules.goal import Flags
from schedules.progress import Progress
from solvers.exact.labels import FAR
from solvers.exact.ratios.segments import UNBOUND
from solvers.exact.ratios.states import States
from solvers.exact.search import Search

Place = tuple[int, int]
"""First and last layer of a segment."""


class Segments:
    """Every segment that can matter, and what it costs at least from state to state.

    Attributes:
        number: (first, last) -> number of the segment, by rising last layer.
        least: [P] a lower bound on its beat.
        probed: (first, last) of the segments whose bounds were raised.
    """

    def __init__(self, states: States, lower: Ints, least: Ints) -> None:
        """Take note of the segments.

        Args:
            lower: [L,L] a lower bound on the cycles of each, load included; FAR if it cannot be.
            least: [L,L] the same of its beat.
        """
        self._states = states
        places = [(f, e) for e in range(len(lower)) for f in np.flatnonzero(lower[:, e] < FAR)]
        self.number = {(int(f), int(e)): n for n, (f, e) in enumerate(places)}
        self.probed: set[Place] = set()
        self._places = np.array(places, dtype=np.int64).reshape(-1, 2)
        where = tuple(self._places.T)
        self._lower, self.least = lower[where], least[where]
        widths = np.diff(states.first)
        self._first, self._after = self._places[:, 0], self._places[:, 1] + 1
        sizes = widths[self._first] * widths[self._after]
        self._offset = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._backward = np.argsort(-self._first, kind="stable")
        self._costs = np.empty(int(self._offset[-1]), dtype=np.int64)
        self._exact = np.zeros(int(self._offset[-1]), dtype=np.bool_)

    def reset(self, scale: int) -> None:
        """Forget what was settled; every cost is its lower bound at this scale."""
        self.probed = set()
        self._exact[:] = False
        self._costs[:] = np.repeat(scale * self._lower, np.diff(self._offset))

    def put(self, place: Place, costs: Ints) -> None:
        """Settle a segment: [S,T] its priced costs, UNBOUND where nothing new is known."""
        known = costs < UNBOUND
        self.of(place)[known] = costs[known]
        self.exact(place)[known] = True

    def raise_to(self, place: Place, costs: Ints) -> None:
        """Raise the lower bounds of a segment: [S,T] by states of its two cuts."""
        own, bounds = self.of(place), ~self.exact(place)
        own[bounds] = np.maximum(own, costs)[bounds]
        self.probed.add(place)

    def of(self, place: Place) -> Ints:
        """[S,T] what a segment costs at least."""
        return self._part(self._costs, place)

    def exact(self, place: Place) -> Flags:
        """[S,T] whether that is what it costs."""
        return self._part(self._exact, place)

    def _part(self, table: Any, place: Place) -> Any:
        n, first = self.number[place], self._states.first
        shape = (
            int(first[place[0] + 1] - first[place[0]]),
            int(first[place[1] + 2] - first[place[1] + 1]),
        )
        return table[self._offset[n] : self._offset[n + 1]].reshape(shape)

    def reach(self) -> Ints:
        """[N] the least cost from the start to each node."""
        return forward(self._states.first, self._first, self._after, self._offset, self._costs)

    def onward(self) -> Ints:
        """[N] the least cost from each node to the end."""
        return backward(
            self._states.first,
            self._first,
            self._after,
            self._offset,
            self._costs,
            self._backward,
        )

    def path(self, reach: Ints) -> list[tuple[Place, int, int]]:
        """(segment, source, target) of the shortest path, in order; its end must be reached."""
        steps = []
        node = len(reach) - 1
        while node > 0:
            steps.append(self._step_to(node, reach))
            node = steps[-1][1]
        return steps[::-1]

    def _step_to(self, node: int, reach: Ints) -> tuple[Place, int, int]:
        after = self._states.cut_of(node)
        begin = self._states.first
        for n in np.flatnonzero(self._after == after).tolist():
            place = int(self._first[n]), after - 1
            sources = reach[begin[place[0]] : begin[place[0] + 1]]
            totals = added(sources, self.of(place)[:, node - begin[after]])
            best = int(np.argmin(totals))
            if totals[best] == reach[node]:
                return place, int(begin[place[0]]) + best, node
        raise AssertionError("every node that is reached is reached by a segment")


def added(a: Ints, b: Ints) -> Ints:
    """Sums of costs; UNBOUND where either is."""
    total: Ints = np.where((a >= UNBOUND) | (b >= UNBOUND), UNBOUND, np.minimum(a, UNBOUND) + b)
    return total


@compiled
def forward(begin: Ints, firsts: Ints, afters: Ints, offset: Ints, costs: Ints) -> Ints:
    """[N] the least cost from node 0; segments come by rising last layer."""
    reach = np.full(begin[-1], UNBOUND, dtype=np.int64)
    reach[0] = 0
    for n in range(firsts.shape[0]):
        at = offset[n]
        for source in range(begin[firsts[n]], begin[firsts[n] + 1]):
            for target in range(begin[afters[n]], begin[afters[n] + 1]):
                if reach[source] < UNBOUND and costs[at] < UNBOUND:
                    reach[target] = min(reach[target], reach[source] + costs[at])
                at += 1
    return reach


@compiled
def backward(
    begin: Ints, firsts: Ints, afters: Ints, offset: Ints, costs: Ints, order: Ints
) -> Ints:
    """[N] the least cost to the last node; segments come by falling first layer in `order`."""
    onward = np.full(begin[-1], UNBOUND, dtype=np.int64)
    onward[-1] = 0
    for n in order:
        at = offset[n]
        for source in range(begin[firsts[n]], begin[firsts[n] + 1]):
            for target in range(begin[afters[n]], begin[afters[n] + 1]):
                if onward[target] < UNBOUND and costs[at] < UNBOUND:
                    onward[source] = min(onward[source], onward[target] + costs[at])
                at += 1
    return onward


def bounds(instance: Instance, progress: Progress, workers: int) -> tuple[Ints, Ints, Ints]:
    """[L,L] lower bounds on cycles and beats of segments; [L,L,C] on the times of clusters.

    FAR where one cannot be, or cannot be in a schedule that is better than the incumbent.
    """
    plain = Search(relaxed(instance), progress, workers, merging=True)
    least = np.minimum(plain.least, FAR)
    tiled = np.flatnonzero(plain.alone >= 0)
    least[tiled, tiled] = np.minimum(least[tiled, tiled], plain.alone[tiled])
    return plain.lower, least, plain.stages.times
