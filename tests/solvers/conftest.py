"""Models that several tests of engines solve."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from formulations.modellers import Modeller, Solution
from formulations.modellers.milp import MilpModeller


@dataclass
class Knapsack:
    """Leave out of a knapsack what is worth least; one solution takes all, one nothing.

    Attributes:
        model: native.
        items: variables, 1 if the item is in.
        worth: of each item.
        rows: (weights, limit) of each capacity.
    """

    model: Any
    items: list[Any]
    worth: list[int]
    rows: list[tuple[list[int], int]]

    def cost(self, solution: Solution) -> int:
        """The worth of what is left out; fails if the rest does not fit."""
        chosen = [solution.value(item) for item in self.items]
        for weights, limit in self.rows:
            assert sum(w * x for w, x in zip(weights, chosen, strict=True)) <= limit
        return sum(worth * (1 - x) for worth, x in zip(self.worth, chosen, strict=True))


MakeKnapsack = Callable[..., Knapsack]


def _knapsack(items: int = 20, rows: int = 3, *, hinted: bool = False, **given: Any) -> Knapsack:
    """Twenty items take no time; 140 in eight rows more than anybody has."""
    modeller: Modeller = given.get("modeller") or MilpModeller()
    draw = Random(items)
    weights = [[draw.randint(100, 1000) for _ in range(items)] for _ in range(rows)]
    worth = [sum(column) // rows + draw.randint(0, 300) for column in zip(*weights, strict=True)]
    chosen = [modeller.binary(f"item[{i}]") for i in range(items)]
    limits = [(row, sum(row) // 2) for row in weights]
    for number, (row, limit) in enumerate(limits):
        modeller.require(f"capacity[{number}]", modeller.sum(chosen, row) <= limit)
    modeller.minimize(sum(worth) - 1 * modeller.sum(chosen, worth))
    if hinted:
        modeller.hint([(item, 0) for item in chosen])
    return Knapsack(modeller.model, chosen, worth, limits)


@pytest.fixture
def knapsack() -> MakeKnapsack:
    """Make a knapsack model, for a `modeller` or for MILP engines."""
    return _knapsack


@dataclass
class Heard:
    """A listener that keeps what it hears, and can end the run.

    Attributes:
        solutions: how many.
        bounds: all of them.
        go_on: what it answers.
    """

    solutions: int = 0
    bounds: list[float] = field(default_factory=list)
    go_on: bool = True

    def solution(self, solution: Solution) -> bool:
        """Count it."""
        self.solutions += 1
        return self.go_on

    def bound(self, value: float) -> bool:
        """Keep it."""
        self.bounds.append(value)
        return self.go_on


@pytest.fixture
def heard() -> Heard:
    """A fresh listener."""
    return Heard()
