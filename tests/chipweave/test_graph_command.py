"""`chipweave solve`, `verify` and `show` for a graph of operators, and what others say to it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chipweave as cw
from chipweave.inputs import is_graph
from solvers.graph_partition import GRAPH_METHODS

Run = Callable[..., tuple[int, str, str]]

of = pytest.mark.parametrize

GRAPH: dict[str, Any] = {
    "maxSizePerFPGA": 4096.0,
    "maxFPGAs": 2,
    "maxCPUs": 1,
    "nodes": [
        {
            "id": 10 + k,
            "name": f"op{k}",
            "supportedOnFpga": 1,
            "cpuLatency": 10 * time,
            "fpgaLatency": time,
            "isBackwardNode": 0,
            "size": 1024.0,
        }
        for k, time in enumerate((1.5, 2.25, 2.0, 1.25))
    ],
    "edges": [
        {"sourceId": 10, "destId": 11, "cost": 0.125},
        {"sourceId": 11, "destId": 12, "cost": 0.5},
        {"sourceId": 12, "destId": 13, "cost": 4.0},
    ],
}
"""A chain; cut behind 11, the second device has 2 + 1.25 + 0.5 and the first one 3.75 + 0.5."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chain.json"
    path.write_text(json.dumps(GRAPH))
    return path


@pytest.fixture
def crowded(tmp_path: Path) -> Path:
    """A graph of which a node has room nowhere."""
    path = tmp_path / "crowded.json"
    path.write_text(json.dumps({**GRAPH, "maxSizePerFPGA": 10, "maxCPUs": 0}))
    return path


def result(run: Run, *arguments: object) -> dict[str, Any]:
    code, out, err = run("solve", *arguments, "--json", "-")
    assert (code, err) == (0, "")
    data: dict[str, Any] = json.loads(out)
    return data


# Which files are graphs


@of("suffix", ["json", "yaml"])
def test_a_file_with_nodes_and_edges_is_a_graph(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"g.{suffix}"
    path.write_text(json.dumps(GRAPH))
    assert is_graph(path)
    assert is_graph(str(path))
    path.write_text('{"nodes": 3, "edges": null}')
    assert is_graph(path)


@of(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"nodes": []}',
        '["node", "edge"]',
        '"nodes edges"',
        '{"kind": "nodes", "name": "edges"}',
        '{"layers": {"nodes": 1, "edges": 2}}',
    ],
)
def test_other_texts_are_no_graphs(tmp_path: Path, text: str) -> None:
    path = tmp_path / "g.json"
    path.write_text(text)
    assert not is_graph(path)


