"""A picture of a schedule on an array: its PEs by layer, and what the links between them carry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from instances.array import Array
from instances.cost.array import ArrayCosts
from instances.network import Network
from schedules.array.evaluate import ArrayEvaluation, SegmentEvaluation, evaluate_array
from schedules.array.labels import layers_label, limit_label, shape_label, tiles_label
from schedules.array.routed import Link, blocks, link_loads
from schedules.array.schedule import ArraySchedule
from schedules.draw import save_picture
from schedules.draw_mesh import IDLE, PALETTE

MOST_PANELS = 6
"""Segments that are drawn where nobody chooses."""

PANEL = 4.5
"""Inches of a panel's width."""

ACROSS = 3
"""Panels side by side."""

MOST_LABELS = 128
"""Blocks that get their numbers; of more, those of one cell."""

MOST_NAMES = 12
"""Layers in a panel's legend."""

LANE = 0.16
"""Distance of a link from the middle line between the two directions; PEs are 1 apart."""

BOW = 0.5
"""How far express links bow out."""

LABEL: dict[str, Any] = {
    "ha": "center",
    "va": "center",
    "fontsize": 7,
    "zorder": 4,
    "path_effects": [withStroke(linewidth=2, foreground="white")],
}
"""How the numbers of layers are written: legible on lines."""

LINE = (0.5, 2.4)
"""Points of an idle and of the busiest link's line on a small array."""

Points = NDArray[np.float64]


def draw_array(
    costs: ArrayCosts,
    schedule: ArraySchedule,
    path: str | Path,
    segments: Sequence[int] | None = None,
) -> None:
    """Write a picture of a schedule on an array, a panel for each segment.

    The same schedule gives the same SVG, byte for byte.

    Args:
        costs: those of the network on the array.
        schedule: one that `array_violations` accepts.
        path: ends in .png or .svg.
        segments: numbers of those that are drawn; by default `main_segments`.

    Raises:
        ValueError: another ending, or a segment that is not there.
        OSError: the file cannot be written.
    """
    save_picture(lambda: array_figure(costs, schedule, segments), path)


