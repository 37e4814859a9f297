"""The fast placer: regions along a curve in a good order, then simulated annealing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

import numpy as np

from heuristics.placement.board import Board, board_of
from heuristics.placement.curves import curves
from heuristics.placement.moves import new_draft
from heuristics.placement.search import NOWHERE, anneal, energy, lay, order
from heuristics.placement.traffic import State, new_state
from instances.package import Tile
from instances.tables import Ints
from schedules.placement import PlacementProblem, placement_cost
from schedules.regions import connected_regions

OBJECTIVES = ("hops", "load", "both")

Places = tuple[tuple[Tile, ...], ...]

TRIALS = 300
"""Orders of the regions that are tried on a curve."""

EFFORT = 300_000_000
"""Places and links that the searches of one run look at, at most: about a second on one core."""

EFFORT_EACH = 3_000_000
"""The same for each place of the mesh."""

HOT = 1.0
"""The first temperature, in shares of what a place's part of the cost is on average."""

COOLING = 100.0
"""The first temperature over the last."""

PEAKS = (1, 10)
"""In turn, how much the busiest link weighs, times the number of links: 1 is its mean load."""

ROUNDS = 4
"""Searches, each from one of the best orders, that share the effort."""


def place_fast(
    problem: PlacementProblem,
    objective: Literal["hops", "load", "both"] = "hops",
    *,
    seed: int = 0,
    time_limit: float | None = None,
) -> Places | None:
    """Connected places for the regions of a segment; None if none are found.

    The regions are laid along several curves, in the pipeline's order and in others that a local
    search finds; from the best of these starts simulated annealing, whose moves keep every region
    connected. No proof comes with the result. The method is ours.

    Args:
        problem: what is to be placed.
        objective: hops, the least bytes times links; load, the least bytes on the busiest link, and
            among such places the fewest hops; both, the same as load.
        seed: the same one gives the same places, unless a time limit ends the run.
        time_limit: wall seconds after which no further search begins; the first places, along
            curves, are always found.
    """
    if objective not in OBJECTIVES:
        raise ValueError(f"unknown objective {objective!r}: choose one of {', '.join(OBJECTIVES)}")
    end = None if time_limit is None else time.perf_counter() + time_limit
    search = _Search(problem, objective, seed, end)
    starts = search.starts()
    if not starts:
        return None
    return search.run(starts)


class _Search:
    """One run: the board, the state that the kernels work on, and the best places so far."""

    def __init__(
        self, problem: PlacementProblem, objective: str, seed: int, end: float | None
    ) -> None:
        self._problem, self._objective, self._end = problem, objective, end
        self._board: Board = board_of(problem)
        self._state: State = new_state(self._board)
        self._rng = np.random.default_rng(seed)
        self._by_load = objective != "hops" or len(self._board.turn) > 0
        self._peak = 0 if objective == "hops" else len(problem.mesh.links)

    def starts(self) -> list[Ints]:
        """[N] owners of several placements along curves, the best first; none if none is found."""
        regions = len(self._problem.sizes)
        natural: list[tuple[int, int, Ints, Ints]] = []
        for curve in self._curves():
            sequence = np.arange(regions + 1)
            natural.append((self._order(curve, sequence, 0), len(natural), curve, sequence))
        found: list[tuple[int, int, Ints]] = []
        for _, _, curve, sequence in sorted(natural, key=lambda entry: entry[:2])[:ROUNDS]:
            cost = self._order(curve, sequence, TRIALS)
            if cost < NOWHERE:
                lay(self._board, self._state, curve, sequence, self._gap)
                found.append((cost, len(found), self._state.owner.copy()))
        if found:
            return [owner for _, _, owner in sorted(found, key=lambda entry: entry[:2])]
        mesh = self._problem.mesh
        grown = (connected_regions(mesh, curve, self._problem.sizes) for curve in curves(mesh))
        return [self._owner(places) for places in grown if places is not None][:1]

    def _curves(self) -> list[Ints]:
        """[N] places along each curve, from either end."""
        number = {tile: k for k, tile in enumerate(self._problem.mesh.tiles)}
        forward = [np.array([number[tile] for tile in own]) for own in curves(self._problem.mesh)]
        return [*forward, *(np.ascontiguousarray(own[::-1]) for own in forward)]

    @property
    def _gap(self) -> int:
        return len(self._problem.mesh.tiles) - sum(self._problem.sizes)

    def _order(self, curve: Ints, sequence: Ints, trials: int) -> int:
        return order(
            self._board, self._state, curve, sequence, self._peak, self._by_load, trials, self._rng
        )

    def _owner(self, places: Sequence[Sequence[Tile]]) -> Ints:
        number = {tile: k for k, tile in enumerate(self._problem.mesh.tiles)}
        owner = np.full(len(number), -1)
        for region, tiles in enumerate(places):
            owner[[number[tile] for tile in tiles]] = region
        return owner

    def run(self, starts: list[Ints]) -> Places:
        """The best places of all searches."""
        found = [self._places(owner) for owner in starts]
        rounds = 0
        while rounds < ROUNDS and (self._end is None or time.perf_counter() < self._end):
            owner = starts[rounds % len(starts)].copy()
            self._anneal(owner, self._peak * PEAKS[rounds % len(PEAKS)])
            found.append(self._places(owner))
            rounds += 1
        return min(found, key=self._key)

    def _anneal(self, owner: Ints, peak: int) -> None:
        """Search from some places; they become the best that it finds."""
        board, state = self._board, self._state
        state.owner[:] = owner
        for region, size in enumerate(self._problem.sizes):
            state.members[region, :size] = np.flatnonzero(owner == region)
        hot = HOT * max(1, energy(board, state, peak, self._by_load)) / len(owner)
        effort = min(EFFORT, EFFORT_EACH * len(owner))
        arguments = (peak, self._by_load, effort // ROUNDS, hot, hot / COOLING, self._rng)
        anneal(board, state, new_draft(state), owner, *arguments)

    def _places(self, owner: Ints) -> Places:
        tiles = self._problem.mesh.tiles
        return tuple(
            tuple(tiles[k] for k in np.flatnonzero(owner == region).tolist())
            for region in range(len(self._problem.sizes))
        )

    def _key(self, places: Places) -> tuple[int, int]:
        """What is to be least, by the link model itself."""
        cost = placement_cost(self._problem, places)
        if self._objective == "hops":
            return cost.byte_hops, cost.busiest
        return cost.busiest, cost.byte_hops
