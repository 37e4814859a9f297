"""Places for schedules: models and enumeration agree, and what they claim is true."""

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from instances.cost import make_instance
from instances.instance import Instance
from instances.mesh import Mesh, neighbours
from instances.networks import build_network
from instances.packages import load_package
from schedules.place import snake
from schedules.placement import PlacementProblem, misplaced, placement_cost, placement_problem
from schedules.schedule import Cluster, Schedule, Segment
from schedules.traffic import DRAM, Stream
from solvers import placing_models
from solvers.engines.engine import Outcome
from solvers.placing import (
    OBJECTIVES,
    PLACE_METHODS,
    PlacedProblem,
    PlaceOptions,
    place,
)
from solvers.placing_models import FORMULATIONS

FAMILIES = "rectangles", "intervals", "free"


@st.composite
def problems(draw: st.DrawFn) -> PlacementProblem:
    """Up to three regions on up to six chiplets, some chiplets and links out of order."""
    columns, rows = draw(st.sampled_from([(2, 2), (3, 2), (2, 3), (3, 1), (1, 3)]))
    tiles = [(x, y) for x in range(columns) for y in range(rows)]
    links = [(t, u) for t in tiles for u in neighbours(t, (columns, rows)) if t < u]
    out = draw(st.sets(st.sampled_from(tiles), max_size=2))
    missing = draw(st.sets(st.sampled_from(tiles), max_size=1))
    broken = draw(st.sets(st.sampled_from(links), max_size=2))
    ports = draw(st.integers(1, 2))
    try:
        mesh = Mesh((columns, rows), ports, out, missing, broken)
    except ValueError:
        assume(False)
    sizes: list[int] = []
    for _ in range(draw(st.integers(1, 3))):
        left = len(mesh.tiles) - sum(sizes)
        if left:
            sizes.append(draw(st.integers(1, min(3, left))))
    ends = st.integers(DRAM, len(sizes) - 1)
    streams = draw(
        st.lists(st.builds(Stream, ends, ends, st.integers(0, 30), st.booleans()), max_size=6)
    )
    kept = tuple(s for s in streams if (s.sender, s.receiver) != (DRAM, DRAM))
    return PlacementProblem(mesh, tuple(sizes), kept)


def run(method: str, problem: PlacementProblem, **given: Any) -> PlacedProblem:
    """Places by a method; checked, and costed."""
    found = PLACE_METHODS[method](problem, PlaceOptions(**given), [])
    if found.places is None:
        return found
    assert not misplaced(problem, found.places)
    return replace(found, cost=placement_cost(problem, found.places))


def objectives(found: PlacedProblem) -> list[int | None]:
    """What was reached, step by step; confirmed by the cost of the places."""
    for step in found.steps:
        assert step.stop in ("optimal", "infeasible")
        assert step.objective == step.bound
        if found.cost is not None and step is found.steps[-1]:
            wanted = found.cost.busiest if step.goal == "load" else found.cost.byte_hops
            assert step.objective == wanted
    return [step.objective for step in found.steps]


@settings(max_examples=40)
@given(problems(), st.sampled_from(FAMILIES), st.sampled_from(sorted(OBJECTIVES)))
def test_models_agree_with_enumeration(
    problem: PlacementProblem, family: str, objective: Any
) -> None:
    wanted = objectives(run("enumerate", problem, family=family, objective=objective))
    for method in ("cpsat", "milp"):
        found = run(method, problem, family=family, objective=objective)
        assert objectives(found) == wanted, method


@settings(max_examples=25)
@given(problems(), st.sampled_from(["cpsat", "milp"]), st.sampled_from(sorted(OBJECTIVES)))
def test_the_model_by_chiplets_agrees_with_that_by_candidates(
    problem: PlacementProblem, method: str, objective: Any
) -> None:
    by_place, by_tile = (
        objectives(run(method, problem, family="free", objective=objective, formulation=name))
        for name in FORMULATIONS
    )
    assert by_place == by_tile


def test_shapes_that_are_too_many_are_placed_by_chiplets() -> None:
    mesh = Mesh((6, 6), 2)
    problem = PlacementProblem(mesh, (12, 12, 12), (Stream(0, 1, 5, True), Stream(1, 2, 3, False)))
    order = snake(mesh.size)
    start = [order[:12], order[12:24], order[24:]]
    options = PlaceOptions("free", "hops", end=time.perf_counter() + 1)
    found = PLACE_METHODS["cpsat"](problem, options, [start])
    assert found.stop in ("time-limit", "optimal")
    assert found.places is not None
    cost, bound = placement_cost(problem, found.places).byte_hops, found.steps[0].bound
    assert cost <= placement_cost(problem, start).byte_hops
    assert bound is None or bound <= cost
    with pytest.raises(ValueError, match="tiles has free shapes only, not intervals"):
        run("cpsat", problem, family="intervals", formulation="tiles")
    with pytest.raises(ValueError, match="unknown formulation of placement 'flow'"):
        run("cpsat", problem, family="free", formulation="flow")


@settings(max_examples=20)
@given(problems(), st.sampled_from(["hops", "load"]))
def test_free_shapes_cost_no_more_than_the_other_families(
    problem: PlacementProblem, objective: Any
) -> None:
    best = {f: run("cpsat", problem, family=f, objective=objective) for f in FAMILIES}
    free = best["free"].steps[0].objective
    for family in ("rectangles", "intervals"):
        found = best[family].steps[0].objective
        assert found is None or (free is not None and free <= found)


