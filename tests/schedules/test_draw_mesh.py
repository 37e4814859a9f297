"""Pictures of a mesh: every link has its colour, every fault its sign."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from instances.cost import make_instance
from instances.mesh import Mesh
from instances.networks import build_network
from instances.package import Faults
from instances.packages import load_package
from schedules.draw import schedule_figure
from schedules.draw_mesh import CHIP, IDLE, PALETTE, draw_links, links_legend
from schedules.links import segment_links
from schedules.place import mesh_of, with_places
from schedules.schedule import Cluster, Schedule, Segment

FAULTS = Faults(chiplets=((1, 0),), missing=((2, 2),), links=(((0, 0), (0, 1)),))
PACKAGE = load_package("simba-4x4")
WHOLE = make_instance(build_network("alexnet"), PACKAGE, 4)
FAULTY = make_instance(build_network("alexnet"), replace(PACKAGE, faults=FAULTS), 4)
TWO = Segment((Cluster(0, 0, 5, ("ISP",)), Cluster(1, 1, 6, ("ISP",))))


def drawn(segment: Segment, mesh: Mesh, loads: np.ndarray) -> Axes:
    ax = Figure().add_subplot()
    draw_links(segment, mesh, loads, ax=ax)
    return ax


def arrows(ax: Axes) -> PolyCollection:
    (found,) = [item for item in ax.collections if isinstance(item, PolyCollection)]
    return found


def chips(ax: Axes) -> dict[tuple[int, int], Rectangle]:
    """The squares, by place."""
    squares = [p for p in ax.patches if isinstance(p, Rectangle) and p.get_width() == CHIP]
    return {(round(p.get_x() + CHIP / 2), round(p.get_y() + CHIP / 2)): p for p in squares}


def test_each_link_has_an_arrow_and_the_busiest_the_darkest() -> None:
    mesh = mesh_of(WHOLE)
    (segment,) = with_places(Schedule((TWO,)), mesh).segments
    loads = segment_links(WHOLE, segment).loads
    ax = drawn(segment, mesh, loads)
    assert len(arrows(ax).get_paths()) == len(mesh.links)
    colours = arrows(ax).get_facecolor()
    brightness = np.asarray(colours)[:, :3].sum(axis=1)
    carried = sorted(loads)
    for k, (less, more) in enumerate(pairwise(carried)):
        assert brightness[k + 1] <= brightness[k]
        assert (brightness[k + 1] < brightness[k]) or more - less <= carried[-1] / 128


def test_an_arrow_points_along_its_link() -> None:
    mesh = Mesh((2, 2), 2)
    loads = np.zeros(len(mesh.links), dtype=np.int64)
    for k, ((x, y), (u, v)) in enumerate(mesh.links):
        loads[:], loads[k] = 0, 7
        shape = arrows(drawn(Segment(()), mesh, loads)).get_paths()[-1].vertices
        tip = np.asarray(shape)[3]
        middle = np.array([(x + u) / 2, (y + v) / 2])
        assert (tip - middle) @ np.array([u - x, v - y]) > 0.1


def test_regions_have_their_colours_and_faults_their_signs() -> None:
    mesh = mesh_of(FAULTY)
    (segment,) = with_places(Schedule((TWO,)), mesh).segments
    ax = drawn(segment, mesh, segment_links(FAULTY, segment).loads)
    found = chips(ax)
    assert set(found) == set(mesh.places)
    for k, cluster in enumerate(segment.clusters):
        assert {found[t].get_facecolor() for t in cluster.tiles or ()} == {to_rgba(PALETTE[k])}
    assert found[1, 0].get_hatch()
    assert found[2, 2].get_linestyle() in (":", "dotted")
    assert sum(p.get_facecolor() == to_rgba(IDLE) for p in found.values()) == 14 - 11
    crosses = [line for line in ax.lines if line.get_marker() == "x"]
    assert {tuple(np.ravel(cross.get_xydata()).tolist()) for cross in crosses} == {(0.0, 0.5)}
    assert len(arrows(ax).get_paths()) == len(mesh.links) - 2 - 8
    signs = [str(sign.get_label()) for sign in links_legend(mesh)]
    assert signs == ["DRAM port", "does not compute", "missing", "broken link"]
    assert [str(sign.get_label()) for sign in links_legend(mesh_of(WHOLE))] == ["DRAM port"]


@pytest.mark.parametrize("placed", [True, False])
def test_links_are_drawn_where_the_schedule_says_where_its_regions_lie(placed: bool) -> None:
    rest = Segment((Cluster(2, len(WHOLE.layers) - 1, 16, ("ISP",) * (len(WHOLE.layers) - 2)),))
    schedule = Schedule((TWO, rest))
    if placed:
        schedule = with_places(schedule, mesh_of(WHOLE))
    figure = schedule_figure(WHOLE, schedule)
    titles = [ax.get_title() for ax in figure.get_axes()]
    assert any("busiest link" in title for title in titles) == placed
