"""What a segment will roughly cost, before any stage time is known: from prefix sums of areas.

K clusters have about C / K chiplets each, on which every layer takes its area, chiplets times
cycles; the beat is about the area of the segment over C.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.jit import compiled, lean
from instances.stages import FAR, StageCosts, entry, resident, step
from instances.tables import Ints

GROWTH = 1.19
"""Ratio of neighbouring numbers of clusters that are told apart."""

HUGE = 2**40
"""Cycles of a layer that fits nowhere: enough to deter, not enough to overflow."""


class Areas(NamedTuple):
    """Areas of the layers by number of clusters.

    Attributes:
        counts: [G] numbers of clusters, ascending from 1.
        sums: [G,L+1] prefix sums of chiplets times cycles on C // K chiplets.
    """

    counts: Ints
    sums: Ints


def areas_of(costs: StageCosts) -> Areas:
    """Areas for 1 cluster up to as many as there may be: O(L log C)."""
    most = min(len(costs.alone), costs.chiplets)
    counts, count = [], 1.0
    while count <= most:
        counts.append(int(count))
        count = max(count + 1, count * GROWTH)
    array = np.array(counts, dtype=np.int64)
    return Areas(array, _sums(costs, array))


@compiled
def _sums(costs: StageCosts, counts: Ints) -> Ints:
    layers = costs.alone.shape[0]
    sums = np.zeros((counts.shape[0], layers + 1), dtype=np.int64)
    for g in range(counts.shape[0]):
        size = costs.chiplets // counts[g]
        for layer in range(layers):
            best = HUGE
            for option in range(costs.options):
                if resident(costs, layer, option, size) <= costs.capacity:
                    if layer == 0:
                        time = entry(costs, layer, option, size)
                    else:
                        time = step(costs, layer, option, option, size)
                    best = min(best, time)
            sums[g, layer + 1] = sums[g, layer] + best * size
    return sums


@lean
def guess_by_area(known: Areas, first: int, last: int, chiplets: int, batch: int, dram: int) -> int:
    """About (batch + K - 1) * beat of a segment, for the best number K of clusters."""
    best = FAR
    for g in range(known.counts.shape[0]):
        if known.counts[g] > last - first + 1:
            break
        beat = max(dram, (known.sums[g, last + 1] - known.sums[g, first]) // chiplets)
        best = min(best, (batch + known.counts[g] - 1) * beat)
    return best
