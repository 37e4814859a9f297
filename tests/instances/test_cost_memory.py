"""Buffers and DRAM: resident and working bytes, and loads, by hand."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np

from instances.cost import build_tables
from instances.network import Layer, Network, Shape
from instances.package import Package
from instances.packages import load_package

ISP, WSP, SHARDED = range(3)
DRAM_RATE = 8
"""Bytes a cycle: two ports of 4 GB/s at 1 GHz."""
DRAM_WAIT = 13
"""Cycles: 12.5 ns."""


def package(buffer_bytes: int = 10**6, chiplets: int = 4) -> Package:
    """DRAM of 8 bytes a cycle, after 13 cycles."""
    simba = load_package("simba-4x4")
    chiplet = replace(simba.chiplet, clock_hz=10**9, buffer_bytes=buffer_bytes)
    dram = replace(simba.dram, ports=2, bandwidth=4 * 10**9, latency_ns=12.5)
    return replace(simba, mesh=(chiplets, 1), chiplet=chiplet, dram=dram)


def network(layer: Layer, *inputs: tuple[str, Shape]) -> Network:
    return Network("one layer", inputs, (layer,))


CONV = network(
    Layer(
        "conv",
        "conv",
        channels=10,
        depth=6,
        positions=(5, 7),
        kernel=(3, 3),
        inputs=("x",),
        addends=("r",),
        outputs=(("y", (10, 5, 7)),),
    ),
    ("x", (6, 5, 7)),
    ("r", (10, 5, 7)),
)
MATMUL = network(
    Layer(
        "qk",
        "matmul",
        channels=2 * 9,
        depth=2 * 4,
        positions=(7, 1),
        groups=2,
        inputs=("q",),
        operands=("k",),
        outputs=(("p", (18, 7, 1)),),
    ),
    ("q", (8, 7, 1)),
    ("k", (8, 9, 1)),
)
DEEP = network(
    Layer("fc", "fc", 100, 2000, (1, 1), inputs=("x",), outputs=(("y", (100, 1, 1)),)),
    ("x", (2000, 1, 1)),
)


def spread(amount: int) -> list[int]:
    return [ceil(amount / n) for n in (1, 2, 3, 4)]


def test_weights_are_split_kept_whole_or_kept_in_shards() -> None:
    resident = build_tables(CONV, package()).resident[0]
    weights = 10 * 6 * 9
    assert resident[ISP].tolist() == resident[SHARDED].tolist() == [540, 270, 180, 135]
    assert resident[WSP].tolist() == [weights] * 4
    assert build_tables(DEEP, package(chiplets=3)).resident[0, ISP].tolist() == [
        200_000,
        100_000,
        66_667,
    ]
    assert (build_tables(MATMUL, package()).resident == 0).all()


def test_activations_are_double_buffered_and_spread() -> None:
    working = build_tables(CONV, package()).working[0]
    activations = spread(2 * (6 * 35 + 10 * 35 + 10 * 35))
    assert working[WSP].tolist() == activations
    tile = 6 * 3 * 7  # three input rows under the kernel
    assert working[ISP].tolist() == [n + tile for n in activations]
    assert working[SHARDED].tolist() == [n + 540 for n in activations]


def test_a_matmul_gathers_its_second_operand_as_wsp() -> None:
    working = build_tables(MATMUL, package()).working[0]
    activations = spread(2 * (56 + 72 + 126))
    assert working[ISP].tolist() == [n + 8 for n in activations]  # one query
    assert working[WSP].tolist() == working[SHARDED].tolist() == [n + 72 for n in activations]


def test_a_flattened_input_is_gathered_whole_for_isp() -> None:
    flat = network(
        Layer("fc", "fc", 5, 72, (1, 1), inputs=("x",), outputs=(("y", (5, 1, 1)),)),
        ("x", (8, 3, 3)),
    )
    working = build_tables(flat, package()).working[0, ISP]
    assert working.tolist() == [n + 72 for n in spread(2 * (72 + 5))]


def test_all_tensors_of_a_layer_are_held() -> None:
    both = replace(CONV.layers[0], outputs=(("y", (10, 5, 7)), ("pooled", (10, 1, 1))))
    one, two = (build_tables(replace(CONV, layers=(x,)), package()) for x in (CONV.layers[0], both))
    extra = np.array(spread(2 * 920)) - np.array(spread(2 * 910))
    assert (two.working[0] - one.working[0]).tolist() == [extra.tolist()] * 3


def test_memory_counts_bytes() -> None:
    narrow = build_tables(DEEP, package())
    wide = build_tables(DEEP, replace(package(), element_bytes=2))
    assert np.array_equal(wide.resident[:, WSP], 2 * narrow.resident[:, WSP])
    assert np.array_equal(wide.working[0, :, 0], 2 * narrow.working[0, :, 0])


def test_weights_come_from_dram_once_through_all_ports() -> None:
    assert build_tables(CONV, package()).load.tolist() == [ceil(540 / DRAM_RATE) + DRAM_WAIT]
    assert build_tables(DEEP, package()).load.tolist() == [200_000 // DRAM_RATE + DRAM_WAIT]


def test_a_matmul_loads_nothing() -> None:
    assert build_tables(MATMUL, package()).load.tolist() == [0]


def test_tied_weights_are_loaded_too() -> None:
    tied = replace(DEEP, layers=(replace(DEEP.layers[0], tied=True),))
    loose, shared = (build_tables(n, package()) for n in (DEEP, tied))
    assert shared.load.tolist() == loose.load.tolist()
    assert np.array_equal(shared.resident, loose.resident)


def test_capacity_is_the_chiplets_buffer() -> None:
    assert build_tables(CONV, package(12_345)).capacity == 12_345
