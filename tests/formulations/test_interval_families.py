"""The interval model: each constraint family binds, as a CP-SAT and as a MILP model."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from formulations.merged_pipeline.interval import FAMILIES
from formulations.merged_pipeline.ratio_families import COLUMN_FAMILIES
from instances.generate import random_instance
from instances.instance import Instance
from schedules.goal import Goal, Weights
from schedules.progress import Progress

MakeInstance = Callable[..., Instance]
BestOfAll = Callable[..., Progress]
Flip = Any
"""Of conftest.py: asserts a model's optimum with a family and without it."""

FORMULATION = "interval"

of = partial(pytest.mark.parametrize, "family")


def test_every_family_has_a_flip_test(flipped: set[str]) -> None:
    # Those of compression are in test_ratio_families.
    assert flipped == set(FAMILIES) - set(COLUMN_FAMILIES)


def small(seed: int) -> Instance:
    """Four layers with one option on four chiplets."""
    return random_instance(seed, options=1, layers=4, chiplets=4)


def with_energy(instance: Instance, **given: list[Any]) -> Instance:
    """The instance with some of its energy tables."""
    tables = instance.tables
    arrays: dict[str, Any] = {name: np.array(values) for name, values in given.items()}
    return replace(instance, tables=replace(tables, energy=replace(tables.energy, **arrays)))


def fast_or_frugal(make_instance: MakeInstance, layers: int) -> Instance:
    """Layers that take 10 cycles and 50 pJ each, or 20 cycles, and share no cluster or segment."""
    instance = make_instance([[[10], [20]]] * layers, resident=60)
    return with_energy(instance, entry=[[[50], [0]]] * layers)


# In each of these tests one family decides: with it the optimum is that of all schedules, without
# it the model promises a better one. Others that would do the same work are left out of both.


@pytest.mark.parametrize(
    ("family", "seed", "also"),
    [
        ("path", 14, ("price", "area")),
        ("cover", 14, ()),
        ("package", 14, ("price", "area")),
        ("chosen", 45, ()),
        ("one_beat", 1, ()),
        ("slowest_stage", 1, ()),
        ("refill", 1, ()),
    ],
)
def test_without_a_family_the_model_promises_too_much(
    flips: Flip, best_of_all: BestOfAll, family: str, seed: int, also: tuple[str, ...]
) -> None:
    instance = small(seed)
    best = best_of_all(instance).objective
    assert flips.optimum(instance, *also) == best
    assert flips.optimum(instance, *also, family) < best


@pytest.mark.parametrize(("family", "instead"), [("area", "slowest_stage"), ("price", "refill")])
def test_an_implied_family_bounds_what_others_leave_open(
    flips: Flip, best_of_all: BestOfAll, family: str, instead: str
) -> None:
    instance = small(1)
    on = flips.optimum(instance, instead)
    off = flips.optimum(instance, instead, family)
    best = best_of_all(instance).objective
    assert off < on <= best


@of(["nested"])
def test_no_cluster_crosses_into_another_segment(flips: Flip, make_instance: MakeInstance) -> None:
    # To enter the second layer takes 50 pJ, to run both in one segment 1000.
    instance = make_instance([[[10]], [[10]]], [[[[0]]]])
    instance = with_energy(instance, entry=[[[0]], [[50]]], io=[[0, 1000], [0, 0]])
    flips(instance, "price", on=50, off=0, goal=Goal("energy"))


@of(["useful"])
def test_a_column_is_used_only_where_it_is_useful(
    flips: Flip, make_instance: MakeInstance, family: str
) -> None:
    # The first layer is slow or takes 50 pJ; the slow option is of use only if both layers are
    # one segment, where the DRAM is as slow.
    slow_or_fast = [[[100, 100], [10, 10]], [[10, 10], [10, 10]]]
    io = [[0, 100], [0, 0]]
    instance = make_instance(slow_or_fast, resident=60, io=io, batch=40)
    instance = with_energy(instance, entry=[[[0, 0], [50, 50]], [[0, 0], [0, 0]]])
    given = {"weights": Weights(1, 1), "limit": 40 * 105}
    assert flips.optimum(instance, **given) == 40 * (10 + 50 + 10)
    others = "slowest_stage", "area", "refill", "price", "within_limit"
    assert flips.optimum(instance, *others, **given) == 39 * (10 + 10) + 40 * 50
    assert flips.optimum(instance, *others, family, **given) == 39 * (10 + 10)


@pytest.mark.parametrize(
    ("family", "seed", "goal"),
    [
        ("depth", 4, Goal(clusters=1)),
        ("segments", 2, Goal(segments=3)),
        ("segments", 0, Goal(segments=1)),  # which no schedule meets
    ],
)
def test_limits_bind(flips: Flip, best_of_all: BestOfAll, seed: int, goal: Goal) -> None:
    instance = small(seed)
    on, off = best_of_all(instance, goal).objective, best_of_all(instance).objective
    flips(instance, on=on, off=off, goal=goal)


@of(["latency_cap"])
def test_a_latency_cap_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = fast_or_frugal(make_instance, 2)
    flips(instance, on=50, off=0, goal=Goal("energy", latency_cap=30))
    assert flips.optimum(instance, goal=Goal("energy", latency_cap=19)) is None


@of(["energy_cap"])
def test_an_energy_cap_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = fast_or_frugal(make_instance, 2)
    flips(instance, on=30, off=20, goal=Goal(energy_cap=50))
    assert flips.optimum(instance, goal=Goal(energy_cap=0)) == 40


@of(["within_limit"])
def test_a_limit_is_valid_at_the_optimum_and_cuts_below_it(
    flips: Flip, make_instance: MakeInstance, family: str
) -> None:
    instance, goal = fast_or_frugal(make_instance, 3), Goal("energy", latency_cap=40)
    assert flips.optimum(instance, goal=goal, limit=100) == 100
    assert flips.optimum(instance, goal=goal, limit=99) is None
    assert flips.optimum(instance, family, goal=goal, limit=99) == 100