def test_both_is_the_least_load_first() -> None:
    # Through one corner the streams take fewer hops, through two each link has less.
    problem = PlacementProblem(
        Mesh((3, 2), 1), (1, 1, 1), (Stream(DRAM, 0, 4, False), Stream(DRAM, 1, 4, False))
    )
    load = run("cpsat", problem, family="free", objective="load").steps[0].objective
    both = run("cpsat", problem, family="free", objective="both")
    assert [step.goal for step in both.steps] == ["load", "hops"]
    assert both.steps[0].objective == load
    hops = run("cpsat", problem, family="free", objective="hops").steps[0].objective
    assert both.steps[1].objective is not None
    assert hops is not None
    assert both.steps[1].objective >= hops


def regions(first: int, *chiplets: int) -> Segment:
    """Clusters of one layer each, from a layer on."""
    return Segment(
        tuple(Cluster(first + k, first + k, c, ("ISP",)) for k, c in enumerate(chiplets))
    )


@pytest.fixture
def alexnet() -> tuple[Instance, Schedule]:
    """Two segments that fill a 4 x 4 mesh, and a tiled one."""
    instance = make_instance(build_network("alexnet"), load_package("simba-4x4"), 64)
    tiled = replace(regions(7, 16), tiled=True)
    return instance, Schedule((regions(0, 4, 8, 4), regions(3, 4, 4, 2, 6), tiled))


@pytest.mark.parametrize("family", ["rectangles", "intervals"])
def test_a_schedule_gets_places_that_are_proved_best(
    alexnet: tuple[Instance, Schedule], family: str
) -> None:
    instance, schedule = alexnet
    placed = place(instance, schedule, family=family)
    assert placed.segments
    for number, segment in enumerate(schedule.segments):
        assert (number in placed.segments) != segment.tiled
    for number, found in placed.segments.items():
        assert found.stop == "optimal"
        assert found.cost is not None
        assert found.steps[-1].objective == found.cost.byte_hops
        assert found.steps[-1].gap == 0
        problem = placement_problem(instance, schedule.segments[number])
        tiles = [cluster.tiles or () for cluster in placed.schedule.segments[number].clusters]
        assert placement_cost(problem, tiles) == found.cost
        assert not misplaced(problem, tiles)


def test_segments_with_the_same_problem_share_an_answer(
    alexnet: tuple[Instance, Schedule],
) -> None:
    instance, schedule = alexnet
    placed = place(instance, Schedule(schedule.segments[:2] * 2), family="intervals")
    assert list(placed.segments) == [0, 1, 2, 3]
    assert placed.segments[0] is placed.segments[2]
    assert placed.segments[1] is placed.segments[3]
    assert placed.segments[0] is not placed.segments[1]


def test_a_start_is_what_remains_when_time_is_over(alexnet: tuple[Instance, Schedule]) -> None:
    instance, schedule = alexnet
    start = place(instance, schedule, family="intervals", objective="hops").schedule
    placed = place(
        instance, schedule, family="free", objective="hops", start=start, time_limit=1e-3
    )
    for number, found in placed.segments.items():
        assert found.stop == "time-limit"
        assert found.cost is not None
        bound = found.steps[0].bound
        assert bound is None or bound <= found.cost.byte_hops
        assert placed.schedule.segments[number].clusters[0].tiles is not None


def test_a_start_without_places_is_refused(alexnet: tuple[Instance, Schedule]) -> None:
    instance, schedule = alexnet
    with pytest.raises(ValueError, match="the start cannot be used: segment 0: "):
        place(instance, schedule, start=schedule)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "magic"}, "unknown method 'magic'"),
        ({"family": "round"}, "unknown family of places 'round'"),
        ({"objective": "beauty"}, "unknown objective of placement 'beauty'"),
    ],
)
def test_unknown_names_are_refused(
    alexnet: tuple[Instance, Schedule], given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        place(*alexnet, **given)


@pytest.mark.parametrize("method", ["cpsat", "milp", "enumerate"])
def test_rectangles_that_do_not_fit_are_infeasible(method: str) -> None:
    problem = PlacementProblem(Mesh((2, 2), 1), (3, 1), (Stream(0, 1, 5, False),))
    found = run(method, problem, family="rectangles")
    assert found.stop == "infeasible"
    assert found.places is None
    assert run(method, problem, family="free").stop == "optimal"


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (Outcome("infeasible"), "finds no solution"),
        (Outcome("time-limit", bound=1e9), "proves 3000000000 at least, but places cost"),
        (Outcome("optimal", objective=5.0, bound=5.0), "the model is wrong: its optimum is 5"),
    ],
)
def test_claims_that_places_contradict_are_not_believed(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, message: str
) -> None:
    class Liar:
        name, kind = "liar", "cpsat"

        def run(self, *_: Any) -> Outcome:
            return outcome

    monkeypatch.setattr(placing_models, "choose", lambda *_: (Liar(), None))
    problem = PlacementProblem(Mesh((2, 2), 1), (2, 2), (Stream(0, 1, 3, False),))
    start = [[(0, 0), (0, 1)], [(1, 0), (1, 1)]]
    with pytest.raises(RuntimeError, match=message):
        placing_models.by_model("cpsat", problem, PlaceOptions("free", "hops"), [start])
