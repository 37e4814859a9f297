"""What formulations ask of a modeller."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

Variable = Any
"""An `IntVar` of CP-SAT or an `LpVariable` of PuLP: both know + - * <= >= ==."""

Expression = Any
"""A linear expression of the same library, a variable, or a number."""

Rule = Any
"""A comparison of linear expressions; a bool where no variable is left in it."""


class Solution(Protocol):
    """Whatever can tell a variable's value in a solution."""

    def value(self, variable: Variable, /) -> int:
        """The value, rounded to an integer."""
        ...


class Modeller(Protocol):
    """Builds one native model.

    Attributes:
        model: the `CpModel` or `LpProblem`, ready to be solved once it is built.
    """

    @property
    def model(self) -> Any:
        """The native model."""
        ...

    def binary(self, name: str) -> Variable:
        """A variable that is 0 or 1."""
        ...

    def quantity(self, low: float, high: float, name: str) -> Variable:
        """A variable whose integrality follows from the others': continuous in a MILP."""
        ...

    def integer(self, low: int, high: int, name: str) -> Variable:
        """A variable that is an integer, also in a MILP."""
        ...

    def sum(
        self, variables: Sequence[Variable], weights: Sequence[float] | None = None
    ) -> Expression:
        """The weighted sum of variables; weights 1 by default, integers for CP-SAT."""
        ...

    def expect(self, what: str, largest: int) -> None:
        """Say how large a sum of terms can become.

        Raises:
            ValueError: too large for the engine's numbers.
        """
        ...

    def require(
        self, name: str, rule: Rule, when: Sequence[Variable] = (), unless: Sequence[Variable] = ()
    ) -> None:
        """Add a constraint that holds if all of `when` are 1 and all of `unless` are 0."""
        ...

    def minimize(self, objective: Expression) -> None:
        """Set the objective."""
        ...

    def hint(self, values: Iterable[tuple[Variable, float]]) -> None:
        """Suggest a value for every variable; replaces an older hint."""
        ...


def label(what: str, *place: object) -> str:
    """A name that leads back to a layer: what[layer,option,size]."""
    return f"{what}[{','.join(map(str, place))}]"
