"""Table instances: the documented example, the optional keys, overrides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from instances.files import FileError, read_instance
from instances.files.table_file import tables_to_data
from instances.packages import load_package

TINY = """\
kind: tables
name: tiny
batch: 8
chiplets: 3
capacity: 100
options: [ISP, WSP]
layers:
  - name: a
    load: 12
    resident: {ISP: [60, 30, 20], WSP: [60, 60, 60]}
    working:  {ISP: [8, 8, 8],    WSP: [8, 4, 3]}
    entry:    {ISP: [40, 22, 16], WSP: [40, 21, 15]}
    exit:     {ISP: [4, 2, 2],    WSP: [4, 2, 2]}
  - name: b
    load: 9
    resident: {ISP: [30, 15, 10], WSP: [30, 30, 30]}
    working:  {ISP: [6, 6, 6],    WSP: [6, 3, 2]}
    entry:    {ISP: [30, 18, 14], WSP: [30, 16, 12]}
    exit:     {ISP: [3, 2, 1],    WSP: [3, 2, 1]}
    step:                       # previous layer's option -> this layer's option
      ISP: {ISP: [28, 17, 13], WSP: [28, 15, 11]}
      WSP: {ISP: [28, 17, 13], WSP: [28, 14, 10]}
io:                             # io[s][e], entries with e < s are 0
  - [5, 7]
  - [0, 4]
"""

THREE_LAYERS = """\
kind: tables
batch: 2
chiplets: 2
capacity: 50
options: [ISP]
leakage: 4
layers:
  - {name: a, load: 1, resident: {ISP: [9, 5]}, working: {ISP: [2, 1]}, entry: {ISP: [8, 4]},
     exit: {ISP: [1, 1]}, compute: {ISP: [6, 3]}, alone: 11, load_energy: 21, alone_energy: 22,
     entry_energy: {ISP: [23, 24]}, exit_energy: {ISP: [25, 26]}}
  - {name: b, load: 1, resident: {ISP: [9, 5]}, working: {ISP: [2, 1]}, entry: {ISP: [8, 4]},
     exit: {ISP: [1, 1]}, compute: {ISP: [6, 3]}, step: {ISP: {ISP: [7, 4]}},
     step_energy: {ISP: {ISP: [27, 28]}}}
  - {name: c, load: 0, resident: {ISP: [9, 5]}, working: {ISP: [2, 1]}, entry: {ISP: [8, 4]},
     exit: {ISP: [1, 1]}, compute: {ISP: [6, 3]}, step: {ISP: {ISP: [7, 4]}}}
io: [[1, 2, 3], [0, 4, 5], [0, 0, 6]]
io_energy: [[31, 32, 33], [0, 34, 35], [0, 0, 36]]
skips:
  - {producer: a, consumers: [{layer: c, enter: {ISP: [3, 2]}, enter_energy: {ISP: [41, 42]}}],
     leave: [5, 6], hold: [4, 3], leave_energy: [43, 44]}
  - {name: mask, consumers: [{layer: c}, {layer: b, enter: {ISP: [2, 1]}}]}
  - {name: early, producer: b, leaves: true}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


def test_documented_example_loads_with_its_exact_arrays(tiny: Path) -> None:
    instance = read_instance(tiny)
    tables = instance.tables
    assert (instance.name, instance.batch) == ("tiny", 8)
    assert (tables.layers, tables.options, tables.capacity) == (("a", "b"), ("ISP", "WSP"), 100)
    assert tables.entry.tolist() == [[[40, 22, 16], [40, 21, 15]], [[30, 18, 14], [30, 16, 12]]]
    assert tables.exit.tolist() == [[[4, 2, 2], [4, 2, 2]], [[3, 2, 1], [3, 2, 1]]]
    assert tables.resident.tolist() == [[[60, 30, 20], [60] * 3], [[30, 15, 10], [30] * 3]]
    assert tables.working.tolist() == [[[8, 8, 8], [8, 4, 3]], [[6, 6, 6], [6, 3, 2]]]
    assert tables.step[1].tolist() == [
        [[28, 17, 13], [28, 15, 11]],
        [[28, 17, 13], [28, 14, 10]],
    ]
    assert not tables.step[0].any()
    assert tables.load.tolist() == [12, 9]
    assert tables.io.tolist() == [[5, 7], [0, 4]]
    assert tables.alone.tolist() == [-1, -1]
    assert tables.compute is None
    assert tables.skips == ()
    energy = tables.energy
    for table in (energy.entry, energy.step, energy.exit, energy.load, energy.io, energy.alone):
        assert not table.any()
    assert energy.leakage == 0
    assert energy.step.shape == tables.step.shape
    assert tables.entry.dtype == tables.load.dtype == tables.io.dtype == np.int64


