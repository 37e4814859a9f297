"""One call for all methods that schedule a network on an array."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from instances.cost.array import ArrayCosts
from schedules.array.evaluate import evaluate_array
from schedules.array.progress import ArrayProgress
from schedules.array.schedule import ArraySchedule
from schedules.progress import TracePoint
from solvers.array.result import ArrayResult
from solvers.methods import NamedMethod, RunOptions, run_method

ArrayOptions = RunOptions[ArraySchedule]

ARRAY_METHODS: dict[str, NamedMethod] = {
    "unpipelined": NamedMethod(
        "heuristics.array.baselines:unpipelined", "Layer by layer on the whole array."
    ),
    "pairs": NamedMethod(
        "heuristics.array.baselines:pairs", "Two layers at a time, side by side in blocks."
    ),
    "tangram-like": NamedMethod(
        "heuristics.array.baselines:tangram_like",
        "Blocks side by side, the best of all fixed depths.",
    ),
    "simba-like": NamedMethod(
        "heuristics.array.baselines:simba_like",
        "Blocks side by side, as deep as registers hold the weights.",
    ),
    "pipeorgan": NamedMethod(
        "heuristics.array.pipeorgan:pipeorgan", "PipeOrgan's rules, stage by stage."
    ),
    "pipeorgan+": NamedMethod(
        "heuristics.array.search:pipeorgan_plus",
        "PipeOrgan's rules, then a shortest path over segments that look good.",
    ),
    "exact": NamedMethod("solvers.array.exact:exact", "Prove the best by a dynamic program."),
    "cpsat": NamedMethod(
        "solvers.array.models:solve_models",
        "Solve the model with CP-SAT, and prove it.",
        ("numba", "ortools"),
        "cpsat",
    ),
    "milp": NamedMethod(
        "solvers.array.models:solve_models",
        "Solve the model with a MILP engine, and prove it.",
        models="milp",
    ),
    "enumerate": NamedMethod(
        "solvers.array.enumeration:enumerate_array", "The best of all schedules."
    ),
}
"""Method's name -> method."""


def solve_array(  # noqa: PLR0913 - the one call that everything goes through
    costs: ArrayCosts,
    method: str = "exact",
    *,
    engine: str | None = None,
    start: ArraySchedule | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    workers: int | None = None,
    listener: Callable[[TracePoint], None] | None = None,
) -> ArrayResult:
    """Schedule a network on an array, with the lowest latency.

    Args:
        costs: of the network on the array.
        method: one of ARRAY_METHODS.
        engine: for cpsat and milp, one of `solvers.engines.ENGINES`; the best that is here by
            default.
        start: for cpsat and milp, a schedule to start from; that of `pipeorgan+` by default.
        time_limit: wall seconds after which the method returns its best.
        seed: for methods that draw random numbers.
        workers: threads; all cores by default.
        listener: called at every improvement of incumbent or bound.

    Returns:
        The result; its schedule is verified and its objective recomputed. Ctrl-C ends the run with
        the best schedule so far and stop 'interrupted'.

    Raises:
        ValueError: an unknown method, an argument out of its range, one that the method cannot
            heed, or a network that is too large for it.
        RuntimeError: an engine failed, or a model was found to be wrong.
    """
    ran, progress = run_method(
        ARRAY_METHODS,
        method,
        lambda: ArrayProgress(costs, time_limit, listener),
        _warm_up,
        engine=engine,
        start=start,
        time_limit=time_limit,
        seed=seed,
        workers=workers,
    )
    best = progress.best
    return ArrayResult(
        **vars(ran),
        network=costs.network.name,
        array=costs.array.name,
        batch=costs.batch,
        schedule=best,
        evaluation=None if best is None else evaluate_array(costs, best),
    )


@cache
def _warm_up(method: str) -> None:
    """Load the kernels of a method on a toy, before the clock starts."""
    from instances.generate_array import random_array_costs

    if ARRAY_METHODS[method].models is None:
        ARRAY_METHODS[method].load()(ArrayProgress(random_array_costs(0)), ArrayOptions())
