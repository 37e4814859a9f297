"""Solvers that are not here, played by stand-ins: what is asked of them, and what is read."""

import inspect
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pulp
import pytest

from solvers.engines import ENGINES, Settings
from solvers.engines.pulp_apis import APIS

MakeKnapsack = Callable[..., Any]

OPTIMUM = 5890
"""Of the knapsack of 20 items."""


def within(seconds: float, **others: Any) -> Settings:
    """Settings with a time limit from now on."""
    return Settings(end=time.perf_counter() + seconds, **others)


class Native:
    """A solver's own model, with the names of all of them."""

    def __init__(self, status: object, objective: float | None, bound: float) -> None:
        self.Status = self.status = status
        self._status, self._bound = status, bound
        self._objective = objective
        self.ObjBound = self.bestbnd = bound
        self.solution = SimpleNamespace(
            get_status=lambda: status,
            get_objective_value=self._value,
            MIP=SimpleNamespace(get_best_objective=lambda: bound),
        )
        self.interrupted = False

    def _value(self) -> float:
        if self._objective is None:
            raise AttributeError("no solution is there")
        return self._objective

    ObjVal = objval = property(_value)
    getObjVal = _value  # noqa: N815 - SCIP's name

    def getStatus(self) -> object:  # noqa: N802 - SCIP's name
        return self._status

    def getDualbound(self) -> float:  # noqa: N802 - SCIP's name
        return self._bound

    def getAttrib(self, name: str) -> object:  # noqa: N802 - Xpress's name
        return {"mipstatus": self._status, "bestbound": self._bound}.get(name) or self._value()

    def interrupt(self) -> None:
        self.interrupted = True

    interruptSolve = terminate = interrupt  # noqa: N815 - SCIP's name


def stand_in(
    monkeypatch: pytest.MonkeyPatch, engine: str, status: object, found: bool, bound: float = 5000.0
) -> dict[str, Any]:
    """Play an engine's class in PuLP; returns where its arguments will be."""
    given: dict[str, Any] = {}

    class Wrapper(pulp.LpSolver):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__()
            given.update(options)
            self.task: Any = None

        def actualSolve(self, problem: Any, **_: Any) -> int:  # noqa: N802 - PuLP's name
            if found:
                pulp.COIN_CMD(path=pulp.PULP_CBC_CMD.pulp_cbc_path, msg=False).solve(problem)
                for variable in problem.variables():
                    variable.solverVar = SimpleNamespace(x=variable.varValue)
            objective = float(OPTIMUM) if found else None
            problem.solverModel = self.task = Native(status, objective, bound)
            return 1

    monkeypatch.setattr(pulp, APIS[engine].wrapper, Wrapper)
    return given


def code(engine: str, stop: str) -> object:
    """A status of the engine that means so; one that means nothing where it has none."""
    return next((status for status, means in APIS[engine].stops.items() if means == stop), "?")


ENGINES_BY_NATIVE = [name for name in APIS if name != "mosek"]


