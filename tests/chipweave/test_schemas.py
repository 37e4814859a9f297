"""JSON Schemas of the file formats: current, and as strict as the readers where they can be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import chipweave as cw
from chipweave.schemas import KINDS, WITHOUT_KIND
from instances.files.graph_file import graph_to_data
from instances.files.text import read_data

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "schemas"

Run = Callable[..., tuple[int, str, str]]


def validator(kind: str) -> Any:
    return jsonschema.Draft202012Validator(cw.file_schema(kind))


def accepts(kind: str, data: object) -> bool:
    return bool(validator(kind).is_valid(data))


def examples() -> dict[str, str]:
    """The example files of the documentation, by name."""
    found = {}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        for text in re.findall(r"^```yaml\n(.*?)^```$", path.read_text("utf-8"), re.M | re.S):
            name = re.match(r"# (\S+\.yaml)\n", text)
            if name and "\nkind: " in text:
                found[name[1]] = text
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("examples")
    data: dict[str, Any] = {}
    for name, text in examples().items():
        (folder / name).write_text(text)
        data[name] = read_data(folder / name)
    return data


@pytest.mark.parametrize("kind", KINDS)
def test_the_committed_schema_is_the_one_that_the_readers_make(kind: str) -> None:
    shown = json.loads((FOLDER / f"{kind}.json").read_text("utf-8"))
    assert shown == cw.file_schema(kind), f"chipweave schema {kind} --out docs/schemas/{kind}.json"
    jsonschema.Draft202012Validator.check_schema(shown)


def test_there_is_a_committed_schema_for_each_kind_and_no_other() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(KINDS)


def test_every_example_file_of_the_documentation_fits_its_schema(files: dict[str, Any]) -> None:
    assert {data["kind"] for data in files.values()} == set(KINDS) - set(WITHOUT_KIND)
    for name, data in files.items():
        errors = [error.message for error in validator(data["kind"]).iter_errors(data)]
        assert errors == [], name


@pytest.mark.parametrize(
    ("folder", "kind"), [("instances/packages", "package"), ("experiments/files", "experiment")]
)
def test_every_file_that_comes_with_chipweave_fits_its_schema(folder: str, kind: str) -> None:
    found = sorted((ROOT / folder).glob("*.yaml"))
    assert len(found) >= 7
    for path in found:
        assert accepts(kind, read_data(path)), path


def test_what_is_written_fits_the_schema(tmp_path: Path) -> None:
    instance = cw.instance("alexnet", "simba-4x4", batch=2)
    assert instance.network is not None
    schedule = cw.solve(instance, "sequential").schedule
    assert schedule is not None
    writes: dict[str, Callable[[Path], None]] = {
        "network": lambda path: cw.write_network(cw.build_network("unet"), path),
        "package": lambda path: cw.write_package(cw.load_package("het-2x2"), path),
        "instance": lambda path: cw.write_instance(instance, path),
        "tables": lambda path: cw.write_tables(cw.random_instance(3), path),
        "workload": lambda path: cw.write_workload(cw.workload("alexnet:2,gpt2:1"), path),
        "array": lambda path: cw.write_array(cw.array("8x8"), path),
        "schedule": lambda path: cw.write_schedule(schedule, path),
    }
    for kind, write in writes.items():
        write(tmp_path / f"{kind}.json")
        assert accepts(kind, read_data(tmp_path / f"{kind}.json")), kind


READERS: dict[str, Callable[[Path], object]] = {
    "network": cw.read_network,
    "package": cw.read_package,
    "tables": cw.read_instance,
    "workload": cw.read_workload,
    "array": cw.read_array,
    "experiment": cw.read_experiment,
    "schedule": cw.read_schedule,
}

MISTAKES: list[tuple[str, str, Callable[[Any], object]]] = [
    ("residual-net.yaml", "a key is spelt wrong", lambda d: d["layers"][0].update(chanels=1)),
    ("residual-net.yaml", "text for a number", lambda d: d["layers"][0].update(channels="16")),
    ("residual-net.yaml", "a kind of layer that there is not", lambda d: d["layers"][0].update(
        kind="convolution"
    )),
    ("residual-net.yaml", "a shape of two", lambda d: d["inputs"].update(image=[3, 32])),
    ("residual-net.yaml", "no output at all", lambda d: d["layers"][0].pop("output")),
    ("residual-net.yaml", "another kind of file", lambda d: d.update(kind="package")),
    ("residual-net.yaml", "no kind", lambda d: d.pop("kind")),
    ("four-dies.yaml", "a key is missing", lambda d: d["chiplet"].pop("clock_hz")),
    ("four-dies.yaml", "a negative latency", lambda d: d["nop"].update(hop_ns=-1)),
    ("four-dies.yaml", "a fraction of a byte", lambda d: d["chiplet"].update(buffer_bytes=0.5)),
    ("tiny.yaml", "a negative time", lambda d: d["io"][0].__setitem__(0, -1)),
    ("tiny.yaml", "no layers", lambda d: d.pop("layers")),
    ("tiny-schedule.yaml", "clusters under another key", lambda d: d["segments"][0].update(
        stages=[]
    )),
    ("small.yaml", "no methods", lambda d: d.update(methods=[])),
    ("small.yaml", "a time limit of 0", lambda d: d.update(time_limits=[0])),
    ("small.yaml", "an objective that there is not", lambda d: d.update(objective="speed")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "mistake", "make"), MISTAKES, ids=[m[1] for m in MISTAKES])
def test_the_schema_rejects_a_typical_mistake_as_the_reader_does(
    name: str,
    mistake: str,
    make: Callable[[Any], object],
    files: dict[str, Any],
    tmp_path: Path,
) -> None:
    data = json.loads(json.dumps(files[name]))
    kind = data["kind"]
    assert accepts(kind, data)
    make(data)
    assert not accepts(kind, data)
    (tmp_path / "wrong.json").write_text(json.dumps(data))
    with pytest.raises(cw.FileError):
        READERS[kind](tmp_path / "wrong.json")


def test_what_is_named_may_also_be_written_out() -> None:
    package = json.loads((FOLDER / "package.json").read_text("utf-8"))
    assert package["properties"]["mesh"]["description"] == "columns, rows of chiplets"
    run = {"kind": "instance", "network": "resnet18", "package": "simba-4x4", "batch": 4}
    assert accepts("instance", run)
    assert accepts("experiment", {"kind": "experiment", "networks": "all", "packages": "all",
                                  "methods": ["scope", {"method": "exact"}]})  # fmt: skip
    assert not accepts("instance", {**run, "network": {"layers": []}})
    assert not accepts("instance", {**run, "network": 18})


def test_every_key_that_a_person_writes_is_explained() -> None:
    for kind, part, keys in (
        ("network", "LayerModel", ("channels", "depth", "positions", "addends", "output")),
        ("workload", "ModelSchema", ("network", "sequence", "units")),
        ("instance", "PackageModel", ("mesh", "overlap", "faults")),
        ("tables", "TableLayer", ("load", "resident", "working", "entry", "exit", "step")),
    ):
        shown = cw.file_schema(kind)["$defs"][part]["properties"]
        assert all(shown[key].get("description") for key in keys), (kind, part)


def test_the_command_prints_schemas_and_lists_their_kinds(run: Run, tmp_path: Path) -> None:
    assert run("schema") == (0, "\n".join(KINDS) + "\n", "")
    code, out, _ = run("schema", "network")
    assert (code, json.loads(out)) == (0, cw.file_schema("network"))
    assert run("schema", "array", "--out", tmp_path / "a.json")[:2] == (0, "")
    assert json.loads((tmp_path / "a.json").read_text()) == cw.file_schema("array")
    code, out, err = run("schema", "netwrok")
    assert (code, out) == (2, "")
    assert "Did you mean network?" in err


def test_graphs_fit_their_schema_and_typical_mistakes_do_not() -> None:
    graph = json.loads(json.dumps(graph_to_data(cw.random_graph(3))))
    assert accepts("graph", graph)
    assert accepts("graph", {**graph, "debug": 1})
    for key, wrong in (("supportedOnFpga", "yes"), ("cpuLatency", -1), ("id", "a"), ("size", None)):
        nodes = [{**graph["nodes"][0], key: wrong}, *graph["nodes"][1:]]
        assert not accepts("graph", {**graph, "nodes": nodes}), key
    assert not accepts("graph", {key: graph[key] for key in graph if key != "maxCPUs"})
