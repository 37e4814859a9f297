"""The model of placement by chiplets: each constraint family binds, hints are complete."""

from collections.abc import Callable
from typing import Any

import pytest

from formulations.modellers import Modeller
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller
from formulations.placement.tiles import CONSTRAINTS, ByTiles
from instances.mesh import Mesh
from schedules.placement import PlacementProblem, placement_cost
from schedules.traffic import DRAM, Stream

Solve = Callable[[Any], tuple[int, Any] | None]
AtHint = Callable[[Any], tuple[int, Any]]
Kind = Callable[[], Modeller]

of = pytest.mark.parametrize


def optimum(
    problem: PlacementProblem, kind: Kind, solve: Solve, *left_out: str, **given: Any
) -> int | None:
    """The model's optimum in bytes, without some constraint families; None without a solution."""
    assert set(left_out) <= set(CONSTRAINTS)
    built = [name for name in CONSTRAINTS if name not in left_out]
    model = ByTiles(problem, kind(), constraints=built, **given)
    found = solve(model)
    return None if found is None else model.unit * found[0]


def row(sizes: tuple[int, ...], *streams: tuple[int, int, int, bool]) -> PlacementProblem:
    """Regions on a row of three, with the DRAM at its left end."""
    return PlacementProblem(Mesh((3, 1), 1), sizes, tuple(Stream(*s) for s in streams))


PORT_FIRST = row((1, 1, 1), (DRAM, 0, 100, False), (DRAM, 2, 50, False), (0, 1, 1, False))
"""Best are region 0 at the port, 2 beside it, and 1 at the other end: 50 + 2."""


@of(
    ("family", "also", "off"),
    [
        ("size", (), 0),
        ("disjoint", (), 0),
        ("both_first", (), 50),
        ("both_second", (), 50),
    ],
)
def test_without_a_family_the_model_promises_too_much(
    kind: Kind, solve: Solve, family: str, also: tuple[str, ...], off: int
) -> None:
    assert optimum(PORT_FIRST, kind, solve) == 52
    assert optimum(PORT_FIRST, kind, solve, *also, family) == off


@of("family", ["connected", "capacity"])
def test_regions_are_connected(kind: Kind, solve: Solve, family: str) -> None:
    # Beside each other, the link between them carries both streams; with the sender in the middle
    # of a torn region, each of its links carries one.
    problem = PlacementProblem(Mesh((3, 1), 0), (2, 1), (Stream(1, 0, 1, False),))
    assert optimum(problem, kind, solve, objective="load") == 2
    assert optimum(problem, kind, solve, family, objective="load") == 1


@of("family", ["first_chiplet"])
def test_the_root_is_the_first_chiplet(kind: Kind, solve: Solve, family: str) -> None:
    problem = row((2, 1), (0, 1, 1, False))
    for built, solvable in (CONSTRAINTS, False), (set(CONSTRAINTS) - {family}, True):
        model = ByTiles(problem, kind(), constraints=[c for c in CONSTRAINTS if c in built])
        model.modeller.require("last", model.variables.root[0, (2, 0)] == 1)
        assert (solve(model) is not None) == solvable


@of("family", ["copies"])
def test_copies_count(kind: Kind, solve: Solve, family: str) -> None:
    problem = row((1, 2), (0, 1, 4, True))
    assert optimum(problem, kind, solve) == 8
    assert optimum(problem, kind, solve, family) == 0


@of("family", ["busiest"])
def test_the_busiest_link_counts(kind: Kind, solve: Solve, family: str) -> None:
    problem = row((1, 1, 1), (DRAM, 0, 100, False), (DRAM, 1, 7, True), (DRAM, 2, 5, False))
    assert optimum(problem, kind, solve, objective="load") == 12
    assert optimum(problem, kind, solve, family, objective="load") == 0
    assert optimum(problem, kind, solve, cap=11) is None
    assert optimum(problem, kind, solve, family, cap=11) == 17


def test_every_family_has_a_flip_test() -> None:
    flipped = {
        value if isinstance(value, str) else value[0]
        for test in list(globals().values())
        for mark in getattr(test, "pytestmark", [])
        if "family" in mark.args[0]
        for value in mark.args[1]
    }
    assert flipped == set(CONSTRAINTS)


SQUARE = PlacementProblem(
    Mesh((3, 2), 1, broken=[((1, 0), (2, 0))]),
    (3, 1, 2),
    (
        Stream(0, 1, 6, True),
        Stream(1, 2, 4, False),
        Stream(2, 2, 2, True),
        Stream(DRAM, 0, 8, True),
    ),
)


@of("objective", ["hops", "load"])
def test_a_hint_gives_every_variable_a_value_that_fits(objective: Any, at_hint: AtHint) -> None:
    places = [[(0, 0), (0, 1), (1, 1)], [(1, 0)], [(2, 0), (2, 1)]]
    model = ByTiles(SQUARE, CpSatModeller(), objective, cap=10**6)
    model.hint(places)
    value, solution = at_hint(model)
    cost = placement_cost(SQUARE, places)
    wanted = cost.byte_hops if objective == "hops" else cost.busiest
    assert value * model.unit == wanted
    assert model.extract(solution) == [tuple(tiles) for tiles in places]


def test_a_hint_that_is_no_point_of_the_model_is_refused() -> None:
    model = ByTiles(SQUARE, MilpModeller(), cap=10)
    with pytest.raises(ValueError, match="region 0 is not connected"):
        model.hint([[(0, 0), (0, 1), (2, 1)], [(1, 0)], [(1, 1), (2, 0)]])
    with pytest.raises(ValueError, match="more than the cap"):
        model.hint([[(0, 0), (0, 1), (1, 1)], [(1, 0)], [(2, 0), (2, 1)]])
