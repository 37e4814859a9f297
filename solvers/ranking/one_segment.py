"""Among all schedules of one segment: how many are faster.

A segment of K clusters takes load + (m + K - 1) * beat cycles, so it is faster than a given one if
each of its stages stays within a beat that K alone decides. The schedules with K clusters are
counted from those stages: a product of polynomials for each cut, summed over the cuts.
"""

from __future__ import annotations

from instances.instance import Instance
from schedules.progress import Progress
from solvers.ranking.space import Space
from solvers.ranking.stages import Chains, Packing, StageCounts
from solvers.ranking.work import refuse_long, seconds_of_products


def count_up_to(
    instance: Instance, space: Space, latency: int, progress: Progress, workers: int
) -> tuple[int, int]:
    """How many schedules of one segment are faster, and how many take exactly as long.

    Raises:
        TooManyError: counting would take too long.
        OutOfTimeError: the time limit passed.
    """
    tables = instance.tables
    count, _, chiplets = tables.shape
    most = min(count, chiplets)
    packing = Packing(instance, space)
    products = 2 * (most**2 / 2) * (count**2 / 2)
    refuse_long(seconds_of_products(products, packing.size), "counting the faster schedules")
    beats = {bound: _beats(instance, bound, most) for bound in (latency - 1, latency)}
    grid = sorted({beat for beats_of in beats.values() for beat in beats_of.values()})
    counts = dict.fromkeys(beats, 0)
    if grid:
        stages = StageCounts(instance, packing, grid, progress, workers)
        for bound, beats_of in beats.items():
            for clusters, beat in beats_of.items():
                ways = Chains(stages, 0, beat, clusters).ways(count - 1)[clusters]
                counts[bound] += packing.allowed(ways)
    if count == 1 and tables.alone[0] >= 0:
        tiled = int(tables.load[0] + instance.batch * tables.alone[0])
        for bound in counts:
            counts[bound] += tiled <= bound
    return counts[latency - 1], counts[latency] - counts[latency - 1]


def _beats(instance: Instance, bound: int, most: int) -> dict[int, int]:
    """The longest beat, by number of clusters, with which the segment takes at most `bound`."""
    tables = instance.tables
    spare = bound - int(tables.loads[-1])
    beats = {k: spare // (instance.batch + k - 1) for k in range(1, most + 1)}
    return {k: beat for k, beat in beats.items() if beat >= max(0, int(tables.io[0, -1]))}
