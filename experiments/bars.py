"""The measures of the fast methods, each beside the bar that it has to keep under."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from experiments.cases import Case, Watch
from experiments.gap import Summary
from experiments.store import Record, Store, Task
from experiments.timing import middle, stored_timings, timings
from solvers.ranking import Rank, rank

BATCH = 64
REPEATS = 3
"""Runs of which the median counts."""

LAYERS = tuple(64 * 2**k for k in range(8))
MESHES = ((4, 4), (4, 8), (8, 8), (8, 16), (16, 16), (16, 32), (32, 32), (32, 64), (64, 64))
DEEP = [Case(f"chain-{layers}", "simba-16x16", BATCH) for layers in LAYERS]
WIDE = [Case("chain-256", f"simba-{columns}x{rows}", BATCH) for columns, rows in MESHES]
HUGE = [Case(network, "simba-64x64", BATCH) for network in ("chain-10000", "gpt-stack-10000")]
LARGE = Case("resnet152", "simba-16x16", BATCH)
RANKED = Case("alexnet", "datacentre-4x4", BATCH)
WARM = Case("alexnet", "simba-4x4", BATCH)
"""What the loading of kernels is paid with."""

SLOPE = 1.15
HUGE_SECONDS, HUGE_BYTES = 10.0, 1e9
LARGE_SECONDS = {"scope": 0.3, "scope+": 2.0}
SHARE = 0.0005
GAPS = {"scope": (0.01, 0.05), "scope+": (0.001, 0.01)}
"""Method -> the most that the mean and the worst gap may be."""

Unit = Literal["", "s", "bytes", "share"]
Timings = Callable[..., list[list[Record]]]


@dataclass(frozen=True)
class Measure:
    """One number and the most that it may be.

    Attributes:
        name: what was measured.
        value: None if it is not known.
        bar: the most that it may be.
        unit: of both.
        note: what else there is to say.
    """

    name: str
    value: float | None
    bar: float
    unit: Unit
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the value keeps under the bar; None if it is not known."""
        return None if self.value is None else self.value <= self.bar

    def to_data(self) -> dict[str, Any]:
        """The measure as plain data."""
        return {
            "measure": self.name,
            "value": self.value,
            "bar": self.bar,
            "unit": self.unit,
            "holds": self.holds,
            "note": self.note,
        }


def gap_measures(summaries: Sequence[Summary]) -> list[Measure]:
    """Mean and worst gap of the methods that have a bar for them."""
    found = []
    for summary in summaries:
        if summary.method not in GAPS:
            continue
        mean, worst = GAPS[summary.method]
        count = f"{len(summary.known)} of {len(summary.gaps)} instances"
        if summary.unproved:
            count += f", {summary.unproved} without a proved optimum"
        case = "" if summary.worst is None else str(summary.worst.case)
        found.append(Measure(f"{summary.method}: mean gap", summary.mean, mean, "share", count))
        gap = None if summary.worst is None else summary.worst.gap
        found.append(Measure(f"{summary.method}: worst gap", gap, worst, "share", case))
    return found


def timer(store: Store, run: bool = True, watch: Watch | None = None) -> Timings:
    """What gets timings: runs what the store does not have, or only looks.

    Args:
        run: whether to run anything.
        watch: called with the name of each run before it begins.
    """
    if not run:
        return lambda cases, method, **_: stored_timings(cases, method, store)
    return partial(timings, store=store, warm=WARM, watch=watch)


def growth(method: str, timed: Timings) -> list[Measure]:
    """How a method's process time grows with layers and with chiplets."""
    layers = timed(DEEP, method, repeats=REPEATS)
    chiplets = timed(WIDE, method, repeats=REPEATS)
    counts = [columns * rows for columns, rows in MESHES]
    return [
        _slope(f"{method}: growth with layers, {DEEP[0].package}", LAYERS, layers),
        _slope(f"{method}: growth with chiplets, {WIDE[0].network}", counts, chiplets),
    ]


def _slope(name: str, sizes: Sequence[int], records: list[list[Record]]) -> Measure:
    points = [
        (size, seconds)
        for size, row in zip(sizes, records, strict=True)
        if (seconds := middle(row, "cpu_s")) is not None
    ]
    if len(points) < len(sizes):
        return Measure(name, None, SLOPE, "", _errors(records) or "not measured")
    (small, first), (large, last) = points[0], points[-1]
    note = f"{first:.3g} s at {small:,} to {last:.3g} s at {large:,}"
    return Measure(name, slope(points), SLOPE, "", note)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The power with which y grows with x: least squares on the logarithms of (x, y) points."""
    x = [math.log(point[0]) for point in points]
    y = [math.log(point[1]) for point in points]
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    products = sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True))
    return products / sum((a - x_mean) ** 2 for a in x)


def huge(method: str, timed: Timings) -> list[Measure]:
    """Time and memory of a method on the largest instances, in a process that does nothing else."""
    found = []
    for case, records in zip(HUGE, timed(HUGE, method, repeats=1), strict=True):
        name, note = f"{method}: {case.network} on {case.package}", _errors([records])
        seconds, held = middle(records, "total_s"), middle(records, "peak_bytes")
        found += [
            Measure(f"{name}, time", seconds, HUGE_SECONDS, "s", note),
            Measure(f"{name}, memory", held, HUGE_BYTES, "bytes", note),
        ]
    return found


def large(method: str, timed: Timings) -> list[Measure]:
    """Wall time of a method on ResNet-152 and 256 chiplets; none without a bar for it."""
    if method not in LARGE_SECONDS:
        return []
    (records,) = timed([LARGE], method, repeats=REPEATS)
    name = f"{method}: {LARGE.network} on {LARGE.package}, time"
    seconds = [record.runtime_s for record in records if record.runtime_s is not None]
    note = _errors([records]) or (f"{min(seconds):.3g} s without its costs" if seconds else "")
    return [Measure(name, middle(records, "total_s"), LARGE_SECONDS[method], "s", note)]


def place(method: str, store: Store, run: bool = True) -> list[Measure]:
    """The share of all one-segment schedules that are faster than a method's, counted.

    Args:
        run: whether to count where the store has no count.
    """
    task = replace(RANKED.task(method), method=f"rank of {method}")
    record = store.get(task)
    if record is None and run:
        record = _counted(task, rank(RANKED.instance(), method))
        store.add(record)
    latest = [record] if record is not None else store.of(task.content, task.method)[-1:]
    measures = latest[0].measures if latest else {}
    name = f"{method}: faster schedules of {RANKED.network} on {RANKED.package}, one segment"
    if "feasible" not in measures:
        return [Measure(name, None, SHARE, "share", "not counted")]
    better, feasible = measures["better"], measures["feasible"]
    return [Measure(name, better / feasible, SHARE, "share", f"{better:,} of {feasible:,}")]


def _counted(task: Task, found: Rank) -> Record:
    if found.better is None or found.feasible is None:
        return Record(task, None, found.reason)
    return Record(task, None, None, {"better": found.better, "feasible": found.feasible})


def _errors(records: list[list[Record]]) -> str:
    """The first reason for which a run failed."""
    return next((r.error for row in records for r in row if r.error is not None), "")
