"""The cost tables: everything that a method may know about an instance, as integers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from instances.costs import SegmentTables, StageSkip, StageTables

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MAX_ENTRIES = 50_000_000
"""Entries of an instance's largest tables together (L*O*O*C, L*L, skips): 400 MB each time."""

LIMIT = 2**53
"""No schedule's latency, memory or energy may reach this: sums stay exact in floats and JSON."""


def table_entries(layers: int, options: int, chiplets: int, skip_lists: int) -> int:
    """Entries of the largest tables, with so many lists over region sizes for skip tensors."""
    return layers * options**2 * chiplets + layers**2 + skip_lists * chiplets


def _settle_arrays(tables: object) -> None:
    """Give every array of a frozen dataclass one type and layout, which kernels are built for."""
    for name, value in vars(tables).items():
        if isinstance(value, np.ndarray):
            object.__setattr__(tables, name, np.require(value, np.int64, ["C", "W"]))


@dataclass(frozen=True, eq=False)
class Skip:
    """A tensor that some layer other than its producer's successor reads.

    The producer's successor may be among the consumers; it receives the tensor through `entry` or
    `step`, so its `enter` is normally zero. A cluster pays for the tensor once: at its first
    consumer in the cluster if the tensor was made outside, and `leave` if the tensor was made
    inside, is used later than the cluster's last layer, and its producer is not that last layer
    (whose `exit` sends it). It occupies `hold` bytes at every layer of the cluster that
    lies after its arrival and before its last use anywhere, unless that layer reads it (then
    `working` counts it).

    Attributes:
        name: of the tensor.
        producer: layer index, or -1 for a tensor from outside the network.
        consumers: layer indices, ascending, all later than the producer.
        leaves: the tensor is also a result of the network (its last use is after every layer).
        enter: [len(consumers), O, C] cycles a sample to receive it, by the consumer's option.
        leave: [C] cycles a sample to send it away.
        hold: [C] bytes a chiplet while it waits in the buffer.
        enter_energy, leave_energy: picojoules a sample, shaped like `enter` and `leave`.
    """

    name: str
    producer: int
    consumers: tuple[int, ...]
    leaves: bool
    enter: Ints
    leave: Ints
    hold: Ints
    enter_energy: Ints
    leave_energy: Ints

    def __post_init__(self) -> None:
        _settle_arrays(self)

    def stage(self, first: int, last: int, chiplets: int, count: int) -> StageSkip:
        """What layers first..last of `count` layers pay for it on so many chiplets."""
        c = chiplets - 1
        inside = [k for k, v in enumerate(self.consumers) if first <= v <= last]
        return StageSkip(
            producer=self.producer,
            consumers=tuple(self.consumers[k] for k in inside),
            last_use=count if self.leaves else self.consumers[-1],
            enter=self.enter[inside, :, c],
            enter_energy=self.enter_energy[inside, :, c],
            leave=int(self.leave[c]),
            leave_energy=int(self.leave_energy[c]),
            hold=int(self.hold[c]),
        )

    def needed_after(self, layer: int) -> bool:
        """Whether a later layer, or the world outside, still needs the tensor."""
        return self.leaves or self.consumers[-1] > layer

    def first_use_from(self, layer: int) -> int | None:
        """The first consumer at or after `layer`."""
        return next((v for v in self.consumers if v >= layer), None)

    def waits(self, first: int, last: int) -> list[int]:
        """Layers of a cluster `first`..`last` during which the tensor waits in the buffer."""
        arrival = self.producer if self.producer >= first else self.first_use_from(first)
        if arrival is None:
            return []
        end = last + 1 if self.leaves else min(last + 1, self.consumers[-1])
        return [layer for layer in range(arrival + 1, end) if layer not in self.consumers]


@dataclass(frozen=True, eq=False)
class EnergyTables:
    """Energy in picojoules, shaped like the time tables of the same names.

    Attributes:
        entry, step, exit: a sample, [L,O,C], [L,O,O,C], [L,O,C].
        load: a segment, [L].
        io: a sample, [L,L].
        alone: a sample, [L]: one layer on the whole package in weight tiles.
        leakage: a cycle, for the whole package.
    """

    entry: Ints
    step: Ints
    exit: Ints
    load: Ints
    io: Ints
    alone: Ints
    leakage: int


