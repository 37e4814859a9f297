"""CP-SAT, in this process."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ortools.sat.python.cp_model import (
    FEASIBLE,
    INFEASIBLE,
    MODEL_INVALID,
    OPTIMAL,
    CpSolver,
    CpSolverSolutionCallback,
    CpSolverStatus,
)

from schedules.progress import Stop
from solvers.engines.engine import Listener, Outcome, Settings
from solvers.engines.running import Cause, Watch, by_line, in_thread


def run(engine: str, model: Any, settings: Settings, listener: Listener) -> Outcome:
    """Run CP-SAT on a model until a proof, a limit, or Ctrl-C.

    Raises:
        RuntimeError: CP-SAT rejects the model.
    """
    solver = _solver(settings)
    callback = _Callback(listener, solver.stop_search)
    solver.best_bound_callback = callback.on_bound
    status, cause = in_thread(
        lambda: solver.solve(model, callback), solver.stop_search, Watch(settings, os.getpid())
    )
    if status == MODEL_INVALID:
        raise RuntimeError(f"CP-SAT rejects the model: {model.validate()}")
    return _outcome(solver, status, cause)


def _solver(settings: Settings) -> CpSolver:
    solver = CpSolver()
    solver.parameters.num_workers = settings.workers
    solver.parameters.random_seed = settings.seed
    # This part of presolve loses optima: google/or-tools, issue 5293.
    solver.parameters.presolve_inclusion_work_limit = 0
    # CP-SAT's own handling of Ctrl-C leaves Python without one; `in_thread` handles it instead.
    solver.parameters.catch_sigint_signal = False
    if settings.seconds is not None:
        solver.parameters.max_time_in_seconds = settings.seconds
    if settings.gap is not None:
        solver.parameters.relative_gap_limit = settings.gap
    if settings.log is not None:
        solver.parameters.log_search_progress = True
        solver.parameters.log_to_stdout = False
        solver.log_callback = by_line(settings.log)
    return solver


class _Callback(CpSolverSolutionCallback):
    """Passes incumbents and bounds on; CP-SAT calls from its own threads."""

    def __init__(self, listener: Listener, stop: Callable[[], None]) -> None:
        super().__init__()
        self._listener = listener
        self._stop = stop

    def on_solution_callback(self) -> None:
        """Pass the solution on."""
        if not self._listener.solution(self):
            self._stop()

    def on_bound(self, bound: float) -> None:
        """Pass the bound on."""
        if not self._listener.bound(bound):
            self._stop()


def _outcome(solver: CpSolver, status: CpSolverStatus, cause: Cause | None) -> Outcome:
    # Only these two statuses come with values; the others would read as garbage and zeros.
    if status in (OPTIMAL, FEASIBLE):
        objective, bound = solver.objective_value, solver.best_objective_bound
        stop: Stop = cause or "time-limit"
        if status == OPTIMAL:
            # A search that ends at a gap limit calls itself optimal, too.
            stop = "optimal" if bound >= objective else "gap-limit"
        return Outcome(stop, solver, objective, bound)
    if status == INFEASIBLE:
        return Outcome("infeasible")
    return Outcome(cause or "time-limit")
