"""Scope's four steps, each against a plain reading of what it promises."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heuristics.scope import scope
from heuristics.scope.clusters import merge_layers
from heuristics.scope.regions import in_proportion, share_chiplets
from heuristics.scope.search import candidate_lengths
from heuristics.scope.stage import best_switch
from instances.generate import random_instance
from instances.instance import Instance
from instances.stages import FAR, stage_costs
from schedules.evaluate import cluster_cost, cluster_memory
from schedules.progress import Progress
from schedules.schedule import Cluster

seeds = st.integers(0, 10**6)


def switched(instance: Instance, first: int, last: int, chiplets: int) -> dict[Cluster, int]:
    """Times of all clusters that switch once from some option to the first one, and fit."""
    tables = instance.tables
    found = {}
    for early, at in itertools.product(tables.options, range(last - first + 2)):
        options = (early,) * at + tables.options[:1] * (last - first + 1 - at)
        cluster = Cluster(first, last, chiplets, options)
        if cluster_memory(tables, cluster) <= tables.capacity:
            found[cluster] = cluster_cost(tables, cluster).time
    return found


@settings(max_examples=80)
@given(seed=seeds)
def test_the_best_switch_is_the_best_of_all_switches(seed: int) -> None:
    instance = random_instance(seed, layers=4)
    costs = stage_costs(instance.tables)
    for first, last in itertools.combinations_with_replacement(range(4), 2):
        for chiplets in range(1, instance.tables.chiplets + 1):
            choices = switched(instance, first, last, chiplets)
            time, switch, option = best_switch(costs, first, last, chiplets)
            assert time == min(choices.values(), default=FAR)
            if choices:
                names = instance.tables.options
                early = (names[option],) * (switch - first)
                cluster = Cluster(first, last, chiplets, early + names[:1] * (last + 1 - switch))
                assert choices[cluster] == time


@given(loads=st.lists(st.integers(0, 1000), min_size=1, max_size=8), spare=st.integers(0, 40))
def test_regions_use_every_chiplet_and_follow_the_loads(loads: list[int], spare: int) -> None:
    chiplets = len(loads) + spare
    regions = in_proportion(np.array(loads), chiplets)
    assert regions.sum() == chiplets
    assert regions.min() >= 1
    for one, other in itertools.permutations(range(len(loads)), 2):
        if loads[one] > loads[other]:
            assert regions[one] >= regions[other]


@settings(max_examples=60)
@given(seed=seeds)
def test_moving_chiplets_to_the_bottleneck_never_slows_the_beat(seed: int) -> None:
    instance = random_instance(seed, layers=4, chiplets=8)
    costs = stage_costs(instance.tables)
    begins = np.array([0, 2, 3])
    loads = np.array([5, 1, 1])
    before, proportional = share_chiplets(costs, begins, 3, loads, 8, 0)
    after, moved = share_chiplets(costs, begins, 3, loads, 8, 8)
    assert proportional.tolist() == in_proportion(loads, 8).tolist()
    assert after <= before
    assert moved.sum() == proportional.sum()
    assert moved.min() >= 1
    times = [
        best_switch(costs, first, last, int(c))[0]
        for first, last, c in zip([0, 2, 3], [1, 2, 3], moved, strict=True)
    ]
    assert after == max(times)


@settings(max_examples=60)
@given(seed=seeds, batch=st.integers(1, 20), dram=st.integers(0, 30))
def test_merging_reports_the_cost_of_the_clusters_it_returns(
    seed: int, batch: int, dram: int
) -> None:
    instance = random_instance(seed, layers=5, chiplets=6)
    costs = stage_costs(instance.tables)
    loads = instance.tables.entry[:, :, 0].min(axis=1)
    cost, begins, regions = merge_layers(costs, 0, 4, loads, 6, batch, dram, 6)
    if cost < FAR:
        ends = [*(begins[1:] - 1), 4]
        times = [
            best_switch(costs, i, j, c)[0] for i, j, c in zip(begins, ends, regions, strict=True)
        ]
        assert begins[0] == 0
        assert regions.sum() <= 6
        assert cost == (batch + len(begins) - 1) * max(dram, *times)


def test_merging_tries_one_cluster_and_one_layer_a_cluster() -> None:
    """On one chiplet only one cluster is possible; where DRAM sets the beat one is cheapest."""
    instance = random_instance(3, layers=4, chiplets=4, memory="loose", shape="chain")
    costs = stage_costs(instance.tables)
    loads = instance.tables.entry[:, :, 0].min(axis=1)
    cost, begins, _ = merge_layers(costs, 0, 3, loads, 4, 8, 10**6, 4)
    assert (cost, begins.tolist()) == (8 * 10**6, [0])


@pytest.mark.parametrize("count", [1, 2, 7, 156, 10_000])
def test_candidate_lengths_rise_to_the_whole_network(count: int) -> None:
    lengths = candidate_lengths(count)
    assert lengths[-1] == count
    assert lengths == sorted(set(lengths))
    assert lengths[0] == 1
    assert len(lengths) <= 10 + 6 * np.log(count + 1)


@pytest.mark.parametrize("seed", range(20))
def test_scope_offers_a_schedule_wherever_single_layers_fit(seed: int) -> None:
    instance = random_instance(seed, layers=6, chiplets=5)
    progress = Progress(instance)
    assert scope(instance, progress, 0, 1) == "finished"
    costs = stage_costs(instance.tables)
    fits = [
        instance.tables.alone[layer] >= 0 or best_switch(costs, layer, layer, 5)[0] < FAR
        for layer in range(6)
    ]
    if all(fits):
        assert progress.objective is not None


def test_scope_stops_at_its_time_limit() -> None:
    instance = random_instance(1, layers=40, chiplets=9, memory="loose")
    progress = Progress(instance, time_limit=1e-9)
    assert scope(instance, progress, 0, 1) == "time-limit"
