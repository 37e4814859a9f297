"""The rows of a CSV file of costs: docs/costs.md says what each kind of them means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from instances.files.csv_text import CsvText, up_to, whole
from instances.files.errors import quoted
from instances.files.schema import MAX_CHIPLETS
from instances.tables import LIMIT

REQUIRED = ("layer", "option", "chiplets", "cycles")
"""Columns of every file."""

SELECTORS = ("from", "to", "tensor")
"""Columns that say what a row is about, if not a layer that is first in its cluster."""

PER_ROW = ("exit", "compute", "resident", "working", "energy", "exit_energy")
PER_LAYER = ("load", "fetch", "store", "alone", "load_energy", "alone_energy")
"""Columns of numbers; the second ones are of the layer, said in one of its rows or in all."""

OUTSIDE = "outside"
"""Where a skip tensor goes that is also a result."""

Values = dict[str, int]
Sizes = dict[int, Values]
"""What is said of each number of chiplets."""


@dataclass
class SkipTensor:
    """A skip tensor: who makes it, whether it leaves, and what is said of both its ends."""

    producer: str | None = None
    leaves: bool = False
    made: Sizes = field(default_factory=dict)
    read: dict[tuple[str, str], Sizes] = field(default_factory=dict)


class CostRows:
    """What the rows have said so far."""

    def __init__(self, file: CsvText) -> None:
        self.file = file
        self.layers: dict[str, Values] = {}
        self.options: dict[str, None] = {}
        self.own: dict[tuple[str, str], Sizes] = {}
        self.steps: dict[tuple[str, str, str], Sizes] = {}
        self.segments: dict[tuple[str, str], Values] = {}
        self.tensors: dict[str, SkipTensor] = {}
        self.first_lines: dict[tuple[object, ...], int] = {}

    def row(self, line: int, cells: Mapping[str, str]) -> None:
        """Take a row."""
        names = {column: cells.get(column, "") for column in ("layer", "option", *SELECTORS)}
        values = self._values(line, cells)
        sized = not names["to"] or bool(names["tensor"])
        size = self._size(line, cells["chiplets"]) if sized else 0
        if size is None or not self._is_new(line, (*names.values(), size)):
            return
        if names["tensor"]:
            self._tensor(line, names, size, values)
        elif names["to"]:
            self._expect_nothing(line, cells, "option", "chiplets", "from")
            self.segments[names["layer"], names["to"]] = values
        elif not names["layer"] or not names["option"]:
            self.file.mismatch(line, "option" if names["layer"] else "layer", "", "a name")
        elif names["from"]:
            key = (names["layer"], names["from"], names["option"])
            self.steps.setdefault(key, {})[size] = values
        else:
            self._layer(line, names, size, values)

    def _layer(self, line: int, names: Mapping[str, str], size: int, values: Values) -> None:
        layer, option = names["layer"], names["option"]
        self.options.setdefault(option)
        self.own.setdefault((layer, option), {})[size] = values
        known = self.layers.setdefault(layer, {})
        for column in PER_LAYER:
            if column in values and known.setdefault(column, values[column]) != values[column]:
                expected = f"{known[column]}, as in another row of layer {quoted(layer)}"
                self.file.mismatch(line, column, str(values[column]), expected)

    def _tensor(self, line: int, names: Mapping[str, str], size: int, values: Values) -> None:
        tensor = self.tensors.setdefault(names["tensor"], SkipTensor())
        if names["option"]:
            tensor.read.setdefault((names["layer"], names["option"]), {})[size] = values
            return
        tensor.producer = names["layer"] or None
        tensor.leaves = tensor.leaves or names["to"] == OUTSIDE
        tensor.made[size] = values
        if names["to"] not in ("", OUTSIDE):
            self.file.mismatch(line, "to", names["to"], f"nothing or {OUTSIDE}")

    def _values(self, line: int, cells: Mapping[str, str]) -> Values:
        """The numbers of a row; an empty cell says nothing."""
        found = {}
        for column in ("cycles", *PER_ROW, *PER_LAYER):
            text = cells.get(column, "").strip()
            number = whole(text.removesuffix(".0"), LIMIT - 1)
            if number is not None:
                found[column] = number
            elif text or column == "cycles":
                self.file.mismatch(line, column, text, up_to(0, LIMIT - 1))
        return found

    def _size(self, line: int, text: str) -> int | None:
        size = whole(text, MAX_CHIPLETS, 1)
        if size is None:
            self.file.mismatch(line, "chiplets", text, up_to(1, MAX_CHIPLETS))
        return size

    def _is_new(self, line: int, key: tuple[object, ...]) -> bool:
        before = self.first_lines.setdefault(key, line)
        if before != line:
            self.file.problems.add((), f"line {line}: line {before} says this already")
        return before == line

    def _expect_nothing(self, line: int, cells: Mapping[str, str], *columns: str) -> None:
        for column in columns:
            if cells.get(column, "").strip():
                expected = "nothing in the row of a segment (a row with 'to')"
                self.file.mismatch(line, column, cells[column], expected)
