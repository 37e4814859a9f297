"""`--compress` and `--accuracy-budget`: what is squeezed, what it loses, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]

NETWORK = """\
kind: network
name: wide
inputs: {image: [4, 16, 16]}
layers:
  - {name: a, kind: conv, channels: 256, depth: 4, positions: [16, 16], inputs: [image],
     output: [256, 16, 16]}
  - {name: b, kind: conv, channels: 4, depth: 256, positions: [16, 16], inputs: [a],
     output: [4, 16, 16]}
"""
"""A layer that makes 64 KB for one that makes 1 KB: what crosses is all that there is."""

PACKAGE = """\
kind: package
name: slow
mesh: [2, 1]
element_bytes: 1
overlap: false
chiplet:
  dataflow: weight-stationary
  array: [32, 32]
  clock_hz: 1000000000
  buffer_bytes: 100000
  mac_pj: 0.018
  buffer_read_pj_per_bit: 0.132
  buffer_write_pj_per_bit: 0.234
  leakage_w: 0.01
nop: {bandwidth: 1000000000, hop_ns: 10, pj_per_bit: 2.04}
dram: {ports: 1, bandwidth: 1000000000, latency_ns: 200, pj_per_bit: 14.8}
"""

LOSSES = "tensor,ratio,loss\na,4,0.004\na,16,0.02\n"


@pytest.fixture
def wide(tmp_path: Path) -> tuple[str | Path, ...]:
    """A network on a slow package, solved by enumeration, with a table of losses at hand."""
    for name, text in (("wide.yaml", NETWORK), ("slow.yaml", PACKAGE), ("losses.csv", LOSSES)):
        (tmp_path / name).write_text(text)
    return tmp_path / "wide.yaml", "--package", tmp_path / "slow.yaml", "--batch", "8"


def given(tmp_path: Path, budget: str) -> tuple[str | Path, ...]:
    return "--compress", tmp_path / "losses.csv", "--accuracy-budget", budget


SPLIT = ("--pin", "b:cluster")
"""What layer a makes has to cross."""

ENUMERATE = ("--method", "enumerate", *SPLIT)


@pytest.mark.parametrize(
    ("budget", "ratios", "loss"),
    [("0.003", None, 0), ("0.01", [4, 1], 0.004), ("1%", [4, 1], 0.004), ("0.02", [16, 1], 0.02)],
)
def test_the_hardest_ratio_that_the_budget_allows_is_chosen(
    run: Run,
    wide: tuple[str | Path, ...],
    tmp_path: Path,
    budget: str,
    ratios: list[int] | None,
    loss: float,
) -> None:
    code, out, _ = run("solve", *wide, *ENUMERATE, *given(tmp_path, budget), "--json", "-")
    result = json.loads(out)
    assert (code, result["stop"]) == (0, "optimal")
    assert result["schedule"].get("ratios") == ratios
    assert result["loss"] == loss
    assert result["accuracy_budget"] == (0.01 if budget == "1%" else float(budget))
    assert [own["tensor"] for own in result["compressed"]] == (["a"] if ratios else [])


def test_fewer_bytes_take_fewer_cycles(
    run: Run, wide: tuple[str | Path, ...], tmp_path: Path
) -> None:
    values = []
    for more in ((), given(tmp_path, "0.003"), given(tmp_path, "0.01"), given(tmp_path, "0.02")):
        _, out, _ = run("solve", *wide, *ENUMERATE, *more, "--json", "-")
        values.append(json.loads(out)["objective"])
    assert values[0] == values[1] > values[2] > values[3]


def test_the_report_says_what_is_compressed_how_hard_and_what_it_loses(
    run: Run, wide: tuple[str | Path, ...], tmp_path: Path
) -> None:
    _, out, _ = run("solve", *wide, *ENUMERATE, *given(tmp_path, "0.01"))
    told = " ".join(out.split())
    assert "compressed 1 tensor loss 0.004 (budget 0.01)" in told
    assert "compressed tensor made by ratio bytes code crosses loss" in told
    assert "a 0 a 4 65,536 16,384 1 0.004" in told


def test_the_report_says_that_nothing_is_compressed(
    run: Run, wide: tuple[str | Path, ...], tmp_path: Path
) -> None:
    _, out, _ = run("solve", *wide, *ENUMERATE, *given(tmp_path, "0"))
    assert "compressed nothing loss 0 (budget 0)" in " ".join(out.split())
    assert "compressed tensor" not in out


def test_a_written_schedule_is_verified_with_the_same_two_options(
    run: Run, wide: tuple[str | Path, ...], tmp_path: Path
) -> None:
    network, *where = wide
    plan = tmp_path / "plan.yaml"
    run("solve", *wide, *ENUMERATE, *given(tmp_path, "0.01"), "--out", plan)
    code, out, _ = run("verify", network, plan, *where, *given(tmp_path, "0.01"))
    assert code == 0
    assert "compressed 1 tensor loss 0.004 (budget 0.01)" in " ".join(out.split())
    assert "65,536" in out

    code, out, _ = run("verify", network, plan, *where, *given(tmp_path, "0.001"))
    assert code == 1
    assert "compression loses 0.004, 0.003 more than the budget of 0.001" in out

    code, out, _ = run("verify", network, plan, *where)
    assert code == 1
    assert "nothing says what may be compressed" in out
    assert "--compress FILE --accuracy-budget LOSS" in out


def test_verified_losses_are_in_the_data(
    run: Run, wide: tuple[str | Path, ...], tmp_path: Path
) -> None:
    network, *where = wide
    plan = tmp_path / "plan.yaml"
    run("solve", *wide, *ENUMERATE, *given(tmp_path, "0.01"), "--out", plan)
    _, out, _ = run("verify", network, plan, *where, *given(tmp_path, "0.01"), "--json", "-")
    data = json.loads(out)
    assert (data["violations"], data["loss"], data["accuracy_budget"]) == ([], 0.004, 0.01)
    assert data["compressed"] == [{"tensor": "a", "layer": 0, "ratio": 4, "loss": 0.004}]
    _, out, _ = run("verify", network, plan, *where, *given(tmp_path, "0"), "--json", "-")
    data = json.loads(out)
    assert len(data["violations"]) == 1
    assert (data["loss"], data["accuracy_budget"], data["compressed"]) == (None, 0, None)


def test_a_comparison_tells_what_each_method_loses(
    run: Run, wide: tuple[str | Path, ...], tmp_path: Path
) -> None:
    code, out, _ = run("compare", *wide, "--methods", "enumerate", *SPLIT, *given(tmp_path, "0.01"))
    assert code == 0
    assert "wide on slow, batch 8, losses of at most 0.01" in out
    (row,) = (line for line in out.splitlines() if "enumerate" in line)
    assert row.split()[-1] == "0.004"
    _, out, _ = run("compare", *wide, "--methods", "enumerate", *SPLIT)
    assert "loss" not in out


@pytest.mark.parametrize("command", ["solve", "compare"])
def test_each_of_the_two_options_needs_the_other(
    run: Run, wide: tuple[str | Path, ...], tmp_path: Path, command: str
) -> None:
    table, budget = given(tmp_path, "0.01")[:2], given(tmp_path, "0.01")[2:]
    code, _, err = run(command, *wide, *table)
    assert (code, err.count("\n")) == (2, 1)
    assert "what may the losses add up to? Give --accuracy-budget, such as 0.01" in err
    code, _, err = run(command, *wide, *budget)
    assert (code, err.count("\n")) == (2, 1)
    assert "what does compression lose? Give --compress with a table of losses" in err


@pytest.mark.parametrize("budget", ["-0.1", "much", "nan"])
def test_a_budget_that_is_no_loss_is_refused(
    run: Run, wide: tuple[str | Path, ...], tmp_path: Path, budget: str
) -> None:
    code, _, err = run("solve", *wide, *ENUMERATE, *given(tmp_path, budget))
    assert (code, err.count("\n")) == (2, 1)
    assert f"--accuracy-budget {budget}" in err


def test_a_table_instance_is_refused(run: Run, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "losses.csv").write_text(LOSSES)
    for command in ("solve", "compare"):
        code, _, err = run(command, tiny, *given(tmp_path, "0.01"))
        assert (code, err.count("\n")) == (2, 1)
        assert "tiny is a table instance, which says nothing of its tensors; give a network" in err


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (("alexnet", "--array", "4x4"), "not with --array"),
        (("--models", "alexnet:2"), "only for one network, not for several models"),
    ],
)
def test_several_models_and_arrays_know_no_compression(
    run: Run, tmp_path: Path, other: tuple[str, ...], why: str
) -> None:
    for arguments in (("solve", *other), ("verify", *other, "plan.yaml")):
        code, _, err = run(*arguments, *given(tmp_path, "0.01"))
        assert code == 2
        assert "--compress, --accuracy-budget: " in err
        assert why in err


def test_a_table_of_another_network_is_refused(
    run: Run, wide: tuple[str | Path, ...], tmp_path: Path
) -> None:
    (tmp_path / "losses.csv").write_text("tensor,ratio,loss\nconv1,2,0\n")
    code, _, err = run("solve", *wide, *given(tmp_path, "0.01"))
    assert (code, err.count("\n")) == (2, 1)
    assert "the table of losses names no tensor of wide" in err


def test_the_table_of_losses_is_not_overwritten(
    run: Run, wide: tuple[str | Path, ...], tmp_path: Path
) -> None:
    for command in ("solve", "compare"):
        table = tmp_path / "losses.csv"
        code, _, err = run(command, *wide, *given(tmp_path, "0.01"), "--json", table)
        assert code == 2
        assert "losses.csv" in err
        assert table.read_text() == LOSSES


@pytest.mark.parametrize(
    ("command", "what"), [("simulate", "the simulation"), ("place", "placement")]
)
def test_what_knows_nothing_of_coders_refuses_a_compressed_schedule(
    run: Run, wide: tuple[str | Path, ...], tmp_path: Path, command: str, what: str
) -> None:
    network, *where = wide
    plan = tmp_path / "plan.yaml"
    run("solve", *wide, *ENUMERATE, *given(tmp_path, "0.01"), "--out", plan)
    code, _, err = run(command, network, plan, *where)
    assert (code, err.count("\n")) == (2, 1)
    assert f"{what} knows nothing of encoders and decoders" in err
    assert "give a schedule without ratios" in err


# pareto


def test_the_front_of_throughput_and_loss_has_a_point_for_each_ratio(
    run: Run, wide: tuple[str | Path, ...], tmp_path: Path
) -> None:
    table = ("--compress", tmp_path / "losses.csv")
    files = ("--json", tmp_path / "f.json", "--plot", tmp_path / "f.png", "--out", tmp_path / "pts")
    code, out, _ = run("pareto", *wide, *ENUMERATE, *table, *files)
    assert (code, "optimal" in out) == (0, True)
    shown = [line.split() for line in out.splitlines() if line.split()[:1] in (["1"], ["2"], ["3"])]
    assert [(line[1], line[-1]) for line in shown] == [
        ("0", "yes"),
        ("0.004", "yes"),
        ("0.02", "yes"),
    ]
    data = json.loads((tmp_path / "f.json").read_text())
    assert [point["loss"] for point in data["points"]] == [0, 0.004, 0.02]
    assert data["goal"]["pins"]
    latencies = [point["latency"] for point in data["points"]]
    assert latencies == sorted(latencies, reverse=True)
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
    for name, budget in (("point-1", "0"), ("point-2", "0.004"), ("point-3", "0.02")):
        plan = tmp_path / "pts" / f"{name}.yaml"
        assert run("verify", wide[0], plan, *wide[1:], *given(tmp_path, budget))[0] == 0


def test_a_front_loses_no_more_than_the_budget_and_has_no_more_points_than_asked_for(
    run: Run, wide: tuple[str | Path, ...], tmp_path: Path
) -> None:
    def losses(*arguments: object) -> list[float]:
        _, out, _ = run("pareto", *wide, *ENUMERATE, *arguments, "--json", "-")
        return [point["loss"] for point in json.loads(out)["points"]]

    assert losses(*given(tmp_path, "1%")) == [0, 0.004]
    assert losses(*given(tmp_path, "0.003")) == [0]
    assert losses("--compress", tmp_path / "losses.csv", "--points", "2") == [0, 0.02]


def test_exact_finds_the_front_and_fast_methods_may_too(
    run: Run, wide: tuple[str | Path, ...], tmp_path: Path
) -> None:
    table = ("--compress", tmp_path / "losses.csv")
    _, out, _ = run("pareto", *wide, *table, "--markdown", "-")
    assert out.splitlines()[-1].endswith("| yes |")
    code, out, _ = run("pareto", *wide, *table, "--method", "sequential", "--json", "-")
    assert (code, json.loads(out)["stop"]) == (0, "finished")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--accuracy-budget", "0.01"), "what does compression lose? Give --compress"),
        (("--compress", "losses.csv", "--accuracy-budget", "nan"), "--accuracy-budget nan: is not"),
        (("--compress", "losses.csv", "--accuracy-budget", "-1"), "a loss of at least 0"),
        (("--compress", "losses.csv", "--points", "1"), "at least 2 are needed"),
        (("--compress", "losses.csv", *SPLIT), "use cpsat or milp for other goals"),
        (("--compress", "losses.csv", "--method", "decompose"), "'decompose' cannot choose"),
        (("--compress", "losses.csv", "--json", "losses.csv"), "would overwrite what is read"),
    ],
)
def test_a_front_that_cannot_be_is_refused(
    run: Run,
    wide: tuple[str | Path, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    why: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run("pareto", *wide, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert why in err


def test_a_tensors_name_in_the_table_steers_no_terminal(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "losses.csv"
    path.write_text("tensor,ratio,loss\nconv1,2,0\n\x1b[31mred,2,0\n")
    code, _, _ = run(
        *("solve", "alexnet", "--compress", path, "--accuracy-budget", 1, "--method", "scope")
    )
    assert code == 0
    assert "\x1b" not in caplog.text
    assert "red" in caplog.text
