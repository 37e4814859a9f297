"""Fronts of cycles and picojoules: they have the points that no other one beats, and no others."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from solvers.multi_model.fronts import Fronts, after, beside, closed, either, gather

SETS = 4

Point = tuple[int, int]
Points = dict[int, list[Point]]

points = st.lists(st.tuples(st.integers(0, SETS - 1), st.integers(1, 9), st.integers(1, 9)))


def table(drawn: list[tuple[int, int, int]]) -> Fronts:
    """The closed table of drawn points: set, cycles, picojoules."""
    keys, time, energy = np.array(drawn, dtype=np.int64).reshape(-1, 3).T
    return closed(gather(keys, time, energy, np.arange(len(keys)), SETS))


def of(fronts: Fronts) -> list[list[Point]]:
    """By set, its points."""
    return [
        list(zip(fronts.time[a:b].tolist(), fronts.energy[a:b].tolist(), strict=True))
        for a, b in zip(fronts.ends, fronts.ends[1:], strict=False)
    ]


def best(found: list[Point]) -> list[Point]:
    """Those that no other one beats, by rising cycles."""
    return sorted(
        {p for p in found if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in found)}
    )


def plain(drawn: list[tuple[int, int, int]]) -> list[list[Point]]:
    """By set, the points of its subsets."""
    return [[(t, e) for key, t, e in drawn if key & mask == key] for mask in range(SETS)]


@given(points)
def test_a_closed_table_has_the_best_of_all_subsets(drawn: list[tuple[int, int, int]]) -> None:
    assert of(table(drawn)) == [best(own) for own in plain(drawn)]


@given(points, points)
def test_models_beside_each_other_take_disjoint_sets_and_the_slower_ones_time(
    a: list[tuple[int, int, int]], b: list[tuple[int, int, int]]
) -> None:
    found = of(beside(table(a), table(b), whole=False))
    for mask in range(SETS):
        pairs = [
            (max(s, t), d + e)
            for (i, s, d), (j, t, e) in product(a, b)
            if not i & j and (i | j) & mask == i | j
        ]
        assert found[mask] == best(pairs)
    last = of(beside(table(a), table(b), whole=True))
    assert last == [[], [], [], found[-1]]


@given(points, points)
def test_models_after_each_other_take_the_same_chiplets_and_both_times(
    a: list[tuple[int, int, int]], b: list[tuple[int, int, int]]
) -> None:
    found = of(after(table(a), table(b), whole=False))
    for mask in range(SETS):
        own = product(plain(a)[mask], plain(b)[mask])
        assert found[mask] == best([(s + t, d + e) for (s, d), (t, e) in own])


@given(points, points)
def test_either_of_two_tables_has_the_best_of_both(
    a: list[tuple[int, int, int]], b: list[tuple[int, int, int]]
) -> None:
    both = either(table(a), table(b))
    assert of(both) == [best(own) for own in plain(a + b)]
    parts = table(a), table(b)
    for n in range(len(both.time)):
        part = parts[both.right[n]]
        assert (part.time[both.left[n]], part.energy[both.left[n]]) == (
            both.time[n],
            both.energy[n],
        )
