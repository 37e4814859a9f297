"""What a schedule on an array costs, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from instances.cost.array import ArrayCosts, Need
from schedules.array.evaluate import Beat, bus_cycles, carried, evaluate_array, evaluate_segment
from schedules.array.schedule import ArraySchedule, ArraySegment, Layout
from schedules.array.verify import array_violations

MakeArrayCosts = Callable[..., ArrayCosts]

WHOLE = Layout((2,), (4,))
ALONE = (ArraySegment(0, 0, "positions", 1, WHOLE), ArraySegment(1, 1, "positions", 1, WHOLE))


@pytest.fixture
def costs(make_array_costs: MakeArrayCosts) -> ArrayCosts:
    return make_array_costs()


def rows(*layout: object) -> ArraySegment:
    """Both layers in tiles of a row."""
    return ArraySegment(0, 1, "positions", 4, Layout(*layout))  # type: ignore[arg-type]


def test_blocks_side_by_side(costs: ArrayCosts) -> None:
    """a on 2 PEs: 16 outputs, 8 each. b on 6: 8 outputs, 2 each at most, 9 cycles for one.

    With all in registers the buses carry 1 + 8 and 6 + 16 bytes, over 1 and 3 columns of 2 bytes.
    16 bytes go over 2 rows of links; 272 bytes of DRAM in 14 beats are 20 a beat.
    """
    found = evaluate_segment(costs, rows((2,), (1, 3)))
    assert found.beat == Beat(compute=(8, 18), bus=(5, 4), links=4, dram=5)
    assert found.beat.cycles == 18
    assert found.cycles == 14 * 18
    macs = 3 * (128 + 1152)
    bus, hops = (1 + 8) + (6 + 16), 16 * 2
    energy = macs + 3 * macs * 10 + 12 * bus * 1000 + 12 * hops * 100 + 272 * 10_000
    assert found.energy == energy


def test_blocks_above_each_other_share_the_columns_buses(costs: ArrayCosts) -> None:
    found = evaluate_segment(costs, rows((1, 1), (4,)))
    assert found.beat == Beat(compute=(4, 18), bus=(3, 6), links=2, dram=5)


def test_cells_share_positions_and_data_but_not_weights(costs: ArrayCosts) -> None:
    """Two stripes: each has 2 of 4 positions, half of the data, and all weights."""
    found = evaluate_segment(costs, rows((2,), (1, 1), (2, 1)))
    assert found.beat == Beat(compute=(4, 18), bus=(3, 7), links=2, dram=5)
    one = evaluate_segment(costs, rows((2,), (1, 1)))
    again = 12 * (1 + 6) * 1000
    assert found.energy == one.energy + again


def test_cells_above_each_other_get_weights_once(costs: ArrayCosts) -> None:
    need = Need(72, 48, 6, 16)
    layouts = [Layout((1, 1), (2,), repeats) for repeats in ((1, 1), (2, 1))]
    assert [bus_cycles(costs.array, need, 2, own) for own in layouts] == [11, 7]


def test_a_schedule_is_the_sum_of_its_segments(costs: ArrayCosts) -> None:
    """By itself a is held up by its buses, 3 + 96 bytes over 8 a cycle, b by its PEs."""
    found = evaluate_array(costs, ArraySchedule(ALONE))
    assert found.segments[0].beat == Beat(compute=(8,), bus=(13,), links=0, dram=9)
    assert found.segments[1].beat == Beat(compute=(36,), bus=(19,), links=0, dram=22)
    assert found.latency == 3 * 13 + 3 * 36
    assert found.energy == sum(own.energy for own in found.segments)
    assert array_violations(costs, ArraySchedule(ALONE)) == []


def test_registers_hold_what_saves_most(make_array_costs: MakeArrayCosts) -> None:
    """A block of 2 PEs with room for the weights, for the data, for both, or for nothing."""
    layout = Layout((2,), (1, 1))
    found = []
    for room in (60, 36, 24, 10):
        costs = make_array_costs(register_bytes=room)
        b = costs.segment(0, 1, "positions", 4).layers[1]
        found.append(carried(costs.array, b, 2, layout))
    assert found == [
        Need(72, 48, 6, 16),
        Need(72, 0, 6, 48),
        Need(0, 48, 72, 16),
        Need(0, 0, 72, 48),
    ]


def test_a_slow_dram_makes_the_beat(make_array_costs: MakeArrayCosts) -> None:
    slow = make_array_costs(dram_bytes=1)
    assert evaluate_segment(slow, rows((2,), (1, 3))).beat.cycles == -(-272 // 14)


def test_express_links_divide_loads_and_hops(make_array_costs: MakeArrayCosts) -> None:
    costs = make_array_costs(express=2, link_bytes=1)
    plain = evaluate_segment(costs, rows((2,), (2, 2)))
    express = evaluate_segment(costs, rows((2,), (2, 2), (1, 1), (True, False)))
    assert (plain.beat.links, express.beat.links) == (8, 4)
    assert plain.energy - express.energy == 12 * 16 * (2 - 1) * 100


def test_no_pe_has_less_than_its_share_of_work(costs: ArrayCosts) -> None:
    """Beats times all PEs are at least the multiply-accumulates over those of a cycle."""
    for layout in (rows((2,), (1, 3)), rows((1, 1), (4,)), rows((2,), (1, 1), (2, 1))):
        found = evaluate_segment(costs, layout)
        assert found.cycles * costs.array.pes * costs.array.macs >= 3 * 1280
