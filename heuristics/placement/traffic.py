"""What the streams of some regions cost: bytes times links, and the load of each link."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heuristics.placement.board import Board
from instances.jit import compiled, lean
from instances.tables import Ints


class State(NamedTuple):
    """Where the regions lie, and what their shapes make of traffic.

    Attributes:
        owner: [N] region of each place, -1 for none.
        members: [K+1,M] places of each region, ports of the last one.
        across: [K+1,X] how many of its places are in each column.
        along: [K+1,Y] in each row.
        top, bottom: [K+1,X] first and last row of its places in each column; Y and -1 for none.
        loads: [links] bytes on each.
        stamps: [links + S + N + 1] scratch; the last counts.
    """

    owner: Ints
    members: Ints
    across: Ints
    along: Ints
    top: Ints
    bottom: Ints
    loads: Ints
    stamps: Ints


def new_state(board: Board) -> State:
    """A state without regions; only the ports have their places."""
    columns, rows = board.size
    places, regions, streams = len(board.beside), len(board.sizes), len(board.sender)
    links = 2 * (columns - 1) * rows + 2 * columns * (rows - 1)
    members = np.zeros((regions, max(1, board.sizes.max())), dtype=np.int64)
    members[-1, : board.sizes[-1]] = np.arange(places, len(board.x))
    state = State(
        np.full(places, -1),
        members,
        np.zeros((regions, columns), dtype=np.int64),
        np.zeros((regions, rows), dtype=np.int64),
        np.zeros((regions, columns), dtype=np.int64),
        np.zeros((regions, columns), dtype=np.int64),
        np.zeros(links, dtype=np.int64),
        np.zeros(links + streams + places + 1, dtype=np.int64),
    )
    shape(board, state, regions - 1)
    return state


@compiled
def shape(board: Board, state: State, region: int) -> None:
    """Take stock of a region's places."""
    state.across[region] = 0
    state.along[region] = 0
    state.top[region] = board.size[1]
    state.bottom[region] = -1
    for k in range(board.sizes[region]):
        place = state.members[region, k]
        x, y = board.x[place], board.y[place]
        state.across[region, x] += 1
        state.along[region, y] += 1
        state.top[region, x] = min(state.top[region, x], y)
        state.bottom[region, x] = max(state.bottom[region, x], y)


@lean
def byte_hops(board: Board, state: State, stream: int) -> int:
    """Bytes times links of a stream, by XY ways on a mesh without faults."""
    sender, receiver = board.sender[stream], board.receiver[stream]
    if board.multicast[stream]:
        return board.amount[stream] * _tree(state, sender, receiver)
    hops = _between(state.across[sender], state.across[receiver])
    return board.amount[stream] * (hops + _between(state.along[sender], state.along[receiver]))


@lean
def _between(here: Ints, there: Ints) -> int:
    """Sum of the distances of all pairs along one axis: pairs that each cut parts."""
    all_here, all_there = 0, 0
    for k in range(len(here)):
        all_here += here[k]
        all_there += there[k]
    hops, left, right = 0, 0, 0
    for k in range(len(here)):
        left += here[k]
        right += there[k]
        hops += left * (all_there - right) + right * (all_here - left)
    return hops


@lean
def _tree(state: State, sender: int, receiver: int) -> int:
    """Links of the trees from all senders: a trunk in the sender's row, a branch each column."""
    columns = state.across.shape[1]
    first, last = columns, -1
    for x in range(columns):
        if state.across[receiver, x]:
            first, last = min(first, x), x
    links = 0
    for x in range(columns):
        links += state.across[sender, x] * (max(0, last - x) + max(0, x - first))
    for x in range(first, last + 1):
        top, bottom = state.top[receiver, x], state.bottom[receiver, x]
        if bottom < 0:
            continue
        for y in range(state.along.shape[1]):
            branch = max(0, bottom - y) + max(0, y - top)
            links += state.along[sender, y] * branch
    return links


