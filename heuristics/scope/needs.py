"""What clusters need in chiplets to keep a beat, as prefix sums over the layers.

For each beat of a grid, one shortest path over all layers covers them by clusters that keep it,
as if the package had no end. The chiplets between two layers of that path are about what a segment
between them needs; the least beat at which this is no more than C is about its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from heuristics.scope.times import StageTimes, time_of
from instances.jit import compiled, lean
from instances.stages import FAR
from instances.tables import Ints
from schedules.parallel import in_parallel
from schedules.progress import Progress

RATIO = 1.02
"""Of neighbouring beats."""

BLOCK = 64
"""Beats that one thread looks at at a time."""


class Needs(NamedTuple):
    """Prefix sums over the layers for a grid of beats.

    Attributes:
        beats: [B] cycles, ascending.
        chiplets, clusters: [B,L+1] up to each layer. A layer that cannot keep the beat counts
            C + 1 chiplets.
    """

    beats: Ints
    chiplets: NDArray[np.int32]
    clusters: NDArray[np.int32]


def needs_of(
    stages: StageTimes, limits: Ints, chiplets: int, batch: int, progress: Progress, workers: int
) -> Needs:
    """Needs for beats from the shortest stage to the longest that is of use.

    Raises:
        OutOfTimeError: the time limit passed.
    """
    low = max(1, int(stages.times.min(initial=FAR)))
    high = max(low, int(limits.max()))
    number = int(np.log(high / low) / np.log(RATIO)) + 2
    beats = np.unique((low * RATIO ** np.arange(number)).astype(np.int64))
    shape = (len(beats), len(limits) + 1)
    needs = Needs(beats, np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.int32))

    def block(index: int) -> None:
        first = index * BLOCK
        _fill(needs, stages, first, min(first + BLOCK, len(beats)), chiplets, batch)

    for _ in in_parallel(block, -(-len(beats) // BLOCK), progress, workers):
        pass
    return needs


@compiled
def _fill(
    needs: Needs, stages: StageTimes, first_beat: int, after: int, chiplets: int, batch: int
) -> None:
    """Shortest paths for beats number first_beat..after-1."""
    layers, sizes = stages.length.shape
    prices = np.empty(layers + 1, dtype=np.int64)
    # Smaller regions, by number, are too slow for a cluster from each layer, and for lower beats.
    start = np.zeros(layers, dtype=np.int64)
    for b in range(after - 1, first_beat - 1, -1):
        beat, used, number = needs.beats[b], needs.chiplets[b], needs.clusters[b]
        prices[:] = FAR
        prices[0] = 0
        for first in range(layers):
            # A cluster less is worth as many chiplets as make up for its beat of fill and drain.
            price = prices[first] + (chiplets + 1) * batch + chiplets
            if price < prices[first + 1]:
                prices[first + 1] = price
                used[first + 1] = used[first] + chiplets + 1
                number[first + 1] = number[first] + 1
            g = start[first]
            while g < sizes and time_of(stages, first, first, g) > beat:
                g += 1
            start[first] = g
            for last in range(first, layers):
                while g < sizes and time_of(stages, first, last, g) > beat:
                    g += 1
                if g == sizes:
                    break
                price = prices[first] + stages.sizes[g] * batch + chiplets
                if price < prices[last + 1]:
                    prices[last + 1] = price
                    used[last + 1] = used[first] + stages.sizes[g]
                    number[last + 1] = number[first] + 1


@lean
def guess_by_needs(
    known: Needs, first: int, last: int, chiplets: int, batch: int, dram: int
) -> tuple[int, int, int]:
    """About (cost, its beat, least beat) of a segment; FAR where no beat of the grid will do."""
    low, high = 0, known.beats.shape[0]
    while low < high:
        middle = (low + high) // 2
        if known.chiplets[middle, last + 1] - known.chiplets[middle, first] <= chiplets:
            high = middle
        else:
            low = middle + 1
    best, best_beat, least = FAR, FAR, FAR
    for b in range(low, known.beats.shape[0]):
        beat = max(dram, known.beats[b])
        if batch * beat >= best:
            break
        if known.chiplets[b, last + 1] - known.chiplets[b, first] <= chiplets:
            least = min(least, known.beats[b])
            clusters = max(1, known.clusters[b, last + 1] - known.clusters[b, first])
            if (batch + clusters - 1) * beat < best:
                best, best_beat = (batch + clusters - 1) * beat, beat
    return best, best_beat, least
