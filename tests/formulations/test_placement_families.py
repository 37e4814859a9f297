"""The candidate model of placement: each constraint family binds, and hints are complete."""

from collections.abc import Callable
from typing import Any

import pytest

from formulations.modellers import Modeller
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller
from formulations.placement.candidates import candidates
from formulations.placement.places import CONSTRAINTS, ByCandidates
from instances.mesh import Mesh
from schedules.placement import PlacementProblem, misplaced, placement_cost
from schedules.traffic import DRAM, Stream

Solve = Callable[[Any], tuple[int, Any] | None]
AtHint = Callable[[Any], tuple[int, Any]]
Kind = Callable[[], Modeller]


def optimum(
    problem: PlacementProblem, kind: Kind, solve: Solve, *left_out: str, **given: Any
) -> int | None:
    """The model's optimum in bytes, without some constraint families; None without a solution."""
    assert set(left_out) <= set(CONSTRAINTS)
    built = [name for name in CONSTRAINTS if name not in left_out]
    model = ByCandidates(candidates(problem, "free"), kind(), constraints=built, **given)
    found = solve(model)
    return None if found is None else model.unit * found[0]


def row(*streams: tuple[int, int, int]) -> PlacementProblem:
    """Three regions of one chiplet on a row of three, with the DRAM at its left end."""
    return PlacementProblem(Mesh((3, 1), 1), (1, 1, 1), tuple(Stream(*s, False) for s in streams))


PORT_FIRST = row((DRAM, 0, 100), (DRAM, 2, 50), (0, 1, 1))
"""Best are region 0 at the port, 2 beside it, and 1 at the other end: 50 + 2."""

of = pytest.mark.parametrize


@of(
    ("family", "off"),
    [("one_place", 0), ("disjoint", 1), ("together_first", 51), ("together_second", 51)],
)
def test_without_a_family_the_model_promises_too_much(
    kind: Kind, solve: Solve, family: str, off: int
) -> None:
    assert optimum(PORT_FIRST, kind, solve) == 52
    assert optimum(PORT_FIRST, kind, solve, family) == off


@of("family", ["apart"])
def test_neighbours_of_a_place_are_apart(kind: Kind, solve: Solve, family: str) -> None:
    # Without `disjoint`, regions 1 and 2 would both lie at the port, beside region 0.
    problem = row((DRAM, 1, 10), (DRAM, 2, 10), (0, 1, 1), (0, 2, 1))
    assert optimum(problem, kind, solve) == 10 + 2 + 1
    assert optimum(problem, kind, solve, "disjoint") == 13
    assert optimum(problem, kind, solve, "disjoint", family) == 2


@of("family", ["busiest"])
def test_the_busiest_link_counts(kind: Kind, solve: Solve, family: str) -> None:
    # Region 0 is at the port; the link beside it carries all that the others get.
    problem = row((DRAM, 0, 100), (DRAM, 1, 7), (DRAM, 2, 5))
    assert optimum(problem, kind, solve, "least_load", objective="load") == 12
    assert optimum(problem, kind, solve, "least_load", family, objective="load") == 0


@of("family", ["busiest"])
def test_a_cap_binds(kind: Kind, solve: Solve, family: str) -> None:
    # Each region alone keeps under the cap, all three do not.
    problem = row((DRAM, 0, 8), (DRAM, 1, 7), (DRAM, 2, 5))
    assert optimum(problem, kind, solve, cap=12) == 7 + 2 * 5
    assert optimum(problem, kind, solve, cap=11) is None
    assert optimum(problem, kind, solve, family, cap=11) == 17


@of("family", ["least_load"])
def test_an_implied_family_bounds_what_others_leave_open(
    kind: Kind, solve: Solve, family: str
) -> None:
    problem = row((DRAM, 0, 100), (DRAM, 1, 7), (0, 2, 5))
    best = optimum(problem, kind, solve, objective="load")
    on = optimum(problem, kind, solve, "busiest", objective="load")
    off = optimum(problem, kind, solve, "busiest", family, objective="load")
    assert best is not None
    assert on is not None
    assert off == 0 < on <= best


def test_every_family_has_a_flip_test() -> None:
    flipped = {
        value if isinstance(value, str) else value[0]
        for test in list(globals().values())
        for mark in getattr(test, "pytestmark", [])
        if "family" in mark.args[0]
        for value in mark.args[1]
    }
    assert flipped == set(CONSTRAINTS)


# Known optima


def square(multicast: bool) -> PlacementProblem:
    """Two regions of two on a 2 x 2 mesh, the first sends to the second."""
    return PlacementProblem(Mesh((2, 2), 1), (2, 2), (Stream(0, 1, 3, multicast),))


@of(
    ("multicast", "objective", "best"),
    # Side by side, to each of two receivers: one link to one, two to the other. One on top of the
    # other costs the same hops; both senders' copies meet where they turn into the other row.
    [(False, "hops", 18), (True, "hops", 12), (False, "load", 6), (True, "load", 3)],
)
def test_two_by_two(kind: Kind, solve: Solve, multicast: bool, objective: str, best: int) -> None:
    assert optimum(square(multicast), kind, solve, objective=objective) == best


def test_three_by_one(kind: Kind, solve: Solve) -> None:
    # Whoever is in the middle pays one hop for each of its streams, the other stream takes two.
    assert optimum(row((0, 1, 10), (1, 2, 1), (0, 2, 5)), kind, solve) == 10 + 5 + 2


# Hints


@of("objective", ["hops", "load"])
def test_a_hint_gives_every_variable_a_value_that_fits(objective: Any, at_hint: AtHint) -> None:
    problem = PlacementProblem(
        Mesh((2, 2), 1),
        (2, 1, 1),
        (
            Stream(0, 1, 6, True),
            Stream(1, 2, 4, False),
            Stream(2, 2, 2, True),
            Stream(DRAM, 0, 8, True),
        ),
    )
    places = [[(0, 0), (0, 1)], [(1, 1)], [(1, 0)]]
    assert not misplaced(problem, places)
    model = ByCandidates(candidates(problem, "free"), CpSatModeller(), objective, cap=10**6)
    model.hint(places)
    value, solution = at_hint(model)
    cost = placement_cost(problem, places)
    wanted = cost.byte_hops if objective == "hops" else cost.busiest
    assert value * model.unit == wanted
    assert model.extract(solution) == [tuple(tiles) for tiles in places]


def test_a_hint_that_is_no_point_of_the_model_is_refused() -> None:
    model = ByCandidates(candidates(square(False), "free"), MilpModeller(), cap=17)
    with pytest.raises(ValueError, match="place of region 1 overlaps"):
        model.hint([[(0, 0), (0, 1)], [(0, 1), (1, 1)]])
    with pytest.raises(ValueError, match="place of region 0 is no candidate"):
        model.hint([[(0, 0), (1, 1)], [(0, 1), (1, 0)]])
    tight = ByCandidates(candidates(row((0, 1, 4), (2, 1, 5)), "free"), MilpModeller(), cap=5)
    with pytest.raises(ValueError, match="bring a link to 9 bytes"):
        tight.hint([[(0, 0)], [(2, 0)], [(1, 0)]])
