"""Lower bounds: never above the truth, and each part of them is needed."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heuristics.bounds import lower_bound, rising_bounds
from heuristics.bounds.clusters import cluster_bounds
from heuristics.bounds.prices import byte_prices
from heuristics.bounds.segments import fewest_clusters, needs
from instances.cost import make_instance
from instances.generate import random_instance
from instances.instance import Instance
from instances.networks import build_network
from instances.packages import load_package
from instances.stages import stage_costs
from schedules.evaluate import cluster_cost, cluster_memory
from schedules.progress import Progress
from schedules.schedule import Cluster
from solvers.enumeration import enumerate_all
from solvers.exact import exact

MakeInstance = Callable[..., Instance]

seeds = st.integers(0, 10**6)


def optimum(instance: Instance) -> int | None:
    progress = Progress(instance)
    enumerate_all(instance, progress, seed=0, workers=1)
    return progress.objective


def built_in(network: str, package: str, batch: int) -> Instance:
    return make_instance(build_network(network), load_package(package), batch)


def all_clusters(instance: Instance) -> list[Cluster]:
    """Every cluster that fits."""
    tables = instance.tables
    count, _, chiplets = tables.shape
    listed = [
        Cluster(first, last, size, options)
        for first in range(count)
        for last in range(first, count)
        for size in range(1, chiplets + 1)
        for options in itertools.product(tables.options, repeat=last - first + 1)
    ]
    return [cluster for cluster in listed if cluster_memory(tables, cluster) <= tables.capacity]


@settings(max_examples=150)
@given(seed=seeds)
def test_no_schedule_undercuts_the_bound(seed: int) -> None:
    instance = random_instance(seed)
    best, bound = optimum(instance), lower_bound(instance)
    if best is None or bound is None:
        assert best is bound is None
    else:
        assert bound <= best


@settings(max_examples=60)
@given(seed=seeds)
def test_a_known_schedule_caps_the_bound_and_does_no_harm(seed: int) -> None:
    instance = random_instance(seed)
    best = optimum(instance)
    if best is not None:
        bounds = list(rising_bounds(instance, known=best))
        assert bounds == sorted(set(bounds))
        assert bounds[-1] <= best


@settings(max_examples=60)
@given(seed=seeds, widths=st.lists(st.integers(1, 3), min_size=4, max_size=4))
def test_no_cluster_undercuts_its_bound(seed: int, widths: list[int]) -> None:
    instance = random_instance(seed, layers=4)
    tables, costs = instance.tables, stage_costs(instance.tables)
    edges = np.minimum(np.cumsum([0, *widths]), tables.chiplets)
    kept = edges[:-1] < edges[1:]
    low, high = edges[:-1][kept] + 1, edges[1:][kept]
    low, high = low[high <= tables.chiplets], high[high <= tables.chiplets]
    bounds = cluster_bounds(costs, low, high, byte_prices(costs, tables.chiplets))
    for cluster in all_clusters(instance):
        ranges = np.flatnonzero((low <= cluster.chiplets) & (cluster.chiplets <= high))
        time = cluster_cost(tables, cluster).time
        for n in ranges.tolist():
            assert bounds.since[cluster.last, n] <= cluster.first
            least = bounds.begin[cluster.first, n] + bounds.end[cluster.last, n]
            assert (time + bounds.allowance >= least).all(), cluster


def test_without_choices_the_cluster_bound_is_the_time(make_instance: MakeInstance) -> None:
    instance = make_instance(
        [[[9, 5]], [[8, 4]], [[7, 6]]], step=[[[[6, 3]]], [[[5, 2]]]], exit=[[[4, 2]]] * 3
    )
    sizes = np.array([1, 2])
    bounds = cluster_bounds(stage_costs(instance.tables), sizes, sizes, np.array([[0, 1]]))
    for cluster in all_clusters(instance):
        first, last, n = cluster.first, cluster.last, cluster.chiplets - 1
        least = bounds.begin[first, n, 0] + bounds.end[last, n, 0]
        assert least == cluster_cost(instance.tables, cluster).time


@settings(max_examples=60)
@given(seed=seeds, beat=st.integers(1, 200), begin=st.integers(0, 2))
def test_the_fewest_clusters_are_no_more_than_any_pipeline_has(
    seed: int, beat: int, begin: int
) -> None:
    instance = random_instance(seed, layers=4, chiplets=3)
    tables, costs = instance.tables, stage_costs(instance.tables)
    sizes = np.arange(1, 4)
    bounds = cluster_bounds(costs, sizes, sizes, byte_prices(costs, 3))
    counts = np.full(4, 99)
    stop = fewest_clusters(begin, 4, needs(bounds, beat), 3, counts)
    fast = {
        (cluster.first, cluster.last, cluster.chiplets)
        for cluster in all_clusters(instance)
        if cluster_cost(tables, cluster).time < beat
    }
    for last in range(begin, 4):
        fewest = min(
            (
                len(cuts) + 1
                for cuts in _subsets(range(begin + 1, last + 1))
                if _chiplets(fast, [begin, *cuts, last + 1]) <= 3
            ),
            default=None,
        )
        if fewest is not None:
            assert last < stop
            assert counts[last] <= fewest


def _subsets(items: range) -> list[tuple[int, ...]]:
    return [cut for size in range(len(items) + 1) for cut in itertools.combinations(items, size)]


def _chiplets(fast: set[tuple[int, int, int]], borders: list[int]) -> int:
    """The fewest chiplets of these clusters, 99 if one is never fast enough."""
    return sum(
        min((c for i, j, c in fast if (i, j) == (first, after - 1)), default=99)
        for first, after in itertools.pairwise(borders)
    )


def test_a_layer_that_fits_nowhere_leaves_no_bound(make_instance: MakeInstance) -> None:
    instance = make_instance([[[5]], [[5]]], resident=[[[10]], [[101]]])
    assert lower_bound(instance) is None
    tiled = make_instance([[[5]], [[5]]], resident=[[[10]], [[101]]], alone=[-1, 7])
    assert lower_bound(tiled) == optimum(tiled) == 12


PAIR: dict[str, Any] = {"entry": [[[12, 6]], [[12, 6]]], "step": [[[[8, 4]]]], "batch": 10}
"""Two layers that are best merged on both chiplets: 10 beats of 6 + 4 cycles."""


@pytest.mark.parametrize(
    ("changed", "latency"),
    [
        ({}, 100),
        ({"load": [30, 20]}, 150),
        ({"exit": [[[1, 2]], [[5, 3]]]}, 130),
        ({"io": [[0, 13], [0, 0]]}, 120),  # two segments, 10 beats of 6 each
        ({"io": [[99, 11], [0, 99]]}, 110),
        ({"resident": 51}, 120),
        ({"resident": 51, "io": [[99, 0], [0, 99]]}, 132),  # two clusters: 11 beats of 12
        ({"resident": 50, "working": [[[1]], [[0]]], "io": [[99, 0], [0, 99]]}, 132),
        ({"resident": 51, "alone": [7, 9], "io": [[99, 99], [0, 99]]}, 160),
    ],
)
def test_each_cost_is_in_the_bound(
    make_instance: MakeInstance, changed: dict[str, Any], latency: int
) -> None:
    instance = make_instance(**(PAIR | changed))
    assert optimum(instance) == latency
    assert lower_bound(instance) == latency


def test_a_price_on_bytes_tells_that_fast_options_do_not_fit_together(
    make_instance: MakeInstance,
) -> None:
    """Three layers, each fast with 40 bytes or slow with 10: one of them has to be slow."""
    instance = make_instance(
        [[[4], [10]]] + [[[99], [99]]] * 2,
        step=[[[[4], [10]]] * 2] * 2,
        resident=[[[40], [10]]] * 3,
    )
    free, priced = (bound_at(instance, prices) for prices in ([(0, 1)], [(0, 1), (1, 5)]))
    assert free == 12
    assert free < priced <= 18


def bound_at(instance: Instance, prices: list[tuple[int, int]]) -> int:
    """What all layers in one cluster on one chiplet take at least."""
    one = np.array([1])
    bounds = cluster_bounds(stage_costs(instance.tables), one, one, np.array(prices))
    least = bounds.begin[0, 0] + bounds.end[-1, 0] - bounds.allowance
    return int(least.max())


@pytest.mark.parametrize(
    ("network", "package", "batch", "share"),
    [
        ("alexnet", "simba-4x4", 64, 0.995),
        ("vgg16", "simba-4x4", 16, 0.995),
        ("darknet19", "simba-6x6", 64, 0.99),
        ("resnet18", "datacentre-4x4", 256, 0.985),
        ("mobilenet_v2", "simba-4x4", 16, 0.985),
    ],
)
def test_the_bound_is_close_on_networks(
    network: str, package: str, batch: int, share: float
) -> None:
    instance = built_in(network, package, batch)
    progress = Progress(instance)
    assert exact(instance, progress, seed=0, workers=1) == "optimal"
    bound = lower_bound(instance)
    assert bound is not None
    assert progress.objective is not None
    assert share * progress.objective <= bound <= progress.objective


def test_the_time_limit_leaves_a_weaker_bound() -> None:
    instance = built_in("resnet50", "simba-4x4", 64)
    whole, none = lower_bound(instance), lower_bound(instance, time_limit=0)
    assert whole is not None
    assert none is not None
    assert sum(instance.tables.load.tolist()) <= none < whole
