"""Tables for people: on a terminal, in a pipe, or as Markdown."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chipweave.output import visible

if TYPE_CHECKING:
    from rich.console import Console

UNLIMITED = 100_000
"""Columns of a line that is only measured."""

PIPE_WIDTH = 200
"""Columns of a table that goes into a pipe, where nothing tells how wide a line may be."""


@dataclass(frozen=True)
class Grid:
    """Rows of text under headings.

    Attributes:
        headings: one a column; a heading that begins with '>' makes a column of numbers. No line
            of headings if all are empty.
        rows: cells as they are printed.
        title: printed above; empty for none.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""

    def show(self, console: Console) -> None:
        """Print on a terminal or into a pipe."""
        from rich.box import SIMPLE_HEAD
        from rich.measure import Measurement
        from rich.table import Table
        from rich.text import Text

        table = Table(
            box=SIMPLE_HEAD,
            title=Text(visible(self.title)) if self.title else None,
            title_justify="left",
            show_header=any(self.headings),
        )
        for heading in self.headings:
            numeric = heading.startswith(">")
            name = Text(visible(heading.removeprefix(">")))
            table.add_column(name, justify="right" if numeric else "left")
        for row in self.rows:
            table.add_row(*(Text(visible(cell)) for cell in row))
        wide = console.options.update_width(UNLIMITED)
        if Measurement.get(console, wide, table).minimum <= console.width:
            console.print(table)
        else:
            console.print(Text(visible("\n".join(self._stacked()))))

    def _stacked(self) -> Iterator[str]:
        """A line for each cell: what a terminal too narrow for the columns can show uncut."""
        names = [heading.removeprefix(">") for heading in self.headings]
        if self.title:
            yield self.title
        for row in self.rows:
            yield ""
            for name, cell in zip(names, row, strict=True):
                if cell:
                    yield f"{name}: {cell}" if name else cell

    def markdown(self) -> str:
        """The same as a Markdown table."""
        names = [heading.removeprefix(">") for heading in self.headings]
        rules = ["---:" if heading.startswith(">") else "---" for heading in self.headings]
        lines = [map(_plain, names), rules, *(map(_plain, row) for row in self.rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _plain(cell: str) -> str:
    """A cell of a Markdown table, which nothing in it ends, and without HTML."""
    return " ".join(visible(cell).splitlines()).replace("|", "\\|").replace("<", "&lt;")


def say(screen: Console, lines: Iterable[str]) -> None:
    """Print sentences as they are, a line each, however long."""
    for line in lines:
        screen.print(visible(line), markup=False, soft_wrap=True)


def console() -> Console:
    """Standard output; wide enough in a pipe that no table is cut."""
    from rich.console import Console

    told = "COLUMNS" in os.environ or sys.stdout.isatty()
    return Console(width=None if told else PIPE_WIDTH, highlight=False, soft_wrap=False)


def number(value: float | None, digits: int = 0, unit: str = "") -> str:
    """A number with thousands separators; a dash for None."""
    if value is None:
        return "–"
    # An integer may have more digits than a float can hold.
    return (
        f"{value:,}{unit}"
        if isinstance(value, int) and not digits
        else f"{value:,.{digits}f}{unit}"
    )


def percent(value: float | None) -> str:
    """A share in percent; a dash for None."""
    return "–" if value is None else f"{value:.2%}"


def scaled(value: float, unit: str, base: int = 1000) -> str:
    """A quantity with a prefix: 0.0123 J as 12.3 mJ, 2048 bytes (base 1024) as 2 KiB."""
    prefixes = ("", "Ki", "Mi", "Gi") if base == 1024 else ("", "k", "M", "G", "T", "P")
    small = () if base == 1024 else ("m", "µ", "n", "p")
    power = 0
    while abs(value) >= base and power < len(prefixes) - 1:
        value, power = value / base, power + 1
    while 0 < abs(value) < 1 and -power < len(small):
        value, power = value * base, power - 1
    prefix = prefixes[power] if power >= 0 else small[-power - 1]
    return f"{value:,.4g} {prefix}{unit}"


MOST_ROWS = 200
"""Rows from each end of a schedule's table; a result or a schedule file has all of it."""


def shortened(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The first and the last rows of a table that is too long to be read."""
    left_out = len(rows) - 2 * MOST_ROWS
    if left_out <= 0:
        return rows
    gap = (f"… {left_out:,} more", *[""] * (len(rows[0]) - 1))
    return [*rows[:MOST_ROWS], gap, *rows[-MOST_ROWS:]]
