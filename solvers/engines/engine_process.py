"""A process that runs HiGHS, or a solver of MathOpt; it imports nothing of this project.

Its argument says which. It reads pickled requests and ('stop', number) from standard input, and
answers with pickled pairs: ('log', text), ('bound', number), ('solution', (objective, values)),
and last ('answer', ...) or ('error', text). It ends with its input.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from itertools import pairwise
from math import isfinite
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any

Request = dict[str, Any]
Tell = Callable[[str, Any], None]


class Mail:
    """What comes in and goes out; standard output itself is closed to whoever prints."""

    def __init__(self) -> None:
        self.requests: SimpleQueue[Request] = SimpleQueue()
        self.stop = Event()
        self._number = self._stopped = 0
        self._lock = Lock()
        self._out = os.fdopen(os.dup(1), "wb")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        Thread(target=self._read, daemon=True).start()

    def next(self) -> Request:
        """Wait for a request."""
        request = self.requests.get()
        with self._lock:
            self._number, self.stop = request["number"], Event()
            if self._stopped == self._number:
                self.stop.set()
        return request

    def tell(self, kind: str, value: Any) -> None:
        """Send a message."""
        with self._lock:
            pickle.dump((kind, value), self._out)
            self._out.flush()

    def _read(self) -> None:
        try:
            while True:
                kind, value = pickle.load(sys.stdin.buffer)
                if kind == "request":
                    self.requests.put(value)
                    continue
                with self._lock:
                    self._stopped = value
                    if value == self._number:
                        self.stop.set()
        except EOFError:
            os._exit(0)


def highs(request: Request, tell: Tell, stop: Event) -> dict[str, Any]:
    """Run HiGHS."""
    import highspy

    model = highspy.HighsLp()
    arrays = request["arrays"]
    model.num_col_, model.num_row_ = len(arrays["cost"]), len(arrays["row_lower"])
    model.col_cost_, model.col_lower_ = arrays["cost"], arrays["lower"]
    model.col_upper_, model.row_lower_ = arrays["upper"], arrays["row_lower"]
    model.row_upper_ = arrays["row_upper"]
    kinds = highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger
    model.integrality_ = [kinds[whole] for whole in arrays["integer"].astype(int).tolist()]
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = arrays["starts"]
    model.a_matrix_.index_, model.a_matrix_.value_ = arrays["columns"], arrays["weights"]

    # A scheduler that an earlier run left behind refuses another number of threads.
    highspy.Highs.resetGlobalScheduler(True)
    solver = highspy.Highs()
    for option, value in request["options"].items():
        solver.setOptionValue(option, value)
    _listen(solver, tell, stop)
    solver.passModel(model)
    if request["start"] is not None:
        start = highspy.HighsSolution()
        start.col_value = request["start"]
        solver.setSolution(start)
    solver.run()
    info = solver.getInfo()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    return {
        "status": solver.getModelStatus().name,
        "objective": info.objective_function_value,
        "bound": info.mip_dual_bound if isfinite(info.mip_dual_bound) else None,
        "values": list(solver.getSolution().col_value) if found else None,
    }


def _listen(solver: Any, tell: Tell, stop: Event) -> None:
    def improved(event: Any) -> None:
        found = event.data_out
        tell("solution", (found.objective_function_value, found.mip_solution.tolist()))

    def bounded(event: Any) -> None:
        if isfinite(event.data_out.mip_dual_bound):
            tell("bound", event.data_out.mip_dual_bound)

    def asked(event: Any) -> None:
        if stop.is_set():
            event.interrupt()

    solver.cbMipImprovingSolution += improved
    solver.cbMipLogging += bounded
    solver.cbMipInterrupt += asked
    solver.cbSimplexInterrupt += asked
    solver.cbLogging += lambda event: tell("log", event.message)


def mathopt(request: Request, tell: Tell, stop: Event) -> dict[str, Any]:
    """Run a solver of MathOpt."""
    from datetime import timedelta

    from ortools.math_opt.python import mathopt
    from ortools.math_opt.solvers.highs_pb2 import HighsOptionsProto
    from ortools.sat.sat_parameters_pb2 import SatParameters
    from ortools.util.python.solve_interrupter import SolveInterrupter

    model = mathopt.Model.from_model_proto(_proto(request["arrays"]))
    variables = list(model.variables())
    hints = []
    if request["start"] is not None:
        start = dict(zip(variables, request["start"], strict=True))
        hints = [mathopt.SolutionHint(variable_values=start)]
    parameters = dict(request["parameters"])
    seconds = parameters.pop("seconds")
    if seconds is not None:
        parameters["time_limit"] = timedelta(seconds=seconds)
    if request["solver"] == "CP_SAT":
        # This part of presolve loses optima: google/or-tools, issue 5293.
        parameters["cp_sat"] = SatParameters(presolve_inclusion_work_limit=0)
    if "highs" in parameters:
        parameters["highs"] = HighsOptionsProto(int_options=parameters["highs"])
    interrupter = SolveInterrupter()
    Thread(target=lambda: (stop.wait(), interrupter.interrupt()), daemon=True).start()
    result = mathopt.solve(
        model,
        mathopt.SolverType[request["solver"]],
        params=mathopt.SolveParameters(**parameters),
        model_params=mathopt.ModelSolveParameters(solution_hints=hints),
        msg_cb=lambda lines: tell("log", "\n".join(lines)),
        interrupter=interrupter,
    )
    bounds, values = result.termination.objective_bounds, None
    if result.has_primal_feasible_solution():
        found = result.variable_values()
        values = [found[variable] for variable in variables]
    return {
        "status": result.termination.reason.name,
        "objective": bounds.primal_bound,
        "bound": bounds.dual_bound if isfinite(bounds.dual_bound) else None,
        "values": values,
    }


def _proto(arrays: dict[str, Any]) -> Any:
    """The problem as MathOpt's message: exact, where an MPS file would round."""
    from ortools.math_opt import model_pb2

    proto = model_pb2.ModelProto()
    columns, rows = proto.variables, proto.linear_constraints
    columns.ids.extend(range(len(arrays["cost"])))
    columns.lower_bounds.extend(arrays["lower"].tolist())
    columns.upper_bounds.extend(arrays["upper"].tolist())
    columns.integers.extend(arrays["integer"].tolist())
    proto.objective.linear_coefficients.ids.extend(range(len(arrays["cost"])))
    proto.objective.linear_coefficients.values.extend(arrays["cost"].tolist())
    rows.ids.extend(range(len(arrays["row_lower"])))
    rows.lower_bounds.extend(arrays["row_lower"].tolist())
    rows.upper_bounds.extend(arrays["row_upper"].tolist())
    starts = arrays["starts"].tolist()
    matrix = proto.linear_constraint_matrix
    for row, (start, end) in enumerate(pairwise(starts)):
        matrix.row_ids.extend([row] * (end - start))
    matrix.column_ids.extend(arrays["columns"].tolist())
    matrix.coefficients.extend(arrays["weights"].tolist())
    return proto


def main() -> None:
    """Answer requests, or say what went wrong, until there are no more."""
    run = {"highs": highs, "mathopt": mathopt}[sys.argv[1]]
    mail = Mail()
    while True:
        request = mail.next()
        try:
            mail.tell("answer", run(request, mail.tell, mail.stop))
        except Exception as error:
            # MathOpt trips over its own errors: the true one is the context of what it raises.
            mail.tell("error", str(error.__context__ or error))
        mail.stop.set()  # lets go of whoever waits for it


if __name__ == "__main__":
    main()
