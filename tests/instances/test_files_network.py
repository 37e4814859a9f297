"""Network, package and instance files: defaults, shorthands, overrides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from instances.files import FileError, read_instance, read_network, read_package, write_network
from instances.network import Layer, Network
from instances.networks import build_network
from instances.packages import load_package

NETWORK = """\
kind: network
name: example
inputs: {image: [3, 32, 32]}
layers:
  - {name: conv, kind: conv, inputs: [image], channels: 16, depth: 3, positions: [32, 32],
     kernel: [3, 3], output: [16, 16, 16]}
  - {name: pair, kind: conv, inputs: [conv], addends: [conv], channels: 16, depth: 16, groups: 2,
     positions: [16, 16], stride: [1, 1], outputs: {left: [16, 16, 16], right: [16, 8, 8]},
     extra_parameters: 16, tied: true}
  - {name: fc, kind: fc, inputs: [right], channels: 10, depth: 1024, positions: [1, 1],
     output: [10, 1, 1]}
results: [fc, left]
tables: {words: 1000}
"""

EXPECTED = Network(
    name="example",
    inputs=(("image", (3, 32, 32)),),
    layers=(
        Layer(
            "conv",
            "conv",
            16,
            3,
            (32, 32),
            kernel=(3, 3),
            inputs=("image",),
            outputs=(("conv", (16, 16, 16)),),
        ),
        Layer(
            "pair",
            "conv",
            16,
            16,
            (16, 16),
            groups=2,
            inputs=("conv",),
            addends=("conv",),
            outputs=(("left", (16, 16, 16)), ("right", (16, 8, 8))),
            extra_parameters=16,
            tied=True,
        ),
        Layer("fc", "fc", 10, 1024, (1, 1), inputs=("right",), outputs=(("fc", (10, 1, 1)),)),
    ),
    results=("fc", "left"),
    tables=(("words", 1000),),
)


@pytest.fixture
def network_path(tmp_path: Path) -> Path:
    path = tmp_path / "example.yaml"
    path.write_text(NETWORK)
    return path


def instance_path(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(f"kind: instance\n{text}\n")
    return path


def test_network_file_with_defaults_and_shorthands(network_path: Path) -> None:
    assert read_network(network_path) == EXPECTED


def test_network_without_a_name_is_named_like_its_file(network_path: Path) -> None:
    network_path.write_text(NETWORK.replace("name: example\n", ""))
    network_path.rename(network_path.with_name("mine.yaml"))
    assert read_network(network_path.with_name("mine.yaml")).name == "mine"


def test_written_network_leaves_defaults_out(tmp_path: Path) -> None:
    write_network(EXPECTED, tmp_path / "n.yaml")
    text = (tmp_path / "n.yaml").read_text()
    assert text.count("stride") == 0
    assert text.count("operands") == 0
    assert text.count("kernel") == 1
    assert text.count("output:") == 2
    assert text.count("outputs:") == 1


def test_network_file_becomes_an_instance_with_the_caller_s_package(network_path: Path) -> None:
    simba, datacentre = load_package("simba-4x4"), load_package("datacentre-2x2")
    instance = read_instance(network_path, default_package=simba, default_batch=64)
    assert (instance.network, instance.package, instance.batch) == (EXPECTED, simba, 64)
    assert instance.tables.chiplets == 16
    instance = read_instance(network_path, package=datacentre, batch=2, default_package=simba)
    assert (instance.package, instance.batch) == (datacentre, 2)


def test_network_file_without_package_or_batch_is_refused(network_path: Path) -> None:
    with pytest.raises(FileError, match="a network needs a package"):
        read_instance(network_path, batch=1)
    with pytest.raises(FileError, match="a network needs a batch"):
        read_instance(network_path, package=load_package("simba-4x4"))


def test_instance_file_names_built_in_things(tmp_path: Path) -> None:
    path = instance_path(tmp_path, "name: n\nbatch: 7\nnetwork: alexnet\npackage: simba-6x6")
    instance = read_instance(path)
    assert (instance.name, instance.batch) == ("n", 7)
    assert instance.network == build_network("alexnet")
    assert instance.package == load_package("simba-6x6")


def test_values_of_an_instance_file_go_before_defaults_and_after_overrides(tmp_path: Path) -> None:
    path = instance_path(tmp_path, "batch: 7\nnetwork: alexnet\npackage: simba-6x6")
    other = load_package("datacentre-2x2")
    own = read_instance(path, default_package=other, default_batch=9)
    assert (own.package, own.batch) == (load_package("simba-6x6"), 7)
    overridden = read_instance(path, package=other, batch=9)
    assert (overridden.package, overridden.batch) == (other, 9)
    assert overridden.tables.chiplets == 4


def test_instance_file_holds_network_and_package_inline(tmp_path: Path) -> None:
    text = NETWORK.replace("kind: network\nname: example\n", "").replace("\n", "\n  ")
    path = instance_path(
        tmp_path,
        f"""\
batch: 1
network:
  {text.rstrip()}
package:
  mesh: [3, 1]
  element_bytes: 2
  overlap: false
  chiplet: {{dataflow: output-stationary, array: [8, 4], clock_hz: 1000000000,
    buffer_bytes: 65536, mac_pj: 1e-2, buffer_read_pj_per_bit: 0, buffer_write_pj_per_bit: 1,
    leakage_w: 0}}
  nop: {{bandwidth: 1000000000, hop_ns: 1.5, pj_per_bit: 1}}
  dram: {{ports: 1, bandwidth: 1000000000, latency_ns: 10, pj_per_bit: 1}}
""",
    )
    instance = read_instance(path)
    assert instance.network is not None
    assert instance.package is not None
    assert instance.network.layers == EXPECTED.layers
    assert (instance.network.name, instance.package.name) == ("run", "run")
    assert instance.package.chiplet.mac_pj == 0.01
    assert (instance.package.overlap, instance.package.mesh) == (False, (3, 1))
    assert instance.tables.chiplets == 3


def test_package_without_a_name_is_named_like_its_file(tmp_path: Path) -> None:
    path = tmp_path / "four-dies.yaml"
    path.write_text(
        "kind: package\nmesh: [2, 2]\nelement_bytes: 1\noverlap: true\n"
        "chiplet: {dataflow: weight-stationary, array: [32, 32], clock_hz: 500000000,"
        " buffer_bytes: 720896, mac_pj: 0.018, buffer_read_pj_per_bit: 0.132,"
        " buffer_write_pj_per_bit: 0.234, leakage_w: 0.01}\n"
        "nop: {bandwidth: 100000000000, hop_ns: 35, pj_per_bit: 2.04}\n"
        "dram: {ports: 2, bandwidth: 64000000000, latency_ns: 200, pj_per_bit: 14.8}\n"
    )
    package = read_package(path)
    assert (package.name, package.chiplets, package.chiplet.macs) == ("four-dies", 4, 1024)
    assert package.chiplet == load_package("simba-4x4").chiplet


def test_dram_too_fast_for_exact_arithmetic_is_refused_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    path.write_text(NETWORK)
    simba = load_package("simba-4x4")
    dram = replace(simba.dram, ports=2**31, bandwidth=10**15 - 1)
    with pytest.raises(FileError, match=r"network.yaml: package 'simba-4x4': .* beyond exact"):
        read_instance(path, package=replace(simba, dram=dram), batch=1)
