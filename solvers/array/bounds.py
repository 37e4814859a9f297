"""Lower bounds on the cycles of segments of an array, quick to compute."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from instances.cost.array import ArrayCosts
from instances.cost.rates import over

Ints = NDArray[np.int64]

NEVER = 2**61
"""Cycles of a segment that cannot be, or cannot be part of a better schedule."""


def segment_bounds(costs: ArrayCosts) -> Ints:
    """[first, depth - 1] cycles that a segment takes at least, whatever its tiles and layout.

    All PEs work all the time; all columns' buses carry the tensors that come and go, and weights
    once; the DRAM never waits. Where the layers depend on each other one by one, the pipeline
    takes a tile for each of them to fill, and tiles are no smaller than loop orders allow.
    NEVER where the global buffer has no room for their weights.
    """
    array, batch = costs.array, costs.batch
    depth = min(array.depth, costs.layers)
    work = [_work(costs, k) for k in range(costs.layers)]
    found = np.full((costs.layers, depth), NEVER, dtype=np.int64)
    for first in range(costs.layers):
        total, weights, held, steps = 0, 0, 0, [0] * costs.layers
        for last in range(first, min(first + depth, costs.layers)):
            total += work[last]
            weights += costs.weights(last)
            held += costs.stationary(last)
            if first < last and held > array.buffer_bytes // 2:
                break
            before = [t.producer for t in costs.tensors[last] if t.producer >= first]
            steps[last] = 1 + max((steps[k] for k in before), default=-1)
            tiles = _most_tiles(costs, first, last)
            compute = over(
                (batch * tiles + max(steps[first : last + 1])) * total, tiles * array.pes
            )
            moved = weights + batch * _outside(costs, first, last)
            bus = over(moved, array.mesh[0] * array.bus_bytes)
            dram = over(costs.dram(first, last), array.dram_bytes)
            found[first, last - first] = max(compute, bus, dram)
    return found


def _most_tiles(costs: ArrayCosts, first: int, last: int) -> int:
    by_channels = costs.most_tiles(first, last, "channels")
    return max(costs.most_tiles(first, last, "positions"), by_channels)


def _work(costs: ArrayCosts, k: int) -> int:
    """Cycles that all PEs together spend on a layer's outputs of one sample."""
    layer = costs.network.layers[k]
    depth = layer.depth // layer.groups * prod(layer.kernel)
    return prod(layer.positions) * layer.channels * over(depth, costs.array.macs)


def _outside(costs: ArrayCosts, first: int, last: int) -> int:
    """Bytes of a sample's tensors that a segment reads from others, or others from it."""
    size = 0
    for k in range(first, last + 1):
        size += sum(costs.size(t) for t in costs.tensors[k] if t.producer < first)
        for tensor in costs.made[k]:
            if tensor.leaves or any(n > last for n in tensor.consumers):
                size += costs.size(tensor)
    return size
