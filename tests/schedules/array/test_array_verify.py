"""Each sentence that the checker of schedules on an array can say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instances.cost.array import ArrayCosts
from instances.network import Layer, Network
from schedules.array.evaluate import evaluate_array
from schedules.array.patterns import patterns
from schedules.array.schedule import ArraySchedule, ArraySegment, Layout
from schedules.array.verify import array_violations

MakeArrayCosts = Callable[..., ArrayCosts]

GOOD = ArraySegment(0, 1, "positions", 4, Layout((2,), (1, 3)))
WHOLE = Layout((2,), (4,))
FIRST, SECOND = (ArraySegment(k, k, "positions", 1, WHOLE) for k in (0, 1))


@pytest.fixture
def costs(make_array_costs: MakeArrayCosts) -> ArrayCosts:
    return make_array_costs(express=2)


def wrong(costs: ArrayCosts, *segments: ArraySegment) -> list[str]:
    return array_violations(costs, ArraySchedule(segments))


def laid(*layout: object) -> ArraySegment:
    return replace(GOOD, layout=Layout(*layout))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "segments",
    [
        (GOOD,),
        (FIRST, SECOND),
        (laid((2,), (2, 2), (1, 1), (True, False)),),
        (laid((1, 1), (3,)),),
        (laid((2,), (1, 1), (2, 1)),),
        (laid((1, 1), (1,), (4, 1)),),
        (replace(GOOD, tiling="channels", tiles=2),),
    ],
)
def test_schedules_that_may_run_have_no_violations(
    segments: tuple[ArraySegment, ...], costs: ArrayCosts
) -> None:
    assert wrong(costs, *segments) == []


@pytest.mark.parametrize(
    ("segments", "said"),
    [
        ((SECOND,), "segment 0 begins at layer 1, expected 0"),
        ((FIRST,), "the schedule ends after 1 layers of 2"),
        ((), "the schedule ends after 0 layers of 2"),
        ((FIRST, FIRST, SECOND), "segment 1 begins at layer 0, expected 1"),
        ((replace(GOOD, last=2),), "segment 0: layers 0 to 2, expected some of 0 to 1"),
        (
            (FIRST, replace(SECOND, last=0)),
            "segment 1: layers 1 to 0, expected some of 0 to 1",
        ),
    ],
)
def test_every_layer_runs_once_in_order(
    segments: tuple[ArraySegment, ...], said: str, costs: ArrayCosts
) -> None:
    assert said in wrong(costs, *segments)


@pytest.mark.parametrize(
    ("segment", "said"),
    [
        (replace(GOOD, tiles=3), "3 tiles by positions are no way to cut these layers"),
        (
            replace(GOOD, tiling="channels", tiles=1),
            "1 tiles by channels are no way to cut these layers",
        ),
        (laid((0,), (1, 3)), "a block or the number of cells is empty"),
        (laid((), ()), "2 layers do not fill a grid of 0 blocks up to its last band"),
        (laid((2,), (1, 3), (0, 1)), "a block or the number of cells is empty"),
        (laid((2,), (4,)), "2 layers do not fill a grid of 1 blocks up to its last band"),
        (
            laid((1, 1), (1, 1)),
            "2 layers do not fill a grid of 4 blocks up to its last band",
        ),
        (laid((2,), (2, 3)), "blocks take 5 columns of a cell, expected at most 4"),
        (laid((2, 1), (4,)), "blocks take 3 rows of a cell, expected at most 2"),
        (laid((2,), (2, 1), (2, 1)), "blocks take 3 columns of a cell, expected at most 2"),
        (laid((2,), (1, 1), (3, 1)), "4 columns are not divided evenly into 3 cells"),
        (laid((1, 1), (1,), (1, 3)), "2 rows are not divided evenly into 3 cells"),
        (
            laid((1,), (1, 1), (1, 2)),
            "stripes are columns: one band, not several cells above each other",
        ),
        (
            laid((2,), (1, 3), (1, 1), (True, False)),
            "blocks of widths that are no multiples of 2 have no express links",
        ),
        (
            laid((1, 1), (4,), (1, 1), (False, True)),
            "blocks of heights that are no multiples of 2 have no express links",
        ),
        (
            laid((2,), (2, 2), (1, 1), (True, True)),
            "nothing is handed on between rows, where express links are used",
        ),
        (
            laid((1, 1), (4,), (1, 1), (True, False)),
            "nothing is handed on between columns, where express links are used",
        ),
    ],
)
def test_a_wrong_segment_is_named(segment: ArraySegment, said: str, costs: ArrayCosts) -> None:
    assert f"segment 0: {said}" in wrong(costs, segment)


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        (Layout((2,), (3,)), "a layer by itself has the whole array"),
        (Layout((2,), (2,), (2, 1)), "a layer by itself is laid out once"),
    ],
)
def test_a_layer_by_itself_has_the_array(layout: Layout, said: str, costs: ArrayCosts) -> None:
    assert f"segment 0: {said}" in wrong(costs, replace(FIRST, layout=layout), SECOND)


@pytest.mark.parametrize(
    ("changes", "segment", "said"),
    [
        ({"depth": 1}, GOOD, "2 layers at once, expected at most 1"),
        ({"bands": 1}, laid((1, 1), (4,)), "2 bands, expected at most 1"),
        (
            {"buffer_bytes": 254},
            GOOD,
            "weights and data on their way take 128 bytes of 127",
        ),
        (
            {"organisations": ("sequential", "striped")},
            GOOD,
            "blocked-1d: the array has sequential, striped only",
        ),
        (
            {"express": 0},
            laid((2,), (2, 2), (1, 1), (True, False)),
            "express links are used, but the array has none",
        ),
    ],
)
def test_what_the_array_has_not_is_named(
    changes: dict[str, object], segment: ArraySegment, said: str, make_array_costs: MakeArrayCosts
) -> None:
    assert wrong(make_array_costs(**changes), segment) == [f"segment 0: {said}"]


def test_a_grid_has_no_more_columns_than_its_bands_need(make_array_costs: MakeArrayCosts) -> None:
    array = replace(make_array_costs().array, mesh=(6, 2), depth=4)
    layers = tuple(
        Layer(f"l{k}", "conv", 4, 4, (4, 4), inputs=(f"t{k}",), outputs=((f"t{k + 1}", (4, 4, 4)),))
        for k in range(4)
    )
    costs = ArrayCosts(Network("four", (("t0", (4, 4, 4)),), layers), array, 1)
    two, three = (
        ArraySegment(0, 3, "positions", 1, Layout((1, 1), (1,) * columns)) for columns in (2, 3)
    )
    assert wrong(costs, two) == []
    # Three blocks above, one below: two and two would do, and no method looks for it.
    assert wrong(costs, three) == [
        "segment 0: 4 layers in 2 bands need 2 columns of blocks, found 3"
    ]
    assert {own.grid for own in patterns(array, 4)} == {(1, 4), (2, 2)}


def test_a_layout_has_the_name_of_its_shape() -> None:
    named = {
        "blocked-1d": GOOD,
        "blocked-2d": laid((1, 1), (4,)),
        "striped": laid((2,), (1, 1), (2, 1)),
        "checkerboard": laid((1, 1), (1,), (4, 1)),
        "sequential": FIRST,
    }
    assert {name: own.organisation for name, own in named.items()} == {n: n for n in named}


NUMBERS = st.integers(-1, 5)
SIZES = st.lists(NUMBERS, max_size=4).map(tuple)


@given(
    st.lists(
        st.builds(
            ArraySegment,
            NUMBERS,
            NUMBERS,
            st.sampled_from(["positions", "channels"]),
            NUMBERS,
            st.builds(
                Layout,
                SIZES,
                SIZES,
                st.tuples(NUMBERS, NUMBERS),
                st.tuples(st.booleans(), st.booleans()),
            ),
        ),
        max_size=3,
    )
)
def test_whatever_a_schedule_holds_it_is_checked_and_evaluated_if_it_may_run(
    make_array_costs: MakeArrayCosts, segments: list[ArraySegment]
) -> None:
    costs, schedule = make_array_costs(express=2), ArraySchedule(tuple(segments))
    if not array_violations(costs, schedule):
        assert evaluate_array(costs, schedule).latency > 0