def test_optional_keys_reach_their_tables(tmp_path: Path) -> None:
    path = tmp_path / "three.yml"
    path.write_text(THREE_LAYERS)
    instance = read_instance(path)
    tables, energy = instance.tables, instance.tables.energy
    assert instance.name == "three"
    assert tables.alone.tolist() == [11, -1, -1]
    assert tables.compute is not None
    assert tables.compute.tolist() == [[[6, 3]]] * 3
    assert energy.leakage == 4
    assert energy.load.tolist() == [21, 0, 0]
    assert energy.alone.tolist() == [22, 0, 0]
    assert energy.entry.tolist() == [[[23, 24]], [[0, 0]], [[0, 0]]]
    assert energy.exit.tolist() == [[[25, 26]], [[0, 0]], [[0, 0]]]
    assert energy.step.tolist() == [[[[0, 0]]], [[[27, 28]]], [[[0, 0]]]]
    assert energy.io.tolist() == [[31, 32, 33], [0, 34, 35], [0, 0, 36]]


def test_skip_tensors_are_read_and_consumers_sorted(tmp_path: Path) -> None:
    path = tmp_path / "three.yaml"
    path.write_text(THREE_LAYERS)
    inner, mask, early = read_instance(path).tables.skips
    assert (inner.name, inner.producer, inner.consumers, inner.leaves) == ("skip 0", 0, (2,), False)
    assert inner.enter.tolist() == [[[3, 2]]]
    assert inner.enter_energy.tolist() == [[[41, 42]]]
    assert (inner.leave.tolist(), inner.hold.tolist()) == ([5, 6], [4, 3])
    assert inner.leave_energy.tolist() == [43, 44]
    assert (mask.name, mask.producer, mask.consumers) == ("mask", -1, (1, 2))
    assert mask.enter.tolist() == [[[2, 1]], [[0, 0]]]
    assert mask.hold.tolist() == [0, 0]
    assert (early.producer, early.consumers, early.leaves) == (1, (), True)
    assert early.enter.shape == (0, 1, 2)


def test_pure_python_yaml_parser_reads_the_same(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyYAML is not always built with libyaml."""
    fast = read_instance(tiny)
    monkeypatch.setattr("instances.files.yaml_text._LOADER", yaml.SafeLoader)
    slow = read_instance(tiny)
    assert tables_to_data(slow) == tables_to_data(fast)
    tiny.write_text(TINY + "note: 'unfinished")
    with pytest.raises(
        FileError, match=r"tiny\.yaml: line 26, column 18: not YAML: found unexpected"
    ):
        read_instance(tiny)


def test_batch_overrides_the_file(tiny: Path) -> None:
    assert read_instance(tiny, batch=3, default_batch=5).batch == 3
    assert read_instance(tiny, default_batch=5).batch == 8


def test_batch_below_one_is_refused(tiny: Path) -> None:
    with pytest.raises(FileError, match=r"tiny\.yaml: batch 0 is not at least 1"):
        read_instance(tiny, batch=0)


def test_no_package_can_be_put_on_a_table_instance(tiny: Path) -> None:
    package = load_package("simba-4x4")
    with pytest.raises(FileError, match=r"has its own costs: package 'simba-4x4' cannot") as caught:
        read_instance(tiny, package=package)
    assert "\n" not in str(caught.value)
    assert read_instance(tiny, default_package=package).package is None


def test_numbers_that_overflow_only_with_the_batch_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_text(TINY.replace("[40, 22, 16]", f"[{2**45}, 22, 16]"))
    assert read_instance(path).tables.entry.max() == 2**45
    with pytest.raises(FileError, match="the latency in cycles can reach"):
        read_instance(path, batch=10**6)
