"""Places without proofs: along the snake, and by the fast placer. Families play no part."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from heuristics.placement import place_fast
from schedules.place import snake
from schedules.placement import PlacementProblem, placement_cost
from schedules.regions import connected_regions
from schedules.traffic import Places

if TYPE_CHECKING:
    from solvers.placing import PlacedProblem, PlaceOptions


def by_snake(problem: PlacementProblem, options: PlaceOptions) -> PlacedProblem:
    """In the order of the pipeline along the snake, around faults."""
    began = time.perf_counter()
    order = [tile for tile in snake(problem.mesh.size) if tile in problem.mesh.usable]
    found = connected_regions(problem.mesh, order, problem.sizes)
    return _placed(problem, options, found, began)


def by_search(problem: PlacementProblem, options: PlaceOptions) -> PlacedProblem:
    """Along curves in good orders, then simulated annealing."""
    began = time.perf_counter()
    left = None if options.end is None else max(0.0, options.end - began)
    found = place_fast(problem, options.objective, seed=options.seed, time_limit=left)
    return _placed(problem, options, found, began)


def _placed(
    problem: PlacementProblem, options: PlaceOptions, places: Places | None, began: float
) -> PlacedProblem:
    """One step, without a bound, towards the first thing that is to be least."""
    from solvers.placing import PlacedProblem, Step

    goal, value = options.goals[0], None
    if places is not None:
        cost = placement_cost(problem, places)
        value = cost.byte_hops if goal == "hops" else cost.busiest
    return PlacedProblem(
        places, None, (Step(goal, "finished", value, None, time.perf_counter() - began),)
    )
