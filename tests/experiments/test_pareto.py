"""The Pareto front: all of it, nothing else, and honest when it is cut short."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

import experiments.pareto
from experiments.pareto import PROVING, Front, pareto
from instances.generate import random_instance
from instances.generate_ratios import random_ratios
from instances.instance import Instance
from schedules.goal import Goal, breaches
from schedules.parallel import OutOfTimeError
from schedules.progress import Stop
from schedules.verify import violations
from solvers.result import Result
from solvers.solve import solve

Costs = list[tuple[int, int]]


def small(seed: int) -> Instance:
    return random_instance(seed, layers=3, chiplets=3, options=2, memory="loose")


WIDE = small(24)
"""An instance whose front has several points."""


def costs(front: Front) -> Costs:
    return [(point.evaluation.latency, point.evaluation.energy) for point in front.points]


def known_front(instance: Instance) -> Costs:
    """Every efficient point, found cap by cap by trying all schedules."""
    found: Costs = []
    fastest = solve(instance, "enumerate").objective
    frugal = solve(instance, "enumerate", goal=Goal("energy")).evaluation
    assert fastest is not None
    assert frugal is not None
    for cap in range(fastest, frugal.latency + 1):
        goal = Goal("energy", latency_cap=cap)
        energy = solve(instance, "enumerate", goal=goal).objective
        if energy is not None and (not found or energy < found[-1][1]):
            found.append((cap, energy))
    return found


@pytest.fixture(scope="module")
def wide_front() -> Costs:
    found = known_front(WIDE)
    assert len(found) == 5
    return found


@pytest.mark.parametrize("seed", [4, 10, 11])
def test_where_tensors_may_be_compressed_points_do_so(seed: int) -> None:
    plain = random_instance(seed, layers=3, chiplets=2, options=2)
    instance = random_ratios(plain, seed, ratios=1, budget="loose")
    front = pareto(instance, "enumerate")
    assert any(point.schedule.ratios for point in front.points)
    assert costs(front) == known_front(instance)
    for latency, energy in costs(pareto(plain, "enumerate")):
        assert any(own[0] <= latency and own[1] <= energy for own in costs(front))


@pytest.mark.parametrize("method", PROVING)
def test_every_method_finds_the_whole_front(method: str, wide_front: Costs) -> None:
    front = pareto(WIDE, method, workers=1)
    assert costs(front) == wide_front
    assert front.stop == "optimal"
    assert all(point.proved for point in front.points)


@pytest.mark.parametrize("seed", range(6))
def test_runs_and_the_exact_frontier_agree(seed: int) -> None:
    instance = small(seed)
    assert costs(pareto(instance, "exact", workers=1)) == costs(pareto(instance, "enumerate"))


@pytest.mark.parametrize("method", ["exact", "enumerate"])
def test_points_of_a_grid_are_on_the_front_and_span_it(method: str, wide_front: Costs) -> None:
    front = pareto(WIDE, method, points=5, workers=1)  # caps 1024, 976, 929, 882 and 835
    assert front.stop == "finished"
    assert costs(front) == [wide_front[0], wide_front[2], wide_front[4]]
    assert all(point.proved for point in front.points)


def test_a_grid_finer_than_the_front_finds_no_point_twice(wide_front: Costs) -> None:
    front = pareto(WIDE, "enumerate", points=500)
    assert set(costs(front)) <= set(wide_front)
    assert all(a < b for a, b in pairwise(costs(front)))


@pytest.mark.parametrize("method", ["exact", "enumerate"])
def test_all_points_obey_the_conditions(method: str, wide_front: Costs) -> None:
    goal = Goal(latency_cap=wide_front[-1][0] - 1, energy_cap=wide_front[0][1] - 1)
    front = pareto(WIDE, method, goal, workers=1)
    assert costs(front) == wide_front[1:-1]
    for point in front.points:
        assert violations(WIDE, point.schedule) == []
        assert breaches(WIDE, point.schedule, goal) == []


@pytest.mark.parametrize("method", ["exact", "enumerate"])
def test_no_schedule_is_an_empty_front_with_a_proof(method: str) -> None:
    front = pareto(WIDE, method, Goal(latency_cap=1), workers=1)
    assert (front.points, front.stop, front.lowest_edp) == ((), "infeasible", None)


def test_the_lowest_product_is_that_of_all_schedules() -> None:
    lowest = pareto(WIDE, "enumerate").lowest_edp
    assert lowest is not None
    assert lowest.evaluation.edp == solve(WIDE, "enumerate", goal=Goal("edp")).objective


def cut_after(runs: int, stop: Stop, monkeypatch: pytest.MonkeyPatch) -> list[Goal]:
    """Let runs after the first ones end with `stop` instead of a proof; the goals of all runs."""
    done: list[Goal] = []

    def run(*arguments: Any, **named: Any) -> Result:
        done.append(named["goal"])
        result = solve(*arguments, **named)
        return result if len(done) <= runs else replace(result, stop=stop, bound=None)

    monkeypatch.setattr(experiments.pareto, "solve", run)
    return done


@pytest.mark.parametrize("stop", ["interrupted", "memory-limit"])
def test_what_was_found_before_the_end_is_kept(
    stop: Stop, wide_front: Costs, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_after(4, stop, monkeypatch)
    front = pareto(WIDE, "enumerate")
    assert front.stop == stop
    proved = [cost for cost, point in zip(costs(front), front.points, strict=True) if point.proved]
    assert proved == [wide_front[0], wide_front[-1]]
    assert len(front.points) == 3


def test_a_point_without_both_proofs_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_after(2, "time-limit", monkeypatch)
    front = pareto(WIDE, "enumerate", points=2)
    assert front.stop == "time-limit"
    assert [point.proved for point in front.points] == [True, False]


def test_a_cap_without_a_proof_does_not_end_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    goals = cut_after(4, "time-limit", monkeypatch)
    front = pareto(WIDE, "enumerate", points=5)
    assert front.stop == "time-limit"
    assert [goal.latency_cap for goal in goals[4:]] == [976, 929, 882]
    assert [point.proved for point in front.points] == [True, False, True]


def test_the_time_limit_is_for_the_whole_front(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = []

    def run(*arguments: Any, **named: Any) -> Result:
        limits.append(named["time_limit"])
        return solve(*arguments, **named)

    monkeypatch.setattr(experiments.pareto, "solve", run)
    pareto(WIDE, "enumerate", points=2, time_limit=40)
    assert limits[0] == pytest.approx(40 / 3, abs=1)
    assert all(limit < 14 for limit in limits)
    assert pareto(WIDE, "enumerate", time_limit=1e-9).stop == "time-limit"


def test_the_exact_method_goes_on_run_by_run_if_its_front_takes_too_long(
    wide_front: Costs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: Any) -> None:
        raise OutOfTimeError

    monkeypatch.setattr(experiments.pareto, "frontier", late)
    assert costs(pareto(WIDE, "exact", workers=1)) == wide_front


def test_models_start_from_a_point_that_obeys_the_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[tuple[Goal, Any]] = []

    def run(*arguments: Any, **named: Any) -> Result:
        starts.append((named["goal"], named["start"]))
        return solve(*arguments, **named)

    monkeypatch.setattr(experiments.pareto, "solve", run)
    pareto(WIDE, "cpsat", formulation="compact", workers=1)
    first, *others = starts
    assert first == (Goal("latency"), True)
    assert len(others) > 4
    for goal, start in others:
        assert breaches(WIDE, start, goal) == []
    starts.clear()
    pareto(WIDE, "cpsat", points=2, formulation="compact", workers=1, start=False)
    assert {start for _, start in starts} == {False}


def test_every_run_is_announced() -> None:
    heard: list[str] = []

    def watch(task: str) -> Any:
        heard.append(task)
        return None

    pareto(WIDE, "enumerate", points=2, watch=watch)
    assert heard[0] == "least latency"
    assert "least energy" in heard
    assert all(task.startswith("least ") for task in heard)


def test_data_hold_all_points_with_their_schedules(wide_front: Costs) -> None:
    data = pareto(WIDE, "enumerate", Goal(clusters=3)).to_data()
    assert data["stop"] == "optimal"
    assert data["goal"]["clusters"] == 3
    assert [(point["latency"], point["energy"]) for point in data["points"]] == wide_front
    assert all(point["edp"] == point["latency"] * point["energy"] for point in data["points"])
    assert all(point["schedule"]["segments"] for point in data["points"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "scope"}, "'scope' proves no front: choose one of exact"),
        ({"points": 1}, "at least 2"),
        ({"time_limit": 0}, "time limit 0 is not a positive"),
        ({"goal": Goal(segments=0)}, "at least 1"),
        ({"engine": "highs"}, "'exact' has no model"),
        ({"workers": 0}, "workers 0"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pareto(WIDE, **arguments)


def test_more_points_than_there_are_cost_no_time() -> None:
    assert costs(pareto(WIDE, points=10**12)) == known_front(WIDE)
