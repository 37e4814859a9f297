"""The segmented pipeline as Tangram searches it: one layer a stage, regions by operations.

Tangram's, as its published code (nn_dataflow) tells of the paper (Gao and others, ASPLOS 2019):
segments of layers that follow each other in the execution order, each on the whole package; one of
a single layer is always possible. Each stage of a segment gets nodes in proportion to its
operations, rounded, one at least; what rounding leaves over or takes too much is given or taken one
by one, where the number is farthest from its share. Stages whose buffers are too small make a
segment impossible. A dynamic program over the layers keeps the best ways to end at each.

Ours, for the problem of docs/problem.md: the cost is the latency, where Tangram's is energy under a
limit on time; one layer is one stage, where Tangram can also run layers of a stage in turns and
joins layers without weights to their producers; sizes are any whole numbers that sum to the
chiplets, where Tangram's are multiples of a height, so that regions are rectangles; a layer that
is a segment may be tiled. Tangram leaves out segments whose rounded regions leave more than a
twentieth of the nodes idle, or that cross branches of the network in certain ways: such segments
are priced here like all others, so the search sees more and finds no worse.
"""

from __future__ import annotations

import numpy as np

from heuristics.baselines import fastest_alone, sequential
from instances.instance import Instance
from instances.jit import compiled
from instances.stages import FAR, StageCosts, dram, entry, loading, stage_costs
from instances.tables import Ints
from schedules.evaluate import evaluate
from schedules.progress import Progress, Stop
from schedules.schedule import Cluster, Schedule, Segment

LARGEST = 2**61
"""Of the products of operations and chiplets."""

AT_A_TIME = 32
"""Segments priced between two looks at the clock."""


def tangram(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """The segmented pipeline as Tangram searches it: regions in proportion to operations.

    Begins with the schedule of `sequential`; offers nothing if there is none. At the time limit
    the layers that no longer segment has reached run one at a time.
    """
    sequential(instance, progress, seed, workers)
    if progress.best is None:
        return "finished"
    alone = progress.best.segments
    times = [cost.time for cost in evaluate(instance, progress.best).segments]
    costs, shares = stage_costs(instance.costs), work(instance)
    count = len(alone)
    reached = np.full(count + 1, FAR)
    reached[0] = 0
    before = np.zeros(count + 1, dtype=np.int64)
    for first in range(count):
        if reached[first] + times[first] < reached[first + 1]:
            reached[first + 1], before[first + 1] = reached[first] + times[first], first
        end = min(count, first + instance.chiplets)
        for last in range(first + 1, end, AT_A_TIME):
            if progress.expired:
                break
            lasts = (last, min(end, last + AT_A_TIME))
            extend(costs, shares, instance.batch, first, lasts, reached, before)
    progress.offer(_schedule(instance, costs, shares, alone, before))
    return "time-limit" if progress.expired else "finished"


def work(instance: Instance) -> Ints:
    """[L] multiply-accumulates a sample of each layer, 1 at least.

    Tables do not tell operations: there it is the least time to receive and compute a sample on one
    chiplet, whether or not it fits.
    """
    if instance.network is not None:
        amounts = [max(1, layer.macs) for layer in instance.network.layers]
    else:
        costs = stage_costs(instance.costs)
        amounts = [
            max(1, *(int(entry(costs, layer, option, 1)) for option in range(costs.options)))
            for layer in range(len(instance.layers))
        ]
    shrink = 1 + sum(amounts) * instance.chiplets // LARGEST
    return np.array([max(1, amount // shrink) for amount in amounts], dtype=np.int64)


@compiled
def in_proportion(amounts: Ints, chiplets: int) -> Ints:
    """[n] region sizes in proportion to amounts, 1 at least, that sum to the chiplets; n <= C."""
    total = amounts.sum()
    sizes = np.maximum(1, amounts * chiplets // total)
    # How much each region falls short of its share, in chiplets / total.
    short = amounts * chiplets - sizes * total
    left = chiplets - sizes.sum()
    while left != 0:
        change = 1 if left > 0 else -1
        farthest = -1
        for k in range(sizes.shape[0]):
            may = change > 0 or sizes[k] > 1
            if may and (farthest < 0 or change * (short[k] - short[farthest]) > 0):
                farthest = k
        sizes[farthest] += change
        short[farthest] -= change * total
        left -= change
    return sizes


@compiled
def extend(
    costs: StageCosts,
    shares: Ints,
    batch: int,
    first: int,
    lasts: tuple[int, int],
    reached: Ints,
    before: Ints,
) -> None:
    """Go on from `first` with a segment up to each last layer in a range, where that is better.

    Args:
        costs, shares: of stages; [L] work.
        lasts: the first, and the one after the last.
        reached: [L+1] the least cycles found to run all layers before one; is lowered.
        before: [L+1] where the last segment on the way there begins; is changed likewise.
    """
    for last in range(lasts[0], lasts[1]):
        beats = batch + last - first
        start = reached[first] + loading(costs, first, last)
        if start >= reached[last + 1]:
            continue
        limit = (reached[last + 1] - 1 - start) // beats
        beat = dram(costs, first, last)
        if beat > limit:
            continue
        sizes = in_proportion(shares[first : last + 1], costs.chiplets)
        for layer in range(first, last + 1):
            time, _ = fastest_alone(costs, layer, sizes[layer - first])
            beat = max(beat, time)
            if beat > limit:
                break
        if beat <= limit:
            reached[last + 1] = start + beats * beat
            before[last + 1] = first


def _schedule(
    instance: Instance,
    costs: StageCosts,
    shares: Ints,
    alone: tuple[Segment, ...],
    before: Ints,
) -> Schedule:
    """The way to the end; a layer that is a segment runs as it does alone."""
    segments, end = [], len(alone)
    while end > 0:
        first = int(before[end])
        if first == end - 1:
            segments.append(alone[first])
        else:
            sizes = in_proportion(shares[first:end], costs.chiplets).tolist()
            segments.append(
                Segment(tuple(_stage(instance, costs, first + k, c) for k, c in enumerate(sizes)))
            )
        end = first
    return Schedule(tuple(reversed(segments)))


def _stage(instance: Instance, costs: StageCosts, layer: int, chiplets: int) -> Cluster:
    _, option = fastest_alone(costs, layer, chiplets)
    return Cluster(layer, layer, chiplets, (instance.options[option],))
