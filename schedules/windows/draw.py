"""A picture of a schedule of several models: windows x chiplets as a Gantt chart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from instances.cost.jobs import WorkloadCosts
from instances.package import Tile
from schedules.draw import save_picture
from schedules.draw_mesh import PALETTE
from schedules.windows.evaluate import RunEvaluation, WindowEvaluation, evaluate_windows
from schedules.windows.labels import kind_labels, units_label
from schedules.windows.schedule import WindowSchedule

WIDTH = 13.5
"""Inches of the whole picture."""

CHARACTER = 0.0056
"""Share of the axis that a character of a bar's label takes."""

HEIGHT = 0.72
"""Of a bar, rows being 1 apart."""

TINY = 0.003
"""Share of the axis below which a bar is little more than its edge."""

NAMED_WINDOW = 0.02
"""Share of the axis that a window needs to have its number written."""


def draw_windows(
    costs: WorkloadCosts, schedule: WindowSchedule, path: str | Path, *, pipelined: bool = True
) -> None:
    """Write a picture of a schedule: who runs on which chiplet when.

    The same schedule gives the same SVG, byte for byte.

    Args:
        costs: those of the workload; they give names and times.
        schedule: one that `window_violations` accepts.
        path: ends in .png or .svg.
        pipelined: as `WindowGoal.pipelined`.

    Raises:
        ValueError: another ending.
        OSError: the file cannot be written.
    """
    save_picture(lambda: windows_figure(costs, schedule, pipelined=pipelined), path)


def windows_figure(
    costs: WorkloadCosts, schedule: WindowSchedule, *, pipelined: bool = True
) -> Figure:
    """The whole picture: the Gantt chart, a title and a legend of the models.

    Args:
        costs, schedule, pipelined: as for `draw_windows`.
    """
    chiplets = len(costs.package.tiles)
    row = 0.42 if chiplets <= 12 else 0.26
    figure = Figure(figsize=(WIDTH, 1.7 + row * chiplets), layout="constrained")
    ax = figure.add_subplot()
    draw_gantt(costs, schedule, ax=ax, pipelined=pipelined)
    found = evaluate_windows(costs, schedule, pipelined)
    clock = costs.workload.package.chiplet.clock_hz
    figure.suptitle(
        f"{_cut(costs.workload.name, 90)}: latency {found.latency:,} cycles"
        f" ({found.latency / clock * 1e3:,.4g} ms), energy {found.energy * 1e-9:,.4g} mJ",
        fontsize=11,
    )
    shown = sorted({run.job for window in schedule.windows for run in window.runs})
    jobs = costs.workload.jobs
    handles = [Patch(facecolor=colour(job), label=_cut(jobs[job].name, 40)) for job in shown]
    load = Patch(facecolor="white", edgecolor="0.4", hatch="////", label="weights from DRAM")
    figure.legend(
        handles=[*handles, load],
        loc="outside lower center",
        ncols=min(5, len(shown) + 1),
        fontsize=8,
    )
    return figure


def colour(job: int) -> str:
    """Of a model."""
    return PALETTE[job % len(PALETTE)]


@dataclass(frozen=True)
class Bar:
    """A stage in time, in cycles.

    Attributes:
        job: number of the model.
        tile: [x, y] of the chiplet.
        label: its units.
        load: when it begins to bring its weights.
        begin: when it has them, and its first mini-batch.
        end: when it has done its last mini-batch.
    """

    job: int
    tile: Tile
    label: str
    load: int
    begin: int
    end: int


def bars(costs: WorkloadCosts, evaluation: WindowEvaluation, pipelined: bool = True) -> list[Bar]:
    """All stages in time.

    A stage begins when those before it have brought their weights and done a mini-batch, as the
    latency's formula adds them up. Pipelined, its last mini-batch ends (rounds - 1) beats after the
    first; otherwise mini-batches come at the pace of all stages together.
    """
    begins = (0, *evaluation.ends)
    return [
        bar
        for begin, runs in zip(begins, evaluation.windows, strict=False)
        for found in runs
        for bar in _run_bars(costs, found, begin, pipelined)
    ]


