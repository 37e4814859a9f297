"""What a layer costs at least on a region whose size is only known to lie in a range.

Work and shares of tensors do not grow with the region, gathered bytes and hops do not shrink with
it: each part is taken where it is least. The halo of a tile follows no such rule and is left out.
"""

from __future__ import annotations

from instances.cost import layers as model
from instances.cost.facts import ADDEND, INPUT, ISP, OPERAND, Facts
from instances.cost.rates import over
from instances.jit import lean


@lean
def entry(facts: Facts, layer: int, option: int, low: int, high: int) -> int:
    """Cycles of a layer that is first in its cluster on low..high chiplets."""
    total = model.gathered(facts, layer, option, low)
    for use in range(facts.layers[layer].uses, facts.layers[layer + 1].uses):
        read = facts.uses[use]
        if read.chain:
            total += _received(read.bytes, read.roles, option, high)
    return _stage(facts, layer, option, total, low, high)


@lean
def step(facts: Facts, layer: int, before: int, option: int, low: int, high: int) -> int:
    """Cycles of a layer after its predecessor on low..high chiplets; none of layer 0."""
    if layer == 0:
        return 0
    total = model.gathered(facts, layer, option, low)
    for use in range(facts.layers[layer].uses, facts.layers[layer + 1].uses):
        read = facts.uses[use]
        if read.chain:
            total += _redistributed(read.bytes, read.roles, before, option, low, high)
    return _stage(facts, layer, option, total, low, high)


@lean
def sending(facts: Facts, layer: int, option: int, low: int, high: int) -> int:
    """Cycles to send all results away on low..high chiplets."""
    cycles = model.send(facts, facts.layers[layer].made, high)
    if facts.package[0].overlap:
        return max(0, cycles - model.compute(facts, layer, option, low))
    return cycles


@lean
def _stage(facts: Facts, layer: int, option: int, amount: int, low: int, high: int) -> int:
    coming = model.port(facts, amount) + facts.reach[low] if amount > 0 else 0
    return model.folded(facts, model.compute(facts, layer, option, high), coming)


@lean
def _received(size: int, roles: int, option: int, high: int) -> int:
    """Bytes of a tensor from outside."""
    most = 0
    if roles & INPUT and option == ISP:
        most = size
    if roles & OPERAND:
        most = max(most, over(size, high) if option == ISP else size)
    if roles & ADDEND:
        most = max(most, over(size, high))
    return most


@lean
def _redistributed(size: int, roles: int, before: int, option: int, low: int, high: int) -> int:
    """Bytes of a tensor of the previous layer; a transposed share is least at an end."""
    gather = size - size // low
    transpose = min(over(size * (low - 1), low * low), over(size * (high - 1), high * high))
    most = 0
    if roles & INPUT:
        if option == ISP:
            most = gather
        elif before == ISP:
            most = transpose
    if roles & OPERAND:
        most = max(most, transpose if option == ISP else gather)
    if roles & ADDEND and (before == ISP) != (option == ISP):
        most = max(most, transpose)
    return most
