"""What pictures of fronts share: steps through points, proved or not, and one that stands out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from instances.instance import Instance
from schedules.draw import save_picture
from schedules.draw_mesh import PALETTE
from schedules.schedule import counted


@dataclass(frozen=True)
class Step:
    """A point of a front.

    Attributes:
        x, y: where it is drawn.
        proved: whether it is certainly on the front.
        star: whether it stands out.
    """

    x: float
    y: float
    proved: bool
    star: bool = False


def certainly(points: Sequence[object], proved: Sequence[bool] | None) -> list[bool]:
    """Of each point, whether it is proved; all are where nobody says.

    Raises:
        ValueError: no point.
    """
    if not points:
        raise ValueError("a front without points cannot be drawn: there is no schedule")
    return [True] * len(points) if proved is None else list(proved)


def save_front(plot: Callable[[Axes], None], path: str | Path) -> None:
    """Write a picture of one front; `plot` puts it on axes.

    Raises:
        ValueError: another ending than .png or .svg, or what `plot` raises.
        OSError: the file cannot be written.
    """

    def figure() -> Figure:
        found = Figure(figsize=(7.5, 5), layout="constrained")
        plot(found.add_subplot())
        return found

    save_picture(figure, path)


def plot_steps(instance: Instance, steps: Sequence[Step], star: str, ax: Axes) -> None:
    """Plot steps through points, from left to right, and name the star in the legend."""
    front, bright = PALETTE[0], PALETTE[1]
    known = sorted(steps, key=lambda step: step.x)
    ax.step([s.x for s in known], [s.y for s in known], where="post", color=front, zorder=1)
    for wanted, face, label in ((True, front, "proved"), (False, "white", "not proved")):
        own = [step for step in known if step.proved == wanted]
        if own:
            ax.scatter(
                [s.x for s in own],
                [s.y for s in own],
                color=face,
                edgecolors=front,
                label=label,
                zorder=2,
            )
    for step in known:
        if step.star:
            ax.scatter(step.x, step.y, s=130, marker="*", color=bright, label=star, zorder=3)
    title = f"{instance.name}, batch {instance.batch}: {counted(len(known), 'point')}"
    ax.set_title(title, fontsize=11)
    ax.legend(fontsize=8)
