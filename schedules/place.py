"""A place on the mesh for every region that has none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from schedules.schedule import Cluster, Schedule, Segment

Tile = tuple[int, int]


def snake(mesh: tuple[int, int]) -> tuple[Tile, ...]:
    """Every [x, y] of an X by Y mesh, column by column, down one and up the next.

    Neighbours in this order are neighbours on the mesh, so that any run of it is a contiguous
    region; columns come first because the DRAM ports sit on the left and the right column.
    """
    columns, rows = mesh
    down, up = range(rows), range(rows - 1, -1, -1)
    return tuple((x, y) for x in range(columns) for y in (up if x % 2 else down))


def with_places(schedule: Schedule, mesh: tuple[int, int]) -> Schedule:
    """The schedule with a region for every cluster; clusters that have one keep it.

    The others take, in order, the chiplets along the snake that no cluster of the segment names.

    Args:
        schedule: to be completed.
        mesh: (X, Y), columns and rows of chiplets.

    Raises:
        ValueError: a segment asks for more chiplets than the mesh has left.
    """
    return Schedule(tuple(_placed(segment, mesh) for segment in schedule.segments))


def _placed(segment: Segment, mesh: tuple[int, int]) -> Segment:
    taken = {tile for cluster in segment.clusters for tile in cluster.tiles or ()}
    free = [tile for tile in snake(mesh) if tile not in taken]
    wanted = sum(cluster.chiplets for cluster in segment.clusters if cluster.tiles is None)
    if wanted > len(free):
        raise ValueError(
            f"the segment of layers {segment.first} to {segment.last} asks for {wanted} chiplets"
            f" without a place, but {len(free)} of the {mesh[0]} x {mesh[1]} mesh are free"
        )
    rest = iter(free)
    return replace(segment, clusters=tuple(_settled(c, rest) for c in segment.clusters))


def _settled(cluster: Cluster, free: Iterator[Tile]) -> Cluster:
    if cluster.tiles is not None:
        return cluster
    return replace(cluster, tiles=tuple(islice(free, cluster.chiplets)))
