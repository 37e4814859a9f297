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
from typing import TYPE_CHECKING

import numpy as np

from instances.costs import Costs, SegmentTables, StageTables
from instances.tables import CostTables, Ints

if TYPE_CHECKING:
    from instances.instance import Instance

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

    @cached_property
    def open(self) -> tuple[int, ...]:
        """Layers whose outputs may have a ratio above 1."""
        return tuple(np.flatnonzero((self.losses[:, 1:] >= 0).any(axis=1)).tolist())

    def spared(self, first: int, last: int, choices: Sequence[int]) -> tuple[int, int]:
        """Units of traffic and picojoules that a segment first..last is spared, a sample."""
        crossing = [*self.entering(first, last), *self.leaving(first, last)]
        units = sum(int(self.saved[choices[layer], layer]) for layer in crossing)
        return units, sum(int(self.saved_energy[choices[layer], layer]) for layer in crossing)

    def cycles(self, units: int) -> int:
        """What so many units of DRAM traffic take."""
        numerator, denominator = self.rate
        return -(-units * numerator // denominator)


class CompressedCosts(Costs):
    """The costs of an instance while its layers' outputs have certain ratios.

    Those of whole clusters and segments: `stage` is of a cluster first..last, no part of it.
    """

    def __init__(self, tables: CostTables, compression: Compression, choices: Choices) -> None:
        self.plain, self.compression, self.chosen = tables, compression, choices

    @property
    def layers(self) -> tuple[str, ...]:
        """Names."""
        return self.plain.layers

    @property
    def options(self) -> tuple[str, ...]:
        """Names."""
        return self.plain.options

    @property
    def chiplets(self) -> int:
        """C."""
        return self.plain.chiplets

    @property
    def capacity(self) -> int:
        """Bytes a chiplet."""
        return self.plain.capacity

    @property
    def leakage(self) -> int:
        """Picojoules a cycle, for the whole package."""
        return self.plain.leakage

    def stage(self, first: int, last: int, chiplets: int) -> StageTables:
        """The tables of cluster first..last, with its coders."""
        own, given, c = self.plain.stage(first, last, chiplets), self.compression, chiplets - 1
        before, after = self._choice(first - 1), self._choice(last)
        entry, entry_energy = own.entry.copy(), own.entry_energy.copy()
        entry[0] = given.entry[before, first, :, c]
        entry_energy[0] = given.entry_energy[before, first, :, c]
        exit_, exit_energy = own.exit.copy(), own.exit_energy.copy()
        exit_[-1] = given.exit[after, last, :, c]
        exit_energy[-1] = given.exit_energy[after, last, :, c]
        codes = [code for code in given.skips if code.touches(first, last)]
        skips = []
        for skip, code in zip(own.skips, codes, strict=True):
            k = self._choice(code.producer)
            inside = [n for n, v in enumerate(code.consumers) if first <= v <= last]
            skips.append(
                replace(
                    skip,
                    enter=code.enter[k, inside, :, c],
                    enter_energy=code.enter_energy[k, inside, :, c],
                    leave=int(code.leave[k, c]),
                    leave_energy=int(code.leave_energy[k, c]),
                )
            )
        resident, load, load_energy = self._coders(first, last, c)
        return replace(
            own,
            entry=entry,
            entry_energy=entry_energy,
            exit=exit_,
            exit_energy=exit_energy,
            skips=tuple(skips),
            coders_resident=resident,
            coders_load=load,
            coders_load_energy=load_energy,
        )

    def _coders(self, first: int, last: int, c: int) -> tuple[int, int, int]:
        """Resident bytes of a cluster's coders, and cycles and picojoules to load them."""
        given, need = self.compression, np.zeros(3, dtype=np.int64)
        for coders, layers in (
            (given.encoders, given.leaving(first, last)),
            (given.decoders, given.entering(first, last)),
        ):
            for layer in layers:
                place = self.chosen[layer], layer
                own = coders.resident[*place, c], coders.load[place], coders.load_energy[place]
                need += np.array(own)
        resident, load, load_energy = need.tolist()
        return resident, load, load_energy

    def _choice(self, layer: int) -> int:
        return self.chosen[layer] if layer >= 0 else 0

    def segment(self, first: int, last: int) -> SegmentTables:
        """What segment first..last costs besides its stages."""
        own, given = self.plain.segment(first, last), self.compression
        units, energy = given.spared(first, last, self.chosen)
        dram = given.cycles(int(given.traffic[first, last]) - units)
        return replace(own, dram=dram, dram_energy=own.dram_energy - energy)

    def tiled(self, layer: int) -> tuple[int, int] | None:
        """As without compression; None where the layer reads or makes what is compressed."""
        touched = [layer, *self.compression.entering(layer, layer)]
        return None if any(self.chosen[at] for at in touched) else self.plain.tiled(layer)

    @property
    def dense(self) -> CostTables:
        """Tables that are never below these costs: see `tables_at`."""
        return tables_at(self.plain, self.compression, self.chosen)


def costs_of(instance: Instance, ratios: Sequence[int]) -> Costs:
    """The costs of an instance while its layers' outputs have these ratios; none at all: plain.

    Raises:
        ValueError: the instance has no compression, or not these ratios.
    """
    if not ratios:
        return instance.costs
    if instance.compression is None:
        raise ValueError(f"instance {instance.name!r} has no compression, but a schedule has")
    return CompressedCosts(
        instance.tables, instance.compression, instance.compression.choices(ratios)
    )


def tables_at(tables: CostTables, given: Compression, choices: Sequence[int]) -> CostTables:
    """Plain tables for certain choices, for methods that know of no compression.

    They are exact but for the weights of coders, which here go with the layers: an encoder is
    charged to the layer that makes the tensor, and a decoder to each that reads it, whether or not
    it has to cross. So a schedule that fits these tables fits, and takes no more than they say.
    """
    count = len(tables.layers)
    k = np.array(choices, dtype=np.int64)
    at, before = np.arange(count), np.concatenate([[0], k[:-1]])
    resident, load = tables.resident.copy(), tables.load.copy()
    load_energy = tables.energy.load.copy()
    for producer, readers in enumerate(given.readers):
        for coders, layers in ((given.encoders, (producer,)), (given.decoders, readers)):
            for layer in layers if k[producer] else ():
                resident[layer] += coders.resident[k[producer], producer]
                load[layer] += coders.load[k[producer], producer]
                load_energy[layer] += coders.load_energy[k[producer], producer]
    alone = tables.alone.copy()
    io, io_energy = tables.io.copy(), tables.energy.io.copy()
    for producer in np.flatnonzero(k).tolist():
        alone[[producer, *given.readers[producer]]] = -1
    if k.any():
        units, energy = spared_tables(given, k)
        numerator, denominator = given.rate
        cycles = -(-(given.traffic - units) * numerator // denominator)
        io = np.where((units != 0) | (energy != 0), cycles, io)
        io_energy -= energy
    of = [int(k[skip.producer]) if skip.producer >= 0 else 0 for skip in tables.skips]
    return replace(
        tables,
        entry=given.entry[before, at],
        exit=given.exit[k, at],
        resident=resident,
        load=load,
        io=io,
        alone=alone,
        skips=tuple(
            replace(
                skip,
                enter=code.enter[own],
                leave=code.leave[own],
                enter_energy=code.enter_energy[own],
                leave_energy=code.leave_energy[own],
            )
            for skip, code, own in zip(tables.skips, given.skips, of, strict=True)
        ),
        energy=replace(
            tables.energy,
            entry=given.entry_energy[before, at],
            exit=given.exit_energy[k, at],
            load=load_energy,
            io=io_energy,
        ),
    )


def spared_tables(given: Compression, k: Ints) -> tuple[Ints, Ints]:
    """[L,L] units of traffic and picojoules that each segment s..e is spared: all of `spared`."""
    shape = len(k), len(k)
    units, energy = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for producer in np.flatnonzero(k).tolist():
        saved = given.saved[k[producer], producer], given.saved_energy[k[producer], producer]
        readers = given.readers[producer]
        for table, amount in zip((units, energy), saved, strict=True):
            for before, reader in pairwise((producer, *readers)):
                table[before + 1 : reader + 1, reader:] += amount  # it enters
            table[: producer + 1, producer : max(readers, default=producer)] += amount  # it leaves
    return units, energy
