"""Cluster columns where outputs may be compressed: one for each combination of ratios.

What a cluster receives is chosen before its labels grow, what it sends when they end; so the labels
of a first layer serve for all last layers and for all that may be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from formulations.formulation import Report, unheard
from formulations.merged_pipeline.column_labels import (
    LABEL,
    LAST,
    STAGE_TIME,
    Costs,
    grow,
    improving,
    trace_back,
)
from formulations.merged_pipeline.columns import FAR, Column
from formulations.merged_pipeline.ratios import combinations, loss_share, lost
from instances.compression import Coders, Compression
from instances.instance import Instance
from instances.tables import LIMIT, CostTables, Ints

Pairs = list[tuple[int, int]]
"""Layers and the choices of their outputs."""


@dataclass(frozen=True)
class Ends:
    """The ways in which the clusters that begin at one layer may end.

    Attributes:
        last: [W] last layer.
        sent: [W] what is sent, and how.
        lost: [W] millionths.
        time, energy: [W,O,C] cycles and picojoules to send all of it.
        kept: [W,C] bytes of encoders.
    """

    last: Ints
    sent: list[Pairs]
    lost: Ints
    time: Ints
    energy: Ints
    kept: Ints


class RatioColumns:
    """The cluster columns of an instance with compression.

    Attributes:
        times: [L,L,C] the least time of cluster i..j on exactly c+1 chiplets; FAR where none fits
            or is fast enough.

    Args:
        longest: [L,L] cycles that a cluster may take.
        energy: whether a column that needs less energy is of use though it is slower.
        report: called now and then; what it raises ends the search for columns.

    Raises:
        ValueError: the ratios can be combined in too many ways.
    """

    def __init__(
        self, instance: Instance, longest: Ints, energy: bool = False, report: Report = unheard
    ) -> None:
        assert instance.compression is not None
        self._tables, self._given, self._priced = instance.tables, instance.compression, energy
        self._longest = longest
        count, _, chiplets = instance.tables.shape
        self.times = np.full((count, count, chiplets), FAR, dtype=np.int64)
        self._found: dict[tuple[int, int], list[Column]] = {}
        for first in range(count):
            report(None)
            if (longest[first, first:] >= 0).any():
                self._grow(first)

    def of(self, first: int, last: int) -> list[Column]:
        """The columns of a cluster that no other with the same choices beats, by these.

        With the same choices they ascend by chiplets, then energy.
        """
        found = self._found.get((first, last), [])
        return sorted(found, key=lambda q: (q.choices, q.chiplets, q.energy))

    def _grow(self, first: int) -> None:
        """Find the columns that begin at a layer."""
        tables, given = self._tables, self._given
        ends = _ends(self._tables, given, first, self._longest[first])
        received = given.entering(first, len(tables.layers) - 1)
        for choices in combinations(given, received):
            pairs = list(zip(received, choices, strict=True))
            spent = lost(given, received, choices)
            # A cluster does not receive what only later layers read.
            reached = max(
                (_first_use(given, layer, first) for layer, k in pairs if k > 0), default=first
            )
            open_ = np.flatnonzero((ends.lost + spent <= given.budget) & (ends.last >= reached))
            if len(open_) > 0:
                self._collect(first, pairs, ends, open_)

    def _collect(self, first: int, received: Pairs, ends: Ends, ways: Ints) -> None:
        """Columns that receive in one way and end in some ways."""
        count = len(self._tables.layers) - first
        found = np.empty((0, LABEL + 1), dtype=np.int64)
        chosen = np.empty((0, count), dtype=np.int64)
        longest = self._longest[first, ends.last[ways]]
        begin = _Begin(self._tables, self._given, first, received, int(longest.max(initial=0)))
        for c in range(self._tables.chiplets):
            costs = begin.costs(c, ends, ways, longest, self._priced)
            stages, labels = grow(costs)
            np.minimum.at(self.times[first, first:, c], stages[:, LAST], stages[:, STAGE_TIME])
            fresh = stages[improving(stages, found, self._priced)]
            chosen = np.concatenate([chosen, trace_back(labels, fresh, count)])
            sizes = np.full(len(fresh), c + 1)
            found = np.concatenate([found, np.column_stack([fresh[:, :LABEL], sizes])])
        self._keep(first, received, [ends.sent[way] for way in ways], found, chosen)

    def _keep(
        self, first: int, received: Pairs, sent: Sequence[Pairs], found: Ints, chosen: Ints
    ) -> None:
        names, given = self._tables.options, self._given
        for (last, time, energy, way, chiplets), options in zip(
            found.tolist(), chosen.tolist(), strict=True
        ):
            read = given.entering(first, first + last)
            decoded = [(layer, k) for layer, k in received if layer in read]
            cycles, joules = _loads(given.decoders, decoded)
            own_cycles, own_joules = _loads(given.encoders, sent[way])
            choices = tuple(k for _, k in (*decoded, *sent[way]))
            column = Column(
                first,
                first + last,
                chiplets,
                time,
                energy,
                tuple(names[o] for o in options[: last + 1]),
                choices=choices,
                load=cycles + own_cycles,
                load_energy=joules + own_joules,
                lost=loss_share(given, first, first + last, choices),
            )
            self._found.setdefault((first, first + last), []).append(column)


class _Begin:
    """Costs of the clusters that begin at a layer, and receive in one way."""

    def __init__(
        self, tables: CostTables, given: Compression, first: int, received: Pairs, longest: int
    ) -> None:
        self._tables, self._first, self._longest = tables, first, longest
        chosen, rows = dict(received), slice(first, None)
        energy, size, most = tables.energy, np.s_[..., : tables.chiplets], longest + 1
        before = chosen.get(first - 1, 0)
        self._entry = np.minimum(given.entry[before, first][size], most)
        self._entry_energy = np.minimum(given.entry_energy[before, first][size], LIMIT)
        self._step = np.minimum(tables.step[rows], most)
        self._step_energy = np.minimum(energy.step[rows], LIMIT)
        for skip, code in zip(tables.skips, given.skips, strict=True):
            use = skip.first_use_from(first) if skip.producer < first else None
            if use is not None:
                place = chosen.get(skip.producer, 0), skip.consumers.index(use)
                cycles = np.minimum(code.enter[place][size], most)
                joules = np.minimum(code.enter_energy[place][size], LIMIT)
                if use == first:
                    self._entry = self._entry + cycles
                    self._entry_energy = self._entry_energy + joules
                else:
                    self._step[use - first] += cycles
                    self._step_energy[use - first] += joules
        unfit = tables.capacity + 1
        hold = np.minimum(tables.held(first)[rows, None, :], unfit)
        self._resident = np.minimum(tables.resident[rows], unfit)
        working = np.minimum(tables.working[rows], unfit)
        self._momentary = np.minimum(working + hold, unfit)
        self._decoders = _kept(given.decoders, received, tables.chiplets)

    def costs(self, c: int, ends: Ends, ways: Ints, longest: Ints, priced: bool) -> Costs:
        """On c+1 chiplets, with some ways to end that may take `longest` [W] cycles."""

        def on(table: Ints) -> Ints:
            return np.ascontiguousarray(table[..., c])

        count = len(self._resident)
        return Costs(
            entry=on(self._entry),
            entry_energy=on(self._entry_energy),
            step=on(self._step),
            step_energy=on(self._step_energy),
            ways=np.searchsorted(ends.last[ways], np.arange(count + 1) + self._first),
            exits=on(ends.time[ways]),
            exits_energy=on(ends.energy[ways]),
            kept=on(ends.kept[ways]),
            latest=longest,
            resident=on(self._resident),
            momentary=on(self._momentary),
            capacity=int(self._tables.capacity - self._decoders[c]),
            longest=self._longest,
            priced=int(priced),
        )


def _ends(tables: CostTables, given: Compression, first: int, longest: Ints) -> Ends:
    """The ways to end a cluster from `first`, after each layer that may be the last."""
    last, sent, spent, time, energy, kept = [], [], [], [], [], []
    for end in np.flatnonzero(longest >= 0).tolist():
        layers = given.leaving(first, end)
        for choices in combinations(given, layers):
            pairs = list(zip(layers, choices, strict=True))
            cycles, joules = _sending(tables, given, first, end, dict(pairs))
            last.append(end)
            sent.append(pairs)
            spent.append(lost(given, layers, choices))
            time.append(np.minimum(cycles, LIMIT))
            energy.append(np.minimum(joules, LIMIT))
            kept.append(_kept(given.encoders, pairs, tables.chiplets))
    return Ends(
        np.array(last, dtype=np.int64),
        sent,
        np.array(spent, dtype=np.int64),
        np.array(time),
        np.array(energy),
        np.array(kept),
    )


def _sending(
    tables: CostTables, given: Compression, first: int, last: int, chosen: dict[int, int]
) -> tuple[Ints, Ints]:
    """[O,C] cycles and picojoules to send all that a cluster sends, by the last layer's option."""
    size = np.s_[..., : tables.chiplets]
    k = chosen.get(last, 0)
    cycles, joules = given.exit[k, last][size], given.exit_energy[k, last][size]
    for skip, code in zip(tables.skips, given.skips, strict=True):
        if first <= skip.producer < last and skip.needed_after(last):
            k = chosen.get(skip.producer, 0)
            cycles = cycles + code.leave[k][size]
            joules = joules + code.leave_energy[k][size]
    return cycles, joules


def _kept(coders: Coders, pairs: Pairs, chiplets: int) -> Ints:
    """[C] bytes of coders that each chiplet holds."""
    held = np.zeros(chiplets, dtype=np.int64)
    for layer, k in pairs:
        held += coders.resident[k, layer, :chiplets]
    return held


def _loads(coders: Coders, pairs: Pairs) -> tuple[int, int]:
    """Cycles and picojoules to bring the weights of coders, once a segment."""
    cycles = sum(int(coders.load[k, layer]) for layer, k in pairs)
    return cycles, sum(int(coders.load_energy[k, layer]) for layer, k in pairs)


def _first_use(given: Compression, layer: int, first: int) -> int:
    """The first layer from `first` on that reads a layer's output."""
    return next(reader for reader in given.readers[layer] if reader >= first)
