"""Energy tables, one constant of the package at a time: all the others cost nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from instances.cost import build_tables
from instances.network import Layer, Network
from instances.package import Dataflow, Package
from instances.packages import load_package
from instances.tables import CostTables

ISP, WSP, SHARDED = range(3)


def package(
    *,
    mac: float = 0,
    read: float = 0,
    write: float = 0,
    nop: float = 0,
    dram: float = 0,
    dataflow: Dataflow = "weight-stationary",
    buffer_bytes: int = 10**6,
) -> Package:
    """Four chiplets; picojoules a multiply-accumulate, and a bit of everything else."""
    simba = load_package("simba-4x4")
    chiplet = replace(
        simba.chiplet,
        dataflow=dataflow,
        array=(4, 4),
        buffer_bytes=buffer_bytes,
        mac_pj=mac,
        buffer_read_pj_per_bit=read,
        buffer_write_pj_per_bit=write,
    )
    return replace(
        simba,
        mesh=(2, 2),
        element_bytes=2,
        chiplet=chiplet,
        nop=replace(simba.nop, pj_per_bit=nop),
        dram=replace(simba.dram, pj_per_bit=dram),
    )


NETWORK = Network(
    "skip",
    (("x", (3, 6, 6)),),
    (
        Layer("a", "conv", 8, 3, (6, 6), inputs=("x",), outputs=(("a", (8, 6, 6)),)),
        Layer("b", "conv", 6, 8, (6, 6), inputs=("a",), outputs=(("b", (6, 6, 6)),)),
        Layer(
            "c",
            "conv",
            8,
            6,
            (6, 6),
            inputs=("b",),
            addends=("a",),
            outputs=(("c", (8, 6, 6)),),
        ),
    ),
)
"""1x1 kernels at 36 positions; tensors of 216, 576, 432 and 576 bytes; `a` skips a layer."""

WEIGHTS = [2 * 8 * 3, 2 * 6 * 8, 2 * 8 * 6]
N = np.arange(1, 5)


def energy_tables(tables: CostTables) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    found = {
        "entry": tables.energy.entry,
        "step": tables.energy.step,
        "exit": tables.energy.exit,
        "load": tables.energy.load,
        "io": tables.energy.io,
        "alone": tables.energy.alone,
    }
    for skip in tables.skips:
        found["enter"], found["leave"] = skip.enter_energy, skip.leave_energy
    return found


def test_without_costs_there_is_no_energy() -> None:
    for name, table in energy_tables(build_tables(NETWORK, package())).items():
        assert (table == 0).all(), name


def test_every_multiply_accumulate_costs_the_same_wherever_it_runs() -> None:
    energy = build_tables(NETWORK, package(mac=3)).energy
    for layer, macs in enumerate([8 * 3 * 36, 6 * 8 * 36, 8 * 6 * 36]):
        assert (energy.entry[layer] == 3 * macs).all()
        assert (energy.step[layer] == (3 * macs if layer else 0)).all()
        assert energy.alone[layer] == 3 * macs
    assert not energy.exit.any()
    assert not energy.load.any()


def test_dram_costs_8_bits_a_byte_in_load_and_io() -> None:
    energy = build_tables(NETWORK, package(dram=13)).energy
    assert energy.load.tolist() == [8 * 13 * n for n in WEIGHTS]
    x, a, b, c = 216, 576, 432, 576
    moved = [[x + a, x + a + b, x + c], [0, a + b, a + c], [0, 0, a + b + c]]
    assert energy.io.tolist() == [[8 * 13 * n for n in row] for row in moved]
    assert not energy.entry.any()
    assert not energy.step.any()
    assert not energy.exit.any()


def test_dram_energy_of_a_layer_alone_grows_with_its_tiles() -> None:
    layer = Layer("fc", "fc", 100, 1000, (1, 1), inputs=("x",), outputs=(("y", (100, 1, 1)),))
    network = Network("deep", (("x", (1000, 1, 1)),), (layer,))
    # A channel takes 2000 bytes of weights and, double-buffered, 2 of output; the inputs 2000.
    for channels, tiles in [(25, 1), (13, 2), (5, 5)]:
        small = package(dram=13, buffer_bytes=channels * (2000 + 4) + 4000)
        energy = build_tables(network, small).energy
        assert energy.alone.tolist() == [8 * 13 * (tiles * 2000 + 200)]


def test_energy_of_a_layer_alone_in_two_tiles() -> None:
    layer = Layer("fc", "fc", 100, 1000, (1, 1), inputs=("x",), outputs=(("y", (100, 1, 1)),))
    network = Network("deep", (("x", (1000, 1, 1)),), (layer,))
    two_tiles = 13 * (2000 + 4) + 4000

    def energy(**costs: float) -> list[int]:
        small = package(buffer_bytes=two_tiles, **costs)  # type: ignore[arg-type]
        return list(build_tables(network, small).energy.alone.tolist())

    # Four chiplets receive 2000 bytes twice; 200 bytes are made.
    assert energy(write=7) == [8 * 7 * (4 * 2 * 2000 + 200)]
    assert energy(nop=11) == [8 * 11 * (4 * 2 * 2000 + 200)]
    # Each reads 13 channels' weights twice, and the inputs for each of their 4 blocks.
    assert energy(read=5) == [8 * 5 * (4 * 2 * (13 * 2000 + 4 * 2000) + 200)]
    assert energy(mac=3) == [3 * 100_000]


def test_a_matmul_reads_its_operand_as_weights() -> None:
    layer = Layer("av", "matmul", 8, 4, (6, 1), inputs=("q",), operands=("k",))
    layer = replace(layer, outputs=(("y", (8, 6, 1)),))
    network = Network("product", (("q", (4, 6, 1)), ("k", (4, 8, 1))), (layer,))
    energy = build_tables(network, package(read=5)).energy
    # 48 bytes of q for each block of 4 columns, 64 bytes of k; WSP: tiles of 6, 3, 2 and 2 rows.
    isp = [
        n * (k + 48 * blocks)
        for n, k, blocks in zip(N, [64, 32, 22, 16], [2, 1, 1, 1], strict=True)
    ]
    assert energy.entry[0, ISP].tolist() == [8 * 5 * n for n in isp]
    wsp = [n * (64 + 2 * tile) for n, tile in zip(N, [48, 24, 16, 16], strict=True)]
    assert energy.entry[0, WSP].tolist() == [8 * 5 * n for n in wsp]


def test_the_nop_costs_for_every_byte_that_a_chiplet_receives_or_sends() -> None:
    tables = build_tables(NETWORK, package(nop=11))
    energy, (skip,) = tables.energy, tables.skips
    assert energy.entry[1, ISP].tolist() == [8 * 11 * 576 * n for n in N]
    # Tiles of 36, 18, 12 and 9 positions have no halo under a 1x1 kernel.
    assert energy.entry[1, WSP].tolist() == [8 * 11 * 576] * 4
    gathered = [n * -(-96 * (n - 1) // n) for n in N.tolist()]
    assert energy.entry[1, SHARDED].tolist() == [8 * 11 * (576 + shards) for shards in gathered]
    assert energy.step[1, ISP, ISP].tolist() == [8 * 11 * 576 * (n - 1) for n in N]
    assert energy.step[1, WSP, WSP].tolist() == [0] * 4
    assert not energy.step[0].any()
    assert energy.exit[1].tolist() == [[8 * 11 * 432] * 4] * 3
    assert energy.load.tolist() == [8 * 11 * n for n in WEIGHTS]
    assert skip.enter_energy[1].tolist() == [[8 * 11 * 576] * 4] * 3
    assert skip.enter_energy[0].tolist() == [[0] * 4] * 3
    assert skip.leave_energy.tolist() == [8 * 11 * 576] * 4
    assert not energy.io.any()


def test_a_dearer_link_and_a_larger_region_cost_more() -> None:
    cheap, dear = (build_tables(NETWORK, package(nop=x)).energy for x in (2, 3))
    assert (dear.entry > cheap.entry).all()
    assert (dear.exit > cheap.exit).all()
    assert (np.diff(cheap.entry[:, ISP]) > 0).all()
    assert (np.diff(cheap.step[1:, :, ISP]) > 0).all()


def test_writes_are_what_arrives_and_what_is_made() -> None:
    energy = build_tables(NETWORK, package(write=7)).energy
    assert energy.entry[1, ISP].tolist() == [8 * 7 * (576 * n + 432) for n in N]
    assert energy.step[1, ISP, ISP].tolist() == [8 * 7 * (576 * (n - 1) + 432) for n in N]
    assert energy.load.tolist() == [8 * 7 * n for n in WEIGHTS]
    assert not energy.exit.any()


def test_weight_stationary_reads_weights_once_and_inputs_once_a_block_of_channels() -> None:
    energy = build_tables(NETWORK, package(read=5)).energy
    # Layer b: 6 channels are two blocks on one chiplet; 3, 2 and 2 are one block on each of n.
    weights, inputs, blocks = [96, 48, 32, 24], 576, [2, 1, 1, 1]
    reads = [n * (w + inputs * k) for n, w, k in zip(N, weights, blocks, strict=True)]
    assert energy.entry[1, ISP].tolist() == [8 * 5 * n for n in reads]
    tiles = [576, 288, 192, 144]
    reads = [n * (96 + tile * 2) for n, tile in zip(N, tiles, strict=True)]
    assert energy.entry[1, WSP].tolist() == [8 * 5 * n for n in reads]
    assert energy.exit[1].tolist() == [[8 * 5 * 432] * 4] * 3


def test_output_stationary_reads_inputs_once_a_channel_and_weights_once_a_block() -> None:
    energy = build_tables(NETWORK, package(read=5, dataflow="output-stationary")).energy
    # Layer b on a 4x4 array: 6x6 positions are 4 blocks; halves are 2, quarters 1.
    weights, channels = [96, 48, 32, 24], [6, 3, 2, 2]
    reads = [n * (w * 4 + 576 * k) for n, w, k in zip(N, weights, channels, strict=True)]
    assert energy.entry[1, ISP].tolist() == [8 * 5 * n for n in reads]
    # Thirds need as many blocks as halves, and smaller tiles.
    tiles, blocks = [576, 288, 192, 144], [4, 2, 2, 1]
    reads = [n * (96 * k + t * 6) for n, t, k in zip(N, tiles, blocks, strict=True)]
    assert energy.entry[1, WSP].tolist() == [8 * 5 * n for n in reads]


@pytest.mark.parametrize(("watts", "clock_hz", "expected"), [(0.01, 500_000_000, 80), (0, 1, 0)])
def test_leakage_is_the_whole_packages_power_over_a_cycle(
    watts: float, clock_hz: int, expected: int
) -> None:
    leaky = package()
    leaky = replace(leaky, chiplet=replace(leaky.chiplet, leakage_w=watts, clock_hz=clock_hz))
    assert build_tables(NETWORK, leaky).energy.leakage == expected
