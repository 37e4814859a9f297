"""The status line of a long run: on a terminal only, and only on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chipweave.output import visible

if TYPE_CHECKING:
    from rich.text import Text

    from schedules.progress import TracePoint


class Status:
    """What a run has reached; drawn anew several times a second while `live` is open.

    Attributes:
        task: what runs, as the user calls it.
    """

    def __init__(self, task: str) -> None:
        self._begin(task)

    def _begin(self, task: str) -> None:
        self.task = task
        self._start = time.perf_counter()
        self._point: TracePoint | None = None

    def watch(self, task: str) -> Status:
        """Begin another task; the status itself listens to its run."""
        self._begin(task)
        return self

    def __call__(self, point: TracePoint) -> None:
        """Take note of an improvement: a status is a listener."""
        self._point = point

    def __rich__(self) -> Text:
        from rich.text import Text

        return Text(visible(self.line()), no_wrap=True, overflow="ellipsis")

    def line(self) -> str:
        """Task, seconds, incumbent, bound and gap, as far as they are known."""
        parts = [f"{self.task}: {time.perf_counter() - self._start:.1f} s"]
        point = self._point
        if point is not None and point.objective is not None:
            parts.append(f"incumbent {point.objective:,}")
        if point is not None and point.bound is not None:
            parts.append(f"bound {point.bound:,.0f}")
            if point.objective:
                parts.append(f"gap {(point.objective - point.bound) / point.objective:.2%}")
        return "  ".join(parts)


@contextmanager
def live(task: str) -> Iterator[Status]:
    """A status that shows while the block runs, if standard error is a terminal."""
    status = Status(task)
    if not sys.stderr.isatty():
        yield status
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    with Live(status, console=console, refresh_per_second=8, transient=True):
        yield status
