"""What a schema cannot say about a table instance: lengths, names, order, magnitudes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from instances.files.errors import Place, Problems, closest, counted, fail, listed, quoted
from instances.files.table_schema import ByOption, ByOptions, TableFile, TableLayer, TableSkip
from instances.tables import LIMIT, MAX_ENTRIES, CostTables, Ints, table_entries


def check_entries(
    layers: int, options: int, chiplets: int, skip_lists: int, problems: Problems
) -> None:
    """Refuse tables that would not fit in memory, before anything is allocated.

    Raises:
        FileError: the tables would be too large.
    """
    entries = table_entries(layers, options, chiplets, skip_lists)
    if entries > MAX_ENTRIES:
        fail(
            problems.source,
            f"{layers} layers, {options} options and {chiplets} chiplets make cost tables of"
            f" {entries} entries, expected at most {MAX_ENTRIES}",
        )


def check_tables(model: TableFile, problems: Problems) -> None:
    """Everything but magnitudes.

    Raises:
        FileError: the tables contradict themselves.
    """
    count = len(model.layers)
    if not count:
        problems.mismatch(("layers",), "no layer", "at least one")
    if not model.options:
        problems.mismatch(("options",), "no option", "at least one")
    _check_unique([layer.name for layer in model.layers], ("layers",), "layer", problems)
    _check_unique(model.options, ("options",), "option", problems)
    problems.stop_if_any()
    checker = _Lists(problems, model.options, model.chiplets)
    has_compute = model.layers[0].compute is not None
    for index, layer in enumerate(model.layers):
        checker.check_layer(layer, index)
        if (layer.compute is not None) != has_compute:
            place = ("layers", index, "compute")
            problems.add(place, "expected 'compute' in every layer or in none")
    check_square(model.io, ("io",), count, problems)
    if model.io_energy is not None:
        check_square(model.io_energy, ("io_energy",), count, problems)
    _check_skips(model, checker)
    problems.stop_if_any()
    lists = sum(len(skip.consumers) * len(model.options) + 2 for skip in model.skips)
    check_entries(count, len(model.options), model.chiplets, lists, problems)


class _Lists:
    """Checks lists over region sizes, alone and by option."""

    def __init__(self, problems: Problems, options: Sequence[str], chiplets: int) -> None:
        self.problems = problems
        self.options = options
        self.chiplets = chiplets

    def check_layer(self, layer: TableLayer, index: int) -> None:
        """Every table of one layer."""
        for key in ("resident", "working", "entry", "exit", "compute", "entry_energy"):
            self.by_option(getattr(layer, key), ("layers", index, key))
        self.by_option(layer.exit_energy, ("layers", index, "exit_energy"))
        if index == 0:
            for key in ("step", "step_energy"):
                if getattr(layer, key) is not None:
                    self.problems.add(("layers", 0, key), "the first layer has no predecessor")
            return
        if layer.step is None:
            expected = "a table: previous layer's option, this layer's option, region size"
            self.problems.mismatch(("layers", index, "step"), "nothing", expected)
        self.by_options(layer.step, ("layers", index, "step"))
        self.by_options(layer.step_energy, ("layers", index, "step_energy"))

    def by_options(self, table: ByOptions | None, place: Place) -> None:
        """A table by previous option, own option and region size."""
        if table is None:
            return
        self._names(table, place)
        for option, inner in table.items():
            self.by_option(inner, (*place, option))

    def by_option(self, table: ByOption | None, place: Place) -> None:
        """A table by option and region size."""
        if table is None:
            return
        self._names(table, place)
        for option, entries in table.items():
            self.plain(entries, (*place, option))

    def plain(self, entries: list[int] | None, place: Place) -> None:
        """A list over region sizes."""
        if entries is not None and len(entries) != self.chiplets:
            expected = f"{self.chiplets}, one for each region size"
            self.problems.mismatch(place, counted(len(entries)), expected)

    def _names(self, table: Collection[str], place: Place) -> None:
        for option in table:
            if option not in self.options:
                expected = listed(self.options) + closest(option, self.options)
                self.problems.mismatch(place, f"unknown option {quoted(option)}", expected)
        for option in self.options:
            if option not in table:
                self.problems.add(place, f"option {quoted(option)} is missing")


def check_square(rows: list[list[int]], place: Place, count: int, problems: Problems) -> None:
    """An L x L table with zeros below the diagonal."""
    if len(rows) != count:
        problems.mismatch(place, f"{len(rows)} rows", f"{count}, one for each first layer")
    for first, row in enumerate(rows):
        if len(row) != count:
            expected = f"{count}, one for each last layer"
            problems.mismatch((*place, first), counted(len(row)), expected)
        last = next((last for last, value in enumerate(row[:first]) if value), None)
        if last is not None:
            expected = "0, because the segment would end before it begins"
            problems.mismatch((*place, first, last), str(row[last]), expected)


def _check_skips(model: TableFile, lists: _Lists) -> None:
    index = {layer.name: position for position, layer in enumerate(model.layers)}
    names = [skip.name or f"skip {number}" for number, skip in enumerate(model.skips)]
    _check_unique(names, ("skips",), "skip tensor", lists.problems)
    for number, skip in enumerate(model.skips):
        place: Place = ("skips", number)
        lists.plain(skip.leave, (*place, "leave"))
        lists.plain(skip.hold, (*place, "hold"))
        lists.plain(skip.leave_energy, (*place, "leave_energy"))
        for position, consumer in enumerate(skip.consumers):
            here = (*place, "consumers", position)
            lists.by_option(consumer.enter, (*here, "enter"))
            lists.by_option(consumer.enter_energy, (*here, "enter_energy"))
        _check_skip_order(skip, place, index, lists.problems)


def _check_skip_order(
    skip: TableSkip, place: Place, index: dict[str, int], problems: Problems
) -> None:
    used = [(("producer",), skip.producer)] if skip.producer is not None else []
    users = [(("consumers", n, "layer"), user.layer) for n, user in enumerate(skip.consumers)]
    unknown = False
    for key, layer in (*used, *users):
        if layer not in index:
            unknown = True
            expected = f"the name of a layer{closest(layer, index)}"
            problems.mismatch((*place, *key), quoted(layer), expected)
    if unknown:
        return
    producer = -1 if skip.producer is None else index[skip.producer]
    _check_unique([layer for _, layer in users], (*place, "consumers"), "consumer", problems)
    for key, layer in users:
        if index[layer] <= producer:
            expected = f"a layer after the producer {quoted(str(skip.producer))}"
            problems.mismatch((*place, *key), quoted(layer), expected)
    if not users and not (skip.leaves and skip.producer is not None):
        expected = "at least one, or a producer and 'leaves: true'"
        problems.mismatch((*place, "consumers"), "no consumer", expected)


def _check_unique(names: Sequence[str], place: Place, what: str, problems: Problems) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            problems.add(place, f"{times} {what}s are named {quoted(name)}, expected one")


def check_magnitudes(tables: CostTables, batch: int, problems: Problems) -> None:
    """No sum that a method can form may reach LIMIT.

    Every segment costs its loads and (m + K - 1) beats; its beat is at most its DRAM traffic and
    its layers' times together, and m + K - 1 < m + L. Energy is paid by the sample, and leakage
    by the cycle.

    Raises:
        FileError: latency, energy or memory could reach LIMIT.
    """
    energy = tables.energy
    beats = batch + len(tables.layers)
    cycles = sum(map(int, tables.load)) + beats * (
        _worst(tables.entry, tables.step)
        + _worst(tables.exit)
        + _worst(tables.alone)
        + _worst(tables.io)
        + sum(_worst(skip.enter) + _largest(skip.leave) for skip in tables.skips)
    )
    picojoules = sum(map(int, energy.load)) + batch * (
        _worst(energy.entry, energy.step)
        + _worst(energy.exit)
        + _worst(energy.alone)
        + _worst(energy.io)
        + sum(_worst(skip.enter_energy) + _largest(skip.leave_energy) for skip in tables.skips)
    )
    held = sum(_largest(skip.hold) for skip in tables.skips)
    memory = _worst(tables.resident) + _worst(tables.working) + held
    sums = {
        "latency in cycles": cycles,
        "energy in picojoules": picojoules + energy.leakage * cycles,
        "memory in bytes": memory,
    }
    for what, worst in sums.items():
        if worst >= LIMIT:
            problems.add((), f"the {what} can reach {worst:.1e}, expected less than {LIMIT:.1e}")
    problems.stop_if_any()


def _worst(*tables: Ints) -> int:
    """Sum over the first axis of the largest entry in each slice, without overflow."""
    worst = [table.max(axis=tuple(range(1, table.ndim)), initial=0) for table in tables]
    return sum(map(int, np.maximum.reduce(worst)))


def _largest(table: Ints) -> int:
    return int(table.max(initial=0))
