"""Layers alone on the whole package in weight tiles, by hand."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.cost import build_tables
from instances.network import Layer, Network, Shape
from instances.package import Package
from instances.packages import load_package

CHIPLETS = 4
PORT = 2
"""Bytes a cycle of a NoP port."""


def package(
    buffer_bytes: int = 10**9,
    *,
    chiplets: int = CHIPLETS,
    overlap: bool = True,
    dram: int = 8,
    array: tuple[int, int] = (4, 4),
) -> Package:
    """At 1 GHz; `dram` bytes a cycle over two ports, `PORT` between chiplets, hops for nothing."""
    simba = load_package("simba-4x4")
    return replace(
        simba,
        mesh=(chiplets, 1),
        overlap=overlap,
        chiplet=replace(simba.chiplet, array=array, clock_hz=10**9, buffer_bytes=buffer_bytes),
        nop=replace(simba.nop, bandwidth=PORT * 10**9, hop_ns=0),
        dram=replace(simba.dram, ports=2, bandwidth=dram * 10**9 // 2),
    )


def network(layer: Layer, *inputs: tuple[str, Shape]) -> Network:
    return Network("one layer", inputs, (layer,))


def beat(network: Network, package: Package) -> int:
    return int(build_tables(network, package).alone[0])


DEEP = network(
    Layer("fc", "fc", 100, 2000, (1, 1), inputs=("x",), outputs=(("y", (100, 1, 1)),)),
    ("x", (2000, 1, 1)),
)
"""One position: all chiplets see the 2000 inputs and share the 100 channels, 25 each."""


def room(channels: int) -> int:
    """Buffer for DEEP's weights to some channels, and, doubled, its inputs and those outputs."""
    return channels * 2000 + 2 * (2000 + channels)


WIDE = network(
    Layer("conv", "conv", 4, 4, (1, 64), inputs=("x",), outputs=(("y", (4, 1, 64)),)),
    ("x", (4, 1, 64)),
)
"""Four channels, 64 positions: 16 on a chiplet are one block of channels at 16 positions."""


def test_one_tile_bound_by_compute() -> None:
    # ceil(25/4) ceil(2000/4) cycles; a port takes in 2000 bytes and gives 25; DRAM 263 cycles.
    assert beat(DEEP, package(room(25))) == 7 * 500
    assert beat(DEEP, package(room(25), overlap=False)) == 7 * 500 + 1000 + 13


def test_two_tiles_bound_by_compute() -> None:
    # 13 and 12 channels: ceil(13/4) = 4 and ceil(12/4) = 3 blocks; all tiles may count as 13.
    assert beat(DEEP, package(room(13))) in (7 * 500, 8 * 500)


@pytest.mark.parametrize(("needed", "given"), [(9, 12), (13, 17), (13, 20), (13, 24)])
def test_room_that_saves_no_tile_does_no_harm(needed: int, given: int) -> None:
    """25 channels in the same number of tiles: the last tile is smaller if the first is larger."""
    assert beat(DEEP, package(room(given))) <= beat(DEEP, package(room(needed)))


def test_room_that_saves_no_tile_does_no_harm_by_position_either() -> None:
    made = (("y", (25, 1, 64)),)
    layer = replace(WIDE.layers[0], channels=25, outputs=made)
    network = replace(WIDE, layers=(layer,))
    # 16 columns on a chiplet: 4 weights and, doubled, 16 outputs a channel, beside 4 * 16 inputs.
    small, large = (package(f * (4 + 2 * 16) + 2 * 64, array=(1, 4)) for f in (13, 24))
    assert beat(network, small) in (25 * 16, 2 * 13 * 16)
    assert beat(network, large) <= beat(network, small)


@pytest.mark.parametrize(("channels", "tiles"), [(25, 1), (24, 2), (13, 2), (12, 3), (5, 5)])
def test_the_inputs_stream_from_dram_once_for_each_of_the_fewest_tiles(
    channels: int, tiles: int
) -> None:
    fast = package(room(channels), dram=2, array=(32, 32))
    assert beat(DEEP, fast) == ceil((tiles * 2000 + 100) / 2)


@pytest.mark.parametrize(("channels", "tiles"), [(25, 1), (24, 2), (12, 3), (1, 25)])
def test_the_inputs_come_through_every_port_once_a_tile(channels: int, tiles: int) -> None:
    fast = package(room(channels), dram=100, array=(32, 32))
    assert beat(DEEP, fast) == tiles * 2000 // PORT + ceil(25 / PORT)


def test_addends_and_operands_are_shared_out_where_channels_are() -> None:
    made = (("y", (100, 1, 1)),)
    added = replace(DEEP.layers[0], addends=("r",), outputs=made)
    network = replace(DEEP, inputs=(*DEEP.inputs, ("r", (100, 1, 1))), layers=(added,))
    # 25 of the 100 addends on each chiplet: 2025 bytes at 2 a cycle, and 25 of results.
    assert beat(network, package(dram=100, array=(32, 32))) == 1013 + 13

    matmul = replace(DEEP.layers[0], kind="matmul", operands=("k",), outputs=made)
    network = replace(DEEP, inputs=(*DEEP.inputs, ("k", (2000, 100, 1))), layers=(matmul,))
    assert beat(network, package(dram=1000, array=(32, 32))) == (2000 + 50_000) // 2 + 13


def test_positions_are_spread_where_that_is_faster() -> None:
    # Spread over positions: 16 cycles; ports 64 / 2 in, 64 / 2 out; DRAM (256 + 256) / 8.
    # Spread over channels: 64 cycles; ports 256 / 2 in and 64 / 2 out.
    assert beat(WIDE, package()) == 64
    assert beat(WIDE, package(overlap=False)) == 16 + 64
    assert beat(WIDE, package(dram=4)) == 128
    assert beat(WIDE, package(dram=64, chiplets=1)) == 128 + 128


