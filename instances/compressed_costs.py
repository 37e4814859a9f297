"""What an instance costs while its layers' outputs have certain ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from instances.compression import Choices, Compression
from instances.costs import Costs, SegmentTables, StageTables
from instances.instance import Instance
from instances.ratio_tables import tables_at
from instances.tables import CostTables


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
