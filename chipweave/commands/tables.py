"""What the commands that measure have in common: tables on the screen, and files of the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chipweave.output import STDOUT, attempt_all, write_csv, write_json, write_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chipweave.grid import Grid


def report(
    tables: Sequence[Grid],
    data: Any,
    *,
    json: str | None,
    markdown: str | None,
    page: str | None = None,
    csv: str | None = None,
    rows: tuple[Sequence[str], Iterable[Sequence[object]]] = ((), ()),
) -> None:
    """Print tables, unless a file goes to standard output, and write the files.

    Args:
        tables: what is shown.
        data: the same as plain data, for `json`.
        json, markdown, csv: files, or '-'; None for none.
        page: what `markdown` gets instead of the tables.
        rows: headings and rows, for `csv`.

    Raises:
        ValueError: a file cannot be written.
    """
    from chipweave.grid import console

    if STDOUT not in (json, csv, markdown):
        screen = console()
        for table in tables:
            table.show(screen)
    text = "\n".join(table.markdown() for table in tables) if page is None else page
    writes = []
    if json is not None:
        writes.append(lambda: write_json(json, data))
    if csv is not None:
        writes.append(lambda: write_csv(csv, *rows))
    if markdown is not None:
        writes.append(lambda: write_text(markdown, text))
    attempt_all(writes)
