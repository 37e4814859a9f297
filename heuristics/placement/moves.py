"""Moves of the search: regions trade places, divide what two of them have anew, or change over.

Each keeps the sizes, and is given up where a region would not stay connected.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heuristics.placement.board import Board
from heuristics.placement.traffic import State, byte_hops, load, shape
from instances.jit import compiled, lean
from instances.tables import Ints

FREE = -1
MOST = 3
"""Regions that a move touches at most."""


class Draft(NamedTuple):
    """A move.

    Attributes:
        places, before, after: [N] places that change owner, and their owners.
        regions: [MOST] that are touched.
        counts: [2] how many places, how many regions.
    """

    places: Ints
    before: Ints
    after: Ints
    regions: Ints
    counts: Ints


def new_draft(state: State) -> Draft:
    """An empty one."""
    places = len(state.owner)
    return Draft(*(np.zeros(room, dtype=np.int64) for room in (places, places, places, MOST, 2)))


@lean
def _note(draft: Draft, state: State, place: int, after: int) -> None:
    k = draft.counts[0]
    draft.places[k], draft.before[k], draft.after[k] = place, state.owner[place], after
    draft.counts[0] += 1


@lean
def _touch(draft: Draft, region: int) -> None:
    if region != FREE:
        draft.regions[draft.counts[1]] = region
        draft.counts[1] += 1


@compiled
def propose(board: Board, state: State, draft: Draft, here: int, rng: np.random.Generator) -> bool:
    """Draw a move of region `here`; False if there is none such."""
    draft.counts[:] = 0
    kind = rng.random()
    if kind < 0.1:
        return _change_over(board, state, draft, here, rng)
    place = _beside(board, state, here, FREE - 1, FREE, rng)
    if place < 0:
        return False
    there = state.owner[place]
    if kind < 0.35 and there != FREE:
        return _divide(board, state, draft, here, there, rng)
    return _trade(board, state, draft, here, place, rng)


@compiled
def _change_over(
    board: Board, state: State, draft: Draft, here: int, rng: np.random.Generator
) -> bool:
    """Two regions of one size take each other's places."""
    there = int(rng.integers(0, len(board.sizes) - 1))
    if there == here or board.sizes[there] != board.sizes[here]:
        return False
    for k in range(board.sizes[here]):
        _note(draft, state, state.members[here, k], there)
        _note(draft, state, state.members[there, k], here)
    _touch(draft, here)
    _touch(draft, there)
    return True


@compiled
def _trade(
    board: Board, state: State, draft: Draft, here: int, place: int, rng: np.random.Generator
) -> bool:
    """A region takes a place and gives one back, to its owner or through a third region."""
    there = state.owner[place]
    _note(draft, state, place, here)
    _touch(draft, here)
    _touch(draft, there)
    if there == FREE:
        given = state.members[here, int(rng.integers(0, board.sizes[here]))]
        _note(draft, state, given, FREE)
        return True
    if rng.random() < 0.3:
        third = _beside(board, state, there, here, place, rng)
        if third < 0:
            return False
        between = state.owner[third]
        _note(draft, state, third, there)
        _touch(draft, between)
        if between == FREE:
            given = state.members[here, int(rng.integers(0, board.sizes[here]))]
        else:
            given = _given(board, state, here, between, third, rng)
        if given < 0:
            return False
        _note(draft, state, given, between)
        return True
    given = _given(board, state, here, there, place, rng)
    if given < 0:
        return False
    _note(draft, state, given, there)
    return True


@compiled
def _beside(
    board: Board, state: State, region: int, other: int, except_for: int, rng: np.random.Generator
) -> int:
    """A random place beside a region that neither it nor another one has; -1 if there is none."""
    found, count = -1, 0
    for k in range(board.sizes[region]):
        member = state.members[region, k]
        if member == except_for:
            continue
        for place in board.beside[member]:
            if place >= 0 and state.owner[place] != region and state.owner[place] != other:
                count += 1
                if rng.random() * count < 1:
                    found = place
    return found


@compiled
def _given(
    board: Board, state: State, here: int, there: int, left: int, rng: np.random.Generator
) -> int:
    """A random place of a region that is beside another one when that has left a place; or -1."""
    found, count = -1, 0
    for k in range(board.sizes[here]):
        member = state.members[here, k]
        joins = board.sizes[there] == 1
        for place in board.beside[member]:
            joins |= place >= 0 and place != left and state.owner[place] == there
        if joins:
            count += 1
            if rng.random() * count < 1:
                found = member
    return found


