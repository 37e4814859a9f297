"""A picture of the trade between throughput and what compression loses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from instances.instance import Instance
from schedules.draw import save_picture
from schedules.draw_mesh import PALETTE
from schedules.evaluate import Evaluation
from schedules.schedule import counted

FRONT, PLAIN = PALETTE[0], PALETTE[1]

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

    def figure() -> Figure:
        found = Figure(figsize=(7.5, 5), layout="constrained")
        plot_loss_front(instance, points, ax=found.add_subplot(), proved=proved)
        return found

    save_picture(figure, path)


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
    if not points:
        raise ValueError("a front without points cannot be drawn: there is no schedule")
    certain = [True] * len(points) if proved is None else list(proved)
    known = sorted(zip(points, certain, strict=True), key=lambda one: one[0][0])
    scale, unit = _rate_unit(instance)
    losses = [loss for (loss, _), _ in known]
    rates = [cost.throughput * scale for (_, cost), _ in known]
    ax.step(losses, rates, where="post", color=FRONT, zorder=1)
    for wanted, face, label in ((True, FRONT, "proved"), (False, "white", "not proved")):
        at = [place for place, (_, sure) in enumerate(known) if sure == wanted]
        if at:
            ax.scatter(
                [losses[k] for k in at],
                [rates[k] for k in at],
                color=face,
                edgecolors=FRONT,
                label=label,
                zorder=2,
            )
    if losses[0] == 0:
        label = "without loss"
        ax.scatter(losses[0], rates[0], s=130, marker="*", color=PLAIN, label=label, zorder=3)
    ax.set_xlabel("loss of all compression together")
    ax.set_ylabel(f"throughput ({unit})")
    ax.set_title(
        f"{instance.name}, batch {instance.batch}: {counted(len(known), 'point')}", fontsize=11
    )
    ax.legend(fontsize=8)


def _rate_unit(instance: Instance) -> tuple[float, str]:
    """What a sample a cycle is in the unit of the axis: samples a second where there is a clock."""
    if instance.package is None:
        return 1e6, "samples a million cycles"
    return float(instance.package.chiplet.clock_hz), "samples a second"
