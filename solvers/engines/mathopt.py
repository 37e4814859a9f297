"""Solvers inside the ortools wheel, through MathOpt: a second road for MILPs, with true bounds.

They run in a process of their own. HiGHS in the wheel and the one in highspy share symbols, and
whichever comes second may crash; a process can also be ended when a solver overlooks its limits.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from schedules.progress import Stop
from solvers.engines.engine import Listener, Outcome, Settings
from solvers.engines.lp import GAP, Values, scaled, start_of
from solvers.engines.running import Watch, in_process

SOLVERS = {"mathopt-highs": "HIGHS", "mathopt-scip": "GSCIP", "mathopt-cpsat": "CP_SAT"}
"""Engine -> MathOpt's name of it."""

WITH_THREADS = ("mathopt-cpsat",)
"""The others refuse a number of threads, or hang with more than one."""

CHILD = Path(__file__).with_name("mathopt_process.py")


def run(engine: str, model: Any, settings: Settings, listener: Listener) -> Outcome:
    """Run a solver of MathOpt on an `LpProblem` until a proof, a limit, or Ctrl-C.

    Raises:
        RuntimeError: the solver fails.
    """
    with TemporaryDirectory(prefix="chipweave-") as place, scaled(model) as factor:
        folder = Path(place)
        (folder / "model").write_bytes(_proto(model).SerializeToString())
        (folder / "request").write_text(json.dumps(_request(engine, model, settings, factor)))
        process = subprocess.Popen(
            [sys.executable, "-P", str(CHILD), place],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        last: list[str] = []

        def read(line: str) -> None:
            last[:] = [*last[-2:], line]
            if settings.log is not None:
                settings.log(line)

        def stop() -> None:
            assert process.stdin is not None
            process.stdin.close()  # what the other side waits for

        try:
            cause = in_process(process, read, stop, Watch(settings, process.pid))
        finally:
            process.kill()
        answer = folder / "answer"
        if not answer.exists():
            if cause is None:
                raise RuntimeError(f"{engine} ended with code {process.returncode}: {last}")
            return Outcome(cause)
        told = json.loads(answer.read_text())
    if "error" in told:
        raise RuntimeError(f"{engine}: {told['error']}")
    names = [variable.name for variable in model.variables()]
    return _outcome(told, names, factor, cause, settings)


def _request(engine: str, model: Any, settings: Settings, factor: float) -> dict[str, Any]:
    start = start_of(model)
    parameters = {
        "seconds": settings.seconds,
        "relative_gap_tolerance": settings.gap or 0.0,
        "absolute_gap_tolerance": GAP / factor,
        "random_seed": settings.seed,
    }
    if engine in WITH_THREADS:
        parameters["threads"] = settings.workers
    return {
        "solver": SOLVERS[engine],
        "parameters": parameters,
        "start": None if start is None else list(start.values()),
        "log": settings.log is not None,
    }


def _proto(model: Any) -> Any:
    """The problem as MathOpt's message: exact, where an MPS file would round."""
    from ortools.math_opt import model_pb2

    variables = model.variables()
    place = {variable.name: index for index, variable in enumerate(variables)}
    proto = model_pb2.ModelProto()
    proto.variables.ids.extend(range(len(variables)))
    proto.variables.lower_bounds.extend(_bound(v.lowBound, -1) for v in variables)
    proto.variables.upper_bounds.extend(_bound(v.upBound, 1) for v in variables)
    proto.variables.integers.extend(v.cat == "Integer" for v in variables)
    objective = sorted((place[v.name], weight) for v, weight in model.objective.items())
    proto.objective.linear_coefficients.ids.extend(index for index, _ in objective)
    proto.objective.linear_coefficients.values.extend(weight for _, weight in objective)
    for row, constraint in enumerate(model.constraints()):
        proto.linear_constraints.ids.append(row)
        proto.linear_constraints.lower_bounds.append(_bound(constraint.getLb(), -1))
        proto.linear_constraints.upper_bounds.append(_bound(constraint.getUb(), 1))
        entries = sorted((place[v.name], weight) for v, weight in constraint.items())
        matrix = proto.linear_constraint_matrix
        matrix.row_ids.extend(row for _ in entries)
        matrix.column_ids.extend(index for index, _ in entries)
        matrix.coefficients.extend(weight for _, weight in entries)
    return proto


def _bound(value: float | None, side: int) -> float:
    return side * float("inf") if value is None else value


def _outcome(
    told: dict[str, Any], names: list[str], factor: float, cause: Any, settings: Settings
) -> Outcome:
    if told["reason"] in ("INFEASIBLE", "INFEASIBLE_OR_UNBOUNDED"):
        return Outcome("infeasible")
    bound = None if told["bound"] is None else told["bound"] * factor
    stop: Stop = cause or "time-limit"
    if told["reason"] == "OPTIMAL":
        closed = told["bound"] is not None and told["objective"] - told["bound"] <= GAP / factor
        stop = "optimal" if closed or settings.gap is None else "gap-limit"
    elif told["reason"] not in ("FEASIBLE", "NO_SOLUTION_FOUND"):
        raise RuntimeError(f"MathOpt ended with {told['reason']}: {told['detail']}")
    if told["values"] is None:
        return Outcome(stop, bound=bound)
    values = Values(dict(zip(names, told["values"], strict=True)))
    return Outcome(stop, values, told["objective"] * factor, bound)
