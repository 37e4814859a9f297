"""Packages of unlike chiplets: where the kinds lie, and what monoliths have in all."""

from __future__ import annotations

import pytest

from instances.package import Package
from instances.packages import is_package_name, load_package, package_names
from instances.packages.mixed import MIXED_NAMES

WS, OS = "weight-stationary", "output-stationary"


def pattern(package: Package) -> list[str]:
    """The rows of the mesh, a letter a chiplet: w or o."""
    columns, rows = package.mesh
    return [
        "".join(package.chiplet_at((x, y)).dataflow[0] for x in range(columns)) for y in range(rows)
    ]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("het-2x2", ["wo", "ow"]),
        ("het-2x2-checkerboard", ["wo", "ow"]),
        ("het-2x2-cross", ["ww", "ww"]),
        ("het-3x3-checkerboard", ["wow", "owo", "wow"]),
        ("het-3x3-sides", ["wow", "wow", "wow"]),
        ("het-3x3-cross", ["wow", "ooo", "wow"]),
        ("het-3x3-ws", ["www"] * 3),
        ("het-3x3-os", ["ooo"] * 3),
        ("het-6x6-sides", ["woooow"] * 6),
        ("het-6x6-cross", ["wwooww", "wwooww", "oooooo", "oooooo", "wwooww", "wwooww"]),
        ("het-4x1", ["wowo"]),
    ],
)
def test_the_kinds_lie_as_the_pattern_says(name: str, rows: list[str]) -> None:
    package = load_package(name)
    assert package.name == name
    assert pattern(package) == rows
    assert not package.overlap


def test_chiplets_differ_in_their_dataflow_only_and_have_the_constants_of_scar() -> None:
    package, base = load_package("het-3x3-cross"), load_package("datacentre-2x2")
    assert {chiplet.dataflow for _, chiplet in package.unlike} == {OS}
    assert {chiplet.macs for _, chiplet in package.unlike} == {4096}
    assert package.chiplet == base.chiplet
    assert package.nop == base.nop
    assert [tile for tile, _ in package.unlike] == sorted(tile for tile, _ in package.unlike)


@pytest.mark.parametrize("size", ["2x2", "3x3", "6x6", "4x3"])
@pytest.mark.parametrize(("mono", "flow"), [("mono-ws", WS), ("mono-os", OS)])
def test_a_monolith_has_the_macs_buffer_bandwidth_and_leakage_of_all_chiplets(
    size: str, mono: str, flow: str
) -> None:
    many, one = load_package(f"het-{size}"), load_package(f"het-{size}-{mono}")
    assert (one.mesh, one.unlike, one.chiplet.dataflow) == ((1, 1), (), flow)
    count = many.chiplets
    assert one.chiplet.macs == count * many.chiplet.macs
    assert one.chiplet.buffer_bytes == count * many.chiplet.buffer_bytes
    assert one.chiplet.leakage_w == pytest.approx(count * many.chiplet.leakage_w)
    assert one.dram.ports * one.dram.bandwidth == many.dram.ports * many.dram.bandwidth


@pytest.mark.parametrize("name", MIXED_NAMES)
def test_each_chiplet_has_the_bandwidth_of_one_port_of_scar(name: str) -> None:
    package = load_package(name)
    columns, rows = load_package(name.split("-mono")[0]).mesh
    assert package.dram.ports * package.dram.bandwidth == columns * rows * 64 * 10**9
    assert package.dram.ports == (2 if "mono" in name else 2 * rows)


def test_they_are_names_of_packages_but_not_among_those_of_equal_chiplets() -> None:
    assert all(is_package_name(name) for name in MIXED_NAMES)
    assert not set(MIXED_NAMES) & set(package_names())
    assert not is_package_name("het-2x2-diagonal")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("het-2x2-diagonal", "or het-XxY-PATTERN with one of checkerboard, sides, cross, ws, os"),
        ("het-3x3-side", "Did you mean het-3x3-sides"),
        ("het-65x2", "a mesh of 1 to 64 columns and rows"),
        ("het-0x2", "a mesh of 1 to 64 columns and rows"),
    ],
)
def test_other_names_and_meshes_are_refused(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load_package(name)
