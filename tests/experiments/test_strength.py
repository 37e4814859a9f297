"""The strength table: sizes and bounds are those of the models, times those of real runs."""

import subprocess
from dataclasses import replace
from typing import Any

import pytest

import experiments.strength
from experiments.strength import DEFAULT_INSTANCES, Model, Strength, default_instances, strength
from formulations.export import size
from formulations.formulation import FORMULATIONS, formulate
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller
from instances.generate import random_instance
from schedules.goal import Goal
from solvers.engines import Engine
from solvers.result import Result
from solvers.solve import solve

SMALL = random_instance(24, layers=3, chiplets=3, options=2, memory="loose")
OPTIMUM = 835


def rows(**arguments: Any) -> list[Strength]:
    return list(strength([SMALL], time_limit=60, workers=1, **arguments))


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure models here instead of in processes that take seconds to start."""

    def run(command: list[str], *, input: bytes, **_: Any) -> subprocess.CompletedProcess[bytes]:
        import io
        import sys

        out = io.TextIOWrapper(io.BytesIO())
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(input)))
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            experiments.strength.measure()
        assert isinstance(out.buffer, io.BytesIO)
        return subprocess.CompletedProcess(command, 0, out.buffer.getvalue())

    monkeypatch.setattr(subprocess, "run", run)


@pytest.mark.usefixtures("in_this_process")
def test_there_is_a_row_for_each_formulation_and_engine() -> None:
    found = rows(engines=["cp-sat", "mathopt-scip"], without_limit=False)
    expected = [(name, engine) for name in FORMULATIONS for engine in ("cp-sat", "mathopt-scip")]
    assert [(row.formulation, row.engine) for row in found] == expected
    for row in found:
        assert row.instance == SMALL.name
        assert row.optimum == OPTIMUM
        assert row.reason == ""
        assert row.result is not None
        assert (row.result.stop, row.result.objective) == ("optimal", OPTIMUM)
        assert row.whole is None


@pytest.mark.usefixtures("in_this_process")
def test_sizes_are_those_of_the_models_and_bounds_do_not_exceed_the_optimum() -> None:
    for row in rows(engines=["cp-sat"]):
        whole = formulate(row.formulation, SMALL, MilpModeller())
        assert row.whole is not None
        assert (row.whole.variables, row.whole.constraints) == size(whole)
        reduced = formulate(row.formulation, SMALL, CpSatModeller(), limit=OPTIMUM)
        assert row.model is not None
        assert row.model.relaxed is None
        assert (row.model.variables, row.model.constraints) == size(reduced)
        assert row.milp is not None
        for model in (row.milp, row.whole):
            assert model.relaxed is not None
            assert 0 < (row.of_optimum(model.root) or 0) <= 1 + 1e-9
            assert model.build_s > 0


def test_a_model_is_measured_in_a_process_of_its_own() -> None:
    (row,) = rows(formulations=["interval"], engines=["cp-sat"], without_limit=False)
    assert row.milp is not None
    assert row.milp.variables > 0


@pytest.mark.usefixtures("in_this_process")
def test_the_objective_may_be_the_energy() -> None:
    (row,) = rows(formulations=["compact"], engines=["cp-sat"], goal=Goal("energy"))
    assert row.optimum == solve(SMALL, "exact", goal=Goal("energy")).objective
    assert row.result is not None
    assert row.result.objective == row.optimum


def test_what_a_process_tells_before_it_runs_out_of_time_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = b'noise\nmodel {"variables": 7, "constraints": 8, "build_s": 0.5}\nmodel {"varia'

    def late(command: list[str], **_: Any) -> None:
        raise subprocess.TimeoutExpired(command, 1, output=told)

    monkeypatch.setattr(subprocess, "run", late)
    (row,) = rows(formulations=["segment"], engines=["cp-sat"])
    assert row.model == Model(7, 8, 0.5)
    assert row.of_optimum(row.model.root) is None


@pytest.mark.usefixtures("unmeasured")
def test_a_model_that_cannot_be_built_leaves_its_cells_empty_and_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (row,) = rows(formulations=["segment"], engines=["cp-sat"])
    assert (row.model, row.milp, row.whole) == (None, None, None)
    assert row.to_data()["model"] is None
    assert "MemoryError" in caplog.text


def _nothing(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.CompletedProcess(command, 1, b"", b"Traceback\nMemoryError\n")


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **_: _nothing(command))


@pytest.mark.usefixtures("unmeasured")
def test_an_engine_that_fails_is_a_row_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(instance: Any, method: str, **arguments: Any) -> Result:
        if method == "cpsat":
            raise RuntimeError("out of order")
        return solve(instance, method, **arguments)

    monkeypatch.setattr(experiments.strength, "solve", run)
    first, second = rows(formulations=["interval"], engines=["cp-sat", "mathopt-scip"])
    assert (first.result, first.reason) == (None, "out of order")
    assert second.result is not None
    assert second.to_data()["result"]["objective"] == OPTIMUM


@pytest.mark.usefixtures("unmeasured")
def test_a_false_optimum_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(instance: Any, method: str, **arguments: Any) -> Result:
        result = solve(instance, method, **arguments)
        frugal = solve(instance, "exact", goal=Goal("energy")).evaluation
        return result if method == "exact" else replace(result, evaluation=frugal)

    monkeypatch.setattr(experiments.strength, "solve", run)
    (row,) = rows(formulations=["interval"], engines=["cp-sat"])
    assert row.reason == "says that 1024 is optimal, the exact method 835"


@pytest.mark.usefixtures("unmeasured")
def test_ctrl_c_keeps_the_rows_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(instance: Any, method: str, **arguments: Any) -> Result:
        result = solve(instance, method, **arguments)
        return replace(result, stop="interrupted") if method == "milp" else result

    monkeypatch.setattr(experiments.strength, "solve", run)
    found = rows(formulations=["interval"], engines=["cp-sat", "mathopt-scip"])
    assert [row.engine for row in found] == ["cp-sat"]


def test_the_better_bound_is_the_root_bound() -> None:
    assert Model(1, 1, 0.0).root is None
    assert Model(1, 1, 0.0, bound=3).root == 3
    assert Model(1, 1, 0.0, bound=3, relaxed=2.5).root == 3
    assert Model(1, 1, 0.0, bound=3, relaxed=3.5).root == 3.5


def test_the_instances_of_the_documents_are_there() -> None:
    found = default_instances()
    assert [(i.network and i.network.name, i.package and i.package.name) for i in found] == list(
        DEFAULT_INSTANCES
    )
    assert {instance.batch for instance in found} == {64}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"formulations": ["compat"]}, "unknown formulation 'compat': choose from segment"),
        ({"engines": ["hihgs"]}, "unknown engine 'hihgs': choose from cp-sat"),
        ({"goal": Goal("edp")}, "no weighted sum"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        strength([SMALL], **arguments)


def test_an_engine_that_is_not_here_is_refused_before_any_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Engine, "find", lambda self: None)
    with pytest.raises(ValueError, match="'scip' is not here: install"):
        strength([SMALL], engines=["scip"])
