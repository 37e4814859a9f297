"""Placement by models: build, hint, run an engine, and believe only what the checker confirms."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from formulations.modellers import Modeller, Solution
from formulations.placement.candidates import Candidates, candidates
from formulations.placement.places import ByCandidates
from formulations.placement.shapes import TooManyPlacesError
from formulations.placement.tiles import ByTiles
from instances.package import Tile
from schedules.placement import PlacementProblem, misplaced, placement_cost
from schedules.progress import Stop
from schedules.traffic import Places
from solvers.engines import Engine, Settings, choose
from solvers.engines.arithmetic import integer_bound, same
from solvers.engines.engine import Kind, Outcome
from solvers.engines.modellers import modeller_of
from solvers.placing import Goal, PlacedProblem, PlaceOptions, Step


class Model(Protocol):
    """A model of a placement problem."""

    modeller: Modeller
    unit: int

    def hint(self, places: Places) -> None:
        """Suggest places; ValueError if they are no point of the model."""
        ...

    def extract(self, solution: Solution) -> list[tuple[Tile, ...]]:
        """The places of a solution."""
        ...


FORMULATIONS = "candidates", "tiles"
"""The models: a variable for each place that a region may have, or for each of its chiplets."""

Build = Callable[[Modeller, Goal, int | None], Model]
"""(modeller, what is minimised, bytes that no link may exceed) -> model."""


def by_model(
    kind: Kind,
    problem: PlacementProblem,
    options: PlaceOptions,
    starts: Sequence[Places],
) -> PlacedProblem:
    """Minimise one thing after another, as long as each is proved.

    Args:
        kind: of the models.

    Raises:
        ValueError: an unknown formulation or engine, or tiles for a family that is not free.
        RuntimeError: an engine failed, or the checker contradicts the model.
    """
    begin = time.perf_counter()
    engine = choose(kind, options.engine)[0]
    build, possible = _formulation(problem, options, starts)
    run = _Run(problem, build, options, engine, begin)
    known = min(possible, key=lambda p: cost_of(problem, p, options.goals[0]), default=None)
    cap, steps = None, []
    for goal in options.goals:
        known, step = run.minimise(goal, cap, known)
        steps.append(step)
        if step.stop != "optimal":
            break
        cap = step.objective
    return PlacedProblem(known, None, tuple(steps))


def _formulation(
    problem: PlacementProblem, options: PlaceOptions, starts: Sequence[Places]
) -> tuple[Build, list[Places]]:
    """What builds the models, and the starts that are points of theirs."""
    name = options.formulation
    if name not in (None, *FORMULATIONS):
        known = ", ".join(FORMULATIONS)
        raise ValueError(f"unknown formulation of placement {name!r}: choose one of {known}")
    if name == "tiles" and options.family != "free":
        raise ValueError(f"the formulation tiles has free shapes only, not {options.family}")
    if name != "tiles":
        try:
            few = name is None and options.family == "free"
            found = candidates(problem, options.family, few)
        except TooManyPlacesError:
            pass
        else:
            listed = partial(ByCandidates, found)
            return listed, [places for places in starts if _has(found, places)]
    return partial(ByTiles, problem), list(starts)


def cost_of(problem: PlacementProblem, places: Places, goal: Goal) -> int:
    """What places cost."""
    cost = placement_cost(problem, places)
    return cost.byte_hops if goal == "hops" else cost.busiest


class _Deaf:
    """A listener that lets the engine go on."""

    def solution(self, solution: Solution) -> bool:
        """Go on."""
        return True

    def bound(self, value: float) -> bool:
        """Go on."""
        return True


def _has(found: Candidates, places: Places) -> bool:
    """Whether places are all candidates that can be together."""
    try:
        found.numbers(places)
    except ValueError:
        return False
    return True


class _Run:
    """Runs engines on one model after another, which share a clock."""

    def __init__(
        self,
        problem: PlacementProblem,
        build: Build,
        options: PlaceOptions,
        engine: Engine,
        begin: float,
    ) -> None:
        self._problem = problem
        self._build = build
        self._options = options
        self._engine = engine
        self._begin = begin

    def minimise(
        self, goal: Goal, cap: int | None, start: Places | None
    ) -> tuple[Places | None, Step]:
        """The least of one thing, with no more than `cap` bytes on a link.

        Raises:
            RuntimeError: the checker contradicts the model.
        """
        problem, engine = self._problem, self._engine
        if goal == "load" and start is not None:
            cap = cost_of(problem, start, goal)
        model = self._build(modeller_of(engine), goal, cap)
        if start is not None:
            model.hint(start)
        options = self._options
        settings = Settings(end=options.end, seed=options.seed, workers=options.workers)
        outcome = engine.run(model.modeller.model, settings, _Deaf())
        found = start
        if outcome.solution is not None:
            found = model.extract(outcome.solution)
            wrong = misplaced(problem, found)
            if wrong:
                raise RuntimeError(f"{engine.name}: the places that it found are wrong: {wrong[0]}")
        objective = None if found is None else cost_of(problem, found, goal)
        stop, bound = _proved(engine, outcome, model.unit, objective)
        now = time.perf_counter()
        seconds, self._begin = now - self._begin, now
        return found, Step(goal, stop, objective, bound, seconds)


def _proved(
    engine: Engine, outcome: Outcome, unit: int, objective: int | None
) -> tuple[Stop, int | None]:
    """Why a run ended and its bound in bytes, as far as the recomputed objective confirms them.

    Raises:
        RuntimeError: the objective contradicts the engine.
    """
    exact = engine.kind == "cpsat"
    if outcome.stop == "infeasible":
        if objective is None:
            return "infeasible", None
        raise RuntimeError(f"{engine.name} finds no solution of the model, but there are places")
    bound = None if outcome.bound is None else unit * integer_bound(outcome.bound, exact)
    if objective is None:
        return outcome.stop, bound
    if bound is not None and bound > objective:
        raise RuntimeError(f"{engine.name} proves {bound} at least, but places cost {objective}")
    if outcome.stop != "optimal":
        return outcome.stop, bound
    claimed = outcome.objective
    if claimed is not None and same(claimed, objective // unit, exact):
        return "optimal", objective
    raise RuntimeError(f"the model is wrong: its optimum is {claimed}, its places cost {objective}")
