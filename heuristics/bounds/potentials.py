"""Bounds on all segments of a long network at once.

Let P[l] be the least sum of 1 + beta * chiplets over clusters that cover the layers before l. A
segment s..e with K clusters on at most C chiplets then has

    K + beta * C >= P[e+1] - P[s],

since what covers the layers before s, and the segment's clusters, cover those before e + 1. So
after one sweep over the layers, differences of two numbers bound the clusters of any segment, and
in the same way the chiplets.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.jit import compiled, lean
from instances.stages import FAR, StageCosts, drams
from instances.tables import Floats, Ints

SAFE = 1e-6
"""What the potentials' rounding errors stay below: they are sums of at most 20,000 numbers."""


STRIDE = 128
"""The larger, the more often, and the better, the segments from one layer are bounded."""


class Potentials(NamedTuple):
    """Potentials for G intervals of beats and W weights of a chiplet.

    Attributes:
        lower: [G] the intervals' lower ends, rising.
        weights: [W] beta; the first one is not used: there P is a sum of chiplets alone.
        sums: [L+1,G,W] P.
        stop: [L+1,G] the first layer at or after a layer that no cluster of such a time contains.
    """

    lower: Ints
    weights: Floats
    sums: Floats
    stop: Ints


@compiled
def new_potentials(count: int, lower: Ints, weights: Floats) -> Potentials:
    """Room for the potentials of L layers."""
    shape = (count + 1, lower.shape[0], weights.shape[0])
    return Potentials(lower, weights, np.zeros(shape), np.full(shape[:2], count, dtype=np.int64))


@compiled
def fill_potentials(needed: tuple[Ints, Ints, Ints], g: int, potentials: Potentials) -> None:
    """The potentials of one interval, from what clusters need to stay below its upper end."""
    at, first, chiplets = needed
    sums, stop = potentials.sums, potentials.stop
    count = at.shape[0] - 1
    for j in range(count):
        for w in range(potentials.weights.shape[0]):
            least = np.inf
            for k in range(at[j], at[j + 1]):
                own = 1 + potentials.weights[w] * chiplets[k] if w > 0 else float(chiplets[k])
                least = min(least, sums[first[k], g, w] + own)
            sums[j + 1, g, w] = least if least < np.inf else sums[j, g, w]
    for j in range(count - 1, -1, -1):
        stop[j, g] = stop[j + 1, g] if at[j + 1] > at[j] else j


@compiled
def cheapest_path(costs: StageCosts, potentials: Potentials, batch: int) -> int:
    """The least cost of a path over all segments: O(L^2) of them.

    What a segment takes without its loads is bounded anew each time that it has grown by a
    STRIDE-th; until then it takes at least as long as it did.
    """
    count, number = costs.alone.shape[0], potentials.lower.shape[0]
    reached = np.full(count + 1, FAR, dtype=np.int64)
    reached[0] = 0
    for first in range(count):
        if reached[first] == FAR:
            continue
        load = costs.loads[first + 1] - costs.loads[first]
        if costs.alone[first] >= 0:
            total = reached[first] + load + batch * costs.alone[first]
            reached[first + 1] = min(reached[first + 1], total)
        end, most = first, count
        while end < most:
            last = (end + most) // 2
            if may_be(potentials, first, last, number - 1, costs.chiplets):
                end = last + 1
            else:
                most = last
        if end == first:
            continue
        traffic = drams(costs, first, end - 1)
        lowest, renewed, running = 0, first, 0
        for last in range(first, end):
            if last == renewed:
                while not may_be(potentials, first, last, lowest, costs.chiplets):
                    lowest += 1
                stride = (last - first) // STRIDE
                io = traffic[last - first] if stride == 0 else 0
                facts = costs.chiplets, batch, io
                running = least_over_beats(potentials, first, last, lowest, facts)
                renewed = last + 1 + stride
            cost = max(running, batch * traffic[last - first])
            total = reached[first] + cost + costs.loads[last + 1] - costs.loads[first]
            reached[last + 1] = min(reached[last + 1], total)
    return int(reached[count])


@lean
def may_be(potentials: Potentials, first: int, last: int, g: int, chiplets: int) -> bool:
    """Whether a segment with a beat of an interval, or a smaller one, is not ruled out."""
    sums = potentials.sums
    used = sums[last + 1, g, 0] - sums[first, g, 0]
    return bool(potentials.stop[first, g] > last and used < chiplets + 0.5)


@lean
def least_over_beats(
    potentials: Potentials, first: int, last: int, lowest: int, facts: tuple[int, int, int]
) -> int:
    """What a segment costs at least, without loads, in any interval from `lowest` on.

    Args:
        facts: C, m, and the segment's DRAM traffic.
    """
    chiplets, batch, io = facts
    weights, sums = potentials.weights, potentials.sums
    cost = FAR
    for g in range(lowest, potentials.lower.shape[0]):
        beat = max(io, potentials.lower[g])
        if batch * beat >= cost:
            break
        clusters = 1.0
        for w in range(1, weights.shape[0]):
            own = sums[last + 1, g, w] - sums[first, g, w] - weights[w] * chiplets
            clusters = max(clusters, own - SAFE)
        cost = min(cost, (batch - 1 + int(np.ceil(clusters))) * beat)
    return cost
