"""Enumeration inside an array: against all layouts that the checker accepts, and what must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from instances.array import ORGANISATIONS
from instances.cost.array import ArrayCosts
from instances.generate_array import random_array_costs
from schedules.array.evaluate import evaluate_array
from schedules.array.schedule import ArraySchedule, ArraySegment, Layout
from schedules.array.verify import array_violations
from solvers.array import solve_array

MakeArrayCosts = Callable[..., ArrayCosts]

FLAGS = (False, True)


def optimum(costs: ArrayCosts) -> int:
    """What enumeration proves."""
    result = solve_array(costs, "enumerate")
    assert result.stop == "optimal"
    assert result.objective == result.bound
    assert result.objective is not None
    return result.objective


def changed(costs: ArrayCosts, **changes: Any) -> ArrayCosts:
    """The same network on an array that differs."""
    return ArrayCosts(costs.network, replace(costs.array, **changes), costs.batch)


def all_layouts(columns: int, rows: int) -> Iterator[Layout]:
    """Everything that might be a layout of up to two layers, rules or not."""
    heights = [own for n in (1, 2) for own in product(range(1, rows + 1), repeat=n)]
    widths = [own for n in (1, 2) for own in product(range(1, columns + 1), repeat=n)]
    repeats = product(range(1, columns + 1), range(1, rows + 1))
    for parts in product(heights, widths, list(repeats), list(product(FLAGS, FLAGS))):
        yield Layout(*parts)


def all_schedules(costs: ArrayCosts) -> Iterator[ArraySchedule]:
    """All schedules of two layers that the checker accepts."""
    columns, rows = costs.array.mesh
    whole = Layout((rows,), (columns,))
    yield ArraySchedule(tuple(ArraySegment(k, k, "positions", 1, whole) for k in (0, 1)))
    for (tiling, tiles), layout in product(
        costs.tile_counts(0, 1), list(all_layouts(columns, rows))
    ):
        schedule = ArraySchedule((ArraySegment(0, 1, tiling, tiles, layout),))
        if not array_violations(costs, schedule):
            yield schedule


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"express": 2},
        {"dram_bytes": 1, "buffer_bytes": 300},
        {"link_bytes": 1, "macs": 64, "express": 3},
        {"bus_bytes": 1, "register_bytes": 8, "bands": 1},
        {"mesh": (3, 4), "express": 2, "register_bytes": 16},
        {"organisations": ("sequential", "striped", "checkerboard")},
    ],
)
def test_the_best_of_all_that_the_checker_accepts_is_found(
    changes: dict[str, Any], make_array_costs: MakeArrayCosts
) -> None:
    costs = make_array_costs(batch=2, **{"mesh": (4, 2), **changes})
    found = [evaluate_array(costs, schedule).latency for schedule in all_schedules(costs)]
    assert len(found) > 10
    assert optimum(costs) == min(found)


MORE = {
    "bus_bytes": lambda array: 2 * array.bus_bytes,
    "link_bytes": lambda array: array.link_bytes + 1,
    "dram_bytes": lambda array: 2 * array.dram_bytes,
    "register_bytes": lambda array: 8 * array.register_bytes,
    "buffer_bytes": lambda array: 20 * array.buffer_bytes,
    "macs": lambda array: 2 * array.macs,
    "depth": lambda array: array.depth + 1,
    "bands": lambda array: array.bands + 1,
}

OFTEN_SCARCE = ("bus_bytes", "dram_bytes", "buffer_bytes", "macs")
"""What limits some of the instances drawn."""


@pytest.mark.parametrize("what", MORE)
def test_more_of_anything_never_makes_the_best_worse(what: str) -> None:
    better = 0
    for seed in range(12):
        costs = random_array_costs(seed, layers=4, side=3)
        more = changed(costs, **{what: MORE[what](costs.array)})
        found, before = optimum(more), optimum(costs)
        assert found <= before
        better += found < before
    assert better > 0 or what not in OFTEN_SCARCE


def test_express_links_and_organisations_never_make_the_best_worse() -> None:
    better = dict.fromkeys(("express", *ORGANISATIONS), 0)
    for seed in range(16):
        costs = random_array_costs(seed, layers=4, side=4)
        full = changed(costs, express=2 if max(costs.array.mesh) > 2 else 0)
        best = optimum(full)
        plain = optimum(changed(full, express=0))
        assert best <= plain
        better["express"] += best < plain
        for name in ORGANISATIONS[1:]:
            others = tuple(own for own in ORGANISATIONS if own != name)
            without = optimum(changed(full, organisations=others))
            assert best <= without
            better[name] += best < without
    assert better["blocked-1d"] + better["striped"] + better["checkerboard"] > 0


def test_without_organisations_to_pipeline_in_layers_run_by_themselves() -> None:
    for seed in range(6):
        costs = changed(random_array_costs(seed, side=3), organisations=("sequential",))
        result = solve_array(costs, "enumerate")
        assert result.schedule is not None
        assert [own.depth for own in result.schedule.segments] == [1] * costs.layers
        assert result.objective == optimum(changed(costs, depth=1, organisations=ORGANISATIONS))


def test_a_larger_batch_never_takes_less_time(make_array_costs: MakeArrayCosts) -> None:
    values = [optimum(make_array_costs(batch=batch)) for batch in (1, 2, 3, 4)]
    assert values == sorted(values)


def test_out_of_time_there_is_no_schedule(make_array_costs: MakeArrayCosts) -> None:
    costs = random_array_costs(3, layers=6, side=4)
    result = solve_array(costs, "enumerate", time_limit=1e-9)
    assert (result.stop, result.schedule, result.objective) == ("time-limit", None, None)
