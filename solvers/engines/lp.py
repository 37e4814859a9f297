"""What MILP engines share: values by name, starts, and objectives in a healthy range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import frexp
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulp import LpProblem

LARGEST_COST = 2.0**20
"""Objective coefficients beyond this are scaled down: engines' tolerances are absolute."""

GAP = 0.5
"""Objectives are integers: a bound this close proves them."""


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


@contextmanager
def scaled(problem: LpProblem) -> Iterator[float]:
    """The factor by which the objective is smaller inside the block: a power of two, so exact."""
    objective = problem.objective
    assert objective is not None
    largest = max((abs(weight) for weight in objective.values()), default=0.0)
    factor = 2.0 ** max(0, frexp(largest / LARGEST_COST)[1])
    if factor > 1:
        problem.setObjective(objective * (1 / factor))
    try:
        yield factor
    finally:
        if factor > 1:
            problem.setObjective(objective)
