"""How the clusters of a segment share the chiplets (step 3 of Scope)."""

from __future__ import annotations

import numpy as np

from heuristics.scope.stage import best_switch
from instances.jit import compiled
from instances.stages import FAR, StageCosts
from instances.tables import Ints


@compiled
def in_proportion(loads: Ints, chiplets: int) -> Ints:
    """[K] regions in proportion to the clusters' loads, at least one chiplet each: O(K log K).

    Needs no more clusters than chiplets. What rounding leaves over goes to the largest fractions.
    """
    number = loads.shape[0]
    spare = chiplets - number
    exact = spare * loads / max(1, loads.sum())
    regions = np.floor(exact).astype(np.int64)
    left = spare - regions.sum()
    order = np.argsort(regions - exact)
    for k in range(left):
        regions[order[k % number]] += 1
    regions += 1
    return regions


@compiled
def share_chiplets(
    costs: StageCosts, begins: Ints, last: int, loads: Ints, chiplets: int, moves: int
) -> tuple[int, Ints]:
    """The beat and the regions of clusters that begin at `begins`: O(K) stages and `moves` more.

    Regions in proportion to load; then one chiplet after the other moves to the slowest cluster,
    from the one that is fastest without it, as long as the beat falls.

    Args:
        begins: [K] first layers. last: the last layer of the segment.
        loads: [K]. moves: 0 switches the second part off.

    Returns:
        (beat, [K] regions); the beat is FAR if some cluster never fits.
    """
    number = begins.shape[0]
    regions = in_proportion(loads, chiplets)
    ends = np.append(begins[1:] - 1, last)
    times = np.empty(number, dtype=np.int64)
    smaller = np.empty(number, dtype=np.int64)
    for k in range(number):
        times[k] = best_switch(costs, begins[k], ends[k], regions[k])[0]
        smaller[k] = -1
    for _ in range(moves):
        slowest = np.argmax(times)
        donor = -1
        for k in range(number):
            if k != slowest and regions[k] > 1:
                if smaller[k] < 0:
                    smaller[k] = best_switch(costs, begins[k], ends[k], regions[k] - 1)[0]
                if smaller[k] < times[slowest] and (donor < 0 or smaller[k] < smaller[donor]):
                    donor = k
        if donor < 0:
            break
        grown = best_switch(costs, begins[slowest], ends[slowest], regions[slowest] + 1)[0]
        if grown >= times[slowest] and times[slowest] < FAR:
            break
        regions[slowest] += 1
        regions[donor] -= 1
        smaller[slowest], times[slowest] = times[slowest], grown
        times[donor], smaller[donor] = smaller[donor], -1
    return times.max(), regions