@dataclass(frozen=True, eq=False)
class CostTables:
    """Dense integer tables: times in cycles, memory in bytes a chiplet.

    L layers, O options, C chiplets; index c-1 of the last axis is a region of c chiplets.

    Attributes:
        layers, options: their names.
        capacity: M, bytes a chiplet.
        entry: [L,O,C] a layer that is first in its cluster: receive, compute.
        step: [L,O,O,C] a layer after its predecessor (previous option, own option); row 0 unused.
        exit: [L,O,C] a layer that is last in its cluster: send its results away.
        compute: [L,O,C] the part of `entry` and `step` that is arithmetic; None if unknown.
        resident: [L,O,C] bytes held for the whole segment.
        working: [L,O,C] bytes needed only while the layer runs.
        load: [L] cycles to bring the weights from DRAM, once a segment.
        io: [L,L] cycles of DRAM traffic a sample of segment s..e; zero below the diagonal.
        alone: [L] beat of a segment that is the layer alone, in weight tiles; -1 where none fits.
        skips: tensors beyond the chain.
        energy: the same in picojoules.
    """

    layers: tuple[str, ...]
    options: tuple[str, ...]
    capacity: int
    entry: Ints
    step: Ints
    exit: Ints
    compute: Ints | None
    resident: Ints
    working: Ints
    load: Ints
    io: Ints
    alone: Ints
    skips: tuple[Skip, ...]
    energy: EnergyTables

    def __post_init__(self) -> None:
        _settle_arrays(self)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(L, O, C)."""
        count, options, chiplets = self.entry.shape
        return count, options, chiplets

    @property
    def chiplets(self) -> int:
        """C."""
        return int(self.entry.shape[2])

    @property
    def leakage(self) -> int:
        """Picojoules a cycle, for the whole package."""
        return self.energy.leakage

    @property
    def dense(self) -> CostTables:
        """These tables."""
        return self

    def stage(self, first: int, last: int, chiplets: int) -> StageTables:
        """The tables of layers first..last on a region of so many chiplets."""
        part, c = slice(first, last + 1), chiplets - 1
        return StageTables(
            entry=self.entry[part, :, c],
            step=self.step[part, :, :, c],
            exit=self.exit[part, :, c],
            compute=None if self.compute is None else self.compute[part, :, c],
            resident=self.resident[part, :, c],
            working=self.working[part, :, c],
            entry_energy=self.energy.entry[part, :, c],
            step_energy=self.energy.step[part, :, :, c],
            exit_energy=self.energy.exit[part, :, c],
            skips=tuple(
                skip.stage(first, last, chiplets, len(self.layers))
                for skip in self.skips
                if any(first <= layer <= last for layer in (skip.producer, *skip.consumers))
            ),
        )

    def segment(self, first: int, last: int) -> SegmentTables:
        """What a segment of layers first..last costs besides its stages."""
        part, energy = slice(first, last + 1), self.energy
        return SegmentTables(
            load=self.load[part].tolist(),
            load_energy=energy.load[part].tolist(),
            dram=int(self.io[first, last]),
            dram_energy=int(energy.io[first, last]),
        )

    def tiled(self, layer: int) -> tuple[int, int] | None:
        """Beat and picojoules a sample of a layer alone in weight tiles; None if none fits."""
        beat = int(self.alone[layer])
        return None if beat < 0 else (beat, int(self.energy.alone[layer]))

    @property
    def nbytes(self) -> int:
        """Bytes that the tables occupy."""
        arrays = [value for value in vars(self).values() if isinstance(value, np.ndarray)]
        arrays += [value for value in vars(self.energy).values() if isinstance(value, np.ndarray)]
        for skip in self.skips:
            arrays += [value for value in vars(skip).values() if isinstance(value, np.ndarray)]
        return sum(array.nbytes for array in arrays)

    def entering(self, first: int) -> Ints:
        """[L,O,C] cycles that skip tensors add at each layer when a cluster begins at `first`."""
        extra = np.zeros(self.shape, dtype=np.int64)
        for skip in self.skips:
            use = skip.first_use_from(first) if skip.producer < first else None
            if use is not None:
                extra[use] += skip.enter[skip.consumers.index(use)]
        return extra

    def leaving(self, first: int) -> Ints:
        """[L,C] cycles that skip tensors add to a cluster `first`..j for each last layer j."""
        count, _, chiplets = self.shape
        extra = np.zeros((count, chiplets), dtype=np.int64)
        for skip in self.skips:
            if skip.producer >= first:
                end = count if skip.leaves else skip.consumers[-1]
                extra[skip.producer + 1 : end] += skip.leave
        return extra

    def held(self, first: int) -> Ints:
        """[L,C] bytes a chiplet of waiting skip tensors at each layer of a cluster from `first`."""
        count, _, chiplets = self.shape
        extra = np.zeros((count, chiplets), dtype=np.int64)
        for skip in self.skips:
            extra[skip.waits(first, count - 1)] += skip.hold
        return extra

    @cached_property
    def loads(self) -> Ints:
        """[L+1] prefix sums of `load`: segment s..e loads in loads[e+1] - loads[s]."""
        return np.concatenate([[0], np.cumsum(self.load)]).astype(np.int64)
