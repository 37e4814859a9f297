"""The front of throughput and loss: every budget that matters, and nothing that is dominated."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import experiments.loss_front
from experiments.loss_front import LossFront, loss_front, write_loss_front
from instances.compression import MILLION
from instances.generate import random_instance
from instances.generate_ratios import random_ratios
from instances.instance import Instance
from schedules.evaluate import latency
from schedules.goal import Goal
from schedules.verify import violations
from solvers.result import Result
from solvers.solve import solve

INSTANCE = random_ratios(
    random_instance(7, layers=3, chiplets=3, options=2, memory="loose"), 7, budget="loose"
)


def costs(front: LossFront) -> list[tuple[int, int]]:
    return [(point.lost, point.evaluation.latency) for point in front.points]


def at(budget: int) -> Instance:
    assert INSTANCE.compression is not None
    within = INSTANCE.compression.within(budget)
    return replace(INSTANCE, tables=INSTANCE.costs, compression=within)


class Counting:
    """`solve`, which takes note of each run's budget and limit and can end one as one likes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.budgets: list[int] = []
        self.limits: list[float | None] = []
        self.end: Callable[[Result], Result] = lambda result: result
        monkeypatch.setattr(experiments.loss_front, "solve", self)

    def __call__(self, instance: Instance, method: str, **arguments: Any) -> Result:
        assert instance.compression is not None
        self.budgets.append(instance.compression.budget)
        self.limits.append(arguments["time_limit"])
        return self.end(solve(instance, method, **arguments))


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    return Counting(monkeypatch)


@pytest.mark.parametrize("method", ["enumerate", "exact"])
def test_all_budgets_that_matter_are_found(method: str) -> None:
    front = loss_front(INSTANCE, method=method)
    found = costs(front)
    assert front.stop == "optimal"
    assert all(point.proved for point in front.points)
    assert len(found) > 2
    assert found[0][0] == 0
    for (lost, cycles), (more, fewer) in pairwise(found):
        assert lost < more
        assert cycles > fewer
        # Between two points there is nothing better than the first of them.
        assert solve(at(lost), "enumerate").objective == cycles
        assert solve(at(more - 1), "enumerate").objective == cycles


@pytest.mark.parametrize("method", ["sequential", "scope"])
def test_points_of_fast_methods_may_run_and_dominate_none(method: str) -> None:
    front = loss_front(INSTANCE, method=method)
    assert front.stop == "finished"
    assert len(front.points) > 1
    best = loss_front(INSTANCE, method="enumerate")
    for point in front.points:
        assert violations(at(point.lost), point.schedule) == []
        assert point.evaluation.latency == latency(INSTANCE, point.schedule)
        assert not point.proved
        assert any(
            p.lost <= point.lost and p.evaluation.latency <= point.evaluation.latency
            for p in best.points
        )
    assert all(a[0] < b[0] and a[1] > b[1] for a, b in pairwise(costs(front)))


def test_budgets_that_are_given_are_kept_and_what_is_dominated_is_dropped() -> None:
    whole = loss_front(INSTANCE, method="enumerate")
    lost = whole.points[1].loss
    front = loss_front(INSTANCE, [lost + 1e-6, 0, lost, lost], method="enumerate")
    assert costs(front) == costs(whole)[:2]


def test_a_budget_is_exact_in_millionths() -> None:
    lost = loss_front(INSTANCE, method="enumerate").points[1].lost
    for own in (lost, lost + 1):
        assert costs(loss_front(INSTANCE, [own / MILLION], method="enumerate"))[0][0] == lost
    assert costs(loss_front(INSTANCE, [(lost - 1) / MILLION], method="enumerate"))[0][0] < lost


@pytest.mark.parametrize("seed", range(12))
def test_the_exact_front_is_that_of_all_schedules_with_a_run_a_point(
    seed: int, counting: Counting
) -> None:
    instance = random_ratios(
        random_instance(seed, layers=4, chiplets=3, options=2, memory="loose"), seed, ratios=2
    )
    front = loss_front(instance)
    assert len(counting.budgets) <= len(front.points) + 1
    assert instance.compression is not None
    sums = {0}
    for row in instance.compression.losses.tolist():
        sums = {before + own for before in sums for own in row if own >= 0}
    within = [lost / MILLION for lost in sums if lost <= instance.compression.budget]
    assert costs(front) == costs(loss_front(instance, within, method="enumerate"))
    assert (front.stop, {point.proved for point in front.points}) == ("optimal", {True})


def test_no_point_loses_more_than_the_instance_allows() -> None:
    whole = costs(loss_front(INSTANCE))
    budget = whole[2][0] + 1
    assert costs(loss_front(at(budget))) == whole[:3]
    assert costs(loss_front(at(0))) == whole[:1]


