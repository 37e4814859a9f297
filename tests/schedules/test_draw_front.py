"""Pictures of a front: what is drawn are its points, in the units that the axes name."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from instances.cost import make_instance
from instances.generate import random_instance
from instances.networks import build_network
from instances.packages import load_package
from schedules.draw_front import draw_front, plot_front
from schedules.evaluate import Evaluation

ALEXNET = make_instance(build_network("alexnet"), load_package("simba-4x4"), 64)
TABLE = random_instance(1, layers=2, chiplets=2, options=1)


def cost(latency: int, energy: int) -> Evaluation:
    return Evaluation(latency, 1 / latency, energy, 1.0, ())


POINTS = [cost(30, 2 * 10**9), cost(10, 9 * 10**9), cost(20, 4 * 10**9)]
"""In no order; the second by latency has a product between the others'."""


def new_axes() -> Axes:
    return Figure().add_subplot()


def marked(ax: Axes, label: str) -> list[tuple[float, float]]:
    """The points drawn under a label of the legend."""
    (points,) = [
        item
        for item in ax.collections
        if isinstance(item, PathCollection) and item.get_label() == label
    ]
    return [(float(x), float(y)) for x, y in np.asarray(points.get_offsets())]


def test_steps_go_through_the_points_from_the_fastest_on() -> None:
    ax = new_axes()
    plot_front(TABLE, POINTS, ax=ax)
    (line,) = ax.get_lines()
    assert np.asarray(line.get_xydata()).tolist() == [[10, 9], [20, 4], [30, 2]]
    assert line.get_drawstyle() == "steps-post"
    assert marked(ax, "proved") == [(10, 9), (20, 4), (30, 2)]
    assert ax.get_xlabel() == "latency of the batch (cycles)"
    assert ax.get_ylabel() == "energy of the batch (mJ)"


def test_the_lowest_product_is_marked() -> None:
    ax = new_axes()
    plot_front(TABLE, [*POINTS, cost(25, 2 * 10**9)], ax=ax)
    assert marked(ax, "lowest energy-delay product") == [(25, 2)]


def test_what_is_not_proved_looks_different() -> None:
    ax = new_axes()
    plot_front(TABLE, POINTS, ax=ax, proved=[False, True, True])
    assert marked(ax, "proved") == [(10, 9), (20, 4)]
    assert marked(ax, "not proved") == [(30, 2)]


def test_with_a_clock_the_axis_is_in_milliseconds() -> None:
    ax = new_axes()
    plot_front(ALEXNET, [cost(500_000, 10**9)], ax=ax)  # at 500 MHz
    assert marked(ax, "proved") == [(1.0, 1.0)]
    assert ax.get_xlabel().endswith("(ms)")


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_a_picture_is_written(tmp_path: Path, suffix: str, magic: bytes) -> None:
    path = tmp_path / f"front{suffix}"
    draw_front(TABLE, POINTS, path)
    assert path.read_bytes().startswith(magic)


def test_the_same_front_is_the_same_svg(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw_front(TABLE, POINTS, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_neither_nothing_nor_another_kind_of_picture_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without points"):
        draw_front(TABLE, [], tmp_path / "a.svg")
    with pytest.raises(ValueError, match=r"\.png or \.svg"):
        draw_front(TABLE, POINTS, tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []


def test_an_unequal_number_of_proofs_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        plot_front(TABLE, POINTS, ax=new_axes(), proved=[True])
