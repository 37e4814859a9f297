"""A picture of the trade between latency and energy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from instances.instance import Instance
from schedules.draw_steps import Step, certainly, plot_steps, save_front
from schedules.evaluate import Evaluation


def draw_front(
    instance: Instance,
    points: Sequence[Evaluation],
    path: str | Path,
    proved: Sequence[bool] | None = None,
) -> None:
    """Write a picture of a Pareto front.

    Args:
        instance: gives name and clock.
        points: costs of the front's schedules, at least one, in any order.
        path: ends in .png or .svg.
        proved: whether each point is certainly on the front; all are by default.

    Raises:
        ValueError: another ending, or no point.
        OSError: the file cannot be written.
    """
    save_front(lambda ax: plot_front(instance, points, ax=ax, proved=proved), path)


def plot_front(
    instance: Instance,
    points: Sequence[Evaluation],
    *,
    ax: Axes,
    proved: Sequence[bool] | None = None,
) -> None:
    """Plot a Pareto front on given axes: steps through its points, the lowest product marked.

    What lies above and to the right of the steps is reached by a schedule of the front; between
    two points nothing else is, if the front is complete.

    Args:
        instance, points, proved: as for `draw_front`.

    Raises:
        ValueError: no point.
    """
    certain = certainly(points, proved)
    seconds, unit = _time_unit(instance)
    lowest = min(range(len(points)), key=lambda k: (points[k].edp, points[k].latency))
    steps = [
        Step(point.latency * seconds, point.energy * 1e-9, sure, star=k == lowest)
        for k, (point, sure) in enumerate(zip(points, certain, strict=True))
    ]
    plot_steps(instance, steps, "lowest energy-delay product", ax)
    ax.set_xlabel(f"latency of the batch ({unit})")
    ax.set_ylabel("energy of the batch (mJ)")


def _time_unit(instance: Instance) -> tuple[float, str]:
    """What a cycle is in the unit of the axis: milliseconds where there is a clock."""
    if instance.package is None:
        return 1.0, "cycles"
    return 1e3 / instance.package.chiplet.clock_hz, "ms"
