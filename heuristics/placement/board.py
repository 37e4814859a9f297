"""The placement problem as arrays for the kernels."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from instances.mesh import Mesh
from instances.tables import Ints
from schedules.placement import PlacementProblem
from schedules.regions import joined_places
from schedules.traffic import DRAM

LARGEST = 2**36
"""Bytes of all streams together are scaled down to this, so that no sum overflows."""

MOST_ENDS = 400
"""On a mesh with faults, ways around them are tabled up to so many ends; beyond, XY guides."""


class Board(NamedTuple):
    """Places, regions and streams. The DRAM's ports are a last region, K, on places of their own.

    Attributes:
        size: columns, rows.
        beside: [N,4] places joined to each place that computes, -1 for none.
        x, y: [N+P] column and row of each place, then of each port.
        sizes: [K+1] places of each region; the last are the ports.
        sender, receiver, amount, multicast: [S] of each stream.
        first, streams: those of region k are streams[first[k]:first[k + 1]].
        turn: [N+P,N+P] how the way between two goes: 0 along its row first, 1 along its column
            first, 2 + w as way w of the list; empty if all are 0.
        begin, passed: way w takes the links passed[begin[w]:begin[w + 1]].
    """

    size: tuple[int, int]
    beside: Ints
    x: Ints
    y: Ints
    sizes: Ints
    sender: Ints
    receiver: Ints
    amount: Ints
    multicast: Ints
    first: Ints
    streams: Ints
    turn: Ints
    begin: Ints
    passed: Ints


def board_of(problem: PlacementProblem) -> Board:
    """The arrays of a problem."""
    mesh, regions = problem.mesh, len(problem.sizes)
    ends = np.array((*mesh.tiles, *mesh.ports), dtype=np.int64).reshape(-1, 2)
    moving = [own for own in problem.streams if own.bytes and own.sender != own.receiver]
    moving += [own for own in problem.streams if own.bytes and own.sender == own.receiver != DRAM]
    scale = -(-sum(own.bytes for own in moving) // LARGEST) or 1
    sender, receiver = (
        np.array([regions if end == DRAM else end for end in given], dtype=np.int64)
        for given in ([own.sender for own in moving], [own.receiver for own in moving])
    )
    of_region = [np.flatnonzero((sender == k) | (receiver == k)) for k in range(regions)]
    return Board(
        mesh.size,
        joined_places(mesh.tiles, mesh),
        np.ascontiguousarray(ends[:, 0]),
        np.ascontiguousarray(ends[:, 1]),
        np.array((*problem.sizes, len(mesh.ports)), dtype=np.int64),
        sender,
        receiver,
        np.array([-(-own.bytes // scale) for own in moving], dtype=np.int64),
        np.array([own.multicast for own in moving], dtype=np.int64),
        np.cumsum([0, *map(len, of_region)]),
        np.concatenate([*of_region, np.empty(0, dtype=np.int64)]),
        *_ways(mesh),
    )


def _ways(mesh: Mesh) -> tuple[Ints, Ints, Ints]:
    """`turn`, `begin` and `passed` of a board."""
    ends = (*mesh.tiles, *mesh.ports)
    begin, passed = [0], list[int]()
    if mesh.whole or len(ends) > MOST_ENDS:
        return np.empty((0, 0), dtype=np.int64), np.array(begin), np.empty(0, dtype=np.int64)
    turn = np.empty((len(ends), len(ends)), dtype=np.int64)
    for a, start in enumerate(ends):
        for b, end in enumerate(ends):
            way = mesh.way(start, end)
            bends = [tile[1] == start[1] or tile[0] == end[0] for tile in way]
            short = len(way) - 1 == abs(start[0] - end[0]) + abs(start[1] - end[1])
            if short and all(bends):
                turn[a, b] = 0
            elif short and all(tile[0] == start[0] or tile[1] == end[1] for tile in way):
                turn[a, b] = 1
            else:
                turn[a, b] = 1 + len(begin)
                passed += [mesh.index[link] for link in pairwise(way)]
                begin.append(len(passed))
    return turn, np.array(begin), np.array(passed, dtype=np.int64)
