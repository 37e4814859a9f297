"""The LP relaxation of a MILP: how much of the optimum a formulation knows before any search."""

from __future__ import annotations

from pulp import PULP_CBC_CMD, HiGHS, LpProblem, LpStatusOptimal, value

from solvers.engines import ENGINES
from solvers.engines.lp import scaled


def relaxation(model: LpProblem) -> float | None:
    """The least objective without integrality, by HiGHS, or CBC where HiGHS is not installed.

    Returns:
        The optimum of the LP; None if there is none, or the engine gives up.
    """
    with scaled(model) as factor:
        least = _highs(model) if ENGINES["highs"].find() is not None else _cbc(model)
    return None if least is None else least * factor


def _highs(model: LpProblem) -> float | None:
    from highspy import HighsModelStatus

    solver = HiGHS(mip=False, msg=False)
    solver.createAndConfigureSolver(model)
    solver.buildSolverModel(model)
    highs = model.solverModel
    highs.run()
    if highs.getModelStatus() != HighsModelStatus.kOptimal:
        return None
    least: float = highs.getInfo().objective_function_value
    return least


def _cbc(model: LpProblem) -> float | None:
    if model.solve(PULP_CBC_CMD(mip=False, msg=False)) != LpStatusOptimal:
        return None
    least: float = value(model.objective)
    return least