def test_points_are_spread_over_the_budgets(counting: Counting) -> None:
    whole = loss_front(INSTANCE)
    top = whole.points[-1].lost
    counting.budgets.clear()
    front = loss_front(INSTANCE, points=3)
    assert counting.budgets == [INSTANCE.compression.budget, 0, top // 2]  # type: ignore[union-attr]
    assert front.stop == "finished"
    assert len(front.points) == 3
    assert set(costs(front)) <= set(costs(whole))
    assert costs(loss_front(INSTANCE, points=2)) == [costs(whole)[0], costs(whole)[-1]]
    # A grid finer than the millionths that there are is the whole front.
    assert costs(loss_front(INSTANCE, points=top + 1)) == costs(whole)


def test_what_is_not_proved_says_nothing_of_budgets_below(counting: Counting) -> None:
    counting.end = lambda result: replace(result, stop="gap-limit")
    top = loss_front(INSTANCE, points=4).points[-1].lost
    assert counting.budgets[1:] == [0, 2 * top // 3, top // 3]


def test_an_interrupted_front_keeps_what_there_is(counting: Counting) -> None:
    def second(result: Result) -> Result:
        if len(counting.budgets) < 2:
            return result
        return replace(result, schedule=None, evaluation=None, stop="interrupted")

    counting.end = second
    for budgets in (None, [0.0, 0.001, 0.002]):
        counting.budgets.clear()
        front = loss_front(INSTANCE, budgets)
        assert (front.stop, len(front.points), len(counting.budgets)) == ("interrupted", 1, 2)


def test_ctrl_c_between_two_runs_keeps_what_there_is(counting: Counting) -> None:
    def pressed(result: Result) -> Result:
        if len(counting.budgets) == 2:
            raise KeyboardInterrupt
        return result

    counting.end = pressed
    front = loss_front(INSTANCE)
    assert (front.stop, len(front.points)) == ("interrupted", 1)


def test_the_time_limit_is_for_all_runs_and_the_ends_have_most(counting: Counting) -> None:
    front = loss_front(INSTANCE, time_limit=60)
    assert front.stop == "optimal"
    limits = [limit for limit in counting.limits if limit is not None]
    assert 15 < limits[0] <= 20
    assert 10 < limits[1] <= 20
    assert all(limit <= 60 for limit in limits)
    front = loss_front(INSTANCE, time_limit=1e-9)
    assert (front.stop, front.points) == ("time-limit", ())


def test_conditions_hold_at_every_point_and_what_none_meets_is_infeasible() -> None:
    plain = loss_front(INSTANCE, method="enumerate")
    front = loss_front(INSTANCE, method="enumerate", goal=Goal(segments=1))
    assert {len(point.schedule.segments) for point in front.points} == {1}
    assert front.to_data()["goal"]["segments"] == 1
    # Only what loses enough is fast enough: there is nothing at no loss.
    cap = plain.points[-2].evaluation.latency
    capped = loss_front(INSTANCE, method="enumerate", goal=Goal(latency_cap=cap))
    assert (capped.stop, costs(capped)) == ("optimal", costs(plain)[-2:])
    none = loss_front(INSTANCE, method="enumerate", goal=Goal(latency_cap=1))
    assert (none.stop, none.points) == ("infeasible", ())


def test_the_csv_has_a_row_for_each_point(tmp_path: Path) -> None:
    front = loss_front(INSTANCE, method="enumerate")
    write_loss_front(front, tmp_path / "front.csv")
    with (tmp_path / "front.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(round(float(r["loss"]) * MILLION), int(r["latency"])) for r in rows] == costs(front)
    assert rows[0]["compressed"] == "0"
    assert int(rows[-1]["compressed"]) > 0
    data = front.to_data()["points"]
    assert [(p["loss"], p["latency"]) for p in data] == [
        (point.loss, point.evaluation.latency) for point in front.points
    ]


def test_what_makes_no_front_is_refused(example: Instance) -> None:
    with pytest.raises(ValueError, match="'small' has no compression"):
        loss_front(example)
    with pytest.raises(ValueError, match="no budgets"):
        loss_front(INSTANCE, [])
    for budget in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="accuracy budget"):
            loss_front(INSTANCE, [budget])
    with pytest.raises(ValueError, match="1 points: a front has two ends"):
        loss_front(INSTANCE, points=1)
    with pytest.raises(ValueError, match="give one or the other"):
        loss_front(INSTANCE, [0.1], points=3)
    with pytest.raises(ValueError, match="objective 'energy': this front"):
        loss_front(INSTANCE, goal=Goal("energy"))
    with pytest.raises(ValueError, match="time limit 0 is not"):
        loss_front(INSTANCE, time_limit=0)
    with pytest.raises(ValueError, match="'exact' chooses what to compress"):
        loss_front(INSTANCE, goal=Goal(segments=1))
