"""How often methods that prove disagree with plain enumeration where tensors are compressed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from experiments.agreement import Answer, agreement_measures, answer
from experiments.bars import Measure
from instances.generate import random_instance
from instances.generate_ratios import Budget, random_ratios
from instances.instance import Instance
from solvers.solve import solve

METHODS: dict[str, dict[str, str]] = {
    "exact": {},
    "cpsat": {},
    "milp": {},
    "cpsat, interval": {"formulation": "interval"},
    "cpsat, compact": {"formulation": "compact"},
}
"""Name -> arguments of `solve` beside the method."""

BUDGETS: tuple[Budget, ...] = ("tight", "loose", "zero")

MOST = 60.0
"""Seconds for one run."""


@dataclass(frozen=True)
class Comparison:
    """One random instance.

    Attributes:
        seed: of its tables and its ratios.
        budget: its kind.
        plain: cycles of the optimum without compression; None if nothing fits.
        optimum: cycles with it, as enumeration finds; None likewise.
        found: by method, what it says.
    """

    seed: int
    budget: Budget
    plain: int | None
    optimum: int | None
    found: dict[str, Answer]


def instance_of(seed: int) -> tuple[Instance, Budget]:
    """Up to 5 layers on up to 4 chiplets, 1 to 3 ratios above 1, budgets in turn."""
    budget = BUDGETS[seed % len(BUDGETS)]
    layers = 2 + seed % 4
    plain = random_instance(seed, layers=layers, chiplets=3 if layers == 5 else 4)
    return random_ratios(plain, seed, budget=budget), budget


def comparisons(
    seeds: Sequence[int],
    methods: Sequence[str] = tuple(METHODS),
    watch: Callable[[str], object] | None = None,
) -> Iterator[Comparison]:
    """Random instances, solved by enumeration and by methods that prove.

    Args:
        seeds: one an instance.
        methods: keys of METHODS.
        watch: called with what is compared.
    """
    for seed in seeds:
        instance, budget = instance_of(seed)
        if watch is not None:
            watch(f"seed {seed}: {len(instance.layers)} layers, {budget} budget")
        found = {}
        for name in methods:
            method = name.split(",")[0]
            own = solve(instance, method, time_limit=MOST, workers=1, **METHODS[name])  # type: ignore[arg-type]
            found[name] = answer(own)
        plain = solve(_plain(instance), "exact", workers=1).objective
        optimum = solve(instance, "enumerate", workers=1).objective
        yield Comparison(seed, budget, plain, optimum, found)


def _plain(instance: Instance) -> Instance:
    return Instance(instance.name, instance.batch, instance.tables)


def compression_measures(found: Sequence[Comparison]) -> list[Measure]:
    """By method: how many comparisons are wrong, and how many it left open; and of budget 0."""
    gains = sum(own.optimum != own.plain for own in found)
    note = f"{len(found)} instances; compression pays in {gains}"
    measures = agreement_measures(found, note)
    zero = [own for own in found if own.budget == "zero"]
    wrong = sum(own.optimum != own.plain for own in zero)
    note = f"{len(zero)} instances"
    measures.append(Measure("budget 0: not as without compression", wrong, 0, "", note))
    return measures
