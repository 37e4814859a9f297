"""Candidate places: rectangles, intervals of the snake, connected shapes, and room for others."""

from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from formulations.placement.room import packable, parts
from formulations.placement.shapes import FAMILIES, Place, TooManyPlacesError, places
from instances.mesh import Mesh


def mesh_of(columns: int, rows: int, broken: set[tuple[int, int]]) -> Mesh:
    """A mesh with chiplets out of order; not taken if none is left."""
    assume(len(broken) < columns * rows)
    return Mesh((columns, rows), 0, unusable=broken)


tiles = st.tuples(st.integers(0, 2), st.integers(0, 2))
meshes = st.builds(mesh_of, st.integers(1, 3), st.integers(1, 3), st.sets(tiles, max_size=2))


@given(meshes, st.integers(1, 5))
def test_free_shapes_are_all_connected_sets_each_once(mesh: Mesh, size: int) -> None:
    found = [place.tiles for place in places(mesh, size, "free")]
    wanted = {t for t in combinations(mesh.tiles, size) if mesh.connected(t)}
    assert len(found) == len(set(found))
    assert set(found) == wanted


@given(meshes, st.integers(1, 5), st.sampled_from(sorted(FAMILIES)))
def test_every_place_is_also_a_free_one(mesh: Mesh, size: int, family: str) -> None:
    free = {place.tiles for place in places(mesh, size, "free")}
    for place in places(mesh, size, family):
        assert place.tiles in free
        assert set(place.tiles) <= place.held


def test_how_many_connected_shapes_a_4_by_4_mesh_has() -> None:
    mesh = Mesh((4, 4), 2)
    counts = [len(places(mesh, size, "free")) for size in range(1, 17)]
    assert counts[:5] == [16, 24, 52, 113, 244]
    assert sum(counts) == 11506


def test_rectangles_use_their_first_chiplets_and_hold_the_rest() -> None:
    found = places(Mesh((2, 2), 0), 3, "rectangles")
    everywhere = frozenset([(0, 0), (0, 1), (1, 0), (1, 1)])
    assert found == [Place(((0, 0), (0, 1), (1, 0)), everywhere)]


def test_a_rectangle_leaves_out_what_does_not_compute() -> None:
    found = places(Mesh((2, 2), 0, unusable=[(0, 1)]), 3, "rectangles")
    assert [place.tiles for place in found] == [((0, 0), (1, 0), (1, 1))]


def test_rectangles_of_the_same_chiplets_are_one() -> None:
    found = places(Mesh((3, 3), 0), 2, "rectangles")
    assert len(found) == 12
    assert all(len(place.held) == 2 for place in found)


def test_intervals_follow_the_snake_and_skip_what_does_not_compute() -> None:
    found = places(Mesh((2, 3), 0, unusable=[(0, 2)]), 2, "intervals")
    # Down the first column, (0, 2) left out; (0, 1) and (1, 2) are no neighbours.
    assert [set(p.tiles) for p in found] == [{(0, 0), (0, 1)}, {(1, 2), (1, 1)}, {(1, 1), (1, 0)}]


def test_too_many_places_are_refused() -> None:
    with pytest.raises(TooManyPlacesError, match="more than 10 free places"):
        places(Mesh((3, 3), 0), 2, "free", most=10)


def test_parts_are_those_that_links_hold_together() -> None:
    mesh = Mesh((3, 3), 0, broken=[((0, 0), (1, 0))])
    assert sorted(parts(mesh, [(0, 0), (1, 0), (2, 0), (0, 2)])) == [1, 1, 2]


@pytest.mark.parametrize(
    ("sizes", "rooms", "fits"),
    [((3, 2), (5,), True), ((3, 2), (4, 1), False), ((2, 2, 2), (3, 3), False), ((), (), True)],
)
def test_regions_are_packed_into_rooms(
    sizes: tuple[int, ...], rooms: tuple[int, ...], fits: bool
) -> None:
    assert packable(sizes, rooms) == fits
