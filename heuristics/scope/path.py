"""The segments of a schedule (step 1 of Scope): a shortest path over candidates, priced lazily.

A candidate counts with a share of its guess until something promising leads through it; only then
is it priced, and most never are.
"""

from __future__ import annotations

import numpy as np

from heuristics.scope.candidates import UNKNOWN, Candidates
from instances.jit import compiled, lean
from instances.stages import FAR
from instances.tables import Ints

NEAR = 128
"""A candidate is priced if a path through it is this part of it longer than the best."""

KNOWN_ONLY = 0
"""The share of candidates without a price when they are left out."""


@compiled
def from_start(found: Candidates, loads: Ints, percent: int) -> tuple[Ints, Ints]:
    """([L+1] cycles of the best path to each layer, [L+1] the candidate that ends there).

    Args:
        loads: [L+1] prefix sums of the cycles that bring the weights.
        percent: share of its guess that a candidate without a price costs, or KNOWN_ONLY.
    """
    layers = found.begin.shape[0] - 1
    distance, by = np.full(layers + 1, FAR), np.full(layers + 1, -1)
    distance[0] = 0
    for first in range(layers):
        if distance[first] == FAR:
            continue
        for at in range(found.begin[first], found.begin[first + 1]):
            end = found.last[at] + 1
            cost = _cost(found, at, percent)
            if cost < FAR:
                total = distance[first] + cost + loads[end] - loads[first]
                if total < distance[end]:
                    distance[end], by[end] = total, at
    return distance, by


@compiled
def to_end(found: Candidates, loads: Ints, percent: int) -> Ints:
    """[L+1] cycles of the best path from each layer to the end."""
    layers = found.begin.shape[0] - 1
    distance = np.full(layers + 1, FAR)
    distance[layers] = 0
    for first in range(layers - 1, -1, -1):
        for at in range(found.begin[first], found.begin[first + 1]):
            end = found.last[at] + 1
            cost = _cost(found, at, percent)
            if cost < FAR and distance[end] < FAR:
                total = distance[end] + cost + loads[end] - loads[first]
                distance[first] = min(distance[first], total)
    return distance


@lean
def _cost(found: Candidates, at: int, percent: int) -> int:
    if found.costs[at] != UNKNOWN:
        return found.costs[at]
    if percent == KNOWN_ONLY or found.guesses[at] >= FAR:
        return FAR
    return found.guesses[at] * percent // 100


@compiled
def promising(found: Candidates, loads: Ints, percent: int, incumbent: int) -> tuple[Ints, Ints]:
    """(candidates to price next, the costs below which they are of use); empty if none promises.

    Those on a best path, and those that make it longer by no more than a part NEAR of themselves;
    in the order of what they add.
    """
    ahead, _ = from_start(found, loads, percent)
    behind = to_end(found, loads, percent)
    best, number = behind[0], 0
    chosen, below = np.empty_like(found.last), np.empty_like(found.last)
    more = np.empty_like(found.last)
    if best < incumbent:
        slack = (incumbent - best) // 4
        for at in range(found.last.shape[0]):
            if found.costs[at] == UNKNOWN and found.guesses[at] < FAR:
                around = _around(found, at, loads, ahead, behind)
                cost = found.guesses[at] * percent // 100
                if around + cost <= best + min(slack, cost // NEAR):
                    chosen[number] = at
                    below[number] = FAR if incumbent == FAR else incumbent - around
                    more[number] = around + cost
                    number += 1
    order = np.argsort(more[:number])
    return chosen[order], below[order]


@lean
def _around(found: Candidates, at: int, loads: Ints, ahead: Ints, behind: Ints) -> int:
    """Cycles of the best path through a candidate without its own cost; at least FAR if none."""
    first, end = found.first[at], found.last[at] + 1
    if max(ahead[first], behind[end]) == FAR:
        return FAR
    return ahead[first] + behind[end] + loads[end] - loads[first]


@compiled
def path_to_end(found: Candidates, by: Ints) -> Ints:
    """[S] the candidates on the best path, in order."""
    path = [by[by.shape[0] - 1]]
    while found.first[path[-1]] > 0:
        path.append(by[found.first[path[-1]]])
    return np.array(path[::-1])


@compiled
def beat_limits(found: Candidates, loads: Ints, batch: int, margin: int, slack: int) -> Ints:
    """[L] cycles beyond which a stage is of no use, by the layer that it begins with.

    `slack` percent of the largest beat among the candidates around the layer that take a path at
    most `margin` percent longer than the best.
    """
    ahead, _ = from_start(found, loads, 100)
    behind = to_end(found, loads, 100)
    layers = loads.shape[0] - 1
    limits = np.zeros(layers, dtype=np.int64)
    bar = behind[0] // 100 * (100 + margin)
    for first in range(layers):
        beat, end = 0, layers
        for at in range(found.begin[first + 1] - 1, found.begin[first] - 1, -1):
            after = found.last[at] + 1
            limits[after:end] = np.maximum(limits[after:end], beat)
            end = after
            if found.guesses[at] < FAR:
                around = _around(found, at, loads, ahead, behind)
                if around < FAR and around + found.guesses[at] <= bar:
                    beat = max(beat, found.guesses[at] // batch)
        limits[first:end] = np.maximum(limits[first:end], beat)
    return slack * limits // 100
