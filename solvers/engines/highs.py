"""HiGHS through PuLP and highspy, in this process; its own information tells status and bound."""

from __future__ import annotations

import os
from collections.abc import Callable
from math import isfinite
from typing import Any

from pulp import HiGHS

from schedules.progress import Stop
from solvers.engines.engine import Listener, Outcome, Settings
from solvers.engines.lp import GAP, Values, scaled, start_of
from solvers.engines.running import Cause, Watch, by_line, in_thread


def run(engine: str, model: Any, settings: Settings, listener: Listener) -> Outcome:
    """Run HiGHS on an `LpProblem` until a proof, a limit, or Ctrl-C.

    Raises:
        RuntimeError: HiGHS fails.
    """
    import highspy

    start = start_of(model)
    names = [variable.name for variable in model.variables()]
    # A scheduler that an earlier run left behind refuses another number of threads.
    highspy.Highs.resetGlobalScheduler(True)
    with scaled(model) as factor:
        solver = HiGHS(
            msg=False,
            threads=settings.workers,
            timeLimit=settings.seconds,
            gapRel=settings.gap or 0.0,
            gapAbs=GAP / factor,
            random_seed=settings.seed,
        )
        solver.createAndConfigureSolver(model)
        solver.buildSolverModel(model)
    highs = model.solverModel
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = [start[name] for name in names]
        highs.setSolution(solution)
    calls = _Calls(highs, names, factor, listener)
    if settings.log is not None:
        calls.log_to(settings.log)
    _, cause = in_thread(highs.run, calls.stop, Watch(settings, os.getpid()))
    return _outcome(highs, names, factor, cause, settings)


class _Calls:
    """What HiGHS calls while it runs, from its own threads."""

    def __init__(self, highs: Any, names: list[str], factor: float, listener: Listener) -> None:
        self._names = names
        self._factor = factor
        self._listener = listener
        self._stopped = False
        highs.cbMipImprovingSolution += self._improved
        highs.cbMipLogging += self._logged
        highs.cbMipInterrupt += self._asked
        highs.cbSimplexInterrupt += self._asked
        self._highs = highs

    def stop(self) -> None:
        """End the run at the next opportunity."""
        self._stopped = True

    def log_to(self, log: Callable[[str], None]) -> None:
        """Pass the log on; HiGHS has one only if it also has a file for it."""
        for option, value in (
            ("log_to_console", False),
            ("log_file", os.devnull),
            ("output_flag", True),
        ):
            self._highs.setOptionValue(option, value)
        take = by_line(log)
        self._highs.cbLogging += lambda event: take(event.message)

    def _improved(self, event: Any) -> None:
        values = dict(zip(self._names, event.data_out.mip_solution.tolist(), strict=True))
        self._go_on(self._listener.solution(Values(values)))

    def _logged(self, event: Any) -> None:
        if isfinite(event.data_out.mip_dual_bound):
            self._go_on(self._listener.bound(event.data_out.mip_dual_bound * self._factor))

    def _go_on(self, wanted: bool) -> None:
        self._stopped = self._stopped or not wanted

    def _asked(self, event: Any) -> None:
        if self._stopped:
            event.interrupt()


def _outcome(
    highs: Any, names: list[str], factor: float, cause: Cause | None, settings: Settings
) -> Outcome:
    from highspy import HighsModelStatus, SolutionStatus

    info, status = highs.getInfo(), highs.getModelStatus()
    if status in (HighsModelStatus.kInfeasible, HighsModelStatus.kUnboundedOrInfeasible):
        return Outcome("infeasible")
    if status == HighsModelStatus.kOptimal:
        proved = info.mip_gap <= 0 or settings.gap is None
        stop: Stop = "optimal" if proved else "gap-limit"
    elif status in (HighsModelStatus.kTimeLimit, HighsModelStatus.kInterrupt):
        stop = cause or "time-limit"
    else:
        raise RuntimeError(f"HiGHS ended with {status}")
    bound = info.mip_dual_bound * factor
    if not isfinite(bound):
        bound = None
    if info.primal_solution_status != SolutionStatus.kSolutionStatusFeasible:
        return Outcome(stop, bound=bound)
    values = dict(zip(names, highs.getSolution().col_value, strict=True))
    return Outcome(stop, Values(values), info.objective_function_value * factor, bound)
