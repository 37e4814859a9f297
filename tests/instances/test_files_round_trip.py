"""What is written reads back the same, in YAML and in JSON."""

from __future__ import annotations

import os
import stat
import string
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.cost import make_instance
from instances.files import (
    FileError,
    read_instance,
    read_network,
    read_package,
    write_instance,
    write_network,
    write_package,
    write_tables,
)
from instances.files.text import read_data, write_data
from instances.generate import random_instance
from instances.instance import Instance
from instances.network import Layer, Network
from instances.networks import build_network
from instances.package import Faults
from instances.packages import load_package, package_names

SUFFIXES = ("yaml", "yml", "json")


def same(left: Any, right: Any) -> bool:
    """Equality of dataclasses that hold arrays."""
    if isinstance(left, np.ndarray):
        return (
            left.shape == right.shape and left.dtype == right.dtype and bool((left == right).all())
        )
    if isinstance(left, tuple) and left and hasattr(left[0], "enter"):
        return len(left) == len(right) and all(map(same, left, right))
    if hasattr(left, "__dataclass_fields__") and not isinstance(left, Network):
        names = left.__dataclass_fields__
        return all(same(getattr(left, name), getattr(right, name)) for name in names)
    return bool(left == right)


def through_file(instance: Instance, suffix: str) -> Instance:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"other_name.{suffix}"
        write_instance(instance, path)
        return read_instance(path)


@settings(max_examples=80)
@given(seed=st.integers(0, 2**32), suffix=st.sampled_from(SUFFIXES))
def test_table_instances_come_back_the_same(seed: int, suffix: str) -> None:
    instance = random_instance(seed)
    assert same(through_file(instance, suffix), instance)


def test_the_comparison_of_these_tests_sees_a_difference() -> None:
    instance = random_instance(1, layers=5, shape="dag")
    tables = instance.tables
    skip = tables.skips[0]
    for changed in (
        replace(tables, load=tables.load + 1),
        replace(tables, energy=replace(tables.energy, leakage=-1)),
        replace(tables, skips=(replace(skip, hold=skip.hold + 1), *tables.skips[1:])),
    ):
        assert not same(replace(instance, tables=changed), instance)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_instances_of_networks_come_back_the_same(suffix: str) -> None:
    network = build_network("googlenet")
    instance = make_instance(network, load_package("simba-4x4"), 5, "my run")
    back = through_file(instance, suffix)
    assert (back.network, back.package) == (instance.network, instance.package)
    assert same(back, instance)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cost_tables_of_a_network_come_back_as_table_instance(tmp_path: Path, suffix: str) -> None:
    instance = make_instance(build_network("resnet18"), load_package("datacentre-2x2"), 3)
    path = tmp_path / f"tables.{suffix}"
    write_tables(instance, path)
    back = read_instance(path)
    assert back.network is None
    assert same(back, replace(instance, network=None, package=None))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["alexnet", "resnet50", "gpt2-decode", "unet", "densenet121"])
def test_networks_come_back_the_same(tmp_path: Path, name: str, suffix: str) -> None:
    network = build_network(name)
    write_network(network, tmp_path / f"n.{suffix}")
    assert read_network(tmp_path / f"n.{suffix}") == network


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", package_names())
def test_packages_come_back_the_same(tmp_path: Path, name: str, suffix: str) -> None:
    package = load_package(name)
    tiny = replace(package, nop=replace(package.nop, hop_ns=1e-7), overlap=False, name="on")
    faults = Faults(((0, 1),), ((1, 1),), (((0, 0), (0, 1)),))
    wide = replace(package, mesh=(3, 3), faults=faults)
    assert wide.chiplets == 7
    for candidate in (package, tiny, wide, replace(wide, faults=Faults(links=faults.links))):
        write_package(candidate, tmp_path / f"p.{suffix}")
        assert read_package(tmp_path / f"p.{suffix}") == candidate


AWKWARD = [
    *(
        "NO",
        "on",
        "y",
        "null",
        "~",
        "1e3",
        "1_000",
        "0x1f",
        "012",
        "1:30",
        "2024-01-01",
        "-",
        ".inf",
    ),
    *(
        "a: b",
        "a #b",
        "'",
        '"',
        "\\",
        "[x]",
        "{x}",
        "*x",
        "&x",
        "!x",
        "%x",
        "@x",
        "`x",
        "| x",
        "> x",
    ),
    *(
        " x",
        "x ",
        "two\nlines",
        "tab\t",
        "\x07",
        "\x7f",
        "\x85",
        "\u2028",
        "\ufeff",
        "ünï",
        "😀",
        "<<",
    ),
    *("=", "?", "x,y", "---", "...", "x" * 500, "a b " * 60, "true", "N", "conv1.0/relu_2"),
]


@settings(max_examples=100)
@given(
    name=st.sampled_from(AWKWARD)
    | st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
    | st.text(string.printable, min_size=1),
    suffix=st.sampled_from(SUFFIXES),
)
def test_any_name_survives(name: str, suffix: str) -> None:
    layer = Layer(name, "fc", 1, 1, (1, 1), inputs=("x" + name,), outputs=((name, (1, 1, 1)),))
    network = Network(name, (("x" + name, (1, 1, 1)),), (layer,), tables=((name, 3),))
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"n.{suffix}"
        write_network(network, path)
        assert read_network(path) == network


def test_other_yaml_readers_read_the_same(tmp_path: Path) -> None:
    """The YAML written means the same to a reader that knows nothing of these files."""
    data: dict[str, object] = {
        **{name: name for name in AWKWARD},
        "numbers": [0, -3, 2**52, 1e-7, 2.5e300, 0.1],
        "words": [True, False, None],
        "empty": [{}, [], [[]], {"x": {}}],
        "nested": [[1, [2, {"a": [3, {"b": []}]}]]],
    }
    write_data(data, tmp_path / "data.yaml")
    assert yaml.safe_load((tmp_path / "data.yaml").read_text("utf-8")) == data
    assert read_data(tmp_path / "data.yaml") == data


def test_failed_write_keeps_the_old_file_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FileError, match=r"p\.yaml: cannot be written: No space left on device"):
        write_package(load_package("simba-4x4"), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["p.yaml"]
    assert path.read_text() == "old"


def test_write_says_what_is_wrong_with_the_path(tmp_path: Path) -> None:
    package = load_package("simba-4x4")
    with pytest.raises(FileError, match="cannot be written: No such file or directory"):
        write_package(package, tmp_path / "none" / "p.yaml")
    with pytest.raises(FileError, match=r"found '\.toml', expected a file name that ends in"):
        write_package(package, tmp_path / "p.toml")


def test_write_keeps_links_and_obeys_the_umask(tmp_path: Path) -> None:
    target, link = tmp_path / "target.yaml", tmp_path / "link.yaml"
    link.symlink_to(target)
    before = os.umask(0o027)
    try:
        write_package(load_package("simba-4x4"), link)
    finally:
        os.umask(before)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
