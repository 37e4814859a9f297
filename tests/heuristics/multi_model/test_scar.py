"""SCAR's four steps, each by its rule, and the whole."""

from dataclasses import dataclass, replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heuristics.multi_model import scar
from heuristics.multi_model.packing import even, expected, first_fit, one_by_one, shares, spread
from heuristics.multi_model.placement import (
    Part,
    brute_force,
    evolve,
    neighbours,
    paths,
    worth,
)
from heuristics.multi_model.problem import Problem
from heuristics.multi_model.scar import Steps
from heuristics.multi_model.segmentation import balanced, even_units
from heuristics.multi_model.simple import simple_schedule
from heuristics.multi_model.tables import job_tables
from instances.cost.jobs import WorkloadCosts
from instances.generate_workload import random_workload
from schedules.windows.goal import OBJECTIVES, WindowGoal
from schedules.windows.progress import WindowProgress


@dataclass(frozen=True)
class Options:
    seed: int = 0


seeds = st.integers(0, 10**6)


def test_first_fit_opens_a_window_when_a_unit_does_not_fit() -> None:
    slow, fast = np.array([4.0, 4.0, 4.0, 4.0]), np.array([3.0, 3.0, 3.0])
    # 16 cycles of the slowest model, half of it a window: two units of either model.
    assert first_fit([slow, fast], 1) == [[(0, 2), (0, 2)], [(2, 4), (2, 3)]]
    assert first_fit([slow, fast], 0) == [[(0, 4), (0, 3)]]


def test_first_fit_puts_the_rest_into_the_last_window_and_leaves_out_empty_ones() -> None:
    assert first_fit([np.array([3.0, 3.0, 3.0])], 1) == [[(0, 1)], [(1, 3)]]
    assert first_fit([np.array([1.0, 9.0])], 4) == [[(0, 1)], [(1, 2)]]


def test_even_packing_cuts_each_model_where_its_time_is_halved() -> None:
    assert even([np.array([1.0, 1.0, 2.0]), np.array([6.0, 6.0])], 1) == [
        [(0, 2), (0, 1)],
        [(2, 3), (1, 2)],
    ]


def test_models_beyond_the_chiplets_wait_for_the_next_window() -> None:
    units = [np.array([1.0, 1.0]), np.array([5.0, 5.0]), np.array([3.0, 3.0])]
    windows = [[(0, 1)] * 3, [(1, 2), (2, 2), (1, 2)]]
    assert spread(windows, units, 2, 5) == [
        [(0, 0), (0, 1), (0, 1)],
        [(0, 2), (2, 2), (1, 2)],
    ]
    assert spread([[(0, 2)] * 3], units, 2, 1) is None
    assert spread([[(0, 2)] * 3], units, 2, 2) == [
        [(0, 0), (0, 2), (0, 2)],
        [(0, 2), (2, 2), (2, 2)],
    ]


def test_shares_are_rounded_at_least_one_and_no_more_than_there_are() -> None:
    assert shares([50, 30, 20], 10) == [5, 3, 2]
    assert shares([98, 1, 1], 4) == [2, 1, 1]
    assert shares([0, 0], 4) == [1, 1]
    assert sum(shares([1.0] * 7, 9)) <= 9


def test_one_by_one_gives_each_chiplet_to_who_has_most_to_do() -> None:
    assert one_by_one([6, 3, 1], 6) == [3, 2, 1]


def test_expected_costs_are_means_of_chiplets_at_the_best_mini_batch() -> None:
    workload = random_workload(3, models=1, batch=6)
    costs = WorkloadCosts(workload)
    tables = job_tables(costs.jobs[0])
    for unit in range(workload.jobs[0].units):
        each = [
            np.mean(
                [own.rounds * own.time[c, unit, unit] + own.load[c, unit, unit] for c in range(4)]
            )
            for own in map(costs.jobs[0].stages, workload.jobs[0].mini_batches)
        ]
        assert expected(tables)[unit] == pytest.approx(min(each))


@settings(max_examples=30)
@given(
    times=st.lists(st.integers(1, 20), min_size=1, max_size=6),
    stages=st.integers(1, 4),
    ways=st.integers(1, 4),
)
def test_the_top_ways_to_cut_are_those_with_the_fastest_slowest_stage(
    times: list[int], stages: int, ways: int
) -> None:
    found = balanced(np.array(times, float), stages, ways)
    count = len(times)
    every = [
        (0, *(k + 1 for k, cut in enumerate(inner) if cut), count)
        for inner in product((False, True), repeat=count - 1)
        if sum(inner) < stages
    ]

    def slowest(cuts: tuple[int, ...]) -> int:
        return max(sum(times[a:b]) for a, b in pairwise(cuts))

    least = sorted(slowest(cuts) for cuts in every)[:ways]
    assert [slowest(cuts) for cuts in found][: len(least)] == least
    assert len(set(found)) == len(found)
    assert (0, count) in found


