"""Broken files: each is one clear error that names the file, the place and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from instances.files import FileError, read_instance, read_network, read_package
from instances.files.errors import MAX_PROBLEMS

TABLES = """\
kind: tables
name: tiny
batch: 8
chiplets: 2
capacity: 100
options: [ISP, WSP]
layers:
  - name: a
    load: 12
    resident: {ISP: [60, 30], WSP: [60, 60]}
    working: {ISP: [8, 8], WSP: [8, 4]}
    entry: {ISP: [40, 22], WSP: [40, 21]}
    exit: {ISP: [4, 2], WSP: [4, 3]}
  - name: b
    load: 9
    resident: {ISP: [30, 15], WSP: [30, 30]}
    working: {ISP: [6, 6], WSP: [6, 3]}
    entry: {ISP: [30, 18], WSP: [30, 16]}
    exit: {ISP: [3, 2], WSP: [3, 1]}
    step: {ISP: {ISP: [28, 17], WSP: [28, 15]}, WSP: {ISP: [28, 19], WSP: [28, 14]}}
io: [[5, 7], [0, 4]]
"""

NETWORK = """\
kind: network
inputs: {image: [3, 8, 8]}
layers:
  - {name: first, kind: conv, inputs: [image], channels: 4, depth: 3, positions: [8, 8],
     kernel: [3, 3], output: [4, 8, 8]}
  - {name: second, kind: conv, inputs: [first], channels: 4, depth: 4, positions: [8, 8],
     output: [4, 8, 8]}
"""

PACKAGE = """\
kind: package
mesh: [2, 2]
element_bytes: 1
overlap: true
chiplet: {dataflow: weight-stationary, array: [8, 8], clock_hz: 500000000, buffer_bytes: 4096,
  mac_pj: 0.018, buffer_read_pj_per_bit: 0.1, buffer_write_pj_per_bit: 0.2, leakage_w: 0.01}
