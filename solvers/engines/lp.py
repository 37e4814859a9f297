"""What MILP engines share: values by name, starts, arrays, objectives in a healthy range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import frexp, inf
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pulp import LpProblem

LARGEST_COST = 2.0**20
"""Objective coefficients beyond this are scaled down: engines' tolerances are absolute."""

GAP = 0.5
"""Objectives are integers: a bound this close proves them."""

Arrays = dict[str, NDArray[Any]]
"""A problem for another process: columns' cost, lower, upper, integer; rows' row_lower, row_upper,
and their entries, row by row: starts, columns, weights."""


class Values:
    """A solution as values by variable name."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = values

    def value(self, variable: Any, /) -> int:
        """The value, rounded to an integer; 0 for a variable that the engine left out."""
        return round(self._values.get(variable.name, 0.0))


def start_of(problem: LpProblem) -> dict[str, float] | None:
    """The values of a hint, None if some variable has none."""
    values = {variable.name: variable.varValue for variable in problem.variables()}
    if any(value is None for value in values.values()):
        return None
    return {name: float(value) for name, value in values.items() if value is not None}


def cost_scale(problem: LpProblem) -> float:
    """By what the objective must be divided for a healthy range: a power of two, so exactly."""
    assert problem.objective is not None
    largest = max((abs(weight) for weight in problem.objective.values()), default=0.0)
    return float(2.0 ** max(0, frexp(largest / LARGEST_COST)[1]))


@contextmanager
def scaled(problem: LpProblem) -> Iterator[float]:
    """The factor by which the objective is smaller inside the block."""
    objective, factor = problem.objective, cost_scale(problem)
    assert objective is not None
    if factor > 1:
        problem.setObjective(objective * (1 / factor))
    try:
        yield factor
    finally:
        if factor > 1:
            problem.setObjective(objective)


def arrays_of(problem: LpProblem) -> tuple[Arrays, float]:
    """The problem with a scaled objective, and the factor; columns are `problem.variables()`."""
    variables, rows = problem.variables(), problem.constraints()
    place = {variable.name: column for column, variable in enumerate(variables)}
    factor = cost_scale(problem)
    cost = np.zeros(len(variables))
    assert problem.objective is not None
    for variable, weight in problem.objective.items():
        cost[place[variable.name]] = weight / factor
    entries = [
        sorted((place[variable.name], weight) for variable, weight in row.items()) for row in rows
    ]
    flat = [entry for row in entries for entry in row]
    arrays = {
        "cost": cost,
        "lower": np.array([_or(v.lowBound, -inf) for v in variables], dtype=float),
        "upper": np.array([_or(v.upBound, inf) for v in variables], dtype=float),
        "integer": np.array([v.cat == "Integer" for v in variables], dtype=bool),
        "row_lower": np.array([_or(row.getLb(), -inf) for row in rows], dtype=float),
        "row_upper": np.array([_or(row.getUb(), inf) for row in rows], dtype=float),
        "starts": np.cumsum([0, *map(len, entries)], dtype=np.int32),
        "columns": np.array([column for column, _ in flat], dtype=np.int32),
        "weights": np.array([weight for _, weight in flat], dtype=float),
    }
    return arrays, factor


def _or(bound: float | None, none: float) -> float:
    return none if bound is None else bound