def test_even_units_have_as_many_units_in_each_stage() -> None:
    assert even_units(np.ones(6), 3, 2) == [(0, 2, 4, 6), (0, 3, 6), (0, 6)]


def test_paths_go_over_neighbours_and_never_twice_over_a_chiplet() -> None:
    problem = Problem(WorkloadCosts(random_workload(0, mesh=(3, 2))), WindowGoal())
    near, found = neighbours(problem), paths(problem, 3)
    # Each has a middle: the sum of d (d - 1) over chiplets with d neighbours, 4 * 2 + 2 * 6.
    assert len(found) == 20
    for path in found.tolist():
        assert len(set(path)) == 3
        assert all(b in near[a] for a, b in pairwise(path))


@settings(max_examples=15)
@given(seed=seeds, objective=st.sampled_from(OBJECTIVES))
def test_brute_force_is_no_worse_than_evolution_and_both_share_no_chiplet(
    seed: int, objective: str
) -> None:
    costs = WorkloadCosts(random_workload(seed, mesh=(3, 2), batch=6))
    problem = Problem(costs, WindowGoal(objective))  # type: ignore[arg-type]
    parts = [
        Part(job, tuple({(0, units), (0, (units + 1) // 2, units)} if units > 1 else [(0, 1)]))
        for job, units in enumerate(problem.units)
    ]
    values = []
    for place in (brute_force, evolve):
        runs = place(problem, parts, seed)
        assert runs is not None
        used = [tile for run in runs for tile in run.tiles]
        assert len(set(used)) == len(used)
        time, energy = max(run.time for run in runs), sum(run.energy for run in runs)
        values.append(worth(problem, time, energy))
    if objective == "latency":  # others combine only the best run by itself of each place
        assert values[0] <= values[1]


@settings(max_examples=20)
@given(
    seed=seeds,
    models=st.integers(1, 4),
    mesh=st.sampled_from([(2, 2), (3, 2), (3, 3)]),
    objective=st.sampled_from(OBJECTIVES),
    windows=st.sampled_from([1, 2, 5]),
    pipelined=st.booleans(),
)
def test_scar_finds_a_schedule_for_every_goal(
    seed: int, models: int, mesh: tuple[int, int], objective: str, windows: int, pipelined: bool
) -> None:
    costs = WorkloadCosts(random_workload(seed, models=models, mesh=mesh, batch=6))
    goal = WindowGoal(objective, windows, pipelined)  # type: ignore[arg-type]
    progress = WindowProgress(costs, goal)
    simple = simple_schedule(costs, goal)
    assert scar(progress, Options()) == "finished"
    assert progress.objective is not None
    assert simple is not None
    assert progress.objective <= progress.value(simple)
    assert progress.counts["splits"] == min(5, windows)


def test_every_step_can_be_another_one() -> None:
    costs = WorkloadCosts(random_workload(11, models=3, mesh=(3, 2), batch=12))
    found = {}
    for steps in (
        Steps(),
        Steps(pack=even),
        Steps(provide=one_by_one),
        Steps(segment=even_units),
        Steps(place=evolve),
    ):
        progress = WindowProgress(costs, WindowGoal())
        assert scar(progress, Options(), steps) == "finished"
        found[steps] = progress.objective
    assert len(found) == 5


def test_more_models_than_chiplets_use_more_windows_or_there_is_no_schedule() -> None:
    workload = random_workload(4, models=5, layers=2)
    costs = WorkloadCosts(workload)
    progress = WindowProgress(costs, WindowGoal(windows=1))
    assert scar(progress, Options()) == "infeasible"
    assert progress.best is None
    for goal in (WindowGoal(windows=2), WindowGoal(windows=1, shared=True)):
        progress = WindowProgress(costs, goal)
        assert scar(progress, Options()) == "finished"
        assert progress.best is not None


def test_without_splits_there_is_one_window() -> None:
    costs = WorkloadCosts(random_workload(2, batch=6))
    progress = WindowProgress(costs, WindowGoal())
    scar(progress, Options(), replace(Steps(), splits=0))
    assert progress.best is not None
    assert len(progress.best.windows) == 1
