"""The options of a whole cluster at once."""

from __future__ import annotations

import numpy as np

from heuristics.annealing.state import Problem, State, stage_time
from instances.jit import compiled, lean
from instances.stages import FAR, arrival, entry, resident, sending, step

TRIES = 2
"""Prices that are tried where the fastest options do not fit."""

LOWEST, HIGHEST = -4.0, 2.0
"""Natural logarithms of the prices, in units of the cluster's work over the buffer."""


@compiled
def refit(problem: Problem, state: State, first: int, after: int, rng: np.random.Generator) -> None:
    """Give the cluster first..after-1 the fastest options and settle its time: O(n O^2).

    Where they do not fit, a byte that stays for the whole segment costs a random number of cycles;
    the time is FAR if they do not fit then.
    """
    work = (problem.work[after] - problem.work[first]) / state.regions[first]
    scale = work / max(1, problem.costs.capacity)
    price = 0.0
    for _ in range(1 + TRIES):
        choose_options(problem, state, first, after, price)
        state.times[first] = stage_time(problem.costs, state, first, after - 1)
        if state.times[first] < FAR:
            return
        price = scale * np.exp(LOWEST + (HIGHEST - LOWEST) * rng.random())


@compiled
def choose_options(problem: Problem, state: State, first: int, after: int, price: float) -> None:
    """The options with the least cycles plus price times resident bytes, layer after layer."""
    costs, chiplets, options = problem.costs, state.regions[first], problem.options
    least, following = np.empty(options), np.empty(options)
    chosen = np.empty((after - first, options), dtype=np.int64)
    for own in range(options):
        least[own] = entry(costs, first, own, chiplets)
        least[own] += layer_cost(problem, first, first, own, chiplets, price)
    for layer in range(first + 1, after):
        for own in range(options):
            following[own] = np.inf
            for before in range(options):
                cost = least[before] + step(costs, layer, before, own, chiplets)
                if cost < following[own]:
                    following[own], chosen[layer - first, own] = cost, before
            following[own] += layer_cost(problem, first, layer, own, chiplets, price)
        least[:] = following
    for own in range(options):
        least[own] += sending(costs, after - 1, own, chiplets)
    own = int(np.argmin(least))
    for layer in range(after - 1, first - 1, -1):
        state.options[layer] = own
        own = chosen[layer - first, own]


@lean
def layer_cost(
    problem: Problem, first: int, layer: int, option: int, chiplets: int, price: float
) -> float:
    """What a layer costs whatever the option of the one before it."""
    kept = resident(problem.costs, layer, option, chiplets)
    return arrival(problem.costs, first, layer, option, chiplets) + price * kept
