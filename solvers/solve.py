"""One way to run every method."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from instances.instance import Instance
from schedules.compressed import compressed
from schedules.evaluate import evaluate
from schedules.goal import Goal, Objective, Weights
from schedules.progress import Progress, Stop, TracePoint
from schedules.schedule import Schedule
from solvers.arguments import Arguments, Asked, Log, Method, checked
from solvers.engines import ENGINES
from solvers.result import Result

if TYPE_CHECKING:
    from heuristics.scope import Steps

METHODS: dict[str, Method] = {
    "sequential": Method("heuristics.baselines:sequential", ("numba",)),
    "pipeline": Method("heuristics.baselines:pipeline", ("numba",)),
    "segmented": Method("solvers.exact:segmented", ("numba",)),
    "tangram": Method("heuristics.tangram:tangram", ("numba",)),
    "scope": Method("heuristics.scope:scope", ("numba",), steps=True),
    "scope+": Method("heuristics.scope:scope_plus", ("numba",)),
    "annealing": Method("heuristics.annealing:annealing", ("numba",), random=True),
    "exact": Method("solvers.exact:exact", ("numba",), goals="any", ratios="latency"),
    "cpsat": Method(
        "solvers.models:solve_model",
        ("numba",),
        goals="any",
        models="cpsat",
        random=True,
        ratios="any",
    ),
    "milp": Method(
        "solvers.models:solve_model",
        ("numba",),
        goals="any",
        models="milp",
        random=True,
        ratios="any",
    ),
    "decompose": Method(
        "solvers.decompose:decompose", ("numba", "ortools"), goals="separable", random=True
    ),
    "enumerate": Method("solvers.enumeration:enumerate_all", goals="any", ratios="any"),
}
"""Method's name -> method."""


def solve(  # noqa: PLR0913 - the one call that everything goes through
    instance: Instance,
    method: str = "exact",
    *,
    goal: Goal | None = None,
    formulation: str | None = None,
    engine: str | None = None,
    start: bool | Schedule = True,
    time_limit: float | None = None,
    gap_limit: float | None = None,
    memory_limit: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    log: Log | None = None,
    steps: str | Steps | None = None,
    listener: Callable[[TracePoint], None] | None = None,
) -> Result:
    """Schedule an instance.

    Args:
        method: one of METHODS.
        goal: what to minimise, and under which conditions; the latency without any by default.
        formulation: for cpsat and milp, one of `formulations.formulation.FORMULATIONS`; segment by
            default.
        engine: for cpsat and milp, one of `solvers.engines.ENGINES`; the best that is here by
            default.
        start: for cpsat and milp, a schedule to start from; or whether to start from the one of
            `scope`, as is the default.
        time_limit: wall seconds after which the method returns its best. Neither it nor the run
            time counts the first use of a method's kernels, which compiles or loads them.
        gap_limit: for cpsat and milp, (objective - bound) / objective at which to stop.
        memory_limit: for cpsat and milp, MiB of resident memory at which to stop: of this process,
            or of the engine's where it has its own.
        seed: for methods that draw random numbers.
        workers: threads; all cores by default.
        log: for cpsat and milp, a file or a logger that takes the engine's log.
        steps: for scope, what its four steps may do: words that `heuristics.scope.steps_of` reads,
            such as 'segments=one,clusters=single'. Without: all that `Steps` says by default.
        listener: called at every improvement of incumbent or bound.

    Where an instance has compression, ratios for the schedules of a method that minimises the plain
    latency are chosen by `heuristics.ratios`: it calls the method several times.

    Returns:
        The result; its schedule is verified and its objective recomputed. Ctrl-C ends the run with
        the best schedule so far and stop 'interrupted'.

    Raises:
        ValueError: an unknown method, an argument out of its range, or one that the method or the
            engine cannot heed.
        RuntimeError: an engine failed, or a model was found to be wrong.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}: choose one of {', '.join(METHODS)}")
    given = Arguments(
        goal=Goal() if goal is None else goal,
        formulation=formulation,
        engine=engine,
        start=start,
        time_limit=time_limit,
        gap_limit=gap_limit,
        memory_limit=memory_limit,
        seed=seed,
        workers=workers,
        log=log,
        steps=steps,
    )
    asked = checked(instance, method, METHODS[method], given)
    _warm_up(instance, method, asked)
    with _lines_to(log) as lines:
        progress = Progress(instance, time_limit, listener, asked.goal)
        try:
            stop = _run(METHODS[method], instance, progress, asked, given, lines)
        except KeyboardInterrupt:
            stop = "interrupted"
    return _result(instance, method, stop, progress, asked, given)


def _run(
    method: Method,
    instance: Instance,
    progress: Progress,
    asked: Asked,
    given: Arguments,
    log: Callable[[str], None] | None,
) -> Stop:
    run = _load(method)
    if asked.engine is None or asked.formulation is None:
        if asked.steps is not None:
            run = partial(run, steps=asked.steps)
        return _choose(run, method.ratios != "none", instance, progress, given.seed, asked.workers)
    from solvers.models import ModelOptions

    options = ModelOptions(
        engine=asked.engine,
        formulation=asked.formulation,
        start=given.start,
        gap_limit=given.gap_limit,
        memory_limit=given.memory_limit,
        seed=given.seed,
        workers=asked.workers,
        log=log,
    )
    return run(instance, progress, options)


def _choose(
    run: Callable[..., Stop],
    ratios: bool,
    instance: Instance,
    progress: Progress,
    seed: int,
    workers: int,
) -> Stop:
    """Run a method; where it does not choose ratios itself (`ratios`), they are chosen for it."""
    if instance.compression is None or ratios:
        return run(instance, progress, seed, workers)
    from heuristics.ratios import with_ratios

    return with_ratios(run, instance, progress, seed, workers)


def _load(method: Method) -> Callable[..., Stop]:
    """The method's function; imported only now, so that no unused solver is."""
    module, function = method.place.split(":")
    run: Callable[..., Stop] = getattr(importlib.import_module(module), function)
    return run


