"""The two classic baselines, by hand and against every schedule of their kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from heuristics.baselines import pipeline, sequential, single_layer_times
from instances.generate import random_instance
from instances.instance import Instance
from instances.stages import FAR, stage_costs
from instances.tables import Skip
from schedules.evaluate import latency
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations

MakeInstance = Callable[..., Instance]


def run(method: Callable[..., str], instance: Instance) -> Progress:
    progress = Progress(instance)
    assert method(instance, progress, seed=0, workers=1) == "finished"
    assert progress.bound is None
    return progress


def test_sequential_by_hand(example: Instance) -> None:
    found = run(sequential, example)
    # On three chiplets: a in 15 + 2 cycles as WSP, b in 12 + 1 as WSP.
    assert found.objective == (12 + 8 * 17) + (9 + 8 * 13)
    assert found.best == Schedule(
        tuple(Segment((Cluster(layer, layer, 3, ("WSP",)),)) for layer in (0, 1))
    )


def test_sequential_takes_the_option_that_fits(example: Instance) -> None:
    small = replace(example, tables=replace(example.tables, capacity=62))
    # a as WSP would need 60 + 3 bytes a chiplet.
    found = run(sequential, small)
    assert found.objective == (12 + 8 * (16 + 2)) + (9 + 8 * 13)


@pytest.mark.parametrize(("alone", "tiled"), [(16, True), (17, False), (18, False)])
def test_sequential_tiles_a_layer_only_where_that_is_faster(
    example: Instance, alone: int, tiled: bool
) -> None:
    instance = replace(example, tables=replace(example.tables, alone=np.array([alone, -1])))
    found = run(sequential, instance)
    assert found.best is not None
    assert [s.tiled for s in found.best.segments] == [tiled, False]
    assert found.objective == (12 + 8 * min(alone, 17)) + (9 + 8 * 13)


def test_sequential_tiles_what_fits_in_no_other_way(example: Instance) -> None:
    tables = replace(example.tables, alone=np.array([1000, -1]), capacity=23)
    found = run(sequential, replace(example, tables=tables))
    assert found.best is not None
    assert found.best.segments[0].tiled
    # b fits as ISP only: 10 + 6 bytes a chiplet, 14 + 1 cycles.
    assert found.objective == (12 + 8 * 1000) + (9 + 8 * 15)


def test_sequential_minds_dram_traffic(example: Instance) -> None:
    io, alone = np.array([[30, 7], [0, 4]]), np.array([29, -1])
    found = run(sequential, replace(example, tables=replace(example.tables, io=io, alone=alone)))
    assert found.best is not None
    assert found.best.segments[0].tiled
    found = run(sequential, replace(example, tables=replace(example.tables, io=io)))
    assert found.objective == (12 + 8 * 30) + (9 + 8 * 13)


def test_sequential_offers_nothing_if_a_layer_fits_in_no_way(example: Instance) -> None:
    for capacity, alone in [(15, [7, -1]), (23, [-1, 7])]:
        tables = replace(example.tables, capacity=capacity, alone=np.array(alone))
        assert run(sequential, replace(example, tables=tables)).best is None


def test_pipeline_by_hand(example: Instance) -> None:
    found = run(pipeline, example)
    # (2, 1) chiplets: 21 + 2 as WSP against 30 + 3; (1, 2) would wait for a's 40 + 4.
    assert found.objective == 21 + 9 * 33
    assert found.best is not None
    (segment,) = found.best.segments
    assert [(c.first, c.last, c.chiplets) for c in segment.clusters] == [(0, 0, 2), (1, 1, 1)]
    assert not segment.tiled


def test_pipeline_is_bound_by_dram_traffic(example: Instance) -> None:
    io = np.array([[5, 50], [0, 4]])
    found = run(pipeline, replace(example, tables=replace(example.tables, io=io)))
    assert found.objective == 21 + 9 * 50


def test_pipeline_takes_fewer_chiplets_where_more_are_slower(make_instance: MakeInstance) -> None:
    instance = make_instance([[[5, 9, 9]], [[8, 7, 9]]], batch=2)
    found = run(pipeline, instance)
    assert found.objective == (2 + 1) * 7
    assert found.best is not None
    assert [c.chiplets for c in found.best.segments[0].clusters] == [1, 2]


def test_pipeline_offers_nothing_with_more_layers_than_chiplets(
    make_instance: MakeInstance,
) -> None:
    assert run(pipeline, make_instance([[[1, 1]]] * 3)).best is None
    assert run(pipeline, make_instance([[[1, 1]]] * 2)).best is not None


def test_pipeline_offers_nothing_if_the_layers_do_not_fit_side_by_side(
    make_instance: MakeInstance,
) -> None:
    # Each layer needs two chiplets' buffers.
    resident = [[[101, 51, 34]]] * 2
    assert run(pipeline, make_instance([[[1, 1, 1]]] * 2, resident=resident)).best is None
    resident = [[[101, 51, 34]], [[100, 50, 34]]]
    assert run(pipeline, make_instance([[[1, 1, 1]]] * 2, resident=resident)).best is not None


def test_times_of_single_layers_take_the_best_option_that_fits(example: Instance) -> None:
    costs = stage_costs(replace(example.tables, capacity=33))
    every = [single_layer_times(costs, chiplets) for chiplets in (1, 2, 3)]
    # a fits as ISP on three chiplets only; b as WSP where its activations are spread.
    assert [times.tolist() for times, _ in every] == [[FAR, FAR], [FAR, 18], [18, 13]]
    assert [options.tolist()[1] for _, options in every[1:]] == [1, 1]
    assert every[2][1][0] == 0


def test_what_skip_tensors_cost_decides_between_options(make_instance: MakeInstance) -> None:
    nothing = np.array([0])
    enter = np.array([[[5], [0]]])
    skip = Skip("t", -1, (1,), False, enter, nothing, nothing, 0 * enter, nothing)
    instance = make_instance([[[10], [11]]] * 2, skips=(skip,))
    times, options = single_layer_times(stage_costs(instance.costs), 1)
    assert times.tolist() == [10, 11]
    assert options.tolist() == [0, 1]
    assert run(sequential, instance).objective == 10 + 11


def shortest(instance: Instance, plans: list[Schedule]) -> int | None:
    valid = [plan for plan in plans if not violations(instance, plan)]
    return min((latency(instance, plan) for plan in valid), default=None)


@pytest.mark.parametrize("seed", range(60))
def test_pipeline_is_the_best_of_all_schedules_of_its_kind(seed: int) -> None:
    instance = random_instance(seed, layers=seed % 3 + 1, chiplets=seed % 2 + 3, options=2)
    tables = instance.tables
    count, _, chiplets = tables.shape
    plans = [
        Schedule(
            (
                Segment(
                    tuple(
                        Cluster(layer, layer, size, (option,))
                        for layer, (size, option) in enumerate(zip(sizes, names, strict=True))
                    )
                ),
            )
        )
        for sizes in product(range(1, chiplets + 1), repeat=count)
        if sum(sizes) <= chiplets
        for names in product(tables.options, repeat=count)
    ]
    assert run(pipeline, instance).objective == shortest(instance, plans)


@pytest.mark.parametrize("seed", range(60))
def test_sequential_is_the_best_of_all_schedules_of_its_kind(seed: int) -> None:
    instance = random_instance(seed, layers=seed % 3 + 1, options=2, memory="tight")
    tables = instance.tables
    count, _, chiplets = tables.shape
    ways = [("ISP", True), ("ISP", False), ("WSP", False)]
    plans = [
        Schedule(
            tuple(
                Segment((Cluster(layer, layer, chiplets, (option,)),), tiled)
                for layer, (option, tiled) in enumerate(choice)
            )
        )
        for choice in product(ways, repeat=count)
    ]
    assert run(sequential, instance).objective == shortest(instance, plans)


def test_both_meet_infeasible_and_feasible_instances() -> None:
    """The random instances above are of both kinds."""
    for method in (pipeline, sequential):
        offered = [
            run(method, random_instance(seed, layers=seed % 3 + 1, options=2, memory="tight")).best
            for seed in range(60)
        ]
        assert None in offered
        assert any(offered)
