"""CP-SAT as an engine: the method `cpsat`, the compact formulation, and the segment one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import Protocol

from ortools.sat.python.cp_model import (
    FEASIBLE,
    INFEASIBLE,
    MODEL_INVALID,
    OPTIMAL,
    CpModel,
    CpSolver,
    CpSolverSolutionCallback,
    CpSolverStatus,
)

from formulations.merged_pipeline.compact import Compact
from formulations.merged_pipeline.compact_points import Solution
from formulations.merged_pipeline.segment_cpsat import Segments
from heuristics.baselines import sequential
from heuristics.scope import scope
from instances.instance import Instance
from schedules.progress import Progress, Stop
from schedules.schedule import Schedule

POLL_SECONDS = 0.05
"""How long Ctrl-C can go unnoticed."""


class Formulation(Protocol):
    """A CP-SAT model that knows its schedules."""

    @property
    def model(self) -> CpModel:
        """Ready to be solved."""
        ...

    def extract(self, solution: Solution) -> Schedule:
        """The schedule of a solution."""
        ...


def cpsat(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """Solve the compact model, started from the best schedule so far or the sequential one.

    Raises:
        ValueError: the costs are too large for CP-SAT's 64-bit integers.
        RuntimeError: the model is wrong: CP-SAT rejects it, or the evaluator contradicts it.
    """
    if progress.best is None:
        sequential(instance, progress, seed, workers)
    formulation = Compact(instance, upper=progress.objective)
    if progress.best is not None:
        formulation.hint(progress.best)
    return run_formulation(formulation, progress, seed, workers)


def cpsat_segment(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """Solve the segment model, started from the best schedule so far or the one of `scope`.

    Raises:
        ValueError: the costs are too large for CP-SAT's 64-bit integers.
        RuntimeError: the model is wrong: CP-SAT rejects it, or the evaluator contradicts it.
    """
    if progress.best is None:
        scope(instance, progress, seed, workers)
    formulation = Segments(instance, upper=progress.objective)
    if progress.best is not None:
        formulation.hint(progress.best)
    if formulation.bound is not None:
        progress.raise_bound(formulation.bound)
    return run_formulation(formulation, progress, seed, workers)


def run_formulation(formulation: Formulation, progress: Progress, seed: int, workers: int) -> Stop:
    """Run CP-SAT on a model until a proof, the time limit, or Ctrl-C.

    Raises:
        RuntimeError: the model is wrong: CP-SAT rejects it, or the evaluator contradicts it.
    """
    solver = CpSolver()
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = seed
    # CP-SAT's own handling of Ctrl-C leaves Python without one; `_search` handles it instead.
    solver.parameters.catch_sigint_signal = False
    if progress.remaining is not None:
        solver.parameters.max_time_in_seconds = progress.remaining
    reports = _Reports(solver, formulation, progress)
    solver.best_bound_callback = reports.on_bound
    status, interrupted = _search(solver, formulation.model, reports)
    if reports.error is not None:
        raise reports.error
    if status == MODEL_INVALID:
        raise RuntimeError(f"CP-SAT rejects the model: {formulation.model.validate()}")
    # Only these two statuses come with values; the others would read as garbage and zeros.
    if status == OPTIMAL:
        _record_optimum(solver, formulation, progress)
        return "optimal"
    if status == FEASIBLE:
        progress.offer(formulation.extract(solver))
        progress.raise_bound(round(solver.best_objective_bound))
    if status == INFEASIBLE:
        if progress.best is not None:
            raise RuntimeError("CP-SAT finds no solution of the model, but there is a schedule")
        return "infeasible"
    return "interrupted" if interrupted else "time-limit"


def _record_optimum(solver: CpSolver, formulation: Formulation, progress: Progress) -> None:
    latency = progress.offer(formulation.extract(solver))
    claimed = round(solver.objective_value)
    if latency != claimed:
        raise RuntimeError(
            f"the model's optimum is {claimed} cycles, but its schedule takes {latency}"
        )
    progress.raise_bound(latency)


class _Reports(CpSolverSolutionCallback):
    """Passes incumbents and bounds on to the progress; keeps what goes wrong on the way.

    CP-SAT calls from its own threads, where an exception would be lost or end the process.

    Attributes:
        error: the first exception, None if all went well.
    """

    def __init__(self, solver: CpSolver, formulation: Formulation, progress: Progress) -> None:
        super().__init__()
        self.error: Exception | None = None
        self._solver = solver
        self._formulation = formulation
        self._progress = progress

    def on_solution_callback(self) -> None:
        """Offer the schedule; it may be faster than the model's objective says, never slower."""
        try:
            self._progress.offer(self._formulation.extract(self))
        except Exception as error:
            self._fail(error)

    def on_bound(self, bound: float) -> None:
        """Pass a bound on; it is an integer but for noise in the last digits."""
        try:
            self._progress.raise_bound(round(bound))
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.error = self.error or error
        self._solver.stop_search()


def _search(solver: CpSolver, model: CpModel, reports: _Reports) -> tuple[CpSolverStatus, bool]:
    """Status of a run, and whether Ctrl-C ended it.

    The search has a thread of its own, so that this one can take the interrupt.
    """
    with ThreadPoolExecutor(max_workers=1) as executor:
        run = executor.submit(solver.solve, model, reports)
        try:
            # The signal may reach one of CP-SAT's threads, and then does not end a long wait.
            while not run.done():
                wait([run], timeout=POLL_SECONDS)
        except KeyboardInterrupt:
            # A search that has only just begun may not listen yet.
            while not run.done():
                solver.stop_search()
                wait([run], timeout=POLL_SECONDS)
            return run.result(), True
    return run.result(), False