def _run_bars(
    costs: WorkloadCosts, found: RunEvaluation, begin: int, pipelined: bool
) -> Iterator[Bar]:
    run = found.run
    pace = found.beat if pipelined else sum(found.times)
    at = begin + run.start
    for stage, load, time in zip(run.stages, found.loads, found.times, strict=True):
        label = units_label(costs.workload.jobs[run.job], stage.first, stage.last)
        end = at + load + time + (found.rounds - 1) * pace
        yield Bar(run.job, stage.tile, label, at, at + load, end)
        at += load + time


def draw_gantt(
    costs: WorkloadCosts, schedule: WindowSchedule, *, ax: Axes, pipelined: bool = True
) -> None:
    """Draw the Gantt chart: a row for each chiplet, a bar for each stage, a line at each window.

    Args:
        costs, schedule, pipelined: as for `draw_windows`.
        ax: where to draw; its x axis is in milliseconds.
    """
    evaluation = evaluate_windows(costs, schedule, pipelined)
    unit = costs.workload.package.chiplet.clock_hz / 1e3
    whole = max(evaluation.latency, 1) / unit
    tiles, kinds = costs.package.tiles, kind_labels(costs.package)
    for bar in bars(costs, evaluation, pipelined):
        _draw_bar(bar, tiles.index(bar.tile), unit, whole, ax)
    _draw_windows(evaluation, unit, whole, ax)
    ax.set(xlim=(0, whole), ylim=(len(tiles) - 0.4, -0.6))
    labels = [f"[{x}, {y}] {kinds[x, y]}" for x, y in tiles]
    ax.set_yticks(range(len(tiles)), labels, fontsize=8)
    ax.set_yticks([row + 0.5 for row in range(len(tiles) - 1)], minor=True)
    ax.tick_params(axis="y", which="minor", length=0)
    ax.grid(axis="y", which="minor", color="0.9", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_xlabel("time (ms)", fontsize=9)
    ax.set_ylabel("chiplet, dataflow", fontsize=9)
    ax.tick_params(axis="x", labelsize=8)
    ax.xaxis.set_major_locator(MaxNLocator(12))
    ax.xaxis.set_major_formatter("{x:,.6g}")


def _draw_bar(bar: Bar, row: int, unit: float, whole: float, ax: Axes) -> None:
    """Weights hatched, then mini-batches in the model's colour, with the units if they fit in."""
    load, begin, end = (cycles / unit for cycles in (bar.load, bar.begin, bar.end))
    own = colour(bar.job)
    if begin > load:
        wait = begin - load
        ax.barh(row, wait, HEIGHT, load, color="white", edgecolor=own, hatch="////", linewidth=0.6)
    edge = own if end - begin < TINY * whole else "white"  # an edge would hide a tiny bar
    ax.barh(row, end - begin, HEIGHT, begin, color=own, edgecolor=edge, linewidth=0.6)
    room = int((end - begin) / whole / CHARACTER)
    if room >= 5:
        label = _cut(bar.label, room)
        ax.text((begin + end) / 2, row, label, ha="center", va="center", fontsize=7, clip_on=True)


def _draw_windows(evaluation: WindowEvaluation, unit: float, whole: float, ax: Axes) -> None:
    """A line at the end of each window, and its number where there is room."""
    begin = 0.0
    for number, cycles in enumerate(evaluation.ends):
        end = cycles / unit
        ax.axvline(end, color="0.25", linewidth=0.9, linestyle="--")
        if end - begin >= NAMED_WINDOW * whole:
            wide = end - begin >= 5 * NAMED_WINDOW * whole
            text = f"window {number}" if wide else str(number)
            middle = (begin + end) / 2
            ax.annotate(
                text,
                (middle, 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=8,
            )
        begin = end


def _cut(text: str, most: int) -> str:
    """At most so many characters, the middle left out."""
    if len(text) <= most:
        return text
    front = most // 2
    return f"{text[:front]}…{text[len(text) - (most - front - 1) :]}"