@pytest.mark.parametrize("engine", ENGINES_BY_NATIVE)
def test_a_proof_is_read_from_the_solver_itself(
    engine: str, knapsack: MakeKnapsack, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = stand_in(monkeypatch, engine, code(engine, "optimal"), True, float(OPTIMUM))
    problem = knapsack(20)
    outcome = ENGINES[engine].run(problem.model, within(9.0, workers=3, seed=4), heard)
    assert (outcome.stop, outcome.objective, outcome.bound) == ("optimal", OPTIMUM, OPTIMUM)
    assert problem.cost(outcome.solution) == OPTIMUM
    assert given["timeLimit"] == pytest.approx(9.0, abs=0.5)
    assert given["msg"] is False
    assert "warmStart" not in given
    told = repr({name: value for name, value in given.items() if name != "timeLimit"})
    assert ("3" in told) == ("threads" in ENGINES[engine].features)
    assert ("4" in told) == ("seed" in ENGINES[engine].features)


@pytest.mark.parametrize("engine", ENGINES_BY_NATIVE)
def test_a_time_limited_incumbent_is_not_optimal_whatever_pulp_says(
    engine: str, knapsack: MakeKnapsack, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, engine, code(engine, "time-limit"), True)
    outcome = ENGINES[engine].run(knapsack(20).model, within(9.0), heard)
    assert outcome.stop == ("finished" if engine == "xpress" else "time-limit")
    assert (outcome.objective, outcome.bound) == (OPTIMUM, 5000.0)


@pytest.mark.parametrize("engine", ENGINES_BY_NATIVE)
def test_a_hint_is_no_solution(
    engine: str, knapsack: MakeKnapsack, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PuLP leaves the start in the variables if the solver finds nothing."""
    given = stand_in(monkeypatch, engine, code(engine, "time-limit"), False, 1e100)
    outcome = ENGINES[engine].run(knapsack(20, hinted=True).model, within(9.0), heard)
    assert (outcome.solution, outcome.objective, outcome.bound) == (None, None, None)
    assert given["warmStart"] is True


@pytest.mark.parametrize("engine", ENGINES_BY_NATIVE)
def test_a_gap_is_passed_on_and_no_proof(
    engine: str, knapsack: MakeKnapsack, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = stand_in(monkeypatch, engine, code(engine, "optimal"), True, 5800.0)
    outcome = ENGINES[engine].run(knapsack(20).model, Settings(gap=0.0625), heard)
    assert outcome.stop == "gap-limit"
    assert "0.0625" in repr(given)


@pytest.mark.parametrize("engine", ENGINES_BY_NATIVE)
def test_infeasible_is_read_from_the_solver_itself(
    engine: str, knapsack: MakeKnapsack, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, engine, code(engine, "infeasible"), False)
    outcome = ENGINES[engine].run(knapsack(20).model, Settings(), heard)
    assert (outcome.stop, outcome.solution) == ("infeasible", None)


def test_mosek_keeps_its_model_elsewhere(
    knapsack: MakeKnapsack, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = SimpleNamespace(itg="itg")
    mosek = SimpleNamespace(
        soltype=kinds,
        prosta=SimpleNamespace(prim_infeas="no"),
        solsta=SimpleNamespace(integer_optimal="yes"),
        dinfitem=SimpleNamespace(mio_obj_bound="bound"),
    )
    monkeypatch.setitem(sys.modules, "mosek", mosek)
    for name, answer in {
        "getprosta": "?",
        "getsolsta": "yes",
        "getprimalobj": float(OPTIMUM),
        "getdouinf": 5889.75,
    }.items():
        monkeypatch.setattr(Native, name, lambda self, _, told=answer: told, raising=False)
    given = stand_in(monkeypatch, "mosek", None, True)
    outcome = ENGINES["mosek"].run(knapsack(20, hinted=True).model, Settings(seed=5), heard)
    assert (outcome.stop, outcome.objective, outcome.bound) == ("optimal", OPTIMUM, 5889.75)
    assert given["options"]["MSK_IPAR_MIO_SEED"] == 5
    assert "warmStart" not in given


def test_a_licence_that_is_missing_is_told(
    knapsack: MakeKnapsack, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**options: Any) -> None:
        raise ValueError("no licence file")

    monkeypatch.setattr(pulp, "GUROBI", refuse)
    with pytest.raises(RuntimeError, match="gurobi failed: no licence file"):
        ENGINES["gurobi"].run(knapsack(20).model, Settings(), heard)


def test_xpress_is_given_what_pulps_class_knows() -> None:
    """PuLP defines it also without its package."""
    known = inspect.signature(pulp.XPRESS_PY.__init__).parameters
    assert set(APIS["xpress"].options(Settings(), 0.5)) | {"timeLimit", "warmStart"} <= set(known)


@pytest.mark.parametrize("engine", [name for name in APIS if APIS[name].interrupt is not None])
def test_ctrl_c_ends_the_solver_and_keeps_its_solution(
    engine: str, knapsack: MakeKnapsack, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    stand_in(monkeypatch, engine, "?", True)
    solve = getattr(pulp, APIS[engine].wrapper).actualSolve

    def until_interrupted(self: Any, problem: Any, **_: Any) -> int:
        status: int = solve(self, problem)
        os.kill(os.getpid(), signal.SIGINT)
        end = time.perf_counter() + 10
        while not problem.solverModel.interrupted and time.perf_counter() < end:
            time.sleep(0.01)
        return status

    monkeypatch.setattr(getattr(pulp, APIS[engine].wrapper), "actualSolve", until_interrupted)
    outcome = ENGINES[engine].run(knapsack(20).model, Settings(), heard)
    assert (outcome.stop, outcome.objective) == ("interrupted", OPTIMUM)


def test_a_solver_that_cannot_be_stopped_is_left(
    knapsack: MakeKnapsack, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    left = threading.Event()
    stand_in(monkeypatch, "cplex", "?", False)

    def deaf(self: Any, problem: Any, **_: Any) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        left.wait(10)
        return 1

    monkeypatch.setattr(pulp.CPLEX_PY, "actualSolve", deaf)
    outcome = ENGINES["cplex"].run(knapsack(20).model, Settings(), heard)
    left.set()
    assert (outcome.stop, outcome.solution) == ("interrupted", None)
