"""The methods cpsat and milp for several models: held against enumeration, and their endings."""

from itertools import product
from typing import Any

import pytest

from formulations.multi_model import listing
from formulations.multi_model.listing import Asked, TooManyRunsError, list_runs
from formulations.multi_model.question import Question
from formulations.multi_model.reduction import reduced
from instances.cost.jobs import WorkloadCosts
from instances.generate_workload import random_workload
from instances.workload import Workload
from schedules.goal import Weights
from schedules.windows.evaluate import evaluate_windows
from schedules.windows.goal import OBJECTIVES, WindowGoal
from schedules.windows.progress import WindowProgress
from schedules.windows.schedule import Run, Stage, Window, WindowSchedule
from solvers.engines import choose
from solvers.engines.engine import Kind, Outcome
from solvers.multi_model import WindowResult, models, solve_workload
from solvers.multi_model.models import WindowSearch, solve_windows
from solvers.multi_model.solve import WindowOptions

of = pytest.mark.parametrize

KINDS: tuple[Kind, ...] = ("cpsat", "milp")


def case(seed: int) -> tuple[Workload, WindowGoal]:
    """A small random workload, and one of all kinds of goals."""
    count = 3 if seed % 7 == 0 else 2
    layers = 4 if count == 2 else 2
    workload = random_workload(seed, models=count, layers=layers, batch=(6, 16)[seed % 2])
    goals = list(product(OBJECTIVES, (True, False), (False, True)))
    objective, pipelined, shared = goals[seed % len(goals)]
    return workload, WindowGoal(objective, 1 + seed // len(goals) % 4, pipelined, shared)


@pytest.fixture
def by_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are always too many to be listed."""
    monkeypatch.setattr(listing, "MOST_LABELS", 0)


def agree(seed: int) -> None:
    """Both kinds of models, against enumeration."""
    workload, goal = case(seed)
    best = solve_workload(workload, "enumerate", goal=goal)
    for kind in KINDS:
        found = solve_workload(workload, kind, goal=goal, workers=1, seed=seed)
        assert (found.stop, found.objective) == (best.stop, best.objective), (kind, goal)
        assert found.bound == best.bound


@of("seed", range(48))
def test_models_by_runs_agree_with_enumeration(seed: int) -> None:
    agree(seed)


@of("seed", range(48, 64))
def test_models_by_stages_agree_with_enumeration(seed: int, by_stages: None) -> None:
    agree(seed)


@of("seed", range(64, 70))
def test_small_models_first_lead_to_the_same_optimum(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "FEW_RUNS", 0)
    agree(seed)


# Runs that are listed, and the bound that they give


@of("seed", range(8))
@of("period", [False, True])
def test_listed_runs_take_what_the_evaluator_says(seed: int, period: bool) -> None:
    workload, goal = case(seed)
    costs = WorkloadCosts(workload)
    listed = list_runs(costs, Asked(goal.pipelined or period, period))
    for run in (run for own in listed for run in own):
        ends = [*(first for first, _ in run.stages[1:]), run.end]
        stages = tuple(
            Stage(first, end - 1, costs.package.tiles[k])
            for (first, k), end in zip(run.stages, ends, strict=True)
        )
        window = Window((Run(run.job, run.mini_batch, stages),))
        own = evaluate_windows(costs, WindowSchedule((window,)), goal.pipelined or period)
        assert (own.period if period else own.latency) == run.time
        assert own.energy - costs.package.leakage * own.latency == run.energy


@of("seed", range(8))
def test_a_limit_rules_out_nothing_that_costs_less(seed: int) -> None:
    workload, goal = case(16 * seed)  # latency
    costs, best = WorkloadCosts(workload), solve_workload(workload, "enumerate", goal=goal)
    if best.objective is None:
        return
    question = Question(costs, goal, Weights(1, 0), limit=best.objective)
    listed = list_runs(costs, Asked(energy=False))
    runs, bound = reduced(listed, question)
    assert bound is not None
    assert bound <= best.objective
    assert sum(map(len, runs)) <= sum(map(len, listed))
    assert reduced(listed, Question(costs, goal, Weights(1, 0), limit=bound - 1))[1] is None


def test_too_many_runs_are_not_listed(by_stages: None) -> None:
    with pytest.raises(TooManyRunsError):
        list_runs(WorkloadCosts(case(0)[0]), Asked())


# Endings


def run(kind: Kind, **given: Any) -> WindowResult:
    return solve_workload(random_workload(3, batch=16), kind, workers=1, **given)


def first_schedule(workload: Workload) -> WindowSchedule:
    """One model after another on the same chiplet."""
    windows = []
    for number, job in enumerate(workload.jobs):
        stage = Stage(0, job.units - 1, (0, 0))
        windows.append(Window((Run(number, 1, (stage,)),)))
    return WindowSchedule(tuple(windows))


@of("kind", KINDS)
@of("objective", OBJECTIVES)
def test_without_time_the_start_is_the_answer(kind: Kind, objective: Any) -> None:
    workload = random_workload(3, batch=16)
    start = first_schedule(workload)
    found = solve_workload(
        workload, kind, goal=WindowGoal(objective), start=start, time_limit=0, workers=1
    )
    assert found.stop == "time-limit"
    assert found.schedule == start


@of("kind", KINDS)
def test_a_start_that_may_not_run_is_refused(kind: Kind) -> None:
    start = WindowSchedule(first_schedule(random_workload(3, batch=16)).windows[:1])
    with pytest.raises(
        ValueError, match=r"the start cannot be used: model 1 .* ends after 0 units"
    ):
        run(kind, start=start)


@of("kind", KINDS)
def test_more_models_than_windows_and_chiplets_hold_are_infeasible(kind: Kind) -> None:
    workload = random_workload(0, models=5, layers=2)
    found = solve_workload(workload, kind, goal=WindowGoal(windows=1), workers=1)
    assert (found.stop, found.schedule, found.bound) == ("infeasible", None, None)


def test_too_large_workloads_are_refused(by_stages: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "MOST_STAGES", 10)
    with pytest.raises(ValueError, match=r"too large for the models: they would have .* stages"):
        run("cpsat")


def test_a_wrong_optimum_of_an_engine_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    workload = random_workload(3, batch=16)
    start = first_schedule(workload)
    costs = WorkloadCosts(workload)
    progress = WindowProgress(costs, WindowGoal())
    engine = choose("cpsat")[0]
    options = WindowOptions(engine, start)
    search = WindowSearch(progress, options)
    search.start()
    assert progress.best == start
    claimed = Outcome("optimal", None, 1.0, 1.0)
    monkeypatch.setattr(type(engine), "run", lambda *given: claimed)
    with pytest.raises(RuntimeError, match="the model is wrong: its optimum is 1"):
        solve_windows(WindowProgress(costs, WindowGoal()), options)
