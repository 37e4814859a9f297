"""Window schedules in files: the documented object, results, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instances.files import FileError
from schedules.windows.files import (
    read_windows,
    windows_from_data,
    windows_to_data,
    write_windows,
)
from schedules.windows.schedule import Run, Stage, Window, WindowSchedule

SCHEDULE = WindowSchedule(
    (
        Window(
            (
                Run(0, 2, (Stage(0, 3, (0, 0)), Stage(4, 4, (1, 0)))),
                Run(1, 1, (Stage(0, 0, (1, 1)),), start=17),
            )
        ),
        Window((Run(1, 8, (Stage(1, 2, (0, 1)),)),)),
    )
)

DATA: dict[str, Any] = {
    "windows": [
        {
            "runs": [
                {
                    "model": 0,
                    "mini_batch": 2,
                    "start": 0,
                    "stages": [
                        {"first": 0, "last": 3, "chiplet": [0, 0]},
                        {"first": 4, "last": 4, "chiplet": [1, 0]},
                    ],
                },
                {
                    "model": 1,
                    "mini_batch": 1,
                    "start": 17,
                    "stages": [{"first": 0, "last": 0, "chiplet": [1, 1]}],
                },
            ]
        },
        {
            "runs": [
                {
                    "model": 1,
                    "mini_batch": 8,
                    "start": 0,
                    "stages": [{"first": 1, "last": 2, "chiplet": [0, 1]}],
                }
            ]
        },
    ]
}

_stage = st.builds(
    Stage, st.integers(0, 9), st.integers(0, 9), st.tuples(st.integers(0, 9), st.integers(0, 9))
)
_run = st.builds(
    Run,
    st.integers(0, 9),
    st.integers(1, 64),
    st.lists(_stage, max_size=3).map(tuple),
    st.integers(0, 10**12),
)
_window = st.builds(Window, st.lists(_run, max_size=3).map(tuple))
_schedules = st.builds(WindowSchedule, st.lists(_window, max_size=3).map(tuple))


def test_the_object_is_the_documented_one() -> None:
    assert windows_to_data(SCHEDULE) == DATA
    assert windows_from_data(DATA, "data") == SCHEDULE


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_schedule_reads_back_the_same(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"windows.{suffix}"
    write_windows(SCHEDULE, path)
    assert read_windows(path) == SCHEDULE


@given(_schedules)
def test_any_schedule_survives_its_data(schedule: WindowSchedule) -> None:
    assert windows_from_data(windows_to_data(schedule), "data") == schedule


def test_a_run_begins_with_its_window_by_default() -> None:
    data = json.loads(json.dumps(DATA))
    del data["windows"][0]["runs"][0]["start"]
    assert windows_from_data(data, "data") == SCHEDULE


def test_the_schedule_of_a_result_counts() -> None:
    assert windows_from_data({"stop": "optimal", "schedule": DATA}, "result") == SCHEDULE


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"stop": "infeasible", "schedule": None}, "schedule: found nothing, expected a schedule"),
        ({"kind": "schedule", "segments": []}, "kind: found 'schedule', expected windows"),
        ({"windows": [{"runs": [{"model": -1}]}]}, "windows[0].runs[0].model: found -1"),
        (
            {"windows": [{"runs": [{**DATA["windows"][1]["runs"][0], "mini_batch": 0}]}]},
            "windows[0].runs[0].mini_batch: found 0, expected at least 1",
        ),
        (
            {"windows": [{"runs": [{**DATA["windows"][1]["runs"][0], "begin": 0}]}]},
            "windows[0].runs[0]: found unknown key 'begin', expected one of model, mini_batch,",
        ),
        ({"segments": []}, "found unknown key 'segments'"),
        ([], "found a list of 0 entries, expected a mapping"),
    ],
)
def test_what_is_no_schedule_is_refused_with_its_place(data: Any, said: str) -> None:
    with pytest.raises(FileError) as caught:
        windows_from_data(data, "data")
    assert said in str(caught.value)
    assert str(caught.value).startswith("data: ")
