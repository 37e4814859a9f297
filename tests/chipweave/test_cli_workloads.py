"""`chipweave solve` and `verify` on several models, and what the other commands say to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chipweave as cw
from chipweave.commands.several import FORM
from instances.files.names import MODEL
from instances.packages.mixed import MIXED_NAMES

Run = Callable[..., tuple[int, str, str]]

WORKLOAD = """\
kind: workload
name: small
package: het-2x2
models:
  - {network: gpt-stack-2, batch: 4, sequence: 16, units: layer}
  - {network: alexnet, batch: 2, units: [conv1, conv4, fc6]}
"""

MODELS = ("--models", "gpt-stack-2?sequence=16@layer:4,gpt-stack-1:2")
FAST = ("--method", "enumerate", "--windows", "2")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(WORKLOAD)
    return path


def result(run: Run, *arguments: object) -> dict[str, Any]:
    code, out, err = run("solve", *arguments, "--json", "-")
    assert (code, err) == (0, "")
    data: dict[str, Any] = json.loads(out)
    return data


def test_a_workload_file_is_solved_and_the_result_says_everything(run: Run, file: Path) -> None:
    data = result(run, file, *FAST)
    workload = cw.workload(file)
    best = cw.solve_workload(workload, "enumerate", goal=cw.WindowGoal(windows=2))
    assert best.evaluation is not None
    assert (data["workload"], data["method"], data["stop"]) == ("small", "enumerate", "optimal")
    assert data["objective"] == data["bound"] == data["latency"] == best.objective
    assert (data["gap"], data["unit"]) == (0.0, "cycles")
    assert data["energy"] == best.evaluation.energy
    assert data["edp"] == data["energy"] * data["latency"]
    assert data["throughput"] == 1 / data["period"]
    assert data["goal"] == {
        "objective": "latency",
        "windows": 2,
        "pipelined": True,
        "shared": False,
    }
    assert data["models"][1] == {
        "network": "alexnet",
        "batch": 2,
        "units": ["conv1..conv3", "conv4..conv5", "fc6..fc8"],
    }
    assert (data["package"], data["clock_hz"]) == ("het-2x2", 500_000_000)
    assert set(data["versions"]) >= {"chipweave", "numpy"}


def test_the_summary_and_the_table_name_windows_models_and_stages(run: Run, file: Path) -> None:
    code, out, _ = run("solve", file, *FAST)
    assert code == 0
    for text in ("latency, at most 2 windows", "optimal", "J s", "rounds/s", "cycles (", "gap"):
        assert text in out
    rows = [line for line in out.splitlines() if "->" in line and "stage:" not in line]
    workload = cw.workload(file)
    found = cw.solve_workload(workload, "enumerate", goal=cw.WindowGoal(windows=2))
    assert found.schedule is not None
    stages = [s for w in found.schedule.windows for r in w.runs for s in r.stages]
    assert len(rows) == len(stages)
    for row, stage in zip(rows, stages, strict=True):
        kind = "ws" if sum(stage.tile) % 2 == 0 else "os"
        assert f"-> {list(stage.tile)} ({kind})" in row


def test_models_may_be_named_on_the_command_line(run: Run) -> None:
    data = result(run, *MODELS, *FAST)
    assert [own["network"] for own in data["models"]] == ["gpt-stack-2?sequence=16", "gpt-stack-1"]
    assert [len(own["units"]) for own in data["models"]] == [2, 1]
    longer = result(run, "--models", "gpt-stack-1:1", "--sequence", 32, *FAST)
    assert longer["models"][0]["network"] == "gpt-stack-1?sequence=32"
    changed = result(run, *MODELS, *FAST, "--package", "het-2x2?nop.hop_ns=5000")
    assert changed["objective"] >= data["objective"]
    assert changed["package"] == "het-2x2?nop.hop_ns=5000"


@pytest.mark.parametrize(
    ("options", "key", "value"),
    [
        (("--objective", "energy"), "objective", "energy"),
        (("--objective", "edp"), "objective", "edp"),
        (("--objective", "throughput"), "objective", "throughput"),
        (("--no-pipelining",), "pipelined", False),
        (("--share",), "shared", True),
        (("--windows", "1"), "windows", 1),
    ],
)
def test_options_reach_the_goal(
    options: tuple[str, ...], key: str, value: object, run: Run
) -> None:
    data = result(run, *MODELS, *FAST, *options)
    assert data["goal"][key] == value
    plain = data["latency"] if data["goal"]["objective"] == "latency" else None
    assert plain is None or plain == data["objective"]


def test_five_windows_are_allowed_without_an_option(run: Run) -> None:
    data = result(run, "--models", "gpt-stack-1?sequence=4:1", "--method", "enumerate")
    assert data["goal"]["windows"] == 5


def test_files_are_written_and_verify_reads_both(run: Run, file: Path, tmp_path: Path) -> None:
    out, plot, data = (tmp_path / name for name in ("windows.yaml", "gantt.png", "run.json"))
    code, _, _ = run("solve", file, *FAST, "--out", out, "--plot", plot, "--json", data)
    assert code == 0
    assert plot.read_bytes().startswith(b"\x89PNG")
    stored = json.loads(data.read_text())
    for schedule in (out, data):
        code, text, _ = run("verify", file, schedule, "--json", "-")
        assert code == 0
        costs = json.loads(text)
        assert costs["violations"] == []
        assert [costs[key] for key in ("objective", "latency", "energy", "edp", "period")] == [
            stored[key] for key in ("objective", "latency", "energy", "edp", "period")
        ]
    code, text, _ = run("verify", file, out, "--objective", "energy")
    assert code == 0
    assert "the schedule may run: no constraint is broken" in text
    assert f"{stored['energy']:,} pJ" in text


def test_verify_takes_models_and_then_the_schedule_alone(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "windows.json"
    assert run("solve", *MODELS, *FAST, "--out", out)[0] == 0
    assert run("verify", *MODELS, out)[0] == 0
    assert run("verify", out, *MODELS)[0] == 0
    code, text, _ = run("verify", out, "--models", "gpt-stack-3?sequence=16@layer:4,gpt-stack-1:2")
    assert code == 1
    assert "model 0 (gpt-stack-3?sequence=16:4): ends after 2 units of 3" in text


def test_verify_lists_every_violation(run: Run, file: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "windows: [{runs: [{model: 0, mini_batch: 3,"
        " stages: [{first: 0, last: 1, chiplet: [2, 0]}]}]}]\n"
    )
    code, out, _ = run("verify", file, path)
    assert code == 1
    lines = out.splitlines()
    assert len(lines) == 3
    assert "mini-batch 3 does not divide the batch of 4" in lines[0]
    assert "no chiplet computes at [2, 0]" in lines[1]
    assert "model 1 (alexnet:2): ends after 0 units of 3" in lines[2]
    code, out, _ = run("verify", file, path, "--json", "-")
    data = json.loads(out)
    assert (code, len(data["violations"]), data["latency"]) == (1, 3, None)


def test_verify_holds_a_schedule_to_what_was_asked(run: Run, tmp_path: Path) -> None:
    two = ("--models", "gpt-stack-1?sequence=4:1,gpt-stack-1?sequence=8:1", "--package", "het-1x1")
    out = tmp_path / "windows.yaml"
    run("solve", *two, *FAST, "--out", out)
    assert run("verify", out, *two)[0] == 0
    code, text, _ = run("verify", out, *two, "--windows", 1)
    assert (code, text) == (1, "2 windows, expected at most 1\n")
    run("solve", *two, *FAST, "--windows", 1, "--share", "--out", out)
    assert run("verify", out, *two, "--share")[0] == 0
    assert "but chiplets are not shared" in run("verify", out, *two)[1]


def test_too_few_windows_for_all_models_are_proved_infeasible(run: Run) -> None:
    two = ("--models", "gpt-stack-1:1,gpt-stack-1:1", "--package", "het-1x1", "--method")
    code, out, _ = run("solve", *two, "enumerate", "--windows", 1)
    assert code == 3
    assert "no schedule exists of 2 models with at most 1 window of 1 chiplet:" in out
    code, out, _ = run("solve", *two, "enumerate", "--windows", 1, "--json", "-")
    data = json.loads(out)
    assert (code, data["stop"], data["objective"], data["schedule"]) == (
        3,
        "infeasible",
        None,
        None,
    )
    assert data["why"][0].startswith("no schedule exists")
    assert run("solve", *two, "enumerate", "--windows", 1, "--share")[0] == 0


def test_a_run_without_time_ends_without_a_schedule(run: Run) -> None:
    code, out, _ = run("solve", *MODELS, *FAST, "--time-limit", 0)
    assert code == 4
    assert "enumerate ended (time-limit) before it had a schedule" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("alexnet", "--models", "gpt2:8"), "WHAT 'alexnet' and --models gpt2:8 exclude each"),
        ((), "Missing argument 'WHAT': name a network or a file, or --models"),
        (("--models", "gpt2"), "'gpt2' has no batch: expected network[?sequence=N][@units]:batch"),
        (("--models", "gpt2@blocks:8"), "did you mean 'block'?"),
        (("--models", "gpt2:8", "--units", "stages"), "--units: unknown 'stages'. Did you mean st"),
        (("--models", "gpt2:8", "--batch", "3"), "--batch: each of several models has its own"),
        (
            ("--models", "gpt2:8", "--throughput-floor", "3", "--pin", "0:segment"),
            "--throughput-floor, --pin: only for one network, not for several models",
        ),
        (
            ("--models", "gpt2:8", "--formulation", "segment", "--no-start", "--gap-limit", "1%"),
            "--formulation, --gap-limit, --no-start: only for one network",
        ),
        (("--models", "gpt2:8", "--memory-limit", "9"), "--memory-limit: only for one network"),
        (("--models", "gpt2:8", "--steps", "a=b", "--log", "x"), "--steps, --log: only for one"),
        (("--models", "gpt2:8", "--method", "scope"), "unknown method 'scope' for several models"),
        (("--models", "gpt2:8", "--method", "scra"), "Did you mean scar"),
        (("--models", "gpt2:8", "--objective", "enrgy"), "Did you mean energy? Choose one of"),
        (("--models", "gpt2:8", "--windows", "0"), "0 windows: expected at least 1"),
        (("--models", "alexnet:8", "--sequence", "4"), "for networks that have one: none of the"),
        (("--models", "gpt2:8", "--package", "het-2"), "neither a built-in package nor a file"),
        (("--models", "gpt2:8", "--package", "het-2x3-side"), "neither a built-in package nor"),
        (("--models", "gpt2:8", "--package", "simba-4x4"), "overlaps communication with comp"),
        (("--models", "nothing.yaml"), "nothing.yaml: no such file"),
        (
            ("--models", "gpt2:8", *FAST, "--engine", "highs"),
            "method enumerate has no models: engine and start are for cpsat and milp",
        ),
        (("--models", "gpt2:8", "--start", "nothing.yaml"), "--start nothing.yaml: no such file"),
        (("alexnet", "--share", "--windows", "2"), "--windows, --share: only for several models"),
        (("alexnet", "--no-pipelining"), "--no-pipelining: only for several models (--models, or"),
        (("alexnet", "--units", "layer"), "--units: only for several models"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    arguments: tuple[str, ...], said: str, run: Run
) -> None:
    code, out, err = run("solve", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err


def test_a_start_that_may_not_run_is_refused(run: Run, file: Path, tmp_path: Path) -> None:
    path = tmp_path / "start.yaml"
    path.write_text("windows: [{runs: []}]\n")
    code, _, err = run("solve", file, "--method", "cpsat", "--start", path)
    assert (code, f"--start {path}: the schedule may not run: window 0 is empty" in err) == (
        2,
        True,
    )


def test_a_workload_file_says_itself_which_sequences_and_units(run: Run, file: Path) -> None:
    for option in (("--sequence", "4"), ("--units", "layer")):
        code, _, err = run("solve", file, *FAST, *option)
        assert code == 2
        assert "a workload file says itself which sequences and units" in err


def test_a_package_option_overrides_the_files(run: Run, file: Path) -> None:
    assert result(run, file, *FAST, "--package", "het-1x2")["package"] == "het-1x2"


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("solve", ()),
        ("compare", ()),
        ("pareto", ()),
        ("joint", ()),
        ("show", ()),
        ("rank", ()),
        ("export", ("--formulation", "interval", "--out", "x.lp")),
        ("verify", ("schedule.yaml",)),
        ("place", ("schedule.yaml",)),
        ("simulate", ("schedule.yaml",)),
    ],
)
def test_one_network_on_unlike_chiplets_is_a_clear_error(
    command: str,
    arguments: tuple[str, ...],
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("schedule.yaml").write_text("segments: []\n")
    code, _, err = run(command, "alexnet", *arguments, "--package", "het-2x2", "--batch", "8")
    assert code == 2
    assert "package 'het-2x2' has unlike chiplets" in err
    assert "with --models alexnet:8" in err


@pytest.mark.parametrize("command", ["compare", "pareto", "joint", "show", "rank"])
def test_other_commands_say_what_takes_a_workload(command: str, run: Run, file: Path) -> None:
    code, _, err = run(command, file)
    assert (code, err) == (
        2,
        f"error: {file}: holds several models; only `chipweave solve` and `verify` take those\n",
    )


def test_a_benchmark_on_unlike_chiplets_is_a_clear_error(run: Run, tmp_path: Path) -> None:
    store = ("--store", tmp_path / "runs.db")
    asked = (
        "--networks",
        "alexnet",
        "--packages",
        "het-2x2",
        "--methods",
        "scope",
        "--only",
        "gap",
    )
    code, _, err = run("bench", "gap", *asked, *store)
    assert (code, "package 'het-2x2' has unlike chiplets" in err) == (2, True)


def test_the_help_shows_models_as_they_are_read(run: Run) -> None:
    code, out, _ = run("solve", "--help")
    assert code == 0
    assert MODEL in "".join(out.split())
    assert FORM == MODEL


def test_packages_for_several_models_are_listed_with_their_kinds(run: Run) -> None:
    code, out, _ = run("packages")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert set(MIXED_NAMES) <= set(lines)
    assert "2 weight-stationary, 2 output-stationary" in lines["het-2x2"]
    assert "5 weight-stationary, 4 output-stationary" in lines["het-3x3-checkerboard"]
    assert "patterns are checkerboard, sides, cross, ws, os, mono-ws, mono-os" in out


def test_methods_for_several_models_are_listed(run: Run) -> None:
    code, out, _ = run("methods")
    assert code == 0
    _, several = out.split("for several models")
    for name, method in cw.WINDOW_METHODS.items():
        assert any(
            line.split()[:1] == [name] and method.about in line for line in several.splitlines()
        )


# In Python


def test_models_are_names_networks_or_jobs() -> None:
    network = cw.build_network("alexnet")
    named = cw.workload("gpt2?sequence=64:8,alexnet@layer:2")
    assert named.package == cw.load_package("het-2x2")
    listed = cw.workload([("gpt2?sequence=64", 8), ("alexnet@layer", 2)], "het-2x2")
    assert listed == named
    own = cw.job(network, 2, "layer")
    assert cw.workload([("gpt2", 8), own], sequence=64) == named
    assert cw.workload([own, ("gpt2", 8), (network, 2)], sequence=64, units="layer").jobs == (
        own,
        cw.workload("gpt2?sequence=64@layer:8").jobs[0],
        own,
    )


def test_a_workload_of_a_file_may_take_another_package(file: Path) -> None:
    package = cw.load_package("het-3x3-sides")
    for path in (file, str(file)):
        assert cw.workload(path, package).package == package
    with pytest.raises(ValueError, match="says itself which sequences and units"):
        cw.workload(file, units="layer")


def test_a_large_file_that_is_no_workload_is_not_parsed_to_find_out(tmp_path: Path) -> None:
    from chipweave.inputs import is_workload

    path = tmp_path / "tables.yaml"
    path.write_text("kind: tables\nlayers: [[[ broken")
    assert not is_workload(path)
    path.write_text("kind: instance\nname: a kind, workload is what it is not\n")
    assert not is_workload(path)
    path.write_text('{"kind": "workload"}')
    assert is_workload(path.rename(tmp_path / "a.json"))
    assert not is_workload(tmp_path / "missing.yaml")
    assert not is_workload(None)


def test_a_workload_that_is_broken_is_told_as_what_it_means_to_be(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "pair.yaml"
    path.write_text("kind: workload\nmodels: [[[ broken")
    code, _, err = run("solve", path, "--method", "scar")
    assert code == 2
    assert err.startswith(f"error: {path}: line 3, column 1: not YAML")
    path.write_text("kind: worklaod\nmodels: []")
    code, _, err = run("solve", path, "--method", "scar")
    assert code == 2
    assert "is no workload file" in err
    assert str(path) in err
