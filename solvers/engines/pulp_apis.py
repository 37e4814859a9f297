"""Solvers that a user may have, through PuLP's classes for them and their own Python packages.

What differs between them is data: how options are spelt, how a run is ended, and where status,
objective and bound are read. PuLP itself would call a time-limited incumbent optimal, and has no
bounds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from formulations.modellers.milp import MilpSolution
from schedules.progress import Stop
from solvers.engines.engine import Listener, Outcome, Settings
from solvers.engines.lp import GAP, scaled, start_of
from solvers.engines.running import Cause, LeftRunningError, Watch, in_thread

Options = dict[str, Any]

HUGE = 1e20
"""What several solvers say for 'none'."""


@dataclass(frozen=True)
class Api:
    """A solver's Python package as PuLP wraps it; 'native' is the solver's own model.

    Attributes:
        wrapper: the name of PuLP's class.
        options: arguments of that class for settings and an absolute gap; the time limit, the
            start and the log are spelt alike for all.
        stops: what the solver's statuses mean; all others mean that it ended without a proof.
        status, objective, bound: read from the native model; the latter two may raise or be
            huge where there are none.
        interrupt: ends a run, given the native model; None if that cannot be done.
        value: of a variable, where PuLP leaves out those of an early end.
        native: where PuLP keeps it, given wrapper and problem.
        writes_log: whether PuLP can direct its log to a file.
    """

    wrapper: str
    options: Callable[[Settings, float], Options]
    stops: dict[object, Stop]
    status: Callable[[Any], object]
    objective: Callable[[Any], float]
    bound: Callable[[Any], float]
    interrupt: Callable[[Any], object] | None = None
    value: Callable[[Any], float] | None = None
    native: Callable[[Any, Any], Any] = lambda wrapper, problem: problem.solverModel
    warm_start: bool = True
    writes_log: bool = True


def _mosek_status(task: Any) -> object:
    import mosek

    kind = mosek.soltype.itg
    if task.getprosta(kind) == mosek.prosta.prim_infeas:
        return "infeasible"
    return "optimal" if task.getsolsta(kind) == mosek.solsta.integer_optimal else "stopped"


def _mosek_objective(task: Any) -> float:
    import mosek

    return task.getprimalobj(mosek.soltype.itg)


def _mosek_bound(task: Any) -> float:
    import mosek

    return task.getdouinf(mosek.dinfitem.mio_obj_bound)


APIS = {
    "scip": Api(
        wrapper="SCIP_PY",
        options=lambda asked, gap: {
            "gapRel": asked.gap or 0.0,
            "gapAbs": gap,
            "options": [f"randomization/randomseedshift={asked.seed}"],
        },
        stops={
            "optimal": "optimal",
            "infeasible": "infeasible",
            "inforunbd": "infeasible",
            "gaplimit": "gap-limit",
            "timelimit": "time-limit",
            "userinterrupt": "interrupted",
        },
        status=lambda model: model.getStatus(),
        objective=lambda model: model.getObjVal(),
        bound=lambda model: model.getDualbound(),
        interrupt=lambda model: model.interruptSolve(),
    ),
    "gurobi": Api(
        wrapper="GUROBI",
        options=lambda asked, gap: {
            "MIPGap": asked.gap or 0.0,
            "MIPGapAbs": gap,
            "Threads": asked.workers,
            "Seed": asked.seed,
            "LogToConsole": 0,
        },
        stops={2: "optimal", 3: "infeasible", 4: "infeasible", 9: "time-limit", 11: "interrupted"},
        status=lambda model: model.Status,
        objective=lambda model: model.ObjVal,
        bound=lambda model: model.ObjBound,
        interrupt=lambda model: model.terminate(),
    ),
    "cplex": Api(
        wrapper="CPLEX_PY",
        options=lambda asked, gap: {
            "gapRel": asked.gap or 0.0,
            "mip.tolerances.absmipgap": gap,
            "threads": asked.workers,
            "randomseed": asked.seed,
        },
        stops={
            101: "optimal",
            102: "optimal",
            103: "infeasible",
            119: "infeasible",
            107: "time-limit",
            108: "time-limit",
            113: "interrupted",
            114: "interrupted",
        },
        status=lambda model: model.solution.get_status(),
        objective=lambda model: model.solution.get_objective_value(),
        bound=lambda model: model.solution.MIP.get_best_objective(),
    ),
    "xpress": Api(
        wrapper="XPRESS_PY",
        options=lambda asked, gap: {
            "gapRel": asked.gap or 0.0,
            "options": [("THREADS", asked.workers), ("RANDOMSEED", asked.seed)],
        },
        stops={5: "infeasible", 6: "optimal"},
        status=lambda model: model.getAttrib("mipstatus"),
        objective=lambda model: model.getAttrib("mipobjval"),
        bound=lambda model: model.getAttrib("bestbound"),
        interrupt=lambda model: model.interrupt(),
        writes_log=False,
    ),
    "mosek": Api(
        wrapper="MOSEK",
        options=lambda asked, gap: {
            "options": {
                "MSK_DPAR_MIO_TOL_REL_GAP": asked.gap or 0.0,
                "MSK_DPAR_MIO_TOL_ABS_GAP": gap,
                "MSK_IPAR_NUM_THREADS": asked.workers,
                "MSK_IPAR_MIO_SEED": asked.seed,
            }
        },
        stops={"optimal": "optimal", "infeasible": "infeasible"},
        status=_mosek_status,
        objective=_mosek_objective,
        bound=_mosek_bound,
        native=lambda wrapper, problem: wrapper.task,
        warm_start=False,
        writes_log=False,
    ),
    "copt": Api(
        wrapper="COPT",
        options=lambda asked, gap: {
            "RelGap": asked.gap or 0.0,
            "AbsGap": gap,
            "Threads": asked.workers,
        },
        stops={1: "optimal", 2: "infeasible", 4: "infeasible", 8: "time-limit", 10: "interrupted"},
        status=lambda model: model.status,
        objective=lambda model: model.objval,
        bound=lambda model: model.bestbnd,
        interrupt=lambda model: model.interrupt(),
        value=lambda variable: variable.solverVar.x,
    ),
}
"""Engine -> how to use it."""


def run(engine: str, model: Any, settings: Settings, listener: Listener) -> Outcome:
    """Run a solver on an `LpProblem` until a proof, a limit, or Ctrl-C.

    Raises:
        RuntimeError: the solver fails, or its licence does.
    """
    import pulp

    api = APIS[engine]
    with scaled(model) as factor, TemporaryDirectory(prefix="chipweave-") as place:
        log = Path(place) / "log"
        options = _options(api, model, settings, factor, log)
        try:
            wrapper = getattr(pulp, api.wrapper)(**options)
            wrapper.msg = False  # what PuLP itself would print
            cause = _run(api, wrapper, model, settings)
        except LeftRunningError as left:
            return Outcome(left.cause)
        except Exception as error:
            raise RuntimeError(f"{engine} failed: {error}") from error
        if settings.log is not None and log.exists():
            for line in log.read_text(errors="replace").splitlines():
                settings.log(line)
    outcome = _outcome(api, api.native(wrapper, model), model, factor, settings)
    if cause is None or outcome.stop in ("optimal", "infeasible"):
        return outcome
    return replace(outcome, stop=cause)


def _options(api: Api, model: Any, settings: Settings, factor: float, log: Path) -> Options:
    options = api.options(settings, GAP / factor)
    logged = settings.log is not None and api.writes_log
    options["msg"] = logged
    options["timeLimit"] = settings.seconds
    if logged:
        options["logPath"] = str(log)
    if api.warm_start and start_of(model) is not None:
        options["warmStart"] = True
    return options


def _run(api: Api, wrapper: Any, model: Any, settings: Settings) -> Cause | None:
    model.solverModel = None

    def stop() -> None:
        if model.solverModel is not None and api.interrupt is not None:
            api.interrupt(model.solverModel)

    can_stop = None if api.interrupt is None else stop
    watch = Watch(settings, os.getpid())
    return in_thread(lambda: model.solve(wrapper), can_stop, watch)[1]


def _outcome(api: Api, native: Any, model: Any, factor: float, settings: Settings) -> Outcome:
    stop = api.stops.get(api.status(native), "finished")
    if stop == "infeasible":
        return Outcome(stop)
    objective = _read(api.objective, native, factor)
    bound = _read(api.bound, native, factor)
    if objective is None:
        return Outcome(stop, bound=bound)
    if stop == "optimal" and settings.gap and (bound is None or objective - bound > GAP):
        stop = "gap-limit"
    if api.value is not None:
        for variable in model.variables():
            variable.varValue = api.value(variable)
    return Outcome(stop, MilpSolution(), objective, bound)


def _read(read: Callable[[Any], float], native: Any, factor: float) -> float | None:
    """The number, None where the solver has none: it then raises its own error, or is huge."""
    try:
        value = float(read(native))
    except Exception:
        return None
    return value * factor if isfinite(value) and abs(value) < HUGE else None