@compiled
def _divide(
    board: Board, state: State, draft: Draft, here: int, there: int, rng: np.random.Generator
) -> bool:
    """Two neighbours divide their places anew: one grows from a corner, the other gets the rest."""
    if rng.random() < 0.5:
        here, there = there, here
    across, along = rng.random() - 0.5, rng.random() - 0.5
    best, lowest = -1, np.inf
    for region in (here, there):
        for k in range(board.sizes[region]):
            place = state.members[region, k]
            far = across * board.x[place] + along * board.y[place]
            if far < lowest:
                best, lowest = place, far
    last = len(state.stamps) - 1
    state.stamps[last] += 1
    stamp, base = state.stamps[last], len(state.loads) + len(board.sender)
    state.stamps[base + best] = stamp
    draft.places[0] = best
    for count in range(1, board.sizes[here]):
        best, lowest = -1, np.inf
        for k in range(count):
            for place in board.beside[draft.places[k]]:
                if place < 0 or state.stamps[base + place] == stamp:
                    continue
                if state.owner[place] != here and state.owner[place] != there:
                    continue
                far = across * board.x[place] + along * board.y[place]
                if far < lowest:
                    best, lowest = place, far
        if best < 0:
            return False
        state.stamps[base + best] = stamp
        draft.places[count] = best
    changed = 0
    for region in (here, there):
        for k in range(board.sizes[region]):
            place = state.members[region, k]
            after = here if state.stamps[base + place] == stamp else there
            if after != region:
                changed += 1
                draft.before[changed - 1], draft.after[changed - 1] = region, after
                draft.places[changed - 1] = place
    draft.counts[0] = changed
    _touch(draft, here)
    _touch(draft, there)
    return changed > 0


@compiled
def settle(board: Board, state: State, draft: Draft, back: bool) -> None:
    """Give the places their new owners, or their old ones back."""
    for k in range(draft.counts[0]):
        state.owner[draft.places[k]] = draft.before[k] if back else draft.after[k]
    for k in range(draft.counts[1]):
        region = draft.regions[k]
        count = 0
        for j in range(board.sizes[region]):  # those that stay keep together at the front
            place = state.members[region, j]
            if state.owner[place] == region:
                state.members[region, count] = place
                count += 1
        for j in range(draft.counts[0]):
            came = draft.after[j] if not back else draft.before[j]
            left = draft.before[j] if not back else draft.after[j]
            if came == region and left != region:
                state.members[region, count] = draft.places[j]
                count += 1
        shape(board, state, region)


@compiled
def connected(board: Board, state: State, region: int) -> bool:
    """Whether links among a region's places join them all."""
    last = len(state.stamps) - 1
    state.stamps[last] += 1
    stamp, base = state.stamps[last], len(state.loads) + len(board.sender)
    size = board.sizes[region]
    found = np.empty(size, dtype=np.int64)
    found[0], count, head = state.members[region, 0], 1, 0
    state.stamps[base + found[0]] = stamp
    while head < count:
        for place in board.beside[found[head]]:
            if place < 0 or state.owner[place] != region or state.stamps[base + place] == stamp:
                continue
            state.stamps[base + place] = stamp
            found[count] = place
            count += 1
        head += 1
    return count == size


@compiled
def recost(board: Board, state: State, draft: Draft, by_load: bool, sign: int) -> tuple[int, int]:
    """Take the streams of the touched regions away (-1), or add them (1) as they are now.

    Returns:
        their bytes times links, 0 if by load; and how much work that was, as `load` says.
    """
    last = len(state.stamps) - 1
    state.stamps[last] += 1
    stamp, base, total, work = state.stamps[last], len(state.loads), 0, 0
    for k in range(draft.counts[1]):
        region = draft.regions[k]
        for j in range(board.first[region], board.first[region + 1]):
            stream = board.streams[j]
            if state.stamps[base + stream] == stamp:
                continue
            state.stamps[base + stream] = stamp
            if by_load:
                work += load(board, state, stream, sign * board.amount[stream])
            else:
                total += byte_hops(board, state, stream)
                work += 2 * (board.size[0] + board.size[1])
    return total, work
