"""Columns of arrays: their tables, what is left of them, and bounds on their beats."""

from itertools import product

import numpy as np
import pytest

from formulations.spatial_organization.beats import price
from formulations.spatial_organization.columns import all_columns, all_works, dram_cycles
from formulations.spatial_organization.reduction import reduced
from heuristics.array.allocation import best_layout
from instances.cost.array import ArrayCosts
from instances.generate_array import random_array_costs
from schedules.array.evaluate import beat_of
from solvers.array import solve_array
from solvers.array.models import layer_by_layer

of = pytest.mark.parametrize

FAR = 2**50


def costs_of(seed: int) -> ArrayCosts:
    return random_array_costs(seed, layers=4, chain=seed % 2 == 0)


@of("seed", range(12))
def test_tables_say_what_the_evaluator_says(seed: int) -> None:
    costs, draw = costs_of(seed), np.random.default_rng(seed)
    for column in all_columns(costs):
        sizes = column.sizes
        for _ in range(3):
            rows = [int(draw.integers(len(own))) for own in sizes.heights]
            wide = [int(draw.integers(len(own))) for own in sizes.widths]
            heights = tuple(int(own[n]) for own, n in zip(sizes.heights, rows, strict=True))
            widths = tuple(int(own[n]) for own, n in zip(sizes.widths, wide, strict=True))
            beat = beat_of(costs.array, column.work, column.pattern.layout(heights, widths))
            own = [
                table[rows[b], wide[c]]
                for table, (b, c) in zip(sizes.layers, column.places, strict=True)
            ]
            pairs = zip(beat.compute, beat.bus, strict=True)
            assert own == [max(both) for both in pairs]
            links = [table[n] for table, n in zip(sizes.bands, rows, strict=True)]
            links += [table[n] for table, n in zip(sizes.columns, wide, strict=True)]
            assert max(links) == beat.links
            assert column.bound == beat.dram


@of("seed", range(40))
def test_bounds_are_bounds_and_least_beats_of_one_band(seed: int) -> None:
    costs = random_array_costs(seed, layers=4, side=4 + seed % 7, chain=seed % 2 == 0)
    for work in all_works(costs):
        for own in price(costs.array, work, dram_cycles(costs.array, work), FAR):
            found = best_layout(costs.array, work, among=(own.pattern,))
            assert found is not None
            assert own.bound <= found.beat
            if own.pattern.grid[0] == 1:
                assert own.layout is not None
                beat = beat_of(costs.array, work, own.layout).cycles
                assert beat == found.beat == max(own.bound, beat)


@of("seed", range(20))
def test_a_price_says_which_patterns_are_slow(seed: int) -> None:
    costs = costs_of(seed)
    for work in all_works(costs):
        everything = price(costs.array, work, 1, FAR)
        if not everything:
            continue  # too many layers for the array
        most = sorted(own.bound for own in everything)[len(everything) // 2]
        assert price(costs.array, work, 1, most) == [o for o in everything if o.bound <= most]


@of("seed", range(60))
def test_a_reduction_keeps_an_optimum(seed: int) -> None:
    costs = costs_of(seed)
    best = solve_array(costs, "enumerate")
    assert best.schedule is not None
    for start in (layer_by_layer(costs), best.schedule):
        found = reduced(costs, start)
        assert found.bound <= (best.objective or 0) <= found.limit
        left = {(c.work.first, c.work.last) for c in found.columns}
        assert {(s.first, s.last) for s in best.schedule.segments} <= left or not left
        for column in found.columns:
            for table in (*column.sizes.layers, *column.sizes.bands, *column.sizes.columns):
                assert table.min() <= column.most


def test_what_is_left_is_less_the_better_the_known_schedule_is() -> None:
    costs = costs_of(4)
    best = solve_array(costs, "enumerate").schedule
    assert best is not None
    counts = [
        sum(column.variables for column in columns)
        for columns in (
            all_columns(costs),
            reduced(costs, layer_by_layer(costs)).columns,
            reduced(costs, best).columns,
        )
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_the_work_ends_when_the_check_fails() -> None:
    def late() -> None:
        raise TimeoutError

    costs = costs_of(4)
    with pytest.raises(TimeoutError):
        reduced(costs, layer_by_layer(costs), late)


@of("seed", range(8))
def test_sizes_that_are_left_out_are_of_no_use(seed: int) -> None:
    """Of every column, the best layout among the sizes left is the best of all."""
    costs = costs_of(seed)
    for column in reduced(costs, layer_by_layer(costs)).columns:
        sizes, cell = column.sizes, column.pattern.cell
        beats = [column.most + 1]
        for heights, widths in product(product(*sizes.heights), product(*sizes.widths)):
            if sum(heights) <= cell[1] and sum(widths) <= cell[0]:
                layout = column.pattern.layout(tuple(map(int, heights)), tuple(map(int, widths)))
                beats.append(beat_of(costs.array, column.work, layout).cycles)
        found = best_layout(costs.array, column.work, column.most + 1, (column.pattern,))
        assert min(beats) == (column.most + 1 if found is None else found.beat)
