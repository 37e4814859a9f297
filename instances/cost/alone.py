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
    return by_position if _second(by_channel[0], by_position[0]) else by_channel


@lean
def _second(by_channel: int, by_position: int) -> bool:
    """Whether a tile is spread by position, of the beats of both ways."""
    return by_channel < 0 or 0 <= by_position < by_channel


@lean
def plan_of(facts: Facts, layer: int) -> tuple[int, int, int, int, int, int, int, int, int, int]:
    """What `alone` counts with.

    Whether by channel (-1 if no tile fits), tiles, channels, rows and columns of a chiplet in one;
    inputs, operands and addends to each chiplet; results of all, bytes from and to DRAM: a sample.
    """
    option = ISP
    if _second(_tiled(facts, layer, ISP)[0], _tiled(facts, layer, WSP)[0]):
        option = WSP
    tiles, channels, rows, columns, inputs, other, addends = _plan(facts, layer, option)
    own = facts.layers[layer]
    by_channel = int(option == ISP) if tiles > 0 else -1
    return (
        by_channel,
        tiles,
        channels,
        rows,
        columns,
        tiles * inputs,
        other,
        addends,
        own.made,
        tiles * own.inputs + own.operands + own.addends + own.made,
    )


@lean
def _plan(facts: Facts, layer: int, option: int) -> tuple[int, int, int, int, int, int, int]:
    """Tiles, 0 if none fits; channels, rows, columns; inputs of one, operands, addends."""
    own, package = facts.layers[layer], facts.package[0]
    n = package.chiplets
    rows, columns = tile_of(facts, layer, option, n)
    width = package.element * (2 if own.addends > 0 else 1)
    free = package.buffer - 2 * _window(facts, layer, option, columns)
    fit = free // (_channel_bytes(facts, layer) + 2 * columns * width)
    if fit < 1:
        return 0, 0, rows, columns, 0, 0, 0
    share = over(own.channels, n) if option == ISP else own.channels
    tiles = over(share, min(fit, share))
    if option == ISP:
        inputs, other = own.inputs, over(own.operands, n)
    else:
        inputs, other = tile_inputs(facts, layer, rows, columns), own.operands
    return tiles, over(share, tiles), rows, columns, inputs, other, over(own.addends, n)


@lean
def _channel_bytes(facts: Facts, layer: int) -> int:
    """Of the weights, or operands, of one output channel."""
    own = facts.layers[layer]
    return over(own.weights + own.stationed, own.channels)


@lean
def _tiled(facts: Facts, layer: int, option: int) -> tuple[int, int]:
    """Beat and energy of one way to spread a tile.

    As ISP, every chiplet sees all inputs and makes some of the tile's channels; as WSP, it holds
    the whole weight tile and makes some positions.
    """
    own, package = facts.layers[layer], facts.package[0]
    n = package.chiplets
    tiles, channels, rows, columns, inputs, other, addends = _plan(facts, layer, option)
    if tiles < 1:
        return -1, 0
    coming = tiles * inputs + other + addends
    computing = tiles * cycles_of(facts, layer, channels, rows, columns)
    communicating = port(facts, coming) + port(facts, over(own.made, n))
    moved = tiles * own.inputs + own.operands + own.addends + own.made
    beat = max(folded(facts, computing, communicating), dram_port(facts, moved))

    weights = channels * _channel_bytes(facts, layer)
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