def array_figure(
    costs: ArrayCosts, schedule: ArraySchedule, segments: Sequence[int] | None = None
) -> Figure:
    """The whole picture.

    Args:
        costs, schedule, segments: as for `draw_array`.

    Raises:
        ValueError: a segment that is not there, or none.
    """
    found = evaluate_array(costs, schedule)
    shown = main_segments(found) if segments is None else list(segments)
    wrong = [k for k in shown if not 0 <= k < len(found.segments)]
    if wrong or not shown:
        asked = f"segment {wrong[0]}" if wrong else "no segment"
        raise ValueError(f"{asked} to draw, expected some of 0 to {len(found.segments) - 1}")
    across = min(ACROSS, len(shown))
    down = -(-len(shown) // across)
    columns, rows = costs.array.mesh
    high = 0.9 * PANEL * min(2.0, max(0.3, rows / columns)) + 1.1
    figure = Figure(figsize=(across * PANEL + 0.9, down * high + 0.7), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False)
    busy = [_busy(costs.array, found.segments[k]) for k in shown]
    most = max((share for own in busy for share in own.values()), default=0.0) or 1.0
    for ax in grid.flat[len(shown) :]:
        ax.set_axis_off()
    for k, own, ax in zip(shown, busy, grid.flat, strict=False):
        _draw_panel(costs, found, k, own, most, ax)
    if any(busy):
        bar = figure.colorbar(_scale(most), ax=grid, fraction=0.03, aspect=40, format="{x:.3g}")
        bar.set_label("share of the beat that a link is busy", fontsize=8)
        bar.ax.tick_params(labelsize=7)
    figure.suptitle(_title(costs, found, len(shown)), fontsize=11)
    return figure


def main_segments(found: ArrayEvaluation) -> list[int]:
    """The segments in which layers are pipelined, then others; of each, those with most cycles."""
    segments = found.segments
    order = sorted(
        range(len(segments)),
        key=lambda k: (segments[k].segment.depth == 1, -segments[k].cycles),
    )
    return sorted(order[:MOST_PANELS])


def draw_blocks(array: Array, found: SegmentEvaluation, *, ax: Axes) -> None:
    """Draw PEs, coloured by layer, with the layers' numbers; idle ones are grey.

    Args:
        array: with these PEs.
        found: the segment.
        ax: where to draw.
    """
    columns, rows = array.mesh
    segment = found.segment
    owner = np.full((rows, columns), np.nan)
    cells = blocks(array, segment.layout, segment.depth)
    labelled = cells if len(cells) * segment.depth <= MOST_LABELS else cells[:1]
    for cell in cells:
        for k, ((x, wide), (y, high)) in enumerate(cell):
            owner[y : y + high, x : x + wide] = k % len(PALETTE)
    for cell in labelled:
        for k, ((x, wide), (y, high)) in enumerate(cell):
            middle = (x + (wide - 1) / 2, y + (high - 1) / 2)
            ax.text(*middle, str(segment.first + k), **LABEL)
    ax.pcolormesh(
        np.arange(columns + 1) - 0.5,
        np.arange(rows + 1) - 0.5,
        owner,
        cmap=ListedColormap(PALETTE),
        vmin=-0.5,
        vmax=len(PALETTE) - 0.5,
        edgecolors="white",
        linewidth=0.4,
    )
    ax.set(facecolor=IDLE, aspect="equal", xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    ax.tick_params(labelsize=7)


def draw_loads(busy: dict[Link, float], *, ax: Axes, side: int, most: float) -> ScalarMappable:
    """Draw a line for each link that carries anything: the busier, the darker and wider.

    A line is to the right of its way, so that both directions are seen. Express links bow out.

    Args:
        busy: any measure of the links.
        ax: where to draw.
        side: of the array, the longer: with more PEs, lines are thinner.
        most: the end of the scale.

    Returns:
        The scale of colours, for a colour bar.
    """
    scale = _scale(most)
    order = sorted(busy, key=lambda link: busy[link])  # the busiest come last, on top
    shares = np.array([busy[link] for link in order])
    thin = min(1.0, (16 / side) ** 0.5)
    widths = thin * (LINE[0] + (LINE[1] - LINE[0]) * shares / most)
    lines = LineCollection(
        [_line(link) for link in order],
        colors=scale.to_rgba(shares),
        linewidths=widths,
        zorder=3,
    )
    ax.add_collection(lines)
    return scale


def _scale(most: float) -> ScalarMappable:
    """From pale to dark, so that the busy links stand out."""
    colours = ListedColormap(matplotlib.colormaps["inferno_r"](np.linspace(0.2, 0.95, 256)))
    return ScalarMappable(Normalize(0, most), colours)


def _line(link: Link) -> Points:
    """Points along a link: straight between neighbours, a bow over an express link."""
    start, end = np.array(link[0], dtype=float), np.array(link[1], dtype=float)
    length = np.abs(end - start).sum()
    side = np.array([start[1] - end[1], end[0] - start[0]]) / length
    if length == 1:
        return np.array([start, end]) + LANE * side
    at = np.linspace(0, 1, 12)[:, None]
    return start + at * (end - start) + (LANE + 4 * BOW * at * (1 - at)) * side


def _busy(array: Array, found: SegmentEvaluation) -> dict[Link, float]:
    """The share of the beat that each link is busy."""
    segment, work = found.segment, found.work
    loads = link_loads(array, work.flows, segment.layout, work.depth)
    room = array.link_bytes * found.beat.cycles
    return {link: float(load / room) for link, load in loads.items()}


def _draw_panel(
    costs: ArrayCosts,
    whole: ArrayEvaluation,
    number: int,
    busy: dict[Link, float],
    most: float,
    ax: Axes,
) -> None:
    found = whole.segments[number]
    segment, network = found.segment, costs.network
    draw_blocks(costs.array, found, ax=ax)
    draw_loads(busy, ax=ax, side=max(costs.array.mesh), most=most)
    layers = _cut(layers_label(network, segment.first, segment.last), 48)
    lines = (
        f"segment {number}: {layers}, depth {segment.depth}",
        f"{shape_label(segment)}; tiles: {tiles_label(segment)}",
        f"beat {found.beat.cycles:,} ({_cut(limit_label(network, found), 30)}),"
        f" {found.cycles / whole.latency:.0%} of all cycles",
    )
    ax.set_title("\n".join(lines), fontsize=8)
    ax.legend(
        handles=_names(network, segment.first, segment.last),
        loc="upper center",
        bbox_to_anchor=(0.5, -0.06),
        ncols=3,
        fontsize=6,
        frameon=False,
    )


def _names(network: Network, first: int, last: int) -> list[Patch]:
    """A patch for each layer; of many, for the first ones and the last."""
    shown = list(range(first, last + 1))
    if len(shown) > MOST_NAMES:
        shown = [*shown[: MOST_NAMES - 1], last]
    return [
        Patch(
            facecolor=PALETTE[(k - first) % len(PALETTE)],
            label=_cut(f"{k} {network.layers[k].name}", 24),
        )
        for k in shown
    ]


def _title(costs: ArrayCosts, found: ArrayEvaluation, shown: int) -> str:
    clock = costs.array.clock_hz
    count = len(found.segments)
    some = "" if shown == count else f"; {shown} of {count} segments"
    return (
        f"{costs.network.name} on {costs.array.name}, batch {costs.batch}: {found.latency:,} cycles"
        f" ({found.latency / clock * 1e3:,.4g} ms), {found.energy * 1e-9:,.4g} mJ{some}"
    )


def _cut(text: str, most: int) -> str:
    """At most so many characters, the middle left out."""
    if len(text) <= most:
        return text
    front = most // 2
    return f"{text[:front]}…{text[len(text) - (most - front - 1) :]}"