def test_none_where_not_even_one_channel_fits() -> None:
    assert beat(DEEP, package(room(1))) > 0
    tables = build_tables(DEEP, package(room(1) - 1))
    assert tables.alone.tolist() == [-1]
    assert tables.energy.alone.tolist() == [0]


def test_addends_and_operands_come_from_dram_once_however_many_tiles() -> None:
    added = replace(DEEP.layers[0], addends=("r",))
    small = replace(DEEP, inputs=(*DEEP.inputs, ("r", (100, 1, 1))), layers=(added,))
    # An addend doubles what an output channel needs beside its 2000 weights.
    two_tiles = 13 * (2000 + 2 * 2) + 2 * 2000
    fast = package(two_tiles, dram=2, array=(32, 32))
    assert beat(small, fast) == ceil((2 * 2000 + 100 + 100) / 2)
    fast = package(two_tiles - 1, dram=2, array=(32, 32))
    assert beat(small, fast) == ceil((3 * 2000 + 100 + 100) / 2)

    # 100 columns of 2000 operand bytes take the place of weights.
    matmul = replace(DEEP.layers[0], kind="matmul", operands=("k",))
    product = replace(DEEP, inputs=(*DEEP.inputs, ("k", (2000, 100, 1))), layers=(matmul,))
    fast = package(room(12), dram=2, array=(32, 32))
    assert beat(product, fast) == ceil((3 * 2000 + 200_000 + 100) / 2)


def test_a_strided_layer_needs_whole_input_rows() -> None:
    """A row of 16 outputs at stride 4 reads 64 inputs of 3 channels, 4 rows of them at a time."""
    layer = Layer("conv", "conv", 8, 3, (16, 16), (4, 4), (4, 4), inputs=("x",))
    layer = replace(layer, outputs=(("y", (8, 16, 16)),))
    strided = network(layer, ("x", (3, 64, 64)))
    one_channel = 3 * 4 * 4 + 2 * (3 * 4 * 64) + 2 * 16
    assert beat(strided, package(one_channel, chiplets=1)) > 0
    assert beat(strided, package(one_channel - 1, chiplets=1)) == -1


Rows = st.fixed_dictionaries(
    {
        "channels": st.integers(1, 20),
        "depth": st.integers(1, 20),
        "columns": st.integers(1, 20),
        "kernel": st.sampled_from([1, 3, 5]),
        "added": st.booleans(),
    }
)


def row_network(row: dict[str, int]) -> Network:
    """A convolution of one row that keeps its length, perhaps with an addend."""
    made = (row["channels"], 1, row["columns"])
    layer = Layer(
        "conv",
        "conv",
        row["channels"],
        row["depth"],
        (1, row["columns"]),
        (1, row["kernel"]),
        inputs=("x",),
        addends=("r",) if row["added"] else (),
        outputs=(("y", made),),
    )
    return network(layer, ("x", (row["depth"], 1, row["columns"])), ("r", made))


@settings(max_examples=60)
@given(row=Rows, buffer_bytes=st.integers(1, 1500), overlap=st.booleans())
def test_whether_a_layer_can_run_alone_and_its_least_dram_traffic(
    row: dict[str, int], buffer_bytes: int, overlap: bool
) -> None:
    found = beat(row_network(row), package(buffer_bytes, overlap=overlap))
    weights = row["depth"] * row["kernel"]
    outputs = 2 if row["added"] else 1

    def fewest_tiles(columns: int, chiplets: int) -> int | None:
        """With so many columns of output on a chiplet, channels spread over so many chiplets."""
        inputs = row["depth"] * min(row["columns"], columns + row["kernel"] - 1)
        for tiles in range(1, row["channels"] + 1):
            channels = ceil(ceil(row["channels"] / chiplets) / tiles)
            if channels * weights + 2 * (inputs + channels * columns * outputs) <= buffer_bytes:
                return tiles
        return None

    own_columns = ceil(row["columns"] / CHIPLETS)
    ways = [fewest_tiles(row["columns"], CHIPLETS), fewest_tiles(own_columns, 1)]
    tiles = [t for t in ways if t is not None]
    assert (found >= 0) == bool(tiles)
    if tiles:
        taken, made = row["depth"] * row["columns"], row["channels"] * row["columns"]
        least = min(tiles) * taken + made * outputs
        assert found >= ceil(least / 8)


@settings(max_examples=60)
@given(row=Rows, overlap=st.booleans())
def test_without_tiles_the_faster_way_of_spreading_counts(
    row: dict[str, int], overlap: bool
) -> None:
    taken, made = row["depth"] * row["columns"], row["channels"] * row["columns"]
    added = made if row["added"] else 0
    blocks = ceil(row["depth"] / 4) * row["kernel"]
    by_channel = ceil(ceil(row["channels"] / CHIPLETS) / 4) * blocks * row["columns"]
    own = ceil(row["columns"] / CHIPLETS)
    by_position = ceil(row["channels"] / 4) * blocks * own
    whole = own == row["columns"]
    tile = row["columns"] if whole else min(row["columns"], own + row["kernel"] - 1)
    beats = []
    for compute, inputs in [(by_channel, taken), (by_position, row["depth"] * tile)]:
        received = ceil((inputs + ceil(added / CHIPLETS)) / PORT)
        ports = received + ceil(ceil(made / CHIPLETS) / PORT)
        chiplet = max(compute, ports) if overlap else compute + ports
        beats.append(max(chiplet, ceil((taken + added + made) / 8)))
    assert beat(row_network(row), package(overlap=overlap)) == min(beats)
