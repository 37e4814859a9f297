"""The cost model of one layer on a region of n chiplets (docs/problem.md, 'The cost model').

Here alone it is stated what a layer costs: tables are filled, and single costs computed, by these
functions. Times are cycles and sizes bytes.
"""

from __future__ import annotations

from instances.cost.facts import ADDEND, INPUT, ISP, OPERAND, WSP_SHARDED, Facts
from instances.cost.rates import at_rate, over
from instances.jit import lean


@lean
def tile_of(facts: Facts, layer: int, option: int, n: int) -> tuple[int, int]:
    """(P', Q'), the positions of the slowest chiplet."""
    own = facts.layers[layer]
    if option == ISP:
        return own.rows, own.columns
    low, high = own.cut, own.cut_end
    while high - low > 1:
        middle = (low + high) // 2
        if facts.cuts[middle].chiplets <= n:
            low = middle
        else:
            high = middle
    return facts.cuts[low].rows, facts.cuts[low].columns


@lean
def channels_of(facts: Facts, layer: int, option: int, n: int) -> int:
    """K', the output channels of one chiplet."""
    channels = facts.layers[layer].channels
    return over(channels, n) if option == ISP else channels


@lean
def passes_over(facts: Facts, rows: int, columns: int) -> int:
    """How often the array works on a tile of positions: one a time, or all that it unrolls."""
    package = facts.package[0]
    if package.stationary:
        return rows * columns
    return over(rows, package.across) * over(columns, package.down)


@lean
def cycles_of(facts: Facts, layer: int, channels: int, rows: int, columns: int) -> int:
    """Cycles for `channels` x `rows` x `columns` outputs on one chiplet.

    Weight-stationary: ceil(K'/k) ceil(D'/d) R S P' Q'; output-stationary:
    ceil(P'/p) ceil(Q'/q) K' D' R S.
    """
    own, package = facts.layers[layer], facts.package[0]
    passes = passes_over(facts, rows, columns) * own.taps
    if package.stationary:
        return over(channels, package.across) * over(own.depth, package.down) * passes
    return channels * own.depth * passes


@lean
def compute(facts: Facts, layer: int, option: int, n: int) -> int:
    """Cycles of the slowest chiplet's array."""
    rows, columns = tile_of(facts, layer, option, n)
    return cycles_of(facts, layer, channels_of(facts, layer, option, n), rows, columns)


@lean
def tile_bytes(facts: Facts, layer: int, use: int, rows: int, columns: int) -> int:
    """Bytes of an input tensor that a tile of positions reads, halo included.

    All when an axis is not cut, as the inputs of a fully connected layer are flattened.
    """
    own, read = facts.layers[layer], facts.uses[use]
    height, width = read.height, read.width
    if rows != own.rows:
        height = min(height, own.row_slope * rows + own.row_rest)
    if columns != own.columns:
        width = min(width, own.column_slope * columns + own.column_rest)
    return read.position * height * width


@lean
def received(facts: Facts, layer: int, use: int, option: int, n: int) -> int:
    """Bytes each chiplet receives of a tensor from outside the region.

    A tensor of several roles comes once, in the largest amount that one of them asks for.
    """
    read = facts.uses[use]
    most = 0
    if read.roles & INPUT:
        rows, columns = tile_of(facts, layer, option, n)
        most = tile_bytes(facts, layer, use, rows, columns)
    if read.roles & OPERAND:
        most = max(most, over(read.bytes, n) if option == ISP else read.bytes)
    if read.roles & ADDEND:
        most = max(most, over(read.bytes, n))
    return most


@lean
def redistributed(facts: Facts, layer: int, use: int, before: int, option: int, n: int) -> int:
    """Bytes each chiplet receives of a tensor that the previous layer left in the region."""
    read = facts.uses[use]
    gather = read.bytes - read.bytes // n
    transpose = over(read.bytes * (n - 1), n * n)
    moved = transpose if (before == ISP) != (option == ISP) else 0
    most = 0
    if read.roles & INPUT:
        if option == ISP:
            most = gather
        elif before == ISP:
            most = transpose
        else:
            rows, columns = tile_of(facts, layer, option, n)
            tile = tile_bytes(facts, layer, use, rows, columns)
            most = max(0, tile - over(read.bytes, n))
    if read.roles & OPERAND:
        most = max(most, transpose if option == ISP else gather)
    if read.roles & ADDEND:
        most = max(most, moved)
    return most


@lean
def gathered(facts: Facts, layer: int, option: int, n: int) -> int:
    """Bytes of weight shards each chiplet collects before the layer runs."""
    if option != WSP_SHARDED:
        return 0
    weights = facts.layers[layer].weights
    return weights - weights // n


@lean
def outside(facts: Facts, layer: int, option: int, n: int) -> int:
    """Bytes each chiplet receives before a layer that is first in its cluster."""
    total = gathered(facts, layer, option, n)
    for use in range(facts.layers[layer].uses, facts.layers[layer + 1].uses):
        if facts.uses[use].chain:
            total += received(facts, layer, use, option, n)
    return total


