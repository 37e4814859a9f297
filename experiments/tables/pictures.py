"""Figures as SVG files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from experiments.tables.parts import Figure, Panel
from instances.files.whole import write_whole
from schedules.printed import SALT, printed

MOST_COLUMNS = 4
WIDTH, HEIGHT = 3.1, 2.5
"""Of a panel, in inches."""

MOST_NAMES = 7
"""In a line of the legend."""

MARKERS = "osD^vP*X<>"
LARGEST_MARKER, LEAST_MARKER = 9, 2
"""Points; each series has smaller ones than that before, so that equal values are all seen."""

BARS = 0.8
"""Share of the room between two names that bars take."""


def draw_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as SVG; the same figure makes the same file.

    Raises:
        OSError: the file cannot be written.
    """
    columns = min(MOST_COLUMNS, len(figure.panels))
    rows = -(-len(figure.panels) // columns)
    with matplotlib.rc_context({"svg.hashsalt": SALT, "font.size": 8}):
        size = (max(6.0, WIDTH * columns), HEIGHT * rows + 0.6)
        canvas = Canvas(figsize=size, layout="constrained")
        axes = list(canvas.subplots(rows, columns, squeeze=False, sharey=True).flat)
        for panel, ax in zip(figure.panels, axes, strict=False):
            plot_panel(figure, panel, ax=ax)
        for ax in axes[len(figure.panels) :]:
            ax.set_visible(False)
        canvas.supxlabel(figure.x_title)
        canvas.supylabel(figure.y_title)
        _legend(canvas, axes)
        content = printed(canvas)
    write_whole(path, content)


def _legend(canvas: Canvas, axes: Sequence[Axes]) -> None:
    """Name what has a value in some panel, once."""
    known: dict[str, Artist] = {}
    for ax in axes:
        for handle, name in zip(*ax.get_legend_handles_labels(), strict=True):
            known.setdefault(name, handle)
    if known:
        columns = min(MOST_NAMES, len(known))
        canvas.legend(list(known.values()), list(known), loc="outside upper center", ncols=columns)


def plot_panel(figure: Figure, panel: Panel, *, ax: Axes) -> None:
    """Plot one chart of a figure on given axes."""
    ax.set_title(panel.title)
    ax.grid(axis="y", alpha=0.3)
    if figure.log_y:
        ax.set_yscale("log")
    (_bars if figure.kind == "bars" else _lines)(figure, panel, ax)


def _lines(figure: Figure, panel: Panel, ax: Axes) -> None:
    named = any(isinstance(x, str) for x in panel.x)
    places = list(range(len(panel.x))) if named else [float(x) for x in panel.x]
    if figure.log_x and not named:
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
    for k, (name, values) in enumerate(panel.series.items()):
        if any(value is not None for value in values):
            ax.plot(
                places,
                _numbers(values),
                color=f"C{k}",
                marker=MARKERS[k % len(MARKERS)],
                markersize=max(LEAST_MARKER, LARGEST_MARKER - k),
                fillstyle="none",
                linewidth=1,
                label=name,
            )
    ax.xaxis.set_major_locator(FixedLocator(places))
    texts = [x if isinstance(x, str) else f"{x:g}" for x in panel.x]
    ax.xaxis.set_major_formatter(FixedFormatter(texts))


def _bars(figure: Figure, panel: Panel, ax: Axes) -> None:
    width = BARS / max(1, len(panel.series))
    for k, (name, values) in enumerate(panel.series.items()):
        places = [x - BARS / 2 + (k + 0.5) * width for x in range(len(panel.x))]
        ax.bar(places, _numbers(values), width, color=f"C{k}", label=name)
    ax.set_xticks(range(len(panel.x)), [str(x) for x in panel.x], rotation=45, ha="right")


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]
