"""The stage times that a search needs: clusters by first layer, region size and length."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heuristics.scope.sweep import Bools, column_of, new_labels, sweep
from instances.jit import compiled, lean
from instances.stages import FAR, StageCosts
from instances.tables import Ints
from schedules.parallel import in_parallel
from schedules.progress import Progress

BLOCK = 32
"""First layers that one thread sweeps at a time."""


class StageTimes(NamedTuple):
    """Times of clusters; what is not there takes too long or does not fit.

    Attributes:
        sizes: [G] region sizes, ascending.
        begin, length: [L,G] the clusters of a first layer and a region size lie in `times` from
            `begin` on, a layer longer each time, `length` of them.
        times: cycles a sample.
        longest: no cluster has more layers.
    """

    sizes: Ints
    begin: Ints
    length: Ints
    times: Ints
    longest: int


def region_sizes(chiplets: int, fine: int) -> Ints:
    """[G] every size up to `fine`, then a quarter as many for each doubling, up to all chiplets."""
    sizes = list(range(1, min(chiplets, fine) + 1))
    size = float(fine)
    while sizes[-1] < chiplets:
        size = max(size * 2 ** (4 / fine), sizes[-1] + 1)
        sizes.append(min(chiplets, int(size)))
    return np.array(sizes, dtype=np.int64)


def even_sizes(chiplets: int, most: int) -> Ints:
    """[G] the equal shares of up to `most` clusters."""
    return np.unique(chiplets // np.arange(1, min(chiplets, most) + 1))


def stage_times(
    costs: StageCosts,
    sizes: Ints,
    limits: Ints,
    changes: Bools,
    ways: int,
    longest: int,
    progress: Progress,
    workers: int,
) -> StageTimes:
    """Sweep from every layer with every region size: O(L G W) for clusters of up to W layers.

    Args:
        limits: [L] cycles beyond which the clusters that begin there are of no use.
        changes, ways: as in `sweep` and `Labels`.

    Raises:
        OutOfTimeError: the time limit passed.
    """
    count = len(limits)

    def block(index: int) -> tuple[Ints, Ints]:
        first = index * BLOCK
        after = min(first + BLOCK, count)
        return _block(costs, sizes, limits, changes, ways, longest, first, after)

    blocks = [part for _, part in in_parallel(block, -(-count // BLOCK), progress, workers)]
    length = np.concatenate([length for length, _ in blocks])
    ends = np.cumsum(length).reshape(length.shape)
    times = np.concatenate([times for _, times in blocks])
    return StageTimes(sizes, ends - length, length, times, int(length.max()))


@compiled
def _block(
    costs: StageCosts,
    sizes: Ints,
    limits: Ints,
    changes: Bools,
    ways: int,
    longest: int,
    first: int,
    after: int,
) -> tuple[Ints, Ints]:
    """([n,G] numbers of clusters, their times) for layers first..after-1."""
    count, options = limits.shape[0], costs.options
    length = np.zeros((after - first, sizes.shape[0]), dtype=np.int64)
    labels = new_labels(longest, options, ways)
    found = np.empty((after - first, sizes.shape[0], longest), dtype=np.int64)
    for g in range(sizes.shape[0]):
        column = column_of(costs, first, min(after + longest, count) - 1, sizes[g])
        for layer in range(first, after):
            last = min(layer + longest, count) - 1
            row = layer - first
            length[row, g] = sweep(
                costs, column, changes, layer, last, limits[layer], labels, found[row, g]
            )
    times = np.empty(length.sum(), dtype=np.int64)
    at = 0
    for row in range(after - first):
        for g in range(sizes.shape[0]):
            for k in range(length[row, g]):
                times[at] = found[row, g, k]
                at += 1
    return length, times


@lean
def time_of(stages: StageTimes, first: int, last: int, g: int) -> int:
    """Cycles of a cluster on region size number g; FAR if it is not there."""
    if last - first >= stages.length[first, g]:
        return FAR
    return stages.times[stages.begin[first, g] + last - first]