@lean
def inside(facts: Facts, layer: int, before: int, option: int, n: int) -> int:
    """Bytes each chiplet receives before a layer that follows its predecessor."""
    total = gathered(facts, layer, option, n)
    for use in range(facts.layers[layer].uses, facts.layers[layer + 1].uses):
        if facts.uses[use].chain:
            total += redistributed(facts, layer, use, before, option, n)
    return total


@lean
def port(facts: Facts, amount: int) -> int:
    """Cycles that one network-on-package port needs."""
    package = facts.package[0]
    return at_rate(amount, package.port_numerator, package.port_denominator)


@lean
def dram_port(facts: Facts, amount: int) -> int:
    """Cycles that all DRAM ports together need."""
    package = facts.package[0]
    return at_rate(amount, package.dram_numerator, package.dram_denominator)


@lean
def transfer(facts: Facts, amount: int, n: int) -> int:
    """Cycles until so many bytes have come through each port of the region."""
    return arrived(facts, amount, facts.reach[n])


@lean
def arrived(facts: Facts, amount: int, way: int) -> int:
    """Cycles until so many bytes have come through a port, the last after `way` cycles."""
    return port(facts, amount) + way if amount > 0 else 0


@lean
def send(facts: Facts, amount: int, n: int) -> int:
    """Cycles in which every port of the region sends its share, and one hop."""
    return port(facts, over(amount, n)) + facts.package[0].hop if amount > 0 else 0


@lean
def folded(facts: Facts, computing: int, communicating: int) -> int:
    """A stage hides communication behind compute (max), or does not (sum)."""
    if facts.package[0].overlap:
        return max(computing, communicating)
    return computing + communicating


@lean
def entry(facts: Facts, layer: int, option: int, n: int) -> int:
    """Cycles of a layer that is first in its cluster."""
    return entry_after(facts, layer, option, n, facts.reach[n])


@lean
def entry_after(facts: Facts, layer: int, option: int, n: int, way: int) -> int:
    """The same if what it receives is so many cycles on its way."""
    coming = arrived(facts, outside(facts, layer, option, n), way)
    return folded(facts, compute(facts, layer, option, n), coming)


@lean
def step(facts: Facts, layer: int, before: int, option: int, n: int) -> int:
    """Cycles of a layer after its predecessor, whose option is `before`; none of layer 0."""
    return step_after(facts, layer, before, option, n, facts.reach[n])


@lean
def step_after(facts: Facts, layer: int, before: int, option: int, n: int, way: int) -> int:
    """The same if what it receives is so many cycles on its way."""
    if layer == 0:
        return 0
    coming = arrived(facts, inside(facts, layer, before, option, n), way)
    return folded(facts, compute(facts, layer, option, n), coming)


@lean
def sending(facts: Facts, layer: int, option: int, n: int) -> int:
    """Cycles to send all results away; if overlapped, what outlasts the compute shows."""
    cycles = send(facts, facts.layers[layer].made, n)
    if facts.package[0].overlap:
        return max(0, cycles - compute(facts, layer, option, n))
    return cycles


@lean
def arriving(facts: Facts, layer: int, use: int, option: int, n: int) -> int:
    """Bytes each chiplet receives of a skip tensor; none where `entry` and `step` have them."""
    return 0 if facts.uses[use].chain else received(facts, layer, use, option, n)


@lean
def resident(facts: Facts, layer: int, option: int, n: int) -> int:
    """Bytes of weights that a chiplet holds for the whole segment."""
    weights = facts.layers[layer].weights
    return over(weights, n) if option in (ISP, WSP_SHARDED) else weights


@lean
def working(facts: Facts, layer: int, option: int, n: int) -> int:
    """Bytes while the layer runs: double buffers, spread, and what the option has to gather."""
    own = facts.layers[layer]
    both = over(2 * own.held, n)
    if option == ISP:
        return both + own.window
    if option == WSP_SHARDED:
        return both + own.stationed + own.weights
    return both + own.stationed


@lean
def arrival(facts: Facts, first: int, layer: int, option: int, n: int) -> int:
    """Cycles for skip tensors that come from outside at a layer of a cluster from `first`."""
    total = 0
    for use in range(facts.layers[layer].uses, facts.layers[layer + 1].uses):
        if facts.uses[use].since < first:
            total += transfer(facts, arriving(facts, layer, use, option, n), n)
    return total


@lean
def departure(facts: Facts, first: int, last: int, n: int) -> int:
    """Cycles for tensors that a cluster makes before its last layer and layers after it need."""
    total = 0
    for tensor in range(facts.layers[first].makes, facts.layers[last].makes):
        if facts.tensors[tensor].until > last:
            total += send(facts, facts.tensors[tensor].bytes, n)
    return total


@lean
def waiting(facts: Facts, first: int, layer: int, n: int) -> int:
    """Bytes of skip tensors that wait while a layer of a cluster from `first` runs."""
    total = 0
    for wait in range(facts.layers[first].waits, facts.layers[layer].waits):
        if facts.waits[wait].until > layer:
            total += over(facts.waits[wait].bytes, n)
    return total
