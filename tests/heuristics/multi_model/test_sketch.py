"""Counting chiplets by kind: plans stay sound, cost too little if anything, and can be placed."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heuristics.multi_model.counting import anneal_counts, needed
from heuristics.multi_model.kinds import KindRuns, kind_runs
from heuristics.multi_model.problem import Problem
from heuristics.multi_model.simple import simple_schedule
from heuristics.multi_model.sketch import HEATS, placed, plan_of, sketch, tables_of
from heuristics.multi_model.state import Judge, Layout, build, layouts_of
from instances.cost.jobs import WorkloadCosts
from instances.generate_workload import random_workload
from schedules.windows.goal import OBJECTIVES, WindowGoal
from schedules.windows.progress import WindowProgress


def case(seed: int, models: int, goal: WindowGoal) -> tuple[Judge, list[Layout], list[KindRuns]]:
    costs = WorkloadCosts(random_workload(seed, models=models, mesh=(3, 2), batch=6))
    simple = simple_schedule(costs, goal)
    assert simple is not None
    problem = Problem(costs, goal)
    runs = [kind_runs(own, costs.package, pipelined=goal.pipelined) for own in problem.tables]
    return Judge(problem), layouts_of(problem, simple), runs


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10**6),
    models=st.integers(1, 4),
    objective=st.sampled_from(OBJECTIVES),
    windows=st.sampled_from([1, 2, 5]),
    pipelined=st.booleans(),
)
def test_plans_stay_sound_and_cost_no_more_than_when_they_are_placed(
    seed: int, models: int, objective: str, windows: int, pipelined: bool
) -> None:
    goal = WindowGoal(objective, windows, pipelined)  # type: ignore[arg-type]
    judge, start, runs = case(seed, models, goal)
    tables = tables_of(judge, runs)
    own, best, spare = (plan_of(judge, tables, start) for _ in range(3))
    plans = own, best, spare
    least = anneal_counts(tables, plans, 500, HEATS, np.random.default_rng(seed))
    for plan in plans[:2]:
        count = int(plan.number[0])
        cuts, states = plan.cuts[: count + 1], plan.states[:count]
        assert 1 <= count <= windows
        assert (cuts[0] == 0).all()
        assert (cuts[-1] == tables.units).all()
        assert (np.diff(cuts, axis=0) >= 0).all()
        assert np.diff(cuts, axis=0).any(axis=1).all()  # something runs in each window
        assert ((np.diff(cuts, axis=0) > 0) == (states > 0)).all()
        assert (tables.many[states].sum(axis=1) <= tables.many[-1]).all()
    _, known = needed(tables, plans[1])
    assert judge.value(known[:, 0].sum(), known[:, 1].sum()) == pytest.approx(least)
    found = build(judge, placed(judge, tables, plans[1], Random(seed)))
    assert found.value >= least * (1 - 1e-9)


def test_chiplets_that_make_no_run_faster_are_not_needed() -> None:
    judge, start, runs = case(3, 2, WindowGoal())
    tables = tables_of(judge, runs)
    plan = plan_of(judge, tables, start)
    plan.states[0, 0] = len(tables.many) - 1 - plan.states[0, 1]  # all that the other has not
    states, known = needed(tables, plan)
    own = tables.many[states[0, 0]]
    assert 1 <= own.sum() <= judge.problem.units[0]
    plan.states[:] = states
    assert needed(tables, plan)[1][0, 0] == known[0, 0]


def test_a_sketch_improves_on_each_model_in_one_stage() -> None:
    judge, start, runs = case(21, 3, WindowGoal())
    progress = WindowProgress(judge.problem.costs, judge.problem.goal)
    simple = progress.offer(build(judge, start).schedule())
    sketch(progress, judge, runs, start, 0)
    assert progress.objective is not None
    assert progress.objective < simple
