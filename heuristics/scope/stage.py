"""Stage times on demand, for clusters that switch from WSP to ISP once (step 4 of Scope).

The paper lets the partition change from WSP to ISP at one layer of a segment, which leaves n + 1
choices for n layers instead of 2^n. Ours: every cluster has a switch of its own, which costs no
more to search. The first option of the tables takes the place of ISP; each other one that of WSP.
"""

from __future__ import annotations

import numpy as np

from instances.jit import compiled
from instances.stages import (
    FAR,
    StageCosts,
    arrival,
    departure,
    entry,
    momentary,
    resident,
    sending,
    step,
)
from instances.tables import Ints


@compiled
def loads_on_one_chiplet(costs: StageCosts) -> Ints:
    """[L] cycles of each layer by itself on one chiplet, with its best option."""
    loads = np.full(costs.alone.shape[0], FAR)
    for layer in range(loads.shape[0]):
        for option in range(costs.options):
            loads[layer] = min(loads[layer], entry(costs, layer, option, 1))
    return loads


@compiled
def best_switch(costs: StageCosts, first: int, last: int, chiplets: int) -> tuple[int, int, int]:
    """The fastest cluster with one switch: O(n O) for n layers and O options.

    Returns:
        (time, switch, option): layers before `switch` take `option`, the others the tables' first
        option; time is FAR if no such choice fits.
    """
    size = last - first + 1
    options = costs.options
    tail_time = np.empty(size + 1, dtype=np.int64)
    tail_kept = np.zeros(size + 1, dtype=np.int64)
    tail_peak = np.zeros(size + 1, dtype=np.int64)
    time = sending(costs, last, 0, chiplets)
    for k in range(size - 1, -1, -1):
        layer = first + k
        tail_kept[k] = tail_kept[k + 1] + resident(costs, layer, 0, chiplets)
        tail_peak[k] = max(tail_peak[k + 1], momentary(costs, first, layer, 0, chiplets))
        time += arrival(costs, first, layer, 0, chiplets)
        tail_time[k] = time
        time += step(costs, layer, 0, 0, chiplets)
    best, switch, choice = FAR, first, 0
    if tail_kept[0] + tail_peak[0] <= costs.capacity:
        best = entry(costs, first, 0, chiplets) + tail_time[0]
    for option in range(1, options):
        time, kept, peak = entry(costs, first, option, chiplets), 0, 0
        for k in range(size):
            layer = first + k
            if k > 0:
                time += step(costs, layer, option, option, chiplets)
            time += arrival(costs, first, layer, option, chiplets)
            kept += resident(costs, layer, option, chiplets)
            peak = max(peak, momentary(costs, first, layer, option, chiplets))
            if kept + peak > costs.capacity or time >= best:
                break
            if kept + tail_kept[k + 1] + max(peak, tail_peak[k + 1]) > costs.capacity:
                continue
            if k + 1 < size:
                total = time + step(costs, layer + 1, option, 0, chiplets) + tail_time[k + 1]
            else:
                total = time + sending(costs, last, option, chiplets)
            if total < best:
                best, switch, choice = total, layer + 1, option
    if best < FAR:
        best += departure(costs, first, last, chiplets)
    return best, switch, choice
