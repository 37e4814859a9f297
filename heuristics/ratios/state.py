"""What each layer's output is compressed by, and what follows from it, kept up to date."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heuristics.ratios.terms import Terms
from instances.jit import compiled, lean
from instances.tables import Ints

CYCLES, LOSS = 0, 1
"""Places in `sums`."""


class State(NamedTuple):
    """Choices for a schedule.

    Attributes:
        chosen: [L] of each layer, the index of its output's ratio.
        amount: [T] of each term, cycles or units.
        left: [T] bytes that are left on each chiplet.
        beat: [S] of each segment; 0 for a tiled one.
        sums: the latency in cycles, the loss in millionths.
    """

    chosen: Ints
    amount: Ints
    left: Ints
    beat: Ints
    sums: Ints


@compiled
def plain(terms: Terms) -> State:
    """Nothing is compressed."""
    segments = terms.beats.shape[0]
    state = State(
        np.zeros(terms.losses.shape[0], dtype=np.int64),
        terms.base.copy(),
        terms.spare.copy(),
        np.zeros(segments, dtype=np.int64),
        np.zeros(2, dtype=np.int64),
    )
    state.sums[CYCLES] = terms.constant
    for segment in range(segments):
        refresh(terms, state, segment)
    return state


@lean
def cycles_of(terms: Terms, term: int, amount: int) -> int:
    """What an amount of a term takes."""
    return -(-amount * terms.numerator[term] // terms.denominator[term])


@lean
def refresh(terms: Terms, state: State, segment: int) -> None:
    """Bring a segment's beat up to date, and the latency with it."""
    beat = 0
    for term in range(terms.begins[segment], terms.begins[segment + 1]):
        beat = max(beat, cycles_of(terms, term, state.amount[term]))
    state.sums[CYCLES] += terms.beats[segment] * (beat - state.beat[segment])
    state.beat[segment] = beat


@lean
def change(terms: Terms, state: State, layer: int, k: int) -> None:
    """Give a layer's output another ratio."""
    before = state.chosen[layer]
    state.chosen[layer] = k
    state.sums[CYCLES] += terms.load[layer, k] - terms.load[layer, before]
    state.sums[LOSS] += terms.losses[layer, k] - terms.losses[layer, before]
    for part in range(terms.part_at[layer], terms.part_at[layer + 1]):
        term = terms.term[part]
        state.amount[term] += terms.amount[part, k] - terms.amount[part, before]
        state.left[term] -= terms.bytes[part, k] - terms.bytes[part, before]
        refresh(terms, state, terms.segment[term])


@lean
def fits(terms: Terms, state: State, layer: int, k: int) -> bool:
    """Whether the memory suffices if a layer's output has another ratio."""
    before = state.chosen[layer]
    for part in range(terms.part_at[layer], terms.part_at[layer + 1]):
        more = terms.bytes[part, k] - terms.bytes[part, before]
        if more > 0 and more > state.left[terms.term[part]]:
            return False
    return True


@compiled
def copy(source: State, target: State) -> None:
    """Make one state like another."""
    target.chosen[:] = source.chosen
    target.amount[:] = source.amount
    target.left[:] = source.left
    target.beat[:] = source.beat
    target.sums[:] = source.sums


@compiled
def better(one: State, other: State) -> bool:
    """Whether a state is faster than another, or as fast with less loss."""
    faster = one.sums[CYCLES] - other.sums[CYCLES]
    return faster < 0 or (faster == 0 and one.sums[LOSS] < other.sums[LOSS])
