"""Schedules in files.

    kind: schedule                  # may be absent
    segments:                       # in execution order
      - tiled: false                # default; one layer on the whole package in weight tiles
        clusters:                   # in layer order
          - first: 0                # layers, inclusive
            last: 1
            chiplets: 4
            options: [ISP, WSP]     # of each layer
            tiles: [[0, 0], [1, 0], [0, 1], [1, 1]]   # [x, y] on the mesh; null (default): none
    ratios: [4, 1]                  # of each layer's output where it crosses; absent: all 1

The result object that `chipweave solve --json` prints is read too: its key `schedule` counts.
Whether a schedule may run on an instance is not checked here but by `schedules.verify`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from instances.files.errors import Place, Problems, fail
from instances.files.schema import FileModel, Items, Names, validate
from instances.files.text import kind_of, read_data, write_data
from schedules.schedule import Cluster, Schedule, Segment

Index = Annotated[int, Field(ge=0, lt=2**31)]
Ratio = Annotated[int, Field(ge=1, lt=2**31)]
Tile = Annotated[list[Index], Field(min_length=2, max_length=2, fail_fast=True)]


class ClusterModel(FileModel):
    """One entry of `clusters`."""

    first: Index
    last: Index
    chiplets: Index
    options: Names
    tiles: Items[Tile] | None = None


class SegmentModel(FileModel):
    """One entry of `segments`."""

    tiled: bool = False
    clusters: Items[ClusterModel]


class ScheduleModel(FileModel):
    """A schedule file, or the schedule inside a result."""

    kind: Literal["schedule"] = "schedule"
    segments: Items[SegmentModel]
    ratios: Items[Ratio] | None = None


def read_schedule(path: str | Path) -> Schedule:
    """Read a schedule, or the schedule of a result, from YAML or JSON.

    Raises:
        FileError: the file holds no schedule.
    """
    return schedule_from_data(read_data(path), str(path))


def write_schedule(schedule: Schedule, path: str | Path) -> None:
    """Write a schedule file, YAML or JSON by suffix.

    Raises:
        FileError: unknown suffix, or the file system refuses.
    """
    write_data({"kind": "schedule", **schedule_to_data(schedule)}, path)


def schedule_to_data(schedule: Schedule) -> dict[str, Any]:
    """The schedule as plain data."""
    segments = [
        {
            "tiled": segment.tiled,
            "clusters": [_cluster_to_data(cluster) for cluster in segment.clusters],
        }
        for segment in schedule.segments
    ]
    return {"segments": segments, **({"ratios": list(schedule.ratios)} if schedule.ratios else {})}


def schedule_from_data(data: object, source: str) -> Schedule:
    """A schedule from plain data, its own or a result's; `source` stands in messages.

    Raises:
        FileError: the data hold no schedule.
    """
    problems = Problems(source, data)
    own, place = found_in(data, source, kind="schedule", key="segments")
    model = validate(ScheduleModel, own, problems, place)
    segments = tuple(_segment(segment) for segment in model.segments)
    return Schedule(segments, tuple(model.ratios or ()))


def found_in(data: object, source: str, *, kind: str, key: str) -> tuple[object, Place]:
    """The schedule's own data in those of a file, which may be a result, and where they stand.

    Args:
        data: of the whole file.
        source: stands in messages.
        kind: of a schedule's file.
        key: that a schedule has and a result has not.

    Raises:
        FileError: a file of another kind, or a result without a schedule.
    """
    if isinstance(data, dict) and "kind" in data:
        kind_of(data, source, (kind,))
    if not isinstance(data, dict) or "schedule" not in data or key in data:
        return data, ()
    place: Place = ("schedule",)
    if data["schedule"] is None:
        stop = data.get("stop")
        reason = f" (the run ended with stop {stop!r})" if isinstance(stop, str) else ""
        fail(source, f"found nothing, expected a schedule{reason}", place)
    return data["schedule"], place


def _cluster_to_data(cluster: Cluster) -> dict[str, Any]:
    return {
        "first": cluster.first,
        "last": cluster.last,
        "chiplets": cluster.chiplets,
        "options": list(cluster.options),
        "tiles": None if cluster.tiles is None else [list(tile) for tile in cluster.tiles],
    }


def _segment(model: SegmentModel) -> Segment:
    return Segment(tuple(_cluster(cluster) for cluster in model.clusters), model.tiled)


def _cluster(model: ClusterModel) -> Cluster:
    return Cluster(
        first=model.first,
        last=model.last,
        chiplets=model.chiplets,
        options=tuple(model.options),
        tiles=None if model.tiles is None else tuple((x, y) for x, y in model.tiles),
    )
