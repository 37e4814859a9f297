"""A picture of the trade between throughput and what compression loses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from instances.instance import Instance
from schedules.draw_steps import Step, certainly, plot_steps, save_front
from schedules.evaluate import Evaluation

LossCost = tuple[float, Evaluation]
"""What a schedule loses, as in the table of losses, and what it costs."""


def draw_loss_front(
    instance: Instance,
    points: Sequence[LossCost],
    path: str | Path,
    proved: Sequence[bool] | None = None,
) -> None:
    """Write a picture of a front of throughput and loss.

    Args:
        instance: gives name, batch and clock.
        points: of the front's schedules, at least one, in any order.
        path: ends in .png or .svg.
        proved: whether each point is certainly on the front; all are by default.

    Raises:
        ValueError: another ending, or no point.
        OSError: the file cannot be written.
    """
    save_front(lambda ax: plot_loss_front(instance, points, ax=ax, proved=proved), path)


def plot_loss_front(
    instance: Instance,
    points: Sequence[LossCost],
    *,
    ax: Axes,
    proved: Sequence[bool] | None = None,
) -> None:
    """Plot a front of throughput and loss on given axes: steps, what loses nothing marked.

    What lies below and to the right of the steps is reached by a schedule of the front.

    Args:
        instance, points, proved: as for `draw_loss_front`.

    Raises:
        ValueError: no point.
    """
    certain = certainly(points, proved)
    scale, unit = _rate_unit(instance)
    steps = [
        Step(loss, cost.throughput * scale, sure, star=loss == 0)
        for (loss, cost), sure in zip(points, certain, strict=True)
    ]
    plot_steps(instance, steps, "without loss", ax)
    ax.set_xlabel("loss of all compression together")
    ax.set_ylabel(f"throughput ({unit})")


def _rate_unit(instance: Instance) -> tuple[float, str]:
    """What a sample a cycle is in the unit of the axis: samples a second where there is a clock."""
    if instance.package is None:
        return 1e6, "samples a million cycles"
    return float(instance.package.chiplet.clock_hz), "samples a second"
