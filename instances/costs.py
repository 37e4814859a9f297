"""The costs of one cluster, one segment, one tiled layer: small parts of what may be huge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from instances.tables import CostTables, Ints


@dataclass(frozen=True, eq=False)
class StageSkip:
    """A skip tensor that a cluster may have to do with.

    Attributes:
        producer: layer index, -1 for a tensor from outside the network.
        consumers: those in the cluster, ascending.
        last_use: the last layer anywhere that reads it; the number of layers if it leaves.
        enter, enter_energy: [len(consumers), O] cycles and picojoules a sample to receive it.
        leave, leave_energy: the same to send it away.
        hold: bytes a chiplet while it waits.
    """

    producer: int
    consumers: tuple[int, ...]
    last_use: int
    enter: Ints
    enter_energy: Ints
    leave: int
    leave_energy: int
    hold: int


@dataclass(frozen=True, eq=False)
class StageTables:
    """The cost tables of n neighbouring layers on a region of one size.

    Attributes:
        entry, exit, resident, working, entry_energy, exit_energy: [n,O].
        step, step_energy: [n,O,O], the previous layer's option first.
        compute: [n,O], None if unknown.
        skips: every skip tensor that one of the layers makes or reads.
        coders_resident: bytes a chiplet of encoders and decoders, where tensors are compressed.
        coders_load, coders_load_energy: cycles and picojoules to bring their weights, once.
    """

    entry: Ints
    step: Ints
    exit: Ints
    compute: Ints | None
    resident: Ints
    working: Ints
    entry_energy: Ints
    step_energy: Ints
    exit_energy: Ints
    skips: tuple[StageSkip, ...]
    coders_resident: int = 0
    coders_load: int = 0
    coders_load_energy: int = 0


@dataclass(frozen=True)
class SegmentTables:
    """What a segment costs besides its stages: cycles and picojoules.

    Attributes:
        load, load_energy: to bring each layer's weights, once.
        dram, dram_energy: of the DRAM traffic, a sample.
    """

    load: list[int]
    load_energy: list[int]
    dram: int
    dram_energy: int


class Costs(Protocol):
    """Where the costs of an instance come from: dense tables, or a model asked on demand."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Names."""

    @property
    def options(self) -> tuple[str, ...]:
        """Names."""

    @property
    def chiplets(self) -> int:
        """C."""

    @property
    def capacity(self) -> int:
        """Bytes a chiplet."""

    @property
    def leakage(self) -> int:
        """Picojoules a cycle, for the whole package."""

    def stage(self, first: int, last: int, chiplets: int) -> StageTables:
        """The tables of layers first..last on a region of so many chiplets."""

    def segment(self, first: int, last: int) -> SegmentTables:
        """What a segment of layers first..last costs besides its stages."""

    def tiled(self, layer: int) -> tuple[int, int] | None:
        """Beat and picojoules a sample of a layer alone in weight tiles; None if none fits."""

    @property
    def dense(self) -> CostTables:
        """All costs at once."""
