"""What the commands of `chipweave bench` have in common: options, parts, measures, pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import options
from chipweave.commands.tables import report

if TYPE_CHECKING:
    from experiments.bars import Measure
    from experiments.tables.parts import Page

Out = Annotated[
    str | None, typer.Option("--out", metavar="DIR", help="A folder; made if it is not there.")
]
Only = Annotated[str, typer.Option("--only", metavar="PARTS", help="Parts, with commas between.")]
Instances = Annotated[int, typer.Option("--instances", metavar="N", min=1, help="Random ones.")]


def parts(only: str, known: Sequence[str]) -> list[str]:
    """What `--only` names.

    Raises:
        ValueError: nothing, something twice, or what is not known.
    """
    chosen = options.names("--only", only)
    for name in chosen:
        if name not in known:
            raise ValueError(f"--only: unknown {name!r}, expected some of {', '.join(known)}")
    return chosen


def report_measures(found: Sequence[Measure], json: str | None, markdown: str | None) -> None:
    """Print measures, or write them."""
    from chipweave.bench_report import measure_table

    data = {"measures": [measure.to_data() for measure in found]}
    report([measure_table(found)], data, json=json, markdown=markdown)


def write_results(page: Page, command: str, out: str) -> None:
    """Write a page of results into a folder, and say where it is.

    Raises:
        ValueError: the folder or a file cannot be written.
    """
    from chipweave.results import write_page

    (file, *_) = write_page(page, command, out)
    typer.echo(str(file))
