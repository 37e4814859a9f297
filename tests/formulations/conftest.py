"""Solving of models, for the tests of several formulations."""

from collections.abc import Callable
from typing import Any

import pulp
import pytest
from ortools.sat.python.cp_model import INFEASIBLE, OPTIMAL, CpSolver

from formulations.formulation import Formulation, formulate
from formulations.modellers import Solution
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller, MilpSolution
from instances.instance import Instance
from schedules.goal import Goal
from schedules.progress import Progress
from solvers.enumeration import enumerate_all

Kind = type[CpSatModeller] | type[MilpModeller]
Found = tuple[int, Solution]
Solve = Callable[[Formulation], Found | None]
BestOfAll = Callable[..., Progress]


@pytest.fixture(params=[CpSatModeller, MilpModeller], ids=["cp-sat", "milp"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Both kinds of modeller."""
    return request.param


@pytest.fixture(scope="session")
def solve() -> Solve:
    """Solves a model of either kind: optimum and solution, None if there is no solution."""
    return _solve


@pytest.fixture(scope="session")
def solved() -> Callable[[Formulation], int | None]:
    """Solves a model of either kind: the optimum, None if there is no solution."""

    def optimum(formulation: Formulation) -> int | None:
        found = _solve(formulation)
        return None if found is None else found[0]

    return optimum


@pytest.fixture(scope="session")
def best_of_all() -> BestOfAll:
    """The best of all schedules of an instance, for a goal."""
    return _best_of_all


@pytest.fixture(scope="session")
def at_hint() -> Callable[[Formulation], Found]:
    """The objective and the solution of a CP-SAT model at its hint, which has every variable."""
    return _at_hint


def _at_hint(formulation: Formulation) -> Found:
    proto = formulation.modeller.model.proto
    assert sorted(proto.solution_hint.vars) == list(range(len(proto.variables)))
    solver = CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.fix_variables_to_their_hinted_value = True
    assert solver.solve(formulation.modeller.model) == OPTIMAL
    return round(solver.objective_value), solver


def _solve(formulation: Formulation) -> Found | None:
    model = formulation.modeller.model
    if isinstance(formulation.modeller, CpSatModeller):
        solver = CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.catch_sigint_signal = False
        status = solver.solve(model)
        assert status in (OPTIMAL, INFEASIBLE), model.validate()
        return (round(solver.objective_value), solver) if status == OPTIMAL else None
    status = model.solve(pulp.HiGHS(msg=False, threads=1, gapRel=0))
    assert status in (pulp.LpStatusOptimal, pulp.LpStatusInfeasible)
    if status == pulp.LpStatusInfeasible:
        return None
    return round(pulp.value(model.objective)), MilpSolution()


def _best_of_all(instance: Instance, goal: Goal | None = None) -> Progress:
    progress = Progress(instance, goal=goal)
    enumerate_all(instance, progress, seed=0, workers=1)
    return progress


# Flip tests: one a constraint family. The module names its FORMULATION and has its FAMILIES.


class Flip:
    """A model with a family and without it, in one kind."""

    def __init__(self, module: Any, kind: Kind, family: str) -> None:
        self._module, self._kind, self._family = module, kind, family

    def optimum(self, instance: Instance, *left_out: str, **given: Any) -> int | None:
        """The model's optimum without some families, None if it has no solution."""
        module = self._module
        assert set(left_out) <= set(module.FAMILIES)
        families = [family for family in module.FAMILIES if family not in left_out]
        model = formulate(module.FORMULATION, instance, self._kind(), families=families, **given)
        found = _solve(model)
        return None if found is None else found[0]

    def __call__(
        self,
        instance: Instance,
        *also: str,
        on: int | None,
        off: int,
        goal: Goal | None = None,
    ) -> None:
        """Assert both optima: `on` is that of all schedules, `off` is below and so of none.

        `also` names families that are left out of both models.
        """
        assert on == _best_of_all(instance, goal).objective
        assert on is None or off < on
        assert self.optimum(instance, *also, goal=goal) == on
        assert self.optimum(instance, *also, self._family, goal=goal) == off


@pytest.fixture
def flips(request: pytest.FixtureRequest, kind: Kind, family: str) -> Flip:
    """Flips the `family` that the test has as a parameter."""
    return Flip(request.module, kind, family)


@pytest.fixture
def flipped(request: pytest.FixtureRequest) -> set[str]:
    """The families that a test of the module, which asks for `flips`, has as a parameter."""
    found: set[str] = set()
    for test in vars(request.module).values():
        for mark in getattr(test, "pytestmark", []):
            if mark.name == "parametrize" and "family" in mark.args[0]:
                assert "flips" in test.__annotations__, test.__name__
                found |= {value if isinstance(value, str) else value[0] for value in mark.args[1]}
    return found
