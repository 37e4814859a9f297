"""The reference method against a listing of literally every schedule."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Literal

import pytest

from instances.generate import random_instance
from instances.instance import Instance
from instances.tables import CostTables
from schedules.evaluate import evaluate, latency
from schedules.goal import Goal, breaches
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations
from solvers.enumeration import WORKLOAD_LIMIT, enumerate_all, workload

MakeInstance = Callable[..., Instance]


@pytest.mark.parametrize("seed", range(40))
def test_the_best_of_literally_all_schedules_is_found(seed: int) -> None:
    layers, chiplets = seed % 3 + 1, seed % 2 + 2
    shape: Literal["dag"] | None = "dag" if layers == 3 else None
    instance = random_instance(seed, layers=layers, chiplets=chiplets, options=2, shape=shape)
    schedules = [Schedule(segments) for segments in all_schedules(instance.tables, 0)]
    valid = [schedule for schedule in schedules if not violations(instance, schedule)]
    optimum = min((latency(instance, schedule) for schedule in valid), default=None)

    progress = Progress(instance)
    stop = enumerate_all(instance, progress, seed=0, workers=1)

    assert progress.objective == progress.bound == optimum
    assert stop == ("infeasible" if optimum is None else "optimal")


@pytest.mark.parametrize("seed", range(40))
def test_goals_are_met_as_well_as_literally_all_schedules_allow(
    seed: int, random_goal: Callable[[Instance, int], Goal]
) -> None:
    layers, chiplets = seed % 3 + 1, seed % 2 + 2
    shape: Literal["dag"] | None = "dag" if layers == 3 else None
    instance = random_instance(seed, layers=layers, chiplets=chiplets, options=2, shape=shape)
    schedules = [Schedule(segments) for segments in all_schedules(instance.tables, 0)]
    valid = [schedule for schedule in schedules if not violations(instance, schedule)]
    for goal in (random_goal(instance, 8 * seed + draw) for draw in range(8)):
        allowed = (schedule for schedule in valid if not breaches(instance, schedule, goal))
        values = (goal.value(evaluate(instance, schedule)) for schedule in allowed)
        optimum = min(values, default=None)

        progress = Progress(instance, goal=goal)
        stop = enumerate_all(instance, progress, seed=0, workers=1)

        assert progress.objective == progress.bound == optimum, goal
        assert stop == ("infeasible" if optimum is None else "optimal"), goal


def test_example_of_the_problem_statement_takes_229_cycles(example: Instance) -> None:
    progress = Progress(example)
    assert enumerate_all(example, progress, seed=0, workers=1) == "optimal"
    assert progress.objective == 229


def test_a_layer_that_fits_nowhere_makes_the_instance_infeasible(
    make_instance: MakeInstance,
) -> None:
    instance = make_instance([[[5]], [[5]]], resident=[[[10]], [[101]]])
    progress = Progress(instance)
    assert enumerate_all(instance, progress, seed=0, workers=1) == "infeasible"
    assert progress.best is None
    assert progress.bound is None


def test_the_time_limit_ends_the_run_without_a_proof() -> None:
    instance = random_instance(1, layers=8, chiplets=12, options=2, memory="loose")
    progress = Progress(instance, time_limit=0.2)
    assert enumerate_all(instance, progress, seed=0, workers=1) == "time-limit"
    assert progress.seconds < 1
    assert progress.best is not None
    assert progress.bound is None


def test_an_instance_that_would_take_hours_is_refused() -> None:
    instance = random_instance(1, layers=16, chiplets=16)
    with pytest.raises(ValueError, match=r"16 layers .* 16 chiplets .* at most 1e\+08 .* 'exact'"):
        enumerate_all(instance, Progress(instance), seed=0, workers=1)


def test_energy_makes_the_work_larger_and_is_refused_sooner() -> None:
    instance = random_instance(1, layers=9, chiplets=12, options=3, memory="tight")
    assert workload(9, 3, 12) < WORKLOAD_LIMIT < workload(9, 3, 12, energy=True)
    with pytest.raises(ValueError, match="method 'enumerate' is for tiny instances"):
        enumerate_all(instance, Progress(instance, goal=Goal("energy")), seed=0, workers=1)


@pytest.mark.parametrize(("layers", "chiplets"), [(1, 3), (3, 2), (4, 4)])
def test_the_workload_counts_pipelines_and_option_choices(layers: int, chiplets: int) -> None:
    pipelines = sum(
        sum(sizes) <= chiplets
        for first in range(layers)
        for last in range(first, layers)
        for clusters in all_clusterings(first, last)
        for sizes in product(range(1, chiplets + 1), repeat=len(clusters))
    )
    choices = sum(
        chiplets * len(list(product("oO", repeat=last - first + 1)))
        for first in range(layers)
        for last in range(first, layers)
    )
    segmentations = len(all_clusterings(0, layers - 1))
    assert workload(layers, 2, chiplets) == pipelines + choices + segmentations
    assert workload(layers, 1, chiplets, energy=True) == workload(layers, 1, chiplets)


def all_schedules(tables: CostTables, first: int) -> Iterator[tuple[Segment, ...]]:
    """Every list of segments from layer `first`, also those that break a constraint."""
    count = len(tables.layers)
    if first == count:
        yield ()
    for last in range(first, count):
        for segment in all_segments(tables, first, last):
            for rest in all_schedules(tables, last + 1):
                yield (segment, *rest)


def all_segments(tables: CostTables, first: int, last: int) -> Iterator[Segment]:
    if first == last:
        whole = Cluster(first, first, tables.chiplets, tables.options[:1])
        yield Segment((whole,), tiled=True)
    for clusters in all_clusterings(first, last):
        for sizes in product(range(1, tables.chiplets + 1), repeat=len(clusters)):
            for options in product(tables.options, repeat=last - first + 1):
                yield Segment(
                    tuple(
                        Cluster(begin, end, size, options[begin - first : end - first + 1])
                        for (begin, end), size in zip(clusters, sizes, strict=True)
                    )
                )


def all_clusterings(first: int, last: int) -> list[list[tuple[int, int]]]:
    whole = [[(first, last)]]
    return whole + [
        [(first, end), *rest]
        for end in range(first, last)
        for rest in all_clusterings(end + 1, last)
    ]
