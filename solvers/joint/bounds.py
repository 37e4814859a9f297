"""Lower bounds on segments: places play no part but for the nearest that things can be."""

from __future__ import annotations

import numpy as np

from instances.jit import compiled
from instances.tables import Ints
from solvers.exact.labels import FAR
from solvers.joint.times import Times


def least_times(times: Times) -> Ints:
    """[L,L,C] a lower bound on the time of cluster i..j on at most c+1 chiplets."""
    count, chiplets = len(times.instance.layers), times.instance.chiplets
    least = np.full((count, count, chiplets), FAR, dtype=np.int64)
    for first in range(count):
        for last in range(first, count):
            for region, size in enumerate(times.regions.sizes.tolist()):
                if times.allowed(first, last, size):
                    hops = times.any_hops(first, last, region)
                    time, _ = times.fastest(first, last, region, hops)
                    least[first, last, size - 1] = min(least[first, last, size - 1], time)
    found: Ints = np.minimum.accumulate(least, axis=2)
    return found


def no_times(times: Times) -> Ints:
    """[L,L,C] the same where nothing is known: no time at all for what may be."""
    count, chiplets = len(times.instance.layers), times.instance.chiplets
    return np.where(np.triu(np.ones((count, count), dtype=np.bool_)), 0, FAR)[..., None].repeat(
        chiplets, axis=2
    )


@compiled
def bottlenecks(times: Ints, begin: int) -> Ints:
    """[L+1,K+1,C+1] the least bottleneck of layers begin..j-1 in k clusters on c chiplets."""
    count, _, chiplets = times.shape
    best = np.full((count + 1, chiplets + 1, chiplets + 1), FAR, dtype=np.int64)
    best[begin, 0, :] = 0
    for end in range(begin + 1, count + 1):
        for first in range(begin, end):
            own = times[first, end - 1]
            for k in range(1, chiplets + 1):
                for c in range(k, chiplets + 1):
                    for size in range(1, c + 1):
                        slowest = max(best[first, k - 1, c - size], own[size - 1])
                        if slowest < best[end, k, c]:
                            best[end, k, c] = slowest
    return best


def segment_bounds(times: Times, least: Ints) -> Ints:
    """[L,L] a lower bound on the cost of each segment that is not tiled, load left out."""
    instance = times.instance
    count, chiplets = len(instance.layers), instance.chiplets
    bounds = np.full((count, count), FAR, dtype=np.int64)
    beats = instance.batch + np.arange(chiplets)
    for first in range(count):
        slowest = bottlenecks(least, first)[first + 1 :, 1:, chiplets]
        for k, row in enumerate(slowest):
            beat = np.maximum(row, instance.tables.io[first, first + k])
            possible = beat < FAR
            if possible.any():
                bounds[first, first + k] = (beats[possible] * beat[possible]).min()
    return bounds
