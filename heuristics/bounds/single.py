"""Layers that are segments of their own."""

from __future__ import annotations

from heuristics.baselines import fastest_alone
from instances.jit import compiled
from instances.stages import FAR, StageCosts, dram, loading


@compiled
def sequential_cost(costs: StageCosts, batch: int) -> int:
    """Cycles of some schedule with one layer a segment; FAR if there is no schedule at all.

    A layer alone needs the least memory, so if some layer does not fit alone, nothing does.
    """
    total = 0
    for layer in range(costs.alone.shape[0]):
        beat = costs.alone[layer] if costs.alone[layer] >= 0 else FAR
        c = costs.chiplets
        while c > 0:
            time = fastest_alone(costs, layer, c)[0]
            if time < FAR:
                beat = min(beat, max(time, dram(costs, layer, layer)))
                break
            c -= 1
        if beat == FAR:
            return FAR
        total += loading(costs, layer, layer) + batch * beat
    return total
