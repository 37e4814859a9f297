from __future__ import annotations

import pytest

from instances.generate_array import random_array_costs
from schedules.array.evaluate import evaluate_array
from schedules.array.files import array_schedule_from_data
from schedules.array.verify import array_violations
from schedules.progress import TracePoint
from solvers.array import ARRAY_METHODS, solve_array

COSTS = random_array_costs(3)


@pytest.mark.parametrize("method", ARRAY_METHODS)
def test_every_method_gives_a_schedule_that_may_run_and_costs_what_it_says(method: str) -> None:
    found = solve_array(COSTS, method, workers=1)
    assert found.schedule is not None
    assert array_violations(COSTS, found.schedule) == []
    assert found.objective == evaluate_array(COSTS, found.schedule).latency
    assert found.bound is None or found.bound <= found.objective
    assert found.versions["numpy"]


def test_a_result_as_data_holds_its_schedule() -> None:
    found = solve_array(COSTS, "exact", workers=1)
    data = found.to_data()
    assert array_schedule_from_data(data, "result") == found.schedule
    assert data["objective"] == data["bound"] == found.objective
    assert data["gap"] == 0
    assert data["throughput"] == COSTS.batch / found.evaluation.latency  # type: ignore[union-attr]


def test_a_listener_hears_of_every_improvement() -> None:
    heard: list[TracePoint] = []
    found = solve_array(COSTS, "exact", workers=1, listener=heard.append)
    assert tuple(heard) == found.trace


def test_unknown_methods_and_arguments_that_a_method_cannot_heed_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown method 'scope': choose one of"):
        solve_array(COSTS, "scope")
    with pytest.raises(ValueError, match="has no models"):
        solve_array(COSTS, "exact", engine="highs")
    with pytest.raises(ValueError, match="workers 0"):
        solve_array(COSTS, "exact", workers=0)
    with pytest.raises(ValueError, match="time_limit -1"):
        solve_array(COSTS, "exact", time_limit=-1)
