"""The placement problem: its streams, what places cost, and what is wrong with them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from instances.cost import make_instance
from instances.mesh import Mesh
from instances.networks import build_network
from instances.package import Tile
from instances.packages import load_package
from schedules.place import snake
from schedules.placement import (
    PlacementProblem,
    link_loads,
    misplaced,
    placement_cost,
    placement_problem,
    streams,
)
from schedules.regions import runs
from schedules.schedule import Cluster, Segment
from schedules.traffic import DRAM, Flow, Stream, flows

SQUARE = Mesh((2, 2), 2)  # its ports are at (0, 1) and (1, 1)


def test_flows_with_the_same_ends_are_one_stream_of_the_batch() -> None:
    given = [
        Flow(DRAM, 0, 5, True, 0, 0),
        Flow(DRAM, 0, 7, True, 1, 3),
        Flow(DRAM, 0, 2, False, 0, 1),
        Flow(DRAM, 0, 100, True, 0, -1, once=True),
        Flow(0, 1, 1, True, 2, 2),
    ]
    assert streams(given, 10) == [
        Stream(DRAM, 0, 20, False),
        Stream(DRAM, 0, 220, True),
        Stream(0, 1, 10, True),
    ]


def test_the_problem_of_a_segment_has_its_sizes_and_streams() -> None:
    instance = make_instance(build_network("alexnet"), load_package("simba-4x4"), 8)
    segment = Segment(tuple(Cluster(k, k, k + 3, ("ISP",)) for k in range(3)))
    problem = placement_problem(instance, segment)
    assert problem.sizes == (3, 4, 5)
    assert list(problem.streams) == streams(flows(instance, segment), 8)
    assert problem.mesh.ports == Mesh((4, 4), 2).ports


@pytest.mark.parametrize(
    ("stream", "byte_hops", "busiest"),
    [
        (Stream(0, 1, 10, False), 10 * (1 + 2), 20),  # both go right first, one then goes down
        (Stream(0, 1, 10, True), 10 * 2, 10),
        (Stream(DRAM, 1, 10, True), 10 * (2 + 1), 20),  # (0, 1) goes by (1, 1); (1, 1) goes up
        (Stream(1, DRAM, 10, False), 10 * (2 + 1 + 1), 10),  # every way has its own links
        (Stream(0, 0, 10, True), 0, 0),
    ],
)
def test_costs_of_a_stream_worked_by_hand(stream: Stream, byte_hops: int, busiest: int) -> None:
    problem = PlacementProblem(SQUARE, (1, 2), (stream,))
    cost = placement_cost(problem, [[(0, 0)], [(1, 0), (1, 1)]])
    assert (cost.byte_hops, cost.busiest) == (byte_hops, busiest)


def test_loads_are_in_bytes_by_link_and_add_up() -> None:
    both = (Stream(0, 1, 10, True), Stream(1, 0, 3, False))
    places: list[list[Tile]] = [[(0, 0)], [(1, 0), (1, 1)]]
    loads = link_loads(PlacementProblem(SQUARE, (1, 2), both), places)
    parts = [link_loads(PlacementProblem(SQUARE, (1, 2), (own,)), places) for own in both]
    assert loads.tolist() == (parts[0] + parts[1]).tolist()
    assert loads[SQUARE.index[(0, 0), (1, 0)]] == 10
    assert loads[SQUARE.index[(1, 0), (0, 0)]] == 3


def test_hops_of_unicast_are_distances() -> None:
    mesh = Mesh((4, 4), 2)
    regions = runs(snake((4, 4)), (5, 6))
    stream = Stream(0, 1, 7, False)
    pairs = ((a, b) for a in regions[0] for b in regions[1])
    cost = placement_cost(PlacementProblem(mesh, (5, 6), (stream,)), regions)
    assert cost.byte_hops == 7 * sum(mesh.hops(a, b) for a, b in pairs)


def test_around_a_fault_a_stream_takes_more_links() -> None:
    places = [[(0, 0)], [(2, 0)]]
    hops = []
    for missing in ([], [(1, 0)]):
        problem = PlacementProblem(
            Mesh((3, 2), 2, missing=missing), (1, 1), (Stream(0, 1, 1, True),)
        )
        hops.append(placement_cost(problem, places).byte_hops)
    assert hops == [2, 4]


GOOD = [[(0, 0), (0, 1)], [(1, 1)]]


@pytest.mark.parametrize(
    ("places", "sentence"),
    [
        (GOOD, None),
        (GOOD[:1], "1 places for 2 regions"),
        ([[(0, 0)], [(1, 1)]], "region 0 has 2 chiplets, but 1 places"),
        ([[(0, 0), (0, 0)], [(1, 1)]], "region 0 has 2 chiplets, but 1 places"),
        ([[(0, 0), (0, 1)], [(2, 1)]], "region 1: no chiplet computes at [2, 1]"),
        ([[(0, 0), (0, 1)], [(1, 0)]], "region 1: no chiplet computes at [1, 0]"),
        ([[(0, 0), (0, 1)], [(0, 1)]], "[0, 1] belongs to regions 0 and 1"),
        ([[(0, 0), (1, 1)], [(0, 1)]], "region 0 is not connected"),
    ],
)
def test_what_is_wrong_with_places_is_one_sentence(
    places: list[list[Tile]], sentence: str | None
) -> None:
    mesh = Mesh((2, 2), 2, unusable=[(1, 0)])
    problem = PlacementProblem(mesh, (2, 1), ())
    assert misplaced(problem, places) == ([] if sentence is None else [sentence])


def test_runs_of_the_snake_are_well_placed() -> None:
    sizes = (3, 5, 1, 7)
    order = snake((4, 4))
    assert all(abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1 for a, b in pairwise(order))
    assert misplaced(PlacementProblem(Mesh((4, 4), 2), sizes, ()), runs(order, sizes)) == []
