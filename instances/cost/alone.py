"""One layer alone on the whole package, its weights in tiles that fit."""

from __future__ import annotations

from instances.cost.energy import read_by_array, rounded, tile_inputs
from instances.cost.facts import INPUT, ISP, WSP, Facts
from instances.cost.layers import cycles_of, dram_port, folded, port, tile_of
from instances.cost.rates import over
from instances.jit import lean


@lean
def alone(facts: Facts, layer: int) -> tuple[int, int]:
    """Beat in cycles, -1 if no tile fits, and picojoules a sample.

    Tiles of output channels stay for the whole batch; activations stream from DRAM, the inputs
    once a tile, and back. Channels (as ISP) or positions (as WSP) are spread over all chiplets,
    whichever is faster.
    """
    by_channel = _tiled(facts, layer, ISP)
    by_position = _tiled(facts, layer, WSP)
    if by_channel[0] < 0 or 0 <= by_position[0] < by_channel[0]:
        return by_position
    return by_channel


@lean
def _tiled(facts: Facts, layer: int, option: int) -> tuple[int, int]:
    """Beat and energy of one way to spread a tile.

    As ISP, every chiplet sees all inputs and makes some of the tile's channels; as WSP, it holds
    the whole weight tile and makes some positions.
    """
    own, package = facts.layers[layer], facts.package[0]
    n = package.chiplets
    rows, columns = tile_of(facts, layer, option, n)
    channel_bytes = over(own.weights + own.stationed, own.channels)
    width = package.element * (2 if own.addends > 0 else 1)
    free = package.buffer - 2 * _window(facts, layer, option, columns)
    fit = free // (channel_bytes + 2 * columns * width)
    if fit < 1:
        return -1, 0
    share = over(own.channels, n) if option == ISP else own.channels
    tiles = over(share, min(fit, share))
    channels = over(share, tiles)
    if option == ISP:
        inputs, other = own.inputs, over(own.operands, n)
    else:
        inputs, other = tile_inputs(facts, layer, rows, columns), own.operands
    coming = tiles * inputs + other + over(own.addends, n)
    computing = tiles * cycles_of(facts, layer, channels, rows, columns)
    communicating = port(facts, coming) + port(facts, over(own.made, n))
    moved = tiles * own.inputs + own.operands + own.addends + own.made
    beat = max(folded(facts, computing, communicating), dram_port(facts, moved))

    weights = channels * channel_bytes
    reads = tiles * read_by_array(facts, channels, weights, inputs, rows, columns)
    bits = 8 * (
        package.read_pj * (reads * n + own.made)
        + package.write_pj * (coming * n + own.made)
        + package.nop_pj * (coming * n + own.made)
        + package.dram_pj * moved
    )
    return beat, rounded(package.mac_pj * own.macs + bits)


@lean
def _window(facts: Facts, layer: int, option: int, columns: int) -> int:
    """Inputs that must be on one chiplet for a row of outputs, as WSP of so many columns."""
    own = facts.layers[layer]
    if option == ISP or own.columns == 1:
        return own.window
    reach, total = own.column_slope * columns + own.column_rest, 0
    for use in range(facts.layers[layer].uses, facts.layers[layer + 1].uses):
        read = facts.uses[use]
        if read.roles & INPUT:
            total += read.position * read.window * min(reach, read.width)
    return total
