"""`chipweave joint` and `chipweave bench joint`."""

import json
from collections.abc import Callable
from pathlib import Path

import chipweave as cw

Run = Callable[..., tuple[int, str, str]]
"""Arguments -> exit code, standard output, standard error."""


def test_joint_prints_the_places_and_writes_a_schedule_that_verifies(
    run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "placed.yaml"
    code, text, err = run("joint", "alexnet", "--package", "datacentre-2x2", "--out", out)
    assert (code, err) == (0, "")
    assert "optimal" in text
    assert "0,0 0,1 1,0 1,1" in text
    instance = cw.instance("alexnet", "datacentre-2x2")
    schedule = cw.read_schedule(out)
    assert cw.violations(instance, schedule) == []
    assert f"{cw.placed_evaluation(instance, schedule).latency:,} cycles" in text


def test_json_tells_the_proof_and_the_cost_of_each_segment(run: Run) -> None:
    code, out, err = run("joint", "alexnet", "--package", "simba-2x2", "--json", "-")
    assert (code, err) == (0, "")
    data = json.loads(out)
    assert (data["stop"], data["gap"], data["unit"]) == ("optimal", 0, "cycles")
    assert data["objective"] == data["bound"] == sum(own["time"] for own in data["segments"])
    assert (data["network"], data["package"], data["batch"]) == ("alexnet", "simba-2x2", 64)
    tiles = [c["tiles"] for s in data["schedule"]["segments"] for c in s["clusters"]]
    assert all(tiles)


def test_a_large_mesh_is_bad_input(run: Run) -> None:
    code, out, err = run("joint", "alexnet", "--package", "simba-4x4")
    assert (code, out) == (2, "")
    assert "expected at most 12 chiplets, found 16" in err


def test_without_time_there_may_be_no_proof_but_the_bound_is_told(run: Run) -> None:
    given = ("joint", "resnet18", "--package", "simba-3x3", "--json", "-")
    code, out, _ = run(*given, "--time-limit", "0.001")
    data = json.loads(out)
    assert data["stop"] == "time-limit"
    assert code == (0 if data["schedule"] else 4)
    best = json.loads(run(*given)[1])["objective"]
    assert data["bound"] <= best
    assert data["objective"] is None or data["objective"] >= best


def test_bench_joint_writes_a_page_with_its_command(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "joint.md"
    given = ("--instances", "alexnet@simba-2x2", "--slower", "1,64")
    code, out, err = run(
        "bench", "joint", *given, "--markdown", page, "--json", tmp_path / "j.json"
    )
    assert (code, err) == (0, "")
    assert "alexnet on simba-2x2" in out
    text = page.read_text("utf-8")
    assert "chipweave bench joint --instances alexnet@simba-2x2 --slower 1,64 " in text
    rows = json.loads((tmp_path / "j.json").read_text())
    assert [row["slower"] for row in rows] == [1, 64]
    for row in rows:
        assert row["stop"] == row["second_stop"] == "optimal"
        assert row["bound"] == row["joint"] <= row["second"] <= row["by_hops"]
        assert row["loss"] == (row["second"] - row["joint"]) / row["joint"]
        assert f"{row['joint']:,}" in text
    assert rows[0]["joint"] < rows[1]["joint"]
