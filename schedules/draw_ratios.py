"""Marks in pictures where a compressed tensor crosses: '/4' for 4 to 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from instances.package import Tile
from schedules.schedule import Segment

COLOUR = "#882255"
BORDER: dict[str, Any] = {"color": COLOUR, "linestyle": (0, (3, 2)), "linewidth": 1.0}
BOX: dict[str, Any] = {
    "boxstyle": "round,pad=0.15",
    "facecolor": "white",
    "edgecolor": COLOUR,
    "linewidth": 0.7,
}
MOST_NAMED = 36
"""Stages of a chart whose marks are in letters of full size."""


def mark_stages(
    segment: Segment, entering: Mapping[int, Iterable[int]], ratios: Sequence[int], *, ax: Axes
) -> None:
    """Mark the rows of a Gantt chart that compressed tensors enter, at their upper borders.

    Args:
        segment: whose stages are the rows.
        entering: cluster -> layers whose compressed outputs enter it.
        ratios: of the schedule.
        ax: the chart.
    """
    size = 7 * min(1.0, MOST_NAMED / len(segment.clusters))
    for k, layers in entering.items():
        ax.axhline(k - 0.5, **BORDER)
        ax.text(
            1.008,
            k - 0.5,
            _ratios(ratios[layer] for layer in layers),
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=size,
            color=COLOUR,
        )


def mark_regions(
    segment: Segment, entering: Mapping[int, Iterable[int]], ratios: Sequence[int], *, ax: Axes
) -> None:
    """Mark where compressed tensors go from region to region of a map, at the nearest chiplets.

    What comes from DRAM has no border on the map, and no mark.

    Args:
        segment: every cluster has its tiles.
        entering, ratios: as for `mark_stages`.
        ax: the map.
    """
    for k, layers in entering.items():
        for home, own in _homes(segment, layers).items():
            x, y = _between(segment.clusters[home].tiles or (), segment.clusters[k].tiles or ())
            text = _ratios(ratios[layer] for layer in own)
            look: dict[str, Any] = {"fontsize": 5.5, "color": COLOUR, "bbox": BOX, "zorder": 5}
            ax.text(x, y, text, ha="center", va="center", **look)


def ratio_sign() -> Artist:
    """What the marks mean, for a legend."""
    return Line2D([], [], **BORDER, label="/4: compressed 4 to 1")


def _homes(segment: Segment, layers: Iterable[int]) -> dict[int, list[int]]:
    """The layers by the cluster of the segment that they are in; others are left out."""
    found: dict[int, list[int]] = {}
    for layer in layers:
        for k, cluster in enumerate(segment.clusters):
            if cluster.first <= layer <= cluster.last:
                found.setdefault(k, []).append(layer)
    return found


def _between(tiles: Sequence[Tile], others: Sequence[Tile]) -> tuple[float, float]:
    """The middle between the nearest chiplets of two regions."""
    (x, y), (u, v) = min(
        product(tiles, others),
        key=lambda pair: abs(pair[0][0] - pair[1][0]) + abs(pair[0][1] - pair[1][1]),
    )
    return (x + u) / 2, (y + v) / 2


def _ratios(of: Iterable[int]) -> str:
    """'/4', or '/2, 3 x /4' for several tensors."""
    counts = sorted(Counter(of).items())
    return ", ".join(f"/{ratio}" if n == 1 else f"{n} x /{ratio}" for ratio, n in counts)
