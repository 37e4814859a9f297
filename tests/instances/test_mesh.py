"""The mesh: what is joined, the ways of traffic, and the loads that they make."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from instances.mesh import Mesh, neighbours
from instances.package import Faults, Tile
from instances.packages import load_package

SPOT = st.tuples(st.integers(0, 4), st.integers(0, 4))


def counted(mesh: Mesh, senders: list[Tile], receivers: list[Tile], multicast: bool) -> list[int]:
    """The loads, way by way."""
    found = dict.fromkeys(mesh.links, 0)
    for sender in senders:
        ways = [list(pairwise(mesh.way(sender, receiver))) for receiver in receivers]
        used = [link for way in ways for link in way]
        for link in set(used) if multicast else used:
            found[link] += 1
    return list(found.values())


@given(
    st.integers(1, 5),
    st.integers(1, 5),
    st.lists(SPOT, min_size=1, max_size=5),
    st.lists(SPOT, min_size=1, max_size=6),
    st.booleans(),
)
def test_loads_are_those_of_the_ways(
    columns: int, rows: int, senders: list[Tile], receivers: list[Tile], multicast: bool
) -> None:
    mesh = Mesh((columns, rows), 2)
    here, there = ([(x % columns, y % rows) for x, y in tiles] for tiles in (senders, receivers))
    expected = counted(mesh, here, there, multicast)
    assert mesh.loads(here, there, multicast).tolist() == expected


@given(st.sets(SPOT, max_size=6), st.sets(st.tuples(SPOT, SPOT), max_size=4), st.booleans())
def test_around_faults_ways_are_shortest_and_loads_follow_them(
    missing: set[Tile], pairs: set[tuple[Tile, Tile]], multicast: bool
) -> None:
    broken = [pair for pair in pairs if pair[1] in neighbours(pair[0], (5, 5))]
    try:
        mesh = Mesh((5, 5), 2, missing=missing, broken=broken)
    except ValueError:  # something is cut off
        reject()
    whole = {pair for a, b in broken for pair in ((a, b), (b, a))}
    tiles = list(mesh.tiles)
    for start in tiles[::5]:
        far = distances(mesh, start)
        for end in tiles:
            way = mesh.way(start, end)
            assert (way[0], way[-1]) == (start, end)
            assert not missing.intersection(way)
            for link in pairwise(way):
                assert link in mesh.index
                assert link not in whole
            straight = abs(start[0] - end[0]) + abs(start[1] - end[1])
            assert mesh.hops(start, end) == len(way) - 1 == max(far[end], straight)
    senders, receivers = tiles[:3], tiles[-4:]
    expected = counted(mesh, senders, receivers, multicast)
    assert mesh.loads(senders, receivers, multicast).tolist() == expected


def distances(mesh: Mesh, start: Tile) -> dict[Tile, int]:
    """Links of a shortest way to each router."""
    found, ahead = {start: 0}, [start]
    for tile in ahead:
        for other in mesh.joined(tile):
            if other not in found:
                found[other] = found[tile] + 1
                ahead.append(other)
    return found


def test_traffic_goes_along_the_row_first() -> None:
    mesh = Mesh((3, 3), 2)
    assert mesh.way((0, 0), (2, 1)) == [(0, 0), (1, 0), (2, 0), (2, 1)]
    assert mesh.way((2, 2), (0, 1)) == [(2, 2), (1, 2), (0, 2), (0, 1)]


def test_a_way_out_of_order_is_taken_along_the_column_first_then_around() -> None:
    corner = Mesh((3, 3), 2, missing=[(1, 0)])
    assert corner.way((0, 0), (2, 1)) == [(0, 0), (0, 1), (1, 1), (2, 1)]
    assert corner.hops((0, 0), (2, 0)) == 4
    slow = Mesh((3, 3), 2, unusable=[(1, 0)])  # a router without a chiplet passes traffic on
    assert slow.way((0, 0), (2, 0)) == [(0, 0), (1, 0), (2, 0)]
    assert (1, 0) not in slow.usable


def test_a_tree_is_paid_once_where_its_ways_are_one() -> None:
    mesh = Mesh((3, 2), 2)
    receivers = [(1, 0), (2, 0), (2, 1)]
    for multicast, first, second, third in ((True, 1, 1, 1), (False, 3, 2, 1)):
        loads = mesh.loads([(0, 0)], receivers, multicast)
        assert loads[mesh.index[(0, 0), (1, 0)]] == first
        assert loads[mesh.index[(1, 0), (2, 0)]] == second
        assert loads[mesh.index[(2, 0), (2, 1)]] == third
        assert loads.sum() == first + second + third


def test_links_are_numbered_once_in_each_direction() -> None:
    mesh = Mesh((4, 3), 2)
    assert len(set(mesh.links)) == len(mesh.links) == 2 * (3 * 3 + 4 * 2)
    assert all(b in neighbours(a, (4, 3)) for a, b in mesh.links)
    assert [mesh.index[link] for link in mesh.links] == list(range(len(mesh.links)))


@pytest.mark.parametrize(
    ("size", "ports", "expected"),
    [
        ((4, 4), 2, [(0, 2), (3, 2)]),
        ((6, 6), 4, [(0, 1), (5, 1), (0, 4), (5, 4)]),
        ((3, 2), 1, [(0, 1)]),
        ((1, 1), 3, [(0, 0)] * 3),
    ],
)
def test_ports_alternate_between_the_sides_and_spread_over_the_rows(
    size: tuple[int, int], ports: int, expected: list[Tile]
) -> None:
    assert list(Mesh(size, ports).ports) == expected


def test_a_port_without_a_router_moves_along_its_column() -> None:
    assert Mesh((4, 4), 2, missing=[(0, 2)]).ports == ((0, 1), (3, 2))
    assert Mesh((4, 4), 2, unusable=[(0, 2)]).ports == ((0, 2), (3, 2))


@pytest.mark.parametrize(
    ("tiles", "parts"),
    [([], 0), ([(0, 0)], 1), ([(0, 0), (1, 0), (1, 1)], 1), ([(0, 0), (1, 1)], 2)],
)
def test_places_are_connected_by_links_among_them(tiles: list[Tile], parts: int) -> None:
    mesh = Mesh((3, 3), 2)
    assert len(mesh.parts(tiles)) == parts
    assert mesh.connected(tiles) == (parts <= 1)


def test_a_broken_link_joins_in_neither_direction() -> None:
    mesh = Mesh((2, 1), 0, broken=[])
    assert mesh.connected([(0, 0), (1, 0)])
    cut = Mesh((2, 2), 2, broken=[((0, 0), (1, 0))])
    assert not cut.connected([(0, 0), (1, 0)])
    assert not cut.connected([(1, 0), (0, 0)])
    assert cut.connected(cut.tiles)


def test_a_package_with_faults_has_fewer_chiplets_and_routers() -> None:
    package = load_package("simba-4x4")
    assert Mesh.of(package).tiles == tuple((x, y) for x in range(4) for y in range(4))
    faults = Faults(chiplets=((1, 1), (0, 3)), missing=((2, 2), (1, 1)))
    faulty = replace(package, faults=faults)
    mesh = Mesh.of(faulty)
    assert faulty.chiplets == len(mesh.tiles) == 13
    assert mesh.joined((2, 1)) == [(3, 1), (2, 0)]
    assert np.all(mesh.loads([(2, 1)], [(3, 1)], False) <= 1)


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        (Faults(missing=((0, 1), (1, 0))), r"\[0, 1\] is cut off|is cut off from \[0, 0\]"),
        (Faults(links=(((3, 3), (2, 3)), ((3, 3), (3, 2)))), r"\[3, 3\] is cut off from \[0, 0\]"),
        (Faults(missing=tuple((3, y) for y in range(4))), "column 3 has a DRAM port, but all"),
        (Faults(chiplets=tuple((x, y) for x in range(4) for y in range(4))), "no chiplet is left"),
    ],
)
def test_a_mesh_that_falls_apart_is_refused(faults: Faults, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Mesh.of(replace(load_package("simba-4x4"), faults=faults))


@pytest.mark.parametrize("faults", [Faults(), Faults(links=(((0, 0), (1, 0)),))])
def test_hops_between_all_chiplets_are_those_between_each_two(faults: Faults) -> None:
    mesh = Mesh.of(replace(load_package("simba-3x3"), faults=faults))
    expected = [[mesh.hops(a, b) for b in mesh.tiles] for a in mesh.tiles]
    assert mesh.all_hops().tolist() == expected
