"""`chipweave simulate`, `bench simulation` and `bench contention`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
"""Arguments -> exit code, standard output, standard error."""

SCHEDULE = """\
segments:
  - clusters:
      - {first: 0, last: 3, chiplets: 9, options: [WSP, WSP, WSP, WSP]}
      - {first: 4, last: 4, chiplets: 7, options: [WSP]}
  - {tiled: true, clusters: [{first: 5, last: 5, chiplets: 16, options: [ISP]}]}
  - {tiled: true, clusters: [{first: 6, last: 6, chiplets: 16, options: [ISP]}]}
  - {tiled: true, clusters: [{first: 7, last: 7, chiplets: 16, options: [ISP]}]}
"""

ALEXNET = ("alexnet", "--package", "datacentre-4x4", "--batch", 2)


@pytest.fixture
def schedule(tmp_path: Path) -> Path:
    path = tmp_path / "schedule.yaml"
    path.write_text(SCHEDULE)
    return path


def test_a_run_is_told_beside_the_formula_and_leaves_a_trace(
    run: Run, schedule: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace.json"
    code, out, err = run("simulate", ALEXNET[0], schedule, *ALEXNET[1:], "--trace", trace)
    assert (code, err) == (0, "")
    for words in ("makespan", "latency by formula", "buffers, most", "the busiest links"):
        assert words in out
    assert len(json.loads(trace.read_text())["traceEvents"]) > 50


def test_json_has_the_whole_run_and_nothing_else_is_printed(run: Run, schedule: Path) -> None:
    arguments = (ALEXNET[0], schedule, *ALEXNET[1:])
    code, out, _ = run("simulate", *arguments, "--no-contention", "--json", "-")
    found = json.loads(out)
    assert (code, found["contention"], found["batch"]) == (0, False, 2)
    assert len(found["segments"]) == 4
    assert len(found["chiplets"]) == 16
    assert found["makespan"] == found["segments"][-1]["end"]
    with_contention = json.loads(run("simulate", *arguments, "--json", "-")[1])
    assert with_contention["makespan"] > found["makespan"]
    assert with_contention["latency"] == found["latency"]


def test_a_schedule_that_may_not_run_does_not(run: Run, schedule: Path) -> None:
    schedule.write_text(SCHEDULE.replace("chiplets: 9", "chiplets: 12"))
    code, out, err = run("simulate", ALEXNET[0], schedule, *ALEXNET[1:])
    assert (code, out) == (1, "")
    assert "segment 0 uses 19 chiplets" in err


def test_a_table_instance_is_refused_in_a_sentence(run: Run, tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "tiny-schedule.yaml"
    path.write_text(
        "segments: [{clusters: [{first: 0, last: 1, chiplets: 3, options: [WSP, WSP]}]}]"
    )
    code, _, err = run("simulate", tiny, path)
    assert code == 2
    assert "table instance" in err


def test_a_trace_does_not_overwrite_what_is_read(run: Run, schedule: Path) -> None:
    code, _, err = run("simulate", *ALEXNET[:1], schedule, *ALEXNET[1:], "--trace", schedule)
    assert code == 2
    assert "would overwrite" in err
    assert schedule.read_text() == SCHEDULE


SMALL = ("--networks", "alexnet,resnet18", "--packages", "datacentre-2x2", "--batch", "16")


def test_the_formula_is_within_its_bar_of_the_runs(run: Run) -> None:
    code, out, _ = run("bench", "simulation", *SMALL, "--json", "-")
    found = json.loads(out)
    assert code == 0
    assert [own["network"] for own in found["runs"]] == ["alexnet", "resnet18"]
    assert all(own["makespan"] >= own["floor"] for own in found["runs"])
    assert [measure["holds"] for measure in found["measures"]] == [True] * 3
    worst = max(abs(own["difference"]) for own in found["runs"])
    assert found["measures"][0]["value"] == worst


def test_the_page_of_contention_has_a_line_a_network_and_its_command(
    run: Run, tmp_path: Path
) -> None:
    arguments = ("bench", "contention", *SMALL, "--places", "snake", "--out", tmp_path)
    assert run(*arguments)[0] == 0
    text = (tmp_path / "contention.md").read_text()
    command = "chipweave bench contention --networks alexnet,resnet18 --packages datacentre-2x2"
    assert f"{command} --batch 16 --places snake --out {tmp_path}" in text
    assert text.count("| alexnet | ") == text.count("| mean | ") == 2


def test_unknown_places_are_refused(run: Run) -> None:
    code, _, err = run("bench", "contention", *SMALL, "--places", "snail")
    assert code == 2
    assert "snail" in err
