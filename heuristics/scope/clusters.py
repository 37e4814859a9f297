"""Which layers of a segment share a cluster (step 2 of Scope)."""

from __future__ import annotations

import numpy as np

from heuristics.scope.regions import share_chiplets
from instances.jit import compiled
from instances.stages import FAR, StageCosts
from instances.tables import Ints


@compiled
def merge_layers(
    costs: StageCosts,
    first: int,
    last: int,
    loads: Ints,
    chiplets: int,
    batch: int,
    dram: int,
    moves: int,
) -> tuple[int, Ints, Ints]:
    """The cheapest clusters on the way from one layer a cluster down to one: O(n log n) stages.

    At each step the two neighbours whose loads add up to the least become one cluster, so that
    the loads stay balanced. Counts of clusters that the package can hold are costed, each a
    tenth smaller than the one before (every one below ten).

    Args:
        loads: [L] cycles of each layer on one chiplet.
        dram: cycles of DRAM traffic a sample.

    Returns:
        (cost, [K] first layers, [K] regions): cost is (batch + K - 1) * beat, FAR if nothing fits.
    """
    begins = np.arange(first, last + 1)
    weights = loads[first : last + 1].copy()
    best, best_begins, best_regions = FAR, begins[:1], begins[:1]
    next_count = chiplets
    while True:
        number = begins.shape[0]
        if number <= next_count and (batch + number - 1) * dram < best:
            next_count = min(number - 1, int(0.9 * number))
            beat, regions = share_chiplets(costs, begins, last, weights, chiplets, moves)
            if beat < FAR and (batch + number - 1) * max(beat, dram) < best:
                best = (batch + number - 1) * max(beat, dram)
                best_begins, best_regions = begins.copy(), regions
        if number == 1:
            return best, best_begins, best_regions
        pair = np.argmin(weights[:-1] + weights[1:])
        weights[pair] += weights[pair + 1]
        weights = np.append(weights[: pair + 1], weights[pair + 2 :])
        begins = np.append(begins[: pair + 1], begins[pair + 2 :])
