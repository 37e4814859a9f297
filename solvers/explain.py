"""Why there is no schedule: which conditions contradict each other, and what would help."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from instances.instance import Instance
from instances.tables import CostTables
from schedules.evaluate import cluster_memory
from schedules.goal import Goal
from schedules.schedule import Schedule
from solvers.explain_conditions import Condition, Kind, conditions_of, single, under
from solvers.explain_core import core_of, smallest
from solvers.explain_words import ...
from solvers.solve import solve

CORE_SHARE = 0.2
"""Share of the time limit for CP-SAT's search for a core."""


@dataclass(frozen=True)
class Reason:
    """One condition that contradicts the others.

    Attributes:
        kind: what it is.
        layers: names of the layers concerned; none for a condition on the whole schedule.
        limit: the buffer in bytes a chiplet, the cap or the limit; None for a pin.
        needed: the least limit with which there is a schedule, all else held; proved. None for a
            pin, where no limit would do, or where the time did not suffice.
        text: the condition in words.
        remedy: what would help, in words.
    """

    kind: Kind
    layers: tuple[str, ...]
    limit: int | None
    needed: int | None
    text: str
    remedy: str


@dataclass(frozen=True)
class Explanation:
    """Why there is no schedule.

    Attributes:
        headline: in a sentence.
        reasons: conditions that contradict each other, none of them for nothing.
        confirmed: a proof of their own says so: without any other condition there is no schedule.
    """

    headline: str
    reasons: tuple[Reason, ...]
    confirmed: bool

    def lines(self) -> list[str]:
        """The explanation as text."""
        return [self.headline, *(f"- {reason.text}: {reason.remedy}" for reason in self.reasons)]
