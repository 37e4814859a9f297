"""DRAM traffic of segments.

A tensor comes in once however many layers of the segment read it, and leaves once if anything after
the segment needs it.
"""

from __future__ import annotations

import numpy as np

from instances.cost.energy import dram_energy
from instances.cost.facts import Facts
from instances.cost.layers import dram_port
from instances.jit import compiled, lean
from instances.tables import Ints


@lean
def traffic(facts: Facts, first: int, last: int) -> int:
    """Bytes a sample of segment first..last: O(its layers and their tensors)."""
    total = 0
    for use in range(facts.layers[first].uses, facts.layers[last + 1].uses):
        if facts.uses[use].since < first:
            total += facts.uses[use].bytes
    for tensor in range(facts.layers[first].makes, facts.layers[last + 1].makes):
        if facts.tensors[tensor].until > last:
            total += facts.tensors[tensor].bytes
    return total


@compiled
def traffics(facts: Facts, first: int, last: int) -> Ints:
    """[last - first + 1] bytes a sample of first..first, of first..first + 1, up to first..last."""
    found = np.empty(last - first + 1, dtype=np.int64)
    coming, leaving = 0, 0
    for layer in range(first, last + 1):
        for use in range(facts.layers[layer].uses, facts.layers[layer + 1].uses):
            read = facts.uses[use]
            if read.since < first:
                coming += read.bytes
            if read.until == layer and read.producer >= first:
                leaving -= read.bytes
        for tensor in range(facts.layers[layer].makes, facts.layers[layer + 1].makes):
            leaving += facts.tensors[tensor].bytes
        found[layer - first] = coming + leaving
    return found


@lean
def segment_traffic(facts: Facts, first: int, last: int) -> tuple[int, int]:
    """Cycles and picojoules a sample of segment first..last."""
    amount = traffic(facts, first, last)
    return dram_port(facts, amount), dram_energy(facts, amount)
