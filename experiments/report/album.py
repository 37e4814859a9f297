"""Every distinct schedule of a store with its costs, packed for the viewer of the page.

A sheet holds the schedules of one instance:

    mesh        [X, Y], columns and rows
    snake       the chiplets, y * X + x, in the order in which regions are placed
    clock_hz    cycles a second; 0 for none
    batch, capacity, layers, options    of the instance; the last two are names
    schedules   [latency, energy, utilisation, segments] each, where a segment is
                [tiled, dram, beat, time, energy, clusters], and a cluster
                [first, last, chiplets, time, compute, load, memory, energy, options, runs]

A cluster's `compute` is null where the tables do not tell it, `load` is that of its layers, its
options are indices, and its region is runs of the snake: [start, number, start, number, ...].
Cycles, bytes and picojoules are those of `schedules.evaluate`.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from experiments.cases import Case
from experiments.store import Record
from instances.instance import Instance
from instances.package import Tile
from schedules.evaluate import ClusterCost, Evaluation, SegmentCost, evaluate
from schedules.files import schedule_from_data
from schedules.place import mesh_of, snake, with_places
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations


@dataclass(frozen=True)
class Shown:
    """What the page can show of a run.

    Attributes:
        place: sheet, and schedule on it; None if there is no picture.
        why: there is none.
        layers, chiplets, clock_hz: of the instance, if it could be rebuilt.
    """

    place: tuple[int, int] | None
    why: str
    layers: int | None = None
    chiplets: int | None = None
    clock_hz: float | None = None


@dataclass(frozen=True)
class Album:
    """Sheets, and what can be shown of each record.

    Attributes:
        sheets: zlib's format in base64.
        shown: in the order of the records.
    """

    sheets: tuple[str, ...]
    shown: tuple[Shown, ...]


def make_album(records: Sequence[Record]) -> Album:
    """Rebuild each instance from its names and evaluate its schedules, every one once."""
    groups: dict[str, list[int]] = {}
    for number, record in enumerate(records):
        groups.setdefault(record.task.content, []).append(number)
    sheets: list[str] = []
    shown: dict[int, Shown] = {}
    for numbers in groups.values():
        sheet, seen = _sheet([records[number] for number in numbers], len(sheets))
        shown.update(zip(numbers, seen, strict=True))
        if sheet is not None:
            sheets.append(sheet)
    return Album(tuple(sheets), tuple(shown[number] for number in range(len(records))))


def _sheet(records: list[Record], number: int) -> tuple[str | None, list[Shown]]:
    """The sheet of one instance, None if it would be empty, and what it shows of each record."""
    try:
        instance = _rebuilt(records)
    except (ValueError, OSError) as error:
        return None, [Shown(None, _said(error))] * len(records)
    package = instance.package
    clock = None if package is None else float(package.chiplet.clock_hz)
    facts = (len(instance.layers), instance.chiplets, clock)
    schedules: list[list[Any]] = []
    places: dict[str, int] = {}
    seen = []
    for record in records:
        key = json.dumps((record.result or {}).get("schedule"), sort_keys=True)
        try:
            if key not in places:
                schedules.append(_evaluated(instance, record))
                places[key] = len(schedules) - 1
            seen.append(Shown((number, places[key]), "", *facts))
        except ValueError as error:
            seen.append(Shown(None, _said(error), *facts))
    if not schedules:
        return None, seen
    sheet = {**_facts(instance), "schedules": schedules}
    return packed(json.dumps(sheet, separators=(",", ":"), allow_nan=False)), seen


def _said(error: Exception) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _rebuilt(records: list[Record]) -> Instance:
    """The instance of records that share one.

    Raises:
        ValueError, OSError: it has no names, or they stand for nothing here.
    """
    for record in records:
        task = record.task
        if task.network is not None and task.package is not None:
            return Case(task.network, task.package, task.batch).instance()
    raise ValueError("the store has no names of its network and package: a table instance")


def _facts(instance: Instance) -> dict[str, Any]:
    columns, rows = mesh_of(instance).size
    package = instance.package
    return {
        "mesh": [columns, rows],
        "snake": [y * columns + x for x, y in snake((columns, rows))],
        "clock_hz": 0 if package is None else package.chiplet.clock_hz,
        "batch": instance.batch,
        "capacity": instance.costs.capacity,
        "layers": instance.layers,
        "options": instance.options,
    }


def _evaluated(instance: Instance, record: Record) -> list[Any]:
    """The schedule of a record, in the form of a sheet.

    Raises:
        ValueError: there is none, or it is not one of the instance as it is today.
    """
    data = record.result or {}
    if data.get("schedule") is None:
        raise ValueError(
            f"the run ended without a schedule: {data.get('stop', 'it only measured')}"
        )
    schedule = schedule_from_data(data["schedule"], "the stored schedule")
    problems = violations(instance, schedule)
    if problems:
        raise ValueError(f"the schedule does not fit the instance as it is today: {problems[0]}")
    cost = evaluate(instance, schedule)
    if cost.latency != data.get("latency", cost.latency):
        raise ValueError(
            f"the schedule costs {cost.latency:,} cycles on the instance as it is today, the run"
            f" has {data['latency']:,}: the costs have changed since"
        )
    return _schedule(instance, schedule, cost)


def _schedule(instance: Instance, schedule: Schedule, cost: Evaluation) -> list[Any]:
    mesh = mesh_of(instance)
    place = {tile: k for k, tile in enumerate(snake(mesh.size))}
    parts = zip(with_places(schedule, mesh).segments, cost.segments, strict=True)
    segments = [_segment(instance, segment, part, place) for segment, part in parts]
    return [cost.latency, cost.energy, round(cost.utilisation, 4), segments]


def _segment(
    instance: Instance, segment: Segment, cost: SegmentCost, place: dict[Tile, int]
) -> list[Any]:
    loads = instance.costs.segment(segment.first, segment.last).load
    clusters = [
        _cluster(
            instance,
            cluster,
            stage,
            sum(loads[cluster.first - segment.first : cluster.last - segment.first + 1]),
            place,
        )
        for cluster, stage in zip(segment.clusters, cost.clusters, strict=True)
    ]
    return [int(segment.tiled), cost.dram, cost.beat, cost.time, cost.energy, clusters]


def _cluster(
    instance: Instance, cluster: Cluster, cost: ClusterCost, load: int, place: dict[Tile, int]
) -> list[Any]:
    return [
        cluster.first,
        cluster.last,
        cluster.chiplets,
        cost.time,
        cost.compute,
        int(load),
        cost.memory,
        cost.energy,
        [instance.options.index(option) for option in cluster.options],
        _runs(sorted(place[tile] for tile in cluster.tiles or ())),
    ]


def _runs(places: list[int]) -> list[int]:
    """Ascending places as [start, number, start, number, ...] of what follows without a gap."""
    breaks = [k + 1 for k, (a, b) in enumerate(pairwise(places)) if b != a + 1]
    borders = [0, *breaks, len(places)]
    return [part for a, b in pairwise(borders) if b > a for part in (places[a], b - a)]


def packed(text: str) -> str:
    """A text for the page: zlib's format in base64."""
    return b64encode(zlib.compress(text.encode(), 9)).decode("ascii")