def _result(
    instance: Instance,
    method: str,
    stop: Stop,
    progress: Progress,
    asked: Asked,
    given: Arguments,
) -> Result:
    return Result(
        instance=instance.name,
        method=method,
        goal=asked.goal,
        stop=stop,
        schedule=progress.best,
        evaluation=None if progress.best is None else evaluate(instance, progress.best),
        compressed=compressed(instance, progress.best),
        bound=None if stop == "infeasible" else progress.bound,
        runtime_s=progress.seconds,
        trace=tuple(progress.trace),
        counts=progress.counts,
        formulation=asked.formulation,
        engine=None if asked.engine is None else asked.engine.name,
        steps=asked.steps,
        seed=given.seed,
        workers=asked.workers,
        time_limit=given.time_limit,
        gap_limit=given.gap_limit,
        memory_limit=given.memory_limit,
        versions=asked.versions,
    )


@contextmanager
def _lines_to(log: Log | None) -> Iterator[Callable[[str], None] | None]:
    """What takes the lines of a log, None if nobody wants it."""
    if log is None:
        yield None
    elif isinstance(log, logging.Logger):
        yield log.info
    else:
        with Path(log).open("w", encoding="utf-8", buffering=1) as file:
            yield lambda line: print(line, file=file)


def _warm_up(instance: Instance, method: str, asked: Asked) -> None:
    """Ready the kernels that a run needs, before its clock starts."""
    if instance.network is not None:
        _compile_cost_model()
    if instance.compression is not None:
        _compile_ratios(method if METHODS[method].models is None else "scope")
    if "numba" in METHODS[method].packages:
        engine = None if asked.engine is None else asked.engine.name
        _compile(method, asked.goal.objective, asked.goal.needs_energy, asked.formulation, engine)


@cache
def _compile(
    method: str,
    objective: Objective,
    energy: bool,
    formulation: str | None,
    engine: str | None,
) -> None:
    """Run a method on a toy, once a process; of a method with models, all but the engine."""
    instance = toy()
    cap = 2**62 if energy and objective == "latency" else None
    progress = Progress(instance, goal=Goal(objective, energy_cap=cap))
    if engine is None or formulation is None:
        _load(METHODS[method])(instance, progress, 0, 1)
        return
    from solvers.models import ModelOptions, ModelSearch

    search = ModelSearch(instance, progress, ModelOptions(ENGINES[engine], formulation))
    search.start()
    search.formulate(Weights(1, 1) if energy else Weights(1, 0))


@cache
def _compile_cost_model() -> None:
    """Ask the cost model for every kind of cost, skip tensors too, once a process."""
    from heuristics.baselines import sequential
    from instances.cost import make_instance
    from instances.networks import build_network
    from instances.packages import load_package

    instance = make_instance(build_network("gpt-stack-8"), load_package("simba-2x2"), 2)
    sequential(instance, Progress(instance), 0, 1)
    _ = instance.tables


@cache
def _compile_ratios(method: str) -> None:
    """Choose ratios for a toy, once a process."""
    from instances.generate_ratios import random_ratios

    instance = random_ratios(toy(), 1, budget="tight")
    found = METHODS[method]
    _choose(_load(found), found.ratios != "none", instance, Progress(instance), 0, 1)


def toy() -> Instance:
    """A small instance on which no method's starting schedule is its best: every kernel runs."""
    from instances.generate import random_instance

    return random_instance(0, layers=5, chiplets=4, options=3, memory="tight")
