"""One chain of simulated annealing, at one temperature."""

from __future__ import annotations

import numpy as np

from heuristics.annealing.moves import ODDS, change, extent, refit_stale
from heuristics.annealing.state import SEGMENT, Problem, State, price
from instances.jit import compiled, lean
from instances.stages import FAR

CUMULATED = np.cumsum(ODDS) / ODDS.sum()

REFITTED = 0.5
"""How often the clusters that a move has changed get new options before they are judged."""


@lean
def copy(source: State, target: State, first: int, after: int) -> None:
    """Copy the layers first..after-1 of a state."""
    for layer in range(first, after):
        target.begins[layer] = source.begins[layer]
        target.regions[layer] = source.regions[layer]
        target.options[layer] = source.options[layer]
        target.times[layer] = source.times[layer]
        target.drams[layer] = source.drams[layer]
        target.totals[layer] = source.totals[layer]


@compiled
def attempt(
    problem: Problem, state: State, saved: State, temperature: float, rng: np.random.Generator
) -> tuple[int, int, int]:
    """Draw a move, and make it if its cost is accepted.

    A move that costs d cycles more is accepted with probability exp(-d / temperature).

    Returns:
        (by how many cycles the total rose, first layer, layer after the last): `saved` holds what
        these layers were before.
    """
    layer = int(rng.integers(0, len(state.options)))
    kind = int(np.searchsorted(CUMULATED, rng.random()))
    forward = rng.random() < 0.5
    first, after = extent(state, layer, kind, forward)
    before = 0
    for begin in range(first, after):
        if state.begins[begin] >= SEGMENT:
            before += state.totals[begin]
    copy(state, saved, first, after)
    now = FAR
    if change(problem, state, layer, kind, forward, rng):
        if rng.random() < REFITTED:
            refit_stale(problem, state, first, after, rng)
        # Pricing may give up where the cost is already too much to be accepted.
        limit = before - int(temperature * np.log(1 - rng.random()))
        now = price(problem, state, first, after, limit)
    if now == FAR:
        copy(saved, state, first, after)
        return 0, first, after
    return now - before, first, after


@compiled
def anneal(
    problem: Problem,
    states: tuple[State, State, State],
    totals: tuple[int, int],
    moves: int,
    temperature: float,
    rng: np.random.Generator,
) -> tuple[int, int]:
    """Draw moves at one temperature.

    Args:
        states: the current one, the best so far, and room to undo a move.
        totals: cycles of the current and of the best state.

    Returns:
        The totals afterwards.
    """
    state, best, saved = states
    current, least = totals
    count = len(state.options)
    for _ in range(moves):
        rise, first, after = attempt(problem, state, saved, temperature, rng)
        if rise > 0 and current < least:
            # Only now is the best one left: not every step down to it is worth a copy.
            copy(state, best, 0, count)
            copy(saved, best, first, after)
            least = current
        current += rise
    if current < least:
        copy(state, best, 0, count)
        least = current
    return current, least
