"""`chipweave experiment results`."""

from __future__ import annotations

from typing import Annotated

import typer

from chipweave.commands import options

HELP = """Write the page of a ready-made experiment: Markdown with its figures as SVG beside it.

Nothing is run: the page shows what the store has, and says how many runs are missing. Of any other
experiment, `chipweave experiment report` shows the store.

\b
Examples:
  chipweave experiment run experiments/files/comparison.yaml
  chipweave experiment results experiments/files/comparison.yaml --out docs/results
"""


def results(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The experiment.", show_default=False)
    ],
    store: Annotated[
        str, typer.Option("--store", metavar="FILE", help="The store of runs.")
    ] = "runs.db",
    out: Annotated[
        str, typer.Option("--out", metavar="DIR", help="A folder; made if it is not there.")
    ] = "results",
) -> None:
    from chipweave.results import write_page
    from experiments.definition import read_experiment
    from experiments.tables import page_of
    from schedules.schedule import counted

    wanted = read_experiment(file)
    with options.existing_store(store) as runs:
        page = page_of(wanted, runs)
    files = write_page(page, commands(wanted.name), out)
    typer.echo(f"{files[0]} and {counted(len(files) - 1, 'figure')}")


def commands(name: str) -> str:
    """What makes the page of a ready-made experiment, from the repository's root."""
    file = f"experiments/files/{name}.yaml"
    lines = ("run", file), ("results", f"{file} --out docs/results")
    return "\n".join(f"chipweave experiment {verb} {rest}" for verb, rest in lines)
