"""Default places: contiguous, disjoint, on the mesh."""

from itertools import pairwise

import pytest

from schedules.place import snake, with_places
from schedules.schedule import Cluster, Schedule, Segment


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


def test_too_many_chiplets_are_refused() -> None:
    with pytest.raises(ValueError, match="asks for 5 chiplets"):
        with_places(one_segment(cluster(0, 5)), (2, 2))
