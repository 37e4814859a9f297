"""Ratios for a fixed schedule, by the best marginal gain per loss *(ours)*.

A beat is a maximum, so that one ratio alone may gain nothing. What is compared is therefore sets
of changes: of each segment, a path on which one change after the other lowers the slowest term.
The best beginning of any path is done, then the best one after that, until nothing gains or no
loss is left. The same is done without regard to the budget and then taken back step by step, where
that costs least per loss; the better of the two is improved by exchanges.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from heuristics.ratios.state import (
    CYCLES,
    LOSS,
    State,
    better,
    change,
    copy,
    cycles_of,
    fits,
    plain,
)
from heuristics.ratios.terms import Terms
from instances.jit import compiled, lean
from instances.tables import Ints

Allowed = NDArray[np.bool_]
"""[L,R]."""

FREE = 1e15
"""What is gained per loss where nothing is lost: more than any gain, each gain apart."""

LEAST_LOSS, STEEPEST, LOWEST = 0, 1, 2
"""Which change a path takes next: the least loss, the most cycles per loss, the most cycles."""

UNLIMITED = 2**62

SWEEPS, EXCHANGED = 4, 100
"""Rounds of exchanges at most, for so many layers at most: a round takes the square of them."""


@compiled
def best_choices(terms: Terms, budget: int) -> tuple[Ints, int]:
    """[L] the choices found for a schedule, and its latency with them."""
    allowed = terms.losses >= 0
    state = plain(terms)
    climb(terms, allowed, budget, state)
    other = plain(terms)
    climb(terms, allowed, UNLIMITED, other)
    descend(terms, allowed, budget, other)
    climb(terms, allowed, budget, other)
    if better(other, state):
        copy(other, state)
    for _ in range(SWEEPS if len(allowed) <= EXCHANGED else 0):
        if not exchange(terms, allowed, budget, state):
            break
    return state.chosen, state.sums[CYCLES]


@compiled
def climb(terms: Terms, allowed: Allowed, budget: int, state: State) -> None:
    """Do the best beginning of a path, again and again, and take back what is of no use.

    What a path gains is found anew only where terms have changed, or when it seems to be best.
    """
    work, best = plain(terms), plain(terms)
    segments = terms.beats.shape[0]
    rates = np.empty(segments)
    for segment in range(segments):
        rates[segment] = best_path(terms, allowed, budget, state, segment, work, best)
    while rates.max() > 0:
        segment = int(rates.argmax())
        rates[segment] = best_path(terms, allowed, budget, state, segment, work, best)
        if rates[segment] <= 0 or rates[segment] < rates.max():
            continue
        changed = np.zeros(segments, dtype=np.bool_)
        changed[segment] = True
        for term in range(state.amount.shape[0]):
            if state.amount[term] != best.amount[term]:
                changed[terms.segment[term]] = True
        copy(best, state)
        for at in range(segments):
            if changed[at]:
                rates[at] = best_path(terms, allowed, budget, state, at, work, best)
    settle(terms, allowed, budget, state)


@compiled
def best_path(
    terms: Terms,
    allowed: Allowed,
    budget: int,
    state: State,
    segment: int,
    work: State,
    best: State,
) -> float:
    """Cycles gained per loss by the best beginning of a path, left in `best`; 0 if none gains."""
    most = 0.0
    for rule in (LEAST_LOSS, STEEPEST, LOWEST):
        copy(state, work)
        while True:
            layer, k = _next(terms, allowed, budget, work, segment, rule)
            if layer < 0:
                break
            change(terms, work, layer, k)
            if better(work, state):
                gain = state.sums[CYCLES] - work.sums[CYCLES]
                rate = _per_loss(gain, work.sums[LOSS] - state.sums[LOSS])
                if rate > most:
                    most = rate
                    copy(work, best)
    return most


@lean
def _per_loss(gain: int, loss: int) -> float:
    return gain / loss if loss > 0 else FREE + gain


@compiled
def _next(
    terms: Terms, allowed: Allowed, budget: int, state: State, segment: int, rule: int
) -> tuple[int, int]:
    """The change (layer, choice) that lowers the slowest term of a segment; -1 if none does."""
    beat, slowest = state.beat[segment], -1
    for term in range(terms.begins[segment], terms.begins[segment + 1]):
        if cycles_of(terms, term, state.amount[term]) == beat:
            slowest = term
            break
    found, choice, highest = -1, 0, -np.inf
    if slowest < 0:
        return found, choice
    for at in range(terms.layer_at[slowest], terms.layer_at[slowest + 1]):
        layer = terms.layer[at]
        now = state.chosen[layer]
        for k in range(allowed.shape[1]):
            loss = terms.losses[layer, k] - terms.losses[layer, now]
            if k == now or not allowed[layer, k] or state.sums[LOSS] + loss > budget:
                continue
            lowered = _lowered(terms, state, slowest, layer, k)
            if lowered <= 0 or not fits(terms, state, layer, k):
                continue
            score = float(lowered)
            if rule == LEAST_LOSS:
                score = -loss + lowered / FREE
            elif rule == STEEPEST:
                score = _per_loss(lowered, loss)
            if score > highest:
                found, choice, highest = layer, k, score
    return found, choice


@lean
def _lowered(terms: Terms, state: State, slowest: int, layer: int, k: int) -> int:
    """Cycles that a change takes from a segment's slowest term; 0 if another becomes as slow."""
    now, lowered = state.chosen[layer], 0
    segment = terms.segment[slowest]
    for part in range(terms.part_at[layer], terms.part_at[layer + 1]):
        term = terms.term[part]
        if terms.segment[term] == segment:
            amount = state.amount[term]
            before = cycles_of(terms, term, amount)
            amount += terms.amount[part, k] - terms.amount[part, now]
            after = cycles_of(terms, term, amount)
            if term == slowest:
                lowered = before - after
            elif after > before and after >= state.beat[segment]:
                return 0
    return lowered


