"""The energy that goes with the costs of `layers`, in picojoules."""

from __future__ import annotations

import numpy as np

from instances.cost.facts import INPUT, ISP, Facts
from instances.cost.layers import (
    channels_of,
    inside,
    outside,
    passes_over,
    tile_bytes,
    tile_of,
)
from instances.cost.rates import over
from instances.jit import lean


@lean
def rounded(amount: float) -> int:
    """To the nearest whole picojoule, halves to even."""
    return int(np.rint(amount))


@lean
def read_by_array(
    facts: Facts, channels: int, weights: int, inputs: int, rows: int, columns: int
) -> int:
    """Bytes that one chiplet's array reads from its buffer for one sample.

    Weight-stationary: weights once, inputs once a block of output channels. Output-stationary:
    inputs once an output channel, weights once a block of positions.
    """
    package = facts.package[0]
    if package.stationary:
        return weights + inputs * over(channels, package.across)
    return weights * passes_over(facts, rows, columns) + inputs * channels


@lean
def tile_inputs(facts: Facts, layer: int, rows: int, columns: int) -> int:
    """Bytes of all inputs that a tile of positions reads."""
    total = 0
    for use in range(facts.layers[layer].uses, facts.layers[layer + 1].uses):
        if facts.uses[use].roles & INPUT:
            total += tile_bytes(facts, layer, use, rows, columns)
    return total


@lean
def compute_energy(facts: Facts, layer: int, option: int, n: int) -> float:
    """Of the arrays and their buffers on all chiplets, not rounded."""
    own, package = facts.layers[layer], facts.package[0]
    rows, columns = tile_of(facts, layer, option, n)
    weights, inputs = own.weights + own.operands, own.inputs
    if option == ISP:
        weights = over(weights, n)
    else:
        inputs = tile_inputs(facts, layer, rows, columns)
    channels = channels_of(facts, layer, option, n)
    reads = n * read_by_array(facts, channels, weights, inputs, rows, columns)
    fixed = package.mac_pj * own.macs + 8 * package.write_pj * own.made
    return fixed + 8 * package.read_pj * reads


@lean
def delivery_energy(facts: Facts, amount: int, n: int) -> int:
    """`amount` bytes to each of n chiplets, a hop and a buffer write a byte."""
    package = facts.package[0]
    return rounded(8 * (package.nop_pj + package.write_pj) * amount * n)


@lean
def send_energy(facts: Facts, amount: int) -> int:
    """Read once, over one hop."""
    package = facts.package[0]
    return rounded(8 * (package.read_pj + package.nop_pj) * amount)


@lean
def entry_energy(facts: Facts, layer: int, option: int, n: int) -> int:
    """Of what `entry` times."""
    received = delivery_energy(facts, outside(facts, layer, option, n), n)
    return rounded(compute_energy(facts, layer, option, n)) + received


@lean
def step_energy(facts: Facts, layer: int, before: int, option: int, n: int) -> int:
    """Of what `step` times."""
    if layer == 0:
        return 0
    received = delivery_energy(facts, inside(facts, layer, before, option, n), n)
    return rounded(compute_energy(facts, layer, option, n)) + received


@lean
def load_energy(facts: Facts, amount: int) -> int:
    """Of weights from DRAM, over one hop, into a buffer."""
    package = facts.package[0]
    return rounded(8 * (package.dram_pj + package.nop_pj + package.write_pj) * amount)


@lean
def dram_energy(facts: Facts, amount: int) -> int:
    """Of bytes read from or written to DRAM."""
    return rounded(8 * facts.package[0].dram_pj * amount)
