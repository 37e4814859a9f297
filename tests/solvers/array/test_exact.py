from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instances.array import ORGANISATIONS
from instances.arrays import load_array
from instances.cost.array import ArrayCosts
from instances.generate_array import random_array_costs
from instances.networks import build_network
from schedules.array.progress import ArrayProgress
from solvers.array import ArrayResult, solve_array
from solvers.array.bounds import NEVER, segment_bounds
from solvers.array.enumeration import best_segment

SEEDS = st.integers(0, 10**6)


def solved(costs: ArrayCosts, method: str) -> ArrayResult:
    return solve_array(costs, method, workers=1)


@given(SEEDS, st.booleans())
def test_exact_finds_and_proves_what_enumeration_finds(seed: int, chain: bool) -> None:
    costs = random_array_costs(seed, chain=chain)
    found, truth = solved(costs, "exact"), solved(costs, "enumerate")
    assert found.stop == truth.stop == "optimal"
    assert found.objective == found.bound == truth.objective


@given(SEEDS)
def test_no_segment_undercuts_its_bound(seed: int) -> None:
    costs = random_array_costs(seed, layers=4, side=3)
    low, progress = segment_bounds(costs), ArrayProgress(costs)
    for first in range(costs.layers):
        for last in range(first, min(costs.layers, first + low.shape[1])):
            found = best_segment(progress, first, last)
            if found is None:
                continue
            assert low[first, last - first] <= found[0]


def test_layers_whose_weights_exceed_half_the_buffer_are_never_pipelined() -> None:
    array = replace(load_array("4x4"), buffer_bytes=1_000)
    low = segment_bounds(ArrayCosts(build_network("alexnet"), array))
    assert (low[:, 1:] == NEVER).all()
    assert (low[:, 0] < NEVER).all()


def test_bounds_rise_and_meet_the_incumbent() -> None:
    found = solved(random_array_costs(16), "exact")
    bounds = [point.bound for point in found.trace if point.bound is not None]
    assert bounds == sorted(bounds)
    assert bounds[-1] == found.objective


def test_an_expired_run_returns_a_schedule_and_claims_nothing() -> None:
    costs = ArrayCosts(build_network("mobilenet_v2"), load_array("8x8"))
    found = solve_array(costs, "exact", time_limit=0, workers=1)
    assert found.stop == "time-limit"
    assert found.schedule is not None
    assert found.bound is None


def test_more_of_anything_never_makes_the_optimum_worse() -> None:
    rng = np.random.default_rng(0)
    for seed in rng.integers(0, 10**6, size=12):
        costs = random_array_costs(int(seed))
        base = solved(costs, "exact").objective
        assert base is not None
        for name in ("register_bytes", "bus_bytes", "link_bytes", "dram_bytes", "depth", "bands"):
            more = replace(costs.array, **{name: 2 * getattr(costs.array, name)})
            found = solved(ArrayCosts(costs.network, more, costs.batch), "exact").objective
            assert found is not None
            assert found <= base, (seed, name)


@pytest.mark.parametrize("name", ORGANISATIONS[1:])
def test_an_organisation_that_an_array_does_not_have_is_not_used(name: str) -> None:
    without = tuple(kind for kind in ORGANISATIONS if kind != name)
    for seed in range(20):
        costs = random_array_costs(seed)
        costs = ArrayCosts(costs.network, replace(costs.array, organisations=without))
        found, truth = solved(costs, "exact"), solved(costs, "enumerate")
        assert found.objective == truth.objective
        assert found.schedule is not None
        assert name not in {segment.organisation for segment in found.schedule.segments}
