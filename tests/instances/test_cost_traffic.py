"""Exchange between chiplets: bytes by role and partition, and the cycles they take, by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil

import numpy as np
import pytest

from instances.cost import build_tables
from instances.cost.facts import Facts, gather_facts
from instances.cost.layers import dram_port, port
from instances.jit import compiled
from instances.network import Layer, Network
from instances.package import Package
from instances.packages import load_package
from instances.tables import CostTables, Ints

ISP, WSP, SHARDED = range(3)
HOP = 3
REACH = [0, HOP, 2 * HOP, 2 * HOP, 3 * HOP, 3 * HOP]
"""Cycles from corner to corner of regions of 1 to 6 chiplets: 1x1, 2x1, 2x2, 2x2, 3x2, 3x2."""


def package(
    chiplets: int = 6,
    *,
    overlap: bool = False,
    clock_hz: int = 10**9,
    bandwidth: int = 10**9,
    hop_ns: float = float(HOP),
) -> Package:
    """One byte and one nanosecond a cycle, unless told otherwise."""
    simba = load_package("simba-4x4")
    return replace(
        simba,
        mesh=(chiplets, 1),
        overlap=overlap,
        chiplet=replace(simba.chiplet, array=(4, 4), clock_hz=clock_hz),
        nop=replace(simba.nop, bandwidth=bandwidth, hop_ns=hop_ns),
    )


def two_layers(**second: object) -> Network:
    """A layer makes `t` (288 bytes) and `e` (180 bytes); a 3x3 layer reads what it is told to."""
    made = (("t", (8, 6, 6)), ("e", (5, 6, 6)))
    first = Layer("a", "conv", 13, 3, (6, 6), inputs=("x",), outputs=made)
    last = Layer("b", "conv", 5, 8, (6, 6), (3, 3), inputs=("t",), outputs=(("y", (5, 6, 6)),))
    last = replace(last, **second)  # type: ignore[arg-type]
    return Network("two", (("x", (3, 6, 6)),), (first, last), results=("y", "e"))


def received(tables: CostTables) -> Ints:
    """[O,C] cycles that the second layer spends on receiving from outside."""
    assert tables.compute is not None
    found: Ints = tables.entry[1] - tables.compute[1]
    return found


def redistributed(tables: CostTables) -> Ints:
    """[O,O,C] cycles that the second layer spends on redistribution inside the region."""
    assert tables.compute is not None
    found: Ints = tables.step[1] - tables.compute[1]
    return found


def cycles(*by_size: int) -> list[int]:
    """Bytes for each region size at one byte a cycle, and the hops if there are any."""
    return [n + hops if n else 0 for n, hops in zip(by_size, REACH, strict=True)]


WHOLE = [288] * 6
TILE = [288, 8 * 5 * 6, 8 * 4 * 6, 8 * 5 * 5, 8 * 5 * 5, 8 * 4 * 5]
"""Outputs 6x6, 3x6, 2x6, 3x3, 3x3, 2x3 of a 3x3 kernel need two more rows and columns when cut."""
GATHER = [0, 144, 192, 216, 231, 240]
"""A (n-1) / n of 288 bytes; 230.4 is 231."""
TRANSPOSE = [0, 72, 64, 54, 47, 40]
"""A (n-1) / n^2; 46.08 is 47."""
HALO = [0, 240 - 144, 192 - 96, 200 - 72, 200 - 58, 160 - 48]
"""What a tile needs beyond the share A / n that is there; 57.6 is 58."""
SHARDS = [0, 180, 240, 270, 288, 300]
"""W (n-1) / n of 5 * 8 * 9 = 360 bytes of weights."""


def test_from_outside_isp_receives_all_and_wsp_its_tile() -> None:
    found = received(build_tables(two_layers(), package()))
    assert found[ISP].tolist() == cycles(*WHOLE)
    assert found[WSP].tolist() == cycles(*TILE)
    tile_and_shards = [a + b for a, b in zip(TILE, SHARDS, strict=True)]
    assert found[SHARDED].tolist() == cycles(*tile_and_shards)


def test_inside_the_region_isp_gathers_and_wsp_transposes_or_takes_the_halo() -> None:
    found = redistributed(build_tables(two_layers(), package()))
    for before in (ISP, WSP, SHARDED):
        assert found[before, ISP].tolist() == cycles(*GATHER)
    assert found[ISP, WSP].tolist() == cycles(*TRANSPOSE)
    assert found[WSP, WSP].tolist() == found[SHARDED, WSP].tolist() == cycles(*HALO)


def test_sharded_weights_are_gathered_before_every_run() -> None:
    found = redistributed(build_tables(two_layers(), package()))
    after_isp = [a + b for a, b in zip(TRANSPOSE, SHARDS, strict=True)]
    after_wsp = [a + b for a, b in zip(HALO, SHARDS, strict=True)]
    assert found[ISP, SHARDED].tolist() == cycles(*after_isp)
    assert found[WSP, SHARDED].tolist() == cycles(*after_wsp)
    assert found[SHARDED, SHARDED].tolist() == cycles(*after_wsp)


def test_an_addend_comes_in_shares_and_moves_only_when_the_partition_changes() -> None:
    plain, added = two_layers(), two_layers(addends=("e",))
    share = [180, 90, 60, 45, 36, 30]
    without, with_it = (received(build_tables(n, package())) for n in (plain, added))
    for option in (ISP, WSP, SHARDED):
        assert (with_it - without)[option].tolist() == share

    # A (n-1) / n^2 of 180 bytes; 33.75 and 28.8 round up.
    moved = [0, 45, 40, 34, 29, 25]
    without, with_it = (redistributed(build_tables(n, package())) for n in (plain, added))
    for before in (ISP, WSP, SHARDED):
        for own in (ISP, WSP, SHARDED):
            expected = moved if (before == ISP) != (own == ISP) else [0] * 6
            assert (with_it - without)[before, own].tolist() == expected, (before, own)


def test_a_matmuls_second_operand_is_split_as_weights_are() -> None:
    network = two_layers(kind="matmul", kernel=(1, 1), operands=("e",))
    found = received(build_tables(network, package()))
    # A kernel of one position has no halo: tiles of 36, 18, 12, 9, 9 and 6 positions.
    tile = [8 * p for p in (36, 18, 12, 9, 9, 6)]
    assert found[ISP].tolist() == cycles(*[288 + s for s in (180, 90, 60, 45, 36, 30)])
    assert found[WSP].tolist() == found[SHARDED].tolist() == cycles(*[180 + t for t in tile])

    found = redistributed(build_tables(network, package()))
    moved, gathered = [0, 45, 40, 34, 29, 25], [0, 90, 120, 135, 144, 150]
    for before in (ISP, WSP, SHARDED):
        both = [a + b for a, b in zip(GATHER, moved, strict=True)]
        assert found[before, ISP].tolist() == cycles(*both)
    both = [a + b for a, b in zip(TRANSPOSE, gathered, strict=True)]
    assert found[ISP, WSP].tolist() == cycles(*both)
    # 288 bytes in shares of 57.6 are 58 on five chiplets, and a tile of 72 wants 14 more.
    own = [g + halo for g, halo in zip(gathered, [0, 0, 0, 0, 14, 0], strict=True)]
    assert found[WSP, WSP].tolist() == cycles(*own)


def test_stride_widens_a_tile_and_the_tensor_bounds_it() -> None:
    network = two_layers(positions=(3, 3), kernel=(2, 2), stride=(2, 2))
    found = received(build_tables(network, package()))
    # Outputs 3x3, 2x3, 1x3 thrice (2x2 is more), 1x2; 3 of them are all 6 inputs, 2 are 4, 1 is 2.
    tile = [8 * p for p in (36, 4 * 6, 2 * 6, 2 * 6, 2 * 6, 2 * 4)]
    assert found[WSP].tolist() == cycles(*tile)
    wide = two_layers(positions=(4, 4), kernel=(5, 5))
    # Two rows of outputs would need six input rows, three would need seven: there are six.
    assert received(build_tables(wide, package()))[WSP, :2].tolist() == [288, 288 + HOP]


def test_a_tile_that_reads_less_than_its_share_receives_nothing() -> None:
    """A 1x1 kernel at stride 2 skips every other row: it reads half of a third of the rows."""
    thin = two_layers(positions=(3, 3), kernel=(1, 1), stride=(2, 2))
    found = redistributed(build_tables(thin, package()))
    assert found[WSP, WSP].tolist() == [0] * 6
    # 5 * 8 bytes of weights; what the tile does not read saves no weights.
    assert found[WSP, SHARDED].tolist() == cycles(0, 20, 27, 30, 32, 34)


@pytest.mark.parametrize(("kernel", "halo"), [(2, 0), (3, 1), (4, 1), (5, 2)])
def test_an_input_of_a_deconvolution_reaches_as_far_as_its_kernel(kernel: int, halo: int) -> None:
    """At stride 2, a kernel of 3 or 4 spreads each input over two outputs of a dimension."""
    network = two_layers(kind="deconv", kernel=(kernel, kernel), stride=(2, 2))
    found = received(build_tables(network, package(6)))
    assert found[WSP, 1] == 8 * min(6, 3 + halo) * 6 + HOP


def test_a_flattened_input_is_whole_on_every_chiplet() -> None:
    network = two_layers(kind="fc", depth=288, positions=(1, 1), kernel=(1, 1))
    tables = build_tables(network, package())
    assert received(tables)[WSP].tolist() == cycles(*WHOLE)
    assert redistributed(tables)[WSP, WSP].tolist() == cycles(*GATHER[:4], 288 - 58, 240)


def test_wide_elements_count_in_bytes() -> None:
    wide = replace(package(), element_bytes=2)
    found = received(build_tables(two_layers(), wide))
    assert found[ISP].tolist() == cycles(*[2 * n for n in WHOLE])
    assert found[WSP].tolist() == cycles(*[2 * n for n in TILE])


def test_a_region_sends_its_share_over_one_hop() -> None:
    tables = build_tables(two_layers(), package())
    # t and e together are 468 bytes, y is 180.
    first = [n + HOP for n in (468, 234, 156, 117, 94, 78)]
    last = [n + HOP for n in (180, 90, 60, 45, 36, 30)]
    for option in (ISP, WSP, SHARDED):
        assert tables.exit[0, option].tolist() == first
        assert tables.exit[1, option].tolist() == last


def test_overlap_hides_exchange_behind_compute() -> None:
    network = two_layers()
    plain, hidden = (build_tables(network, package(overlap=x)) for x in (False, True))
    compute = plain.compute
    assert compute is not None
    assert hidden.compute is not None
    assert np.array_equal(hidden.compute, compute)
    assert np.array_equal(hidden.entry, np.maximum(compute, plain.entry - compute))
    inside = plain.step[1] - compute[1]
    assert np.array_equal(hidden.step[1], np.maximum(compute[1], inside))
    assert np.array_equal(hidden.exit, np.maximum(0, plain.exit - compute))
    assert (hidden.exit > 0).any()
    assert (hidden.exit == 0).any()
    assert (hidden.entry > compute).any()
    assert (hidden.entry == compute).any()


@pytest.mark.parametrize(
    ("clock_hz", "bandwidth", "expected"),
    [(10**9, 3 * 10**9, 96), (2 * 10**9, 3 * 10**9, 192), (10**9, 7 * 10**9, 42)],
)
def test_a_port_takes_whole_cycles(clock_hz: int, bandwidth: int, expected: int) -> None:
    """288 bytes at 3 and at 1.5 and at 7 bytes a cycle; 41.1 is 42."""
    tables = build_tables(two_layers(), package(clock_hz=clock_hz, bandwidth=bandwidth))
    assert received(tables)[ISP, 0] == expected


def test_hops_are_the_diameter_of_a_near_square_region() -> None:
    one_byte = Layer("a", "conv", 1, 1, (1, 1), inputs=("x",), outputs=(("y", (1, 1, 1)),))
    network = Network("byte", (("x", (1, 1, 1)),), (one_byte,))
    tables = build_tables(network, package(17))
    assert tables.compute is not None
    hops = (tables.entry - tables.compute)[0, ISP] - 1
    expected = [0, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 6, 7]
    assert hops.tolist() == [HOP * distance for distance in expected]


def test_part_of_a_cycle_of_hop_latency_counts_once_a_transfer() -> None:
    """35 ns at 500 MHz are 17.5 cycles: one hop takes 18, two take 35."""
    slow = package(clock_hz=500_000_000, bandwidth=500_000_000, hop_ns=35)
    found = received(build_tables(two_layers(), slow))
    assert (found[ISP] - 288).tolist() == [0, 18, 35, 35, 53, 53]


AWKWARD = {"clock_hz": 1_333_333_333, "bandwidth": 99_999_999_977}


@compiled
def port_cycles(facts: Facts, amount: int) -> tuple[int, int]:
    """Of a port, and of all DRAM ports."""
    return port(facts, amount), dram_port(facts, amount)


@pytest.mark.parametrize("amount", [1, 10**6, 6_917_529_030, 6_917_529_041, 10**10])
def test_a_clock_and_a_bandwidth_without_common_factors_do_not_overflow(amount: int) -> None:
    """Amount times clock passes 2^63 from 6.9 GB on."""
    awkward = package(**AWKWARD)  # type: ignore[arg-type]
    ports = 3
    awkward = replace(
        awkward, dram=replace(awkward.dram, ports=ports, bandwidth=AWKWARD["bandwidth"])
    )
    facts = gather_facts(two_layers(), awkward)
    exact = -(-amount * AWKWARD["clock_hz"] // AWKWARD["bandwidth"])
    assert port_cycles(facts, amount)[0] == exact
    exact = -(-amount * AWKWARD["clock_hz"] // (AWKWARD["bandwidth"] * ports))
    assert port_cycles(facts, amount)[1] == exact


def test_a_huge_tensor_at_an_awkward_clock_has_exact_tables() -> None:
    size = 10**5
    layer = Layer("a", "conv", 1, size, (size, 1), inputs=("x",), outputs=(("y", (1, 1, 1)),))
    network = Network("huge", (("x", (size, size, 1)),), (layer,))
    tables = build_tables(network, package(1, **AWKWARD))  # type: ignore[arg-type]
    assert tables.compute is not None
    exact = -(-(size**2) * AWKWARD["clock_hz"] // AWKWARD["bandwidth"])
    assert (tables.entry - tables.compute)[0, ISP, 0] == exact


@pytest.mark.parametrize("hop_ns", [35.0, 0.7, 33.333333333333336, 1e-7])
def test_a_hop_latency_with_many_digits_is_exact(hop_ns: float) -> None:
    chiplets = 256
    facts = gather_facts(
        two_layers(), package(chiplets, clock_hz=AWKWARD["clock_hz"], hop_ns=hop_ns)
    )
    hop = Fraction(str(hop_ns)) * AWKWARD["clock_hz"] / 10**9
    side = [ceil(n**0.5) for n in range(1, chiplets + 1)]
    hops = [a + ceil(n / a) - 2 for n, a in enumerate(side, start=1)]
    assert facts.reach[1:].tolist() == [ceil(count * hop) for count in hops]
    assert facts.package["hop"][0] == ceil(hop)
