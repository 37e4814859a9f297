"""All costs of an instance as CSV, as the user of a simulator can write them.

    # batch: 8
    # capacity: 100
    layer,option,chiplets,from,cycles,exit,resident,working,load
    a,ISP,1,,40,4,60,8,12
    a,ISP,2,,22,2,30,8,
    b,ISP,1,,30,3,40,6,9
    b,ISP,1,ISP,28,,,,

A row is a layer with an option on so many chiplets; with `from`, the option of the layer before, it
is a step. Rows with `to` are segments, rows with `tensor` skip tensors: docs/costs.md has all of
it, and what is taken where nothing is said. Layers run in the order in which they appear.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from instances.files.cost_rows import (
    PER_LAYER,
    PER_ROW,
    REQUIRED,
    SELECTORS,
    CostRows,
    Sizes,
    SkipTensor,
    Values,
)
from instances.files.csv_text import read_csv
from instances.files.errors import closest, fail, quoted
from instances.files.schema import MAX_BATCH, MAX_CHIPLETS
from instances.files.table_checks import check_entries
from instances.files.table_file import tables_from_data
from instances.instance import Instance
from instances.tables import LIMIT


def read_csv_costs(
    path: str | Path, *, batch: int | None = None, default_batch: int | None = None
) -> Instance:
    """Read costs that another simulator, or a person, has written.

    Args:
        path: of the file.
        batch: overrides the file's.
        default_batch: where the file has none.

    Raises:
        FileError: the file cannot be used; one line a problem.
    """
    file = read_csv(path, REQUIRED, (*SELECTORS, *PER_ROW, *PER_LAYER))
    costs = CostRows(file)
    for line, cells in file.rows:
        costs.row(line, cells)
    file.problems.stop_if_any()
    if not costs.layers:
        fail(str(path), "no row of a layer, expected at least one")
    data = table_data(costs, batch or file.note("batch", MAX_BATCH, 1) or default_batch)
    file.problems.stop_if_any()
    return tables_from_data(data, file.problems, default_name=Path(path).stem)


_Nothing = TypeVar("_Nothing", Values, None)

TABLES = {
    "entry": "cycles",
    "exit": "exit",
    "resident": "resident",
    "working": "working",
    "entry_energy": "energy",
    "exit_energy": "exit_energy",
}
"""Keys of a table file's layers, and the columns that say the same."""


def table_data(rows: CostRows, batch: int | None) -> dict[str, object]:
    """What the rows say, as the data of a table file; what they do not say, as documented."""
    file = rows.file
    said = [size for sizes in rows.own.values() for size in sizes]
    chiplets = file.note("chiplets", MAX_CHIPLETS, max(said)) or max(said)
    capacity = file.note("capacity", LIMIT - 1)
    if batch is None and "batch" not in file.notes:
        file.problems.add(
            (), "no batch: give one, or write a line '# batch: 64' above the headings"
        )
    if capacity is None and "capacity" not in file.notes:
        capacity = 0
        if {"resident", "working"} & set(file.columns):
            file.problems.add(
                (),
                "no capacity: write a line '# capacity: BYTES' above the headings, or leave out"
                " the columns resident and working",
            )
    check_entries(len(rows.layers), len(rows.options), chiplets, 0, file.problems)
    _check_names(rows)
    _check_order(rows)
    file.problems.stop_if_any()
    tables = _Lists(rows, chiplets)
    data: dict[str, object] = {
        "kind": "tables",
        "batch": batch,
        "chiplets": chiplets,
        "capacity": capacity,
        "leakage": file.note("leakage", LIMIT - 1) or 0,
        "options": list(rows.options),
        "layers": [tables.layer(number, name) for number, name in enumerate(rows.layers)],
        "io": tables.io("cycles"),
        "io_energy": tables.io("energy"),
        "skips": [tables.skip(name, tensor) for name, tensor in rows.tensors.items()],
    }
    if "name" in file.notes:
        data["name"] = file.notes["name"][1]
    return data


def _check_names(rows: CostRows) -> None:
    """Every layer and option that a row refers to has rows of its own."""
    names, problems = list(rows.layers), rows.file.problems
    for layer in names:
        for option in rows.options:
            if (layer, option) not in rows.own:
                problems.add((), f"no row of layer {quoted(layer)} with option {quoted(option)}")
    used = [layer for layer, _, _ in rows.steps] + [end for ends in rows.segments for end in ends]
    used += [layer for tensor in rows.tensors.values() for layer, _ in tensor.read]
    for layer in dict.fromkeys(used):
        if layer not in names:
            problems.add(
                (),
                f"unknown layer {quoted(layer)}{closest(layer, names)}, expected one"
                " that has rows with an option and without 'from'",
            )
    for layer, *options in rows.steps:
        for option in options:
            if option not in rows.options:
                near = closest(option, rows.options)
                what = f"unknown option {quoted(option)}{near}"
                problems.add((), f"a step of layer {quoted(layer)}: {what}")


