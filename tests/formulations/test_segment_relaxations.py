"""The segment formulation's relaxations: whatever is asked, no schedule that obeys it is lost."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from formulations.merged_pipeline.columns import FAR
from formulations.merged_pipeline.segment_columns import SegmentColumn
from formulations.merged_pipeline.segment_pricing import Pricing
from formulations.merged_pipeline.segment_relaxations import (
    all_other_costs,
    least_slowest,
    least_sums,
    path_costs,
    path_of,
    sums_around,
)
from instances.generate import random_instance
from instances.instance import Instance
from instances.tables import Ints
from schedules.evaluate import cluster_cost, segment_cost
from schedules.goal import Goal, Weights
from schedules.progress import Progress
from schedules.schedule import Segment

MakeInstance = Callable[..., Instance]
RandomGoal = Callable[[Instance, int], Goal]
BestOfAll = Callable[..., Progress]

Path = list[tuple[int, int]]


def drawn(seed: int, random_goal: RandomGoal) -> tuple[Instance, Goal]:
    """Chains and DAGs, tight and not, some that leak; every condition, cycles or picojoules."""
    instance = random_instance(seed)
    energy = replace(instance.tables.energy, leakage=3 * (seed % 2))
    instance = replace(instance, tables=replace(instance.tables, energy=energy))
    goal = random_goal(instance, seed)
    return instance, replace(goal, objective=("latency", "energy")[seed // 2 % 2])


@pytest.mark.parametrize("seed", range(120))
def test_no_bound_is_above_the_best_schedule_and_each_of_its_segments_has_a_column(
    seed: int, random_goal: RandomGoal, best_of_all: BestOfAll
) -> None:
    instance, goal = drawn(seed, random_goal)
    found = best_of_all(instance, goal)
    if found.best is None or found.objective is None:
        return
    for limit in (None, found.objective, found.objective + found.objective // 20):
        pricing = Pricing(instance, goal, goal.weights, limit)
        pricing.settle()
        assert pricing.bound is not None
        assert pricing.bound <= found.objective
        columns = pricing.columns(found.objective)
        for segment in found.best.segments:
            clusters = 0 if segment.tiled else len(segment.clusters)
            (own,) = (
                q
                for q in columns
                if (q.first, q.last, q.clusters) == (segment.first, segment.last, clusters)
            )
            assert_no_dearer(own, segment, instance, goal)


def assert_no_dearer(own: SegmentColumn, segment: Segment, instance: Instance, goal: Goal) -> None:
    """The column has the segment's beat or less, and stages no worse than its clusters."""
    cost = segment_cost(instance, segment)
    assert own.bound <= cost.time
    for cluster in [] if segment.tiled else segment.clusters:
        stage = cluster_cost(instance.tables, cluster)
        assert any(
            (s.first, s.last) == (cluster.first, cluster.last)
            and s.chiplets <= cluster.chiplets
            and s.time <= max(stage.time, own.least)
            and (s.energy <= stage.energy or not goal.needs_energy)
            for s in own.stages
        )


# The dynamic programs against every clustering, and every path


def partitions(first: int, last: int) -> Iterator[Path]:
    """Every way to cut the layers first..last into intervals, in the order of layers."""
    if first > last:
        yield []
    for end in range(first, last + 1):
        for rest in partitions(end + 1, last):
            yield [(first, end), *rest]


def drawn_costs(seed: int, layers: int = 6) -> Ints:
    """[L,L] with gaps; FAR below the diagonal."""
    draw = np.random.default_rng(seed)
    costs = draw.integers(1, 50, (layers, layers))
    gaps = draw.random((layers, layers)) < 0.2
    return np.where(gaps | np.tri(layers, k=-1, dtype=bool), FAR, costs)


def total(costs: Ints, path: Path) -> int:
    return min(FAR, sum(int(costs[place]) for place in path))


def cheapest(costs: Ints, paths: list[Path]) -> int:
    return min((total(costs, path) for path in paths), default=FAR)


@pytest.mark.parametrize("segments", [0, 1, 2, 3, 6])
@pytest.mark.parametrize("seed", range(20))
def test_a_cheapest_path_runs_from_the_first_layer_to_the_last(seed: int, segments: int) -> None:
    costs = drawn_costs(seed)
    before, after = path_costs(costs, segments)
    paths = [p for p in partitions(0, 5) if segments == 0 or len(p) <= segments]
    assert before[-1, -1] == after[0, -1] == cheapest(costs, paths)
    if before[-1, -1] < FAR:
        found = [(first, last) for first, last in path_of(costs, before).tolist()]
        assert found in paths  # which are in the order of layers
        assert total(costs, found) == before[-1, -1]


@pytest.mark.parametrize("segments", [0, 2, 4])
@pytest.mark.parametrize("seed", range(10))
def test_the_others_of_a_segment_are_the_cheapest_around_it(seed: int, segments: int) -> None:
    costs = drawn_costs(seed)
    others = all_other_costs(*path_costs(costs, segments))
    for place in np.argwhere(np.triu(np.ones_like(costs))).tolist():
        own = tuple(place)
        around = [
            [part for part in path if part != own]
            for path in partitions(0, 5)
            if own in path and (segments == 0 or len(path) <= segments)
        ]
        assert others[own] == cheapest(costs, around)


@pytest.mark.parametrize("seed", range(10))
def test_sums_over_clusterings_are_the_least_for_each_number(seed: int) -> None:
    values, most = drawn_costs(seed), 4
    sums = least_sums(values, most)
    before, after = sums_around(values, most)
    for first, last in np.argwhere(np.triu(np.ones_like(values))).tolist():
        for k in range(1, most + 1):
            cuts = [path for path in partitions(first, last) if len(path) == k]
            assert sums[first, last, k] == cheapest(values, cuts)
            if first == 0:
                assert before[last + 1, k] == sums[first, last, k]
            if last == 5:
                assert after[first, k] == sums[first, last, k]


@pytest.mark.parametrize("seed", range(10))
def test_the_slowest_stage_is_no_slower_than_on_regions_that_share(seed: int) -> None:
    draw, chiplets = Random(seed), 5
    fastest = np.stack([drawn_costs(seed + 100 * c) for c in range(chiplets)], axis=2)
    fastest = np.minimum.accumulate(fastest, axis=2)
    slowest = least_slowest(fastest, chiplets)
    for path in partitions(0, 5):
        if len(path) > chiplets:
            continue
        for _ in range(5):
            cuts = sorted(draw.sample(range(1, chiplets), len(path) - 1))
            sizes = np.diff([0, *cuts, chiplets]).tolist()
            beat = max(fastest[(*q, c - 1)] for q, c in zip(path, sizes, strict=True))
            assert slowest[0, 5, len(path)] <= beat


def test_segments_on_the_cheapest_path_are_in_the_order_of_layers(
    make_instance: MakeInstance,
) -> None:
    instance = make_instance([[[3]], [[5]], [[7]]], resident=60)
    pricing = Pricing(instance, Goal(), Weights(1, 0))
    assert pricing.limited(15).path() == [(0, 0), (1, 1), (2, 2)]
