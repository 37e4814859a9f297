"""The modellers: one text makes the same model for CP-SAT and for MILP engines."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pulp
import pytest
from ortools.sat.python.cp_model import INFEASIBLE, OPTIMAL, CpSolver

from formulations.modellers import Modeller
from formulations.modellers.cpsat import OVERFLOW, CpSatModeller
from formulations.modellers.milp import MilpModeller, MilpSolution

State = Callable[[Modeller], dict[str, Any]]
"""States a model, returns its variables by name."""


def by_cp_sat(state: State) -> tuple[int, dict[str, int]] | None:
    """Objective and values at the optimum; None if there is no solution."""
    modeller = CpSatModeller()
    variables = state(modeller)
    solver = CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.catch_sigint_signal = False
    status = solver.solve(modeller.model)
    assert status in (OPTIMAL, INFEASIBLE), modeller.model.validate()
    if status == INFEASIBLE:
        return None
    values = {name: solver.value(variable) for name, variable in variables.items()}
    return round(solver.objective_value), values


def by_milp(state: State) -> tuple[int, dict[str, int]] | None:
    modeller = MilpModeller()
    variables = state(modeller)
    status = modeller.model.solve(pulp.PULP_CBC_CMD(msg=False, threads=1))
    if status == pulp.LpStatusInfeasible:
        return None
    assert status == pulp.LpStatusOptimal
    objective = modeller.model.objective
    assert objective is not None
    solution = MilpSolution()
    values = {name: solution.value(variable) for name, variable in variables.items()}
    return round(objective.value()), values


SOLVES = [by_cp_sat, by_milp]


@pytest.mark.parametrize("solve", SOLVES)
@pytest.mark.parametrize("sense", ["<=", ">=", "=="])
@pytest.mark.parametrize(("a", "b"), list(product((0, 1), repeat=2)))
def test_a_condition_turns_a_rule_on_only_if_all_of_it_holds(
    solve: Callable[[State], Any], sense: str, a: int, b: int
) -> None:
    def state(m: Modeller) -> dict[str, Any]:
        on, off = m.binary("on"), m.binary("off")
        x, y = m.quantity(0, 10, "x"), m.quantity(2, 7, "y")
        rule = {"<=": 2 * x <= y - 1, ">=": 2 * x >= y + 9, "==": 2 * x == y + 1}[sense]
        m.require("rule", rule, when=[on], unless=[off])
        m.require("on", on == a)
        m.require("off", off == b)
        m.require("y", y == 7)
        # Pulls x as far from the rule as the rule allows.
        m.minimize(x if sense == ">=" else -1 * x)
        return {"x": x}

    held = a == 1 and b == 0
    free = 0 if sense == ">=" else 10
    expected = {"<=": 3, ">=": 8, "==": 4}[sense] if held else free
    _, values = solve(state)
    assert values == {"x": expected}


@pytest.mark.parametrize("seed", range(25))
def test_both_kinds_have_the_same_optimum(seed: int) -> None:
    def state(m: Modeller) -> dict[str, Any]:
        draw = Random(seed)
        flags = [m.binary(f"flag[{i}]") for i in range(4)]
        levels = [m.quantity(draw.randint(0, 3), draw.randint(3, 12), f"q[{i}]") for i in range(2)]
        for i in range(6):
            weights = [draw.randint(-4, 4) for _ in flags]
            left = m.sum(flags, weights) + draw.randint(-1, 1) * levels[i % 2]
            right = draw.randint(-6, 6)
            rule = left <= right if draw.random() < 0.5 else left >= right
            chosen = draw.sample(flags, 2)
            m.require(f"rule[{i}]", rule, when=chosen[: draw.randint(0, 1)], unless=chosen[1:])
        m.minimize(m.sum(flags, [draw.randint(-5, 5) for _ in flags]) + 7 * m.sum(levels) + 100)
        return {}

    found, in_milp = by_cp_sat(state), by_milp(state)
    assert (found and found[0]) == (in_milp and in_milp[0])


@pytest.mark.parametrize("solve", SOLVES)
def test_a_rule_without_variables_is_nothing_or_a_contradiction(
    solve: Callable[[State], Any],
) -> None:
    def state(m: Modeller, rule: bool, conditional: bool) -> dict[str, Any]:
        x = m.binary("x")
        m.require("rule", rule, when=[x] if conditional else [])
        m.require("empty", m.sum([]) <= (1 if rule else -1), when=[x] if conditional else [])
        m.minimize(-1 * x)
        return {"x": x}

    assert solve(lambda m: state(m, True, False)) == (-1, {"x": 1})
    assert solve(lambda m: state(m, False, False)) is None
    assert solve(lambda m: state(m, True, True)) == (-1, {"x": 1})
    assert solve(lambda m: state(m, False, True)) == (0, {"x": 0})


def test_big_m_is_no_larger_than_the_bounds_demand() -> None:
    m = MilpModeller()
    on, x = m.binary("on"), m.quantity(3, 10, "x")
    m.require("rule", x <= 4, when=[on])
    (row,) = m.model.constraints()
    assert {variable.name: weight for variable, weight in row.items()} == {"x": 1, "on": 6}
    assert row.constant == -10


def test_names_keep_their_layers_and_are_unique(tmp_path: Path) -> None:
    m = MilpModeller()
    names = ["a[conv-1,ISP]", "a[conv_1,ISP]", "a[conv 1,ISP]", "b[été]"]
    variables = [m.binary(name) for name in names]
    for variable in variables:
        m.require("same name", variable >= 1)
    m.minimize(m.sum(variables) + 5)
    assert [v.name for v in variables] == [
        "a(conv_1,ISP)",
        "a(conv_1,ISP)#2",
        "a(conv_1,ISP)#3",
        "b(_t_)",
    ]
    m.model.writeLP(tmp_path / "model.lp")
    text = (tmp_path / "model.lp").read_text()
    assert "same_name#4" in text
    assert "5 constant" in text


def test_a_domain_beyond_64_bits_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"time\[conv1\] may reach .* use larger units"):
        CpSatModeller().quantity(0, OVERFLOW, "time[conv1]")


def test_a_new_hint_replaces_an_older_one() -> None:
    m = CpSatModeller()
    x = m.binary("x")
    m.hint([(x, 0)])
    m.hint([(x, 1)])
    assert not m.model.validate()
    assert list(m.model.proto.solution_hint.values) == [1]
    milp = MilpModeller()
    y = milp.binary("y")
    milp.hint([(y, 1)])
    assert y.varValue == 1
