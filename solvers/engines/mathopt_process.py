"""The process in which `solvers.engines.mathopt` runs a solver; it imports nothing but ortools.

Its argument is a folder: `model` and `request` are read, `answer` is written. When its standard
input is closed, it ends the search and answers with what it has.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from math import isfinite
from pathlib import Path
from threading import Thread
from typing import Any

from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt
from ortools.util.python.solve_interrupter import SolveInterrupter


def answer(folder: Path) -> dict[str, Any]:
    """Solve the model in the folder."""
    model = mathopt.Model.from_model_proto(
        model_pb2.ModelProto.FromString((folder / "model").read_bytes())
    )
    request = json.loads((folder / "request").read_text())
    variables = list(model.variables())
    hints = []
    if request["start"] is not None:
        start = dict(zip(variables, request["start"], strict=True))
        hints = [mathopt.SolutionHint(variable_values=start)]
    interrupter = SolveInterrupter()
    Thread(target=_wait, args=(interrupter,), daemon=True).start()
    result = mathopt.solve(
        model,
        mathopt.SolverType[request["solver"]],
        params=_parameters(**request["parameters"]),
        model_params=mathopt.ModelSolveParameters(solution_hints=hints),
        msg_cb=_print if request["log"] else None,
        interrupter=interrupter,
    )
    return _told(result, variables)


def _parameters(seconds: float | None, **others: Any) -> mathopt.SolveParameters:
    limit = None if seconds is None else timedelta(seconds=seconds)
    return mathopt.SolveParameters(time_limit=limit, **others)


def _wait(interrupter: SolveInterrupter) -> None:
    sys.stdin.read()
    interrupter.interrupt()


def _print(lines: Any) -> None:
    for line in lines:
        print(line, flush=True)


def _told(result: mathopt.SolveResult, variables: list[mathopt.Variable]) -> dict[str, Any]:
    bounds = result.termination.objective_bounds
    values = None
    if result.has_primal_feasible_solution():
        found = result.variable_values()
        values = [found[variable] for variable in variables]
    return {
        "reason": result.termination.reason.name,
        "detail": result.termination.detail,
        "objective": bounds.primal_bound if isfinite(bounds.primal_bound) else None,
        "bound": bounds.dual_bound if isfinite(bounds.dual_bound) else None,
        "values": values,
    }


def main() -> None:
    """Answer, or say what went wrong."""
    folder = Path(sys.argv[1])
    try:
        told = answer(folder)
    except Exception as error:
        # MathOpt trips over its own errors: the true one is the context of what it raises.
        told = {"error": str(error.__context__ or error)}
    (folder / "writing").write_text(json.dumps(told))
    (folder / "writing").rename(folder / "answer")
    sys.stdout.flush()
    os._exit(0)  # at once: threads that wait would keep the process


if __name__ == "__main__":
    main()
