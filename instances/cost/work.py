"""What a cluster's layers do for a sample: bytes that each chiplet takes in, and its share of MACs.

These are the amounts behind the times of `layers`; rates, latencies and overlaps have no part here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from instances.cost.alone import plan_of
from instances.cost.facts import Facts
from instances.cost.layers import (
    channels_of,
    gathered,
    received,
    redistributed,
    resident,
    tile_of,
)
from instances.jit import compiled
from instances.tables import Ints

if TYPE_CHECKING:
    from instances.cost.model import AnalyticCosts

WEIGHTS = -1
"""Stands for the weights of a layer where a tensor is named."""


@dataclass(frozen=True)
class Receipt:
    """Bytes that a layer takes in for a sample.

    Attributes:
        layer: that reads.
        tensor: number in `network.tensors`, or WEIGHTS for shards that are gathered.
        outside: whether they come from outside the region.
        bytes: to each chiplet.
        whole: of all of the tensor, or of all weights.
    """

    layer: int
    tensor: int
    outside: bool
    bytes: int
    whole: int


@dataclass(frozen=True)
class Share:
    """What the busiest chiplet of a region does of a layer for a sample.

    Attributes:
        channels: output channels.
        rows, columns: positions.
        weights: bytes of weights that it holds for the whole segment.
    """

    channels: int
    rows: int
    columns: int
    weights: int


@dataclass(frozen=True)
class Tiling:
    """A layer alone on the whole package, in weight tiles.

    Attributes:
        by_channel: tiles are spread by output channels, or else by positions.
        tiles: how many, one after the other; each stays for the whole batch.
        channels, rows, columns: of a chiplet in one tile.
        inputs, operands, addends: bytes that come to each chiplet a sample, of all tiles.
        made: bytes of the results, of all chiplets.
        moved: bytes from and to DRAM a sample.
    """

    by_channel: bool
    tiles: int
    channels: int
    rows: int
    columns: int
    inputs: int
    operands: int
    addends: int
    made: int
    moved: int


def receipts(
    costs: AnalyticCosts, first: int, last: int, options: tuple[str, ...], chiplets: int
) -> list[Receipt]:
    """All that the layers of a cluster take in, by layer."""
    chosen = np.array([costs.options.index(name) for name in options])
    rows = _receipts(costs.facts, first, last, chosen, chiplets).tolist()
    return [Receipt(layer, tensor, bool(out), *rest) for layer, tensor, out, *rest in rows]


@compiled
def _receipts(facts: Facts, first: int, last: int, options: Ints, n: int) -> Ints:
    """[R,5] layer, tensor, whether from outside, bytes, bytes of the whole."""
    most = facts.layers[last + 1].uses - facts.layers[first].uses + last - first + 1
    found = np.empty((most, 5), dtype=np.int64)
    count = 0
    for layer in range(first, last + 1):
        option = options[layer - first]
        for use in range(facts.layers[layer].uses, facts.layers[layer + 1].uses):
            read = facts.uses[use]
            outside = read.since < first
            amount = 0
            if outside:
                amount = received(facts, layer, use, option, n)
            elif read.chain:
                amount = redistributed(facts, layer, use, options[layer - first - 1], option, n)
            if amount > 0:
                found[count] = (layer, read.tensor, int(outside), amount, read.bytes)
                count += 1
        amount = gathered(facts, layer, option, n)
        if amount > 0:
            found[count] = (layer, WEIGHTS, 0, amount, facts.layers[layer].weights)
            count += 1
    return found[:count]


def shares(
    costs: AnalyticCosts, first: int, last: int, options: tuple[str, ...], chiplets: int
) -> list[Share]:
    """Of each layer of a cluster."""
    chosen = np.array([costs.options.index(name) for name in options])
    return [Share(*row) for row in _shares(costs.facts, first, last, chosen, chiplets).tolist()]


@compiled
def _shares(facts: Facts, first: int, last: int, options: Ints, n: int) -> Ints:
    """[layers,4] channels, rows, columns, bytes of weights."""
    found = np.empty((last - first + 1, 4), dtype=np.int64)
    for layer in range(first, last + 1):
        option = options[layer - first]
        rows, columns = tile_of(facts, layer, option, n)
        held = resident(facts, layer, option, n)
        found[layer - first] = (channels_of(facts, layer, option, n), rows, columns, held)
    return found


def tiling(costs: AnalyticCosts, layer: int) -> Tiling | None:
    """How a layer runs alone in weight tiles; None if no tile fits."""
    by_channel, *rest = _plan(costs.facts, layer).tolist()
    return None if by_channel < 0 else Tiling(bool(by_channel), *rest)


@compiled
def _plan(facts: Facts, layer: int) -> Ints:
    """What `plan_of` says."""
    return np.array(plan_of(facts, layer))
