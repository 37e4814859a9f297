"""What a schedule of several models says: windows, the models' runs in each, their stages.

The words of SCAR (arXiv 2405.00790), but for one: its segment, a run of layers on one chiplet, is a
*stage* here, as a segment is something else in this project.
"""

from __future__ import annotations

from dataclasses import dataclass

from instances.package import Tile


@dataclass(frozen=True)
class Stage:
    """Units of one model on one chiplet.

    Attributes:
        first, last: units, both inclusive.
        tile: [x, y] of the chiplet.
    """

    first: int
    last: int
    tile: Tile


@dataclass(frozen=True)
class Run:
    """What one model does in a window: mini-batches pass through its stages.

    Attributes:
        job: number of the model.
        mini_batch: samples that pass together, a divisor of the model's batch.
        stages: in the order of the units, each on a chiplet of its own.
        start: cycles after the window's begin; other than 0 where models take turns.
    """

    job: int
    mini_batch: int
    stages: tuple[Stage, ...]
    start: int = 0


@dataclass(frozen=True)
class Window:
    """Runs of different models side by side; a window ends when all have ended."""

    runs: tuple[Run, ...]


@dataclass(frozen=True)
class WindowSchedule:
    """Windows, one after the other."""

    windows: tuple[Window, ...]
