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

from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from instances.files.csv_text import CsvText, csv_text, read_csv, up_to, whole, write_csv_file
from instances.files.errors import fail, quoted
from instances.files.schema import MAX_BATCH
from instances.losses import LossTable, is_line

COLUMNS = ("tensor", "ratio", "loss")
"""What every table has."""

MAX_RATIO = 2**20
"""A ratio, at most."""


def read_losses(path: str | Path) -> LossTable:
    """Read a table of losses.

    Raises:
        FileError: the file is not one.
    """
    file = read_csv(path, COLUMNS)
    reading = _Reading(file)
    samples = file.note("samples", MAX_BATCH)
    for line, cells in file.rows:
        reading.row(line, cells)
    file.problems.stop_if_any()
    _, measure = file.notes.get("measure", (0, ""))
    return LossTable(reading.losses, measure, samples or 0)


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
        text = csv_text(COLUMNS, rows, {"measure": table.measure, "samples": table.samples})
    except ValueError as error:
        fail(str(path), str(error))
    write_csv_file(text, path)


@dataclass
class _Reading:
    """A file as it is read."""

    file: CsvText
    losses: dict[str, dict[int, float]] = field(default_factory=dict)
    lines: dict[tuple[str, int], int] = field(default_factory=dict)

    def row(self, line: int, cells: dict[str, str]) -> None:
        """Take a row."""
        tensor = cells["tensor"]
        ratio = whole(cells["ratio"], MAX_RATIO, 1)
        loss = _number(cells["loss"])
        if not is_line(tensor):
            self.file.mismatch(line, "tensor", tensor, "a name of one line")
        if ratio is None:
            self.file.mismatch(line, "ratio", cells["ratio"], up_to(1, MAX_RATIO))
        if loss is None:
            self.file.mismatch(line, "loss", cells["loss"], "a number of 0 or more")
        elif ratio == 1 and loss:
            self.file.mismatch(line, "loss", cells["loss"], "0, as ratio 1 is no compression")
        if not is_line(tensor) or ratio is None or loss is None:
            return
        if (tensor, ratio) in self.lines:
            before = f"line {self.lines[tensor, ratio]} has this tensor and ratio, too"
            self.file.problems.add((), f"line {line}: {quoted(tensor)}, ratio {ratio}: {before}")
        self.lines[tensor, ratio] = line
        self.losses.setdefault(tensor, {})[ratio] = loss


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and value >= 0 else None
