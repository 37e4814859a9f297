"""`chipweave solve` and `verify` inside an array, and what the other options say to it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chipweave as cw
from solvers.array import ARRAY_METHODS

Run = Callable[..., tuple[int, str, str]]

ARRAY = ("--array", "4x4+2")
FAST = (*ARRAY, "--method", "enumerate")

NETWORK = """\
kind: network
name: three
inputs: {image: [4, 8, 8]}
layers:
  - {name: wide, kind: conv, channels: 16, depth: 4, positions: [8, 8], kernel: [3, 3],
     inputs: [image], output: [16, 8, 8]}
  - {name: slim, kind: conv, channels: 8, depth: 16, positions: [8, 8],
     inputs: [wide], output: [8, 8, 8]}
  - {name: last, kind: conv, channels: 8, depth: 8, positions: [8, 8], kernel: [3, 3],
     inputs: [slim], addends: [slim], output: [8, 8, 8]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "three.yaml"
    path.write_text(NETWORK)
    return path


def result(run: Run, *arguments: object) -> dict[str, Any]:
    code, out, err = run("solve", *arguments, "--json", "-")
    assert (code, err) == (0, "")
    data: dict[str, Any] = json.loads(out)
    return data


def test_the_result_says_everything(run: Run, file: Path) -> None:
    data = result(run, file, *FAST)
    best = cw.solve_array(cw.array_costs(file, "4x4+2"), "enumerate")
    assert best.evaluation is not None
    assert [data[key] for key in ("network", "array", "batch", "method", "stop")] == [
        "three",
        "4x4+2",
        1,
        "enumerate",
        "optimal",
    ]
    assert data["objective"] == data["bound"] == best.objective
    assert (data["gap"], data["unit"], data["clock_hz"]) == (0.0, "cycles", 500_000_000)
    assert data["energy"] == best.evaluation.energy
    assert data["throughput"] == 1 / best.evaluation.latency
    assert set(data["versions"]) >= {"chipweave", "numpy", "numba"}


def test_batches_methods_seeds_and_limits_are_heeded(run: Run, file: Path) -> None:
    data = result(run, file, *FAST, "--batch", 3, "--seed", 7, "--workers", 1, "--time-limit", 60)
    costs = cw.array_costs(file, "4x4+2", 3)
    assert data["objective"] == cw.solve_array(costs, "enumerate").objective
    assert [data[key] for key in ("batch", "seed", "workers", "time_limit")] == [3, 7, 1, 60]


def test_the_exact_program_is_the_method_where_none_is_named(run: Run, file: Path) -> None:
    data = result(run, file, *ARRAY)
    assert (data["method"], data["stop"]) == ("exact", "optimal")
    assert data["objective"] == result(run, file, *FAST)["objective"]


def test_the_summary_and_the_table_name_segments_and_what_limits_them(run: Run, file: Path) -> None:
    code, out, _ = run("solve", file, *FAST)
    assert code == 0
    for text in (
        "three, batch 1",
        "4x4+2: 4 x 4 PEs, express links of length 2",
        "optimal",
        "cycles (",
        "samples/s",
        "pJ (",
        "gap",
        "limited by",
    ):
        assert text in out
    costs = cw.array_costs(file, "4x4+2")
    found = cw.solve_array(costs, "enumerate").evaluation
    assert found is not None
    names = [layer.name for layer in costs.network.layers]
    for k, own in enumerate(found.segments):
        (row,) = (
            line
            for line in out.splitlines()
            if re.match(rf"  {k} +{names[own.segment.first]}", line)
        )
        for text in (own.segment.organisation, f"{own.beat.cycles:,}", f"{own.cycles:,}"):
            assert text in row
        assert f"{own.cycles / found.latency:.2%}" in row
    (row,) = (line for line in out.splitlines() if "limited by" in line)
    assert "PEs a layer" in row


def test_a_pipelined_segment_says_its_tiles_blocks_and_cells(
    run: Run, file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "schedule.yaml"
    layouts = [
        {"first": 0, "last": 1, "tiling": "positions", "tiles": 8, "heights": [4],
         "widths": [1, 1], "repeats": [2, 1]},
        {"first": 2, "last": 2, "tiling": "positions", "tiles": 1, "heights": [4], "widths": [4]},
    ]  # fmt: skip
    path.write_text(json.dumps({"segments": layouts}))
    code, out, _ = run("verify", file, path, *ARRAY)
    assert code == 0
    (row,) = (line for line in out.splitlines() if "striped" in line)
    for text in ("wide to slim", "8 by positions", "(4 4) x 2", "compute of wide"):
        assert text in row
    assert "the schedule may run: no constraint is broken" in out


def test_files_are_written_and_verify_reads_both(run: Run, file: Path, tmp_path: Path) -> None:
    out, plot, data = (tmp_path / name for name in ("schedule.yaml", "array.png", "run.json"))
    code, text, _ = run("solve", file, *FAST, "--out", out, "--plot", plot, "--json", data)
    assert code == 0
    assert "optimal" in text
    assert plot.read_bytes().startswith(b"\x89PNG")
    stored = json.loads(data.read_text())
    for schedule in (out, data):
        code, text, _ = run("verify", file, schedule, *ARRAY, "--json", "-")
        assert code == 0
        costs = json.loads(text)
        assert costs["violations"] == []
        for key in ("objective", "throughput", "energy"):
            assert costs[key] == stored[key]
    code, text, _ = run("verify", file, out, "--array", "4x3")
    assert code == 1
    assert "segment 0: a layer by itself has the whole array" in text
    code, text, _ = run("verify", file, out, "--array", "4x3", "--json", "-")
    assert code == 1
    assert json.loads(text)["latency"] is None


def test_an_array_may_be_a_file(run: Run, file: Path, tmp_path: Path) -> None:
    array = tmp_path / "array.yaml"
    cw.write_array(cw.array("4x4+2"), array)
    named, read = (result(run, file, "--array", own, *FAST[2:]) for own in ("4x4+2", array))
    assert named["schedule"] == read["schedule"]
    assert read["array"] == "4x4+2"


def test_a_network_with_a_sequence_length_takes_it(run: Run) -> None:
    arguments = ("gpt-stack-1", "--array", "2x2", "--method", "enumerate", "--sequence", 4)
    assert result(run, *arguments)["network"].startswith("gpt-stack-1")


def test_out_of_time_is_exit_4_and_says_so(run: Run, file: Path) -> None:
    code, out, _ = run("solve", file, *FAST, "--time-limit", "1e-9")
    assert code == 4
    assert "enumerate ended (time-limit) before it had a schedule; there always is one" in out


def test_a_model_begins_from_a_start(run: Run, file: Path, tmp_path: Path) -> None:
    start = tmp_path / "start.yaml"
    assert run("solve", file, *ARRAY, "--method", "unpipelined", "--out", start)[0] == 0
    first = result(run, file, *ARRAY, "--method", "unpipelined")["objective"]
    found = result(run, file, *ARRAY, "--method", "cpsat", "--start", start)
    assert found["trace"][0][1] == first
    assert found["objective"] == result(run, file, *FAST)["objective"]


def test_a_start_is_read_and_checked(run: Run, file: Path, tmp_path: Path) -> None:
    start = tmp_path / "start.yaml"
    assert run("solve", file, *FAST, "--out", start)[0] == 0
    models = ("--method", "cpsat", "--start", start)
    code, _, err = run("solve", file, "--array", "4x3", *models)
    assert code == 2
    assert f"--start {start}: the schedule may not run: segment 0: " in err
    code, _, err = run("solve", file, *ARRAY, "--method", "cpsat", "--start", file)
    assert code == 2
    assert f"--start {file}: " in err
    code, _, err = run("solve", file, *FAST, "--start", start)
    assert code == 2
    assert "method enumerate has no models: engine and start are for cpsat and milp" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--package", "simba-4x4"), "--array and --package exclude each other"),
        (("--models", "alexnet:1"), "--models: not with --array, which is for one network"),
        (("--windows", "2", "--share"), "--windows, --share: not with --array"),
        (("--max-segments", "3"), "--max-segments: not with --array"),
        (("--pin", "wide:segment"), "--pin: not with --array"),
        (("--formulation", "segment"), "--formulation: not with --array"),
        (("--steps", "segments=one"), "--steps: not with --array"),
        (("--log", "run.log"), "--log: not with --array"),
        (("--no-start",), "--no-start: not with --array"),
        (("--gap-limit", "1%"), "--gap-limit: not with --array"),
        (("--memory-limit", "9"), "--memory-limit: not with --array"),
        (("--objective", "energy"), "--objective energy: with --array, latency is what is"),
        (("--method", "scope"), "unknown method 'scope' inside an array. Choose one of"),
        (("--method", "enumerat"), "inside an array. Did you mean enumerate? Choose one of"),
        (("--method", "zzz"), "unknown method 'zzz' inside an array. Choose one of unpipelined"),
        (
            ("--array", "4x4x2"),
            "'4x4x2' is neither an array nor a file. Did you mean 4x4+2?",
        ),
        (("--array", "16"), "'16' is neither an array nor a file. Did you mean 16x16? Arrays"),
        (("--array", "8 X 4"), "Did you mean 8x4?"),
        (("--array", "4x4+1"), "express links of length 1: expected 0 (none), or 2 to 3"),
        (("--array", "999x4"), "array 999x4: expected 1 to 256 columns and rows"),
        (("--array", "big"), "'big' is neither an array nor a file. Arrays are COLUMNSxROWS or"),
        (("--array", "eyes.yaml"), "'eyes.yaml' is neither an array nor a file. Arrays are"),
        (("--batch", "0"), "batch 0: expected at least 1"),
        (("--batch", "99999999999"), "batch 99999999999 is more than"),
        (("--sequence", "4"), "a sequence length is for built-in networks, not for files"),
        (("--plot", "picture.gif"), "--plot picture.gif: a picture's name ends in .png or .svg"),
        (("--engine", "highs"), "method enumerate has no models: engine and start are for"),
    ],
)
def test_what_does_not_belong_is_refused_with_a_sentence(
    options: tuple[str, ...], said: str, run: Run, file: Path
) -> None:
    code, out, err = run("solve", file, *FAST, *options)
    assert (code, out) == (2, "")
    assert said in err


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (("alexnt",), "'alexnt' is neither a built-in network nor a file. Did you mean alexnet"),
        ((), "Missing argument 'WHAT': name a network or a network file"),
        (("model.onnx",), "'model.onnx' is neither a built-in network nor a file"),
    ],
)
def test_an_unknown_network_is_refused(what: tuple[str, ...], said: str, run: Run) -> None:
    code, _, err = run("solve", *what, *FAST)
    assert code == 2
    assert said in err


