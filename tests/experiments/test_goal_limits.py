"""Limits of a goal as options of an experiment's methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from experiments.cases import arguments, run
from experiments.definition import Experiment
from instances.files.errors import FileError
from schedules.goal import Goal


def experiment(method: Mapping[str, Any]) -> Experiment:
    return Experiment(["alexnet"], ["simba-4x4"], [method], batches=[4])


def test_a_limit_holds_and_makes_another_run() -> None:
    (case, one), (_, free) = (
        *experiment({"method": "exact", "segments": 8, "clusters": 1}).tasks(),
        *experiment({"method": "exact"}).tasks(),
    )
    assert one.key != free.key
    assert arguments(one)["goal"] == Goal(segments=8, clusters=1)
    assert "goal" not in arguments(free)
    record = run(one, case.instance())
    assert record.result is not None
    assert record.result["goal"] == {
        "objective": "latency",
        "segments": 8,
        "clusters": 1,
        "pins": [],
    }
    assert {len(s["clusters"]) for s in record.result["schedule"]["segments"]} == {1}


def test_a_limit_goes_with_an_objective() -> None:
    ((_, task),) = experiment({"method": "exact", "objective": "energy", "chiplets": 9}).tasks()
    assert arguments(task)["goal"] == Goal("energy", chiplets=9)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ({"method": "scope", "segments": 2}, "'scope' minimises the latency and takes no condit"),
        ({"method": "exact", "segments": 0}, r"methods\[0\].segments"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(method: Mapping[str, Any], message: str) -> None:
    with pytest.raises(FileError, match=message):
        experiment(method)
