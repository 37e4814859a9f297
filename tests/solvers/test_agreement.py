"""All methods on the same random instances: proofs agree, and nothing is better than proved.

Two runs: all methods on plain instances, and every formulation on every engine that is here on
instances with random objectives and side constraints. `pytest tests/solvers/test_agreement.py
--instances 1000` takes more instances than the default, and on each all pairs of formulation and
engine, where the default run takes them in turn.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from formulations.formulation import FORMULATIONS
from instances.generate import random_instance
from instances.instance import Instance
from schedules.evaluate import latency
from schedules.goal import OBJECTIVES, Goal, breaches
from schedules.schedule import Schedule
from schedules.verify import violations
from solvers.engines import ENGINES
from solvers.result import Result
from solvers.solve import solve

PROVING = ("enumerate", "exact", "cpsat", "decompose")
HEURISTIC = ("sequential", "pipeline", "segmented", "tangram", "scope", "scope+")

INSTANCES = 500
"""Random instances of a default run; chains and DAGs of up to five layers and four chiplets."""

WITH_GOALS = 120
"""Random instances with goals of a default run."""

MODELS = [
    (engine.kind, formulation, name)
    for name, engine in ENGINES.items()
    if engine.find() is not None
    for formulation in FORMULATIONS
]
"""(method, formulation, engine) of all that can be run here."""

AT_A_TIME = 2
"""Of MODELS, in turn, on each instance of a default run."""

RandomGoal = Callable[[Instance, int], Goal]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = metafunc.config.getoption("--instances")
    if "drawn" in metafunc.fixturenames:
        metafunc.parametrize("drawn", range(asked or INSTANCES))
    if "with_goal" in metafunc.fixturenames:
        metafunc.parametrize("with_goal", range(asked or WITH_GOALS))


def test_proofs_agree_and_no_heuristic_beats_them(drawn: int) -> None:
    instance = draw(drawn)
    results = {
        method: solve(instance, method, seed=drawn, workers=1) for method in PROVING + HEURISTIC
    }
    optimum = results["enumerate"].objective
    for method in PROVING:
        result = results[method]
        assert result.objective == optimum, method
        assert result.bound == optimum, method
        assert result.stop == ("infeasible" if optimum is None else "optimal"), method
    for method in HEURISTIC:
        result = results[method]
        if result.objective is not None:
            assert optimum is not None, method
            assert result.objective >= optimum, method
        assert result.bound is None or (optimum is not None and result.bound <= optimum), method
    for method, result in results.items():
        if result.schedule is not None:
            assert violations(instance, result.schedule) == [], method
            assert latency(instance, result.schedule) == result.objective, method


def test_the_default_instances_hold_every_kind_of_answer() -> None:
    instances = [draw(seed) for seed in range(INSTANCES)]
    results = [solve(instance, "enumerate") for instance in instances]
    schedules = [result.schedule for result in results if result.schedule is not None]
    seen = {
        "infeasible": sum(result.stop == "infeasible" for result in results),
        "skip tensors": sum(bool(instance.tables.skips) for instance in instances),
        "several segments": sum(len(schedule.segments) > 1 for schedule in schedules),
        "pipelines": sum(map(has_pipeline, schedules)),
        "merged layers": sum(map(has_merged_layers, schedules)),
        "tiled": sum(any(segment.tiled for segment in s.segments) for s in schedules),
    }
    assert min(seen.values()) >= INSTANCES / 20, seen


def test_every_formulation_on_every_engine_finds_the_optimum_of_every_goal(
    with_goal: int, random_goal: RandomGoal, pytestconfig: pytest.Config
) -> None:
    instance = draw(with_goal)
    goal = random_goal(instance, with_goal)
    expected = solve(instance, "enumerate", goal=goal)
    assert_same(solve(instance, "exact", goal=goal, workers=1), expected, "exact")
    models = MODELS if pytestconfig.getoption("--instances") else in_turn(with_goal)
    for method, formulation, engine in models:
        found = solve(
            instance,
            method,
            goal=goal,
            formulation=formulation,
            engine=engine,
            seed=with_goal,
            workers=1,
        )
        assert_same(found, expected, f"{formulation} on {engine}")
        if found.schedule is not None:
            assert violations(instance, found.schedule) == []
            assert breaches(instance, found.schedule, goal) == []


def in_turn(number: int) -> list[tuple[str, str, str]]:
    """Other models on each instance, all of them before one comes again."""
    begin = number * AT_A_TIME
    return [MODELS[place % len(MODELS)] for place in range(begin, begin + AT_A_TIME)]


def assert_same(found: Result, expected: Result, what: str) -> None:
    answer = expected.stop, expected.objective, expected.bound
    assert (found.stop, found.objective, found.bound) == answer, what


def test_the_default_goals_hold_every_kind_of_question_and_answer(random_goal: RandomGoal) -> None:
    seen: Counter[str] = Counter()
    for seed in range(WITH_GOALS):
        instance = draw(seed)
        goal = random_goal(instance, seed)
        seen[goal.objective] += 1
        seen[solve(instance, "enumerate", goal=goal).stop] += 1
        seen.update(
            name
            for name in ("latency_cap", "energy_cap", "segments", "clusters", "chiplets")
            if getattr(goal, name) is not None
        )
        seen["pins"] += bool(goal.pins)
    assert seen["optimal"] + seen["infeasible"] == WITH_GOALS
    kinds = {*OBJECTIVES, "optimal", "infeasible", "latency_cap", "energy_cap", "segments"}
    kinds |= {"clusters", "chiplets", "pins"}
    assert min(seen[kind] for kind in kinds) >= WITH_GOALS / 10, seen


def draw(seed: int) -> Instance:
    """A random instance; in two of three, large regions are slow, so that pipelines pay."""
    instance = random_instance(seed)
    if seed % 3 == 0:
        return instance
    tables = instance.tables
    hops = 8 * np.arange(tables.chiplets)
    slow = replace(
        tables,
        entry=tables.entry + hops,
        step=tables.step + hops,
        alone=np.where(tables.alone < 0, -1, tables.alone + 15),
    )
    return replace(instance, tables=slow)


def has_pipeline(schedule: Schedule) -> bool:
    return any(len(segment.clusters) > 1 for segment in schedule.segments)


def has_merged_layers(schedule: Schedule) -> bool:
    clusters = [cluster for segment in schedule.segments for cluster in segment.clusters]
    return any(cluster.last > cluster.first for cluster in clusters)