nop: {bandwidth: 100000000000, hop_ns: 35, pj_per_bit: 2.04}
dram: {ports: 2, bandwidth: 64000000000, latency_ns: 200, pj_per_bit: 14.8}
"""


def message(path: Path) -> str:
    """The error that reading the file gives, after checks that hold for every error."""
    with pytest.raises(FileError) as caught:
        read_instance(path)
    text = str(caught.value)
    for line in text.splitlines():
        assert line.startswith(f"{path}: ")
        assert "pydantic" not in line
        assert "Traceback" not in line
        assert len(line) < 600
    return text.replace(f"{path}: ", "")


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"{old!r} must occur once"
    return text.replace(old, new)


TABLE_CASES = {
    "nan": ("load: 12", "load: .nan", "layers[0].load (layer 'a'): found NaN, expected a whole"),
    "infinite": ("load: 12", "load: .inf", "found inf, expected a whole number"),
    "negative": (
        "[8, 8]",
        "[8, -8]",
        "layers[0].working.ISP[1] (layer 'a'): found -8, expected at",
    ),
    "fraction": ("batch: 8", "batch: 8.5", "batch: found 8.5, expected a whole number"),
    "whole float": ("batch: 8", "batch: 8.0", "batch: found 8.0, expected a whole number"),
    "bool as number": ("batch: 8", "batch: true", "batch: found true, expected a whole number"),
    "text as number": ("batch: 8", "batch: '8'", "batch: found '8', expected a whole number"),
    "null": ("batch: 8", "batch:", "batch: found nothing, expected a whole number"),
    "batch of none": ("batch: 8", "batch: 0", "batch: found 0, expected at least 1"),
    "no chiplets": ("chiplets: 2", "chiplets: 0", "chiplets: found 0, expected at least 1"),
    "negative capacity": ("capacity: 100", "capacity: -1", "capacity: found -1, expected at least"),
    "a billion chiplets": (
        "chiplets: 2",
        "chiplets: 1000000000",
        "chiplets: found 1000000000, expected at most 65536",
    ),
    "more chiplets than entries": (
        "chiplets: 2",
        "chiplets: 60000",
        "layers[0].resident.ISP (layer 'a'): found 2 entries, expected 60000, one for each",
    ),
    "short list": (
        "[40, 22]",
        "[40]",
        "layers[0].entry.ISP (layer 'a'): found 1 entry, expected 2, one for each region size",
    ),
    "long list in step": (
        "[28, 19]",
        "[28, 19, 1]",
        "layers[1].step.WSP.ISP (layer 'b'): found 3 entries, expected 2",
    ),
    "list instead of mapping": (
        "{ISP: [4, 2], WSP: [4, 3]}",
        "[4, 2]",
        "layers[0].exit (layer 'a'): found a list of 2 entries, expected a mapping",
    ),
    "mapping instead of list": ("[40, 22]", "{x: 1}", "found a mapping, expected a list"),
    "huge integer": ("load: 12", f"load: {10**30}", "layers[0].load (layer 'a'): found 1000000"),
    "thousands of digits": ("load: 12", f"load: {'9' * 5000}", "a number of 5000 digits"),
    "overflowing latency": ("[40, 22]", f"[{2**52}, 22]", "the latency in cycles can reach"),
    "unknown option": (
        "exit: {ISP: [3, 2], WSP: [3, 1]}",
        "exit: {ISP: [3, 2], WSPP: [3, 1]}",
        "layers[1].exit (layer 'b'): found unknown option 'WSPP', expected ISP, WSP (did you mean"
        " 'WSP'?)",
    ),
    "missing option": (
        "exit: {ISP: [3, 2], WSP: [3, 1]}",
        "exit: {ISP: [3, 2]}",
        "layers[1].exit (layer 'b'): option 'WSP' is missing",
    ),
    "option twice": ("[ISP, WSP]", "[ISP, WSP, ISP]", "options: 2 options are named 'ISP'"),
    "no option": ("[ISP, WSP]", "[]", "options: found no option, expected at least one"),
    "option read as false": (
        "[ISP, WSP]",
        "[ISP, NO]",
        "options[1]: found false, expected text (put it in quotes)",
    ),
    "option key read as false": ("{ISP: [4, 2], ", "{NO: [4, 2], ", "column 12: a key is read as"),
    "name read as number": ("name: b", "name: 1e3", "layers[1].name: found 1000.0, expected text"),
    "name read as date": ("name: b", "name: 2024-01-01", "unquoted '2024-01-01' is not read"),
    "octal": ("load: 12", "load: 012", "line 9, column 11: unquoted '012' is not read: write a"),
    "empty name": ("name: b", "name: ''", "layers[1].name: found '', expected at least one"),
    "layer twice": ("name: b", "name: a", "layers: 2 layers are named 'a', expected one"),
    "unknown key": (
        "batch: 8",
        "bacth: 8",
        "found unknown key 'bacth', expected one of kind, name",
    ),
    "near key": ("capacity:", "capacty:", "(did you mean 'capacity'?)"),
    "unknown layer key": ("load: 9", "laod: 9", "layers[1] (layer 'b'): found unknown key 'laod'"),
    "missing key": ("    load: 9\n", "", "layers[1].load (layer 'b'): found nothing, expected a"),
    "no layers": (
        TABLES[TABLES.index("layers:") :],
        "layers: []\nio: []\n",
        "layers: found no layer, expected at least one",
    ),
    "step on the first layer": (
        "load: 12",
        "load: 12\n    step: {ISP: {ISP: [28, 17]}}",
        "layers[0].step (layer 'a'): the first layer has no predecessor",
    ),
    "no step": (
        TABLES[TABLES.index("    step:") : TABLES.index("io:")],
        "",
        "layers[1].step (layer 'b'): found nothing, expected a table",
    ),
    "compute in one layer": (
        "load: 9",
        "load: 9\n    compute: {ISP: [1, 1], WSP: [1, 1]}",
        "layers[1].compute (layer 'b'): expected 'compute' in every layer or in none",
    ),
    "io rows": ("[[5, 7], [0, 4]]", "[[5, 7]]", "io: found 1 rows, expected 2"),
    "io columns": ("[0, 4]]", "[0, 4, 4]]", "io[1]: found 3 entries, expected 2"),
    "io below the diagonal": ("[0, 4]]", "[3, 4]]", "io[1][0]: found 3, expected 0, because"),
    "io energy": ("[0, 4]]", "[0, 4]]\nio_energy: [[0, 0], [1, 0]]", "io_energy[1][0]: found 1"),
    "skip from an unknown layer": (
        "[0, 4]]",
        "[0, 4]]\nskips: [{producer: z, consumers: [{layer: b}]}]",
        "skips[0].producer: found 'z', expected the name of a layer",
    ),
    "skip against the order": (
        "[0, 4]]",
        "[0, 4]]\nskips: [{producer: b, consumers: [{layer: a}]}]",
        "skips[0].consumers[0].layer: found 'a', expected a layer after the producer 'b'",
    ),
    "skip to the same layer twice": (
        "[0, 4]]",
        "[0, 4]]\nskips: [{consumers: [{layer: b}, {layer: b}]}]",
        "skips[0].consumers: 2 consumers are named 'b'",
    ),
    "skip to nowhere": ("[0, 4]]", "[0, 4]]\nskips: [{leaves: true}]", "found no consumer"),
    "skip twice": (
        "[0, 4]]",
        "[0, 4]]\nskips: [{name: s, consumers: [{layer: b}]}, {name: s, consumers: [{layer: b}]}]",
        "skips: 2 skip tensors are named 's'",
    ),
    "skip with a short list": (
        "[0, 4]]",
        "[0, 4]]\nskips: [{consumers: [{layer: b}], hold: [1]}]",
        "skips[0].hold: found 1 entry, expected 2",
    ),
    "skip that overflows": (
        "[0, 4]]",
        f"[0, 4]]\nskips: [{{consumers: [{{layer: b}}], hold: [{2**53 - 1}, 0]}}]",
        "the memory in bytes can reach",
    ),
    "leakage that overflows": ("batch: 8", f"batch: 8\nleakage: {2**50}", "the energy in picojoul"),
    "duplicate key": ("load: 9", "load: 9\n    load: 8", "line 16, column 5: key 'load' appears"),
    "python tag": (
        "name: tiny",
        "name: !!python/object/apply:os.getcwd []",
        "line 2, column 7: YAML tags are not allowed, found 'tag:yaml.org,2002:python/object/app",
    ),
    "plain tag": ("name: tiny", "name: !!str tiny", "YAML tags are not allowed"),
    "anchor": ("name: tiny", "name: &n tiny", "line 2, column 7: YAML anchors and aliases are not"),
    "alias": ("name: tiny", "name: *n", "YAML anchors and aliases are not allowed"),
    "merge key": ("name: tiny", "<<: {name: tiny}", "unquoted '<<' is not read"),
    "cut off": (TABLES[TABLES.index("[8, 4]") + 3 :], "", "not YAML: did not find expected"),
    "bad indentation": ("chiplets: 2", " chiplets: 2", "line 4, column"),
    "second document": ("io:", "---\nio:", "found a second YAML document, expected one"),
    "control character": ("name: tiny", "name: \x01", "not YAML"),
}


@pytest.mark.parametrize(("old", "new", "expected"), TABLE_CASES.values(), ids=TABLE_CASES)
def test_broken_table_file_is_one_clear_line(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(changed(TABLES, old, new))
    assert expected in message(path)


def test_unbroken_files_load(tmp_path: Path) -> None:
    """The texts that the cases break are sound, so each error comes from its one change."""
    for name, text in (("t", TABLES), ("n", NETWORK), ("p", PACKAGE)):
        (tmp_path / f"{name}.yaml").write_text(text)
    assert read_instance(tmp_path / "t.yaml").batch == 8
    assert len(read_network(tmp_path / "n.yaml").layers) == 2
    assert read_package(tmp_path / "p.yaml").chiplets == 4


NETWORK_CASES = {
    "unknown tensor": ("[first]", "[frist]", "layer 'second' reads unknown tensor 'frist'"),
    "cycle": ("inputs: [image]", "inputs: [second]", "the layers form a cycle or are out of order"),
    "two outputs": (
        "kernel: [3, 3], output:",
        "outputs: {first: [4, 8, 8]}, output:",
        "layers[0] (layer 'first'): expected either 'output' or 'outputs'",
    ),
    "duplicate layer": ("name: second", "name: first", "two layers are named 'first'"),
    "duplicate tensor": ("{image: [3, 8, 8]}", "{image: [3, 8, 8], image: [1, 1, 1]}", "twice"),
    "unknown kind": (
        "kind: conv, inputs: [first]",
        "kind: pool, inputs: [first]",
        "found 'pool', ",
    ),
    "short kernel": (
        "[3, 3]",
        "[3]",
        "layers[0].kernel (layer 'first'): found 1 entry, expected 2",
    ),
    "long shape": ("[3, 8, 8]", "[3, 8, 8, 8]", "inputs.image: found 4 entries, expected 3"),
    "empty extent": ("[3, 3]", "[3, 0]", "layers[0].kernel[1] (layer 'first'): found 0, expected"),
    "depth": ("depth: 3", "depth: 5", "layer 'first': depth 5, but its inputs supply 3 channels"),
    "huge layer": (
        "positions: [8, 8],\n     kernel: [3, 3]",
        "positions: [1000000000, 1000000000]",
        "multiply-accumulates, expected at most",
    ),
    "huge tensor": (
        "output: [4, 8, 8]}\n  - ",
        "output: [4, 1000000000, 1000000000]}\n  - ",
        "elements in tensor 'first', expected at most",
    ),
    "huge input": ("[3, 8, 8]", "[3, 999999999, 999999999]", "inputs.image: found 29999"),
    "extent over its limit": ("channels: 4, depth: 3", f"channels: {2**40}, depth: 3", "at most 2"),
    "tied text": (
        "depth: 3",
        "depth: 3, tied: 'no'",
        "tied (layer 'first'): found 'no', expected t",
    ),
    "unknown result": ("layers:", "results: [x]\nlayers:", "result 'x' is not a tensor"),
    "no inputs": ("inputs: {image: [3, 8, 8]}\n", "", "inputs: found nothing, expected a value"),
    "name with line breaks": (
        "name: second",
        'name: "x\\ny\\e[31m", stirde: 2',
        "layers[1] (layer 'x\\ny\\x1b[31m'): found unknown key 'stirde'",
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), NETWORK_CASES.values(), ids=NETWORK_CASES)
def test_broken_network_file_is_one_clear_line(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(changed(NETWORK, old, new))
    assert expected in message(path)
    with pytest.raises(FileError):
        read_network(path)


PACKAGE_CASES = {
    "huge mesh": ("[2, 2]", "[100000, 100000]", "mesh: found [100000, 100000] (10000000000 chip"),
    "empty mesh": ("[2, 2]", "[0, 2]", "mesh[0]: found 0, expected at least 1"),
    "flat mesh": ("[2, 2]", "4", "mesh: found 4, expected a list"),
    "nan constant": ("hop_ns: 35", "hop_ns: .nan", "nop.hop_ns: found NaN, expected a finite"),
    "infinite constant": ("mac_pj: 0.018", "mac_pj: .inf", "chiplet.mac_pj: found inf, expected"),
    "negative constant": ("leakage_w: 0.01", "leakage_w: -1", "chiplet.leakage_w: found -1"),
    "bool constant": ("hop_ns: 35", "hop_ns: yes", "nop.hop_ns: found true, expected a number"),
    "no bandwidth": ("64000000000", "0", "dram.bandwidth: found 0, expected at least 1"),
    "number as bool": ("overlap: true", "overlap: 1", "overlap: found 1, expected true or false"),
    "dataflow": ("weight-stationary", "nvdla", "chiplet.dataflow: found 'nvdla', expected 'weight"),
    "unknown key": ("hop_ns: 35", "hop: 35", "nop: found unknown key 'hop', expected one of band"),
    "missing part": ("dram: {ports", "#", "dram: found nothing, expected a value for this key"),
}

FAULT_CASES = {
    "off the mesh": (
        "chiplets: [[0, 1], [2, 0]]",
        "faults.chiplets[1]: found [2, 0], expected a place on the 2 x 2 mesh",
    ),
    "missing off the mesh": ("missing: [[0, 2]]", "faults.missing[0]: found [0, 2], expected a"),
    "no neighbours": (
        "links: [[[0, 0], [1, 1]]]",
        "faults.links[0]: found [0, 0] to [1, 1], expected two neighbours on the 2 x 2 mesh",
    ),
    "half a link": ("links: [[[0, 0]]]", "faults.links[0]: found 1 entry, expected 2"),
    "no pair": ("chiplets: [0, 1]", "faults.chiplets[0]: found 0, expected a list"),
    "negative": ("missing: [[0, -1]]", "faults.missing[0][1]: found -1, expected at least 0"),
    "unknown": ("chips: []", "faults: found unknown key 'chips', expected one of chiplets"),
    "cut off": (
        "links: [[[0, 0], [0, 1]], [[1, 1], [0, 1]]]",
        "faults: [0, 1] is cut off from [0, 0]",
    ),
    "none left": ("chiplets: [[0, 0], [0, 1], [1, 0], [1, 1]]", "faults: no chiplet is left"),
    "no router for a port": (
        "missing: [[1, 0], [1, 1]]",
        "faults: column 1 has a DRAM port, but all its chiplets are missing",
    ),
}
for name, (given, expected) in FAULT_CASES.items():
    line = "overlap: true"
    PACKAGE_CASES[f"faults {name}"] = (line, f"{line}\nfaults: {{{given}}}", expected)


@pytest.mark.parametrize(("old", "new", "expected"), PACKAGE_CASES.values(), ids=PACKAGE_CASES)
@pytest.mark.parametrize("inline", [False, True])
def test_broken_package_is_one_clear_line(
    tmp_path: Path, old: str, new: str, expected: str, inline: bool
) -> None:
    text = changed(PACKAGE, old, new)
    path = tmp_path / "broken.yaml"
    if not inline:
        path.write_text(text)
        with pytest.raises(FileError) as caught:
            read_package(path)
        assert expected in str(caught.value)
        return
    indented = "".join(f"  {line}\n" for line in text.splitlines())
    path.write_text(f"kind: instance\nbatch: 1\nnetwork: alexnet\npackage:\n{indented}")
    assert f"package.{expected}" in message(path)


INSTANCE_CASES = {
    "unknown network": ("network: resnet5", "network: there is no built-in network 'resnet5'"),
    "unknown package": ("network: alexnet\npackage: simba", "no built-in package 'simba'"),
    "no batch": ("network: alexnet\npackage: simba-4x4", "a network needs a batch"),
    "no package": ("network: alexnet\nbatch: 4", "a network needs a package"),
    "no network": ("package: simba-4x4", "network: found nothing, expected a value for this key"),
    "network of numbers": ("network: 5", "network: found 5, expected a mapping"),
    "layer of an inline network": (
        "network: {inputs: {x: [1, 1, 1]}, layers: [{name: n, kind: fc, chanels: 3}]}",
        "network.layers[0] (layer 'n'): found unknown key 'chanels'",
    ),
    "null package": ("network: alexnet\npackage:\nbatch: 4", "a network needs a package"),
    "other kind inside": ("network: {kind: package}", "network.kind: found 'package', expected"),
}


@pytest.mark.parametrize(("text", "expected"), INSTANCE_CASES.values(), ids=INSTANCE_CASES)
def test_broken_instance_file_is_one_clear_line(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(f"kind: instance\n{text}\n")
    assert expected in message(path)


def test_tables_beyond_memory_are_refused_before_they_are_built(tmp_path: Path) -> None:
    layers = "".join(
        f"  - {{name: l{i}, kind: fc, inputs: [x], channels: 1, depth: 1, positions: [1, 1],"
        " output: [1, 1, 1]}\n"
        for i in range(100)
    )
    package = changed(PACKAGE, "[2, 2]", "[256, 256]").replace("\n", "\n  ")
    path = tmp_path / "large.yaml"
    path.write_text(
        f"kind: instance\nbatch: 1\nnetwork:\n  inputs: {{x: [1, 1, 1]}}\n  layers:\n{layers}"
        f"package:\n  {package}"
    )
    assert "100 layers, 3 options and 65536 chiplets make cost tables of" in message(path)


def test_costs_that_would_wrap_around_are_refused(tmp_path: Path) -> None:
    """A byte a second at 500 gigahertz: 5e11 cycles a byte."""
    fast = changed(PACKAGE, "clock_hz: 500000000", "clock_hz: 500000000000")
    package = changed(fast, "bandwidth: 100000000000", "bandwidth: 1")
    path = tmp_path / "slow.yaml"
    indented = package.replace("\n", "\n  ")
    path.write_text(f"kind: instance\nbatch: 1\nnetwork: vgg16\npackage:\n  {indented}")
    assert "has costs that do not fit in 64 bits" in message(path)


def test_a_clock_without_a_common_factor_with_the_bandwidths_is_no_problem(tmp_path: Path) -> None:
    package = changed(PACKAGE, "clock_hz: 500000000", "clock_hz: 1333333333")
    path = tmp_path / "prime.yaml"
    indented = package.replace("\n", "\n  ")
    path.write_text(f"kind: instance\nbatch: 1\nnetwork: vgg16\npackage:\n  {indented}")
    assert read_instance(path).tables.entry.min() >= 0


def test_only_the_first_problems_are_listed(tmp_path: Path) -> None:
    text = (
        TABLES.replace("[4, ", "[").replace("[3, ", "[").replace("[6, ", "[").replace("[8, ", "[")
    )
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    lines = message(path).splitlines()
    assert len(lines) == MAX_PROBLEMS + 1
    assert lines[0] == (
        "layers[0].working.ISP (layer 'a'): found 1 entry, expected 2, one for each region size"
    )
    assert lines[-1] == "and 3 more problems"


def test_wrong_reader_says_which_kind_it_reads(tmp_path: Path) -> None:
    path = tmp_path / "tables.yaml"
    path.write_text(TABLES)
    with pytest.raises(FileError, match="kind: found 'tables', expected network"):
        read_network(path)
    with pytest.raises(FileError, match="kind: found 'tables', expected package"):
        read_package(path)