def test_a_file_that_holds_no_network_is_refused(run: Run, tiny: Path) -> None:
    code, _, err = run("solve", tiny, *FAST)
    assert code == 2
    assert f"{tiny}: kind: found 'tables', expected network" in err


def test_what_is_read_is_not_overwritten(run: Run, file: Path, tmp_path: Path) -> None:
    array = tmp_path / "array.yaml"
    cw.write_array(cw.array("4x4"), array)
    code, _, err = run("solve", file, "--array", array, "--out", array)
    assert code == 2
    assert "would overwrite what is read" in err


def test_verify_refuses_what_solve_refuses(run: Run, file: Path, tmp_path: Path) -> None:
    start = tmp_path / "start.yaml"
    assert run("solve", file, *FAST, "--out", start)[0] == 0
    for options in (("--package", "simba-4x4"), ("--max-segments", "3"), ("--units", "layer")):
        code, _, err = run("verify", file, start, *ARRAY, *options)
        assert code == 2
        assert options[0] in err
    code, _, err = run("verify", file, tmp_path / "none.yaml", *ARRAY)
    assert code == 2
    assert "no such file" in err


def test_the_methods_inside_an_array_are_listed(run: Run) -> None:
    code, out, _ = run("methods")
    assert code == 0
    listed = out.split("inside an array (--array)")[1]
    for name, method in ARRAY_METHODS.items():
        assert re.search(rf"^ +{re.escape(name)} +{re.escape(method.about)}", listed, re.M)
