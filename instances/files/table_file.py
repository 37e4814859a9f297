"""Table instances: from the file's lists to arrays, and back. The format: table_schema."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from instances.files.errors import Problems
from instances.files.schema import validate
from instances.files.table_checks import check_magnitudes, check_tables
from instances.files.table_schema import ByOption, ByOptions, TableFile, TableSkip
from instances.files.text import write_data
from instances.instance import Instance
from instances.tables import CostTables, EnergyTables, Ints, Skip


def write_tables(instance: Instance, path: str | Path) -> None:
    """Write an instance as a table instance, whatever its tables came from.

    Raises:
        FileError: unknown suffix, or the file system refuses.
    """
    write_data(tables_to_data(instance), path)


def tables_from_data(
    data: object, problems: Problems, *, default_name: str, batch: int | None = None
) -> Instance:
    """A table instance from plain data; `batch` overrides the data's.

    Raises:
        FileError: the data are not a table instance.
    """
    model = validate(TableFile, data, problems)
    check_tables(model, problems)
    tables = _Arrays(model).tables()
    samples = model.batch if batch is None else batch
    check_magnitudes(tables, samples, problems)
    return Instance(model.name or default_name, samples, tables)


class _Arrays:
    """Turns the lists of a checked file into arrays; what is absent becomes zero."""

    def __init__(self, model: TableFile) -> None:
        self.model = model
        self.options = model.options
        self.index = {layer.name: position for position, layer in enumerate(model.layers)}

    def tables(self) -> CostTables:
        model, layers = self.model, self.model.layers
        compute = [layer.compute for layer in layers]
        return CostTables(
            layers=tuple(self.index),
            options=tuple(self.options),
            capacity=model.capacity,
            entry=self.by_option([layer.entry for layer in layers]),
            step=self.by_options([layer.step for layer in layers]),
            exit=self.by_option([layer.exit for layer in layers]),
            compute=None if compute[0] is None else self.by_option(compute),
            resident=self.by_option([layer.resident for layer in layers]),
            working=self.by_option([layer.working for layer in layers]),
            load=_array([layer.load for layer in layers]),
            io=_array(model.io),
            alone=_array([-1 if layer.alone is None else layer.alone for layer in layers]),
            skips=tuple(self.skip(skip, number) for number, skip in enumerate(model.skips)),
            energy=self.energy(),
        )

    def energy(self) -> EnergyTables:
        model, layers = self.model, self.model.layers
        io = np.zeros((len(layers), len(layers)), dtype=np.int64)
        return EnergyTables(
            entry=self.by_option([layer.entry_energy for layer in layers]),
            step=self.by_options([layer.step_energy for layer in layers]),
            exit=self.by_option([layer.exit_energy for layer in layers]),
            load=_array([layer.load_energy for layer in layers]),
            io=io if model.io_energy is None else _array(model.io_energy),
            alone=_array([layer.alone_energy for layer in layers]),
            leakage=model.leakage,
        )

    def skip(self, skip: TableSkip, number: int) -> Skip:
        users = sorted(skip.consumers, key=lambda user: self.index[user.layer])
        return Skip(
            name=skip.name or f"skip {number}",
            producer=-1 if skip.producer is None else self.index[skip.producer],
            consumers=tuple(self.index[user.layer] for user in users),
            leaves=skip.leaves,
            enter=self.by_option([user.enter for user in users]),
            leave=self.plain(skip.leave),
            hold=self.plain(skip.hold),
            enter_energy=self.by_option([user.enter_energy for user in users]),
            leave_energy=self.plain(skip.leave_energy),
        )

    def plain(self, entries: list[int] | None) -> Ints:
        """[C]."""
        return _array([0] * self.model.chiplets if entries is None else entries)

    def by_option(self, tables: Sequence[ByOption | None]) -> Ints:
        """[len(tables), O, C]."""
        result = np.zeros((len(tables), len(self.options), self.model.chiplets), dtype=np.int64)
        for row, table in zip(result, tables, strict=True):
            if table is not None:
                row[:] = [table[option] for option in self.options]
        return result

    def by_options(self, tables: Sequence[ByOptions | None]) -> Ints:
        """[len(tables), O, O, C]."""
        count = len(self.options)
        result = np.zeros((len(tables), count, count, self.model.chiplets), dtype=np.int64)
        for row, table in zip(result, tables, strict=True):
            if table is not None:
                row[:] = self.by_option([table[option] for option in self.options])
        return result


def _array(values: list[int] | list[list[int]]) -> Ints:
    return np.array(values, dtype=np.int64)


def tables_to_data(instance: Instance) -> dict[str, object]:
    """The instance's tables as plain data; tables of zeros that may be absent are left out."""
    tables = instance.tables
    data: dict[str, object] = {
        "kind": "tables",
        "name": instance.name,
        "batch": instance.batch,
        "chiplets": tables.chiplets,
        "capacity": tables.capacity,
        "options": list(tables.options),
    }
    if tables.energy.leakage:
        data["leakage"] = tables.energy.leakage
    data["layers"] = [_layer_to_data(tables, index) for index in range(len(tables.layers))]
    data["io"] = tables.io.tolist()
    if tables.energy.io.any():
        data["io_energy"] = tables.energy.io.tolist()
    if tables.skips:
        data["skips"] = [_skip_to_data(skip, tables) for skip in tables.skips]
    return data


def _layer_to_data(tables: CostTables, index: int) -> dict[str, Any]:
    options, energy = tables.options, tables.energy
    data: dict[str, Any] = {"name": tables.layers[index], "load": int(tables.load[index])}
    for key in ("resident", "working", "entry", "exit"):
        data[key] = _named(getattr(tables, key)[index], options)
    if index:
        data["step"] = _named(tables.step[index], options)
    if tables.compute is not None:
        data["compute"] = _named(tables.compute[index], options)
    if tables.alone[index] >= 0:
        data["alone"] = int(tables.alone[index])
    for key in ("load", "alone"):
        if (value := int(getattr(energy, key)[index])) != 0:
            data[f"{key}_energy"] = value
    for key in ("entry", "exit", "step") if index else ("entry", "exit"):
        if (table := getattr(energy, key)[index]).any():
            data[f"{key}_energy"] = _named(table, options)
    return data


def _skip_to_data(skip: Skip, tables: CostTables) -> dict[str, Any]:
    producer = None if skip.producer < 0 else tables.layers[skip.producer]
    data: dict[str, Any] = {"name": skip.name, "producer": producer, "consumers": []}
    for position, layer in enumerate(skip.consumers):
        consumer: dict[str, Any] = {"layer": tables.layers[layer]}
        for key in ("enter", "enter_energy"):
            if (table := getattr(skip, key)[position]).any():
                consumer[key] = _named(table, tables.options)
        data["consumers"].append(consumer)
    if skip.leaves:
        data["leaves"] = True
    for key in ("leave", "hold", "leave_energy"):
        if getattr(skip, key).any():
            data[key] = getattr(skip, key).tolist()
    return data


def _named(table: Ints, options: tuple[str, ...]) -> dict[str, Any]:
    """Nested lists by option name: [O,C] -> {o: [C]}, [O,O,C] -> {o: {o: [C]}}."""
    if table.ndim == 2:
        return dict(zip(options, table.tolist(), strict=True))
    return {option: _named(inner, options) for option, inner in zip(options, table, strict=True)}
