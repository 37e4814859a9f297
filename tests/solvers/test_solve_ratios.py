"""`solve` on instances with compression, by methods that know of no ratios."""

from __future__ import annotations

from dataclasses import replace

import pytest

from instances.generate import random_instance
from instances.generate_ratios import random_ratios
from instances.instance import Instance
from schedules.goal import Goal
from schedules.verify import violations
from solvers.solve import METHODS, solve

FAST = [name for name, method in METHODS.items() if method.goals == "latency"]

INSTANCE = random_ratios(
    random_instance(7, layers=4, chiplets=4, options=2, memory="loose"), 7, budget="loose"
)


def plain(instance: Instance) -> Instance:
    return replace(instance, tables=instance.costs, compression=None)


@pytest.mark.parametrize("method", FAST)
def test_every_fast_method_compresses_and_proves_nothing(method: str) -> None:
    result, without = solve(INSTANCE, method), solve(plain(INSTANCE), method)
    optimum = solve(INSTANCE, "enumerate").objective
    assert result.schedule is not None
    assert result.objective is not None
    assert without.objective is not None
    assert optimum is not None
    assert violations(INSTANCE, result.schedule) == []
    assert optimum <= result.objective < without.objective
    assert (result.stop, result.bound) == ("finished", None)
    assert result.counts["runs"] > 1


def test_steps_of_scope_hold_with_compression_too() -> None:
    result = solve(INSTANCE, "scope", steps="segments=one")
    assert result.schedule is not None
    assert len(result.schedule.segments) == 1


def test_a_method_that_cannot_choose_ratios_says_which_can() -> None:
    with pytest.raises(ValueError, match=r"'decompose' cannot choose .* use exact.* such as scope"):
        solve(INSTANCE, "decompose")


def test_a_fast_method_takes_no_other_goal_with_compression_either() -> None:
    with pytest.raises(ValueError, match="'scope' minimises the latency"):
        solve(INSTANCE, "scope", goal=Goal("energy"))
