"""Tables of costs as CSV: the writer of `instances.files.cost_csv`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from instances.files.cost_rows import OUTSIDE, PER_LAYER, PER_ROW, REQUIRED, SELECTORS
from instances.files.csv_text import csv_text, write_csv_file
from instances.files.errors import fail
from instances.instance import Instance
from instances.tables import CostTables

SAID = ("compute", "alone")
"""Columns in which 0 is not the same as nothing."""


def write_csv_costs(instance: Instance, path: str | Path) -> None:
    """Write an instance's tables as CSV; what is read from it is the same.

    Raises:
        FileError: the file system refuses.
    """
    tables = instance.tables
    rows = [*_layer_rows(tables), *_step_rows(tables), *_io_rows(tables), *_skip_rows(tables)]
    used = {c for row in rows for c, value in row.items() if c in SAID or value not in ("", 0)}
    wanted = (*REQUIRED[:3], *SELECTORS, "cycles", *PER_ROW, *PER_LAYER)
    columns = [c for c in wanted if c in used or c in REQUIRED]
    notes = {
        "name": instance.name,
        "batch": instance.batch,
        "chiplets": tables.chiplets,
        "capacity": str(tables.capacity),
        "leakage": tables.leakage,
    }
    try:
        text = csv_text(columns, [[row.get(c, "") for c in columns] for row in rows], notes)
    except ValueError as error:
        fail(str(path), str(error))
    write_csv_file(text, path)


_Row = dict[str, object]


def _places(tables: CostTables) -> Iterator[tuple[int, int, int, _Row]]:
    """Every layer, option and region size, and the row that begins with them."""
    layers, options, chiplets = tables.shape
    for layer in range(layers):
        for option in range(options):
            for c in range(chiplets):
                names = tables.layers[layer], tables.options[option], c + 1
                yield layer, option, c, dict(zip(REQUIRED, names, strict=False))


def _layer_rows(tables: CostTables) -> Iterator[_Row]:
    energy = tables.energy
    for layer, option, c, row in _places(tables):
        here = layer, option, c
        row |= {key: getattr(tables, key)[here] for key in ("exit", "resident", "working")}
        row |= {"cycles": tables.entry[here], "energy": energy.entry[here]}
        row["exit_energy"] = energy.exit[here]
        if tables.compute is not None:
            row["compute"] = tables.compute[here]
        if (option, c) == (0, 0):
            row |= {"load": tables.load[layer], "load_energy": energy.load[layer]}
            row["alone_energy"] = energy.alone[layer]
            if tables.alone[layer] >= 0:
                row["alone"] = tables.alone[layer]
        yield row


def _step_rows(tables: CostTables) -> Iterator[_Row]:
    for layer, option, c, row in _places(tables):
        for before, name in enumerate(tables.options):
            if layer:
                here = layer, before, option, c
                own = {"cycles": tables.step[here], "energy": tables.energy.step[here]}
                yield {**row, "from": name, **own}


def _io_rows(tables: CostTables) -> Iterator[_Row]:
    for s, first in enumerate(tables.layers):
        for e, last in enumerate(tables.layers[s:], s):
            own = {"cycles": tables.io[s, e], "energy": tables.energy.io[s, e]}
            yield {"layer": first, "to": last, **own}


def _skip_rows(tables: CostTables) -> Iterator[_Row]:
    for skip in tables.skips:
        maker = "" if skip.producer < 0 else tables.layers[skip.producer]
        for c in range(tables.chiplets):
            row = {"tensor": skip.name, "layer": maker, "chiplets": c + 1}
            row |= {"to": OUTSIDE if skip.leaves else "", "cycles": skip.leave[c]}
            yield {**row, "working": skip.hold[c], "energy": skip.leave_energy[c]}
        for k, consumer in enumerate(skip.consumers):
            for o, option in enumerate(tables.options):
                for c in range(tables.chiplets):
                    row = {"tensor": skip.name, "layer": tables.layers[consumer], "option": option}
                    row |= {"chiplets": c + 1, "cycles": skip.enter[k, o, c]}
                    yield {**row, "energy": skip.enter_energy[k, o, c]}
