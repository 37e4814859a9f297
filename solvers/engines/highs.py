"""HiGHS through highspy; its own information tells status and bound, which PuLP would not."""

from __future__ import annotations

import os
from typing import Any

from schedules.progress import Stop
from solvers.engines.child import ask
from solvers.engines.engine import Listener, Outcome, Settings
from solvers.engines.lp import GAP, arrays_of, start_of

LARGEST_WEIGHT = 1e15
"""HiGHS refuses a matrix with larger entries (its option large_matrix_value)."""

LEFT_OUT = 1 << 12
"""The rules of presolve that are left out, as HiGHS' option presolve_rule_off counts them: the
aggregator. With it, 1.13.1 calls models infeasible that are not, or proves wrong optima."""


TOLERANCES = (
    "mip_feasibility_tolerance",
    "primal_feasibility_tolerance",
    "dual_feasibility_tolerance",
)


def run(engine: str, model: Any, settings: Settings, listener: Listener) -> Outcome:
    """Run HiGHS on an `LpProblem` until a proof, a limit, or Ctrl-C.

    Raises:
        ValueError: a coefficient is larger than HiGHS takes.
        RuntimeError: HiGHS fails.
    """
    arrays, factor = arrays_of(model)
    largest = abs(arrays["weights"]).max(initial=0.0)
    if largest >= LARGEST_WEIGHT:
        raise ValueError(
            f"the numbers are too large for HiGHS: a coefficient is {largest:.1e}, the limit is"
            f" {LARGEST_WEIGHT:.1e}; use larger units or a smaller batch"
        )
    start = start_of(model)
    request = {
        "arrays": arrays,
        "start": None if start is None else list(start.values()),
        "options": _options(settings, factor),
    }
    names = [variable.name for variable in model.variables()]
    answer = ask("highs", request, names, factor, settings, listener)
    if answer.status in ("kInfeasible", "kUnboundedOrInfeasible"):
        return Outcome("infeasible")
    if answer.status in (None, "kTimeLimit", "kInterrupt"):
        return answer.unproved()
    if answer.status != "kOptimal":
        raise RuntimeError(f"HiGHS ended with {answer.status}")
    objective, bound = answer.objective, answer.bound
    closed = objective is not None and bound is not None and objective - bound <= GAP
    stop: Stop = "optimal" if closed or settings.gap is None else "gap-limit"
    return Outcome(stop, answer.solution, objective, bound)


def _options(settings: Settings, factor: float) -> dict[str, Any]:
    options: dict[str, Any] = {
        "output_flag": settings.log is not None,
        "log_to_console": False,
        "log_file": os.devnull,
        "threads": settings.workers,
        "random_seed": settings.seed,
        "mip_rel_gap": settings.gap or 0.0,
        "mip_abs_gap": GAP / factor,
        "presolve_rule_off": LEFT_OUT,
    }
    if settings.seconds is not None:
        options["time_limit"] = settings.seconds
    if settings.tolerance is not None:
        options |= dict.fromkeys(TOLERANCES, settings.tolerance)
    return options