def _check_order(rows: CostRows) -> None:
    """Steps have a layer before them, and segments end where they begin or later."""
    names, problems = list(rows.layers), rows.file.problems
    if any(layer == names[0] for layer, _, _ in rows.steps):
        what = "is the first: found a row with 'from', expected none"
        problems.add((), f"layer {quoted(names[0])} {what}")
    for first, last in rows.segments:
        if {first, last} <= set(names) and names.index(last) < names.index(first):
            problems.add((), f"segment {quoted(first)} to {quoted(last)} ends before it begins")


class _Lists:
    """Lists over region sizes, of what the rows say and of what follows from it."""

    def __init__(self, rows: CostRows, chiplets: int) -> None:
        self.rows, self.chiplets = rows, chiplets
        self.options, self.names = list(rows.options), list(rows.layers)

    def layer(self, number: int, name: str) -> dict[str, object]:
        """An entry of `layers`."""
        said = self.rows.layers[name]
        own = {option: self.filled(name, option) for option in self.options}
        data: dict[str, object] = {
            "name": name,
            "load": said.get("load", 0),
            "load_energy": said.get("load_energy", 0),
            "alone_energy": said.get("alone_energy", 0),
        }
        if "alone" in said:
            data["alone"] = said["alone"]
        compute = {"compute": "compute"} if self.has_compute else {}
        for key, column in {**TABLES, **compute}.items():
            data[key] = {option: [row.get(column, 0) for row in own[option]] for option in own}
        if number:
            for key, column in (("step", "cycles"), ("step_energy", "energy")):
                data[key] = {
                    before: {o: self.steps(name, before, o, own[o], column) for o in self.options}
                    for before in self.options
                }
        return data

    @property
    def has_compute(self) -> bool:
        """Whether all rows say it; a part of them says nothing."""
        return all("compute" in row for sizes in self.rows.own.values() for row in sizes.values())

    def filled(self, layer: str, option: str) -> list[Values]:
        """What is said of each region size: of one that is left out, the next smaller one's."""
        sizes = self.rows.own[layer, option]
        if 1 not in sizes:
            self.rows.file.problems.add(
                (),
                f"layer {quoted(layer)}, option {quoted(option)}: no row for 1 chiplet:"
                " larger regions may be left out, the smallest may not",
            )
        return _filled(sizes, self.chiplets, {})

    def steps(
        self, layer: str, before: str, option: str, own: list[Values], column: str
    ) -> list[int]:
        """Cycles or picojoules of a step; where nothing is said, those of an entry."""
        sizes = self.rows.steps.get((layer, before, option), {})
        said = _filled(sizes, self.chiplets, None)
        return [
            (first if step is None else step).get(column, 0)
            for step, first in zip(said, own, strict=True)
        ]

    def io(self, column: str) -> list[list[int]]:
        """[L][L]; of a segment that no row has, to fetch for its first and store for its last."""
        segments, layers = self.rows.segments, self.rows.layers
        io = [[0] * len(layers) for _ in layers]
        for s, first in enumerate(self.names):
            for e, last in enumerate(self.names[s:], s):
                if (first, last) in segments:
                    io[s][e] = segments[first, last].get(column, 0)
                elif column == "cycles":
                    io[s][e] = layers[first].get("fetch", 0) + layers[last].get("store", 0)
        return io

    def skip(self, name: str, tensor: SkipTensor) -> dict[str, object]:
        """An entry of `skips`."""
        made = _filled(tensor.made, self.chiplets, {})
        readers = sorted({layer for layer, _ in tensor.read}, key=self.names.index)
        return {
            "name": name,
            "producer": tensor.producer,
            "leaves": tensor.leaves,
            "leave": [row.get("cycles", 0) for row in made],
            "hold": [row.get("working", 0) for row in made],
            "leave_energy": [row.get("energy", 0) for row in made],
            "consumers": [
                {
                    "layer": layer,
                    "enter": self.enter(tensor, layer, "cycles"),
                    "enter_energy": self.enter(tensor, layer, "energy"),
                }
                for layer in readers
            ],
        }

    def enter(self, tensor: SkipTensor, layer: str, column: str) -> dict[str, list[int]]:
        """Cycles or picojoules to receive a skip tensor."""
        return {
            option: [
                row.get(column, 0)
                for row in _filled(tensor.read.get((layer, option), {}), self.chiplets, {})
            ]
            for option in self.options
        }


def _filled(sizes: Sizes, chiplets: int, nothing: _Nothing) -> list[Values | _Nothing]:
    """What is said of 1 to so many chiplets; in gaps, of the next smaller number."""
    found, last = [], nothing
    for size in range(1, chiplets + 1):
        last = sizes.get(size, last)
        found.append(last)
    return found
