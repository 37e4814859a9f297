"""All methods on the same random instances: proofs agree, and nothing is better than proved.

`pytest tests/solvers/test_agreement.py --instances 1000` takes more instances than the default.
"""

from dataclasses import replace

import numpy as np
import pytest

from instances.generate import random_instance
from instances.instance import Instance
from schedules.evaluate import latency
from schedules.schedule import Schedule
from schedules.verify import violations
from solvers.solve import solve

PROVING = ("enumerate", "exact", "cpsat", "cpsat-segment")
HEURISTIC = ("sequential", "pipeline", "segmented", "scope")

INSTANCES = 500
"""Random instances of a default run; chains and DAGs of up to five layers and four chiplets."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "drawn" in metafunc.fixturenames:
        count = metafunc.config.getoption("--instances") or INSTANCES
        metafunc.parametrize("drawn", range(count))


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
