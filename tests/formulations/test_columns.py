"""The interval columns against all choices of options, and the bounds on segments' beats."""

from itertools import product

import numpy as np
import pytest

from formulations.merged_pipeline.columns import FAR, Columns
from formulations.merged_pipeline.segment_columns import (
    SegmentColumn,
    least_beats,
    path_bound,
    segment_columns,
)
from instances.generate import random_instance
from instances.instance import Instance
from schedules.evaluate import cluster_cost
from schedules.progress import Progress
from schedules.schedule import Cluster
from solvers.enumeration import enumerate_all


def fastest(instance: Instance, first: int, last: int, chiplets: int) -> int:
    """The stage time of the best of all options that fit, by the evaluator; FAR if none fits."""
    tables = instance.tables
    costs = (
        cluster_cost(tables, Cluster(first, last, chiplets, options))
        for options in product(tables.options, repeat=last - first + 1)
    )
    return min((cost.time for cost in costs if cost.memory <= tables.capacity), default=FAR)


def clusters_of(instance: Instance) -> list[tuple[int, int, int]]:
    count, _, chiplets = instance.tables.shape
    return [
        (first, last, c)
        for first in range(count)
        for last in range(first, count)
        for c in range(1, chiplets + 1)
    ]


@pytest.mark.parametrize("seed", range(40))
def test_columns_are_the_fastest_choices_where_more_chiplets_help(seed: int) -> None:
    instance = random_instance(seed)
    times = Columns(instance.tables).times
    best = np.full_like(times, FAR)
    for first, last, c in clusters_of(instance):
        time = fastest(instance, first, last, c)
        fewer = best[first, last, : c - 1].min(initial=FAR)
        best[first, last, c - 1] = time if time < fewer else FAR
    assert np.array_equal(times, best)


@pytest.mark.parametrize("seed", range(20))
def test_the_options_of_a_column_fit_and_reach_its_time(seed: int) -> None:
    instance = random_instance(seed, shape="dag", memory="tight")
    columns = Columns(instance.tables)
    for first, last, c in clusters_of(instance):
        time = columns.times[first, last, c - 1]
        if time < FAR:
            options = columns.options(first, last, c)
            cost = cluster_cost(instance.tables, Cluster(first, last, c, options))
            assert cost.memory <= instance.tables.capacity
            assert cost.time == time


@pytest.mark.parametrize("seed", range(10))
def test_a_limit_leaves_out_slower_columns_and_no_others(seed: int) -> None:
    tables = random_instance(seed, layers=4).tables
    everything = Columns(tables).times
    longest = int(np.median(everything[everything < FAR]))
    expected = np.where(everything <= longest, everything, FAR)
    assert np.array_equal(Columns(tables, longest).times, expected)


def test_a_cluster_that_does_not_fit_has_no_options() -> None:
    instance = random_instance(3, layers=5, memory="tight")
    places = [p for p in clusters_of(instance) if fastest(instance, *p) == FAR]
    assert places
    with pytest.raises(KeyError):
        Columns(instance.tables).options(*places[0])


@pytest.mark.parametrize("seed", range(40))
def test_no_bound_exceeds_what_the_best_schedule_costs(seed: int) -> None:
    instance = random_instance(seed)
    progress = Progress(instance)
    enumerate_all(instance, progress, seed=0, workers=1)
    if progress.best is None:
        return
    columns = Columns(instance.tables)
    loose = least_beats(columns.times, instance.tables.io)
    tight = {
        (q.first, q.last, q.clusters): q
        for q in segment_columns(instance, columns, upper=progress.objective)
    }
    total = 0
    for segment in progress.best.segments:
        clusters = 0 if segment.tiled else len(segment.clusters)
        column = tight[segment.first, segment.last, clusters]
        total += column.bound
        if clusters:
            assert loose[segment.first, segment.last, clusters] <= column.least
    assert progress.objective is not None
    assert total <= progress.objective


def test_the_path_bound_is_that_of_the_cheapest_chain() -> None:
    def column(first: int, last: int, load: int) -> SegmentColumn:
        return SegmentColumn(first, last, 1, 2, load, 10)

    chains = [column(1, 2, 7), column(0, 0, 5), column(0, 1, 1), column(2, 2, 9), column(0, 2, 30)]
    assert path_bound(chains, 3) == 1 + 9 + 2 * 2 * 10
    assert path_bound(chains[:1], 3) is None


@pytest.mark.parametrize("seed", range(10))
def test_no_segment_is_left_below_the_optimum(seed: int) -> None:
    instance = random_instance(seed, memory="loose")
    progress = Progress(instance)
    enumerate_all(instance, progress, seed=0, workers=1)
    assert progress.objective is not None
    columns = segment_columns(instance, Columns(instance.tables), progress.objective // 2)
    assert columns == []
