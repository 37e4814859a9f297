"""What single layers cost at least on a region whose size lies in a range."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.cost import floors
from instances.jit import compiled, lean
from instances.stages import (
    FAR,
    StageCosts,
    arrival,
    entry,
    momentary,
    resident,
    sending,
    step,
)
from instances.tables import Ints


class LayerCosts(NamedTuple):
    """Least costs of all layers and options, FAR where an option never fits.

    Attributes:
        low, high: the range of region sizes.
        enter, leave, kept: [L,O] entry, exit, resident.
        follow: [L,O,O] step.
        peak: [L,O] momentary bytes of a cluster's first layer.
        both: [L,O] resident and momentary bytes together.
        arrive: [L,O] cycles for skip tensors that arrive at a layer however long its cluster is.
        begin: [L,O] cycles for skip tensors that arrive at a cluster's first layer.
    """

    low: int
    high: int
    enter: Ints
    leave: Ints
    kept: Ints
    follow: Ints
    peak: Ints
    both: Ints
    arrive: Ints
    begin: Ints


@compiled
def layer_costs(costs: StageCosts, low: int, high: int) -> LayerCosts:
    """Costs on regions of low..high chiplets: read one by one in tables, else from the model."""
    shape = (costs.alone.shape[0], costs.options)
    layers = LayerCosts(
        low,
        high,
        np.full(shape, FAR, dtype=np.int64),
        np.full(shape, FAR, dtype=np.int64),
        np.full(shape, FAR, dtype=np.int64),
        np.full((*shape, shape[1]), FAR, dtype=np.int64),
        np.full(shape, FAR, dtype=np.int64),
        np.full(shape, FAR, dtype=np.int64),
        np.full(shape, FAR, dtype=np.int64),
        np.full(shape, FAR, dtype=np.int64),
    )
    for layer in range(shape[0]):
        for option in range(shape[1]):
            if low < high and not costs.dense:
                lower_by_model(costs, layers, layer, option)
            else:
                for chiplets in range(low, high + 1):
                    lower_by_table(costs, layers, layer, option, chiplets)
    return layers


@lean
def lower_by_table(
    costs: StageCosts, layers: LayerCosts, layer: int, option: int, chiplets: int
) -> None:
    """Lower a layer's costs to those on one region size."""
    place = layer, option
    peak = momentary(costs, layer, layer, option, chiplets)
    kept = resident(costs, layer, option, chiplets)
    if kept + peak > costs.capacity:
        return
    layers.kept[place] = min(layers.kept[place], kept)
    layers.peak[place] = min(layers.peak[place], peak)
    layers.both[place] = min(layers.both[place], kept + peak)
    layers.enter[place] = min(layers.enter[place], entry(costs, layer, option, chiplets))
    layers.leave[place] = min(layers.leave[place], sending(costs, layer, option, chiplets))
    for before in range(costs.options):
        time = step(costs, layer, before, option, chiplets)
        layers.follow[layer, before, option] = min(layers.follow[layer, before, option], time)
    time = arrival(costs, 0, layer, option, chiplets)
    layers.arrive[place] = min(layers.arrive[place], time)
    time = arrival(costs, layer, layer, option, chiplets)
    layers.begin[place] = min(layers.begin[place], time)


@lean
def lower_by_model(costs: StageCosts, layers: LayerCosts, layer: int, option: int) -> None:
    """Set a layer's costs to what the cost model says of a range; memory falls with its size."""
    place, low, high = (layer, option), layers.low, layers.high
    peak = momentary(costs, layer, layer, option, high)
    kept = resident(costs, layer, option, high)
    if kept + peak > costs.capacity:
        return
    layers.kept[place], layers.peak[place], layers.both[place] = kept, peak, kept + peak
    layers.enter[place] = floors.entry(costs.facts, layer, option, low, high)
    layers.leave[place] = floors.sending(costs.facts, layer, option, low, high)
    for before in range(costs.options):
        time = floors.step(costs.facts, layer, before, option, low, high)
        layers.follow[layer, before, option] = time
    layers.arrive[place] = layers.begin[place] = 0
