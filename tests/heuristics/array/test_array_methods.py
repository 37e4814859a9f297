"""What all fast methods for arrays have to keep."""

from collections.abc import Callable
from functools import cache

import pytest

from heuristics.array.baselines import pairs, simba_like, tangram_like, unpipelined
from heuristics.array.pipeorgan import pipeorgan
from heuristics.array.search import pipeorgan_plus
from instances.generate_array import random_array_costs
from schedules.array.progress import ArrayProgress
from schedules.array.verify import array_violations
from schedules.progress import Stop
from solvers.array.enumeration import enumerate_array
from solvers.array.solve import ARRAY_METHODS, ArrayOptions, solve_array

Method = Callable[[ArrayProgress, object], Stop]

METHODS: tuple[Method, ...] = (
    unpipelined,
    pairs,
    tangram_like,
    simba_like,
    pipeorgan,
    pipeorgan_plus,
)


def _cycles(progress: ArrayProgress) -> int:
    assert progress.objective is not None
    return progress.objective


@cache
def _optimum(seed: int) -> int:
    progress = ArrayProgress(random_array_costs(seed, layers=5, side=3))
    enumerate_array(progress, ArrayOptions())
    return _cycles(progress)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(30))
def test_schedules_may_run_and_are_no_better_than_the_best(seed: int, method: Method) -> None:
    progress = ArrayProgress(random_array_costs(seed, layers=5, side=3))
    assert method(progress, None) == "finished"
    assert progress.best is not None
    assert array_violations(progress.costs, progress.best) == []
    assert _cycles(progress) >= _optimum(seed)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(30, 50))
def test_larger_random_instances_have_schedules(seed: int, method: Method) -> None:
    progress = ArrayProgress(random_array_costs(seed, layers=20, side=12))
    method(progress, None)
    assert progress.best is not None


@pytest.mark.parametrize("method", METHODS[4:])
@pytest.mark.parametrize("seed", range(30))
def test_no_rule_makes_a_network_slower_than_layer_by_layer(seed: int, method: Method) -> None:
    found, alone = (ArrayProgress(random_array_costs(seed, layers=12, side=8)) for _ in "ab")
    method(found, None)
    unpipelined(alone, None)
    assert _cycles(found) <= _cycles(alone)


def test_the_shortest_path_often_is_the_best_and_more_often_than_the_rules() -> None:
    hits = {}
    for method in (pipeorgan, pipeorgan_plus):
        progresses = [ArrayProgress(random_array_costs(n, layers=5, side=3)) for n in range(30)]
        for progress in progresses:
            method(progress, None)
        hits[method] = sum(own.objective == _optimum(n) for n, own in enumerate(progresses))
    assert hits[pipeorgan_plus] >= 20
    assert hits[pipeorgan_plus] >= hits[pipeorgan]


@pytest.mark.parametrize("method", [own for own in METHODS if own is not unpipelined])
def test_a_run_that_has_no_time_ends_with_a_schedule(method: Method) -> None:
    progress = ArrayProgress(random_array_costs(3, layers=12), time_limit=0)
    method(progress, None)
    assert progress.best is not None


@pytest.mark.parametrize(
    "name", ["unpipelined", "pairs", "tangram-like", "simba-like", "pipeorgan", "pipeorgan+"]
)
def test_methods_are_found_by_name(name: str) -> None:
    assert name in ARRAY_METHODS
    result = solve_array(random_array_costs(1), name)
    assert result.stop == "finished"
    assert result.objective is not None
