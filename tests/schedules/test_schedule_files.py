"""Schedules in files: the documented object, results, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instances.files import FileError
from schedules.files import read_schedule, schedule_from_data, schedule_to_data, write_schedule
from schedules.schedule import Cluster, Schedule, Segment

SCHEDULE = Schedule(
    (
        Segment((Cluster(0, 1, 2, ("WSP", "ISP"), ((0, 0), (1, 0))), Cluster(2, 2, 1, ("ISP",)))),
        Segment((Cluster(3, 3, 4, ("ISP",)),), tiled=True),
    )
)

DATA: dict[str, Any] = {
    "segments": [
        {
            "tiled": False,
            "clusters": [
                {
                    "first": 0,
                    "last": 1,
                    "chiplets": 2,
                    "options": ["WSP", "ISP"],
                    "tiles": [[0, 0], [1, 0]],
                },
                {"first": 2, "last": 2, "chiplets": 1, "options": ["ISP"], "tiles": None},
            ],
        },
        {
            "tiled": True,
            "clusters": [{"first": 3, "last": 3, "chiplets": 4, "options": ["ISP"], "tiles": None}],
        },
    ]
}

small = st.integers(0, 300)
clusters = st.builds(
    Cluster,
    small,
    small,
    small,
    st.lists(st.sampled_from(["ISP", "WSP", "NO", "a b"])).map(tuple),
    st.none() | st.lists(st.tuples(small, small)).map(tuple),
)
segments = st.builds(Segment, st.lists(clusters, max_size=3).map(tuple), st.booleans())
ratios = st.lists(st.integers(1, 64), max_size=4).map(tuple)
schedules = st.builds(Schedule, st.lists(segments, max_size=3).map(tuple), ratios)


def test_data_are_the_documented_object() -> None:
    assert schedule_to_data(SCHEDULE) == DATA
    assert json.loads(json.dumps(schedule_to_data(SCHEDULE))) == DATA


def test_schedule_with_and_without_kind_and_optional_keys() -> None:
    assert schedule_from_data(DATA, "s") == SCHEDULE
    assert schedule_from_data({"kind": "schedule", **DATA}, "s") == SCHEDULE
    brief = {"segments": [{"clusters": [{"first": 0, "last": 0, "chiplets": 1, "options": ["A"]}]}]}
    assert schedule_from_data(brief, "s") == Schedule((Segment((Cluster(0, 0, 1, ("A",)),)),))


def test_ratios_stand_beside_the_segments_and_only_where_there_are_any() -> None:
    squeezed = replace(SCHEDULE, ratios=(1, 4, 2, 1))
    assert schedule_to_data(squeezed) == {**DATA, "ratios": [1, 4, 2, 1]}
    assert schedule_from_data({**DATA, "ratios": [1, 4, 2, 1]}, "s") == squeezed
    assert schedule_from_data({**DATA, "ratios": None}, "s") == SCHEDULE


def test_schedule_of_a_result_is_read(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    result = {"method": "exact", "stop": "optimal", "objective": 3, "schedule": DATA}
    path.write_text(json.dumps(result))
    assert read_schedule(path) == SCHEDULE


def test_result_without_schedule_says_why_it_ended() -> None:
    with pytest.raises(FileError) as caught:
        schedule_from_data({"stop": "infeasible", "schedule": None}, "r.json")
    assert str(caught.value) == (
        "r.json: schedule: found nothing, expected a schedule (the run ended with stop"
        " 'infeasible')"
    )


@pytest.mark.parametrize("name", ["s.yaml", "s.json"])
def test_written_schedule_comes_back(tmp_path: Path, name: str) -> None:
    write_schedule(SCHEDULE, tmp_path / name)
    assert read_schedule(tmp_path / name) == SCHEDULE


@given(schedules)
def test_any_schedule_survives(schedule: Schedule) -> None:
    assert schedule_from_data(schedule_to_data(schedule), "s") == schedule


def cluster(**changes: object) -> dict[str, object]:
    data = {"first": 0, "last": 0, "chiplets": 1, "options": ["ISP"], **changes}
    return {"segments": [{"clusters": [{k: v for k, v in data.items() if v is not ...}]}]}


BROKEN = {
    "empty": ({}, "segments: found nothing, expected a value for this key"),
    "list": ([], "found a list of 0 entries, expected a mapping"),
    "kind": ({"kind": "tables", **DATA}, "kind: found 'tables', expected schedule"),
    "other file": ({"kind": "tables", "batch": 1}, "kind: found 'tables', expected schedule"),
    "segments": ({"segments": {}}, "segments: found a mapping, expected a list"),
    "unknown key": (
        {"segment": []},
        "unknown key 'segment', expected one of kind, segments, ratios",
    ),
    "negative": (cluster(first=-1), "segments[0].clusters[0].first: found -1, expected at least 0"),
    "fraction": (cluster(chiplets=1.5), "clusters[0].chiplets: found 1.5, expected a whole number"),
    "bool": (cluster(chiplets=True), "clusters[0].chiplets: found true, expected a whole number"),
    "huge": (cluster(last=10**30), "clusters[0].last: found 1000"),
    "option": (cluster(options=[1]), "clusters[0].options[0]: found 1, expected text"),
    "no options": (cluster(options=...), "clusters[0].options: found nothing"),
    "tile": (cluster(tiles=[[0, 0, 0]]), "clusters[0].tiles[0]: found 3 entries, expected 2"),
    "ratio 0": ({**DATA, "ratios": [1, 0]}, "ratios[1]: found 0, expected at least 1"),
    "half": ({**DATA, "ratios": [2.5]}, "ratios[0]: found 2.5, expected a whole number"),
    "no list": ({**DATA, "ratios": 4}, "ratios: found 4, expected a list"),
    "in a result": ({"schedule": {"segments": [5]}}, "schedule.segments[0]: found 5, expected a m"),
}


@pytest.mark.parametrize(("data", "expected"), BROKEN.values(), ids=BROKEN)
def test_broken_schedule_is_one_clear_line(data: object, expected: str) -> None:
    with pytest.raises(FileError) as caught:
        schedule_from_data(data, "s.json")
    assert str(caught.value).startswith("s.json: ")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
