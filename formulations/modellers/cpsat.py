"""Models for CP-SAT."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ortools.sat.python.cp_model import CpModel, LinearExpr

from formulations.modellers.protocol import Expression, Rule, Variable

OVERFLOW = 2**60
"""No sum in a CP-SAT model may reach this."""


class CpSatModeller:
    """Builds a `CpModel`; all variables are integers, conditions are enforcement literals.

    Attributes:
        model: the native model.
    """

    def __init__(self) -> None:
        self.model = CpModel()

    def binary(self, name: str) -> Variable:
        """A variable that is 0 or 1."""
        return self.model.new_bool_var(name)

    def quantity(self, low: float, high: float, name: str) -> Variable:
        """An integer variable.

        Raises:
            ValueError: the domain is too large for CP-SAT's 64-bit integers.
        """
        low, high = int(low), int(high)
        self.expect(name, max(abs(low), abs(high)))
        return self.model.new_int_var(low, high, name)

    def integer(self, low: int, high: int, name: str) -> Variable:
        """An integer variable, as `quantity`.

        Raises:
            ValueError: the domain is too large for CP-SAT's 64-bit integers.
        """
        return self.quantity(low, high, name)

    def sum(
        self, variables: Sequence[Variable], weights: Sequence[float] | None = None
    ) -> Expression:
        """The weighted sum of variables; weights 1 by default."""
        if weights is None:
            return LinearExpr.sum(variables)
        return LinearExpr.weighted_sum(variables, weights)

    def expect(self, what: str, largest: int) -> None:
        """Say how large a sum of terms can become.

        Raises:
            ValueError: too large for CP-SAT's 64-bit integers.
        """
        if largest >= OVERFLOW:
            raise ValueError(
                f"the numbers are too large for CP-SAT's 64-bit integers: {what} may reach"
                f" {largest:.1e}, the limit is {OVERFLOW:.1e}; use larger units, or another method"
            )

    def require(
        self, name: str, rule: Rule, when: Sequence[Variable] = (), unless: Sequence[Variable] = ()
    ) -> None:
        """Add a constraint that holds if all of `when` are 1 and all of `unless` are 0."""
        constraint = self.model.add(rule)
        constraint.with_name(name)
        conditions = [*when, *(~literal for literal in unless)]
        if conditions:
            constraint.only_enforce_if(*conditions)

    def minimize(self, objective: Expression) -> None:
        """Set the objective."""
        self.model.minimize(objective)

    def hint(self, values: Iterable[tuple[Variable, float]]) -> None:
        """Suggest a value for every variable; replaces an older hint."""
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        for variable, value in values:
            self.model.add_hint(variable, int(value))
