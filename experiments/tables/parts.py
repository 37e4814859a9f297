"""What a page of results consists of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Cell = str | int | float | None
"""Of a table; None where nothing is known."""

Kind = Literal["lines", "bars"]


@dataclass(frozen=True)
class Column:
    """Of a table.

    Attributes:
        name: the heading.
        digits: after the point, if it is a column of numbers; None for text.
        percent: the numbers are shares.
    """

    name: str
    digits: int | None = None
    percent: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells, not yet formatted."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Panel:
    """One chart of a figure.

    Attributes:
        title: above it.
        x: positions or names, the same for all series.
        series: values by name, None where there is none.
    """

    title: str
    x: Sequence[float | str]
    series: Mapping[str, Sequence[float | None]]


@dataclass(frozen=True)
class Figure:
    """Charts side by side.

    Attributes:
        name: of the file, without its ending.
        caption: what it shows.
        panels: the charts.
        x_title, y_title: of all axes.
        kind: lines over positions, or bars over names.
        log_x, log_y: logarithmic axes.
    """

    name: str
    caption: str
    panels: Sequence[Panel]
    x_title: str
    y_title: str
    kind: Kind = "lines"
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True)
class Heading:
    """Of a section."""

    text: str


Part = str | Heading | Table | Figure
"""A paragraph is a string."""


@dataclass(frozen=True)
class Page:
    """Results of one experiment.

    Attributes:
        name: of the file, without its ending.
        title: its first line.
        parts: in order.
    """

    name: str
    title: str
    parts: Sequence[Part]
