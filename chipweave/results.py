"""Pages of results as Markdown, with their figures beside them."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from chipweave.grid import Grid, number, percent

if TYPE_CHECKING:
    from experiments.tables.parts import Cell, Column, Figure, Page, Part, Table

WIDTH = 115
"""Columns of a paragraph."""


def write_page(page: Page, command: str, folder: str | Path) -> list[Path]:
    """Write a page and its figures into the folder of --out, which is made if it is missing.

    Args:
        command: what makes the page, for its top.

    Returns:
        The files; the page is the first.

    Raises:
        ValueError: the folder or a file cannot be written.
    """
    try:
        return _written(page, command, Path(folder))
    except OSError as error:
        raise ValueError(f"--out {folder}: cannot be written: {error.strerror}") from None


def _written(page: Page, command: str, place: Path) -> list[Path]:
    from experiments.tables.parts import Figure
    from experiments.tables.pictures import draw_figure
    from instances.files.whole import write_whole

    place.mkdir(parents=True, exist_ok=True)
    pictures = []
    for part in page.parts:
        if isinstance(part, Figure):
            pictures.append(place / _file(page, part))
            draw_figure(part, pictures[-1])
    path = place / f"{page.name}.md"
    write_whole(path, markdown(page, command).encode())
    return [path, *pictures]


def markdown(page: Page, command: str) -> str:
    """The text of a page; its figures are links to files beside it."""
    blocks = [f"# {page.title}", f"```sh\n{command}\n```"]
    return "\n\n".join([*blocks, *(_block(page, part) for part in page.parts)]) + "\n"


def table_grid(table: Table) -> Grid:
    """A table with its cells as text."""
    headings = [("" if column.digits is None else ">") + column.name for column in table.columns]
    rows = [
        [_text(column, cell) for column, cell in zip(table.columns, row, strict=True)]
        for row in table.rows
    ]
    return Grid(headings, rows)


def _block(page: Page, part: Part) -> str:
    from experiments.tables.parts import Figure, Heading, Table

    if isinstance(part, Heading):
        return f"## {part.text}"
    if isinstance(part, Table):
        return table_grid(part).markdown().rstrip("\n")
    if isinstance(part, Figure):
        return f"![{part.caption}]({_file(page, part)})"
    return fill(part, WIDTH, break_long_words=False, break_on_hyphens=False)


def _file(page: Page, figure: Figure) -> str:
    return f"{page.name}-{figure.name}.svg"


def _text(column: Column, cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    if column.percent:
        return percent(cell)
    return number(cell, column.digits or 0)
