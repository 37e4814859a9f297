"""Schedules of several models in files.

    kind: windows                   # may be absent
    windows:                        # in execution order
      - runs:                       # of different models, side by side
          - model: 0                # number of the model in the workload
            mini_batch: 2           # samples that pass together, a divisor of the batch
            start: 0                # default; cycles after the window's begin
            stages:                 # in the order of the units
              - {first: 0, last: 3, chiplet: [0, 0]}   # units, inclusive; [x, y] on the mesh

The result object that `chipweave solve --json` prints is read too: its key `schedule` counts.
Whether a schedule may run is not checked here but by `schedules.windows.verify`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from instances.files.errors import Problems
from instances.files.schema import Batch, FileModel, Items, Spot, validate
from instances.files.text import read_data, write_data
from schedules.files import found_in
from schedules.windows.schedule import Run, Stage, Window, WindowSchedule

Index = Annotated[int, Field(ge=0, lt=2**31)]
Cycles = Annotated[int, Field(ge=0, lt=2**62)]


class StageModel(FileModel):
    """One entry of `stages`."""

    first: Index
    last: Index
    chiplet: Spot


class RunModel(FileModel):
    """One entry of `runs`."""

    model: Index
    mini_batch: Batch
    start: Cycles = 0
    stages: Items[StageModel]


class WindowModel(FileModel):
    """One entry of `windows`."""

    runs: Items[RunModel]


class WindowsModel(FileModel):
    """A schedule file, or the schedule inside a result."""

    kind: Literal["windows"] = "windows"
    windows: Items[WindowModel]


def read_windows(path: str | Path) -> WindowSchedule:
    """Read a schedule, or the schedule of a result, from YAML or JSON.

    Raises:
        FileError: the file holds no schedule of several models.
    """
    return windows_from_data(read_data(path), str(path))


def write_windows(schedule: WindowSchedule, path: str | Path) -> None:
    """Write a schedule file, YAML or JSON by suffix.

    Raises:
        FileError: unknown suffix, or the file system refuses.
    """
    write_data({"kind": "windows", **windows_to_data(schedule)}, path)


def windows_to_data(schedule: WindowSchedule) -> dict[str, Any]:
    """The schedule as plain data."""
    return {
        "windows": [
            {"runs": [_run_to_data(run) for run in window.runs]} for window in schedule.windows
        ]
    }


def windows_from_data(data: object, source: str) -> WindowSchedule:
    """A schedule from plain data, its own or a result's; `source` stands in messages.

    Raises:
        FileError: the data hold no schedule of several models.
    """
    problems = Problems(source, data)
    own, place = found_in(data, source, kind="windows", key="windows")
    model = validate(WindowsModel, own, problems, place)
    return WindowSchedule(
        tuple(Window(tuple(_run(run) for run in window.runs)) for window in model.windows)
    )


def _run_to_data(run: Run) -> dict[str, Any]:
    return {
        "model": run.job,
        "mini_batch": run.mini_batch,
        "start": run.start,
        "stages": [
            {"first": stage.first, "last": stage.last, "chiplet": list(stage.tile)}
            for stage in run.stages
        ],
    }


def _run(model: RunModel) -> Run:
    stages = tuple(
        Stage(stage.first, stage.last, (stage.chiplet[0], stage.chiplet[1]))
        for stage in model.stages
    )
    return Run(model.model, model.mini_batch, stages, model.start)
