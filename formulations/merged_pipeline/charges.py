"""What each choice of ratios costs in terms of boundaries, as `crossings` does for skip tensors.

A charge is what a layer pays if a cluster begins within a window of layers; it depends on the
choice of the layer whose output crosses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from formulations.merged_pipeline.crossings import Window
from instances.compression import Compression
from instances.tables import CostTables, Ints, Skip

What = Literal["cycles", "bytes", "load", "energy", "load_energy"]


@dataclass(frozen=True, eq=False)
class Charge:
    """What a layer pays where the output of one layer crosses.

    Attributes:
        what: cycles and picojoules a sample, bytes a chiplet; once a segment, loads.
        producer: l, whose output it is.
        layer: that pays.
        window: it is paid if a cluster begins within,
        inside: but not at the layer itself, if this is true.
        costs: [R,O,C], [R,C] or [R], by the producer's choice and the layer's option and region.
    """

    what: What
    producer: int
    layer: int
    window: Window
    inside: bool
    costs: Ints


def charges(tables: CostTables, given: Compression, energy: bool) -> Iterator[Charge]:
    """All charges that depend on a choice; those of energy only on demand."""
    for layer in given.open:
        yield from _coders(given, layer, energy)
    for skip, code in zip(tables.skips, given.skips, strict=True):
        if skip.producer in given.open:
            yield from _enters(skip, code.enter, "cycles")
            yield from _leaves(skip, code.leave, "cycles")
            if energy:
                yield from _enters(skip, code.enter_energy, "energy")
                yield from _leaves(skip, code.leave_energy, "energy")


def _coders(given: Compression, layer: int, energy: bool) -> Iterator[Charge]:
    """The encoder is at the layer; of a cluster's readers the first decodes."""
    readers = given.readers[layer]
    places = [(layer, (layer + 1, readers[-1]), given.encoders)]
    for before, reader in zip((layer, *readers), readers, strict=False):
        places.append((reader, (before + 1, reader), given.decoders))
    for at, window, coders in places:
        yield Charge("bytes", layer, at, window, False, coders.resident[:, layer])
        yield Charge("load", layer, at, window, False, coders.load[:, layer])
        if energy:
            yield Charge("load_energy", layer, at, window, False, coders.load_energy[:, layer])


def _enters(skip: Skip, costs: Ints, what: What) -> Iterator[Charge]:
    before = skip.producer
    for number, reader in enumerate(skip.consumers):
        window = before + 1, reader
        yield Charge(what, skip.producer, reader, window, False, costs[:, number])
        before = reader


def _leaves(skip: Skip, costs: Ints, what: What) -> Iterator[Charge]:
    """The producer's cluster goes on after it, and ends before the last use."""
    first, last = skip.producer + 1, skip.consumers[-1]
    if last > first:
        yield Charge(what, skip.producer, first, (first + 1, last), True, costs)


def without_open(tables: CostTables, given: Compression) -> CostTables:
    """The tables without what it costs to send and receive skip tensors that have a choice."""
    return replace(
        tables,
        skips=tuple(
            replace(
                skip,
                enter=np.zeros_like(skip.enter),
                leave=np.zeros_like(skip.leave),
                enter_energy=np.zeros_like(skip.enter_energy),
                leave_energy=np.zeros_like(skip.leave_energy),
            )
            if skip.producer in given.open
            else skip
            for skip in tables.skips
        ),
    )
