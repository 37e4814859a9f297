"""Places for the regions of a schedule: models and enumeration, each result checked and costed.

Segments are problems of their own; segments with the same problem share one answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Literal

from formulations.placement.shapes import FAMILIES
from heuristics.placement import place_fast
from instances.instance import Instance
from schedules.compressed import refuse_compressed
from schedules.place import snake
from schedules.placement import (
    PlacementCost,
    PlacementProblem,
    misplaced,
    placement_cost,
    placement_problem,
)
from schedules.progress import Stop, gap_of
from schedules.schedule import Schedule, Segment
from schedules.traffic import Places

if TYPE_CHECKING:
    from solvers.engines.engine import Kind

Goal = Literal["hops", "load"]

Objective = Literal["hops", "load", "both"]

OBJECTIVES: dict[Objective, tuple[Goal, ...]] = {
    "hops": ("hops",),
    "load": ("load",),
    "both": ("load", "hops"),
}
"""Objective -> what is minimised, one after another."""


@dataclass(frozen=True)
class Step:
    """The search for the least of one thing, among the places that earlier steps found best.

    Attributes:
        goal: hops, bytes times links; or load, bytes on the busiest link.
        stop: why it ended; `optimal` only if proved.
        objective: what the places cost, recomputed; None without any.
        bound: no places cost less; None if unknown.
        runtime_s: wall time.
    """

    goal: Goal
    stop: Stop
    objective: int | None
    bound: int | None
    runtime_s: float

    @property
    def gap(self) -> float | None:
        """(objective - bound) / objective; None if one is unknown."""
        return gap_of(self.objective, self.bound)


@dataclass(frozen=True)
class PlacedProblem:
    """Places for a problem, and what is known about them.

    Attributes:
        places: of each region; None if none were found.
        cost: None without places.
        steps: what was minimised, in order; a method without proofs has none.
    """

    places: Places | None
    cost: PlacementCost | None
    steps: tuple[Step, ...] = ()

    @property
    def stop(self) -> Stop:
        """Why the last step ended: `optimal` only if all are proved."""
        return self.steps[-1].stop if self.steps else "finished"

    @property
    def runtime_s(self) -> float:
        """Wall time of all steps."""
        return sum(step.runtime_s for step in self.steps)


@dataclass(frozen=True)
class Placed:
    """A schedule with places.

    Attributes:
        schedule: regions without places are those of segments for which none were found.
        segments: by number of the segment; tiled ones, which take the whole package, have none.
    """

    schedule: Schedule
    segments: dict[int, PlacedProblem]


@dataclass(frozen=True)
class PlaceOptions:
    """How places are looked for.

    Attributes:
        family: of places, one of `formulations.placement.shapes.FAMILIES`.
        objective: one of OBJECTIVES.
        engine: to run the model; the best that is here by default.
        formulation: one of FORMULATIONS of `solvers.placing_models`; by default candidates where
            they are few enough.
        end: when to stop, as `time.perf_counter` tells the time.
        seed, workers: for the engine.
    """

    family: str = "rectangles"
    objective: Objective = "both"
    engine: str | None = None
    formulation: str | None = None
    end: float | None = None
    seed: int = 0
    workers: int = 1

    def ending(self, seconds: float) -> PlaceOptions:
        """The same, with so much time from now on."""
        return replace(self, end=time.perf_counter() + seconds)

    @property
    def goals(self) -> tuple[Goal, ...]:
        """What is minimised, one after another."""
        return OBJECTIVES[self.objective]


Placer = Callable[[PlacementProblem, PlaceOptions, Sequence[Places]], PlacedProblem]
"""(problem, options, places from which to start) -> places."""


def _model(kind: Kind) -> Placer:
    """The method that takes models of one kind."""

    def placer(
        problem: PlacementProblem, options: PlaceOptions, starts: Sequence[Places]
    ) -> PlacedProblem:
        from solvers.placing_models import by_model

        return by_model(kind, problem, options, starts)

    return placer


def _exact(
    problem: PlacementProblem, options: PlaceOptions, starts: Sequence[Places]
) -> PlacedProblem:
    """The kind of model that proves fastest: see `chipweave bench placement`."""
    if options.engine is not None:
        raise ValueError("exact chooses its engine itself: take cpsat or milp with an engine")
    return _model("cpsat")(problem, options, starts)


def _enumerate(
    problem: PlacementProblem, options: PlaceOptions, starts: Sequence[Places]
) -> PlacedProblem:
    from solvers.placing_enumeration import by_enumeration

    return by_enumeration(problem, options)


def _snake(problem: PlacementProblem, options: PlaceOptions, start: object) -> PlacedProblem:
    from solvers.placing_fast import by_snake

    return by_snake(problem, options)


def _fast(problem: PlacementProblem, options: PlaceOptions, start: object) -> PlacedProblem:
    from solvers.placing_fast import by_search

    return by_search(problem, options)


PLACE_METHODS: dict[str, Placer] = {
    "snake": _snake,
    "fast": _fast,
    "exact": _exact,
    "cpsat": _model("cpsat"),
    "milp": _model("milp"),
    "enumerate": _enumerate,
}
"""Method -> what places the regions of one segment; snake and fast without proof."""

STARTED = ("exact", "cpsat", "milp")
"""Methods that begin from places."""


def place(  # noqa: PLR0913 - the one call that everything goes through
    instance: Instance,
    schedule: Schedule,
    method: str = "exact",
    *,
    family: str = "rectangles",
    objective: Objective = "both",
    engine: str | None = None,
    formulation: str | None = None,
    start: Schedule | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    workers: int = 1,
) -> Placed:
    """Find places for all regions of a schedule.

    Args:
        method: one of PLACE_METHODS; exact takes CP-SAT, the fastest.
        family: rectangles, intervals of the snake, or free: any connected shape.
        objective: hops, the least bytes times links; load, the least bytes on the busiest link; or
            both, the least hops among the places with the least load.
        engine: for cpsat and milp, one of `solvers.engines.ENGINES`.
        formulation: for the models, candidates or tiles, which has free shapes only; by default
            candidates, unless a region has too many.
        start: for the models, a schedule with the same regions, with places from which to
            start; by default those of the snake and, for free shapes, of the fast placer.
        time_limit: wall seconds for all segments together.

    Raises:
        ValueError: a table instance, a schedule with compressed tensors, an unknown name, or a
            start that cannot be used.
        RuntimeError: an engine failed, or a model was found to be wrong.
    """
    refuse_compressed(schedule, "placement")
    _expect("method", method, PLACE_METHODS)
    _expect("family of places", family, FAMILIES)
    _expect("objective of placement", objective, OBJECTIVES)
    end = None if time_limit is None else time.perf_counter() + time_limit
    options = PlaceOptions(family, objective, engine, formulation, end, seed, workers)
    known: dict[PlacementProblem, PlacedProblem] = {}
    found: dict[int, PlacedProblem] = {}
    segments = []
    for number, segment in enumerate(schedule.segments):
        if segment.tiled:
            segments.append(segment)
            continue
        problem = placement_problem(instance, segment)
        if problem not in known:
            starts = None if start is None else _start_of(problem, start, number)
            known[problem] = place_problem(problem, method, options, starts)
        found[number] = known[problem]
        segments.append(_with_tiles(segment, known[problem].places))
    return Placed(Schedule(tuple(segments)), found)


def _expect(what: str, name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise ValueError(f"unknown {what} {name!r}: choose one of {', '.join(known)}")


def place_problem(
    problem: PlacementProblem,
    method: str,
    options: PlaceOptions,
    starts: Sequence[Places] | None = None,
) -> PlacedProblem:
    """Find places for the regions of one segment.

    Args:
        method: one of PLACE_METHODS.
        starts: for the models, places from which to start; by default as in `place`.

    Raises:
        ValueError, RuntimeError: as `place`.
    """
    if starts is None:
        starts = _usual_starts(problem, options) if method in STARTED else []
    return _checked(problem, PLACE_METHODS[method](problem, options, starts))


def _start_of(problem: PlacementProblem, start: Schedule, number: int) -> list[Places]:
    """The places of a schedule for a segment."""
    clusters = start.segments[number].clusters if number < len(start.segments) else ()
    given = [cluster.tiles or () for cluster in clusters]
    wrong = misplaced(problem, given)
    if wrong:
        raise ValueError(f"the start cannot be used: segment {number}: {wrong[0]}; leave it out")
    return [given]


def _usual_starts(problem: PlacementProblem, options: PlaceOptions) -> list[Places]:
    """Those of the snake and, for free shapes, of the fast placer."""
    order = iter(tile for tile in snake(problem.mesh.size) if tile in problem.mesh.usable)
    found: list[Places | None] = [[tuple(islice(order, size)) for size in problem.sizes]]
    if options.family == "free":
        found.append(place_fast(problem, options.objective, seed=options.seed))
    return [places for places in found if places is not None and not misplaced(problem, places)]


def _with_tiles(segment: Segment, places: Places | None) -> Segment:
    tiles: Sequence[tuple[tuple[int, int], ...] | None] = (
        [None] * len(segment.clusters) if places is None else [tuple(p) for p in places]
    )
    clusters = [replace(c, tiles=t) for c, t in zip(segment.clusters, tiles, strict=True)]
    return replace(segment, clusters=tuple(clusters))


def _checked(problem: PlacementProblem, placed: PlacedProblem) -> PlacedProblem:
    """The same with its cost recomputed.

    Raises:
        RuntimeError: a defect of the method: its places are wrong.
    """
    if placed.places is None:
        return placed
    wrong = misplaced(problem, placed.places)
    if wrong:
        raise RuntimeError(f"the method found places that are wrong: {wrong[0]}")
    return replace(placed, cost=placement_cost(problem, placed.places))
