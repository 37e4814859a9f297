"""The schedule of a method, as a member of the space in which it is ranked."""

from __future__ import annotations

from heuristics.scope.search import _Search
from instances.instance import Instance
from instances.stages import FAR
from schedules.goal import Goal
from schedules.schedule import Schedule
from solvers.ranking.place import Effort
from solvers.ranking.space import Space
from solvers.solve import METHODS, solve


def candidate(instance: Instance, method: str, space: Space, effort: Effort) -> Schedule | None:
    """What a method finds, in one segment if the space has no others; None if nothing.

    Methods that cannot be held to one segment return what they find.

    Raises:
        ValueError: as `solvers.solve.solve`.
    """
    one = space.segments == "one"
    if method == "scope" and one:
        return _scope_in_one_segment(instance)
    goal = Goal(segments=1) if one and METHODS[method].goals != "latency" else None
    return solve(
        instance,
        method,
        goal=goal,
        time_limit=effort.time_limit,
        seed=effort.seed,
        workers=effort.workers,
    ).schedule


def _scope_in_one_segment(instance: Instance) -> Schedule | None:
    """What Scope's steps 2 to 4 make of the whole network."""
    search = _Search(instance)
    last = len(instance.layers) - 1
    if search._cost(0, last) == FAR:
        return None
    return Schedule((search.segment(0, last),))
