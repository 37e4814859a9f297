"""Schedules on an array in files.

    kind: array-schedule              # may be absent
    segments:                         # in execution order
      - first: 0                      # layers, inclusive
        last: 2
        tiling: positions             # or channels
        tiles: 56                     # of a sample
        heights: [32]                 # PE rows of each band of blocks
        widths: [3, 9, 4]             # PE columns of each column of the grid
        repeats: [2, 1]               # by default [1, 1]; cells side by side, and above each other
        express: [true, false]        # by default neither; express links along rows, along columns

The result object that `chipweave solve --array --json` prints is read too: its key `schedule`
counts. Whether a schedule may run is not checked here but by `schedules.array.verify`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from instances.files.errors import Problems
from instances.files.schema import FileModel, Items, Pair, Size, validate
from instances.files.text import read_data, write_data
from schedules.array.schedule import ArraySchedule, ArraySegment, Layout
from schedules.files import found_in

Index = Annotated[int, Field(ge=0, lt=2**31)]
Sizes = Annotated[Items[Size], Field(min_length=1, max_length=2**16)]
Flags = Annotated[list[bool], Field(min_length=2, max_length=2, fail_fast=True)]


class ArraySegmentModel(FileModel):
    """One entry of `segments`."""

    first: Index
    last: Index
    tiling: Literal["positions", "channels"]
    tiles: Size
    heights: Sizes
    widths: Sizes
    repeats: Pair = Field(default=[1, 1])
    express: Flags = Field(default=[False, False])


class ArrayScheduleModel(FileModel):
    """A schedule file, or the schedule inside a result."""

    kind: Literal["array-schedule"] = "array-schedule"
    segments: Items[ArraySegmentModel]


def read_array_schedule(path: str | Path) -> ArraySchedule:
    """Read a schedule, or the schedule of a result, from YAML or JSON.

    Raises:
        FileError: the file holds no schedule on an array.
    """
    return array_schedule_from_data(read_data(path), str(path))


def write_array_schedule(schedule: ArraySchedule, path: str | Path) -> None:
    """Write a schedule file, YAML or JSON by suffix.

    Raises:
        FileError: unknown suffix, or the file system refuses.
    """
    write_data({"kind": "array-schedule", **array_schedule_to_data(schedule)}, path)


def array_schedule_to_data(schedule: ArraySchedule) -> dict[str, Any]:
    """The schedule as plain data."""
    return {
        "segments": [
            {
                "first": segment.first,
                "last": segment.last,
                "tiling": segment.tiling,
                "tiles": segment.tiles,
                "heights": list(segment.layout.heights),
                "widths": list(segment.layout.widths),
                "repeats": list(segment.layout.repeats),
                "express": list(segment.layout.express),
            }
            for segment in schedule.segments
        ]
    }


def array_schedule_from_data(data: object, source: str) -> ArraySchedule:
    """A schedule from plain data, its own or a result's; `source` stands in messages.

    Raises:
        FileError: the data hold no schedule on an array.
    """
    problems = Problems(source, data)
    own, place = found_in(data, source, kind="array-schedule", key="segments")
    model = validate(ArrayScheduleModel, own, problems, place)
    return ArraySchedule(tuple(_segment(segment) for segment in model.segments))


def _segment(model: ArraySegmentModel) -> ArraySegment:
    layout = Layout(
        tuple(model.heights),
        tuple(model.widths),
        (model.repeats[0], model.repeats[1]),
        (model.express[0], model.express[1]),
    )
    return ArraySegment(model.first, model.last, model.tiling, model.tiles, layout)
