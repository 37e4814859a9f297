"""The wider search: never worse than SCAR, the same for a seed, and near the optimum."""

from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heuristics.multi_model import scar, search
from heuristics.multi_model.deal import deal
from heuristics.multi_model.moves import Mover
from heuristics.multi_model.problem import Choice, Problem, best_runs, fittest
from heuristics.multi_model.state import Judge, Layout, Place, build, layouts_of, settled
from instances.cost.jobs import WorkloadCosts
from instances.generate_workload import random_workload
from schedules.windows.goal import OBJECTIVES, WindowGoal
from schedules.windows.progress import WindowProgress
from schedules.windows.verify import window_violations
from solvers.multi_model import solve_workload


@dataclass(frozen=True)
class Options:
    seed: int = 0


seeds = st.integers(0, 10**6)


def start(costs: WorkloadCosts, goal: WindowGoal) -> list[Layout]:
    progress = WindowProgress(costs, goal)
    scar(progress, Options())
    assert progress.best is not None
    return layouts_of(Problem(costs, goal), progress.best)


@pytest.mark.parametrize(
    ("seed", "models", "mesh", "goal"),
    [
        (1, 2, (2, 2), WindowGoal()),
        (2, 3, (2, 2), WindowGoal("edp", windows=2)),
        (3, 4, (3, 2), WindowGoal("energy", pipelined=False)),
        (4, 1, (3, 3), WindowGoal("throughput")),
        (5, 2, (3, 2), WindowGoal("throughput", windows=1)),
        (6, 3, (2, 2), WindowGoal("latency", windows=1, pipelined=False)),
        (7, 5, (2, 2), WindowGoal("edp", windows=2)),
        (8, 5, (2, 2), WindowGoal("latency", windows=1, shared=True)),
    ],
)
def test_search_is_never_worse_than_scar_and_its_bound_is_kept(
    seed: int, models: int, mesh: tuple[int, int], goal: WindowGoal
) -> None:
    costs = WorkloadCosts(random_workload(seed, models=models, layers=3, mesh=mesh, batch=6))
    plain, wide = WindowProgress(costs, goal), WindowProgress(costs, goal, time_limit=0.7)
    scar(plain, Options())
    assert search(wide, Options()) in ("finished", "time-limit", "optimal")
    assert plain.objective is not None
    assert wide.objective is not None
    assert wide.bound is not None
    assert wide.bound <= wide.objective <= plain.objective


def test_search_finds_what_scar_does_not() -> None:
    # The one fast chiplet takes turns between two models: two windows, where SCAR takes one.
    workload = random_workload(108, models=3, layers=2)
    least = solve_workload(workload, "enumerate").objective
    found, plain = (solve_workload(workload, name).objective for name in ("search", "scar"))
    assert least is not None
    assert plain is not None
    assert found == least < plain


def test_search_finds_the_optimum_of_small_workloads() -> None:
    optima = 0
    for seed in range(8):
        workload = random_workload(seed, layers=3, batch=6)
        goal = WindowGoal(OBJECTIVES[seed % 4])
        least = solve_workload(workload, "enumerate", goal=goal).objective
        found = solve_workload(workload, "search", goal=goal, time_limit=2).objective
        assert least is not None
        assert found is not None
        assert found <= 1.05 * least
        optima += found == least
    assert optima >= 7


def test_the_seed_decides_the_result() -> None:
    workload = random_workload(14, models=3, layers=3, batch=12)
    goal = WindowGoal("edp")
    results = [solve_workload(workload, "search", goal=goal, seed=3) for _ in range(2)]
    assert results[0].schedule == results[1].schedule
    assert results[0].counts == results[1].counts


def test_more_models_than_chiplets_and_windows_are_infeasible() -> None:
    costs = WorkloadCosts(random_workload(4, models=5, layers=2))
    progress = WindowProgress(costs, WindowGoal(windows=1))
    assert search(progress, Options()) == "infeasible"


@settings(max_examples=15)
@given(seed=seeds, models=st.integers(1, 4), windows=st.sampled_from([1, 2, 5]))
def test_moves_lead_to_schedules_that_may_run(seed: int, models: int, windows: int) -> None:
    costs = WorkloadCosts(random_workload(seed, models=models, batch=4))
    goal = WindowGoal("edp", windows)
    layouts = start(costs, goal)
    judge = Judge(Problem(costs, goal))
    mover = Mover(judge, windows, Random(seed))
    made, state = 0, build(judge, layouts)
    for _ in range(60):
        moved = mover.draw(layouts)
        if moved is not None:
            state = build(judge, moved, state)
            assert window_violations(costs, state.schedule(), goal) == []
            made, layouts = made + 1, moved
    assert made or models == 1
    assert settled(state).value <= state.value


def test_dealing_uses_each_chiplet_once_and_serves_every_model() -> None:
    costs = WorkloadCosts(random_workload(9, models=3, mesh=(3, 2), batch=6))
    problem = Problem(costs, WindowGoal())
    for seed in range(5):
        window: list[Place] = [(0, units, ()) for units in problem.units]
        assert deal(Judge(problem), window, Random(seed))
        used = [tile for _, _, tiles in window for tile in tiles]
        assert len(set(used)) == len(used)
        assert all(tiles for _, _, tiles in window)


def choice(time: int, energy: int) -> Choice:
    return Choice(time, energy, 0, (0,), (0, 1))


def test_only_runs_that_no_other_beats_are_kept() -> None:
    kept = fittest([choice(5, 9), choice(3, 10), choice(6, 9), choice(7, 1)])
    assert [(own.time, own.energy) for own in kept] == [(3, 10), (5, 9), (7, 1)]


def test_fast_models_take_sparing_runs_beside_slow_ones() -> None:
    slow = (choice(10, 5), choice(20, 4))
    fast = (choice(3, 10), choice(9, 2), choice(15, 1))
    value, runs = best_runs([slow, fast], lambda time, energy: time)
    assert value == 10
    assert [(own.time, own.energy) for own in runs] == [(10, 5), (9, 2)]
    value, runs = best_runs([slow, fast], lambda time, energy: energy)
    assert value == 5
