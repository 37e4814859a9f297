"""Engines that are here: what they claim in each of the ways in which a run can end."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller
from solvers.engines import ENGINES, Engine, Settings, engines
from solvers.engines.arithmetic import close, integer_bound, same

MakeKnapsack = Callable[..., Any]

HERE = [info.name for info in engines() if info.version is not None]
"""In a development environment: cp-sat, highs, cbc, and the three of MathOpt."""

OPTIMUM = 5890
"""Of the knapsack of 20 items; all engines agree."""


@pytest.fixture(params=HERE)
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


def modeller(engine: Engine) -> CpSatModeller | MilpModeller:
    return CpSatModeller() if engine.kind == "cpsat" else MilpModeller()


def within(seconds: float, **others: Any) -> Settings:
    """Settings with a time limit from now on."""
    return Settings(end=time.perf_counter() + seconds, **others)


def test_a_development_environment_has_six_engines() -> None:
    mathopt = ["mathopt-highs", "mathopt-scip", "mathopt-cpsat"]
    assert {"cp-sat", "highs", "cbc", *mathopt} <= set(HERE)


@pytest.mark.parametrize("hinted", [False, True])
def test_engines_agree_on_the_optimum(
    engine: Engine, hinted: bool, knapsack: MakeKnapsack, heard: Any
) -> None:
    problem = knapsack(20, modeller=modeller(engine), hinted=hinted)
    outcome: Any = engine.run(problem.model, Settings(), heard)
    assert outcome.stop == "optimal"
    assert round(outcome.objective) == OPTIMUM
    assert integer_bound(outcome.bound, exact=False) <= OPTIMUM
    assert problem.cost(outcome.solution) == OPTIMUM
    if "incumbents" in engine.features:
        assert heard.solutions > 0
    assert all(bound <= OPTIMUM + 1e-6 for bound in heard.bounds)


def test_a_model_without_solution_is_infeasible(engine: Engine, heard: Any) -> None:
    m = modeller(engine)
    items = [m.binary(f"x[{i}]") for i in range(3)]
    m.require("two", m.sum(items) >= 2)
    m.require("one", m.sum(items, [2, 2, 2]) <= 3)
    m.minimize(m.sum(items))
    outcome: Any = engine.run(m.model, Settings(), heard)
    assert (outcome.stop, outcome.solution, outcome.objective) == ("infeasible", None, None)


def test_highs_refuses_numbers_that_it_cannot_hold_in_plain_words(heard: Any) -> None:
    m = MilpModeller()
    m.require("huge", m.sum([m.binary("x")], [10**16]) <= 10**15)
    with pytest.raises(ValueError, match=r"too large for HiGHS: a coefficient is 1\.0e\+16"):
        ENGINES["highs"].run(m.model, Settings(), heard)


def test_the_time_limit_leaves_a_solution_and_a_valid_bound(
    engine: Engine, knapsack: MakeKnapsack, heard: Any
) -> None:
    problem = knapsack(140, 8, modeller=modeller(engine))
    began = time.perf_counter()
    outcome: Any = engine.run(problem.model, within(0.6), heard)
    assert time.perf_counter() - began < 5
    assert outcome.stop == "time-limit"
    assert round(outcome.objective) == problem.cost(outcome.solution)
    assert 0 < outcome.bound < outcome.objective - 1


def test_a_gap_is_where_a_run_stops_but_no_proof(
    engine: Engine, knapsack: MakeKnapsack, heard: Any
) -> None:
    problem = knapsack(140, 8, modeller=modeller(engine))
    outcome: Any = engine.run(problem.model, within(60, gap=0.05), heard)
    assert outcome.stop == "gap-limit"
    assert round(outcome.objective) == problem.cost(outcome.solution)
    assert 0 < outcome.objective - outcome.bound <= 0.05 * outcome.objective + 1


def test_a_gap_limit_that_a_proof_beats_does_not_hide_it(
    engine: Engine, knapsack: MakeKnapsack, heard: Any
) -> None:
    m = modeller(engine)
    x = m.binary("x")
    m.require("one", x >= 1)
    m.minimize(7 * x)
    assert engine.run(m.model, Settings(gap=0.2), heard).stop == "optimal"


def test_ctrl_c_ends_a_run_with_what_there_is(
    engine: Engine, knapsack: MakeKnapsack, heard: Any
) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    problem = knapsack(140, 8, modeller=modeller(engine))
    threading.Timer(0.7, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    began = time.perf_counter()
    outcome: Any = engine.run(problem.model, within(60), heard)
    assert time.perf_counter() - began < 12
    assert outcome.stop == "interrupted"
    assert (outcome.solution is not None) == ("interrupt" in engine.features)
    if outcome.solution is not None:
        assert round(outcome.objective) == problem.cost(outcome.solution)
        assert 0 < outcome.bound < outcome.objective


def test_a_run_that_is_cancelled_counts_as_interrupted(
    engine: Engine, knapsack: MakeKnapsack, heard: Any
) -> None:
    problem = knapsack(140, 8, modeller=modeller(engine))
    began = time.perf_counter()
    told = within(60, cancelled=lambda: time.perf_counter() > began + 0.3)
    assert engine.run(problem.model, told, heard).stop == "interrupted"
    assert time.perf_counter() - began < 12


def test_highs_is_as_exact_as_it_is_told(heard: Any) -> None:
    for tolerance, wanted in ((None, 0), (1e-9, 1)):
        m = MilpModeller()
        x, y = m.binary("x"), m.binary("y")
        # With rows that may be off by 1e-6, nothing has to be taken.
        m.require("little", m.sum([x, y], [1e-6, 1e-6]) >= 5e-7)
        m.require("more", m.sum([x, y], [1.0, 2.0]) >= 1e-7)
        m.minimize(m.sum([x, y]))
        outcome: Any = ENGINES["highs"].run(m.model, Settings(tolerance=tolerance), heard)
        assert round(outcome.objective) == wanted


def test_short_memory_ends_a_run(engine: Engine, knapsack: MakeKnapsack, heard: Any) -> None:
    problem = knapsack(140, 8, modeller=modeller(engine))
    outcome: Any = engine.run(problem.model, within(60, memory=1), heard)
    assert outcome.stop == "memory-limit"
    if outcome.solution is not None:
        assert round(outcome.objective) == problem.cost(outcome.solution)


def test_enough_memory_does_not(engine: Engine, knapsack: MakeKnapsack, heard: Any) -> None:
    problem = knapsack(20, modeller=modeller(engine))
    assert engine.run(problem.model, Settings(memory=100_000), heard).stop == "optimal"


def test_the_log_arrives_line_by_line(engine: Engine, knapsack: MakeKnapsack, heard: Any) -> None:
    lines: list[str] = []
    problem = knapsack(20, modeller=modeller(engine))
    engine.run(problem.model, Settings(log=lines.append), heard)
    assert len(lines) > 10
    assert not any("\n" in line for line in lines)


def test_no_engine_prints(
    engine: Engine, knapsack: MakeKnapsack, heard: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    lines: list[str] = []
    for log in (None, lines.append):
        problem = knapsack(20, modeller=modeller(engine), hinted=True)
        engine.run(problem.model, Settings(log=log), heard)
    assert capfd.readouterr() == ("", "")


def test_a_listener_that_has_enough_ends_the_run(
    engine: Engine, knapsack: MakeKnapsack, heard: Any
) -> None:
    if "incumbents" not in engine.features:
        pytest.skip("it says nothing while it runs")
    heard.go_on = False
    problem = knapsack(140, 8, modeller=modeller(engine))
    began = time.perf_counter()
    outcome: Any = engine.run(problem.model, within(60), heard)
    assert time.perf_counter() - began < 10
    assert outcome.stop not in ("optimal", "infeasible")


@pytest.mark.parametrize("hinted", [True, False])
def test_a_start_gives_a_solution_that_is_hard_to_find(
    engine: Engine, hinted: bool, heard: Any
) -> None:
    """Items that weigh a given weight in each of five ways; no engine finds them in a second."""
    m, draw = modeller(engine), Random(0)
    chosen = [draw.randint(0, 1) for _ in range(50)]
    items = [m.binary(f"x[{i}]") for i in range(50)]
    for row in range(5):
        weights = [draw.randint(1, 99) for _ in items]
        total = sum(w * x for w, x in zip(weights, chosen, strict=True))
        m.require(f"row[{row}]", m.sum(items, weights) == total)
    m.minimize(m.sum(items))
    if hinted:
        m.hint(list(zip(items, chosen, strict=True)))
    outcome = engine.run(m.model, within(0.7), heard)
    assert outcome.stop == "time-limit"
    assert (outcome.solution is not None) == (hinted and "warm-start" in engine.features)


def test_huge_costs_are_solved_as_well_as_small_ones(engine: Engine, heard: Any) -> None:
    """Tolerances are absolute: unscaled, some engines would stop a billion off, or never."""
    m = modeller(engine)
    costs = [10**11 * (i + 1) + i for i in range(8)]
    items = [m.binary(f"x[{i}]") for i in range(8)]
    m.require("three", m.sum(items) >= 3)
    m.minimize(m.sum(items, costs) + 5)
    outcome: Any = engine.run(m.model, Settings(), heard)
    assert outcome.stop == "optimal"
    assert same(outcome.objective, sum(costs[:3]) + 5, engine.kind == "cpsat")
    assert [outcome.solution.value(item) for item in items] == [1, 1, 1, 0, 0, 0, 0, 0]
    if isinstance(m, MilpModeller):
        assert m.model.objective is not None
        assert m.model.objective[items[1]] == costs[1]  # scaled for the engine alone


def test_two_runs_with_other_threads_follow_each_other(
    engine: Engine, knapsack: MakeKnapsack, heard: Any
) -> None:
    for workers in (1, 2, 1) if "threads" in engine.features else (1,):
        problem = knapsack(20, modeller=modeller(engine))
        assert engine.run(problem.model, Settings(workers=workers), heard).stop == "optimal"


def test_engines_leave_logging_alone(engine: Engine, knapsack: MakeKnapsack, heard: Any) -> None:
    before = logging.getLogger().level, list(logging.getLogger().handlers)
    engine.run(knapsack(20, modeller=modeller(engine)).model, Settings(), heard)
    assert (logging.getLogger().level, list(logging.getLogger().handlers)) == before


@pytest.mark.parametrize(
    ("bound", "exact", "expected"),
    [
        (41.2, False, 42),
        (42.0, False, 42),
        (42.0004, False, 42),
        (41.9999, False, 42),
        (42.002, False, 43),
        (41.9999999, True, 42),
        (-0.5, False, 0),
        (0.0, False, 0),
        # nine digits are believed of a MILP engine, all of CP-SAT
        (3_000_000_000_000.4, False, 2_999_999_997_001),
        (3_000_000_000_001.0, True, 3_000_000_000_001),
    ],
)
def test_a_bound_is_rounded_up_no_further_than_it_is_known(
    bound: float, exact: bool, expected: int
) -> None:
    assert integer_bound(bound, exact) == expected


def test_an_exact_bound_beyond_doubles_is_not_rounded_up() -> None:
    true = 2**59 + 1
    assert integer_bound(float(true + 63), exact=True) <= true


def test_claims_are_compared_as_integers() -> None:
    assert same(41.6, 42, exact=False)
    assert not same(41.4, 42, exact=False)
    assert same(float(2**59 + 1), 2**59 + 1, exact=True)
    assert close(3_000_000.0, 3_000_002)
    assert not close(3_000_000.0, 3_000_500)
