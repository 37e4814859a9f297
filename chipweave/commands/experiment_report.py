"""`chipweave experiment report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chipweave.status import live

REPORT_HELP = """Write a report of a store of runs: a page that needs no network, and its figures.

The page has a table of all runs, interactive figures, and a viewer: a click on a run shows its
regions on the mesh, its pipeline, and what each stage does with its time. The figures are written
as SVG files beside it. Needs plotly: pip install 'chipweave[experiments]'.

\b
Examples:
  chipweave experiment report runs.db --out report
"""

StoreFile = Annotated[
    str, typer.Argument(metavar="STORE", help="A store of runs.", show_default=False)
]
Out = Annotated[
    str,
    typer.Option(
        "--out", metavar="DIR", help="The folder; made if it is not there.", show_default=False
    ),
]


def report(store: StoreFile, out: Out) -> None:
    folder = Path(out)
    if not out or (folder.exists() and not folder.is_dir()):
        raise ValueError(f"--out {out!r}: is no folder, expected one for the report's files")
    if not Path(store).is_file():
        raise ValueError(f"{store}: there is no such store")
    from experiments.report import write_report
    from experiments.store import Store

    with live(f"report of {store}"), Store(store) as opened:
        written = write_report(opened, folder)
    typer.echo(
        f"{written.page}: {written.runs:,} runs, {written.schedules:,} of them with a schedule to"
        f" look at; {len(written.pictures)} figures beside it"
    )
