"""The report of a store: what the page holds, how large it is, and its pictures."""

import base64
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from experiments.cases import Case, run
from experiments.report import Report, write_report
from experiments.store import Record, Store, Task
from schedules.evaluate import evaluate
from schedules.files import schedule_from_data
from schedules.goal import Goal
from schedules.place import snake, with_places
from solvers.solve import solve

pytest.importorskip("plotly", reason="plotly is not installed")

CASE = Case("alexnet", "datacentre-2x2", 16)
METHODS = ("sequential", "segmented", "scope", "exact")


def task(method: str = "exact", **changes: Any) -> Task:
    facts = {
        "content": "c0ffee",
        "batch": CASE.batch,
        "version": "1",
        "options": {"seed": 0},
        "network": CASE.network,
        "package": CASE.package,
    }
    return Task(method=method, **{**facts, **changes})


@pytest.fixture(scope="module")
def records() -> dict[str, Record]:
    """A run of each method on one instance."""
    instance = CASE.instance()
    return {method: run(task(method), instance) for method in METHODS}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "runs.db") as opened:
        yield opened


def part(report: Report, name: str) -> Any:
    """What stands in one of the page's data elements."""
    html = report.page.read_text("utf-8")
    (found,) = re.findall(rf'<script type="application/json" id="{name}">(.*?)</script>', html)
    return json.loads(found)


def sheet(report: Report, number: int = 0) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(part(report, "sheets")[number])))


def cell(data: Any, row: int, name: str) -> Any:
    names = [column[0] for column in data["columns"]]
    return data["rows"][row][names.index(name)]


def figure(data: Any, name: str) -> Any:
    (found,) = (each for each in data["figures"] if each["name"] == name)
    return found


def add(store: Store, records: dict[str, Record]) -> None:
    for record in records.values():
        store.add(record)


# The table


def test_a_row_says_what_the_run_found_beside_the_best_known(
    store: Store, records: dict[str, Record], tmp_path: Path
) -> None:
    add(store, records)
    data = part(write_report(store, tmp_path / "out"), "data")
    best = records["exact"].objective
    assert best is not None
    for row, (method, record) in enumerate(records.items()):
        assert record.objective is not None
        assert cell(data, row, "method") == method
        assert cell(data, row, "objective") == record.objective
        assert cell(data, row, "ratio") == pytest.approx(record.objective / best, rel=1e-5)
        assert cell(data, row, "gap") == pytest.approx(
            100 * (record.objective - best) / record.objective, rel=1e-5
        ), "against the bound that exact has proved"
    assert cell(data, 0, "layers") == 8
    assert cell(data, 0, "chiplets") == 4
    assert cell(data, 3, "rate") == pytest.approx(16 / best * 5e8, rel=1e-5)
    assert ["objective", "objective (cycles)", "whole"] in data["columns"]


def test_runs_with_another_goal_are_not_compared(
    store: Store, records: dict[str, Record], tmp_path: Path
) -> None:
    add(store, records)
    least = solve(CASE.instance(), "exact", goal=Goal(objective="energy")).to_data()
    store.add(Record(task(options={"goal": {"objective": "energy"}}), least))
    data = part(write_report(store, tmp_path / "out"), "data")
    assert [cell(data, row, "goal") for row in (3, 4)] == ["latency", "energy"]
    assert [cell(data, row, "ratio") for row in (3, 4)] == [1.0, 1.0]
    assert [cell(data, row, "unit") for row in (3, 4)] == ["cycles", "pJ"]


def test_options_that_make_another_method_are_part_of_its_name(
    store: Store, records: dict[str, Record], tmp_path: Path
) -> None:
    options = {"formulation": "segment", "seed": 3, "time_limit": 60}
    store.add(replace(records["exact"], task=task("cpsat", options=options)))
    data = part(write_report(store, tmp_path / "out"), "data")
    assert cell(data, 0, "method") == "cpsat, segment"
    assert cell(data, 0, "settings") == "seed 3, time limit 60"


def test_a_run_that_failed_is_a_row_with_its_error(store: Store, tmp_path: Path) -> None:
    store.add(Record(task(), None, "no memory </script><b>left"))
    report = write_report(store, tmp_path / "out")
    data = part(report, "data")
    assert cell(data, 0, "stop") == "failed"
    assert cell(data, 0, "error") == "no memory </script><b>left"
    assert data["places"] == [None]
    assert data["why"]["0"].startswith("the run failed: no memory")
    assert (report.runs, report.schedules, report.pictures) == (1, 0, ())
    assert "1 run of 1 method on 1 instance, 1 failed." in report.page.read_text("utf-8")


