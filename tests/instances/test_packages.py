"""The built-in packages: the numbers that the documentation promises."""

from __future__ import annotations

from importlib.resources import files

import pytest

from instances import packages
from instances.packages import is_package_name, load_package, package_names

SIMBA_BUFFER = 16 * 32 * 1024 + 16 * 8 * 1024 + 64 * 1024
DATACENTRE_BUFFER = 10 * 2**20

EXPECTED = {
    "datacentre-2x2": ((2, 2), 2, 4096, DATACENTRE_BUFFER),
    "datacentre-4x4": ((4, 4), 2, 4096, DATACENTRE_BUFFER),
    "datacentre-6x6": ((6, 6), 4, 4096, DATACENTRE_BUFFER),
    "simba-4x4": ((4, 4), 2, 1024, SIMBA_BUFFER),
    "simba-6x6": ((6, 6), 4, 1024, SIMBA_BUFFER),
    "simba-8x8": ((8, 8), 4, 1024, SIMBA_BUFFER),
    "simba-8x16": ((8, 16), 8, 1024, SIMBA_BUFFER),
    "simba-16x16": ((16, 16), 8, 1024, SIMBA_BUFFER),
}


def test_names_are_complete_and_ordered_by_size() -> None:
    assert package_names() == tuple(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_mesh_ports_macs_and_buffer(name: str) -> None:
    package = load_package(name)
    mesh, ports, macs, buffer = EXPECTED[name]
    assert package.name == name
    assert package.mesh == mesh
    assert package.chiplets == mesh[0] * mesh[1]
    assert package.dram.ports == ports
    assert package.chiplet.macs == macs
    assert package.chiplet.buffer_bytes == buffer


@pytest.mark.parametrize("name", EXPECTED)
def test_constants_from_the_papers(name: str) -> None:
    package = load_package(name)
    assert package.chiplet.clock_hz == 500_000_000
    assert (package.nop.bandwidth, package.nop.hop_ns, package.nop.pj_per_bit) == (10**11, 35, 2.04)
    assert package.dram.bandwidth == 64 * 10**9
    assert (package.dram.latency_ns, package.dram.pj_per_bit) == (200, 14.8)
    assert (package.chiplet.mac_pj, package.chiplet.buffer_read_pj_per_bit) == (0.018, 0.132)
    assert package.chiplet.buffer_write_pj_per_bit == 0.234
    assert (package.element_bytes, package.overlap) == (1, True)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_constant_has_its_source_in_a_comment(name: str) -> None:
    text = files("instances.packages").joinpath(f"{name}.yaml").read_text("utf-8")
    for line in text.splitlines():
        key, colon, rest = line.partition(":")
        if colon and rest.strip() and not line.startswith("#") and key not in ("kind", "name"):
            assert "#" in rest, f"{key.strip()} has no source"
    for source in ("SCAR: arXiv 2405.00790", "MICRO 2019", "ISCA 2023"):
        assert source in text


def test_unknown_name_is_answered_with_close_ones() -> None:
    with pytest.raises(ValueError, match=r"no built-in package 'simbo-4x5'\. Did you mean simba-"):
        load_package("simbo-4x5")
    with pytest.raises(ValueError, match=r"Built in: datacentre-2x2, .*simba-16x16"):
        load_package("../packages/simba-4x4")


@pytest.mark.parametrize("name", package_names())
def test_the_rule_for_other_meshes_agrees_with_the_built_in_files(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    built_in = load_package(name)
    others = tuple(other for other in package_names() if other != name)
    monkeypatch.setattr(packages, "package_names", lambda: others)
    assert load_package.__wrapped__(name) == built_in


def test_a_derived_package_has_the_chiplets_of_its_family_and_ports_for_its_rows() -> None:
    wide, large = load_package("datacentre-16x3"), load_package("simba-64x64")
    assert (wide.name, wide.mesh, wide.dram.ports) == ("datacentre-16x3", (16, 3), 2)
    assert wide.chiplet == load_package("datacentre-2x2").chiplet
    assert (large.chiplets, large.dram.ports) == (4096, 32)
    assert is_package_name("datacentre-16x3")


@pytest.mark.parametrize("name", ["simba-0x4", "simba-4x0", "simba-65x1", "datacentre-2x100"])
def test_a_mesh_beyond_64_or_empty_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: expected a mesh of 1 to 64 columns and rows$"):
        load_package(name)


@pytest.mark.parametrize("name", ["simba", "simba-4", "simba-4x", "simba-4x4x4", "other-4x4"])
def test_a_name_that_only_resembles_a_package_is_unknown(name: str) -> None:
    assert not is_package_name(name)
    with pytest.raises(ValueError, match="there is no built-in package"):
        load_package(name)
