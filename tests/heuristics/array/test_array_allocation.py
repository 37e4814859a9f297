from itertools import product

import pytest

from heuristics.array.allocation import best_layout
from instances.cost.array import ArrayCosts, SegmentWork
from instances.generate_array import random_array_costs
from schedules.array.evaluate import beat_of
from schedules.array.patterns import Pattern, patterns
from solvers.array.enumeration import _sizes


def _all_beats(costs: ArrayCosts, work: SegmentWork, pattern: Pattern) -> list[int]:
    sizes = [_sizes(pattern.grid[k], pattern.units[1 - k], pattern.cell[1 - k]) for k in (0, 1)]
    if work.depth == 1:
        sizes = [[(pattern.cell[1],)], [(pattern.cell[0],)]]
    return [
        beat_of(costs.array, work, pattern.layout(heights, widths)).cycles
        for heights, widths in product(*sizes)
    ]


def _works(costs: ArrayCosts, most: int) -> list[SegmentWork]:
    """A segment from every layer on, of every depth, in two of its tile counts."""
    found = []
    for first in range(costs.layers):
        for last in range(first, min(costs.layers, first + most)):
            ways = costs.tile_counts(first, last)
            found += [costs.segment(first, last, *way) for way in {ways[0], ways[-1]}]
    return found


@pytest.mark.parametrize("seed", range(25))
def test_no_layout_has_a_lower_beat_than_the_best(seed: int) -> None:
    costs = random_array_costs(seed, layers=4, side=5)
    for work in _works(costs, 3):
        found = best_layout(costs.array, work)
        every = [
            beat
            for pattern in patterns(costs.array, work.depth)
            for beat in _all_beats(costs, work, pattern)
        ]
        assert (found.beat if found else None) == min(every, default=None)


@pytest.mark.parametrize("seed", range(25))
def test_the_beat_of_an_allocation_is_the_evaluators(seed: int) -> None:
    costs = random_array_costs(seed, layers=5, side=12)
    for work in _works(costs, 5):
        found = best_layout(costs.array, work)
        if found is not None:
            assert found.beat == beat_of(costs.array, work, found.layout).cycles


@pytest.mark.parametrize("seed", range(15))
def test_only_the_patterns_that_are_given_count(seed: int) -> None:
    costs = random_array_costs(seed, layers=4, side=4)
    for work in _works(costs, 3):
        for pattern in patterns(costs.array, work.depth):
            found = best_layout(costs.array, work, among=(pattern,))
            assert found is not None
            assert found.layout.repeats == pattern.repeats
            assert found.layout.express == pattern.express
            assert len(found.layout.heights) == pattern.grid[0]
            assert found.beat == min(_all_beats(costs, work, pattern))


@pytest.mark.parametrize("seed", range(15))
def test_a_limit_is_met_if_and_only_if_the_best_is_below_it(seed: int) -> None:
    costs = random_array_costs(seed, layers=4, side=6)
    for work in _works(costs, 4):
        best = best_layout(costs.array, work)
        if best is None:
            continue
        assert best_layout(costs.array, work, best.beat) is None
        above = best_layout(costs.array, work, best.beat + 1)
        assert above is not None
        assert above.beat == best.beat
