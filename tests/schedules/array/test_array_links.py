"""Link loads: the formulas against a count link by link, and the count against small cases."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.array.links import LinkCase, agrees, link_counts, link_measures, random_case
from instances.array import ORGANISATIONS, Array, Organisation
from instances.arrays import load_array
from instances.cost.array import Flow
from schedules.array.links import busiest, crossings, hop_bytes, link_cycles
from schedules.array.routed import blocks, link_loads, matched, way
from schedules.array.schedule import ArraySegment, Layout

ROW = Layout((2,), (2, 2))


def array(columns: int, rows: int, express: int = 0) -> Array:
    return replace(load_array(f"{columns}x{rows}"), express=express)


@pytest.mark.parametrize("augmented", [False, True])
@pytest.mark.parametrize("organisation", ORGANISATIONS)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_formulas_are_what_is_counted_on_arrays_up_to_16_x_16(
    organisation: Organisation, augmented: bool, seed: int
) -> None:
    case = random_case(np.random.default_rng(seed), organisation, augmented)
    segment = ArraySegment(0, case.depth - 1, "positions", 2, case.layout)
    assert segment.organisation == organisation
    assert bool(case.array.express) == augmented
    assert any(case.layout.express) == (augmented and case.depth > 1)
    assert agrees(case)


def test_a_wrong_formula_is_counted_as_wrong() -> None:
    case = LinkCase(array(4, 2), ROW, 2, (Flow(0, 1, 100),))
    assert agrees(case)
    wider = replace(case, layout=Layout((2,), (2, 3)), array=array(6, 2))
    assert agrees(wider)
    # A layout that breaks a rule: blocks that are no multiples of the express links' length.
    assert not agrees(
        LinkCase(array(6, 2, 2), Layout((2,), (1, 2), (1, 1), (True, False)), 2, case.flows)
    )


def test_counts_are_told_by_organisation_and_topology() -> None:
    found = list(link_counts(2, side=8))
    assert [(own.organisation, own.augmented) for own in found] == [
        (name, augmented) for name in ORGANISATIONS for augmented in (False, True)
    ]
    assert {(own.layouts, own.wrong) for own in found} == {(2, 0)}
    with pytest.raises(ValueError, match="up to 7 x 7 PEs: expected at least 8 x 8"):
        list(link_counts(2, side=7))
    measures = link_measures(2)
    assert [(own.value, own.bar, own.holds) for own in measures] == [(0, 0, True)] * 10
    assert len({own.name for own in measures}) == 10


# By hand


def test_two_blocks_side_by_side() -> None:
    """100 bytes from columns 0, 1 to columns 2, 3: each row has half, the middle link all of it."""
    loads = link_loads(array(4, 2), (Flow(0, 1, 100),), ROW, 2)
    row = {
        ((x, y), (x + 1, y)): Fraction(share)
        for y in (0, 1)
        for x, share in enumerate((25, 50, 25))
    }
    assert loads == row
    assert busiest((Flow(0, 1, 100),), ROW, 2, 0) == 50
    assert hop_bytes((Flow(0, 1, 100),), ROW, 2, 0) == sum(row.values()) == 200


def test_cells_share_what_is_handed_on() -> None:
    striped = Layout((2,), (2, 2), (2, 1))
    assert busiest((Flow(0, 1, 100),), striped, 2, 0) == 25
    assert max(link_loads(array(8, 2), (Flow(0, 1, 100),), striped, 2).values()) == 25


def test_express_links_keep_to_their_lanes() -> None:
    """With links of length 2, columns 0 and 2 are one lane, 1 and 3 the other."""
    express = replace(ROW, express=(True, False))
    loads = link_loads(array(4, 2, 2), (Flow(0, 1, 100),), express, 2)
    assert loads == {((x, y), (x + 2, y)): Fraction(25) for x in (0, 1) for y in (0, 1)}
    assert busiest((Flow(0, 1, 100),), express, 2, 2) == 25
    assert hop_bytes((Flow(0, 1, 100),), express, 2, 2) == 100


def test_what_turns_a_corner_goes_along_its_row_first() -> None:
    grid = Layout((1, 1), (1, 1))
    loads = link_loads(array(2, 2), (Flow(0, 2, 8),), grid, 3)
    assert list(grid.places(3)) == [(0, 0), (0, 1), (1, 1)]
    assert loads == {((0, 0), (1, 0)): 8, ((1, 0), (1, 1)): 8}


def test_tensors_in_opposite_directions_use_links_of_their_own() -> None:
    flows = (Flow(0, 1, 100), Flow(0, 2, 10), Flow(2, 3, 30))
    grid = Layout((1, 1), (2, 2))
    across = crossings(flows, grid, 4)
    assert across.bands == (110, 30)
    assert across.columns == (0, 10)
    assert busiest(flows, grid, 4, 0) == 110


def test_a_beat_is_whole_cycles_of_the_busiest_link() -> None:
    flows = (Flow(0, 1, 100),)
    assert [link_cycles(flows, ROW, 2, 0, size) for size in (1, 7, 50, 64)] == [50, 8, 1, 1]


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 5), st.sampled_from([1, 2, 3]))
def test_matching_shares_out_all_of_it_evenly(one: int, other: int, gap: int, lanes: int) -> None:
    """Every part goes somewhere; each column of the one side gives, of the other gets, as much."""
    sizes = (one * lanes, other * lanes)
    pairs = list(matched((0, sizes[0]), (sizes[0] + gap, sizes[1]), lanes))
    given_, got = Counter[int](), Counter[int]()
    for x, to_x, part in pairs:
        assert (to_x - x) % lanes == 0
        given_[x] += part  # type: ignore[assignment]
        got[to_x] += part  # type: ignore[assignment]
    assert set(given_.values()) == {Fraction(1, sizes[0])}
    assert set(got.values()) == {Fraction(1, sizes[1])}
    assert len(given_) == sizes[0]


def test_a_way_is_made_of_links_that_follow_one_another() -> None:
    links = list(way((6, 1), (0, 3), (2, 1)))
    assert [link[0] for link in links] == [(6, 1), (4, 1), (2, 1), (0, 1), (0, 2)]
    assert all(one[1] == other[0] for one, other in pairwise(links))
    assert links[-1][1] == (0, 3)


def test_blocks_of_cells_lie_side_by_side_and_do_not_overlap() -> None:
    cells = blocks(array(10, 6), Layout((1, 2), (2, 1), (2, 2)), 4)
    places = [
        (x, y)
        for cell in cells
        for (left, wide), (top, high) in cell
        for x in range(left, left + wide)
        for y in range(top, top + high)
    ]
    assert len(places) == len(set(places)) == 4 * 9
    assert {cell[0] for cell in cells} == {((x, 2), (y, 1)) for x in (0, 5) for y in (0, 3)}
