"""The LP relaxation: the least objective without integrality, whichever engine finds it."""

from collections.abc import Callable

import pytest
from pulp import LpProblem

from formulations.modellers.milp import MilpModeller
from solvers import relaxation
from solvers.engines import Engine

Relax = Callable[[LpProblem], float | None]
WAYS = [relaxation.relaxation, relaxation._highs, relaxation._cbc]


def cover(scale: int = 1) -> MilpModeller:
    """Three flags, of any two at least one: 1.5 flags without integrality, 2 with it."""
    modeller = MilpModeller()
    flags = [modeller.binary(f"flag[{k}]") for k in range(3)]
    for k in range(3):
        modeller.require(f"pair[{k}]", flags[k] + flags[k - 1] >= 1)
    modeller.minimize(modeller.sum(flags) * scale + scale)
    return modeller


@pytest.mark.parametrize("relax", WAYS)
def test_fractions_are_allowed_and_constants_count(relax: Relax) -> None:
    assert relax(cover().model) == pytest.approx(2.5)


@pytest.mark.parametrize("relax", WAYS)
def test_without_a_solution_there_is_no_bound(relax: Relax) -> None:
    modeller = cover()
    modeller.require("never", modeller.binary("x") >= 2)
    assert relax(modeller.model) is None


def test_large_costs_come_back_in_their_own_unit() -> None:
    assert relaxation.relaxation(cover(10**12).model) == pytest.approx(2.5e12)


def test_the_model_is_a_milp_as_before() -> None:
    modeller = cover()
    relaxation.relaxation(modeller.model)
    assert {variable.cat for variable in modeller.model.variables()} == {"Integer", "Continuous"}


def test_without_highs_cbc_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "find", lambda self: None)
    monkeypatch.setattr(relaxation, "_highs", None)
    assert relaxation.relaxation(cover().model) == pytest.approx(2.5)
