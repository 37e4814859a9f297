"""The classic baselines: one layer at a time, and one layer a stage."""

from __future__ import annotations

import numpy as np

from instances.instance import Instance
from instances.jit import compiled, lean
from instances.stages import (
    FAR,
    StageCosts,
    arrival,
    dram,
    entry,
    momentary,
    resident,
    sending,
    stage_costs,
)
from instances.tables import Ints
from schedules.progress import Progress, Stop
from schedules.schedule import Cluster, Schedule, Segment


def sequential(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """One layer at a time on the whole package, tiled where that is faster or the only way.

    Offers nothing if some layer fits in neither way.
    """
    costs = stage_costs(instance.costs)
    times, options = single_layer_times(costs, instance.chiplets)
    segments = []
    for layer, alone in enumerate(costs.alone.tolist()):
        stage = int(times[layer])
        if stage == FAR and alone < 0:
            return "finished"
        whole = max(stage, int(dram(costs, layer, layer)))
        tiled = alone >= 0 and alone < whole
        option = 0 if tiled else int(options[layer])
        cluster = Cluster(layer, layer, instance.chiplets, (instance.options[option],))
        segments.append(Segment((cluster,), tiled=tiled))
    progress.offer(Schedule(tuple(segments)))
    return "finished"


def pipeline(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """All layers in one segment, one layer a cluster, chiplets shared out optimally.

    The number of clusters is fixed, so the smallest beat is best: it is found by bisection over
    the stage times that occur. Offers nothing if the layers do not fit side by side.
    """
    costs, chiplets = stage_costs(instance.costs), instance.chiplets
    if len(instance.layers) > chiplets:
        return "finished"
    every = [single_layer_times(costs, c) for c in range(1, chiplets + 1)]
    falling = np.minimum.accumulate([times for times, _ in every]).T
    beats = np.unique(falling[falling < FAR])
    low, high = 0, len(beats)
    while low < high:
        middle = (low + high) // 2
        if _chiplets_needed(falling, beats[middle]).sum() <= chiplets:
            high = middle
        else:
            low = middle + 1
    if low < len(beats):
        sizes = _chiplets_needed(falling, beats[low]).tolist()
        clusters = tuple(
            Cluster(layer, layer, c, (instance.options[int(every[c - 1][1][layer])],))
            for layer, c in enumerate(sizes)
        )
        progress.offer(Schedule((Segment(clusters),)))
    return "finished"


@compiled
def single_layer_times(costs: StageCosts, chiplets: int) -> tuple[Ints, Ints]:
    """[L] time of each layer as a cluster of its own (FAR if it does not fit), best option."""
    count = costs.alone.shape[0]
    times, options = np.full(count, FAR), np.zeros(count, dtype=np.int64)
    for layer in range(count):
        times[layer], options[layer] = fastest_alone(costs, layer, chiplets)
    return times, options


@lean
def fastest_alone(costs: StageCosts, layer: int, chiplets: int) -> tuple[int, int]:
    """(cycles a sample, option) of a layer that is a cluster of its own; FAR if it does not fit."""
    least, best = FAR, 0
    for option in range(costs.options):
        held = resident(costs, layer, option, chiplets)
        if held + momentary(costs, layer, layer, option, chiplets) <= costs.capacity:
            time = entry(costs, layer, option, chiplets) + sending(costs, layer, option, chiplets)
            time += arrival(costs, layer, layer, option, chiplets)
            if time < least:
                least, best = time, option
    return least, best


def _chiplets_needed(falling: Ints, beat: int) -> Ints:
    """[L] the fewest chiplets with which each layer meets the beat; C + 1 if none does."""
    needed: Ints = (falling > beat).sum(axis=1) + 1
    return needed
