"""Enumeration of schedules of several models: on cases that can be counted by hand."""

from dataclasses import replace

import pytest

from instances.cost.jobs import WorkloadCosts
from instances.generate_workload import random_workload
from instances.networks import build_network
from instances.packages import load_package
from instances.workload import Workload, job
from schedules.windows.evaluate import evaluate_windows
from schedules.windows.goal import WindowGoal
from schedules.windows.schedule import Run, Stage, Window, WindowSchedule
from solvers.multi_model import solve_workload


def optimum(workload: Workload, goal: WindowGoal) -> int:
    """What enumeration proves."""
    result = solve_workload(workload, "enumerate", goal=goal)
    assert result.stop == "optimal"
    assert result.objective is not None
    return result.objective


def test_one_layer_goes_to_the_chiplet_that_is_best_for_it() -> None:
    workload = Workload(
        "one", load_package("het-2x2"), (job(build_network("chain-1"), 4, "layer"),)
    )
    costs = WorkloadCosts(workload)
    schedules = [
        WindowSchedule((Window((Run(0, mini_batch, (Stage(0, 0, tile),)),)),))
        for mini_batch in (1, 2, 4)
        for tile in costs.package.tiles
    ]
    found = [evaluate_windows(costs, schedule) for schedule in schedules]
    for objective, values in (
        ("latency", [own.latency for own in found]),
        ("energy", [own.energy for own in found]),
        ("edp", [own.edp for own in found]),
        ("throughput", [own.period for own in found]),
    ):
        result = solve_workload(workload, "enumerate", goal=WindowGoal(objective))  # type: ignore[arg-type]
        assert result.stop == "optimal"
        assert result.objective == result.bound == min(values)


def test_more_models_than_chiplets_need_more_windows() -> None:
    models = (job(build_network("chain-1"), 1, "layer"),) * 3
    workload = Workload("three", load_package("het-2x1"), models)
    assert solve_workload(workload, "enumerate", goal=WindowGoal(windows=1)).stop == "infeasible"
    found = solve_workload(workload, "enumerate", goal=WindowGoal(windows=2))
    assert found.schedule is not None
    assert len(found.schedule.windows) == 2


def test_what_is_allowed_more_never_costs_more() -> None:
    for seed in range(4):
        workload = random_workload(seed)
        goal = WindowGoal(windows=2)
        value = optimum(workload, goal)
        assert optimum(workload, replace(goal, windows=3)) <= value
        assert optimum(workload, replace(goal, shared=True)) <= value
        assert optimum(workload, replace(goal, pipelined=False)) >= value


def test_shared_chiplets_keep_three_models_from_waiting_for_each_other() -> None:
    # In one window of two chiplets, the two short models take turns beside the long one.
    long, short = build_network("chain-4"), build_network("chain-1")
    models = (job(long, 8, "stage"), job(short, 1, "layer"), job(short, 1, "layer"))
    workload = Workload("turns", load_package("het-2x1-ws"), models)
    one = WindowGoal(windows=1, shared=True)
    found = solve_workload(workload, "enumerate", goal=one)
    assert found.schedule is not None
    assert any(run.start > 0 for run in found.schedule.windows[0].runs)
    assert found.objective == optimum(workload, one) <= optimum(workload, WindowGoal(windows=3))


def test_a_goal_names_what_is_unknown() -> None:
    with pytest.raises(ValueError, match="unknown objective 'speed'"):
        WindowGoal("speed")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="0 windows: expected at least 1"):
        WindowGoal(windows=0)
