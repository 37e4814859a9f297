"""`chipweave experiment`: runs of many instances, kept in a store."""

from __future__ import annotations

import typer

from chipweave.commands import experiment_report

HELP = "Look at the runs of a store."

BAD_INPUT = 2

app = typer.Typer(help=HELP, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def experiment(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(BAD_INPUT)


app.command("report", help=experiment_report.REPORT_HELP)(experiment_report.report)
