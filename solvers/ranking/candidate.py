"""The schedule of a method, as a member of the space in which it is ranked."""

from __future__ import annotations

from dataclasses import replace

from heuristics.scope import SCOPE, WIDE, Steps, search
from instances.instance import Instance
from schedules.goal import Goal
from schedules.progress import Progress
from schedules.schedule import Schedule
from solvers.ranking.place import Effort
from solvers.ranking.space import Space
from solvers.solve import METHODS, solve

SEARCHES = {"scope": SCOPE, "scope+": WIDE}
"""Methods that can be held to one segment by their steps."""


def candidate(instance: Instance, method: str, space: Space, effort: Effort) -> Schedule | None:
    """What a method finds, in one segment if the space has no others; None if nothing.

    Methods that cannot be held to one segment return what they find.

    Raises:
        ValueError: as `solvers.solve.solve`.
    """
    one = space.segments == "one"
    if one and method in SEARCHES:
        return _in_one_segment(instance, SEARCHES[method], effort)
    goal = Goal(segments=1) if one and METHODS[method].goals != "latency" else None
    return solve(
        instance,
        method,
        goal=goal,
        time_limit=effort.time_limit,
        seed=effort.seed,
        workers=effort.workers,
    ).schedule


def _in_one_segment(instance: Instance, steps: Steps, effort: Effort) -> Schedule | None:
    """What Scope's steps 2 to 4 make of the whole network."""
    progress = Progress(instance, effort.time_limit)
    search(instance, progress, effort.workers or 1, replace(steps, resolution=0))
    return progress.best
