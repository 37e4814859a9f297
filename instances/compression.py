"""Compression at the cuts: ratios for tensors that cross from cluster to cluster, and their costs.

Where the output of a layer crosses, an encoder on the sender's region may squeeze it and a decoder
on each receiver's region unfold it again *(QuiltNet)*. Everything else is our reading *(ours)*:

- There is one ratio for each layer's output, wherever it goes; 1 means no compression.
- A coder (encoder or decoder) costs where the tensor crosses the border of a cluster, not inside
  of one: cycles, weights that are loaded and resident, energy. Between segments the code is what
  goes to DRAM and comes back.
- Every ratio above 1 loses accuracy, wherever the tensor goes; the losses add up to at most a
  budget. They are integers, in millionths, so that sums are exact.
- A tiled layer streams its tensors from and to DRAM and has no stage that a coder could be in: what
  it reads and makes is not compressed.

The choice k of a layer is an index of `ratios`; choice 0 is ratio 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from instances.tables import Ints

MILLION = 10**6
"""Losses and budgets are in millionths."""

Choices = tuple[int, ...]
"""Of each layer, the index of its output's ratio."""


@dataclass(frozen=True, eq=False)
class Coders:
    """What encoders, or decoders, need besides cycles: by ratio and layer whose output it is.

    Attributes:
        resident: [R,L,C] bytes that each chiplet of the region holds.
        load, load_energy: [R,L] cycles and picojoules to bring the weights, once a segment.
    """

    resident: Ints
    load: Ints
    load_energy: Ints


@dataclass(frozen=True, eq=False)
class SkipCodes:
    """What a skip tensor costs at each ratio; shaped like those of `instances.tables.Skip`.

    Attributes:
        producer, consumers: as there.
        enter, enter_energy: [R,V,O,C] to receive and decode it.
        leave, leave_energy: [R,C] to encode and send it.
    """

    producer: int
    consumers: tuple[int, ...]
    enter: Ints
    leave: Ints
    enter_energy: Ints
    leave_energy: Ints

    def touches(self, first: int, last: int) -> bool:
        """Whether a layer of first..last makes or reads it."""
        return any(first <= layer <= last for layer in (self.producer, *self.consumers))


@dataclass(frozen=True, eq=False)
class Compression:
    """Which ratios there are, what they cost and what they lose; entry 0 of each R is ratio 1.

    Attributes:
        ratios: [R] ascending, 1 first.
        readers: [L] the layers that read the layer's output, ascending.
        losses: [L,R] millionths; -1 where the layer's output cannot have the ratio.
        budget: millionths that the losses may add up to.
        entry, entry_energy: [R,L,O,C] as in the cost tables, while the output of the layer before
            has the ratio.
        exit, exit_energy: [R,L,O,C] as there, while the layer's own output has the ratio.
        skips: those of the cost tables, in their order.
        encoders, decoders: memory and loads.
        traffic: [L,L] what segments s..e exchange with DRAM, not compressed, in units.
        saved: [R,L] units less each time that the layer's output is written or read.
        rate: cycles for a unit of traffic, as a fraction; a sum is rounded up.
        saved_energy: [R,L] picojoules.
    """

    ratios: tuple[int, ...]
    readers: tuple[tuple[int, ...], ...]
    losses: Ints
    budget: int
    entry: Ints
    exit: Ints
    entry_energy: Ints
    exit_energy: Ints
    skips: tuple[SkipCodes, ...]
    encoders: Coders
    decoders: Coders
    traffic: Ints
    saved: Ints
    rate: tuple[int, int]
    saved_energy: Ints

    def within(self, budget: int) -> Compression:
        """The same with another budget, in millionths."""
        return replace(self, budget=budget)

    def loss(self, choices: Sequence[int]) -> int:
        """Millionths that so many choices lose."""
        return sum(int(self.losses[layer, k]) for layer, k in enumerate(choices))

    @property
    def largest_loss(self) -> int:
        """Millionths that all outputs lose together at the ratios that lose most."""
        return int(self.losses.max(axis=1).sum())

    def choices(self, ratios: Sequence[int]) -> Choices:
        """The choices that make these ratios, one a layer; all 0 for none at all.

        Raises:
            ValueError: a ratio that there is not.
        """
        if not ratios:
            return (0,) * len(self.readers)
        return tuple(self.ratios.index(ratio) for ratio in ratios)

    def ratios_of(self, choices: Sequence[int]) -> tuple[int, ...]:
        """The ratios of a schedule with these choices; none at all if nothing is compressed."""
        return tuple(self.ratios[k] for k in choices) if any(choices) else ()

    def entering(self, first: int, last: int) -> list[int]:
        """Layers whose outputs a cluster, or segment, first..last receives."""
        return [
            producer
            for producer, readers in enumerate(self.readers[:first])
            if any(first <= reader <= last for reader in readers)
        ]

    def leaving(self, first: int, last: int) -> list[int]:
        """Layers whose outputs a cluster, or segment, first..last sends."""
        return [
            producer
            for producer in range(first, last + 1)
            if any(reader > last for reader in self.readers[producer])
        ]

    def crossing(self, first: int, last: int) -> list[int]:
        """Layers whose outputs a cluster, or segment, receives, and then those that it sends."""
        return [*self.entering(first, last), *self.leaving(first, last)]

    def segments_crossed(self, layer: int) -> NDArray[np.bool_]:
        """[L,L] whether segment s..e receives or sends a layer's output."""
        count = len(self.readers)
        crossed = np.zeros((count, count), dtype=np.bool_)
        for before, reader in pairwise((layer, *self.readers[layer])):
            crossed[before + 1 : reader + 1, reader:] = True
        crossed[: layer + 1, layer : max(self.readers[layer], default=layer)] = True
        return crossed

    def allowed(self, layer: int) -> list[int]:
        """The choices that a layer has within the budget, 0 first."""
        losses = self.losses[layer]
        return np.flatnonzero((losses >= 0) & (losses <= self.budget)).tolist()

    @cached_property
    def open(self) -> tuple[int, ...]:
        """Layers whose outputs may have a ratio above 1."""
        return tuple(np.flatnonzero((self.losses[:, 1:] >= 0).any(axis=1)).tolist())

    def spared(self, first: int, last: int, choices: Sequence[int]) -> tuple[int, int]:
        """Units of traffic and picojoules that a segment first..last is spared, a sample."""
        crossing = self.crossing(first, last)
        units = sum(int(self.saved[choices[layer], layer]) for layer in crossing)
        return units, sum(int(self.saved_energy[choices[layer], layer]) for layer in crossing)

    def cycles(self, units: int) -> int:
        """What so many units of DRAM traffic take."""
        numerator, denominator = self.rate
        return -(-units * numerator // denominator)

    def all_cycles(self, units: Ints) -> Ints:
        """The same for each of many, any of which may pass 64 bits on the way."""
        numerator, denominator = self.rate
        exact = -(-units.astype(object) * numerator // denominator)
        return exact.astype(np.int64)
