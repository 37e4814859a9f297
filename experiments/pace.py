"""How long a row of runs will take."""

from __future__ import annotations

import time
from collections.abc import Sequence


class Pace:
    """How much is done, and how long the rest will take if all goes on as it did.

    The first step counts for nothing: it loads what the others find loaded.

    Args:
        sizes: of the steps to come, roughly proportional to their run times.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self._steps = len(sizes)
        self._left = sum(sizes)
        self._done = 0
        self._work = 0
        self._start = 0.0

    def step(self, size: int) -> None:
        """Note that a step is done."""
        if self._done == 0:
            self._start = time.perf_counter()
        else:
            self._work += size
        self._done += 1
        self._left -= size

    @property
    def seconds_left(self) -> float | None:
        """None before anything can be said."""
        if not self._work:
            return None
        return (time.perf_counter() - self._start) * self._left / self._work

    @property
    def left(self) -> str:
        """The same in words; empty before anything can be said."""
        left = self.seconds_left
        return "" if left is None else duration(left)

    def __str__(self) -> str:
        told = f", some {self.left} left" if self.left else ""
        return f"{self._done} of {self._steps} done{told}"


def duration(seconds: float) -> str:
    """A time in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
