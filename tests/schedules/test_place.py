"""Default places: contiguous, disjoint, on the mesh."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from instances.cost import make_instance
from instances.mesh import Mesh
from instances.networks import build_network
from instances.package import Faults
from instances.packages import load_package
from schedules.place import mesh_of, snake, with_places
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations

ALEXNET = make_instance(build_network("alexnet"), load_package("datacentre-4x4"), 1)


def one_segment(*clusters: Cluster) -> Schedule:
    return Schedule((Segment(clusters),))


def cluster(layer: int, chiplets: int, tiles: tuple[tuple[int, int], ...] | None = None) -> Cluster:
    return Cluster(layer, layer, chiplets, ("ISP",), tiles)


@pytest.mark.parametrize("mesh", [(1, 1), (4, 4), (5, 3), (1, 7), (7, 1)])
def test_the_snake_visits_every_tile_once_and_steps_to_a_neighbour(mesh: tuple[int, int]) -> None:
    path = snake(mesh)
    assert sorted(path) == [(x, y) for x in range(mesh[0]) for y in range(mesh[1])]
    steps = [abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in pairwise(path)]
    assert steps == [1] * (len(path) - 1)


def test_clusters_without_tiles_get_disjoint_regions_of_their_size() -> None:
    placed = with_places(one_segment(cluster(0, 5), cluster(1, 4), cluster(2, 7)), (4, 4))
    regions = [c.tiles or () for c in placed.segments[0].clusters]
    assert [len(region) for region in regions] == [5, 4, 7]
    assert len({tile for region in regions for tile in region}) == 16


def test_a_cluster_with_tiles_keeps_them_and_nobody_else_gets_them() -> None:
    own = ((0, 0), (1, 0))
    placed = with_places(one_segment(cluster(0, 3), cluster(1, 2, own)), (3, 2))
    first, second = placed.segments[0].clusters
    assert second.tiles == own
    assert not set(first.tiles or ()) & set(own)


def whole(mesh: Mesh, placed: Schedule) -> bool:
    """Whether the regions of the first segment are connected, disjoint and on chiplets."""
    regions = [c.tiles or () for c in placed.segments[0].clusters]
    tiles = [tile for region in regions for tile in region]
    return (
        all(mesh.connected(region) for region in regions)
        and len(set(tiles)) == len(tiles)
        and mesh.usable.issuperset(tiles)
    )


@settings(max_examples=60)
@given(st.data())
def test_without_faults_regions_are_the_runs_of_the_snake(data: st.DataObject) -> None:
    columns, rows = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    sizes = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=6))
    sizes = sizes if sum(sizes) <= columns * rows else [columns * rows]
    placed = with_places(
        one_segment(*(cluster(k, size) for k, size in enumerate(sizes))), (columns, rows)
    )
    found = [tile for c in placed.segments[0].clusters for tile in c.tiles or ()]
    assert found == list(snake((columns, rows)))[: sum(sizes)]


@settings(max_examples=60)
@given(st.data())
def test_regions_avoid_faults_and_are_connected(data: st.DataObject) -> None:
    tiles = st.tuples(st.integers(0, 5), st.integers(0, 5))
    try:
        mesh = Mesh(
            (6, 6), 2, data.draw(st.sets(tiles, max_size=4)), data.draw(st.sets(tiles, max_size=3))
        )
    except ValueError:  # some place is cut off
        reject()
    left = max(map(len, mesh.parts(mesh.tiles)))
    sizes = data.draw(st.lists(st.integers(1, 8), min_size=1, max_size=5))
    assume(sum(sizes) <= left - 4)
    clusters = (cluster(k, size) for k, size in enumerate(sizes))
    placed = with_places(one_segment(*clusters), mesh)
    assert [len(c.tiles or ()) for c in placed.segments[0].clusters] == sizes
    assert whole(mesh, placed)


def test_a_full_mesh_with_a_hole_is_filled() -> None:
    mesh = Mesh((4, 4), 2, missing=[(1, 1)])
    placed = with_places(one_segment(*(cluster(k, 3) for k in range(5))), mesh)
    assert whole(mesh, placed)


def test_what_others_have_taken_is_gone_around() -> None:
    own = ((0, 0), (1, 0))  # of the others the snake would take (0, 1), (1, 1), (2, 0) first
    mesh = Mesh((3, 2), 0)
    placed = with_places(one_segment(cluster(0, 3), cluster(1, 2, own)), mesh)
    assert whole(mesh, placed)


def test_where_no_region_is_connected_runs_are_given_and_the_checker_tells() -> None:
    assert ALEXNET.package is not None
    middle = Faults(chiplets=((1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1), (2, 2), (2, 3)))
    package = replace(ALEXNET.package, faults=middle)
    instance = make_instance(build_network("alexnet"), package, 1)
    layers = len(instance.layers)
    every = Cluster(0, layers - 1, 8, ("ISP",) * layers)
    placed = with_places(one_segment(every), mesh_of(instance))
    assert sorted(placed.segments[0].clusters[0].tiles or ()) == sorted(mesh_of(instance).tiles)
    assert any("2 parts" in sentence for sentence in violations(instance, placed))


def test_a_tiled_segment_takes_every_chiplet_along_the_snake() -> None:
    mesh = Mesh((3, 3), 2, unusable=[(1, 0), (1, 1), (1, 2)])
    tiled = Schedule((Segment((cluster(0, 6),), tiled=True),))
    (found,) = with_places(tiled, mesh).segments[0].clusters
    assert found.tiles == ((0, 0), (0, 1), (0, 2), (2, 0), (2, 1), (2, 2))


def test_too_many_chiplets_are_refused() -> None:
    with pytest.raises(ValueError, match="asks for 5 chiplets"):
        with_places(one_segment(cluster(0, 5)), (2, 2))
