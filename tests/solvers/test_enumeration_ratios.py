"""The reference method with ratios: what it finds may run, and more freedom never hurts."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.compression import Compression
from instances.generate import random_instance
from instances.generate_ratios import Budget, random_ratios
from instances.instance import Instance
from schedules.evaluate import evaluate
from schedules.goal import Goal, Objective
from schedules.progress import Progress
from schedules.verify import violations
from solvers.enumeration import enumerate_all

seeds = st.integers(0, 10**6)


def tiny(seed: int, budget: Budget = "tight") -> tuple[Instance, Compression]:
    plain = random_instance(seed, layers=3, chiplets=2, options=2)
    instance = random_ratios(plain, seed, ratios=2, budget=budget)
    assert instance.compression is not None
    return instance, instance.compression


def optimum(instance: Instance, objective: Objective = "latency") -> float:
    """The best value; infinite where there is no schedule. The schedule itself is checked."""
    goal = Goal(objective)
    progress = Progress(instance, goal=goal)
    enumerate_all(instance, progress, seed=0, workers=1)
    if progress.best is None:
        return inf
    assert violations(instance, progress.best) == []
    assert progress.objective == progress.bound == goal.value(evaluate(instance, progress.best))
    return progress.objective


def test_compression_pays_on_some_instances_and_not_on_others() -> None:
    gains = []
    for seed in range(30):
        instance, _ = tiny(seed, "loose")
        with_ratios, without = optimum(instance), optimum(replace(instance, compression=None))
        gains.append(with_ratios < without)
    assert 5 < sum(gains) < 30


@settings(max_examples=40)
@given(seeds, st.sampled_from(["latency", "energy"]))
def test_more_budget_is_never_worse(seed: int, objective: Objective) -> None:
    instance, own = tiny(seed, "loose")
    less = replace(instance, compression=own.within(own.budget * (seed % 7) // 7))
    assert optimum(instance, objective) <= optimum(less, objective)


@settings(max_examples=40)
@given(seeds, st.sampled_from(["latency", "energy"]))
def test_one_more_ratio_is_never_worse(seed: int, objective: Objective) -> None:
    instance, own = tiny(seed)
    losses = own.losses.copy()
    losses[:, 1 + seed % 2] = -1
    fewer = replace(instance, compression=replace(own, losses=losses))
    assert optimum(instance, objective) <= optimum(fewer, objective)


@settings(max_examples=40)
@given(seeds, st.sampled_from(["latency", "energy", "edp"]))
def test_a_budget_of_nothing_is_as_good_as_no_compression(seed: int, objective: Objective) -> None:
    instance, _ = tiny(seed, "zero")
    plain = replace(instance, compression=None)
    assert optimum(instance, objective) == optimum(plain, objective)


def test_losses_that_are_nothing_are_free_even_without_a_budget() -> None:
    instance, own = tiny(1, "zero")
    free = replace(own, losses=np.minimum(own.losses, 0))
    assert optimum(replace(instance, compression=free)) == optimum(
        replace(instance, compression=own.within(10**9))
    )


def test_too_many_choices_of_ratios_are_refused() -> None:
    plain = random_instance(0, layers=12, chiplets=1, options=1)
    instance = random_ratios(plain, 0, ratios=4)
    with pytest.raises(ValueError, match="choices of ratios are too many; use 'exact'"):
        optimum(instance)
