"""One way to run every method."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from typing import cast

from instances.instance import Instance
from schedules.evaluate import evaluate
from schedules.progress import Progress, Stop, TracePoint
from solvers.result import Result

Method = Callable[[Instance, Progress, int, int], Stop]
"""(instance, progress, seed, workers) -> stop; schedules and bounds go to the progress."""

METHODS: dict[str, tuple[str, tuple[str, ...]]] = {
    "sequential": ("heuristics.baselines:sequential", ()),
    "pipeline": ("heuristics.baselines:pipeline", ()),
    "segmented": ("solvers.exact:segmented", ("numba",)),
    "scope": ("heuristics.scope:scope", ("numba",)),
    "exact": ("solvers.exact:exact", ("numba",)),
    "cpsat": ("solvers.cpsat:cpsat", ("ortools",)),
    "cpsat-segment": ("solvers.cpsat:cpsat_segment", ("ortools", "numba")),
    "enumerate": ("solvers.enumeration:enumerate_all", ()),
}
"""Method -> (where it lives, the packages whose versions belong in its results)."""


def solve(
    instance: Instance,
    method: str = "exact",
    *,
    time_limit: float | None = None,
    seed: int = 0,
    workers: int | None = None,
    listener: Callable[[TracePoint], None] | None = None,
) -> Result:
    """Schedule an instance.

    Args:
        method: one of METHODS.
        time_limit: wall seconds after which the method returns its best. Neither it nor the run
            time counts the first use of a method's kernels, which compiles or loads them.
        seed: for methods that draw random numbers.
        workers: threads; all cores by default.
        listener: called at every improvement of incumbent or bound.

    Returns:
        The result; its schedule is verified and its objective recomputed. Ctrl-C ends the run with
        the best schedule so far and stop 'interrupted'.

    Raises:
        ValueError: an unknown method or an argument out of its range.
    """
    run, packages = _load(method)
    if time_limit is not None and not time_limit > 0:
        raise ValueError(f"time limit {time_limit} is not a positive number of seconds")
    threads = workers if workers is not None else os.cpu_count() or 1
    if threads < 1:
        raise ValueError(f"workers {threads} is not at least 1")
    if "numba" in packages:
        _compile(method)
    progress = Progress(instance, time_limit, listener)
    stop: Stop
    try:
        stop = run(instance, progress, seed, threads)
    except KeyboardInterrupt:
        stop = "interrupted"
    return Result(
        instance=instance.name,
        method=method,
        stop=stop,
        schedule=progress.best,
        evaluation=None if progress.best is None else evaluate(instance, progress.best),
        bound=progress.bound,
        runtime_s=progress.seconds,
        trace=tuple(progress.trace),
        seed=seed,
        workers=threads,
        time_limit=time_limit,
        versions={name: version(name) for name in ("chipweave", "numpy", *packages)},
    )


def _load(method: str) -> tuple[Method, tuple[str, ...]]:
    """The method's function; imported only now, so that no unused solver is."""
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}: choose one of {', '.join(METHODS)}")
    place, packages = METHODS[method]
    module, function = place.split(":")
    return cast(Method, getattr(importlib.import_module(module), function)), packages


@cache
def _compile(method: str) -> None:
    """Run a method on a toy, once a process, so that its kernels are there before the clock."""
    _load(method)[0](toy(), Progress(toy()), 0, 1)


def toy() -> Instance:
    """A small instance on which no method's starting schedule is its best: every kernel runs."""
    from instances.generate import random_instance

    return random_instance(0, layers=5, chiplets=4, options=3, memory="tight")
