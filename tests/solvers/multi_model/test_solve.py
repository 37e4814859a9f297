"""`solve_workload`: arguments are checked, results are recomputed."""

from typing import Any

import pytest

from instances.cost.jobs import WorkloadCosts
from instances.generate_workload import random_workload
from schedules.progress import WrongScheduleError
from schedules.windows.evaluate import evaluate_windows
from schedules.windows.goal import WindowGoal
from schedules.windows.progress import WindowProgress
from schedules.windows.schedule import WindowSchedule
from schedules.windows.verify import window_violations
from solvers.multi_model import WINDOW_METHODS, solve_workload


@pytest.mark.parametrize("method", WINDOW_METHODS)
def test_every_method_returns_a_schedule_that_may_run_and_costs_what_it_says(method: str) -> None:
    workload = random_workload(3)
    result = solve_workload(workload, method, goal=WindowGoal("edp", windows=2), workers=1)
    costs = WorkloadCosts(workload)
    assert result.schedule is not None
    assert window_violations(costs, result.schedule, result.goal) == []
    assert result.objective == evaluate_windows(costs, result.schedule).edp
    assert result.bound is None or result.bound <= result.objective
    assert result.to_data()["schedule"]["windows"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"method": "best"}, "unknown method 'best'"),
        ({"time_limit": -1.0}, "time_limit -1.0: expected seconds, at least 0"),
        ({"seed": -1}, "seed -1: expected 0 to"),
        ({"workers": 0}, "workers 0: expected 1 to"),
        ({"method": "exact", "engine": "highs"}, "engine and start are for cpsat and milp"),
        ({"method": "cpsat", "engine": "nobody"}, "nobody"),
    ],
)
def test_arguments_that_cannot_be_heeded_are_refused(
    arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        solve_workload(random_workload(0), **arguments)


def test_a_schedule_that_may_not_run_is_never_kept() -> None:
    progress = WindowProgress(WorkloadCosts(random_workload(0)), WindowGoal())
    with pytest.raises(WrongScheduleError, match="ends after 0 units"):
        progress.offer(WindowSchedule(()))
    assert progress.best is None
