"""Tables of losses in CSV files.

    # measure: top1
    # samples: 64
    tensor,ratio,loss
    conv1,2,0
    conv1,4,0.03125

A row for each tensor and ratio; ratio 1 may be left out. Lines with `#` may stand above the line of
headings, and of these `measure` and `samples` are read. The columns may be in any order, and others
may stand beside them: `chipweave calibrate` writes several. The meaning is that of
`instances.losses.LossTable`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from instances.files.errors import Problems, closest, counted, fail, quoted
from instances.files.schema import MAX_BATCH
from instances.files.text import read_text
from instances.files.whole import write_whole
from instances.losses import LossTable, is_line

COLUMNS = ("tensor", "ratio", "loss")
"""What every table has."""

MAX_RATIO = 2**20
"""A ratio, at most."""

NOTES = ("measure", "samples")


def read_losses(path: str | Path) -> LossTable:
    """Read a table of losses.

    Raises:
        FileError: the file is not one.
    """
    reading = _Reading(Problems(str(path)))
    notes, lines = _above(io.StringIO(read_text(path), newline="").readlines())
    reading.note(notes)
    reading.table(lines, len(notes))
    reading.problems.stop_if_any()
    return LossTable(reading.losses, reading.measure, reading.samples)


def write_losses(table: LossTable, path: str | Path) -> None:
    """Write a table of losses, as CSV.

    Raises:
        FileError: a measure of several lines, or the file system refuses.
    """
    rows = [
        (tensor, ratio, loss)
        for tensor, losses in table.losses.items()
        for ratio, loss in losses.items()
    ]
    try:
        text = losses_text(COLUMNS, rows, {"measure": table.measure, "samples": table.samples})
        write_whole(path, text.encode())
    except ValueError as error:
        fail(str(path), str(error))
    except OSError as error:
        fail(str(path), f"cannot be written: {error.strerror}")


def losses_text(
    headings: Sequence[str], rows: Sequence[Sequence[object]], notes: dict[str, object]
) -> str:
    """A table with its notes above it, as `read_losses` takes it; empty notes are left out.

    Raises:
        ValueError: a note of several lines.
    """
    text = io.StringIO()
    for key, value in notes.items():
        if len(str(value).splitlines()) > 1:
            raise ValueError(f"{key}: found {quoted(str(value))}, expected one line")
        if value:
            text.write(f"# {key}: {value}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue()


def _above(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines with `#` or nothing above the headings, and the rest."""
    start = next(
        (i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")),
        len(lines),
    )
    return lines[:start], lines[start:]


@dataclass
class _Reading:
    """A file as it is read."""

    problems: Problems
    losses: dict[str, dict[int, float]] = field(default_factory=dict)
    lines: dict[tuple[str, int], int] = field(default_factory=dict)
    measure: str = ""
    samples: int = 0

    def note(self, lines: list[str]) -> None:
        """Take what the lines above the table say."""
        for number, line in enumerate(lines, 1):
            key, colon, value = line.lstrip("#").partition(":")
            if not colon or key.strip() not in NOTES:
                continue
            if key.strip() == "measure":
                self.measure = value.strip()
            elif (samples := _whole(value, MAX_BATCH)) is not None:
                self.samples = samples
            else:
                self._mismatch(number, "samples", value.strip(), _up_to(0, MAX_BATCH))

    def table(self, lines: list[str], above: int) -> None:
        """Take the table itself; `above` lines stand over it."""
        if not lines:
            fail(self.problems.source, f"no table, expected a line {','.join(COLUMNS)}")
        reader = csv.reader(lines, strict=True)
        try:
            headings = [cell.strip() for cell in next(reader)]
            places = self._places(headings, above + 1)
            self.problems.stop_if_any()
            for cells in reader:
                if cells:
                    self._row(cells, len(headings), places, above + reader.line_num)
        except csv.Error as error:
            fail(self.problems.source, f"line {above + reader.line_num}: not CSV: {error}")

    def _places(self, headings: list[str], line: int) -> dict[str, int]:
        places = {}
        for column in COLUMNS:
            if headings.count(column) == 1:
                places[column] = headings.index(column)
                continue
            often = "twice or more" if column in headings else "not at all"
            near = "" if column in headings else closest(column, headings)
            self.problems.add(
                (), f"line {line}: found the column {column} {often}, expected it once{near}"
            )
        return places

    def _row(self, cells: list[str], width: int, places: dict[str, int], line: int) -> None:
        if len(cells) != width:
            self.problems.add(
                (),
                f"line {line}: found {counted(len(cells))}, expected {width}, as in the headings",
            )
            return
        tensor = cells[places["tensor"]]
        ratio = _whole(cells[places["ratio"]], MAX_RATIO, 1)
        loss = _number(cells[places["loss"]])
        if not is_line(tensor):
            self._mismatch(line, "tensor", tensor, "a name of one line")
        if ratio is None:
            self._mismatch(line, "ratio", cells[places["ratio"]], _up_to(1, MAX_RATIO))
        if loss is None:
            self._mismatch(line, "loss", cells[places["loss"]], "a number of 0 or more")
        elif ratio == 1 and loss:
            self._mismatch(line, "loss", cells[places["loss"]], "0, as ratio 1 is no compression")
        if not is_line(tensor) or ratio is None or loss is None:
            return
        if (tensor, ratio) in self.lines:
            before = f"line {self.lines[tensor, ratio]} has this tensor and ratio, too"
            self.problems.add((), f"line {line}: {quoted(tensor)}, ratio {ratio}: {before}")
        self.lines[tensor, ratio] = line
        self.losses.setdefault(tensor, {})[ratio] = loss

    def _mismatch(self, line: int, column: str, found: str, expected: str) -> None:
        shown = quoted(found) if found else "nothing"
        self.problems.add((), f"line {line}: {column}: found {shown}, expected {expected}")


def _whole(text: str, most: int, least: int = 0) -> int | None:
    """A whole number in decimal digits within these bounds."""
    digits = text.strip()
    if not digits.isascii() or not digits.isdecimal() or len(digits) > len(str(most)):
        return None
    return int(digits) if least <= int(digits) <= most else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and value >= 0 else None


def _up_to(least: int, most: int) -> str:
    return f"a whole number from {least} to {most:,}"