@of(
    "text",
    [
        '{"nodes": [], "edges": [',
        '{"nodes": [], "edges": [], "nodes": []}',
        '{"nodes": ' + 5000 * "[" + '], "edges": []}',
    ],
)
def test_a_broken_graph_is_told_as_a_graph_s_file(run: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "g.json"
    path.write_text(text)
    assert is_graph(path)
    code, out, err = run("solve", path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error: {path}: ")


def test_what_is_no_text_file_is_no_graph(tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    path.write_bytes(b"nodes edges \xff\xfe")
    assert not is_graph(path)
    for other in (None, "", "resnet50", tmp_path, tmp_path / "absent.json", tmp_path / "g.txt"):
        assert not is_graph(other)


# Solve


def test_the_result_says_everything_in_the_files_unit(run: Run, file: Path) -> None:
    data = result(run, file)
    assert set(data) == {
        *("graph", "order", "method", "stop", "objective", "unit", "bound", "gap", "throughput"),
        *("schedule", "runtime_s", "trace", "counts", "engine", "seed", "workers", "time_limit"),
        "versions",
    }
    assert [data[key] for key in ("graph", "order", "method", "stop")] == [
        "chain",
        "ordered",
        "exact",
        "optimal",
    ]
    assert (data["objective"], data["bound"], data["gap"]) == (4.25, 4.25, 0.0)
    assert data["unit"] == "time of the file"
    assert data["throughput"] == 1 / 4.25
    assert data["schedule"] == {
        "devices": [
            {"kind": "accelerator", "nodes": [10, 11]},
            {"kind": "accelerator", "nodes": [12, 13]},
        ]
    }


@of("order", ["ordered", "convex", "free"])
def test_classes_of_divisions_are_heeded(run: Run, file: Path, order: str) -> None:
    data = result(run, file, "--order", order, "--workers", 1, "--seed", 5, "--time-limit", 60)
    assert (data["order"], data["stop"], data["objective"]) == (order, "optimal", 4.25)
    assert (data["workers"], data["seed"], data["time_limit"]) == (1, 5, 60)


@of("method", GRAPH_METHODS)
def test_every_method_runs_by_its_name(run: Run, file: Path, method: str) -> None:
    data = result(run, file, "--method", method, "--workers", 1)
    assert (data["method"], data["objective"]) == (method, 4.25)


def test_the_methods_of_graphs_are_listed(run: Run) -> None:
    code, out, _ = run("methods")
    assert code == 0
    rows = out.partition("for a graph of operators")[2]
    for name, method in GRAPH_METHODS.items():
        assert re.search(rf"^ *{name} .*", rows, re.M), name
        assert method.about.split()[0] in rows


def test_the_summary_and_the_table_have_a_line_for_each_device(run: Run, file: Path) -> None:
    code, out, _ = run("solve", file, "--method", "cpsat")
    assert code == 0
    for text in ("chain", "4, in 4 classes", "2 accelerators of 4 KiB, 1 CPU", "cpsat", "optimal"):
        assert text in out
    rows = {
        line.split()[0] + line.split()[1]: line.split()[2:]
        for line in out.splitlines()
        if re.match(r" *(accelerator|cpu) \d", line)
    }
    assert rows == {
        "accelerator0": ["2", "3.75", "0.5", "0", "4.25", "100.00%", "2", "KiB"],
        "accelerator1": ["2", "3.25", "0", "0.5", "3.75", "88.24%", "2", "KiB"],
    }


def test_files_are_written_and_verify_reads_both(run: Run, file: Path, tmp_path: Path) -> None:
    out, plot, data = (tmp_path / name for name in ("division.yaml", "devices.svg", "run.json"))
    assert run("solve", file, "--out", out, "--plot", plot, "--json", data)[0] == 0
    assert plot.read_bytes().startswith(b"<?xml")
    assert cw.read_partition(out) == cw.read_partition(data)
    for schedule in (out, data):
        code, text, _ = run("verify", file, schedule)
        assert code == 0
        assert "the division may run: its largest load is 4.25" in text
        code, text, _ = run("verify", file, schedule, "--json", "-")
        assert (code, json.loads(text)) == (0, {"violations": [], "objective": 4.25})


def test_a_model_begins_from_a_start(run: Run, file: Path, tmp_path: Path) -> None:
    start = tmp_path / "start.json"
    everything = {"devices": [{"kind": "accelerator", "nodes": [10, 11, 12, 13]}]}
    start.write_text(json.dumps(everything))
    data = result(run, file, "--method", "cpsat", "--start", start)
    assert data["trace"][0][1] == 7.0
    assert (data["stop"], data["objective"]) == ("optimal", 4.25)


def test_a_start_that_may_not_run_is_bad_input(run: Run, file: Path, tmp_path: Path) -> None:
    start = tmp_path / "start.json"
    start.write_text('{"devices": [{"kind": "accelerator", "nodes": [10]}]}')
    code, _, err = run("solve", file, "--method", "cpsat", "--start", start)
    assert code == 2
    assert f"--start {start}: the schedule may not run: node 11 is on no device" in err
    code, _, err = run("solve", file, "--method", "cpsat", "--start", file)
    assert code == 2
    assert f"--start {file}: " in err


def test_infeasible_is_exit_3_with_what_may_help(run: Run, crowded: Path) -> None:
    code, out, _ = run("solve", crowded)
    assert code == 3
    assert "no ordered division exists: more memory, more devices, or --order free may help" in out
    assert " bytes, and " in out
    code, out, _ = run("solve", crowded, "--order", "free")
    assert code == 3
    assert "no free division exists: more memory, more devices may help" in out
    code, out, _ = run("solve", crowded, "--json", "-")
    assert code == 3
    data = json.loads(out)
    assert (data["stop"], data["objective"], data["schedule"]) == ("infeasible", None, None)


def test_an_end_without_a_division_is_exit_4_and_no_proof(run: Run, crowded: Path) -> None:
    code, out, _ = run("solve", crowded, "--method", "split")
    assert code == 4
    assert "split ended (finished) before it had a division, which does not mean that" in out


# Bad input


@of(
    ("options", "said"),
    [
        (("--method", "dpl"), "unknown method 'dpl' for a graph of operators"),
        (("--method", "exakt"), "Did you mean exact?"),
        (("--order", "convx"), "--order: unknown 'convx'. Did you mean convex?"),
        (("--order", "convex", "--method", "ideals"), "ideals give ordered divisions"),
        (("--engine", "highs"), "method exact has no models"),
        (("--method", "milp", "--engine", "cp-sat"), "cp-sat"),
        (("--objective", "energy"), "--objective energy: for a graph of operators"),
        (("--batch", "4"), "--batch: not for a graph of operators"),
        (("--package", "simba-4x4"), "--package: not for a graph of operators"),
        (("--max-segments", "3"), "--max-segments: not for a graph of operators"),
        (("--models", "alexnet:1"), "--models: not for a graph of operators"),
        (("--time-limit", "-1"), "time_limit -1"),
    ],
)
def test_options_without_a_meaning_are_refused(
    run: Run, file: Path, options: tuple[str, ...], said: str
) -> None:
    code, out, err = run("solve", file, *options)
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())
    assert "Traceback" not in err


def test_a_broken_graph_is_bad_input_that_names_the_place(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text(json.dumps({**GRAPH, "nodes": [*GRAPH["nodes"][:3], {"id": 13}]}))
    for command in (("solve", path), ("show", path), ("verify", path, path)):
        code, _, err = run(*command)
        assert code == 2
        assert f"{path}: nodes[3].supportedOnFpga: found nothing" in err


def test_orders_are_for_graphs_alone(run: Run, tiny: Path, tmp_path: Path) -> None:
    code, _, err = run("solve", tiny, "--order", "free")
    assert code == 2
    assert "--order: only for a graph of operators" in err
    code, _, err = run("verify", tiny, tmp_path / "x.yaml", "--order", "free")
    assert code == 2
    assert "--order: only for a graph of operators" in err


@of("command", ["compare", "rank", "pareto"])
def test_other_commands_say_what_the_file_is(run: Run, file: Path, command: str) -> None:
    code, _, err = run(command, file)
    assert code == 2
    assert f"{file}: a graph of operators, not a network" in " ".join(err.split())


# Verify and show


def test_verify_names_what_is_wrong_and_ends_with_1(run: Run, file: Path, tmp_path: Path) -> None:
    path = tmp_path / "division.yaml"
    path.write_text(
        "devices:\n- {kind: accelerator, nodes: [10, 12]}\n- {kind: accelerator, nodes: [11, 13]}\n"
    )
    code, out, _ = run("verify", file, path)
    assert code == 1
    assert "devices 0, 1: edges go to and fro between them, expected an order" in out
    code, out, _ = run("verify", file, path, "--order", "convex", "--json", "-")
    assert code == 1
    data = json.loads(out)
    assert data["objective"] is None
    assert data["violations"] == [
        "device 0: the path 10 -> 11 -> 12 leaves it and comes back",
        "device 1: the path 11 -> 12 -> 13 leaves it and comes back",
    ]
    code, out, _ = run("verify", file, path, "--order", "free", "--json", "-")
    # 1.5 + 2, and the tensors of 10, 11 and 12.
    assert (code, json.loads(out)) == (0, {"violations": [], "objective": 8.125})


def test_show_says_what_a_graph_is(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    nodes = [{**node, "colorClass": 1} for node in GRAPH["nodes"][:2]]
    nodes[1]["isBackwardNode"] = True
    path.write_text(json.dumps({**GRAPH, "nodes": nodes, "edges": GRAPH["edges"][:1]}))
    code, out, _ = run("show", path)
    assert code == 0
    for text in ("small", "2, 1 of them backward, in 1 class", "1 CPU", "3.75", "2 KiB"):
        assert text in out


def test_the_python_names_are_those_of_the_commands(file: Path) -> None:
    graph = cw.read_graph(file)
    found = cw.solve_graph(graph, "exact", order="free", workers=1)
    assert found.time == 4.25
    assert found.schedule is not None
    assert cw.partition_violations(graph, found.schedule, "free") == []
    assert graph.time(cw.evaluate_partition(graph, found.schedule).objective) == 4.25
