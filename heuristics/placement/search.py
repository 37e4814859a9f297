"""Orders of regions along a curve, and simulated annealing of their places."""

from __future__ import annotations

import numpy as np

from heuristics.placement.board import Board
from heuristics.placement.moves import Draft, connected, propose, recost, settle
from heuristics.placement.traffic import State, byte_hops, load, shape
from instances.jit import compiled
from instances.tables import Ints

OVERHEAD = 200
"""What any move takes beside its streams: places and links looked at in the same time."""

NOWHERE = 2**62
"""What an order costs whose regions are not all connected."""


@compiled
def lay(board: Board, state: State, curve: Ints, sequence: Ints, gap: int) -> bool:
    """Cut a curve into regions; False if one is not connected.

    Args:
        curve: [N] every place, once.
        sequence: [K+1] regions in the order in which they are cut off; K stands for what is free.
        gap: places that are free.
    """
    state.owner[:] = -1
    at, regions = 0, len(board.sizes) - 1
    for region in sequence:
        if region == regions:
            at += gap
            continue
        for k in range(board.sizes[region]):
            state.members[region, k] = curve[at]
            state.owner[curve[at]] = region
            at += 1
    whole = True
    for region in range(regions):
        whole = whole and connected(board, state, region)
    return whole


@compiled
def energy(board: Board, state: State, peak: int, by_load: bool) -> int:
    """What the places cost: bytes times links, and `peak` times the busiest link."""
    for region in range(len(board.sizes) - 1):
        shape(board, state, region)
    total = 0
    state.loads[:] = 0
    for stream in range(len(board.sender)):
        if by_load:
            load(board, state, stream, board.amount[stream])
        else:
            total += byte_hops(board, state, stream)
    if by_load:
        busiest, total = summed(state.loads)
        total += peak * busiest
    return total


@compiled
def summed(loads: Ints) -> tuple[int, int]:
    """Bytes on the busiest link, and on all links."""
    busiest, total = 0, 0
    for k in range(len(loads)):
        busiest = max(busiest, loads[k])
        total += loads[k]
    return busiest, total


@compiled
def order(
    board: Board,
    state: State,
    curve: Ints,
    sequence: Ints,
    peak: int,
    by_load: bool,
    trials: int,
    rng: np.random.Generator,
) -> int:
    """Improve the order of the regions along a curve, in place; returns what it costs.

    Each trial takes a region, or a few that follow one another, elsewhere, or turns some around.
    """
    count = len(sequence)
    gap = len(curve) - board.sizes[:-1].sum()
    best = NOWHERE
    if lay(board, state, curve, sequence, gap):
        best = energy(board, state, peak, by_load)
    other = np.empty_like(sequence)
    for _ in range(trials):
        _shuffle(sequence, other, int(rng.integers(0, count)), int(rng.integers(0, count)), rng)
        if lay(board, state, curve, other, gap):
            now = energy(board, state, peak, by_load)
            if now <= best:
                best = now
                sequence[:] = other
    return best


@compiled
def _shuffle(sequence: Ints, other: Ints, a: int, b: int, rng: np.random.Generator) -> None:
    other[:] = sequence
    first, last = min(a, b), max(a, b)
    kind = rng.random()
    if kind < 0.4:
        other[a], other[b] = sequence[b], sequence[a]
    elif kind < 0.6:
        for k in range(first, last + 1):
            other[k] = sequence[first + last - k]
    elif a < b:
        for k in range(a, b):
            other[k] = sequence[k + 1]
        other[b] = sequence[a]
    else:
        for k in range(b, a):
            other[k + 1] = sequence[k]
        other[b] = sequence[a]


@compiled
def anneal(
    board: Board,
    state: State,
    draft: Draft,
    best: Ints,
    peak: int,
    by_load: bool,
    effort: int,
    hot: float,
    cold: float,
    rng: np.random.Generator,
) -> None:
    """Move regions for a while, from one temperature down to another.

    Args:
        best: [N] owners of the best places found; written. By load, less on the busiest link is
            better, then fewer bytes times links.
        peak: weight of the busiest link, against bytes times links.
        effort: places and links to look at; temperatures fall with what is spent.
        by_load: keep the loads of the links: for `peak`, and where ways are not XY.
    """
    regions = len(board.sizes) - 1
    cost = energy(board, state, peak, by_load)
    busiest, total = summed(state.loads) if peak else (0, cost)
    lowest = (busiest, total)
    best[:] = state.owner
    spent = 0
    while spent < effort:
        spent += OVERHEAD
        if not propose(board, state, draft, int(rng.integers(0, regions)), rng):
            continue
        before, work = recost(board, state, draft, by_load, -1)
        settle(board, state, draft, False)
        whole = True
        for k in range(draft.counts[1]):
            whole = whole and connected(board, state, draft.regions[k])
        now = NOWHERE
        spent += 2 * work
        if whole:
            after, work = recost(board, state, draft, by_load, 1)
            total = cost - before + after
            if by_load:
                spent += len(state.loads) // 4
                busiest, total = summed(state.loads)
            now = total + peak * busiest
        temperature = hot * (cold / hot) ** (spent / effort)
        if now - cost <= -temperature * np.log(1 - rng.random()):
            cost = now
            rank = (busiest if peak else 0, total)
            if rank < lowest:
                lowest = rank
                best[:] = state.owner
            continue
        if whole and by_load:
            recost(board, state, draft, by_load, -1)
        settle(board, state, draft, True)
        if by_load:
            recost(board, state, draft, by_load, 1)
