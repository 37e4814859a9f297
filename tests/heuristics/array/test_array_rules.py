from dataclasses import replace
from typing import Any

import pytest

from heuristics.array.pipeorgan import PIPEORGAN, by_granule, by_volume, pipeorgan, waits
from heuristics.array.segments import alone, busy
from instances.array import Array
from instances.arrays import load_array
from instances.cost.array import ArrayCosts, SegmentWork
from instances.network import Layer, Network
from schedules.array.evaluate import evaluate_segment
from schedules.array.progress import ArrayProgress
from schedules.array.schedule import ArraySegment

SLOW = replace(load_array("16x16"), dram_bytes=1, buffer_bytes=200_000)
"""Data take long to come and go, and no tensor of the networks here stays in the buffer."""

FAST = replace(SLOW, dram_bytes=10**6, bus_bytes=10**6)
"""No layer waits for data."""


def _chain(*channels: int, side: int = 64, skips: dict[int, int] | None = None) -> Network:
    """Convolutions 1x1 in a row; `skips`: a layer -> the one whose output it adds."""
    layers, before = [], "image"
    for k in range(1, len(channels)):
        over = [f"layer{skips[k - 1]}"] if skips and k - 1 in skips else []
        layers.append(
            Layer(
                f"layer{k - 1}",
                "conv",
                channels[k],
                channels[k - 1],
                (side, side),
                inputs=(before,),
                addends=tuple(over),
                outputs=((f"layer{k - 1}", (channels[k], side, side)),),
            )
        )
        before = f"layer{k - 1}"
    return Network("chain", (("image", (channels[0], side, side)),), tuple(layers))


def _segments(network: Network, array: Array = SLOW, **rules: Any) -> tuple[ArraySegment, ...]:
    progress = ArrayProgress(ArrayCosts(network, array))
    pipeorgan(progress, None, replace(PIPEORGAN, **rules))
    assert progress.best is not None
    return progress.best.segments


def _work(network: Network, array: Array, tiles: int) -> SegmentWork:
    return ArrayCosts(network, array).segment(0, len(network.layers) - 1, "positions", tiles)


def test_a_chain_with_much_to_hand_on_is_pipelined_to_its_end() -> None:
    network = _chain(32, 32, 32, 32, 32)
    assert by_volume(ArrayCosts(network, SLOW), 0) == 3
    assert [own.depth for own in _segments(network)] == [4]


def test_layers_whose_weights_outweigh_what_they_read_are_not_pipelined() -> None:
    network = _chain(128, 128, 128, 128, side=4)
    costs = ArrayCosts(network, SLOW)
    assert [by_volume(costs, k) for k in range(3)] == [0, 1, 2]
    assert [own.depth for own in _segments(network)] == [1, 1, 1]


def test_a_batch_makes_the_same_layers_worth_pipelining() -> None:
    network = _chain(128, 128, 128, 128, side=4)
    assert by_volume(ArrayCosts(network, SLOW, batch=64), 0) == 2


def test_layers_that_never_wait_for_data_are_not_pipelined() -> None:
    costs = ArrayCosts(_chain(32, 32, 32, 32, 32), FAST)
    assert not any(waits(costs, k, k) for k in range(4))
    assert [by_volume(costs, k) for k in range(4)] == [0, 1, 2, 3]


def test_a_skip_edge_deepens_the_pipeline_over_a_layer_with_many_weights() -> None:
    channels, side = (32, 32, 320, 32, 32), 16
    without = ArrayCosts(_chain(*channels, side=side), SLOW)
    over = ArrayCosts(_chain(*channels, side=side, skips={3: 0}), SLOW)
    assert by_volume(without, 0) == 0
    assert by_volume(over, 0) == 3


def test_a_skip_edge_that_is_too_light_does_not_deepen_it() -> None:
    over = ArrayCosts(_chain(32, 32, 320, 32, 32, side=4, skips={3: 0}), SLOW)
    assert by_volume(over, 0) == 0


def test_no_more_layers_than_the_array_may_pipeline() -> None:
    network = _chain(*[32] * 9)
    array = replace(SLOW, depth=3)
    assert by_volume(ArrayCosts(network, array), 0) == 2
    assert max(own.depth for own in _segments(network, array)) <= 3


def test_depth_stops_where_the_buffer_has_no_room_for_the_weights() -> None:
    costs = ArrayCosts(_chain(*[64] * 9), replace(SLOW, buffer_bytes=30_000))
    assert by_volume(costs, 0) == 2


def test_layers_that_do_not_fit_together_are_tried_in_halves() -> None:
    network = _chain(*[32] * 9)
    tight = replace(SLOW, buffer_bytes=12_000)
    assert {own.depth for own in _segments(network, tight, depth=lambda *_: 7)} != {8}
    assert max(own.depth for own in _segments(network, tight)) > 1


def test_fine_tiles_are_striped_and_coarse_ones_in_blocks() -> None:
    network, array = _chain(32, 32, 32), load_array("16x16")
    assert by_granule(array, _work(network, array, 64)) == "striped"
    assert by_granule(array, _work(network, array, 1)) == "blocked-1d"
    small = replace(array, register_bytes=4)
    assert by_granule(small, _work(network, small, 64)) == "blocked-1d"


def test_many_layers_have_rows_of_blocks() -> None:
    network, array = _chain(*[8] * 11), load_array("16x16")
    assert by_granule(array, _work(network, array, 64)) == "checkerboard"
    assert by_granule(array, _work(network, array, 1)) == "blocked-2d"


def test_tiles_leave_every_pe_enough_to_do() -> None:
    network, array = _chain(32, 32, 32), load_array("16x16")
    costs = ArrayCosts(network, array)
    tiling, tiles = busy(costs, 0, 1, 4)
    assert tiling == "positions"
    assert _outputs(costs, tiles) >= 4 * array.pes
    assert _outputs(costs, 2 * tiles) < 4 * array.pes


def _outputs(costs: ArrayCosts, tiles: int) -> int:
    """Of two layers in a tile."""
    work = costs.segment(0, 1, "positions", tiles)
    return sum(layer.positions * layer.channels for layer in work.layers)


@pytest.mark.parametrize("rule", ["depth", "granularity", "organisation", "allocate"])
def test_every_rule_may_be_another_function(rule: str) -> None:
    network, asked = _chain(32, 32, 32, 32, 32), list[Any]()
    own = getattr(PIPEORGAN, rule)

    def other(*given: Any) -> Any:
        asked.append(given)
        return own(*given)

    assert _segments(network, SLOW, **{rule: other}) == _segments(network)
    assert asked


def test_a_rule_of_ones_own_decides() -> None:
    network = _chain(32, 32, 32, 32, 32)
    segments = _segments(
        network,
        depth=lambda costs, first: min(first + 1, costs.layers - 1),
        granularity=lambda costs, first, last: ("positions", 16),
        organisation=lambda array, work: "blocked-2d",
        guarded=False,
    )
    assert [(own.depth, own.tiles, own.organisation) for own in segments] == [
        (2, 16, "blocked-2d")
    ] * 2


def test_the_guard_keeps_layers_apart_that_are_faster_one_by_one() -> None:
    network = _chain(32, 32, 32, 32, 32)
    costs = ArrayCosts(network, FAST)
    deep = {"depth": lambda costs, first: costs.layers - 1}
    assert [own.depth for own in _segments(network, FAST, **deep)] == [1, 1, 1, 1]
    (slower,) = _segments(network, FAST, **deep, guarded=False)
    one_by_one = sum(alone(costs, k).cycles for k in range(4))
    assert evaluate_segment(costs, slower).cycles > one_by_one
