"""Tangram's search: regions by work, and the best cut into segments of such regions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heuristics.baselines import sequential
from heuristics.tangram import in_proportion, tangram, work
from instances.cost import make_instance
from instances.generate import random_instance
from instances.instance import Instance
from instances.networks import build_network
from instances.packages import load_package
from schedules.evaluate import cluster_memory, segment_cost
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations
from solvers.solve import solve


def run(instance: Instance, time_limit: float | None = None) -> Progress:
    progress = Progress(instance, time_limit)
    tangram(instance, progress, seed=0, workers=1)
    assert progress.bound is None
    return progress


def shares(amounts: list[int], chiplets: int) -> list[int]:
    return in_proportion(np.array(amounts, dtype=np.int64), chiplets).tolist()


@pytest.mark.parametrize(
    ("amounts", "chiplets", "sizes"),
    [
        ([1, 1], 4, [2, 2]),
        ([3, 1], 8, [6, 2]),
        ([5, 4, 1], 4, [2, 1, 1]),  # shares of 2, 1.6 and 0.4: rounded up to one, so 1.6 pays
        ([26, 23, 11], 6, [3, 2, 1]),  # 2.6, 2.3, 1.1: the sixth goes to the first
        ([100, 1, 1, 1, 1], 5, [1, 1, 1, 1, 1]),
        ([1000, 1, 1], 9, [7, 1, 1]),
        ([7], 3, [3]),
    ],
)
def test_regions_are_in_proportion_to_work(
    amounts: list[int], chiplets: int, sizes: list[int]
) -> None:
    assert shares(amounts, chiplets) == sizes


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=12), st.integers(0, 300))
def test_no_chiplet_would_be_missed_less_elsewhere(amounts: list[int], more: int) -> None:
    chiplets = len(amounts) + more
    sizes = shares(amounts, chiplets)
    assert sum(sizes) == chiplets
    assert min(sizes) >= 1
    # In chiplets times the sum of all work, so that everything is an integer.
    total = sum(amounts)
    short = [a * chiplets - n * total for a, n in zip(amounts, sizes, strict=True)]
    could_give = [s for s, n in zip(short, sizes, strict=True) if n > 1]
    assert all(s + total >= max(short) for s in could_give)


@pytest.mark.parametrize("seed", range(60))
def test_it_is_the_best_cut_into_segments_with_proportional_regions(seed: int) -> None:
    instance = random_instance(seed, layers=2 + seed % 5, chiplets=1 + seed % 7)
    found = run(instance)
    assert found.objective == min(times_of_cuts(instance), default=None)
    assert (found.best is None) == (run_sequential(instance).best is None)


def run_sequential(instance: Instance) -> Progress:
    progress = Progress(instance)
    sequential(instance, progress, seed=0, workers=1)
    return progress


def times_of_cuts(instance: Instance) -> Iterator[int]:
    """The least latency of each cut into segments that fit."""
    count = len(instance.layers)
    alone = run_sequential(instance).best
    if alone is None:
        return
    for cuts in product([False, True], repeat=count - 1):
        borders = [0, *(k + 1 for k, cut in enumerate(cuts) if cut), count]
        options = []
        for first, end in pairwise(borders):
            segments = [alone.segments[first]] if end == first + 1 else every(instance, first, end)
            options.append([segment_cost(instance, segment).time for segment in segments])
        if all(options):
            yield sum(min(times) for times in options)


def every(instance: Instance, first: int, end: int) -> list[Segment]:
    """All segments of single layers with regions by work that fit, with all options."""
    if end - first > instance.chiplets:
        return []
    sizes = shares(work(instance)[first:end].tolist(), instance.chiplets)
    choices = [
        [cluster for name in instance.options if fits(instance, cluster := at(layer, size, name))]
        for layer, size in zip(range(first, end), sizes, strict=True)
    ]
    return [Segment(clusters) for clusters in product(*choices)]


def at(layer: int, size: int, option: str) -> Cluster:
    return Cluster(layer, layer, size, (option,))


def fits(instance: Instance, cluster: Cluster) -> bool:
    return cluster_memory(instance.costs, cluster) <= instance.capacity


@pytest.mark.parametrize("seed", range(100, 150))
def test_it_is_never_better_than_the_exact_segmented_pipeline(seed: int) -> None:
    instance = random_instance(seed)
    found, exact = run(instance), solve(instance, "segmented", workers=1)
    if found.best is not None:
        assert violations(instance, found.best) == []
        assert exact.objective is not None
        assert found.objective is not None
        assert found.objective >= exact.objective


def test_work_is_operations_where_they_are_known(example: Instance) -> None:
    network = build_network("alexnet")
    instance = make_instance(network, load_package("simba-4x4"), 8)
    assert work(instance).tolist() == [layer.macs for layer in network.layers]
    # On one chiplet, of tables: the least of both options.
    assert work(example).tolist() == [40, 30]


def test_a_network_gets_all_chiplets_in_proportion() -> None:
    instance = make_instance(build_network("resnet18"), load_package("simba-8x8"), 64)
    found = run(instance)
    assert found.best is not None
    pipelined = [segment for segment in found.best.segments if len(segment.clusters) > 1]
    assert pipelined, "no segment of several layers: nothing is tested"
    for segment in pipelined:
        sizes = [cluster.chiplets for cluster in segment.clusters]
        assert sizes == shares(work(instance)[segment.first : segment.last + 1].tolist(), 64)
        assert all(cluster.first == cluster.last for cluster in segment.clusters)
    alone = run_sequential(instance).objective
    assert found.objective is not None
    assert alone is not None
    assert found.objective < alone


def test_huge_operations_do_not_overflow(example: Instance) -> None:
    entry = example.tables.entry * 2**54
    huge = replace(example, tables=replace(example.tables, entry=entry))
    assert 0 < work(huge).sum() * huge.chiplets < 2**62


def test_a_time_limit_leaves_the_rest_one_at_a_time() -> None:
    instance = make_instance(build_network("resnet50"), load_package("simba-8x8"), 64)
    progress = Progress(instance, time_limit=1e-9)
    assert tangram(instance, progress, seed=0, workers=1) == "time-limit"
    assert isinstance(progress.best, Schedule)
    assert progress.objective == run_sequential(instance).objective


def test_a_time_limit_ends_a_long_search_soon() -> None:
    instance = make_instance(build_network("chain-2000"), load_package("simba-16x16"), 64)
    solve(instance, "tangram", time_limit=0.01)  # loads the kernels
    result = solve(instance, "tangram", time_limit=0.5)
    assert result.stop == "time-limit"
    assert result.objective is not None
    assert result.runtime_s < 5
