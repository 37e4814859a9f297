"""One call for all methods that schedule several models."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from instances.cost.jobs import WorkloadCosts
from instances.workload import Workload
from schedules.progress import TracePoint
from schedules.windows.evaluate import evaluate_windows
from schedules.windows.goal import WindowGoal
from schedules.windows.progress import WindowProgress
from schedules.windows.schedule import WindowSchedule
from solvers.methods import NamedMethod, RunOptions, run_method
from solvers.multi_model.result import WindowResult

WindowOptions = RunOptions[WindowSchedule]

WINDOW_METHODS: dict[str, NamedMethod] = {
    "scar": NamedMethod("heuristics.multi_model:scar", "SCAR's search in its four steps."),
    "search": NamedMethod("heuristics.multi_model:search", "A wider search, with a bound (ours)."),
    "exact": NamedMethod(
        "solvers.multi_model.exact:exact", "Prove the best schedule by a dynamic program."
    ),
    "cpsat": NamedMethod(
        "solvers.multi_model.models:solve_windows",
        "Solve the model with CP-SAT, and prove it.",
        ("numba", "ortools"),
        "cpsat",
    ),
    "milp": NamedMethod(
        "solvers.multi_model.models:solve_windows",
        "Solve the model with a MILP engine, and prove it.",
        models="milp",
    ),
    "enumerate": NamedMethod(
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
    asked = WindowGoal() if goal is None else goal
    ran, progress = run_method(
        WINDOW_METHODS,
        method,
        lambda: WindowProgress(WorkloadCosts(workload), asked, time_limit, listener),
        _warm_up,
        engine=engine,
        start=start,
        time_limit=time_limit,
        seed=seed,
        workers=workers,
    )
    best, costs = progress.best, progress.costs
    return WindowResult(
        **vars(ran),
        workload=workload.name,
        goal=asked,
        schedule=best,
        evaluation=None if best is None else evaluate_windows(costs, best, asked.pipelined),
    )


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
