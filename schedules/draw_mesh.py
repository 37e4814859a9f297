"""Pictures of a mesh: the regions of a segment, and what its links carry."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PatchCollection, PolyCollection
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from instances.mesh import Link, Mesh
from instances.tables import Ints
from schedules.schedule import Segment

PALETTE = (
    "#77AADD",
    "#EE8866",
    "#EEDD88",
    "#FFAABB",
    "#99DDFF",
    "#44BB99",
    "#BBCC33",
    "#AAAA00",
)
"""Cluster colours, told apart by colour-blind readers: Paul Tol's 'light' scheme, without grey."""

IDLE = "#E8E8E8"
FAULTY: dict[str, Any] = {"facecolor": "white", "edgecolor": "#707070", "hatch": "/////"}
MISSING: dict[str, Any] = {"facecolor": "none", "edgecolor": "#707070", "linestyle": ":"}
CROSS: dict[str, Any] = {"marker": "x", "markersize": 4, "color": "black"}
"""How what is out of order is drawn."""

UNUSED = "#DDDDDD"
"""Links that carry nothing."""

CHIP = 0.58
"""Side of a chiplet where links are drawn; the distance of two neighbours is 1."""
LANE = 0.13
"""Distance of a link from the middle line between the two directions."""


def draw_regions(
    segment: Segment, mesh: tuple[int, int], *, ax: Axes, label_cells: bool = True
) -> None:
    """Draw one segment's regions: a mesh coloured and numbered by cluster, idle chiplets grey.

    Args:
        segment: every cluster has its tiles.
        mesh: (X, Y), columns and rows.
        ax: where to draw.
        label_cells: write the cluster's number in each cell, not once a region.
    """
    columns, rows = mesh
    owner = np.full((rows, columns), np.nan)
    for k, cluster in enumerate(segment.clusters):
        for x, y in cluster.tiles or ():
            owner[y, x] = k % len(PALETTE)
    _number(segment, ax, label_cells)
    ax.pcolormesh(
        np.arange(columns + 1) - 0.5,
        np.arange(rows + 1) - 0.5,
        owner,
        cmap=ListedColormap(PALETTE),
        vmin=-0.5,
        vmax=len(PALETTE) - 0.5,
        edgecolors="white",
        linewidth=0.8,
    )
    ax.set(facecolor=IDLE, aspect="equal", ylim=(rows - 0.5, -0.5))


def _number(segment: Segment, ax: Axes, label_cells: bool) -> None:
    """Each cluster's number, in all its cells or in one."""
    for k, cluster in enumerate(segment.clusters):
        tiles = cluster.tiles or ()
        for x, y in tiles if label_cells else _middle(tiles):
            size = 7 if label_cells else 6
            ax.text(x, y, str(k), ha="center", va="center", fontsize=size, zorder=4)


