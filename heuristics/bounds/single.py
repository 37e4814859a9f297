"""Layers that are segments of their own."""

from __future__ import annotations

from instances.jit import compiled, lean
from instances.stages import (
    FAR,
    StageCosts,
    arrival,
    dram,
    entry,
    loading,
    momentary,
    resident,
    sending,
)


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
            time = fastest_alone(costs, layer, c)
            if time < FAR:
                beat = min(beat, max(time, dram(costs, layer, layer)))
                break
            c -= 1
        if beat == FAR:
            return FAR
        total += loading(costs, layer, layer) + batch * beat
    return total


@lean
def fastest_alone(costs: StageCosts, layer: int, chiplets: int) -> int:
    """Cycles a sample of a layer that is a cluster of its own; FAR if it does not fit."""
    least = FAR
    for option in range(costs.options):
        held = resident(costs, layer, option, chiplets)
        if held + momentary(costs, layer, layer, option, chiplets) <= costs.capacity:
            time = entry(costs, layer, option, chiplets) + sending(costs, layer, option, chiplets)
            least = min(least, time + arrival(costs, layer, layer, option, chiplets))
    return least
