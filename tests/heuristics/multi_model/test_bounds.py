"""Lower bounds of several models: below every schedule, and not far below."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heuristics.multi_model.bounds import lower_bound
from heuristics.multi_model.kinds import all_counts, kind_runs, kind_tables, limits_of
from heuristics.multi_model.stages import choices
from heuristics.multi_model.tables import job_tables
from instances.cost.jobs import WorkloadCosts
from instances.generate_workload import random_workload
from instances.stages import FAR
from schedules.windows.goal import OBJECTIVES, WindowGoal
from solvers.multi_model import solve_workload

seeds = st.integers(0, 10**6)


@settings(max_examples=25)
@given(
    seed=seeds,
    models=st.integers(1, 3),
    objective=st.sampled_from(OBJECTIVES),
    windows=st.sampled_from([1, 2, 5]),
    pipelined=st.booleans(),
    shared=st.booleans(),
)
def test_no_schedule_is_below_the_bound(
    seed: int, models: int, objective: str, windows: int, pipelined: bool, shared: bool
) -> None:
    workload = random_workload(seed, models=models, layers=4 - models, batch=6)
    goal = WindowGoal(objective, windows, pipelined, shared and models < 3)  # type: ignore[arg-type]
    least = solve_workload(workload, "enumerate", goal=goal).objective
    assert least is not None
    bound = lower_bound(WorkloadCosts(workload), goal)
    assert bound <= least
    assert lower_bound(WorkloadCosts(workload), goal, seconds=0.0) <= least
    assert bound >= least / 10


@pytest.mark.parametrize(("objective", "expected"), [("latency", 0.9), ("edp", 0.85)])
def test_bounds_are_near_the_optimum_on_average(objective: str, expected: float) -> None:
    ratios = []
    for seed in range(12):
        workload, goal = random_workload(seed, layers=3), WindowGoal(objective)  # type: ignore[arg-type]
        least = solve_workload(workload, "enumerate", goal=goal).objective
        assert least is not None
        ratios.append(lower_bound(WorkloadCosts(workload), goal) / least)
    assert np.mean(ratios) > expected


@settings(max_examples=8)
@given(seed=seeds, pipelined=st.booleans(), steps=st.sampled_from([0, 10**9]))
def test_runs_by_kind_are_never_above_runs_on_chiplets(
    seed: int, pipelined: bool, steps: int
) -> None:
    costs = WorkloadCosts(random_workload(seed, models=1, layers=5, mesh=(2, 2), batch=6))
    tables, units = job_tables(costs.jobs[0]), costs.workload.jobs[0].units
    found = kind_runs(tables, costs.package, pipelined=pipelined, steps=steps)
    kinds = costs.package.kind
    for count in range(1, min(3, units) + 1):
        for tiles in permutations(range(4), count):
            state = np.bincount(kinds[list(tiles)], minlength=len(found.counts.stride))
            own = int(state @ found.counts.stride)
            for aim, at in ((0, 0), (1, 1), (2, 0)):
                runs, _ = choices(tables, np.array(tiles), (0, units), np.array([aim]), pipelined)
                for time_or_energy, n in zip(runs[:, at], runs[:, 2], strict=True):
                    least = (found.latency[n], found.energy[n])[at][0, units, own]
                    least = found.period[own] if aim == 2 else least
                    assert least <= time_or_energy


def test_with_chiplets_alike_everywhere_runs_by_kind_are_exact() -> None:
    # One model on one chiplet of a kind: no place is left out but the distance to DRAM.
    costs = WorkloadCosts(random_workload(3, models=1, layers=4, mesh=(2, 2), batch=6))
    tables, units = job_tables(costs.jobs[0]), costs.workload.jobs[0].units
    found = kind_runs(tables, costs.package, pipelined=True)
    for kind, step in enumerate(found.counts.stride):
        own = [k for k in range(4) if costs.package.kind[k] == kind]
        for n in range(len(tables.rounds)):
            alone = [
                choices(tables, np.array([tile]), (0, units), np.array([0]), True)[0][n, 0]
                for tile in own
            ]
            assert found.latency[n, 0, units, step] == min(alone)


def test_numbers_of_chiplets_add_up() -> None:
    counts = all_counts(np.array([2, 1]))
    assert counts.many.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]]
    assert (counts.many @ counts.stride).tolist() == list(range(6))


@pytest.mark.parametrize("most", [1, 3, 1000])
def test_limits_hold_every_time_of_a_stage(most: int) -> None:
    costs = WorkloadCosts(random_workload(8, models=1, layers=6, batch=4))
    own = kind_tables(job_tables(costs.jobs[0]), costs.package)
    limits = limits_of(own, 0, most)
    assert len(limits) <= most
    assert (limits[:, 0] <= limits[:, 1]).all()
    assert (limits[1:, 0] > limits[:-1, 1]).all()
    units = own.time.shape[-1]
    for kind in range(own.time.shape[1]):
        for a in range(units):
            for b in range(a + 1, units + 1):
                for first in (own.dram, own.hop):
                    time = own.time[0, kind, a, b - 1] + first[0, kind, a] + own.dram[0, kind, b]
                    assert ((limits[:, 0] <= time) & (time <= limits[:, 1])).any()


def test_a_run_needs_a_chiplet_and_a_unit_for_each_stage() -> None:
    costs = WorkloadCosts(random_workload(8, models=1, layers=6, batch=4))
    found = kind_runs(job_tables(costs.jobs[0]), costs.package, pipelined=True)
    assert (found.latency[:, :, :, 0] == FAR).all()
    chiplets = found.counts.many.sum(axis=1)
    assert (found.latency[:, 0, 1, chiplets > 1] == FAR).all()
    assert (found.latency[:, 0, 1, chiplets == 1] < FAR).all()
