"""Lower bounds: never above the truth, and each part of them is needed."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heuristics.bounds import lower_bound, rising_bounds, search
from heuristics.bounds.ends import ClusterEnds, fill_ends, needs_by_ends, new_ends
from heuristics.bounds.layers import layer_costs
from heuristics.bounds.prices import byte_prices
from heuristics.bounds.segments import fewest_clusters
from heuristics.bounds.times import fill_cluster_times, needs_by_times, settle_times
from instances.cost import make_instance
from instances.generate import random_instance
from instances.instance import Instance
from instances.networks import build_network
from instances.packages import load_package
from instances.stages import FAR, StageCosts, entry, sending, stage_costs, step
from instances.tables import Ints
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


def ranges_of(widths: list[int], chiplets: int) -> tuple[Ints, Ints]:
    """Ranges of these widths, as far as there are region sizes."""
    edges = np.unique(np.minimum(np.cumsum([0, *widths, chiplets]), chiplets))
    return edges[:-1] + 1, edges[1:]


def ends_of(costs: StageCosts, low: Ints, high: Ints, prices: Ints) -> ClusterEnds:
    ends: ClusterEnds = new_ends(costs, low, prices)
    for n, last in enumerate(high.tolist()):
        fill_ends(costs, ends, n, last, prices)
    return ends


def times_of(costs: StageCosts, low: Ints, high: Ints, prices: Ints) -> Ints:
    count = len(costs.alone)
    times = np.full((count, count, len(low)), FAR)
    for n, last in enumerate(high.tolist()):
        fill_cluster_times(costs, low[n], last, prices, FAR - 1, times[:, :, n])
    return times


widths = st.lists(st.integers(1, 3), max_size=3)


@settings(max_examples=60)
@given(seed=seeds, widths=widths)
def test_no_cluster_undercuts_its_bounds(seed: int, widths: list[int]) -> None:
    instance = random_instance(seed, layers=4)
    tables, costs = instance.tables, stage_costs(instance.costs)
    low, high = ranges_of(widths, tables.chiplets)
    prices = byte_prices(costs)
    ends, times = ends_of(costs, low, high, prices), times_of(costs, low, high, prices)
    settled = times.copy()
    settle_times(settled)
    assert (settled <= times).all()
    for cluster in all_clusters(instance):
        first, last = cluster.first, cluster.last
        n = int(np.searchsorted(high, cluster.chiplets))
        time = cluster_cost(tables, cluster).time
        assert ends.since[last, n] <= first
        assert (time + ends.allowance >= ends.begin[first, n] + ends.end[last, n]).all(), cluster
        assert time >= times[last, first, n], cluster


def test_without_choices_the_bounds_on_clusters_are_the_times(make_instance: MakeInstance) -> None:
    instance = make_instance(
        [[[9, 5]], [[8, 4]], [[7, 6]]], step=[[[[6, 3]]], [[[5, 2]]]], exit=[[[4, 2]]] * 3
    )
    costs, sizes, free = stage_costs(instance.costs), np.array([1, 2]), np.array([[0, 1]])
    ends, times = ends_of(costs, sizes, sizes, free), times_of(costs, sizes, sizes, free)
    for cluster in all_clusters(instance):
        first, last, n = cluster.first, cluster.last, cluster.chiplets - 1
        time = cluster_cost(instance.tables, cluster).time
        assert time == ends.begin[first, n, 0] + ends.end[last, n, 0] == times[last, first, n]


def test_skip_tensors_are_in_the_times_of_clusters() -> None:
    for seed in range(40):
        instance = random_instance(seed, layers=4, options=1, shape="dag", memory="loose")
        costs, sizes = stage_costs(instance.costs), np.arange(1, instance.chiplets + 1)
        times = times_of(costs, sizes, sizes, np.array([[0, 1]]))
        for cluster in all_clusters(instance):
            time = cluster_cost(instance.tables, cluster).time
            assert times[cluster.last, cluster.first, cluster.chiplets - 1] == time


@settings(max_examples=60)
@given(seed=seeds, beat=st.integers(1, 200), begin=st.integers(0, 2), table=st.booleans())
def test_the_fewest_clusters_are_no_more_than_any_pipeline_has(
    seed: int, beat: int, begin: int, table: bool
) -> None:
    instance = random_instance(seed, layers=4, chiplets=3)
    tables, costs = instance.tables, stage_costs(instance.costs)
    sizes, prices = np.arange(1, 4), byte_prices(costs)
    if table:
        times = times_of(costs, sizes, sizes, prices)
        settle_times(times)
        needed = needs_by_times(times, sizes, beat)
    else:
        needed = needs_by_ends(ends_of(costs, sizes, sizes, prices), beat)
    counts = np.full(4, 99)
    stop = fewest_clusters(begin, 4, needed, 3, counts)
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


@pytest.mark.parametrize(
    ("network", "package"), [("resnet18", "simba-8x8"), ("gpt2", "datacentre-4x4")]
)
def test_the_model_says_what_layers_cost_at_least_on_a_range_of_regions(
    network: str, package: str
) -> None:
    costs = stage_costs(built_in(network, package, 8).costs)
    assert not costs.dense
    for low, high in [(1, 2), (2, 5), (3, 12), (7, 16)]:
        least = layer_costs(costs, low, high)
        for layer in range(0, len(costs.alone), 5):
            for option in range(costs.options):
                for c in range(low, high + 1):
                    place = layer, option
                    if least.kept[place] < FAR:
                        assert least.enter[place] <= entry(costs, layer, option, c)
                        assert least.leave[place] <= sending(costs, layer, option, c)
                    for before in range(costs.options):
                        if least.kept[place] < FAR and layer > 0:
                            time = step(costs, layer, before, option, c)
                            assert least.follow[layer, before, option] <= time


@settings(max_examples=80)
@given(seed=seeds, room=st.sampled_from([1, 20, 60]))
def test_no_schedule_undercuts_the_bound_of_a_large_instance(seed: int, room: int) -> None:
    """Small instances, treated as large ones: potentials alone, few ranges of regions."""
    instance = random_instance(seed)
    best = optimum(instance)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "TIMES", room)
        patch.setattr(search, "ENDS", room)
        patch.setattr(search, "REGIONS", 1)
        bounds = list(rising_bounds(instance))
    assert bool(bounds) == (best is not None)
    if best is not None:
        assert bounds[-1] <= best


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
    one, rates, costs = np.array([1]), np.array(prices), stage_costs(instance.costs)
    ends, times = ends_of(costs, one, one, rates), times_of(costs, one, one, rates)
    least = int((ends.begin[0, 0] + ends.end[-1, 0] - ends.allowance).max())
    assert least <= times[-1, 0, 0]
    return least


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
