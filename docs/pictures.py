"""Draw the pictures of docs/concepts.md anew: `python docs/pictures.py`.

They show real schedules and a real run, so they change when those do.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

import chipweave as cw

FOLDER = Path(__file__).parent / "pictures"
COLOURS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2", "#e45756", "#72b7b2")

plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "chipweave", "font.size": 9})


def save(figure: Any, folder: Path, name: str) -> None:
    """Write a picture that is the same, byte for byte, if nothing has changed."""
    figure.savefig(folder / name, metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)


def layers(folder: Path) -> None:
    """ResNet-18's best schedule as an interval of layers in clusters in segments."""
    instance = cw.instance("resnet18", "simba-4x4", batch=64)
    schedule = cw.solve(instance, "exact").schedule
    assert schedule is not None
    figure, axes = plt.subplots(figsize=(9, 2.1))
    count = 0
    for number, segment in enumerate(schedule.segments):
        first, last = segment.clusters[0].first, segment.clusters[-1].last
        axes.broken_barh([(first + 0.03, last - first + 0.94)], (0, 3), color="0.9")
        words = f"segment {number}" if last - first > 1 else str(number)
        axes.text((first + last + 1) / 2, 2.8, words, ha="center", va="top")
        for cluster in segment.clusters:
            size = cluster.last - cluster.first + 1
            colour = COLOURS[count % len(COLOURS)]
            axes.broken_barh([(cluster.first + 0.1, size - 0.2)], (1, 1.1), color=colour)
            words = f"{cluster.chiplets} chiplets" if size > 2 else str(cluster.chiplets)
            middle = cluster.first + size / 2
            axes.text(middle, 1.55, words, ha="center", va="center", color="white")
            count += 1
    for layer in range(len(instance.tables.layers)):
        axes.add_patch(plt.Rectangle((layer + 0.1, 0.2), 0.8, 0.6, color="white", ec="0.3"))
        axes.text(layer + 0.5, 0.5, str(layer), ha="center", va="center")
    axes.set_xlim(-2.2, len(instance.tables.layers))
    axes.set_ylim(-0.1, 3.1)
    for height, word in ((0.5, "layers"), (1.55, "clusters"), (2.6, "segments")):
        axes.text(-0.2, height, word, ha="right", va="center")
    axes.axis("off")
    save(figure, folder, "layers.svg")


def beat(folder: Path) -> None:
    """Five samples through three stages: the slowest one sets the beat."""
    times, samples = (3.0, 5.0, 4.0), 5
    slowest = max(times)
    figure, axes = plt.subplots(figsize=(9, 2.3))
    for stage, time in enumerate(times):
        for sample in range(samples):
            start = (stage + sample) * slowest
            bar = axes.barh(stage, time, left=start, height=0.7, color=COLOURS[sample])
            axes.bar_label(bar, [str(sample)], label_type="center", color="white")
            axes.barh(stage, slowest - time, left=start + time, height=0.7, color="0.93")
    beats = samples + len(times) - 1
    for number in range(beats + 1):
        axes.axvline(number * slowest, color="0.4", lw=0.6, ls=":")
    axes.set_yticks(
        range(len(times)), [f"cluster {k}: {time:.0f} cycles" for k, time in enumerate(times)]
    )
    axes.set_xticks([number * slowest for number in range(beats + 1)])
    axes.set_xlabel(
        f"cycles; a beat is {slowest:.0f}, and {samples} samples take {samples} + 3 - 1 beats"
    )
    axes.invert_yaxis()
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    save(figure, folder, "beat.svg")


def gap(folder: Path) -> None:
    """Incumbent and bound of a run, improvement by improvement, until they meet."""
    instance = cw.instance("mobilenet_v2", "simba-4x4", batch=64)
    run = cw.solve(instance, "exact", workers=1)
    steps = range(len(run.trace))
    objectives = [point.objective for point in run.trace]
    bounds = [point.bound for point in run.trace]
    figure, axes = plt.subplots(figsize=(9, 2.6))
    axes.step(steps, _millions(objectives), where="post", color=COLOURS[1], label="incumbent")
    axes.step(steps, _millions(bounds), where="post", color=COLOURS[0], label="bound")
    axes.set_xlabel("improvements of one of the two, in the order in which they were found")
    axes.set_ylabel("million cycles")
    axes.annotate("they meet: a proof", (steps[-1], objectives[-1] / 1e6), (0.72, 0.62),
                  textcoords="axes fraction", arrowprops={"arrowstyle": "->"})  # fmt: skip
    axes.set_ylim(top=1.005 * objectives[-1] / 1e6)  # the first incumbent is far above
    axes.legend(frameon=False, loc="lower right")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    save(figure, folder, "gap.svg")


def regions(folder: Path) -> None:
    """What `--plot` draws, of ResNet-18."""
    instance = cw.instance("resnet18", "simba-4x4", batch=64)
    schedule = cw.solve(instance, "exact").schedule
    assert schedule is not None
    cw.draw(instance, schedule, folder / "regions.png")


def _millions(values: list[Any]) -> list[float]:
    return [float("nan") if value is None else value / 1e6 for value in values]


def main(folder: Path = FOLDER) -> None:
    """Draw all pictures into a folder."""
    folder.mkdir(exist_ok=True)
    for draw in (layers, beat, gap, regions):
        draw(folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
