"""What is asked of a schedule of several models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from schedules.windows.evaluate import WindowEvaluation

Objective = Literal["latency", "energy", "edp", "throughput"]

OBJECTIVES: tuple[Objective, ...] = get_args(Objective)

UNITS: dict[Objective, str] = {
    "latency": "cycles",
    "energy": "pJ",
    "edp": "pJ x cycles",
    "throughput": "cycles a round",
}
"""Of the values that are minimised; throughput is rounds a cycle, its inverse."""

DEFAULT_WINDOWS = 5
"""SCAR splits the layers in up to four places."""


@dataclass(frozen=True)
class WindowGoal:
    """What to minimise, and what a schedule may do.

    Attributes:
        objective: latency; energy; edp, their product; or throughput, of which the period, the
            cycles between the ends of two rounds that follow each other, is minimised.
        windows: how many there may be.
        pipelined: stages work on different mini-batches at once; otherwise a mini-batch enters
            after the one before it has left.
        shared: models may take turns on chiplets within a window.

    Raises:
        ValueError: an unknown objective, or no window.
    """

    objective: Objective = "latency"
    windows: int = DEFAULT_WINDOWS
    pipelined: bool = True
    shared: bool = False

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            known = ", ".join(OBJECTIVES)
            raise ValueError(f"unknown objective {self.objective!r}: choose one of {known}")
        if self.windows < 1:
            raise ValueError(f"{self.windows} windows: expected at least 1")

    def value(self, evaluation: WindowEvaluation) -> int:
        """The objective's value."""
        if self.objective == "latency":
            return evaluation.latency
        if self.objective == "energy":
            return evaluation.energy
        return evaluation.edp if self.objective == "edp" else evaluation.period
