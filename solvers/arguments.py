"""Arguments of `solve`, checked before anything runs."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING, Literal

from formulations.formulation import FORMULATIONS
from instances.instance import Instance
from schedules.goal import Goal
from schedules.schedule import Schedule
from solvers.engines import FEATURES, Engine, Feature, choose
from solvers.engines.engine import Kind
from solvers.engines.running import resident_bytes

if TYPE_CHECKING:
    from heuristics.scope import Steps

logger = logging.getLogger("chipweave")

Log = str | Path | logging.Logger

DEFAULT_FORMULATION = "segment"
LARGEST_SEED = 2**31 - 1
MOST_WORKERS = 10_000
"""What CP-SAT takes."""


@dataclass(frozen=True)
class Method:
    """A way to find schedules.

    Attributes:
        place: of its function, module:function, called with (instance, progress, seed, workers);
            schedules and bounds go to the progress.
        packages: whose versions belong in its results.
        goals: that it minimises: the latency without conditions, the separable ones (latency or
            energy, without a cap on the sum over all segments), or any.
        models: the kind of engine that solves its models; None if it has none. The function of a
            method with models is called with (instance, progress, options).
        steps: whether its function also takes `steps`, those of Scope's search.
        random: whether it draws random numbers, so that seeds tell its runs apart.
        ratios: whether it chooses itself what is compressed where an instance allows that; for the
            others that minimise the plain latency `heuristics.ratios` does.
    """

    place: str
    packages: tuple[str, ...] = ()
    goals: Literal["latency", "separable", "any"] = "latency"
    models: Kind | None = None
    steps: bool = False
    random: bool = False
    ratios: Literal["none", "latency", "any"] = "none"


@dataclass(frozen=True)
class Arguments:
    """What `solve` was given, as its docstring says."""

    goal: Goal
    formulation: str | None
    engine: str | None
    start: bool | Schedule
    time_limit: float | None
    gap_limit: float | None
    memory_limit: int | None
    seed: int
    workers: int | None
    log: Log | None
    steps: str | Steps | None


@dataclass(frozen=True)
class Asked:
    """What a run is to do, all defaults filled in.

    Attributes:
        formulation, engine: None for a method without models.
        steps: None if the method is to take its own.
        versions: of everything that takes part.
    """

    goal: Goal
    formulation: str | None
    engine: Engine | None
    workers: int
    versions: dict[str, str]
    steps: Steps | None = None


def check_limits(time_limit: float | None, seed: int, workers: int | None) -> None:
    """Refuse limits that no method takes.

    Raises:
        ValueError: an argument out of its range.
    """
    if time_limit is not None and not time_limit >= 0:
        raise ValueError(f"time_limit {time_limit}: expected seconds, at least 0")
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"seed {seed}: expected 0 to {LARGEST_SEED}")
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise ValueError(f"workers {workers}: expected 1 to {MOST_WORKERS}")


def checked(instance: Instance, name: str, method: Method, given: Arguments) -> Asked:
    """The run that the arguments ask for.

    Raises:
        ValueError: an argument out of its range, or one that the method or the engine cannot heed.
    """
    _check_ranges(given)
    given.goal.check(instance)
    _check_goal(name, method, given.goal)
    _check_ratios(instance, name, method, given.goal)
    steps = _steps(instance, name, method, given.steps)
    cores = os.cpu_count() or 1
    packages = {package: version(package) for package in ("chipweave", "numpy", *method.packages)}
    if method.models is None:
        _refuse_model_arguments(name, given)
        return Asked(given.goal, None, None, given.workers or cores, packages, steps)
    formulation = given.formulation or DEFAULT_FORMULATION
    if formulation not in FORMULATIONS:
        known = ", ".join(FORMULATIONS)
        raise ValueError(f"unknown formulation {formulation!r}: choose one of {known}")
    engine, found = choose(method.models, given.engine)
    _check_features(engine, given)
    workers = given.workers or (cores if "threads" in engine.features else 1)
    if workers > 1 and "threads" not in engine.features:
        logger.warning("engine %s runs on one thread: workers=%d is not used", engine.name, workers)
        workers = 1
    if given.seed and "seed" not in engine.features:
        logger.warning("engine %s takes no seed: seed=%d is not used", engine.name, given.seed)
    packages |= {package: version(package) for package in engine.packages}
    packages[engine.name] = found.version
    return Asked(given.goal, formulation, engine, workers, packages)


def _check_goal(name: str, method: Method, goal: Goal) -> None:
    if method.goals == "latency" and goal != Goal():
        raise ValueError(
            f"method {name!r} minimises the latency and takes no conditions: use exact, cpsat or"
            " milp for other goals"
        )
    capped = (goal.latency_cap, goal.energy_cap) != (None, None)
    if method.goals == "separable" and (capped or goal.objective == "edp"):
        raise ValueError(
            f"method {name!r} takes segments one by one and can neither cap the latency or energy"
            " of all of them nor minimise the energy-delay product: use exact, cpsat or milp"
        )


def _check_ratios(instance: Instance, name: str, method: Method, goal: Goal) -> None:
    if instance.compression is None:
        return
    if method.ratios == "none" and method.goals != "latency":
        raise ValueError(
            f"method {name!r} cannot choose what instance {instance.name!r} compresses: use exact,"
            " cpsat or milp, or a fast method such as scope or annealing; or leave the compression"
            " out"
        )
    if method.ratios == "latency" and goal != Goal():
        raise ValueError(
            f"method {name!r} chooses what to compress for the least latency, without conditions:"
            " use cpsat or milp for other goals, or leave the compression out"
        )


def _check_ranges(given: Arguments) -> None:
    if given.time_limit is not None and not 0 < given.time_limit <= TIMEOUT_MAX:
        raise ValueError(
            f"time limit {given.time_limit} is not a positive number of seconds up to"
            f" {TIMEOUT_MAX:.0f}; leave it out for no limit"
        )
    if given.gap_limit is not None and not 0 <= given.gap_limit < 1:
        raise ValueError(f"gap limit {given.gap_limit} is not at least 0 and below 1")
    if given.memory_limit is not None:
        if not given.memory_limit > 0:
            raise ValueError(f"memory limit {given.memory_limit} is not a positive number of MiB")
        if resident_bytes(os.getpid()) is None:
            raise ValueError("this system does not tell what a process holds: no memory limit here")
    if not 0 <= given.seed <= LARGEST_SEED:
        raise ValueError(f"seed {given.seed} is not between 0 and {LARGEST_SEED}")
    if given.workers is not None and not 1 <= given.workers <= MOST_WORKERS:
        raise ValueError(f"workers {given.workers} is not between 1 and {MOST_WORKERS}")


def _refuse_model_arguments(name: str, given: Arguments) -> None:
    for argument in ("formulation", "engine", "gap_limit", "memory_limit", "log"):
        if getattr(given, argument) is not None:
            what = argument.replace("_", " ")
            raise ValueError(
                f"{what} is for the methods cpsat and milp: {name!r} has no model; leave it out or"
                " choose one of them"
            )
    if isinstance(given.start, Schedule):
        raise ValueError(
            f"start is for the methods cpsat and milp: {name!r} has no model; leave it out or"
            " choose one of them"
        )


def _steps(
    instance: Instance, name: str, method: Method, steps: str | Steps | None
) -> Steps | None:
    """The steps that are meant.

    Raises:
        ValueError: the method takes none, or they are not such as there are.
    """
    if steps is None:
        return None
    if not method.steps:
        raise ValueError(
            f"steps are for the method scope: {name!r} does not take them; leave them out or choose"
            " scope"
        )
    if isinstance(steps, str):
        from heuristics.scope import steps_of

        return steps_of(steps, instance.options)
    steps.allowed(instance.options)
    return steps


def _check_features(engine: Engine, given: Arguments) -> None:
    for argument, feature in _needs(given):
        if feature not in engine.features:
            raise ValueError(
                f"engine {engine.name!r} cannot heed {argument}: it is none that"
                f" {FEATURES[feature]}; leave it out or use another engine"
            )


def _needs(given: Arguments) -> Iterator[tuple[str, Feature]]:
    if given.time_limit is not None:
        yield "time_limit", "time-limit"
    if given.gap_limit is not None:
        yield "gap_limit", "gap-limit"
    if given.memory_limit is not None:
        yield "memory_limit", "memory-limit"
    if given.log is not None:
        yield "log", "log"
