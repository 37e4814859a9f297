"""The segment model: each constraint family binds, as a CP-SAT and as a MILP model."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from formulations.merged_pipeline.ratio_families import COLUMN_FAMILIES
from formulations.merged_pipeline.segment import FAMILIES
from instances.instance import Instance
from schedules.goal import Goal

MakeInstance = Callable[..., Instance]
Flip = Any
"""Of conftest.py: asserts a model's optimum with a family and without it."""

FORMULATION = "segment"

of = partial(pytest.mark.parametrize, "family")


def test_every_family_has_a_flip_test(flipped: set[str]) -> None:
    # Those of compression are in test_ratio_families.
    assert flipped == set(FAMILIES) - set(COLUMN_FAMILIES)


@pytest.fixture
def gap(make_instance: MakeInstance) -> Instance:
    """Two stages on three chiplets: one is alone on its chiplet, but the area bound shares.

    Together they take 21 beats of 10 cycles, and never fewer than 7 by their area. Alone, one after
    the other, 20 beats of 4 cycles each.
    """
    return make_instance([[[10, 4, 4]]] * 2, resident=60, batch=20)


# In each of these tests one family decides: with it the optimum is that of all schedules, without
# it the model promises a better one. Others that would do the same work are left out of both.


@pytest.mark.parametrize(
    ("family", "also"),
    [
        ("cover", ("count", "area")),
        ("count", ("cover", "area")),
        ("beat", ("area",)),
        ("package", ("area",)),
        ("area", ("package",)),
    ],
)
def test_a_segment_is_covered_by_stages_that_share_the_chiplets(
    flips: Flip, gap: Instance, also: tuple[str, ...]
) -> None:
    flips(gap, *also, on=2 * 20 * 4, off=21 * 7)


@of(["path"])
def test_every_layer_is_in_a_segment(flips: Flip, gap: Instance) -> None:
    flips(gap, on=2 * 20 * 4, off=0)


@of(["segments"])
def test_the_limit_on_segments_binds(flips: Flip, make_instance: MakeInstance) -> None:
    """Four layers of 80 cycles each alone; fewer segments need a pair, which takes 210."""
    instance = make_instance([[[10, 4, 4]]] * 4, resident=60, batch=20)
    goal = Goal(segments=3, clusters=2)
    flips(instance, on=2 * 80 + 210, off=4 * 80, goal=goal)


@pytest.fixture
def trade(make_instance: MakeInstance) -> Instance:
    """Two layers, one after the other: ISP takes 10 cycles and 1 pJ, WSP 4 cycles and 9 pJ."""
    instance = make_instance([[[10], [4]]] * 2, resident=60)
    tables = instance.tables
    energy = replace(tables.energy, entry=np.array([[[1], [9]]] * 2))
    return replace(instance, tables=replace(tables, energy=energy))


@of(["latency_cap"])
def test_the_latency_cap_binds(flips: Flip, trade: Instance) -> None:
    flips(trade, on=9 + 1, off=1 + 1, goal=Goal("energy", latency_cap=15))


@of(["energy_cap"])
def test_the_energy_cap_binds(flips: Flip, trade: Instance) -> None:
    flips(trade, on=10 + 4, off=4 + 4, goal=Goal(energy_cap=12))