def test_an_empty_store_has_an_empty_report(store: Store, tmp_path: Path) -> None:
    report = write_report(store, tmp_path / "out")
    assert (report.runs, report.schedules, report.pictures) == (0, 0, ())
    data = part(report, "data")
    assert data["rows"] == []
    assert not any(each["panels"] for each in data["figures"])
    assert all(each["missing"] for each in data["figures"])


# The viewer


def test_the_viewer_has_the_costs_and_regions_of_the_evaluator(
    store: Store, records: dict[str, Record], tmp_path: Path
) -> None:
    add(store, records)
    report = write_report(store, tmp_path / "out")
    assert report.schedules == len(METHODS)
    held, instance = sheet(report), CASE.instance()
    assert (held["mesh"], held["batch"], held["layers"]) == ([2, 2], 16, list(instance.layers))
    for (place, row), record in zip(part(report, "data")["places"], records.values(), strict=True):
        assert place == 0
        assert record.result is not None
        schedule = schedule_from_data(record.result["schedule"], "test")
        cost = evaluate(instance, schedule)
        latency, energy, _, segments = held["schedules"][row]
        assert (latency, energy) == (cost.latency, cost.energy)
        placed = with_places(schedule, (2, 2)).segments
        for found, segment, own in zip(segments, placed, cost.segments, strict=True):
            tiled, dram, beat, time, energy, clusters = found
            assert (tiled, dram, beat) == (segment.tiled, own.dram, own.beat)
            assert (time, energy) == (own.time, own.energy)
            assert sum(cluster[5] for cluster in clusters) == own.load
            for packed, cluster, stage in zip(
                clusters, segment.clusters, own.clusters, strict=True
            ):
                first, last, chiplets, time, compute, _, memory, energy, options, runs = packed
                assert (first, last, chiplets) == (cluster.first, cluster.last, cluster.chiplets)
                assert (time, compute, memory, energy) == (
                    stage.time,
                    stage.compute,
                    stage.memory,
                    stage.energy,
                )
                assert tuple(held["options"][option] for option in options) == cluster.options
                order = snake((2, 2))
                assert held["snake"] == [y * 2 + x for x, y in order]
                places = {
                    p for a, n in zip(runs[::2], runs[1::2], strict=True) for p in range(a, a + n)
                }
                assert {order[p] for p in places} == set(cluster.tiles or ())


