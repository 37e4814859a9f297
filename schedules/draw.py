"""Pictures of a schedule: regions on the mesh, and the pipeline's Gantt chart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Literal

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter

from instances.files.whole import write_whole
from instances.instance import Instance
from instances.mesh import Mesh
from schedules.compressed import crossings
from schedules.draw_mesh import IDLE, PALETTE, draw_links, draw_regions, links_legend
from schedules.draw_ratios import mark_regions, mark_stages, ratio_sign
from schedules.evaluate import SegmentCost, evaluate, segment_cost
from schedules.links import SegmentLinks, segment_links
from schedules.place import mesh_of, with_places
from schedules.printed import SALT, printed
from schedules.schedule import Cluster, Schedule, Segment, counted

SAMPLES = 6
DETAILED = 4
"""Segments that get a Gantt chart beside their map; the others get a small map."""
COLUMNS = 8
"""Small maps side by side."""
SMALL = 5 * COLUMNS
"""Small maps at most; a note tells how many segments are not shown."""
TICKS = 24
"""Named stages in one Gantt chart at most."""


def draw_schedule(instance: Instance, schedule: Schedule, path: str | Path) -> None:
    """Write a picture of a schedule: its regions and the pipeline's first samples.

    Clusters without tiles are placed along a snake through the mesh. Where compressed tensors cross
    there are marks, and links are not shown. The same schedule gives the same SVG, byte for byte.

    Args:
        instance: gives names, costs and the mesh; a table instance is drawn on a mesh of its own.
        schedule: one that `verify` accepts.
        path: ends in .png or .svg.

    Raises:
        ValueError: another ending.
        OSError: the file cannot be written.
    """
    save_picture(lambda: schedule_figure(instance, schedule), path)


def save_picture(make: Callable[[], Figure], path: str | Path) -> None:
    """Write a figure, the whole file at once; the same figure gives the same SVG, byte for byte.

    Args:
        make: makes it.
        path: ends in .png or .svg.

    Raises:
        ValueError: another ending.
        OSError: the file cannot be written.
    """
    kind = picture_format(path)
    with matplotlib.rc_context({"svg.hashsalt": SALT}):
        figure = make()
    write_whole(path, printed(figure, kind, dpi=140))


def picture_format(path: str | Path) -> Literal["png", "svg"]:
    """The picture format that the path's ending asks for, png or svg.

    Raises:
        ValueError: another ending.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".png", ".svg"):
        raise ValueError(
            f"{path}: a picture's name ends in .png or .svg, not {suffix or 'nothing'!r}"
        )
    return "png" if suffix == ".png" else "svg"


