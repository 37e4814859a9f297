"""The dynamic program for several models: it finds what trying everything finds."""

from typing import Any

import pytest

from instances.generate_workload import random_workload
from instances.networks import build_network
from instances.packages import load_package
from instances.workload import Workload, job
from schedules.windows.goal import OBJECTIVES, WindowGoal
from solvers.multi_model import solve_workload


def agree(workload: Workload, goal: WindowGoal) -> None:
    """Assert that exact and enumeration find the same, with a proof."""
    truth = solve_workload(workload, "enumerate", goal=goal, workers=1)
    found = solve_workload(workload, "exact", goal=goal, workers=1)
    assert (found.stop, found.objective) == (truth.stop, truth.objective)
    assert found.bound == found.objective


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("rules", [{}, {"pipelined": False}, {"shared": True}, {"windows": 1}])
def test_two_models_are_scheduled_as_well_as_by_trying_everything(
    objective: Any, rules: dict[str, Any]
) -> None:
    for seed in range(6):
        goal = WindowGoal(objective, **{"windows": 3, **rules})
        agree(random_workload(seed, batch=8), goal)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("shared", [False, True])
def test_three_models_are_scheduled_as_well_as_by_trying_everything(
    objective: Any, shared: bool
) -> None:
    for seed in range(2):
        workload = random_workload(seed, models=3, layers=2, batch=2)
        agree(workload, WindowGoal(objective, windows=3, shared=shared))


def test_turns_within_a_window_are_found_where_they_pay() -> None:
    # One chiplet and one window: without turns there is no room for the second model.
    models = tuple(job(build_network(name), 2, "layer") for name in ("chain-1", "chain-2"))
    workload = Workload("turns", load_package("het-1x1"), models)
    alone = solve_workload(workload, "exact", goal=WindowGoal(windows=1))
    assert (alone.stop, alone.schedule, alone.bound) == ("infeasible", None, None)
    in_turn = solve_workload(workload, "exact", goal=WindowGoal(windows=1, shared=True))
    two = solve_workload(workload, "exact", goal=WindowGoal(windows=2))
    assert in_turn.objective == two.objective
    assert in_turn.schedule is not None
    assert len(in_turn.schedule.windows) == 1


def test_a_run_without_time_returns_a_schedule_and_no_proof() -> None:
    workload = random_workload(1)
    found = solve_workload(workload, "exact", time_limit=0.0)
    assert found.stop == "time-limit"
    assert found.schedule is not None
    assert found.bound is None or found.bound < (found.objective or 0)


def test_large_workloads_are_refused_with_a_way_out() -> None:
    layers = job(build_network("gpt2", sequence=128), 1, "layer")
    with pytest.raises(ValueError, match="make their units larger"):
        solve_workload(Workload("many", load_package("het-2x2"), (layers,) * 2), "exact")
    small = job(build_network("chain-2"), 1, "layer")
    with pytest.raises(ValueError, match="up to 9 chiplets, the package has 36"):
        solve_workload(Workload("wide", load_package("het-6x6-ws"), (small,)), "exact")
    with pytest.raises(ValueError, match="up to 3 models, there are 4"):
        solve_workload(
            Workload("four", load_package("het-2x2"), (small,) * 4),
            "exact",
            goal=WindowGoal(shared=True),
        )
