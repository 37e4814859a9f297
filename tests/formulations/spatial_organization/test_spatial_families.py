"""The model of an array: each constraint family binds, hints are complete, it can be written."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from formulations.export import export, size
from formulations.modellers import Modeller
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller
from formulations.spatial_organization.columns import all_columns
from formulations.spatial_organization.model import FAMILIES, SpatialOrganization
from formulations.spatial_organization.reduction import Reduced, reduced
from instances.cost.array import ArrayCosts
from instances.generate_array import random_array_costs
from schedules.array.evaluate import evaluate_array
from schedules.array.schedule import ArraySchedule, ArraySegment, Layout
from solvers.array import solve_array
from solvers.array.models import layer_by_layer
from solvers.relaxation import relaxation

Solve = Callable[[Any], tuple[int, Any] | None]
AtHint = Callable[[Any], tuple[int, Any]]
Kind = Callable[[], Modeller]

of = pytest.mark.parametrize


def with_grids(seed: int) -> ArrayCosts:
    """A network of up to four layers on 4 x 4 PEs: grids, no scarce links, buses, registers."""
    costs = random_array_costs(seed, layers=4, chain=seed % 2 == 0)
    array = replace(
        costs.array,
        mesh=(4, 4),
        express=0,
        bands=2,
        depth=4,
        organisations=("sequential", "blocked-2d"),
        link_bytes=16,
        bus_bytes=64,
        dram_bytes=64,
        buffer_bytes=10**6,
        register_bytes=10**5,
    )
    return ArrayCosts(costs.network, array, costs.batch)


def small(seed: int) -> ArrayCosts:
    """A network of up to three layers on up to 4 x 4 PEs."""
    return random_array_costs(seed, layers=3, chain=seed % 2 == 0)


def best(costs: ArrayCosts) -> ArraySchedule:
    """The best of all schedules."""
    schedule = solve_array(costs, "enumerate").schedule
    assert schedule is not None
    return schedule


def latency(costs: ArrayCosts, schedule: ArraySchedule) -> int:
    """By the evaluator."""
    return evaluate_array(costs, schedule).latency


def without(*left_out: str) -> list[str]:
    """All families but some."""
    assert set(left_out) <= set(FAMILIES)
    return [family for family in FAMILIES if family not in left_out]


# Each family in turn


@of(
    ("family", "also", "costs", "off"),
    [
        pytest.param("path", (), small(1), 0, id="all-layers-run"),
        pytest.param("one_height", (), small(19), 25, id="a-band-has-a-height"),
        pytest.param("one_width", (), small(2), 39, id="a-column-has-a-width"),
        pytest.param("cell_rows", ("column_room",), with_grids(6), 342, id="bands-have-room"),
        pytest.param("cell_columns", ("band_room",), with_grids(20), 48, id="columns-have-room"),
        pytest.param(
            "block_heights",
            ("band_room", "column_room"),
            with_grids(6),
            342,
            id="a-block-is-as-high-as-its-band",
        ),
        pytest.param(
            "block_widths",
            ("band_room", "column_room"),
            with_grids(20),
            48,
            id="a-block-is-as-wide-as-its-column",
        ),
        pytest.param("layer_cycles", (), small(1), 26, id="a-beat-is-as-long-as-a-layer"),
        pytest.param("row_links", (), small(1), 198, id="a-beat-is-as-long-as-links-of-a-band"),
        pytest.param("column_links", (), small(3), 19, id="a-beat-is-as-long-as-links-of-a-column"),
        pytest.param("band_room", ("cell_columns",), with_grids(20), 48, id="blocks-of-a-band"),
        pytest.param("column_room", ("cell_rows",), with_grids(6), 342, id="blocks-of-a-column"),
    ],
)
def test_without_a_family_a_model_promises_too_much(
    family: str, also: tuple[str, ...], costs: ArrayCosts, off: int, kind: Kind, solve: Solve
) -> None:
    on = latency(costs, best(costs))
    for left_out, wanted in ((also, on), ((*also, family), off)):
        found = solve(SpatialOrganization(costs, kind(), families=without(*left_out)))
        assert found is not None
        assert found[0] == wanted, left_out
    assert off < on


@of("family", ["within_limit"])
def test_nothing_costs_more_than_the_limit(family: str, kind: Kind, solve: Solve) -> None:
    costs = small(1)
    on, columns = latency(costs, best(costs)), all_columns(costs)
    for limit, left_out, wanted in ((on, (), on), (on - 1, (), None), (on - 1, (family,), on)):
        given = Reduced(columns, {}, limit, 0)
        found = solve(SpatialOrganization(costs, kind(), given, without(*left_out)))
        assert (None if found is None else found[0]) == wanted


def test_every_family_has_a_flip_test() -> None:
    flipped = set[str]()
    for test in list(globals().values()):
        for mark in getattr(test, "pytestmark", []):
            if "family" in mark.args[0]:
                flipped |= {v if isinstance(v, str) else v.values[0] for v in mark.args[1]}
    assert flipped == set(FAMILIES)


# Both kinds of models


@of("seed", range(4))
def test_both_kinds_of_models_have_the_same_rows(seed: int) -> None:
    costs = with_grids(seed)
    one = SpatialOrganization(costs, CpSatModeller()).modeller.model.proto
    other = SpatialOrganization(costs, MilpModeller()).modeller.model
    rows = Counter(row.name.split("[")[0] for row in one.constraints)
    assert rows == Counter(row.name.split("(")[0] for row in other.constraints())
    assert len(one.variables) == len(other.variables())


@of("seed", range(20, 36))
def test_whole_models_agree_with_enumeration(seed: int, kind: Kind, solve: Solve) -> None:
    costs = small(seed)
    built = SpatialOrganization(costs, kind())
    found = solve(built)
    assert found is not None
    assert found[0] == latency(costs, built.extract(found[1])) == latency(costs, best(costs))


@of("seed", range(100, 120))
def test_reduced_models_agree_with_enumeration(seed: int, kind: Kind, solve: Solve) -> None:
    costs = random_array_costs(seed, layers=4)
    built = SpatialOrganization(costs, kind(), reduced(costs, layer_by_layer(costs)))
    found = solve(built)
    assert found is not None
    assert found[0] == latency(costs, built.extract(found[1])) == latency(costs, best(costs))


@of("seed", range(12))
def test_the_relaxation_is_a_bound(seed: int) -> None:
    costs = with_grids(seed)
    for left_out in ((), ("band_room", "column_room")):
        model = SpatialOrganization(costs, MilpModeller(), families=without(*left_out))
        least = relaxation(model.modeller.model)
        assert least is not None
        assert 0 < least <= latency(costs, best(costs)) + 1e-6


# Hints


@of("seed", range(12))
def test_a_hint_gives_every_variable_a_value_that_fits(seed: int, at_hint: AtHint) -> None:
    costs = small(seed) if seed % 2 else with_grids(seed)
    built = SpatialOrganization(costs, CpSatModeller())
    for schedule in (layer_by_layer(costs), best(costs)):
        built.hint(schedule)
        value, solution = at_hint(built)
        assert value == latency(costs, schedule) == latency(costs, built.extract(solution))


@of("seed", range(12))
def test_a_hint_of_a_reduced_model_costs_no_more_than_the_schedule(
    seed: int, at_hint: AtHint
) -> None:
    costs = with_grids(seed)
    for start in (layer_by_layer(costs), best(costs)):
        built = SpatialOrganization(costs, CpSatModeller(), reduced(costs, start))
        for schedule in (start, best(costs)):
            built.hint(schedule)
            value, solution = at_hint(built)
            assert value == latency(costs, built.extract(solution)) <= latency(costs, schedule)


def test_a_layout_with_idle_pes_is_a_point_of_the_model(at_hint: AtHint) -> None:
    costs = with_grids(6)
    layout = Layout((1, 1), (1,))
    schedule = ArraySchedule((ArraySegment(0, 1, "positions", 1, layout),))
    built = SpatialOrganization(costs, CpSatModeller())
    built.hint(schedule)
    value, solution = at_hint(built)
    assert value == latency(costs, schedule)
    assert built.extract(solution) == schedule


def test_a_single_band_is_as_high_as_can_be(at_hint: AtHint) -> None:
    costs = small(16)
    layout = Layout((1,), (1, 1))
    schedule = ArraySchedule((ArraySegment(0, 1, "positions", 1, layout),))
    built = SpatialOrganization(costs, CpSatModeller())
    built.hint(schedule)
    value, solution = at_hint(built)
    high = replace(schedule.segments[0], layout=Layout((costs.array.mesh[1],), (1, 1)))
    assert built.extract(solution) == ArraySchedule((high,))
    assert value == latency(costs, ArraySchedule((high,))) < latency(costs, schedule)


def test_a_hint_that_is_no_point_of_the_model_is_refused() -> None:
    costs = small(1)
    start = layer_by_layer(costs)
    given = reduced(costs, start)
    with pytest.raises(ValueError, match="ends after 1 layers"):
        SpatialOrganization(costs, MilpModeller()).hint(ArraySchedule(start.segments[:1]))
    tight = replace(given, limit=given.limit - 1)
    with pytest.raises(ValueError, match="more than the limit"):
        SpatialOrganization(costs, MilpModeller(), tight).hint(start)
    empty = replace(given, columns=[], known={})
    with pytest.raises(ValueError, match="layers 0 to 0: too slow"):
        SpatialOrganization(costs, MilpModeller(), empty).hint(start)


# Files


@of(("name", "kind"), [("m.lp", MilpModeller), ("m.mps", MilpModeller), ("m.txt", CpSatModeller)])
def test_models_can_be_written(name: str, kind: Kind, tmp_path: Path) -> None:
    built = SpatialOrganization(with_grids(6), kind())
    export(built, tmp_path / name)
    text = (tmp_path / name).read_text()
    assert all(family in text for family in ("path", "cell_rows", "band_room"))
    assert min(size(built)) > 100


def test_names_lead_back_to_layers_and_patterns() -> None:
    costs = with_grids(6)
    built = SpatialOrganization(costs, CpSatModeller())
    names = {variable.name for variable in built.modeller.model.proto.variables}
    assert "column[0,0,positions,1,1,1,1,1,0,0]" in names
    assert "height[0,1,positions,1,2,1,1,1,0,0,0,3]" in names
    assert Layout((4,), (4,)) == layer_by_layer(costs).segments[0].layout
