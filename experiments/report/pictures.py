"""The figures as SVG."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture

from experiments.report.figures import COLOURS, Figure, Panel
from schedules.printed import printed

MARKERS = "osD^PX*v"
COLUMNS = 3
"""Panels side by side."""
MOST = 24
"""Panels in a picture; a note tells how many are left out."""


def picture(figure: Figure, methods: list[str], packages: list[str]) -> bytes:
    """A figure as SVG; the same figure gives the same bytes.

    Args:
        figure: with at least one panel.
        methods: of the whole report, in an order that gives each its colour.
        packages: of the whole report, in the order in which bars stand.
    """
    panels = figure.panels[:MOST]
    columns = min(COLUMNS, len(panels))
    rows = ceil(len(panels) / columns)
    size = (8, 5.5) if len(panels) == 1 else (5.2 * columns, 1.2 + 3.4 * rows)
    drawing = Picture(figsize=size, layout="constrained")
    axes = list(drawing.subplots(rows, columns, squeeze=False).flat)
    for ax, panel in zip(axes, panels, strict=False):
        _draw(figure, panel, methods, packages, ax)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    drawing.suptitle(figure.title, fontsize=12)
    _legend(drawing, methods)
    if len(figure.panels) > len(panels):
        drawing.supxlabel(f"{len(figure.panels) - len(panels)} further panels are on the page")
    return printed(drawing)


def _legend(drawing: Picture, methods: list[str]) -> None:
    """One legend for all panels: every method once, in their order."""
    named: dict[str, Artist] = {}
    for ax in drawing.axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    order = sorted(named, key=methods.index)
    if order:
        handles = [named[name] for name in order]
        drawing.legend(
            handles, order, loc="outside lower center", ncols=min(len(order), 6), fontsize=8
        )


def _draw(figure: Figure, panel: Panel, methods: list[str], packages: list[str], ax: Axes) -> None:
    def colour(method: str) -> str:
        return COLOURS[methods.index(method) % len(COLOURS)]

    ax.set(xlabel=figure.x.title, ylabel=figure.y.title, title=panel.title)
    ax.set_axisbelow(True)
    ax.grid(color="0.9")
    if figure.kind == "box":
        _boxes(panel, colour, ax)
    elif figure.kind == "bars":
        _bars(panel, colour, packages, ax)
    elif figure.kind == "steps":
        for series in panel.series:
            ax.step(
                series.x, series.y, where="post", color=colour(series.method), label=series.method
            )
    else:
        for series in panel.series:
            marker = MARKERS[methods.index(series.method) % len(MARKERS)]
            ax.scatter(
                series.x,
                series.y,
                s=12,
                alpha=0.7,
                marker=marker,
                linewidths=0,
                color=colour(series.method),
                label=series.method,
            )
    if figure.x.log:
        ax.set_xscale("log")
    if figure.y.log:
        ax.set_yscale("log")


def _boxes(panel: Panel, colour: Callable[[str], str], ax: Axes) -> None:
    names = [series.method for series in panel.series]
    boxes = ax.boxplot(
        [series.y for series in panel.series],
        tick_labels=names,
        flierprops={"markersize": 3},
        patch_artist=True,
        medianprops={"color": "black"},
    )
    for box, name in zip(boxes["boxes"], names, strict=True):
        box.set_facecolor(colour(name))
    ax.tick_params(axis="x", labelrotation=20 if len(names) > 5 else 0)


def _bars(panel: Panel, colour: Callable[[str], str], packages: list[str], ax: Axes) -> None:
    named = {name for series in panel.series for name in series.x}
    order = [name for name in packages if name in named]
    width = 0.8 / len(panel.series)
    for k, series in enumerate(panel.series):
        places = np.array([order.index(str(name)) for name in series.x])
        left = places - 0.4 + (k + 0.5) * width
        ax.bar(left, series.y, width, color=colour(series.method), label=series.method)
    ax.axhline(1.0, color="0.4", linestyle=":", linewidth=1)
    ax.set_xticks(range(len(order)), order, rotation=20, ha="right", fontsize=8)
    ax.grid(visible=False, axis="x")
