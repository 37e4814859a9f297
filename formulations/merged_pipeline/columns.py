"""The columns of the interval formulation: the best stages of each interval on each region.

A column is a cluster i..j on exactly c chiplets, with options that fit the buffer. A formulation
needs no other clusters than those that are undominated in chiplets, time and, where it counts,
energy: whatever a schedule does with another, it can do with one of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from formulations.formulation import Report, unheard
from formulations.merged_pipeline.column_labels import (
    LABEL,
    LAST,
    STAGE_ENERGY,
    STAGE_TIME,
    Costs,
    grow,
    improving,
    trace_back,
)
from instances.tables import LIMIT, CostTables, Ints

FAR = 2**62
"""The time, or energy, of a cluster that is no column."""


@dataclass(frozen=True)
class Column:
    """A cluster with the options that its layers use.

    Attributes:
        first, last: layers, inclusive.
        chiplets: exactly so many.
        time: cycles a sample.
        energy: picojoules a sample.
        options: names, in layer order.
        choices: of the ratios of what it receives and sends, as `ratios.crossing` lists them; none
            without compression.
        load, load_energy: cycles and picojoules to bring the weights of its coders, once.
        lost: its share of the losses, see `ratios.loss_share`.
    """

    first: int
    last: int
    chiplets: int
    time: int
    energy: int
    options: tuple[str, ...]
    choices: tuple[int, ...] = ()
    load: int = 0
    load_energy: int = 0
    lost: int = 0


class Columns:
    """The cluster columns of an instance.

    Attributes:
        times: [L,L,C] the time of cluster i..j on exactly c+1 chiplets, by its fastest options
            that fit. FAR where none fits, none is fast enough, or fewer chiplets do as well.

    Args:
        longest: cycles; slower clusters are left out. None: keep all.
        energy: whether a column that needs less energy is of use though it is slower.
        report: called now and then; what it raises ends the search for columns.
    """

    def __init__(
        self,
        tables: CostTables,
        longest: int | None = None,
        energy: bool = False,
        report: Report = unheard,
    ) -> None:
        self._tables, self._priced = tables, energy
        self._longest = LIMIT if longest is None else min(longest, LIMIT)
        count, _, chiplets = tables.shape
        times = np.full((count, count, chiplets), FAR, dtype=np.int64)
        self._energies = times.copy()
        self._found: list[Ints] = []
        self._chosen: list[Ints] = []
        for first in range(count):
            report(None)
            self._grow(first, times[first, first:], self._energies[first, first:])
        self.times = _falling(times)

    @property
    def energies(self) -> Ints:
        """[L,L,C] the least energy of cluster i..j on exactly c+1 chiplets; FAR where none fits.

        Raises:
            ValueError: the columns were made without energy.
        """
        if not self._priced:
            raise ValueError("columns know the least energies only if made with energy=True")
        return self._energies

    def of(self, first: int, last: int) -> list[Column]:
        """The undominated columns of a cluster, ascending by chiplets, then time.

        Undominated in chiplets and time; in chiplets, time and energy if made with energy.
        """
        names = self._tables.options
        rows = np.flatnonzero(self._found[first][:, LAST] == last - first)
        return [
            Column(first, last, chiplets, time, energy, tuple(names[o] for o in chosen))
            for (_, time, energy, _, chiplets), chosen in zip(
                self._found[first][rows].tolist(),
                self._chosen[first][rows, : last - first + 1].tolist(),
                strict=True,
            )
        ]

    def options(self, first: int, last: int, chiplets: int) -> tuple[str, ...]:
        """The fastest options of a cluster on exactly so many chiplets, in layer order.

        Raises:
            KeyError: no options of that cluster fit and are fast enough.
        """
        costs = _costs_from(self._tables, first, self._longest, False)
        stages, labels = grow(next(islice(costs, chiplets - 1, None)))
        fastest = stages[stages[:, LAST] == last - first]
        if len(fastest) == 0:
            raise KeyError((first, last, chiplets))
        (chosen,) = trace_back(labels, fastest, last - first + 1).tolist()
        return tuple(self._tables.options[option] for option in chosen)

    def _grow(self, first: int, times: Ints, energies: Ints) -> None:
        """Find the columns that begin at a layer; fill in its [n,C] times and energies.

        A row of what is found: last layer, counted from the first; time; energy; way; chiplets.
        """
        found = np.empty((0, LABEL + 1), dtype=np.int64)
        chosen = np.empty((0, len(times)), dtype=np.int64)
        for c, costs in enumerate(_costs_from(self._tables, first, self._longest, self._priced)):
            stages, labels = grow(costs)
            np.minimum.at(times[:, c], stages[:, LAST], stages[:, STAGE_TIME])
            np.minimum.at(energies[:, c], stages[:, LAST], stages[:, STAGE_ENERGY])
            fresh = stages[improving(stages, found, self._priced)]
            chosen = np.concatenate([chosen, trace_back(labels, fresh, len(times))])
            sizes = np.full(len(fresh), c + 1)
            found = np.concatenate([found, np.column_stack([fresh[:, :LABEL], sizes])])
        self._found.append(found)
        self._chosen.append(chosen)


def _costs_from(tables: CostTables, first: int, longest: int, priced: bool) -> Iterator[Costs]:
    """Costs of the clusters from `first` on, for 1..C chiplets."""
    entry, step, exits = _sums_from(tables, first, longest + 1)
    energies = _sums_from(_energies_as_times(tables), first, LIMIT)
    rows, size = slice(first, None), tables.capacity + 1
    hold = tables.held(first)[rows, None, :]
    resident = np.minimum(tables.resident[rows], size)
    momentary = np.minimum(np.minimum(tables.working[rows], size) + np.minimum(hold, size), size)

    count = len(resident)
    ways, kept, latest = np.arange(count + 1), np.zeros(count, np.int64), np.full(count, longest)

    def on(table: Ints, c: int) -> Ints:
        return np.ascontiguousarray(table[..., c])

    for c in range(tables.chiplets):
        yield Costs(
            entry=on(entry, c),
            entry_energy=on(energies[0], c),
            step=on(step, c),
            step_energy=on(energies[1], c),
            ways=ways,
            exits=on(exits, c),
            exits_energy=on(energies[2], c),
            kept=kept,
            latest=latest,
            resident=on(resident, c),
            momentary=on(momentary, c),
            capacity=tables.capacity,
            longest=longest,
            priced=int(priced),
        )


def _sums_from(tables: CostTables, first: int, most: int) -> tuple[Ints, Ints, Ints]:
    """`entry` [O,C], `step` [n,O,O,C] and `exit` [n,O,C] of a cluster, skip tensors included.

    Each term is cut off at `most`, so that sums cannot overflow.
    """
    rows = slice(first, None)
    enter = np.minimum(tables.entering(first)[rows], most)
    leave = np.minimum(tables.leaving(first)[rows, None, :], most)
    entry = np.minimum(tables.entry[first], most) + enter[0]
    step = np.minimum(tables.step[rows], most) + enter[:, None]
    return entry, step, np.minimum(tables.exit[rows], most) + leave


def _energies_as_times(tables: CostTables) -> CostTables:
    """Tables whose times are the energies: a cluster sums both alike."""
    energy = tables.energy
    return replace(
        tables,
        entry=energy.entry,
        step=energy.step,
        exit=energy.exit,
        skips=tuple(
            replace(skip, enter=skip.enter_energy, leave=skip.leave_energy) for skip in tables.skips
        ),
    )


def _falling(times: Ints) -> Ints:
    """Only the times that are below those of all smaller regions; FAR elsewhere."""
    before = np.minimum.accumulate(times, axis=2)[:, :, :-1]
    falling = times.copy()
    falling[:, :, 1:][times[:, :, 1:] >= before] = FAR
    return falling
