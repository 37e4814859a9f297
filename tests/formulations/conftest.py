"""Solving of models, for the tests of several formulations."""

from collections.abc import Callable

import pulp
import pytest
from ortools.sat.python.cp_model import INFEASIBLE, OPTIMAL, CpSolver

from formulations.formulation import Formulation
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller

CBC = pulp.PULP_CBC_CMD(msg=False, threads=1, options=["preprocess off"])
"""CBC 2.10.3's preprocessing cuts off the optimum of `test_one_beat_binds`."""


@pytest.fixture(params=[CpSatModeller, MilpModeller], ids=["cp-sat", "milp"])
def kind(request: pytest.FixtureRequest) -> type[CpSatModeller] | type[MilpModeller]:
    """Both kinds of modeller."""
    return request.param


@pytest.fixture(scope="session")
def solved() -> Callable[[Formulation], int | None]:
    """Solves a model of either kind: the optimum, None if there is no solution."""
    return _solved


def _solved(formulation: Formulation) -> int | None:
    model = formulation.modeller.model
    if isinstance(formulation.modeller, CpSatModeller):
        solver = CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.catch_sigint_signal = False
        status = solver.solve(model)
        assert status in (OPTIMAL, INFEASIBLE), model.validate()
        return round(solver.objective_value) if status == OPTIMAL else None
    status = model.solve(CBC)
    assert status in (pulp.LpStatusOptimal, pulp.LpStatusInfeasible)
    return round(model.objective.value()) if status == pulp.LpStatusOptimal else None
