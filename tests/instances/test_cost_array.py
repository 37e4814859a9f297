"""Costs inside an array: work, needs and traffic against numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from instances.arrays import load_array
from instances.cost.array import ArrayCosts, Flow, Need, Work
from instances.cost.tiles import Tiling
from instances.networks import build_network

MakeArrayCosts = Callable[..., ArrayCosts]


@pytest.fixture
def costs(make_array_costs: MakeArrayCosts) -> ArrayCosts:
    return make_array_costs()


def test_a_segment_in_rows(costs: ArrayCosts) -> None:
    """Four tiles of a row; a row of b needs two rows of a, so b is two beats behind."""
    work = costs.segment(0, 1, "positions", 4)
    assert (work.depth, work.tiles, work.starts) == (2, 4, (0, 2))
    assert work.beats == 3 * 4 + 2
    assert work.flows == (Flow(0, 1, 64 // 4),)
    a, b = work.layers
    assert (a.positions, a.channels, a.cycles) == (4, 4, 1)
    assert (b.positions, b.channels, b.cycles) == (4, 2, 36 // 4)
    # a reads 8 bytes of the image a tile; its 8 bytes of weights come each tile, or once in 12.
    assert a.needs == (Need(0, 0, 8, 8), Need(8, 0, 1, 8))
    # b adds 8 bytes of the image and makes 8; of a, three tiles are on their way: 48 bytes.
    assert b.needs == (
        Need(0, 0, 72, 16 + 2 * 16),
        Need(0, 48, 72, 16),
        Need(72, 0, 6, 16 + 2 * 16),
        Need(72, 48, 6, 16),
    )
    assert work.held == 48 + 8 + 72
    assert work.fits
    # Weights, and for each sample the image, once, and the result.
    assert work.dram == 80 + 3 * (32 + 32)


def test_a_segment_in_channels(costs: ArrayCosts) -> None:
    """Two tiles: two channels that a makes, of which b reads one after the other."""
    work = costs.segment(0, 1, "channels", 2)
    assert (work.starts, work.beats) == ((0, 1), 3 * 2 + 1)
    assert work.flows == (Flow(0, 1, 32),)
    a, b = work.layers
    assert (a.positions, a.channels, a.cycles) == (16, 2, 1)
    assert (b.positions, b.channels, b.cycles) == (16, 2, 5)  # 2 x 9 of 36 pairs, 4 a cycle
    # Half of the image a tile is new; all of it is read in each, unless it is held.
    assert a.needs == (
        Need(0, 0, 4, 32),
        Need(0, 32, 4, 16),
        Need(8, 0, 2, 32),
        Need(8, 32, 2, 16),
    )
    # b's sums, 32 bytes, are read and written each tile, unless they are held.
    assert b.needs[0] == Need(0, 0, 36, 16 + 16 + 2 * 32 + 2 * 32)
    assert b.needs[-1] == Need(72, 64 + 32, 12, 16 + 16)
    assert len(b.needs) == 2**3


def test_a_layer_by_itself(costs: ArrayCosts) -> None:
    a, b = (costs.segment(k, k, "positions", 1) for k in (0, 1))
    assert a.layers == (Work(16, 4, 1, (Need(0, 0, 8, 96), Need(8, 0, 3, 96))),)
    assert b.layers == (Work(16, 2, 9, (Need(0, 0, 72, 128), Need(72, 0, 24, 128))),)
    assert (a.beats, b.beats, a.flows) == (3, 3, ())
    assert (a.dram, b.dram) == (8 + 3 * 32, 72 + 3 * (32 + 32))  # a stays in the buffer


def test_what_the_buffer_cannot_keep_goes_through_the_dram(
    make_array_costs: MakeArrayCosts,
) -> None:
    """Half of the buffer is for the 3 x 64 bytes between the layers, half for the rest."""
    assert make_array_costs(buffer_bytes=2 * 192).kept == {"a"}
    small = make_array_costs(buffer_bytes=2 * 192 - 2)
    assert small.kept == frozenset()
    a, b = (small.segment(k, k, "positions", 1) for k in (0, 1))
    assert (a.dram, b.dram) == (8 + 3 * (32 + 64), 72 + 3 * (32 + 32 + 64))
    assert small.segment(0, 1, "positions", 4).dram == 80 + 3 * 64


def test_layers_are_pipelined_if_half_of_the_buffer_holds_them(
    make_array_costs: MakeArrayCosts,
) -> None:
    assert make_array_costs(buffer_bytes=2 * 128).segment(0, 1, "positions", 4).fits
    assert not make_array_costs(buffer_bytes=2 * 128 - 2).segment(0, 1, "positions", 4).fits
    assert make_array_costs(buffer_bytes=2).segment(0, 0, "positions", 1).fits


def test_weights_that_the_buffer_cannot_hold_come_for_each_sample(
    make_array_costs: MakeArrayCosts,
) -> None:
    held, not_held = (make_array_costs(buffer_bytes=2 * n) for n in (72, 71))
    assert not held.kept
    assert not not_held.kept
    assert (
        not_held.segment(1, 1, "positions", 1).dram - 2 * 72
        == held.segment(1, 1, "positions", 1).dram
    )


def test_wider_elements_take_more_bytes(make_array_costs: MakeArrayCosts) -> None:
    one, two = make_array_costs(), make_array_costs(element_bytes=2)
    narrow, wide = (own.segment(0, 1, "positions", 4) for own in (one, two))
    assert wide.flows[0].size == 2 * narrow.flows[0].size
    assert (wide.dram, wide.held) == (2 * narrow.dram, 2 * narrow.held)
    assert wide.layers[1].needs[1] == Need(0, 96, 144, 32)


def test_tiles_are_powers_of_two_rows_and_the_smallest(costs: ArrayCosts) -> None:
    assert costs.tile_counts(0, 0) == (("positions", 1),)
    assert costs.tile_counts(0, 1) == (
        *(("positions", n) for n in (1, 2, 4, 8, 16)),
        *(("channels", n) for n in (2, 4)),
    )
    long = ArrayCosts(build_network("alexnet"), load_array("4x4"))
    tiles = [n for tiling, n in long.tile_counts(0, 1) if tiling == "positions"]
    assert tiles == [1, 2, 4, 8, 16, 27, 32, 64, 128, 256, 512, 27 * 27]


def test_three_full_layers_have_no_tiles_by_channels() -> None:
    costs = ArrayCosts(build_network("vgg16"), load_array("4x4"))
    assert costs.roles(0, 1, "channels") == ("outputs", "inputs")
    assert costs.roles(0, 2, "channels") is None
    assert costs.most_tiles(0, 2, "channels") == 0
    assert {tiling for tiling, _ in costs.tile_counts(0, 2)} == {"positions"}


@pytest.mark.parametrize(
    ("tiling", "tiles"), [("positions", 17), ("positions", 0), ("channels", 5)]
)
def test_more_tiles_than_loops_have_are_refused(
    tiling: Tiling, tiles: int, costs: ArrayCosts
) -> None:
    with pytest.raises(ValueError, match=f"layers 0 to 1: no {tiles} tiles by {tiling}"):
        costs.segment(0, 1, tiling, tiles)


def test_a_batch_is_at_least_one_sample(costs: ArrayCosts) -> None:
    with pytest.raises(ValueError, match="batch 0: expected at least 1"):
        ArrayCosts(costs.network, costs.array, 0)


def test_cells_and_pes_share_positions_and_channels() -> None:
    work = Work(10, 3, 7, (Need(),))
    assert [work.compute(pes, 1) for pes in (1, 4, 30)] == [210, 56, 7]
    assert [work.compute(2, cells) for cells in (1, 2, 3, 10)] == [105, 56, 42, 14]


def test_a_tensor_that_skips_a_segment_takes_room_as_long_as_it_lives() -> None:
    """U-Net's first skip lives until the last stage; on a small buffer it goes to the DRAM."""
    network = build_network("unet")
    array = load_array("16x16")
    large = ArrayCosts(network, replace(array, buffer_bytes=2**40))
    inner = {t.name for t in network.tensors if t.producer >= 0 and t.consumers}
    assert large.kept == inner
    small = ArrayCosts(network, array)
    skip = next(t for t in network.tensors if t.producer == 1 and t.consumers[-1] > 10)
    assert skip.name not in small.kept
    assert 2 * small.size(skip) > array.buffer_bytes
