"""The moves of the search: small changes of layouts."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from heuristics.multi_model.deal import deal
from heuristics.multi_model.state import Judge, Layout, Place

Room = list[list[Place]]
"""Layouts that a move changes in place."""

ALL_ON = 0.7
"""How often all chiplets of a model that leaves a window go to one that stays."""

ANEW = 0.1
"""How often all chiplets are dealt anew after a window was split, or two became one."""


class Mover:
    """Draws moves.

    Args:
        judge: values what is dealt anew.
        windows: the most that there may be.
        rng: of all draws.
    """

    def __init__(self, judge: Judge, windows: int, rng: Random) -> None:
        self._judge, self._windows, self._rng = judge, windows, rng
        self._chiplets = judge.problem.chiplets
        inside = [
            (self._give, 40),
            (self._swap, 40),
            (self._reorder, 10),
            (self._drop, 10),
            (self._renew, 1),
        ]
        across = [(self._shift, 60), (self._merge, 10), (self._split, 10)]
        moves = inside if windows == 1 else inside + across
        self._moves: list[Callable[[Room], bool]] = [move for move, _ in moves]
        self._odds = [odds for _, odds in moves]

    def draw(self, layouts: list[Layout]) -> list[Layout] | None:
        """Layouts after a move; None if the move that was drawn is not possible."""
        room = [list(layout) for layout in layouts]
        (move,) = self._rng.choices(self._moves, self._odds)
        return [tuple(own) for own in room] if move(room) else None

    def _free(self, window: list[Place]) -> list[int]:
        used = {tile for _, _, tiles in window for tile in tiles}
        return [tile for tile in range(self._chiplets) if tile not in used]

    def _insert(self, window: list[Place], job: int, tile: int) -> None:
        begin, end, tiles = window[job]
        at = self._rng.randint(0, len(tiles))
        window[job] = begin, end, (*tiles[:at], tile, *tiles[at:])

    def _remove(self, window: list[Place], job: int) -> int:
        begin, end, tiles = window[job]
        at = self._rng.randrange(len(tiles))
        window[job] = begin, end, (*tiles[:at], *tiles[at + 1 :])
        return tiles[at]

    def _give(self, room: Room) -> bool:
        """A free chiplet, or one of another model, goes to a model."""
        window = self._rng.choice(room)
        job = self._rng.choice(_running(window))
        begin, end, tiles = window[job]
        if len(tiles) >= end - begin:
            return False
        givers = [k for k, own in enumerate(window) if len(own[2]) > 1 and k != job]
        free = self._free(window)
        if free and (not givers or self._rng.random() < 0.5):
            tile = self._rng.choice(free)
        elif givers:
            tile = self._remove(window, self._rng.choice(givers))
        else:
            return False
        self._insert(window, job, tile)
        return True

    def _swap(self, room: Room) -> bool:
        """Two chiplets of a window change places; one of them may be free."""
        window = self._rng.choice(room)
        a = self._rng.choice([tile for own in window for tile in own[2]])
        b = self._rng.randrange(self._chiplets)
        if a == b:
            return False
        other = {a: b, b: a}
        for job, (begin, end, tiles) in enumerate(window):
            window[job] = begin, end, tuple(other.get(tile, tile) for tile in tiles)
        return True

    def _reorder(self, room: Room) -> bool:
        """A model's chiplet goes to another place in its order, or all turn around."""
        window = self._rng.choice(room)
        many = _with_several(window)
        if not many:
            return False
        job = self._rng.choice(many)
        if self._rng.random() < 0.3:
            begin, end, tiles = window[job]
            window[job] = begin, end, tiles[::-1]
        else:
            self._insert(window, job, self._remove(window, job))
        return True

    def _drop(self, room: Room) -> bool:
        """A model gives up a chiplet."""
        window = self._rng.choice(room)
        many = _with_several(window)
        if not many:
            return False
        self._remove(window, self._rng.choice(many))
        return True

    def _shift(self, room: Room) -> bool:
        """A model's cut between two windows moves."""
        if len(room) < 2:
            return False
        at = self._rng.randrange(len(room) - 1)
        job = self._rng.randrange(len(room[0]))
        begin, cut, _ = room[at][job]
        end = room[at + 1][job][1]
        if begin == end:
            return False
        kind = self._rng.random()
        if kind < 0.5:
            now = cut + self._rng.choice((-1, 1))
        elif kind < 0.75:
            now = self._rng.randint(begin, end)
        else:
            now = self._rng.choice((begin, end))
        if now == cut or not begin <= now <= end:
            return False
        if not (self._set(room[at], job, begin, now) and self._set(room[at + 1], job, now, end)):
            return False
        room[:] = [window for window in room if _running(window)]
        return True

    def _merge(self, room: Room) -> bool:
        """Two windows become one, on the chiplets of one of them."""
        if len(room) < 2:
            return False
        at = self._rng.randrange(len(room) - 1)
        pair = room[at : at + 2]
        window = list(self._rng.choice(pair))
        spans = [(a, b) for (a, _, _), (_, b, _) in zip(*pair, strict=True)]
        room[at : at + 2] = [window]
        done = all(self._set(window, job, *span) for job, span in enumerate(spans))
        if done and self._rng.random() < ANEW:
            return deal(self._judge, window, self._rng)
        return done

    def _split(self, room: Room) -> bool:
        """A window becomes two, on the same chiplets; each model is cut, or is in one of them."""
        if len(room) >= self._windows:
            return False
        at = self._rng.randrange(len(room))
        first, second = list(room[at]), list(room[at])
        room[at : at + 1] = [first, second]
        for job, (begin, end, _) in enumerate(list(first)):
            whole = self._rng.random() < 0.5
            cut = self._rng.choice((begin, end)) if whole else self._rng.randint(begin, end)
            self._set(first, job, begin, cut)
            self._set(second, job, cut, end)
        if not (_running(first) and _running(second)):
            return False
        if self._rng.random() < ANEW:
            return all(deal(self._judge, own, self._rng) for own in (first, second))
        return True

    def _renew(self, room: Room) -> bool:
        """All chiplets of a window are dealt anew."""
        return deal(self._judge, self._rng.choice(room), self._rng)

    def _set(self, window: list[Place], job: int, begin: int, end: int) -> bool:
        """A model runs other units in a window; whether there is a chiplet for it."""
        tiles = window[job][2]
        if begin == end:
            window[job] = begin, end, ()
            others = _running(window)
            if tiles and others and self._rng.random() < ALL_ON:
                heir = self._rng.choice(others)
                a, b, own = window[heir]
                window[heir] = a, b, (*own, *tiles)[: b - a]
            return True
        window[job] = begin, end, tiles[: end - begin]
        if tiles:
            return True
        free = self._free(window)
        givers = [k for k, own in enumerate(window) if len(own[2]) > 1]
        if free:
            tile = self._rng.choice(free)
        elif givers:
            tile = self._remove(window, self._rng.choice(givers))
        else:
            return False
        self._insert(window, job, tile)
        return True


def _running(window: list[Place]) -> list[int]:
    """The models that run in a window."""
    return [job for job, (begin, end, _) in enumerate(window) if begin < end]


def _with_several(window: list[Place]) -> list[int]:
    """Models that have more than one chiplet in a window."""
    return [job for job, own in enumerate(window) if len(own[2]) > 1]
