"""Solvers inside the ortools wheel, through MathOpt: a second road for MILPs, with true bounds."""

from __future__ import annotations

from typing import Any

from schedules.progress import Stop
from solvers.engines.child import ask
from solvers.engines.engine import Listener, Outcome, Settings
from solvers.engines.highs import LEFT_OUT
from solvers.engines.lp import GAP, arrays_of, start_of

SOLVERS = {"mathopt-highs": "HIGHS", "mathopt-scip": "GSCIP", "mathopt-cpsat": "CP_SAT"}
"""Engine -> MathOpt's name of it."""

WITH_THREADS = ("mathopt-cpsat",)
"""The others refuse a number of threads, or hang with more than one."""


def run(engine: str, model: Any, settings: Settings, listener: Listener) -> Outcome:
    """Run a solver of MathOpt on an `LpProblem` until a proof, a limit, or Ctrl-C.

    Raises:
        RuntimeError: the solver fails.
    """
    arrays, factor = arrays_of(model)
    start = start_of(model)
    request = {
        "arrays": arrays,
        "start": None if start is None else list(start.values()),
        "solver": SOLVERS[engine],
        "parameters": _parameters(engine, settings, factor),
    }
    names = [variable.name for variable in model.variables()]
    answer = ask("mathopt", request, names, factor, settings, listener)
    if answer.status in ("INFEASIBLE", "INFEASIBLE_OR_UNBOUNDED"):
        return Outcome("infeasible")
    if answer.status in (None, "FEASIBLE", "NO_SOLUTION_FOUND"):
        return answer.unproved()
    if answer.status != "OPTIMAL":
        raise RuntimeError(f"{engine} ended with {answer.status}")
    objective, bound = answer.objective, answer.bound
    closed = objective is not None and bound is not None and objective - bound <= GAP
    stop: Stop = "optimal" if closed or settings.gap is None else "gap-limit"
    return Outcome(stop, answer.solution, objective, bound)


def _parameters(engine: str, settings: Settings, factor: float) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "seconds": settings.seconds,
        "relative_gap_tolerance": settings.gap or 0.0,
        "absolute_gap_tolerance": GAP / factor,
        "random_seed": settings.seed,
    }
    if engine in WITH_THREADS:
        parameters["threads"] = settings.workers
    if engine == "mathopt-highs":
        parameters["highs"] = {"presolve_rule_off": LEFT_OUT}
    return parameters
