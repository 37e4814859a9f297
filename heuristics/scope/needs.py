"""What clusters need in chiplets to keep a beat, as prefix sums over the layers.

For each beat of a grid, one shortest path over all layers covers them by clusters that keep it,
as if the package had no end. The chiplets between two layers of that path are about what a segment
between them needs; the least beat at which this is no more than C is about its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heuristics.scope.times import StageTimes, time_of
from instances.jit import compiled
from instances.stages import FAR
from instances.tables import Ints

RATIO = 1.01
"""Of neighbouring beats."""


class Needs(NamedTuple):
    """Prefix sums over the layers for a grid of beats.

    Attributes:
        beats: [B] cycles, ascending.
        chiplets, clusters: [B,L+1] up to each layer. A layer that cannot keep the beat counts
            C + 1 chiplets.
    """

    beats: Ints
    chiplets: Ints
    clusters: Ints


def needs_of(stages: StageTimes, limits: Ints, chiplets: int, batch: int) -> Needs:
    """Needs for beats from the shortest stage to the longest that is of use."""
    low = max(1, int(stages.times.min(initial=FAR)))
    high = max(low, int(limits.max()))
    number = int(np.log(high / low) / np.log(RATIO)) + 2
    beats = np.unique((low * RATIO ** np.arange(number)).astype(np.int64))
    return Needs(beats, *_needs(stages, beats, chiplets, batch))


@compiled
def _needs(stages: StageTimes, beats: Ints, chiplets: int, batch: int) -> tuple[Ints, Ints]:
    layers, sizes = stages.length.shape
    used = np.zeros((beats.shape[0], layers + 1), dtype=np.int64)
    number = np.zeros((beats.shape[0], layers + 1), dtype=np.int64)
    prices = np.empty(layers + 1, dtype=np.int64)
    for b in range(beats.shape[0]):
        prices[:] = FAR
        prices[0] = 0
        for first in range(layers):
            # A cluster less is worth as many chiplets as make up for its beat of fill and drain.
            price = prices[first] + (chiplets + 1) * batch + chiplets
            if price < prices[first + 1]:
                prices[first + 1] = price
                used[b, first + 1] = used[b, first] + chiplets + 1
                number[b, first + 1] = number[b, first] + 1
            g = 0
            for last in range(first, layers):
                while g < sizes and time_of(stages, first, last, g) > beats[b]:
                    g += 1
                if g == sizes:
                    break
                price = prices[first] + stages.sizes[g] * batch + chiplets
                if price < prices[last + 1]:
                    prices[last + 1] = price
                    used[b, last + 1] = used[b, first] + stages.sizes[g]
                    number[b, last + 1] = number[b, first] + 1
    return used, number


@compiled
def guess_by_needs(
    known: Needs, first: int, last: int, chiplets: int, batch: int, dram: int
) -> tuple[int, int, int]:
    """About (cost, clusters, least beat) of a segment; FAR where no beat of the grid will do."""
    low, high = 0, known.beats.shape[0]
    while low < high:
        middle = (low + high) // 2
        if known.chiplets[middle, last + 1] - known.chiplets[middle, first] <= chiplets:
            high = middle
        else:
            low = middle + 1
    best, best_clusters, least = FAR, 1, FAR
    for b in range(low, known.beats.shape[0]):
        beat = max(dram, known.beats[b])
        if batch * beat >= best:
            break
        if known.chiplets[b, last + 1] - known.chiplets[b, first] <= chiplets:
            least = min(least, known.beats[b])
            clusters = max(1, known.clusters[b, last + 1] - known.clusters[b, first])
            if (batch + clusters - 1) * beat < best:
                best, best_clusters = (batch + clusters - 1) * beat, clusters
    return best, best_clusters, least
