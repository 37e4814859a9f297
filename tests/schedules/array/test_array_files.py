"""Schedules on an array in files: the documented object, results, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instances.cost.array import ArrayCosts
from instances.files import FileError
from instances.files.text import write_data
from instances.generate_array import random_array_costs
from schedules.array.files import (
    array_schedule_from_data,
    array_schedule_to_data,
    read_array_schedule,
    write_array_schedule,
)
from schedules.array.schedule import ArraySchedule, ArraySegment, Layout
from solvers.array import solve_array

MakeArrayCosts = Callable[..., ArrayCosts]

SCHEDULE = ArraySchedule(
    (
        ArraySegment(0, 2, "positions", 56, Layout((32,), (3, 9, 4), (2, 1), (True, False))),
        ArraySegment(3, 3, "channels", 1, Layout((32,), (32,))),
    )
)

SEGMENT: dict[str, Any] = {
    "first": 0,
    "last": 2,
    "tiling": "positions",
    "tiles": 56,
    "heights": [32],
    "widths": [3, 9, 4],
    "repeats": [2, 1],
    "express": [True, False],
}


def test_a_schedule_is_the_documented_object() -> None:
    data = array_schedule_to_data(SCHEDULE)
    assert data["segments"][0] == SEGMENT
    assert array_schedule_from_data(data, "here") == SCHEDULE


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_schedule_reads_back_the_same(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"schedule.{suffix}"
    write_array_schedule(SCHEDULE, path)
    assert read_array_schedule(path) == SCHEDULE


@pytest.mark.parametrize("seed", range(4))
def test_the_schedule_of_a_result_is_read(seed: int, tmp_path: Path) -> None:
    result = solve_array(random_array_costs(seed, layers=4, side=3), "enumerate")
    path = tmp_path / "result.json"
    path.write_text(json.dumps(result.to_data()))
    assert read_array_schedule(path) == result.schedule


def test_repeats_and_express_links_may_be_absent() -> None:
    short = {key: value for key, value in SEGMENT.items() if key not in ("repeats", "express")}
    found = array_schedule_from_data({"segments": [short]}, "here")
    assert found.segments[0].layout == Layout((32,), (3, 9, 4), (1, 1), (False, False))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"first": -1}, "segments[0].first: found -1, expected at least 0"),
        ({"last": "2"}, "segments[0].last: found '2', expected a whole number"),
        ({"tiling": "rows"}, "segments[0].tiling: found 'rows', expected "),
        ({"tiles": 0}, "segments[0].tiles: found 0, expected at least 1"),
        ({"heights": []}, "segments[0].heights: found 0 entries, expected 1"),
        ({"widths": [3, 0]}, "segments[0].widths[1]: found 0, expected at least 1"),
        ({"widths": 3}, "segments[0].widths: found 3, expected a list"),
        ({"repeats": [2]}, "segments[0].repeats: found 1 entry, expected 2"),
        ({"repeats": [0, 1]}, "segments[0].repeats[0]: found 0, expected at least 1"),
        ({"express": [True]}, "segments[0].express: found 1 entry, expected 2"),
        ({"express": [1, 0]}, "segments[0].express[0]: found 1, expected true or false"),
        ({"width": [3]}, "segments[0]: found unknown key 'width', expected one of first, last"),
    ],
)
def test_a_wrong_segment_is_one_clear_line(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "schedule.yaml"
    write_data({"kind": "array-schedule", "segments": [{**SEGMENT, **changes}]}, path)
    with pytest.raises(FileError) as caught:
        read_array_schedule(path)
    assert str(caught.value).startswith(f"{path}: {said}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [{"kind": "windows", "windows": []}, {"segments": 3}, {"schedule": None}, {"latency": 3}],
)
def test_what_holds_no_schedule_is_refused(data: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    write_data(data, path)
    with pytest.raises(FileError, match=r"other\.json: "):
        read_array_schedule(path)


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 70)
    | st.sampled_from([2**63, 10**40, float("nan"), "", "positions", "channels"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SEGMENT]), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["kind", "segments", "schedule", "x"]), JUNK) | JUNK)
def test_whatever_a_file_holds_the_only_error_is_a_file_error(data: object) -> None:
    try:
        schedule = array_schedule_from_data(data, "junk.yaml")
    except FileError:
        pass
    else:
        assert array_schedule_from_data(array_schedule_to_data(schedule), "again") == schedule
