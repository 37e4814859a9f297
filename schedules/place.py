"""A place on the mesh for every region that has none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isqrt

from instances.instance import Instance
from instances.mesh import Mesh
from instances.package import Tile
from schedules.regions import connected_regions, runs
from schedules.schedule import Cluster, Schedule, Segment


def mesh_of(instance: Instance) -> Mesh:
    """The package's mesh; for a table instance the squarest that holds just C chiplets."""
    if instance.package is not None:
        return Mesh.of(instance.package)
    chiplets = instance.chiplets
    rows = next(r for r in range(isqrt(chiplets), 0, -1) if chiplets % r == 0)
    return Mesh((chiplets // rows, rows), ports=0)


def snake(mesh: tuple[int, int]) -> tuple[Tile, ...]:
    """Every [x, y] of an X by Y mesh, column by column, down one and up the next.

    Neighbours in this order are neighbours on the mesh, so that any run of it is a contiguous
    region; columns come first because the DRAM ports sit on the left and the right column.
    """
    columns, rows = mesh
    down, up = range(rows), range(rows - 1, -1, -1)
    return tuple((x, y) for x in range(columns) for y in (up if x % 2 else down))


def with_places(schedule: Schedule, mesh: Mesh | tuple[int, int]) -> Schedule:
    """The schedule with a region for every cluster; clusters that have one keep it.

    The others take, in order, the chiplets along the snake that compute and that no cluster of the
    segment names. Where such a run is not connected, because of faults or of what is taken, the
    regions of the segment grow along the snake instead. If none are found that are connected, they
    are runs again, and `violations` says which are not.

    Args:
        schedule: to be completed.
        mesh: where its regions shall lie; (X, Y), columns and rows, for one without faults.

    Raises:
        ValueError: a segment asks for more chiplets than the mesh has left.
    """
    own = mesh if isinstance(mesh, Mesh) else Mesh(mesh, ports=0)
    return replace(schedule, segments=tuple(_placed(one, own) for one in schedule.segments))


def _placed(segment: Segment, mesh: Mesh) -> Segment:
    taken = {tile for cluster in segment.clusters for tile in cluster.tiles or ()}
    free = [tile for tile in snake(mesh.size) if tile in mesh.usable and tile not in taken]
    sizes = [cluster.chiplets for cluster in segment.clusters if cluster.tiles is None]
    wanted = sum(sizes)
    if wanted > len(free):
        columns, rows = mesh.size
        raise ValueError(
            f"the segment of layers {segment.first} to {segment.last} asks for {wanted} chiplets"
            f" without a place, but {len(free)} of the {columns} x {rows} mesh are free"
        )
    regions = runs(free, sizes)
    if not segment.tiled:
        regions = connected_regions(mesh, free, sizes) or regions
    rest = iter(regions)
    return replace(segment, clusters=tuple(_settled(c, rest) for c in segment.clusters))


def _settled(cluster: Cluster, regions: Iterator[tuple[Tile, ...]]) -> Cluster:
    return cluster if cluster.tiles is not None else replace(cluster, tiles=next(regions))