def test_regions_with_gaps_along_the_snake_come_back(
    store: Store, records: dict[str, Record], tmp_path: Path
) -> None:
    tiles = [[0, 0], [1, 0]]  # the first and the last of the snake through a 2 x 2 mesh
    layers = len(CASE.instance().layers)
    alone = [
        {
            "tiled": False,
            "clusters": [
                {"first": k, "last": k, "chiplets": 2, "options": ["WSP"], "tiles": tiles}
            ],
        }
        for k in range(layers)
    ]
    tiled = [
        {
            "tiled": True,
            "clusters": [{"first": k, "last": k, "chiplets": 4, "options": ["WSP"], "tiles": None}],
        }
        for k in range(layers)
    ]
    record = records["exact"]
    assert record.result is not None
    mixed = {"segments": [*alone[:1], *tiled[1:]]}
    result = {name: value for name, value in record.result.items() if name != "latency"}
    store.add(replace(record, result={**result, "schedule": mixed}))
    report = write_report(store, tmp_path / "out")
    assert report.schedules == 1, part(report, "data")["why"]
    first, *_ = sheet(report)["schedules"][0][3]
    assert first[5][0][9] == [0, 1, 3, 1]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"network": None, "package": None}, "a table instance"),
        ({"network": "no-such-network"}, "no-such-network"),
        ({"package": "no-such-package"}, "no-such-package"),
        ({"network": "resnet18"}, "does not fit the instance as it is today"),
        ({"batch": 64}, "the costs have changed since"),
    ],
)
def test_a_run_whose_schedule_cannot_be_shown_says_why(
    store: Store, records: dict[str, Record], tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    store.add(replace(records["exact"], task=task(**changes)))
    report = write_report(store, tmp_path / "out")
    data = part(report, "data")
    assert (report.runs, report.schedules) == (1, 0)
    assert why in data["why"]["0"]
    assert cell(data, 0, "objective") == records["exact"].objective


# The figures


def test_figures_show_what_the_rows_say(
    store: Store, records: dict[str, Record], tmp_path: Path
) -> None:
    add(store, records)
    report = write_report(store, tmp_path / "out")
    data = part(report, "data")
    latency = {method: record.objective or 0 for method, record in records.items()}
    (speed,) = figure(data, "throughput")["panels"]
    assert speed["title"] == "alexnet, batch 16"
    assert {series["method"]: series["y"] for series in speed["series"]} == {
        method: [pytest.approx(latency["segmented"] / latency[method], rel=1e-5)]
        for method in METHODS
    }
    (energy,) = figure(data, "energy")["panels"]
    assert {series["method"]: series["x"] for series in energy["series"]} == {
        method: ["datacentre-2x2"] for method in METHODS
    }
    (ratio,) = figure(data, "ratio")["panels"]
    assert min(y for series in ratio["series"] for y in series["y"]) == 1.0
    (time,) = figure(data, "time")["panels"]
    assert {x for series in time["series"] for x in series["x"]} == {8 * 4}
    (gap,) = figure(data, "gap")["panels"]
    assert gap["series"][-1]["y"] == [0.001], "a proved optimum is drawn at the least gap"
    for path in report.pictures:
        assert ElementTree.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert [path.stem for path in report.pictures] == [each["name"] for each in data["figures"]]


def test_runs_without_a_schedule_keep_the_profile_below_the_whole(
    store: Store, records: dict[str, Record], tmp_path: Path
) -> None:
    store.add(records["exact"])
    store.add(Record(task(content="tea"), None, "no memory"))
    data = part(write_report(store, tmp_path / "out"), "data")
    ((series,),) = (panel["series"] for panel in figure(data, "profile")["panels"])
    assert series["y"] == [50.0, 50.0]


def test_the_same_store_gives_the_same_files_and_replaces_the_old_ones(
    store: Store, records: dict[str, Record], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    add(store, records)
    write_report(store, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    write_report(store, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    with Store(tmp_path / "empty.db") as empty:
        write_report(empty, out)
    assert [path.name for path in out.iterdir()] == ["index.html"]


def test_the_page_asks_for_nothing_from_elsewhere(
    store: Store, records: dict[str, Record], tmp_path: Path
) -> None:
    add(store, records)
    html = write_report(store, tmp_path / "out").page.read_text("utf-8")
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=\"(?!data:)", html)
    assert "default-src 'none'" in html
    assert "{{" not in re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)


# Size


def test_two_thousand_runs_make_a_page_of_less_than_20_mb(store: Store, tmp_path: Path) -> None:
    case = Case("alexnet", "simba-16x16", 64)
    base = solve(case.instance(), "scope").to_data()
    del base["latency"]  # that of regions in other places is not told here
    names = {"network": case.network, "package": case.package, "batch": case.batch}
    for number in range(2000):
        result = {**base, "schedule": moved(base["schedule"], number)}
        given = task("scope", content=f"c{number % 100}", options={"seed": number}, **names)
        store.add(Record(given, result))
    report = write_report(store, tmp_path / "out")
    assert (report.runs, report.schedules) == (2000, 2000)
    assert len(part(report, "sheets")) == 100
    assert len(sheet(report)["schedules"]) == 20
    assert report.page.stat().st_size < 20e6


def moved(schedule: dict[str, Any], by: int) -> dict[str, Any]:
    """The same schedule with its regions in other places along a ring through the mesh."""
    mesh = [[x, y] for y in range(16) for x in (range(15, 0, -1) if y % 2 else range(1, 16))]
    mesh += [[0, y] for y in range(15, -1, -1)]
    segments = []
    for segment in schedule["segments"]:
        free = iter(mesh[by % len(mesh) :] + mesh[: by % len(mesh)])
        clusters = [
            {**cluster, "tiles": list(islice(free, cluster["chiplets"]))}
            for cluster in segment["clusters"]
        ]
        segments.append({**segment, "clusters": clusters})
    return {"segments": segments}