@compiled
def load(board: Board, state: State, stream: int, amount: int) -> int:
    """Add bytes to all links that a stream takes: its amount, or the negative to take it away.

    Returns:
        how much work that was, in places and links looked at.
    """
    sender, receiver = board.sender[stream], board.receiver[stream]
    if len(board.turn):
        return _load_by_way(board, state, stream, amount)
    columns, rows = board.size
    once = board.multicast[stream]
    for i in range(board.sizes[sender]):
        place = state.members[sender, i]
        _load_row(board, state, receiver, board.x[place], board.y[place], amount, once)
    if once:
        for x in range(columns):
            if state.bottom[receiver, x] >= 0:
                _load_down(board, state, sender, x, state.bottom[receiver, x], amount)
                _load_up(board, state, sender, x, state.top[receiver, x], amount)
        return board.sizes[sender] * columns + columns * rows
    for j in range(board.sizes[receiver]):
        place = state.members[receiver, j]
        _load_down(board, state, sender, board.x[place], board.y[place], amount)
        _load_up(board, state, sender, board.x[place], board.y[place], amount)
    return board.sizes[sender] * columns + board.sizes[receiver] * rows


@lean
def _load_row(
    board: Board, state: State, receiver: int, x: int, y: int, amount: int, once: int
) -> None:
    """A sender's row: each link carries what those beyond it get, once if multicast."""
    columns, rows = board.size
    beyond = 0
    for k in range(columns - 2, x - 1, -1):
        beyond += state.across[receiver, k + 1]
        state.loads[y * (columns - 1) + k] += amount * (min(1, beyond) if once else beyond)
    beyond, level = 0, (columns - 1) * rows
    for k in range(x):
        beyond += state.across[receiver, k]
        state.loads[level + y * (columns - 1) + k] += amount * (min(1, beyond) if once else beyond)


@lean
def _load_down(board: Board, state: State, sender: int, x: int, y: int, amount: int) -> None:
    """In a receiver's column: from the rows of the senders above it."""
    columns, rows = board.size
    first, passed = 2 * (columns - 1) * rows, 0
    for k in range(y):
        passed += state.along[sender, k]
        state.loads[first + k * columns + x] += amount * passed


@lean
def _load_up(board: Board, state: State, sender: int, x: int, y: int, amount: int) -> None:
    """In a receiver's column: from the rows of the senders below it."""
    columns, rows = board.size
    first, passed = 2 * (columns - 1) * rows + columns * (rows - 1), 0
    for k in range(rows - 2, y - 1, -1):
        passed += state.along[sender, k + 1]
        state.loads[first + k * columns + x] += amount * passed


@lean
def _load_by_way(board: Board, state: State, stream: int, amount: int) -> int:
    """The same on a mesh with faults, way by way."""
    sender, receiver, last = board.sender[stream], board.receiver[stream], len(state.stamps) - 1
    for i in range(board.sizes[sender]):
        start = state.members[sender, i]
        state.stamps[last] += 1
        for j in range(board.sizes[receiver]):
            _walk(board, state, start, state.members[receiver, j], amount, board.multicast[stream])
    return board.sizes[sender] * board.sizes[receiver] * 8


@lean
def _walk(board: Board, state: State, start: int, end: int, amount: int, multicast: int) -> None:
    turn = board.turn[start, end]
    if turn >= 2:
        for k in range(board.begin[turn - 2], board.begin[turn - 1]):
            _pass(state, board.passed[k], amount, multicast)
        return
    columns, rows = board.size
    level, upright = (columns - 1) * rows, columns * (rows - 1)
    x, y, u, v = board.x[start], board.y[start], board.x[end], board.y[end]
    row, column = (y, u) if turn == 0 else (v, x)
    for k in range(x, u):
        _pass(state, row * (columns - 1) + k, amount, multicast)
    for k in range(u, x):
        _pass(state, level + row * (columns - 1) + k, amount, multicast)
    for k in range(y, v):
        _pass(state, 2 * level + k * columns + column, amount, multicast)
    for k in range(v, y):
        _pass(state, 2 * level + upright + k * columns + column, amount, multicast)


@lean
def _pass(state: State, link: int, amount: int, multicast: int) -> None:
    """Load a link; once for each sender if multicast."""
    stamp = state.stamps[len(state.stamps) - 1]
    if not multicast or state.stamps[link] != stamp:
        state.loads[link] += amount
        state.stamps[link] = stamp
