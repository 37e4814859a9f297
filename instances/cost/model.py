"""The analytic model's costs of a network on a package, on demand and as tables."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from instances.cost.facts import OPTIONS, Facts, gather_facts, is_skip
from instances.costs import SegmentTables, StageSkip, StageTables
from instances.network import OUTSIDE, Network
from instances.package import Package
from instances.tables import MAX_ENTRIES, CostTables, EnergyTables, Ints, Skip, table_entries


@dataclass(frozen=True, eq=False)
class AnalyticCosts:
    """What layers, clusters and segments of a network cost on a package.

    Nothing is computed before it is asked for, and only `dense` needs memory that does not grow
    linearly in layers, tensors and chiplets. Kernels are loaded with the first question.
    """

    network: Network
    package: Package

    @property
    def options(self) -> tuple[str, ...]:
        """Names."""
        return OPTIONS

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Names."""
        return tuple(layer.name for layer in self.network.layers)

    @property
    def chiplets(self) -> int:
        """C."""
        return self.package.chiplets

    @property
    def capacity(self) -> int:
        """Bytes a chiplet."""
        return self.package.chiplet.buffer_bytes

    @property
    def leakage(self) -> int:
        """Picojoules a cycle, for the whole package."""
        chiplet = self.package.chiplet
        return round(chiplet.leakage_w * self.package.chiplets / chiplet.clock_hz * 1e12)

    @cached_property
    def facts(self) -> Facts:
        """Sizes of layers and tensors and constants of the package, for kernels."""
        return gather_facts(self.network, self.package)

    @cached_property
    def weights(self) -> tuple[Ints, Ints, Ints, Ints]:
        """[L] cycles and picojoules to load; beat, -1 where none, and picojoules alone."""
        from instances.cost.fill import fill_weights

        found: tuple[Ints, Ints, Ints, Ints] = fill_weights(self.facts)
        return found

    def stage(self, first: int, last: int, chiplets: int) -> StageTables:
        """The tables of layers first..last on a region of so many chiplets."""
        from instances.cost.fill import fill_layers

        filled = fill_layers(self.facts, first, last, chiplets, chiplets)
        tables = {name: table[..., 0] for name, table in filled._asdict().items()}
        return StageTables(**tables, skips=self._stage_skips(first, last, chiplets))

    def _stage_skips(self, first: int, last: int, chiplets: int) -> tuple[StageSkip, ...]:
        """Every skip tensor that one of the layers makes or reads."""
        which = sorted({t for own in self._skips_at[first : last + 1] for t in own})
        if not which:
            return ()
        consumers, uses = [], []
        for t in which:
            tensor = self.network.tensors[t]
            inside = slice(
                bisect_left(tensor.consumers, first), bisect_right(tensor.consumers, last)
            )
            consumers.append(tensor.consumers[inside])
            uses.append(self._uses_of[t][inside])
        enter, enter_energy = self._arrivals(uses, chiplets, chiplets)
        leave, hold, leave_energy = self._departures(which, chiplets, chiplets)
        return tuple(
            StageSkip(
                producer=self.network.tensors[t].producer,
                consumers=consumers[k],
                last_use=int(self.facts.tensors[t]["until"]),
                enter=enter[k][..., 0],
                enter_energy=enter_energy[k][..., 0],
                leave=int(leave[k, 0]),
                leave_energy=int(leave_energy[k, 0]),
                hold=int(hold[k, 0]),
            )
            for k, t in enumerate(which)
        )

    @cached_property
    def _uses_of(self) -> list[Ints]:
        """Of each tensor, where its uses are among `facts.uses`, by layer."""
        tensors = self.facts.uses["tensor"]
        order = np.argsort(tensors, kind="stable")
        borders = np.searchsorted(tensors[order], np.arange(1, len(self.network.tensors)))
        return np.split(order, borders)

    @cached_property
    def _skips_at(self) -> list[list[int]]:
        """Of each layer, the skip tensors that it makes or reads."""
        found: list[list[int]] = [[] for _ in self.layers]
        for t, tensor in enumerate(self.network.tensors):
            if is_skip(tensor, len(self.layers)):
                for layer in (tensor.producer, *tensor.consumers):
                    if layer != OUTSIDE:
                        found[layer].append(t)
        return found

    def _arrivals(self, uses: list[Ints], low: int, high: int) -> tuple[list[Ints], list[Ints]]:
        """[own uses,O,m] of each tensor: cycles and picojoules to receive it."""
        from instances.cost.fill import fill_arrivals

        borders = np.cumsum([len(own) for own in uses])[:-1]
        cycles, energy = fill_arrivals(self.facts, np.concatenate(uses), low, high)
        return np.split(cycles, borders), np.split(energy, borders)

    def _departures(self, which: list[int], low: int, high: int) -> tuple[Ints, Ints, Ints]:
        """[T,m] of each tensor: cycles to send it, bytes to hold, picojoules to send."""
        from instances.cost.fill import fill_departures

        found: tuple[Ints, Ints, Ints] = fill_departures(self.facts, np.array(which), low, high)
        return found

    def segment(self, first: int, last: int) -> SegmentTables:
        """What a segment of layers first..last costs besides its stages."""
        from instances.cost.dram import segment_traffic

        load, energy, _, _ = self.weights
        part = slice(first, last + 1)
        dram = segment_traffic(self.facts, first, last)
        return SegmentTables(load[part].tolist(), energy[part].tolist(), *dram)

    def tiled(self, layer: int) -> tuple[int, int] | None:
        """Beat and picojoules a sample of a layer alone in weight tiles; None if none fits."""
        _, _, beat, energy = self.weights
        return None if beat[layer] < 0 else (int(beat[layer]), int(energy[layer]))

    @property
    def has_tables(self) -> bool:
        """Whether `dense` has been made."""
        return "dense" in vars(self)

    @cached_property
    def dense(self) -> CostTables:
        """All costs at once.

        Raises:
            ValueError: they would not fit in memory.
        """
        from instances.cost.fill import fill_io, fill_layers

        self._check_size()
        filled = fill_layers(self.facts, 0, len(self.layers) - 1, 1, self.chiplets)
        io, io_energy = fill_io(self.facts)
        load, load_energy, alone, alone_energy = self.weights
        return CostTables(
            layers=self.layers,
            options=OPTIONS,
            capacity=self.capacity,
            entry=filled.entry,
            step=filled.step,
            exit=filled.exit,
            compute=filled.compute,
            resident=filled.resident,
            working=filled.working,
            load=load,
            io=io,
            alone=alone,
            skips=self._skips(),
            energy=EnergyTables(
                entry=filled.entry_energy,
                step=filled.step_energy,
                exit=filled.exit_energy,
                load=load_energy,
                io=io_energy,
                alone=alone_energy,
                leakage=self.leakage,
            ),
        )

    def _skips(self) -> tuple[Skip, ...]:
        which = sorted({t for own in self._skips_at for t in own})
        if not which:
            return ()
        enter, enter_energy = self._arrivals([self._uses_of[t] for t in which], 1, self.chiplets)
        leave, hold, leave_energy = self._departures(which, 1, self.chiplets)
        tensors = [self.network.tensors[t] for t in which]
        return tuple(
            Skip(
                name=tensor.name,
                producer=tensor.producer,
                consumers=tensor.consumers,
                leaves=tensor.leaves,
                enter=enter[k],
                leave=leave[k],
                hold=hold[k],
                enter_energy=enter_energy[k],
                leave_energy=leave_energy[k],
            )
            for k, tensor in enumerate(tensors)
        )

    def _check_size(self) -> None:
        entries = table_entries(
            len(self.layers), len(OPTIONS), self.chiplets, sum(map(len, self._skips_at))
        )
        if entries > MAX_ENTRIES:
            raise ValueError(
                f"{self.network.name} on {self.package.name}: the cost tables of"
                f" {len(self.layers)} layers on {self.chiplets} chiplets would have {entries:,}"
                f" entries, expected at most {MAX_ENTRIES:,}: take a method that needs no tables"
                " (sequential, scope), or a smaller package"
            )
