"""The classic baselines: one layer at a time, and one layer a stage."""

from __future__ import annotations

import numpy as np

from instances.instance import Instance
from instances.tables import CostTables, Ints
from schedules.progress import Progress, Stop
from schedules.schedule import Cluster, Schedule, Segment

NEVER = np.iinfo(np.int64).max


def sequential(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """One layer at a time on the whole package, tiled where that is faster or the only way.

    Offers nothing if some layer fits in neither way.
    """
    tables = instance.tables
    times, options = single_layer_times(tables)
    segments = []
    for layer, alone in enumerate(tables.alone.tolist()):
        stage = int(times[layer, -1])
        if stage == NEVER and alone < 0:
            return "finished"
        whole = max(stage, int(tables.io[layer, layer]))
        tiled = alone >= 0 and alone < whole
        option = 0 if tiled else int(options[layer, -1])
        cluster = Cluster(layer, layer, tables.chiplets, (tables.options[option],))
        segments.append(Segment((cluster,), tiled=tiled))
    progress.offer(Schedule(tuple(segments)))
    return "finished"


def pipeline(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """All layers in one segment, one layer a cluster, chiplets shared out optimally.

    The number of clusters is fixed, so the smallest beat is best: it is found by bisection over
    the stage times that occur. Offers nothing if the layers do not fit side by side.
    """
    tables = instance.tables
    times, options = single_layer_times(tables)
    falling = np.minimum.accumulate(times, axis=1)
    beats = np.unique(falling[falling < NEVER])
    low, high = 0, len(beats)
    while low < high:
        middle = (low + high) // 2
        if _chiplets_needed(falling, beats[middle]).sum() <= tables.chiplets:
            high = middle
        else:
            low = middle + 1
    if low < len(beats):
        sizes = _chiplets_needed(falling, beats[low]).tolist()
        clusters = tuple(
            Cluster(layer, layer, c, (tables.options[int(options[layer, c - 1])],))
            for layer, c in enumerate(sizes)
        )
        progress.offer(Schedule((Segment(clusters),)))
    return "finished"


def single_layer_times(tables: CostTables) -> tuple[Ints, Ints]:
    """[L,C] time of each layer as a cluster of its own (NEVER if it does not fit), best option."""
    enter = np.stack([tables.entering(layer)[layer] for layer in range(len(tables.layers))])
    fits = tables.resident + tables.working <= tables.capacity
    times = np.where(fits, tables.entry + enter + tables.exit, NEVER)
    return times.min(axis=1), times.argmin(axis=1)


def _chiplets_needed(falling: Ints, beat: int) -> Ints:
    """[L] the fewest chiplets with which each layer meets the beat; C + 1 if none does."""
    needed: Ints = (falling > beat).sum(axis=1) + 1
    return needed