def _middle(tiles: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """The tile nearest to the centre of the region: where its one number is written."""
    x0, y0 = np.mean(tiles, axis=0)
    return [min(tiles, key=lambda tile: (tile[0] - x0) ** 2 + (tile[1] - y0) ** 2)]


def draw_links(
    segment: Segment,
    mesh: Mesh,
    loads: Ints,
    *,
    ax: Axes,
    most: float | None = None,
    label_cells: bool = True,
) -> ScalarMappable:
    """Draw one segment's regions with an arrow for each link, coloured by what it carries.

    Neighbours of one region are joined by its colour. Ports of the DRAM are black bars at the edge
    of the mesh, chiplets that do not compute are hatched, missing ones are left out, broken links
    are crossed out.

    Args:
        segment: every cluster has its tiles.
        mesh: the package's.
        loads: [links] what each of `mesh.links` carries, in any unit.
        ax: where to draw.
        most: the end of the scale of colours; by default the largest load.
        label_cells: write the cluster's number in each cell, not once a region.

    Returns:
        the scale of colours, for a colour bar.
    """
    columns, rows = mesh.size
    scale = ScalarMappable(Normalize(0, most or float(loads.max(initial=0)) or 1.0), _colours())
    _draw_bridges(segment, mesh, ax)
    _draw_chips(segment, mesh, ax)
    _draw_arrows(mesh, loads, scale, ax)
    _draw_ports(mesh, ax)
    _number(segment, ax, label_cells)
    ax.set(aspect="equal", xlim=(-0.75, columns - 0.25), ylim=(rows - 0.5, -0.5))
    return scale


def _colours() -> Colormap:
    """From pale to dark, so that the busy links stand out."""
    return ListedColormap(matplotlib.colormaps["inferno_r"](np.linspace(0.12, 0.95, 256)))


def _draw_chips(segment: Segment, mesh: Mesh, ax: Axes) -> None:
    owner = {tile: k for k, own in enumerate(segment.clusters) for tile in own.tiles or ()}
    for x, y in mesh.places:
        colour = PALETTE[owner[x, y] % len(PALETTE)] if (x, y) in owner else IDLE
        look: dict[str, Any] = {"facecolor": colour, "edgecolor": "white", "linewidth": 0.4}
        if not mesh.has_router((x, y)):
            look = MISSING
        elif (x, y) not in mesh.usable:
            look = FAULTY
        corner = (x - CHIP / 2, y - CHIP / 2)
        ax.add_patch(Rectangle(corner, CHIP, CHIP, **look, zorder=3))


def _draw_bridges(segment: Segment, mesh: Mesh, ax: Axes) -> None:
    """Between neighbours of one region."""
    for k, cluster in enumerate(segment.clusters):
        tiles, bridges = set(cluster.tiles or ()), []
        for x, y in tiles:
            for u, v in tiles.intersection([(x + 1, y), (x, y + 1)]):
                if (u, v) in mesh.joined((x, y)):
                    wide, high = (1.0, CHIP) if u > x else (CHIP, 1.0)
                    corner = ((x + u - wide) / 2, (y + v - high) / 2)
                    bridges.append(Rectangle(corner, wide, high))
        colour = PALETTE[k % len(PALETTE)]
        ax.add_collection(PatchCollection(bridges, facecolor=colour, alpha=0.3, zorder=1))


def _draw_arrows(mesh: Mesh, loads: Ints, scale: ScalarMappable, ax: Axes) -> None:
    whole = (k for k, (a, b) in enumerate(mesh.links) if mesh.has_router(a) and b in mesh.joined(a))
    order = sorted(whole, key=lambda k: loads[k])  # the busiest come last, on top
    shades = scale.to_rgba(loads[order].astype(float))
    colours = [shade if loads[k] else UNUSED for k, shade in zip(order, shades, strict=True)]
    shapes = [_arrow(mesh.links[k]) for k in order]
    ax.add_collection(PolyCollection(shapes, facecolors=colours, edgecolors="none", zorder=2))
    for (x, y), (u, v) in filter(mesh.is_broken, mesh.links):
        ax.plot((x + u) / 2, (y + v) / 2, **CROSS, zorder=2)


def _arrow(link: Link) -> list[tuple[float, float]]:
    """From the edge of one chiplet to that of the other, on the right of the way."""
    (x, y), (u, v) = link
    along, side = np.array([u - x, v - y]), np.array([y - v, u - x])
    start = np.array([x, y]) + along * CHIP / 2 + side * LANE
    length, half = 1 - CHIP, 0.055
    outline = [(0, -half), (0.55, -half), (0.55, -2 * half), (1, 0), (0.55, 2 * half), (0.55, half)]
    outline.append((0, half))
    return [tuple(start + along * length * far + side * off) for far, off in outline]


def _draw_ports(mesh: Mesh, ax: Axes) -> None:
    """A bar on the outer side of each router that has ports of the DRAM."""
    for x, y in set(mesh.ports):
        left = x == 0
        at = x - 0.5 if left else x + 0.42
        ax.add_patch(Rectangle((at, y - CHIP / 2), 0.08, CHIP, color="black", zorder=3))
        middle = (x - CHIP / 2, at + 0.08) if left else (x + CHIP / 2, at)
        ax.plot(middle, (y, y), color="black", linewidth=1.2, zorder=2)


def links_legend(mesh: Mesh) -> list[Artist]:
    """What the signs of `draw_links` mean, of those that are there."""
    found: list[Artist] = [Patch(color="black", label="DRAM port")] if mesh.ports else []
    if any(mesh.has_router(tile) and tile not in mesh.usable for tile in mesh.places):
        found.append(Patch(**FAULTY, label="does not compute"))
    if not all(map(mesh.has_router, mesh.places)):
        found.append(Patch(**MISSING, label="missing"))
    if any(mesh.is_broken(link) for link in mesh.links):
        found.append(Line2D([], [], **CROSS, linestyle="none", label="broken link"))
    return found
