"""A picture of the trade between latency and energy."""

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

FRONT, LOWEST = PALETTE[0], PALETTE[1]


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

    def figure() -> Figure:
        found = Figure(figsize=(7.5, 5), layout="constrained")
        plot_front(instance, points, ax=found.add_subplot(), proved=proved)
        return found

    save_picture(figure, path)


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
    if not points:
        raise ValueError("a front without points cannot be drawn: there is no schedule")
    certain = [True] * len(points) if proved is None else list(proved)
    pairs = sorted(zip(points, certain, strict=True), key=lambda pair: pair[0].latency)
    seconds, unit = _time_unit(instance)
    latencies = [point.latency * seconds for point, _ in pairs]
    energies = [point.energy * 1e-9 for point, _ in pairs]
    ax.step(latencies, energies, where="post", color=FRONT, zorder=1)
    for wanted, face, label in ((True, FRONT, "proved"), (False, "white", "not proved")):
        at = [place for place, (_, sure) in enumerate(pairs) if sure == wanted]
        if at:
            ax.scatter(
                [latencies[k] for k in at],
                [energies[k] for k in at],
                color=face,
                edgecolors=FRONT,
                label=label,
                zorder=2,
            )
    lowest = min(range(len(pairs)), key=lambda k: pairs[k][0].edp)
    ax.scatter(
        latencies[lowest],
        energies[lowest],
        s=130,
        marker="*",
        color=LOWEST,
        label="lowest energy-delay product",
        zorder=3,
    )
    ax.set_xlabel(f"latency of the batch ({unit})")
    ax.set_ylabel("energy of the batch (mJ)")
    ax.set_title(
        f"{instance.name}, batch {instance.batch}: {counted(len(pairs), 'point')}", fontsize=11
    )
    ax.legend(fontsize=8)


def _time_unit(instance: Instance) -> tuple[float, str]:
    """What a cycle is in the unit of the axis: milliseconds where there is a clock."""
    if instance.package is None:
        return 1.0, "cycles"
    return 1e3 / instance.package.chiplet.clock_hz, "ms"
