"""Schedules to begin with."""

from __future__ import annotations

from collections.abc import Callable

from instances.instance import Instance
from schedules.progress import Progress, Stop, TracePoint


def suggest_from(
    method: Callable[[Instance, Progress, int, int], Stop],
    allowed: Instance,
    progress: Progress,
    workers: int,
) -> Stop:
    """Suggest every better schedule that a method finds on the instance that is `allowed`.

    The method runs with a progress of its own: it may break what the goal asks beyond that. Returns
    why it stopped.
    """

    def pass_on(_: TracePoint) -> None:
        if own.best is not None:
            progress.suggest(own.best)

    own = Progress(allowed, progress.remaining, pass_on)
    return method(allowed, own, 0, workers)