def schedule_figure(instance: Instance, schedule: Schedule) -> Figure:
    """The whole picture: maps and Gantt charts of the main segments, small maps of the others.

    The main segments are those with the most clusters, the longer ones first: where there is a
    pipeline to see.

    Args:
        instance, schedule: as for `draw_schedule`.
    """
    mesh = mesh_of(instance)
    parts = _parts(instance, with_places(schedule, mesh), has_places(instance, schedule))
    order = sorted(parts, key=lambda part: (-len(part.segment.clusters), -part.cost.time))
    detailed = sorted(order[:DETAILED], key=lambda part: part.number)
    rest = sorted(order[DETAILED:], key=lambda part: part.number)
    heights = [_detail_height(part, mesh) for part in detailed]
    map_rows = -(-min(len(rest), SMALL) // COLUMNS)
    small_height = map_rows * (0.55 + 1.55 * min(1.2, mesh.size[1] / mesh.size[0]))
    figure = Figure(figsize=(13.5, 0.9 + sum(heights) + small_height), layout="constrained")
    figure.suptitle(_title(instance, schedule), fontsize=12)
    halves = figure.add_gridspec(2, 1, height_ratios=[sum(heights), small_height])
    _draw_details(instance, detailed, mesh, heights, figure.add_subfigure(halves[0]))
    if rest:
        latency = sum(part.cost.time for part in parts)
        _draw_small_maps(rest, latency, mesh.size, figure.add_subfigure(halves[1]))
    return figure


@dataclass(frozen=True)
class _Part:
    """A segment, its place in the schedule, its cost, the cycle at which it begins, its links.

    Attributes:
        ratios: of the whole schedule.
        entering: cluster -> layers whose compressed outputs enter it.
    """

    number: int
    segment: Segment
    cost: SegmentCost
    start: int
    links: SegmentLinks | None
    ratios: tuple[int, ...]
    entering: dict[int, list[int]]

    @property
    def name(self) -> str:
        return f"segment {self.number}{' (tiled)' if self.segment.tiled else ''}"


def has_places(instance: Instance, schedule: Schedule) -> bool:
    """Whether loads of links can be told: of all places of a network, with nothing compressed."""
    named = (c.tiles is not None or s.tiled for s in schedule.segments for c in s.clusters)
    plain = max(schedule.ratios, default=1) == 1
    return instance.package is not None and plain and all(named)


def _parts(instance: Instance, schedule: Schedule, placed: bool) -> list[_Part]:
    ratios = schedule.ratios
    costs = [segment_cost(instance, segment, ratios) for segment in schedule.segments]
    starts = accumulate((cost.time for cost in costs), initial=0)
    return [
        _Part(
            number,
            segment,
            cost,
            start,
            segment_links(instance, segment) if placed else None,
            ratios,
            crossings(instance, segment, ratios),
        )
        for number, (segment, cost, start) in enumerate(
            zip(schedule.segments, costs, starts, strict=False)
        )
    ]


def draw_pipeline(
    instance: Instance,
    segment: Segment,
    *,
    ax: Axes,
    start: int = 0,
    samples: int = SAMPLES,
    ratios: tuple[int, ...] = (),
) -> None:
    """Draw one segment's Gantt chart: the weight load, then the first samples, stage by stage.

    Sample k enters stage s at start + load + (k + s) * beat and keeps it busy for the stage's own
    time, which is the beat for the slowest stage unless the DRAM sets it. Of a long weight load
    only the end is in view.

    Args:
        instance: gives costs and names; with its package the axis is in microseconds, otherwise
            in cycles.
        segment: one that `verify` accepts.
        ax: where to draw.
        start: cycle at which the segment begins.
        samples: how many to show.
        ratios: of the schedule; where compressed tensors enter a stage there is a mark.
    """
    cost = segment_cost(instance, segment, ratios)
    shown = min(samples, instance.batch)
    unit = _cycles_per_unit(instance)
    stages = np.arange(len(segment.clusters))
    busy = np.array([cluster.time for cluster in cost.clusters]) / unit
    first_beat = start + cost.load
    row = _row_step(segment)
    ax.barh(
        -row,
        cost.load / unit,
        left=start / unit,
        height=0.8 * row,
        color="white",
        edgecolor="0.4",
        hatch="///",
    )
    for k in range(shown):
        left = (first_beat + (k + stages) * cost.beat) / unit
        ax.barh(stages, busy, left=left, height=0.8, color=_sample_colour(k))
    window = (shown + len(stages) - 1) * cost.beat
    view = (first_beat - min(cost.load, 0.3 * window), first_beat + window)
    ax.set(xlim=(view[0] / unit, view[1] / unit or 1.0), ylim=(len(stages) - 0.4, -1.6 * row))
    ax.xaxis.set_major_formatter("{x:,.6g}")
    _name_stages(instance, segment, cost.load / unit, ax)
    mark_stages(segment, crossings(instance, segment, ratios), ratios, ax=ax)


def _row_step(segment: Segment) -> int:
    """Every how many-th stage is named: there is room for TICKS names."""
    return -(-len(segment.clusters) // TICKS)


def _name_stages(instance: Instance, segment: Segment, load: float, ax: Axes) -> None:
    """Tick labels that name each stage, in its region's colour."""
    step = _row_step(segment)
    ticks = range(0, len(segment.clusters), step)
    weights = f"weights, {load:,.6g} {_unit_name(instance)}"
    labels = [weights, *(f"{k}  {_layers(instance, segment.clusters[k])}" for k in ticks)]
    ax.set_yticks([-step, *ticks], labels, fontsize=7)
    for k, label in zip(ticks, ax.get_yticklabels()[1:], strict=True):
        label.set_bbox({"facecolor": PALETTE[k % len(PALETTE)], "edgecolor": "none", "pad": 1.2})


def _sample_colour(k: int) -> tuple[float, float, float, float]:
    return matplotlib.colormaps["cividis"](k / max(SAMPLES - 1, 1))


def _cycles_per_unit(instance: Instance) -> float:
    """Cycles in a microsecond if the clock is known, otherwise 1."""
    return 1.0 if instance.package is None else instance.package.chiplet.clock_hz / 1e6


def _unit_name(instance: Instance) -> str:
    return "cycles" if instance.package is None else "µs"


def _draw_details(
    instance: Instance,
    parts: list[_Part],
    mesh: Mesh,
    heights: list[float],
    figure: SubFigure,
) -> None:
    linked = parts[0].links is not None
    ratios = [1.7 if linked else 1.0, 3.2]
    grid = figure.add_gridspec(len(parts), 2, width_ratios=ratios, height_ratios=heights)
    for row, part in enumerate(parts):
        chips = figure.add_subplot(grid[row, 0])
        _draw_map(part, mesh, chips)
        chips.set_xlabel("chiplet column", fontsize=8)
        chips.set_ylabel("chiplet row", fontsize=8)
        chips.tick_params(labelsize=7)
        chips.set_xticks(range(0, mesh.size[0], -(-mesh.size[0] // 8)))
        chips.set_yticks(range(0, mesh.size[1], -(-mesh.size[1] // 8)))
        bars = figure.add_subplot(grid[row, 1])
        draw_pipeline(instance, part.segment, ax=bars, start=part.start, ratios=part.ratios)
        bars.set_title(_summary(instance, part), fontsize=9)
        bars.set_xlabel(f"time since the start of the run ({_unit_name(instance)})", fontsize=8)
        bars.set_ylabel("cluster: layers (chiplets)", fontsize=8)
        bars.tick_params(axis="x", labelsize=7)
    signs = links_legend(mesh) if linked else []
    signs += [ratio_sign()] if any(part.entering for part in parts) else []
    _add_legend(instance, figure, signs)


def _draw_map(part: _Part, mesh: Mesh, ax: Axes) -> None:
    """The regions, with the links where the schedule says where they lie."""
    label_cells = max(mesh.size) <= 8
    ax.set_title(part.name, fontsize=9)
    if part.links is None:
        draw_regions(part.segment, mesh.size, ax=ax, label_cells=label_cells)
        mark_regions(part.segment, part.entering, part.ratios, ax=ax)
        return
    scale = draw_links(part.segment, mesh, part.links.loads, ax=ax, label_cells=label_cells)
    bar = ax.figure.colorbar(scale, ax=ax, shrink=0.9, pad=0.02)
    bar.ax.tick_params(labelsize=6)
    bar.formatter = EngFormatter("B", sep=" ")
    bar.set_label("on a link, a sample", fontsize=7)
    ax.set_title(f"{part.name}: busiest link {part.links.share:.1%} of the beat", fontsize=9)


def _add_legend(instance: Instance, figure: SubFigure, signs: list[Artist]) -> None:
    shown = min(SAMPLES, instance.batch)
    handles = [Patch(color=_sample_colour(k), label=f"sample {k}") for k in range(shown)]
    load = Patch(facecolor="white", edgecolor="0.4", hatch="///", label="weights from DRAM")
    idle = Patch(facecolor=IDLE, label="idle chiplet")
    figure.legend(
        handles=[idle, *signs, load, *handles],
        loc="outside upper right",
        ncols=shown + 2 + len(signs),
        fontsize=8,
    )


def _draw_small_maps(
    parts: list[_Part], latency: int, mesh: tuple[int, int], figure: SubFigure
) -> None:
    shown = parts[:SMALL]
    grid = figure.add_gridspec(-(-len(shown) // COLUMNS), COLUMNS)
    for place, part in enumerate(shown):
        ax = figure.add_subplot(grid[place // COLUMNS, place % COLUMNS])
        draw_regions(part.segment, mesh, ax=ax, label_cells=max(mesh) <= 4)
        mark_regions(part.segment, part.entering, part.ratios, ax=ax)
        ax.set(xticks=[], yticks=[])
        share = part.cost.time / max(latency, 1)
        title = f"{part.name}\n{_span(part.segment)}, {share:.1%} of latency"
        ax.set_title(title, fontsize=6.5)
    if len(parts) > len(shown):
        figure.supxlabel(f"{len(parts) - len(shown)} further segments not shown", fontsize=9)


def _detail_height(part: _Part, mesh: Mesh) -> float:
    """Inches of a map and a Gantt chart: enough for every stage's name, and for every link."""
    names = 1.0 + 0.18 * min(len(part.segment.clusters), TICKS)
    if part.links is None:
        return max(2.2, names)
    columns, rows = mesh.size
    return max(2.2, names, min(6.5, 0.8 + 3.6 * rows / columns))


def _span(segment: Segment) -> str:
    first, last = segment.first, segment.last
    return f"layer {first}" if first == last else f"layers {first}–{last}"


def _layers(instance: Instance, cluster: Cluster) -> str:
    """First and last layer of a cluster and its number of chiplets, short enough for a label."""
    names = instance.layers
    first, last = (_short(names[layer]) for layer in (cluster.first, cluster.last))
    span = first if cluster.first == cluster.last else f"{first} … {last}"
    return f"{span}  ({cluster.chiplets})"


def _short(name: str, limit: int = 16) -> str:
    return name if len(name) <= limit else f"{name[: limit // 2]}…{name[-limit // 2 + 1 :]}"


def _summary(instance: Instance, part: _Part) -> str:
    unit, name = _cycles_per_unit(instance), _unit_name(instance)
    cost = part.cost
    if part.segment.tiled:
        setter = "the layer's weight tiles"
    else:
        slowest = max(cluster.time for cluster in cost.clusters)
        setter = "the DRAM" if cost.dram > slowest else "the slowest cluster"
    return (
        f"{_span(part.segment)}: beat {cost.beat / unit:,.6g} {name}, set by {setter};"
        f" batch of {instance.batch} takes {cost.time / unit:,.6g} {name}"
    )


def _title(instance: Instance, schedule: Schedule) -> str:
    if instance.network is None or instance.package is None:
        subject = f"{instance.name} on {counted(instance.chiplets, 'chiplet')}"
    else:
        subject = f"{instance.network.name} on {instance.package.name}"
    cycles = evaluate(instance, schedule).latency
    time = ""
    if instance.package is not None:
        time = f" ({cycles / instance.package.chiplet.clock_hz * 1e3:,.4g} ms)"
    return f"{subject}, batch {instance.batch}: latency {cycles:,} cycles{time}"
