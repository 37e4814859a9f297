"""Compute: how long a chiplet's MAC array works at its share of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from instances.network import Layer, Network
from instances.package import Chiplet
from instances.tables import Ints


def ceil_div(a: Ints | int, b: Ints | int) -> Ints:
    """Quotient rounded up."""
    quotient: Ints = -np.floor_divide(-np.asarray(a, dtype=np.int64), b)
    return quotient


@dataclass(frozen=True, eq=False)
class LayerSizes:
    """Sizes of all layers as columns, [L,1], so that they broadcast over region sizes [C].

    Attributes:
        channels: K. depth: D / g, input channels of one group. taps: R * S.
        rows, columns: P, Q. weights: elements.
    """

    channels: Ints
    depth: Ints
    taps: Ints
    rows: Ints
    columns: Ints
    weights: Ints

    @classmethod
    def of(cls, network: Network) -> LayerSizes:
        """Collect the sizes of a network."""

        def column(values: list[int]) -> Ints:
            return np.array(values, dtype=np.int64)[:, None]

        layers = network.layers
        return cls(
            channels=column([layer.channels for layer in layers]),
            depth=column([layer.depth // layer.groups for layer in layers]),
            taps=column([prod(layer.kernel) for layer in layers]),
            rows=column([layer.positions[0] for layer in layers]),
            columns=column([layer.positions[1] for layer in layers]),
            weights=column([layer.weights for layer in layers]),
        )


@dataclass(frozen=True, eq=False)
class PositionSplit:
    """How each layer's P x Q positions are cut into tiles for regions of 1..C chiplets.

    Attributes:
        rows, columns: [L,C] output positions of the largest tile, P' and Q'.
        input_rows, input_columns: [L,C] input positions which that tile reads, halo included.
    """

    rows: Ints
    columns: Ints
    input_rows: Ints
    input_columns: Ints


def split_positions(network: Network, chiplet: Chiplet, chiplets: int) -> PositionSplit:
    """The best tiles a x b <= c: fewest compute cycles, then the smallest input tile."""
    found: dict[tuple[object, ...], Ints] = {}
    rows = []
    for layer in network.layers:
        key = (layer.positions, layer.kernel, layer.stride, layer.kind)
        if key not in found:
            found[key] = _split_one(layer, chiplet, chiplets)
        rows.append(found[key])
    stacked = np.stack(rows)
    return PositionSplit(*(stacked[:, part] for part in range(4)))


def _split_one(layer: Layer, chiplet: Chiplet, chiplets: int) -> Ints:
    """[4,C]: the attributes of PositionSplit for one layer."""
    a, b = _factor_pairs(*layer.positions, chiplets)
    rows = ceil_div(layer.positions[0], a)
    columns = ceil_div(layer.positions[1], b)
    input_rows = _reach(layer, 0, rows)
    input_columns = _reach(layer, 1, columns)
    work = _array_passes(chiplet, rows, columns)
    tile = input_rows * input_columns
    order = np.lexsort((tile, work))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    best = np.full(chiplets, len(order), dtype=np.int64)
    np.minimum.at(best, a * b - 1, rank)
    chosen = order[np.minimum.accumulate(best)]
    return np.stack([rows, columns, input_rows, input_columns])[:, chosen]


def _factor_pairs(rows: int, columns: int, chiplets: int) -> tuple[Ints, Ints]:
    """All (a, b) with a * b <= chiplets that leave no tile empty."""
    pairs = [
        (a, b)
        for a in range(1, min(rows, chiplets) + 1)
        for b in range(1, min(columns, chiplets // a) + 1)
    ]
    array = np.array(pairs, dtype=np.int64)
    return array[:, 0], array[:, 1]


def _reach(layer: Layer, axis: int, outputs: Ints) -> Ints:
    """Input positions along one axis that `outputs` neighbouring kernel positions touch."""
    kernel, stride = layer.kernel[axis], layer.stride[axis]
    if layer.kind == "deconv":
        return outputs + (kernel - 1) // stride
    return (outputs - 1) * stride + kernel


def _array_passes(chiplet: Chiplet, rows: Ints, columns: Ints) -> Ints:
    """The factor of the compute time that depends on the tile of positions."""
    if chiplet.dataflow == "weight-stationary":
        return rows * columns
    p, q = chiplet.array
    passes: Ints = ceil_div(rows, p) * ceil_div(columns, q)
    return passes


def compute_cycles(
    chiplet: Chiplet, sizes: LayerSizes, channels: Ints, rows: Ints, columns: Ints
) -> Ints:
    """Cycles for `channels` x `rows` x `columns` outputs of each layer on one chiplet.

    Weight-stationary: ceil(K'/k) ceil(D'/d) R S P' Q'; output-stationary:
    ceil(P'/p) ceil(Q'/q) K' D' R S (docs/problem.md, 'Compute').
    """
    passes = _array_passes(chiplet, rows, columns) * sizes.taps
    if chiplet.dataflow == "weight-stationary":
        k, d = chiplet.array
        passes = ceil_div(channels, k) * ceil_div(sizes.depth, d) * passes
        return passes
    return channels * sizes.depth * passes


def operand_reads(
    chiplet: Chiplet, channels: Ints, weights: Ints, inputs: Ints, passes: Ints
) -> Ints:
    """Bytes that one chiplet's array reads from its buffer for one sample.

    Weight-stationary: weights once, inputs once a block of output channels. Output-stationary:
    inputs once an output channel, weights once a block of positions (`passes`).
    """
    if chiplet.dataflow == "weight-stationary":
        reads: Ints = weights + inputs * ceil_div(channels, chiplet.array[0])
        return reads
    return weights * passes + inputs * channels


def blocks_of_positions(chiplet: Chiplet, rows: Ints, columns: Ints) -> Ints:
    """How often an output-stationary array starts over on a tile; 1 if weights are stationary."""
    if chiplet.dataflow == "weight-stationary":
        return np.ones_like(rows)
    return _array_passes(chiplet, rows, columns)
