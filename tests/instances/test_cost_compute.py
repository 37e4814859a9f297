"""Compute cycles: the formulas of the two dataflows, by hand and by trying every split."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.cost import build_tables
from instances.network import Layer, Network
from instances.package import Dataflow, Package
from instances.packages import load_package
from instances.tables import Ints

ISP, WSP, SHARDED = range(3)


def package(dataflow: Dataflow, array: tuple[int, int], chiplets: int) -> Package:
    simba = load_package("simba-4x4")
    chiplet = replace(simba.chiplet, dataflow=dataflow, array=array)
    return replace(simba, mesh=(chiplets, 1), chiplet=chiplet)


def compute(layer: Layer, package: Package) -> Ints:
    """[O,C] compute cycles of a layer that is a whole network."""
    rows, columns = layer.positions
    inputs = (("x", (layer.depth, rows, columns)), ("w", (layer.channels, rows, columns)))
    layer = replace(layer, inputs=("x",), outputs=(("y", (layer.channels, rows, columns)),))
    table = build_tables(Network("one layer", inputs, (layer,)), package).compute
    assert table is not None
    cycles: Ints = table[0]
    return cycles


CONV = Layer("conv", "conv", channels=10, depth=7, positions=(6, 6), kernel=(3, 2))


def test_weight_stationary_isp_splits_output_channels_and_rounds_up() -> None:
    cycles = compute(CONV, package("weight-stationary", (4, 3), 12))[ISP]
    # ceil(10/4) = 3 blocks on one chiplet, 5 channels are 2, 4 and fewer are 1; ceil(7/3) = 3.
    blocks = [3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    assert cycles.tolist() == [block * 3 * (3 * 2) * (6 * 6) for block in blocks]


def test_weight_stationary_wsp_takes_the_best_tiles() -> None:
    cycles = compute(CONV, package("weight-stationary", (4, 3), 9))
    # 6x6 whole; 3x6; 2x6; 3x3 for four chiplets and also for five; 2x3; 2x3, 2x3; 2x2.
    tiles = [36, 18, 12, 9, 9, 6, 6, 6, 4]
    assert cycles[WSP].tolist() == [3 * 3 * (3 * 2) * tile for tile in tiles]
    assert cycles[SHARDED].tolist() == cycles[WSP].tolist()


def test_output_stationary_isp_splits_output_channels() -> None:
    cycles = compute(CONV, package("output-stationary", (4, 5), 4))[ISP]
    # ceil(6/4) ceil(6/5) = 4 blocks of positions; 10, 5, 4 and 3 channels.
    assert cycles.tolist() == [4 * channels * 7 * (3 * 2) for channels in (10, 5, 4, 3)]


def test_output_stationary_wsp_counts_blocks_of_positions() -> None:
    cycles = compute(CONV, package("output-stationary", (4, 5), 6))[WSP]
    # Two chiplets halve one dimension: 2 blocks; four chiplets halve both: 1 block, and no better.
    assert cycles.tolist() == [blocks * 10 * 7 * (3 * 2) for blocks in (4, 2, 2, 1, 1, 1)]


def test_depthwise_has_one_input_channel_a_group() -> None:
    layer = replace(CONV, channels=10, depth=10, groups=10)
    weights = compute(layer, package("weight-stationary", (4, 3), 2))
    assert weights[ISP].tolist() == [3 * 1 * 6 * 36, 2 * 1 * 6 * 36]
    outputs = compute(layer, package("output-stationary", (4, 5), 2))
    assert outputs[ISP].tolist() == [4 * 10 * 1 * 6, 4 * 5 * 1 * 6]


def test_matmul_is_positions_by_columns_by_depth_of_its_heads() -> None:
    # 4 heads of 5 features: 4 * 7 columns, 9 query positions.
    layer = Layer("qk", "matmul", 28, 20, (9, 1), groups=4, operands=("w",))
    cycles = compute(layer, package("weight-stationary", (8, 2), 3))
    assert cycles[ISP].tolist() == [4 * 3 * 9, 2 * 3 * 9, 2 * 3 * 9]
    assert cycles[WSP].tolist() == [4 * 3 * 9, 4 * 3 * 5, 4 * 3 * 3]


def test_one_position_cannot_be_split() -> None:
    cycles = compute(Layer("fc", "fc", 64, 32, (1, 1)), package("weight-stationary", (8, 8), 4))
    assert cycles[WSP].tolist() == [8 * 4] * 4
    assert cycles[ISP].tolist() == [8 * 4, 4 * 4, 3 * 4, 2 * 4]


def test_more_chiplets_than_channels_or_positions_do_not_help_or_harm() -> None:
    layer = Layer("small", "conv", 2, 3, (2, 1))
    cycles = compute(layer, package("weight-stationary", (1, 1), 5))
    assert cycles[ISP].tolist() == [12, 6, 6, 6, 6]
    assert cycles[WSP].tolist() == [12, 6, 6, 6, 6]


@settings(max_examples=60)
@given(
    dataflow=st.sampled_from(["weight-stationary", "output-stationary"]),
    array=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    channels=st.integers(1, 5),
    depth=st.integers(1, 5),
    groups=st.integers(1, 3),
    positions=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_formulas_and_the_best_of_all_splits(
    dataflow: Dataflow,
    array: tuple[int, int],
    channels: int,
    depth: int,
    groups: int,
    positions: tuple[int, int],
    kernel: tuple[int, int],
) -> None:
    layer = Layer("l", "conv", channels * groups, depth * groups, positions, kernel, groups=groups)
    found = compute(layer, package(dataflow, array, 12))

    def cycles(outputs: int, rows: int, columns: int) -> int:
        one, two = array
        if dataflow == "weight-stationary":
            work = ceil(outputs / one) * ceil(depth / two) * rows * columns
        else:
            work = ceil(rows / one) * ceil(columns / two) * outputs * depth
        return work * kernel[0] * kernel[1]

    whole = channels * groups
    for c in range(1, 13):
        assert found[ISP, c - 1] == cycles(ceil(whole / c), *positions)
        best = min(
            cycles(whole, ceil(positions[0] / a), ceil(positions[1] / b))
            for a in range(1, c + 1)
            for b in range(1, c + 1)
            if a * b <= c
        )
        assert found[WSP, c - 1] == found[SHARDED, c - 1] == best


@pytest.mark.parametrize("dataflow", ["weight-stationary", "output-stationary"])
def test_a_deconvolution_works_at_its_input_positions(dataflow: Dataflow) -> None:
    up = Layer("up", "deconv", 6, 5, (4, 4), kernel=(2, 2), stride=(2, 2))
    layer = replace(up, inputs=("x",), outputs=(("y", (6, 8, 8)),))
    network = Network("up", (("x", (5, 4, 4)),), (layer,))
    table = build_tables(network, package(dataflow, (1, 1), 4)).compute
    assert table is not None
    assert table[0, ISP].tolist() == [k * 5 * 4 * 16 for k in (6, 3, 2, 2)]
    assert table[0, WSP].tolist() == [6 * 5 * 4 * tile for tile in (16, 8, 8, 4)]
