"""The least product of energy and latency, on oracles in the place of engines."""

from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from schedules.goal import Weights
from solvers.edp import Front, Line, Vertex, minimise_product
from solvers.reports import Solved

Point = tuple[int, int]


@dataclass
class Record:
    """A progress that checks every bound against the optimum."""

    optimum: int
    objective: int | None = None
    bound: int | None = None
    bounds: list[int] = field(default_factory=list)

    @property
    def proved(self) -> bool:
        return self.objective == self.bound

    def raise_bound(self, bound: int) -> None:
        assert bound <= self.optimum
        self.bounds.append(bound)
        self.bound = bound if self.bound is None else max(self.bound, bound)


class Oracle:
    """Knows all schedules as points (latency, energy), and minimises weighted sums over them.

    Args:
        slack: by which share of the value its bounds are too low.
        largest: weighted sums that it refuses.
    """

    def __init__(
        self, points: list[Point], kind: str = "cpsat", slack: float = 0.0, largest: int = 2**62
    ) -> None:
        self.points = points
        self.progress: Any = Record(min(t * e for t, e in points))
        self.known: list[Any] = []
        self.kind: Any = kind
        self.asked: list[Weights] = []
        self.stop = "optimal" if slack == 0 else "finished"
        self._slack = slack
        self._largest = largest

    def _value(self, weights: Weights) -> tuple[int, Point]:
        a, b = weights
        return min((a * t + b * e, (t, e)) for t, e in self.points)

    def cheap_bound(self, weights: Weights) -> int:
        """Half of the optimum."""
        return self._value(weights)[0] // 2

    def minimise(self, weights: Weights, raise_bound: Any) -> Solved:
        """Find a point, tell bounds on the way."""
        self.asked.append(weights)
        value, (t, e) = self._value(weights)
        if value > self._largest:
            raise ValueError("the numbers are too large")
        bound = value - int(self._slack * value)
        raise_bound(bound // 2)
        self.know(t, e)
        raise_bound(bound)
        return Solved(self.stop, bound)  # type: ignore[arg-type]

    def know(self, t: int, e: int) -> None:
        """Take note of a schedule."""
        self.known.append(SimpleNamespace(costs=SimpleNamespace(latency=t, energy=e)))
        objective = self.progress.objective
        self.progress.objective = t * e if objective is None else min(objective, t * e)

    def enough(self) -> bool:
        """No gap is enough."""
        return False


def points(seed: int, most_latency: int, most_energy: int) -> list[Point]:
    """Points near a trade-off curve: its hull has many corners."""
    draw = Random(seed)
    curve = []
    for _ in range(40):
        t = draw.randint(most_latency // 8, most_latency)
        share = most_latency / t / 8
        curve.append((t, int(most_energy * share * draw.uniform(0.9, 1.2)) + 1))
    return curve


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("kind", ["cpsat", "milp"])
@pytest.mark.parametrize(("latency", "energy"), [(10, 10), (900, 40_000), (3 * 10**7, 10**10)])
def test_exact_weighted_sums_prove_the_least_product(
    seed: int, kind: str, latency: int, energy: int
) -> None:
    oracle = Oracle(points(seed, latency, energy), kind)
    assert minimise_product(oracle) == "optimal"
    assert oracle.progress.objective == oracle.progress.bound == oracle.progress.optimum
    assert len(oracle.asked) == len(set(oracle.asked)) < 30


@pytest.mark.parametrize("seed", range(10))
def test_weak_bounds_end_without_a_proof_and_without_a_wrong_bound(seed: int) -> None:
    oracle = Oracle(points(seed, 900, 40_000), slack=0.01)
    assert minimise_product(oracle) in ("finished", "optimal")
    record = oracle.progress
    assert 0.9 * record.optimum < record.bound <= record.optimum <= record.objective


def test_weights_too_large_for_a_model_are_left_out() -> None:
    oracle = Oracle(points(3, 3 * 10**7, 10**10), largest=2**42)
    assert minimise_product(oracle) in ("finished", "optimal")
    record = oracle.progress
    assert 0.99 * record.optimum < record.bound <= record.optimum == record.objective


@pytest.mark.parametrize("given", [[(0, 5)], [(5, 0), (3, 7)], [(0, 0)], [(4, 6)]])
def test_products_of_nothing_and_single_points(given: list[Point]) -> None:
    oracle = Oracle(given)
    assert minimise_product(oracle) == "optimal"
    assert oracle.progress.bound == oracle.progress.optimum


@pytest.mark.parametrize("stop", ["time-limit", "interrupted", "memory-limit", "infeasible"])
def test_what_ends_an_engine_ends_the_series(stop: str) -> None:
    oracle = Oracle(points(1, 900, 40_000))
    oracle.know(*oracle.points[0])
    oracle.stop = stop
    assert minimise_product(oracle) == stop
    assert len(oracle.asked) == 1


def test_the_vertices_are_where_the_lines_meet() -> None:
    front = Front(2, 1)
    front.add(Weights(1, 1), 10)
    front.add(Weights(3, 1), 18)
    front.add(Weights(1, 5), 3)  # below the others everywhere
    vertex = front.least()
    assert [vertex.latency, vertex.energy, vertex.product] == [Fraction(9), 1, 9]
    assert vertex.left == Line(Weights(1, 1), 10)
    assert front.least_with(Weights(1, 4), 16) == 12
    assert front.least().product == 9  # asking changes nothing


def test_a_vertex_between_integers_bounds_the_product_from_above_its_fraction() -> None:
    front = Front(0, 0)
    front.add(Weights(2, 3), 7)
    front.add(Weights(1, 0), 1)
    front.add(Weights(0, 1), 1)
    assert front.least() == Vertex(
        Fraction(1), Fraction(5, 3), Line(Weights(1, 0), 1), Line(Weights(2, 3), 7)
    )
    assert front.least_with(Weights(1, 1), 0) == 2
