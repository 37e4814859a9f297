"""Pictures of throughput against loss: what is drawn are the points, in the axes' units."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from instances.cost import make_instance
from instances.generate import random_instance
from instances.networks import build_network
from instances.packages import load_package
from schedules.draw_loss_front import draw_loss_front, plot_loss_front
from schedules.evaluate import Evaluation

TABLE = random_instance(1, layers=2, chiplets=2, options=1)


def cost(throughput: float) -> Evaluation:
    return Evaluation(round(1 / throughput), throughput, 1, 1.0, ())


POINTS = [(0.02, cost(0.25)), (0.0, cost(0.125)), (0.01, cost(0.2))]
"""In no order."""


def test_steps_rise_with_the_loss_and_what_loses_nothing_is_marked() -> None:
    ax = Figure().add_subplot()
    plot_loss_front(TABLE, POINTS, ax=ax, proved=[True, True, False])
    (line,) = ax.get_lines()
    assert np.asarray(line.get_xydata()).tolist() == [[0, 125e3], [0.01, 2e5], [0.02, 25e4]]
    assert line.get_drawstyle() == "steps-post"
    drawn = {item.get_label(): np.asarray(item.get_offsets()).tolist() for item in ax.collections}
    assert drawn == {
        "proved": [[0, 125e3], [0.02, 25e4]],
        "not proved": [[0.01, 2e5]],
        "without loss": [[0, 125e3]],
    }
    assert ax.get_ylabel() == "throughput (samples a million cycles)"


def test_with_a_clock_the_throughput_is_in_samples_a_second() -> None:
    alexnet = make_instance(build_network("alexnet"), load_package("simba-4x4"), 64)
    ax = Figure().add_subplot()
    plot_loss_front(alexnet, [(0.5, cost(0.125))], ax=ax)  # at 500 MHz
    (line,) = ax.get_lines()
    assert np.asarray(line.get_xydata()).tolist() == [[0.5, 62.5e6]]
    assert ax.get_ylabel() == "throughput (samples a second)"
    assert "without loss" not in [item.get_label() for item in ax.collections]


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_a_picture_is_written(tmp_path: Path, suffix: str, magic: bytes) -> None:
    path = tmp_path / f"front{suffix}"
    draw_loss_front(TABLE, POINTS, path)
    assert path.read_bytes().startswith(magic)


def test_a_front_without_points_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without points"):
        draw_loss_front(TABLE, [], tmp_path / "front.svg")
