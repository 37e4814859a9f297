"""Prices of buffer bytes that are worth trying."""

from __future__ import annotations

import numpy as np

from instances.jit import compiled
from instances.stages import StageCosts, momentary, resident, step
from instances.tables import Floats, Ints

SAMPLES = 64
"""Layers, at most, whose options are compared."""

QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of all prices at which some layer changes its option."""


def byte_prices(costs: StageCosts) -> Ints:
    """[P,2] prices as fractions: cycles that a byte is worth. Zero is the first.

    A layer changes from a fast option to one that holds fewer bytes at the price that is the
    quotient of the differences; these quotients tell which prices make a difference.
    """
    count = costs.alone.shape[0]
    layers = np.unique(np.linspace(0, count - 1, SAMPLES).astype(np.int64))
    sizes = np.unique(np.geomspace(1, costs.chiplets, 8).astype(np.int64))
    found = exchange_rates(costs, layers, sizes)
    rates = np.quantile(found, QUANTILES).tolist() if found.size else []
    largest = max(1, 2**61 // (max(1, costs.capacity) * count))
    return np.array([(0, 1)] + [_fraction(rate, largest) for rate in rates], dtype=np.int64)


def _fraction(rate: float, largest: int) -> tuple[int, int]:
    if rate < 1:
        return 1, min(round(1 / rate), 2**40)
    return min(round(rate), largest), 1


@compiled
def exchange_rates(costs: StageCosts, layers: Ints, sizes: Ints) -> Floats:
    """Cycles for a byte, for every two options of which one is faster and the other smaller."""
    options = costs.options
    rates = np.empty(layers.shape[0] * sizes.shape[0] * options * options)
    end = 0
    for layer in layers:
        if layer == 0:
            continue
        for c in sizes:
            for fast in range(options):
                for small in range(options):
                    held = resident(costs, layer, small, c)
                    if held + momentary(costs, layer, layer, small, c) > costs.capacity:
                        continue
                    saved = resident(costs, layer, fast, c) - held
                    lost = step(costs, layer, small, small, c) - step(costs, layer, fast, fast, c)
                    if saved > 0 and lost > 0:
                        rates[end] = lost / saved
                        end += 1
    return rates[:end]
