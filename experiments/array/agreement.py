"""How often methods that prove disagree with plain enumeration on random arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from experiments.agreement import Answer, agreement_measures, answer
from experiments.bars import Measure
from instances.generate_array import random_array_costs
from solvers.array import solve_array

METHODS = ("exact", "cpsat", "milp")

INSTANCES = 300


@dataclass(frozen=True)
class Comparison:
    """One network on one array.

    Attributes:
        seed: of both.
        chain: every layer reads the one before it, and nothing else.
        optimum: cycles, as enumeration finds.
        found: by method, its cycles.
    """

    seed: int
    chain: bool
    optimum: int
    found: dict[str, Answer]


def comparisons(
    seeds: Sequence[int],
    methods: Sequence[str] = METHODS,
    watch: Callable[[str], object] | None = None,
) -> Iterator[Comparison]:
    """Random networks of up to 6 layers, every other one a chain, on arrays of up to 4 x 4 PEs.

    Args:
        seeds: one a network.
        methods: that prove.
        watch: called with what is compared.
    """
    for seed in seeds:
        chain = seed % 2 == 0
        costs = random_array_costs(seed, chain=chain)
        if watch is not None:
            watch(f"seed {seed}: {costs.layers} layers")
        truth = solve_array(costs, "enumerate", workers=1).objective
        found = {
            method: answer(solve_array(costs, method, workers=1, time_limit=60))
            for method in methods
        }
        if truth is None:
            raise RuntimeError(f"seed {seed}: enumeration found no schedule")
        yield Comparison(seed, chain, truth, found)


def array_measures(found: Sequence[Comparison]) -> list[Measure]:
    """By method: how many comparisons are wrong, and how many it left open."""
    chains = sum(own.chain for own in found)
    return agreement_measures(found, f"{len(found)} networks, {chains} of them chains")
