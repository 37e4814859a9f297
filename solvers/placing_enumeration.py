"""Placement by enumeration of all candidates: the yardstick of the models, for tiny meshes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from formulations.placement.shapes import Place, places
from instances.package import Tile
from schedules.placement import PlacementProblem, placement_cost
from schedules.traffic import Places
from solvers.placing import Goal, PlacedProblem, PlaceOptions, Step


def by_enumeration(problem: PlacementProblem, options: PlaceOptions) -> PlacedProblem:
    """The best of all places of a family; what is minimised counts in order."""
    begin = time.perf_counter()
    candidates = [places(problem.mesh, size, options.family) for size in problem.sizes]
    best: Places | None = None
    least: tuple[int, ...] | None = None
    for found in _disjoint(candidates):
        if options.end is not None and time.perf_counter() > options.end:
            return _unproved(options.goals[0], best, least, time.perf_counter() - begin)
        cost = placement_cost(problem, found)
        values = {"hops": cost.byte_hops, "load": cost.busiest}
        costs = tuple(values[goal] for goal in options.goals)
        if least is None or costs < least:
            best, least = found, costs
    seconds = time.perf_counter() - begin
    if least is None:
        return PlacedProblem(
            None, None, (Step(options.goals[0], "infeasible", None, None, seconds),)
        )
    shares = seconds / len(least)
    steps = [Step(g, "optimal", c, c, shares) for g, c in zip(options.goals, least, strict=True)]
    return PlacedProblem(best, None, tuple(steps))


def _unproved(
    goal: Goal, best: Places | None, least: tuple[int, ...] | None, seconds: float
) -> PlacedProblem:
    objective = None if least is None else least[0]
    return PlacedProblem(best, None, (Step(goal, "time-limit", objective, None, seconds),))


def _disjoint(
    candidates: Sequence[Sequence[Place]], taken: frozenset[Tile] = frozenset()
) -> Iterator[list[tuple[Tile, ...]]]:
    """All ways to choose a place for each region so that none overlap."""
    if not candidates:
        yield []
        return
    for place in candidates[0]:
        if not place.held & taken:
            for others in _disjoint(candidates[1:], taken | place.held):
                yield [place.tiles, *others]
