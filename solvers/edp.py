"""The least product of energy and latency, as a series of weighted sums.

The product is quasi-concave where both are non-negative, so over any polyhedron it is least at a
vertex. Every weighted sum that an engine bounds, a T + b E >= v, is a half-plane that holds for
all schedules; the least product over the vertices of all of them bounds the optimum. The next
weights are those that cut off the vertex where it is reached: they are normal to the edge between
the schedules that were found on either side of it, or follow the product's gradient there. The
optimum is a schedule that some weighted sum finds, for it is a vertex of the convex hull.

Side constraints are in the models; half-planes and vertices are exact fractions.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, gcd
from typing import Any, Protocol

from schedules.goal import Costed, Weights
from schedules.progress import Keeper, Stop
from solvers.engines.engine import Kind
from solvers.reports import RaiseBound, Solved

LARGEST = {"cpsat": (2**44, 2**50, 2**56, 2**38), "milp": (2**40, 2**46, 2**52)}
"""Weighted sums stay near these where they can, one after the other. CP-SAT cannot have larger
ones, and some models not even these; for MILP engines the integers between doubles end soon."""

logger = logging.getLogger("chipweave")

Points = list[tuple[int, int]]
"""(latency, energy) of schedules."""


class Known(Protocol):
    """A schedule that obeys the goal."""

    @property
    def costs(self) -> Costed:
        """What it costs."""
        ...


class WeightedSearch(Protocol):
    """Minimises weighted sums of latency and energy, and keeps what it finds."""

    @property
    def progress(self) -> Keeper[Any]:
        """That of the whole run; its objective is the product."""
        ...

    @property
    def known(self) -> Sequence[Known]:
        """Schedules that obey the goal."""
        ...

    @property
    def kind(self) -> Kind:
        """Of the engine."""
        ...

    def cheap_bound(self, weights: Weights) -> int | None:
        """A lower bound on a weighted cost that takes no search; None if there is none."""
        ...

    def minimise(self, weights: Weights, raise_bound: RaiseBound) -> Solved:
        """Find and prove the least weighted cost, as far as the limits allow."""
        ...

    def enough(self) -> bool:
        """Whether the search may end before a proof."""
        ...


@dataclass(frozen=True)
class Line:
    """weights.latency T + weights.energy E >= value, for every schedule."""

    weights: Weights
    value: int

    def energy_at(self, latency: Fraction) -> Fraction:
        """The least energy that it allows at a latency; only for a line that is not upright."""
        return (self.value - self.weights.latency * latency) / self.weights.energy

    @property
    def slope(self) -> Fraction:
        """Picojoules for a cycle."""
        return Fraction(-self.weights.latency, self.weights.energy)

    def touches(self, points: Points) -> Points:
        """Those of the points that lie on the line."""
        a, b = self.weights
        return [(t, e) for t, e in points if a * t + b * e == self.value]


@dataclass(frozen=True)
class Vertex:
    """A corner of the polyhedron, and the lines that meet there."""

    latency: Fraction
    energy: Fraction
    left: Line
    right: Line

    @property
    def product(self) -> Fraction:
        """Energy times latency."""
        return self.latency * self.energy


class Front:
    """The polyhedron of all half-planes known so far.

    Args:
        latency, energy: lower bounds on each alone.
    """

    def __init__(self, latency: int, energy: int) -> None:
        self._values = {Weights(1, 0): latency, Weights(0, 1): energy}

    def add(self, weights: Weights, value: int) -> None:
        """Take note of a half-plane."""
        self._values[weights] = max(value, self._values.get(weights, value))

    def least(self) -> Vertex:
        """The vertex with the least product."""
        return min(self._vertices(), key=lambda vertex: vertex.product)

    def least_with(self, weights: Weights, value: int) -> int:
        """A lower bound on the product, were this half-plane known, too."""
        front = Front(0, 0)
        front._values = dict(self._values)
        front.add(weights, value)
        return ceil(front.least().product)

    def _vertices(self) -> Iterator[Vertex]:
        """From left to right, along the upper envelope of the lines."""
        upright = Line(Weights(1, 0), self._values[Weights(1, 0)])
        lines = [Line(weights, value) for weights, value in self._values.items() if weights.energy]
        latency = Fraction(upright.value)
        energy = max(line.energy_at(latency) for line in lines)
        highest = [line for line in lines if line.energy_at(latency) == energy]
        line = max(highest, key=lambda line: line.slope)
        yield Vertex(latency, energy, upright, line)
        while line.slope < 0:
            crossings = [
                (_crossing(line, other), -other.slope, place)
                for place, other in enumerate(lines)
                if other.slope > line.slope
            ]
            latency, _, place = min(crossings)
            left, line = line, lines[place]
            yield Vertex(latency, line.energy_at(latency), left, line)


def _crossing(first: Line, second: Line) -> Fraction:
    """The latency where two lines of different slopes meet."""
    (a, b), (c, d) = first.weights, second.weights
    return Fraction(first.value * d - second.value * b, a * d - c * b)


def minimise_product(search: WeightedSearch) -> Stop:
    """Minimise the product over all schedules that obey the goal.

    Ends 'finished', with a valid bound, if the engine's numbers are too coarse for a proof.
    """
    progress = search.progress
    front = Front(_cheap_bound(search, Weights(1, 0)), _cheap_bound(search, Weights(0, 1)))
    tried: set[Weights] = set()
    if not search.known:
        tried.add(Weights(1, 0))
        stop = _cut(search, front, Weights(1, 0))
        if stop is not None or not search.known:
            return stop or "finished"
    while True:
        vertex = front.least()
        assert progress.objective is not None
        progress.raise_bound(min(ceil(vertex.product), progress.objective))
        if progress.proved:
            return "optimal"
        if search.enough():
            return "gap-limit"
        weights = _next_weights(search, vertex, tried)
        if weights is None:
            return "finished"
        tried.add(weights)
        stop = _cut(search, front, weights)
        if stop is not None:
            return stop


def _cheap_bound(search: WeightedSearch, weights: Weights) -> int:
    """What a model knows before it is solved."""
    return max(0, search.cheap_bound(weights) or 0)


def _cut(search: WeightedSearch, front: Front, weights: Weights) -> Stop | None:
    """Add the half-plane of some weights; why the search must end, None if it need not."""
    progress = search.progress

    def raise_bound(value: int) -> None:
        least = front.least_with(weights, value)
        progress.raise_bound(
            min(least, least if progress.objective is None else progress.objective)
        )

    try:
        solved = search.minimise(weights, raise_bound)
    except ValueError as error:
        logger.info("weights %s left out: %s", weights, error)  # too large for this model
        return None
    if solved.bound is not None:
        front.add(weights, solved.bound)
    return None if solved.stop in ("optimal", "finished") else solved.stop


def _next_weights(search: WeightedSearch, vertex: Vertex, tried: set[Weights]) -> Weights | None:
    """Weights that may cut the vertex off, and have not been tried; None if there are none."""
    points = [(known.costs.latency, known.costs.energy) for known in search.known]
    wanted = [
        *_edge(vertex, points),
        (vertex.energy, vertex.latency),
        *((Fraction(line.weights[0]), Fraction(line.weights[1])) for line in _sides(vertex)),
    ]
    worst = max(points)[0], max(energy for _, energy in points)
    scaled = (
        _whole(a, b, worst, largest)
        for largest in LARGEST[search.kind]
        for a, b in wanted
        if a >= 0 and b >= 0 and a + b > 0
    )
    return next((weights for weights in scaled if weights not in tried), None)


def _sides(vertex: Vertex) -> tuple[Line, Line]:
    return vertex.left, vertex.right


def _edge(vertex: Vertex, points: Points) -> list[tuple[Fraction, Fraction]]:
    """The normal of the edge between the nearest schedules on the two lines, if they have any."""
    on_left, on_right = vertex.left.touches(points), vertex.right.touches(points)
    if not on_left or not on_right:
        return []
    (t1, e1), (t2, e2) = max(on_left), min(on_right)
    return [(Fraction(e1 - e2), Fraction(t2 - t1))]


def _whole(a: Fraction, b: Fraction, worst: tuple[int, int], largest: int) -> Weights:
    """Integers in about the ratio a to b, with a weighted sum of `worst` up to about `largest`."""
    scale = a.denominator * b.denominator
    first, second = int(a * scale), int(b * scale)
    common = gcd(first, second)
    first, second = first // common, second // common
    total = first * worst[0] + second * worst[1]
    if total > largest:
        least = min(filter(None, (first, second)))
        divisor = min(Fraction(total, largest), Fraction(least))
        first, second = round(first / divisor), round(second / divisor)
    common = gcd(first, second)
    return Weights(first // common, second // common)
