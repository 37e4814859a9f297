"""CSV files with remarks above their headings: cells by column, errors by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from instances.files.errors import Problems, closest, counted, fail, listed, quoted
from instances.files.text import read_text
from instances.files.whole import write_whole


@dataclass
class CsvText:
    """One file.

    Attributes:
        problems: of the file; their places are lines.
        notes: key, line and value of each remark above the headings, `# key: value`.
        columns: the headings, in their order.
        rows: line and cells by column of each row.
    """

    problems: Problems
    notes: dict[str, tuple[int, str]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    rows: Iterator[tuple[int, dict[str, str]]] = field(default_factory=lambda: iter(()))

    def mismatch(self, line: int, column: str, found: str, expected: str) -> None:
        """Note what a cell or a remark holds instead of what it should."""
        shown = quoted(found) if found else "nothing"
        self.problems.add((), f"line {line}: {column}: found {shown}, expected {expected}")

    def note(self, key: str, most: int, least: int = 0) -> int | None:
        """A whole number that a remark says; None if none does, or not such a number."""
        if key not in self.notes:
            return None
        line, text = self.notes[key]
        number = whole(text, most, least)
        if number is None:
            self.mismatch(line, key, text, up_to(least, most))
        return number


def read_csv(
    path: str | Path, required: Sequence[str], known: Collection[str] | None = None
) -> CsvText:
    """A CSV file whose headings are checked; its rows are read as they are asked for.

    Args:
        path: of the file.
        required: columns that it must have.
        known: others that it may have; None: any. What begins with `#` is a remark.

    Raises:
        FileError: it cannot be read, has no headings or wrong ones; later, it is no CSV.
    """
    file = CsvText(Problems(str(path)))
    lines = io.StringIO(read_text(path), newline="").readlines()
    start = next(
        (i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")),
        len(lines),
    )
    for number, line in enumerate(lines[:start], 1):
        key, colon, value = line.lstrip("#").partition(":")
        if colon:
            file.notes[key.strip()] = number, value.strip()
    if start == len(lines):
        fail(file.problems.source, f"no table, expected a line {','.join(required)}")
    reader = csv.reader(lines[start:], strict=True)
    try:
        file.columns = tuple(cell.strip() for cell in next(reader))
    except csv.Error as error:
        fail(file.problems.source, f"line {start + reader.line_num}: not CSV: {error}")
    _check_headings(file, start + 1, required, known)
    file.problems.stop_if_any()
    file.rows = _rows(file, reader, start)
    return file


def _check_headings(
    file: CsvText, line: int, required: Sequence[str], known: Collection[str] | None
) -> None:
    for column in dict.fromkeys((*required, *(known or ()))):
        times = file.columns.count(column)
        if times == 1 or (not times and column not in required):
            continue
        often = "twice or more" if times else "not at all"
        near = "" if times else closest(column, file.columns)
        file.problems.add(
            (), f"line {line}: found the column {column} {often}, expected it once{near}"
        )
    if known is None or file.problems.lines:
        return
    for column in file.columns:
        if column and not column.startswith("#") and column not in {*required, *known}:
            names = [*required, *known]
            file.problems.add(
                (),
                f"line {line}: found the column {quoted(column)}, expected {listed(names)}"
                f"{closest(column, names)}; one that begins with # is not read",
            )


def _rows(file: CsvText, reader: Any, above: int) -> Iterator[tuple[int, dict[str, str]]]:
    width = len(file.columns)
    try:
        for cells in reader:
            line = above + reader.line_num
            if len(cells) == width:
                yield line, dict(zip(file.columns, cells, strict=True))
            elif cells:
                found = counted(len(cells))
                file.problems.add(
                    (), f"line {line}: found {found}, expected {width}, as in the headings"
                )
    except csv.Error as error:
        fail(file.problems.source, f"line {above + reader.line_num}: not CSV: {error}")


def whole(text: str, most: int, least: int = 0) -> int | None:
    """A whole number in decimal digits within these bounds."""
    digits = text.strip()
    if not digits.isascii() or not digits.isdecimal() or len(digits) > len(str(most)):
        return None
    return int(digits) if least <= int(digits) <= most else None


def up_to(least: int, most: int) -> str:
    """What `whole` expects."""
    return f"a whole number from {least} to {most:,}"


def csv_text(
    headings: Sequence[str], rows: Sequence[Sequence[object]], notes: Mapping[str, object]
) -> str:
    """A table with its notes above it, as `read_csv` takes it; empty notes are left out.

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


def write_csv_file(text: str, path: str | Path) -> None:
    """Write a file; a reader sees the old one or the new one, whole.

    Raises:
        FileError: the file system refuses.
    """
    try:
        write_whole(path, text.encode())
    except OSError as error:
        fail(str(path), f"cannot be written: {error.strerror}")
