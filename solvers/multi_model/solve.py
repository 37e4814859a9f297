"""One call for all methods that schedule several models."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from instances.cost.jobs import WorkloadCosts
from instances.workload import Workload
from schedules.progress import Stop, TracePoint
from schedules.windows.evaluate import evaluate_windows
from schedules.windows.goal import WindowGoal
from schedules.windows.progress import WindowProgress
from schedules.windows.schedule import WindowSchedule
from solvers.arguments import LARGEST_SEED, MOST_WORKERS
from solvers.multi_model.result import WindowResult

if TYPE_CHECKING:
    from solvers.engines import Engine
    from solvers.engines.engine import Kind


@dataclass(frozen=True)
class WindowOptions:
    """How a method is to work.

    Attributes:
        engine: of a method with models; None for the others.
        start: a schedule to start from; None for the method's own.
        seed, workers: as in `solve_workload`.
    """

    engine: Engine | None = None
    start: WindowSchedule | None = None
    seed: int = 0
    workers: int = 1


Run = Callable[[WindowProgress, WindowOptions], Stop]
"""A method: offers schedules and raises bounds, and says why it ended."""


@dataclass(frozen=True)
class WindowMethod:
    """A way to find schedules of several models.

    Attributes:
        place: of its function, a `Run`: module:function.
        about: a line for lists.
        packages: whose versions belong in its results.
        models: the kind of engine that solves its models; None if it has none.
    """

    place: str
    about: str
    packages: tuple[str, ...] = ("numba",)
    models: Kind | None = None

    def load(self) -> Run:
        """Its function; imported only now, so that no unused solver is."""
        module, function = self.place.split(":")
        run: Run = getattr(importlib.import_module(module), function)
        return run


WINDOW_METHODS: dict[str, WindowMethod] = {
    "scar": WindowMethod("heuristics.multi_model:scar", "SCAR's search in its four steps."),
    "search": WindowMethod("heuristics.multi_model:search", "A wider search, with a bound (ours)."),
    "exact": WindowMethod(
        "solvers.multi_model.exact:exact", "Prove the best schedule by a dynamic program."
    ),
    "cpsat": WindowMethod(
        "solvers.multi_model.models:solve_windows",
        "Solve the model with CP-SAT, and prove it.",
        ("numba", "ortools"),
        "cpsat",
    ),
    "milp": WindowMethod(
        "solvers.multi_model.models:solve_windows",
        "Solve the model with a MILP engine, and prove it.",
        models="milp",
    ),
    "enumerate": WindowMethod(
        "solvers.multi_model.enumeration:enumerate_windows", "The best of all schedules."
    ),
}
"""Method's name -> method."""


def solve_workload(  # noqa: PLR0913 - the one call that everything goes through
    workload: Workload,
    method: str = "exact",
    *,
    goal: WindowGoal | None = None,
    engine: str | None = None,
    start: WindowSchedule | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    workers: int | None = None,
    listener: Callable[[TracePoint], None] | None = None,
) -> WindowResult:
    """Schedule several models on one package.

    Args:
        workload: what is scheduled.
        method: one of WINDOW_METHODS.
        goal: what to minimise, and what a schedule may do; `WindowGoal()` by default.
        engine: for cpsat and milp, one of `solvers.engines.ENGINES`; the best that is here by
            default.
        start: for cpsat and milp, a schedule to start from; that of `scar` by default.
        time_limit: wall seconds after which the method returns its best.
        seed: for methods that draw random numbers.
        workers: threads; all cores by default.
        listener: called at every improvement of incumbent or bound.

    Returns:
        The result; its schedule is verified and its objective recomputed. Ctrl-C ends the run with
        the best schedule so far and stop 'interrupted'.

    Raises:
        ValueError: an unknown method, an argument out of its range, one that the method cannot
            heed, or a workload that is too large for it.
        RuntimeError: an engine failed, or a model was found to be wrong.
    """
    if method not in WINDOW_METHODS:
        raise ValueError(f"unknown method {method!r}: choose one of {', '.join(WINDOW_METHODS)}")
    _check(time_limit, seed, workers)
    entry, asked = WINDOW_METHODS[method], WindowGoal() if goal is None else goal
    versions = {name: version(name) for name in ("chipweave", "numpy", *entry.packages)}
    chosen = None
    if entry.models is not None:
        from solvers.engines import choose

        chosen, found = choose(entry.models, engine)
        versions[chosen.name] = found.version
    elif engine is not None or start is not None:
        raise ValueError(f"method {method} has no models: engine and start are for cpsat and milp")
    options = WindowOptions(chosen, start, seed, workers or os.cpu_count() or 1)
    _warm_up(method)
    progress = WindowProgress(WorkloadCosts(workload), asked, time_limit, listener)
    try:
        stop = entry.load()(progress, options)
    except KeyboardInterrupt:
        stop = "interrupted"
    return WindowResult(
        workload=workload.name,
        method=method,
        goal=asked,
        stop=stop,
        schedule=progress.best,
        evaluation=None
        if progress.best is None
        else evaluate_windows(progress.costs, progress.best, asked.pipelined),
        bound=None if stop == "infeasible" else progress.bound,
        runtime_s=progress.seconds,
        trace=tuple(progress.trace),
        counts=progress.counts,
        engine=None if chosen is None else chosen.name,
        seed=seed,
        workers=options.workers,
        time_limit=time_limit,
        versions=versions,
    )


def _check(time_limit: float | None, seed: int, workers: int | None) -> None:
    if time_limit is not None and not time_limit >= 0:
        raise ValueError(f"time_limit {time_limit}: expected seconds, at least 0")
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"seed {seed}: expected 0 to {LARGEST_SEED}")
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise ValueError(f"workers {workers}: expected 1 to {MOST_WORKERS}")


@cache
def _warm_up(method: str) -> None:
    """Load the kernels of the cost model and of a method on a toy, before the clock starts."""
    from instances.networks import build_network
    from instances.packages import load_package
    from instances.workload import job

    models = (job(build_network("gpt-stack-2"), 2, "layer"),)
    costs = WorkloadCosts(Workload("toy", load_package("het-5x1"), models))
    if WINDOW_METHODS[method].models is None:
        WINDOW_METHODS[method].load()(WindowProgress(costs, WindowGoal("edp")), WindowOptions())