@compiled
def descend(terms: Terms, allowed: Allowed, budget: int, state: State) -> None:
    """Lower ratios, each time where that costs the fewest cycles per loss, down to the budget."""
    count, ratios = allowed.shape
    while state.sums[LOSS] > budget:
        over, cycles = state.sums[LOSS] - budget, state.sums[CYCLES]
        found, choice, least = -1, 0, np.inf
        for layer in range(count):
            now = state.chosen[layer]
            for k in range(ratios):
                freed = terms.losses[layer, now] - terms.losses[layer, k]
                if not allowed[layer, k] or freed <= 0 or not fits(terms, state, layer, k):
                    continue
                change(terms, state, layer, k)
                cost = (state.sums[CYCLES] - cycles) / min(freed, over)
                change(terms, state, layer, now)
                if cost < least:
                    found, choice, least = layer, k, cost
        if found < 0:
            return
        change(terms, state, found, choice)


@compiled
def settle(terms: Terms, allowed: Allowed, budget: int, state: State) -> None:
    """Change single ratios while that saves cycles, or loss at no cycles."""
    count, ratios = allowed.shape
    again = True
    while again:
        again = False
        for layer in range(count):
            for k in range(ratios):
                now = state.chosen[layer]
                if k == now or not allowed[layer, k] or not fits(terms, state, layer, k):
                    continue
                cycles, loss = state.sums[CYCLES], state.sums[LOSS]
                change(terms, state, layer, k)
                saved, freed = cycles - state.sums[CYCLES], loss - state.sums[LOSS]
                if (saved > 0 and state.sums[LOSS] <= budget) or (saved == 0 and freed > 0):
                    again = True
                else:
                    change(terms, state, layer, now)


@compiled
def exchange(terms: Terms, allowed: Allowed, budget: int, state: State) -> bool:
    """Forbid, or force, single ratios and fill up what that frees; whether anything is better."""
    count, ratios = allowed.shape
    work, improved = plain(terms), False
    for layer in range(count):
        for k in range(ratios):
            now = state.chosen[layer]
            if not allowed[layer, k] or not allowed[layer].sum() > 1:
                continue
            copy(state, work)
            mine = allowed.copy()
            if k == now:
                mine[layer, k] = False
                if k == 0 or not fits(terms, work, layer, 0):
                    continue
                change(terms, work, layer, 0)
            else:
                if not fits(terms, work, layer, k):
                    continue
                mine[layer] = False
                mine[layer, k] = True
                change(terms, work, layer, k)
                descend(terms, mine, budget, work)
                if work.sums[LOSS] > budget:
                    continue
            climb(terms, mine, budget, work)
            if better(work, state):
                copy(work, state)
                improved = True
    return improved
