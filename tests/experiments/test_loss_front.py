"""The front of throughput and loss: every budget that matters, and nothing that is dominated."""

from __future__ import annotations

import csv
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

import experiments.loss_front
from experiments.loss_front import LossFront, loss_front, write_loss_front
from instances.compression import MILLION
from instances.generate import random_instance
from instances.generate_ratios import random_ratios
from instances.instance import Instance
from schedules.evaluate import latency
from schedules.verify import violations
from solvers.result import Result
from solvers.solve import solve

INSTANCE = random_ratios(
    random_instance(7, layers=3, chiplets=3, options=2, memory="loose"), 7, budget="zero"
)


def costs(front: LossFront) -> list[tuple[int, int]]:
    return [(point.lost, point.evaluation.latency) for point in front.points]


def at(budget: int) -> Instance:
    assert INSTANCE.compression is not None
    within = INSTANCE.compression.within(budget)
    return replace(INSTANCE, tables=INSTANCE.costs, compression=within)


def test_all_budgets_that_matter_are_found() -> None:
    front = loss_front(INSTANCE, method="enumerate")
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


def test_an_interrupted_front_keeps_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []

    def interrupted(instance: Instance, method: str) -> Result:
        runs.append(instance)
        result = solve(instance, method)
        return result if len(runs) < 2 else replace(result, schedule=None, stop="interrupted")

    monkeypatch.setattr(experiments.loss_front, "solve", interrupted)
    front = loss_front(INSTANCE, [0.0, 0.001, 0.002], method="enumerate")
    assert (front.stop, len(front.points), len(runs)) == ("interrupted", 1, 2)


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
