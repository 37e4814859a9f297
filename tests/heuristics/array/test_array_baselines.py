from collections.abc import Callable

import pytest

from heuristics.array.baselines import fixed_depth, pairs, simba_like, tangram_like, unpipelined
from heuristics.array.segments import busy, finest, schedule_of
from instances.arrays import load_array
from instances.cost.array import ArrayCosts
from instances.generate_array import random_array_costs
from instances.networks import build_network
from schedules.array.evaluate import evaluate_array
from schedules.array.progress import ArrayProgress
from schedules.array.schedule import ArraySegment
from schedules.progress import Stop

Method = Callable[[ArrayProgress, object], Stop]

BASELINES: tuple[Method, ...] = (unpipelined, pairs, tangram_like, simba_like)


def _segments(costs: ArrayCosts, method: Method) -> tuple[ArraySegment, ...]:
    progress = ArrayProgress(costs)
    method(progress, None)
    assert progress.best is not None
    return progress.best.segments


def _mobilenet() -> ArrayCosts:
    return ArrayCosts(build_network("mobilenet_v2"), load_array("32x32"))


@pytest.mark.parametrize("method", BASELINES)
@pytest.mark.parametrize("seed", range(20))
def test_baselines_lay_out_blocks_side_by_side_only(seed: int, method: Method) -> None:
    segments = _segments(random_array_costs(seed, layers=10, side=8), method)
    assert {own.organisation for own in segments} <= {"sequential", "blocked-1d"}


def test_unpipelined_has_a_segment_for_each_layer() -> None:
    assert [own.depth for own in _segments(_mobilenet(), unpipelined)] == [1] * 53


def test_pairs_are_consecutive_layers_two_by_two() -> None:
    segments = _segments(_mobilenet(), pairs)
    assert {own.depth for own in segments} == {1, 2}
    assert [(own.first, own.last) for own in segments[:4]] == [(0, 1), (2, 3), (4, 5), (6, 7)]


def test_a_pair_that_the_buffer_has_no_room_for_runs_one_by_one() -> None:
    costs = ArrayCosts(build_network("vgg16"), load_array("32x32"))
    room = costs.array.buffer_bytes // 2
    segments = _segments(costs, pairs)
    heavy = [k for k in range(costs.layers) if costs.stationary(k) > room]
    assert heavy
    assert all(own.depth == 1 for own in segments if {own.first, own.last} & set(heavy))
    assert any(own.depth == 2 for own in segments)


@pytest.mark.parametrize("seed", range(20))
def test_tangram_like_is_the_best_of_all_fixed_depths(seed: int) -> None:
    costs = random_array_costs(seed, layers=9, side=6)
    progress = ArrayProgress(costs)
    tangram_like(progress, None)
    latencies = [
        evaluate_array(costs, schedule_of(fixed_depth(costs, depth))).latency
        for depth in range(2, costs.array.depth + 1)
    ]
    assert progress.objective == min(latencies)


def test_a_fixed_depth_is_kept_wherever_it_fits() -> None:
    costs = _mobilenet()
    depths = [own.segment.depth for own in fixed_depth(costs, 4)]
    assert max(depths) == 4
    assert depths[:5] == [4] * 5
    assert sum(depths) == costs.layers


def test_simba_like_goes_as_deep_as_registers_hold_the_weights() -> None:
    costs = _mobilenet()
    room = costs.array.pes * costs.array.register_bytes
    for own in _segments(costs, simba_like):
        weights = sum(costs.stationary(k) for k in range(own.first, own.last + 1))
        assert own.depth == 1 or weights <= room
    first = _segments(costs, simba_like)[0]
    assert first.depth > 4
    rows = [layer.positions[0] for layer in costs.network.layers[first.first : first.last + 1]]
    assert (first.tiling, first.tiles) == ("positions", min(rows))


@pytest.mark.parametrize("seed", range(30))
def test_tiles_with_enough_to_do_are_among_those_that_loop_orders_allow(seed: int) -> None:
    costs = random_array_costs(seed, layers=6, side=4)
    for first in range(costs.layers):
        for last in range(first + 1, costs.layers):
            tiling, most = finest(costs, first, last)
            coarse, fine = busy(costs, first, last, 8), busy(costs, first, last, 1)
            assert {coarse, fine} <= set(costs.tile_counts(first, last))
            assert coarse[0] == fine[0] == tiling
            assert coarse[1] <= fine[1] <= most
