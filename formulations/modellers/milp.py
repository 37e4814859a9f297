"""Models for MILP engines, as PuLP problems."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from re import sub

from pulp import LpAffineExpression, LpConstraint, LpMinimize, LpProblem
from pulp import constants as pulp_constants

from formulations.modellers.protocol import Expression, Rule, Variable


class MilpModeller:
    """Builds an `LpProblem`; conditions become big-M terms, as tight as the bounds allow.

    Names keep their layers, but brackets turn round and what an LP file cannot hold becomes an
    underscore; a name that is taken already gets a number.

    Attributes:
        model: the native model.
    """

    def __init__(self, name: str = "chipweave") -> None:
        self.model = LpProblem(_legal(name), LpMinimize)
        self.model += LpAffineExpression()
        self._names: dict[str, int] = {}

    def binary(self, name: str) -> Variable:
        """A variable that is 0 or 1."""
        return self.model.add_variable(self._unique(name), 0, 1, cat="Integer")

    def quantity(self, low: float, high: float, name: str) -> Variable:
        """A continuous variable: its integrality follows from the others'."""
        return self.model.add_variable(self._unique(name), low, high)

    def integer(self, low: int, high: int, name: str) -> Variable:
        """An integer variable."""
        return self.model.add_variable(self._unique(name), low, high, cat="Integer")

    def sum(
        self, variables: Sequence[Variable], weights: Sequence[float] | None = None
    ) -> Expression:
        """The weighted sum of variables; weights 1 by default."""
        total = LpAffineExpression()
        for variable, weight in zip(
            variables, [1] * len(variables) if weights is None else weights, strict=True
        ):
            total.addterm(variable, weight)
        return total

    def expect(self, what: str, largest: int) -> None:
        """Any size will do: the numbers are floats."""

    def require(
        self, name: str, rule: Rule, when: Sequence[Variable] = (), unless: Sequence[Variable] = ()
    ) -> None:
        """Add a constraint that holds if all of `when` are 1 and all of `unless` are 0."""
        if isinstance(rule, bool):
            rule = LpConstraint(LpAffineExpression(), pulp_constants.LpConstraintLE, rhs=rule - 1)
        if not when and not unless:
            self._add(name, rule)
            return
        off = self.sum([*when, *unless], [-1] * len(when) + [1] * len(unless)) + len(when)
        if rule.sense != pulp_constants.LpConstraintGE:
            most = max(0, _largest(rule))
            self._add(name, _expression(rule) <= most * off)
        if rule.sense != pulp_constants.LpConstraintLE:
            least = max(0, _largest(-rule))
            self._add(name, _expression(rule) >= -least * off)

    def minimize(self, objective: Expression) -> None:
        """Set the objective; a constant in it becomes a variable fixed at 1, as LP files need."""
        total = LpAffineExpression() + objective
        if total.constant:
            one = self.quantity(1, 1, "constant")
            one.setInitialValue(1)
            total = total - total.constant + total.constant * one
        self.model.setObjective(total)

    def hint(self, values: Iterable[tuple[Variable, float]]) -> None:
        """Suggest a value for every variable; replaces an older hint."""
        for variable, value in values:
            variable.setInitialValue(value)

    def _add(self, name: str, rule: LpConstraint) -> None:
        # An empty row cannot be written to a file: it is either nothing, or a contradiction.
        if not any(weight for _, weight in rule.items()):
            # The terms that are left, all of weight 0, have no value yet.
            if LpConstraint(LpAffineExpression(constant=rule.constant), rule.sense).valid():
                return
            impossible = self.binary(f"impossible[{name}]")
            rule = impossible >= 2
        self.model.addConstraint(rule, self._unique(name))

    def _unique(self, name: str) -> str:
        legal = _legal(name)
        count = self._names.get(legal, 0)
        self._names[legal] = count + 1
        return f"{legal}#{count + 1}" if count else legal


class MilpSolution:
    """The values that an engine left in the variables."""

    def value(self, variable: Variable, /) -> int:
        """The value, rounded to an integer."""
        value = variable.varValue
        return 0 if value is None else round(value)


def _legal(name: str) -> str:
    return sub(r"[^A-Za-z0-9_.,()]", "_", name.replace("[", "(").replace("]", ")"))


def _expression(rule: LpConstraint) -> LpAffineExpression:
    """The left-hand side of `expression <= 0`, `>= 0` or `== 0`."""
    return LpAffineExpression(dict(rule.items()), rule.constant)


def _largest(rule: LpConstraint) -> int | float:
    """The most that the left-hand side can be, by the variables' bounds."""
    total: int | float = rule.constant
    for variable, weight in rule.items():
        bound = variable.upBound if weight > 0 else variable.lowBound
        total += weight * bound
    return total
