"""`chipweave bench`: measures of the fast methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import options
from chipweave.commands.checks import check_method, check_outputs
from chipweave.output import STDOUT, attempt_all, check_writable, write_csv, write_json, write_text
from chipweave.status import live

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chipweave.status import Status
    from experiments.bars import Measure
    from experiments.gap import Summary
    from experiments.store import Store

HELP = "Measure the fast methods: how good, how fast, how large."

GAP_HELP = """Measure the gap of the fast methods to the proved optimum, and how their time grows.

Runs are kept in a store: a run that is there is not run again, and a command that was stopped goes
on where it was. Two commands with one store share the work. Without options the first time takes
hours.

\b
Parts:
  gap     the gap on networks x packages x batches: a line a method, and its bars
  growth  how process time grows with layers (64 to 8,192) and with chiplets (16 to 4,096)
  huge    10,000 layers on 4,096 chiplets: time and memory
  large   resnet152 on simba-16x16: time
  rank    the place of scope's schedule of alexnet on datacentre-4x4 among all of one segment

\b
Examples:
  chipweave bench gap --networks alexnet,resnet18 --packages simba-4x4 --methods scope
  chipweave bench gap --only growth,huge --methods scope
  chipweave bench gap --stored --csv gaps.csv
"""

BAD_INPUT, STOPPED = 2, 4

PARTS = ("gap", "growth", "huge", "large", "rank")

app = typer.Typer(help=HELP, rich_markup_mode=None)

Networks = Annotated[
    str | None, typer.Option("--networks", metavar="A,B,C", help="Without: all built-in ones.")
]
Packages = Annotated[
    str | None, typer.Option("--packages", metavar="A,B,C", help="Without: all built-in ones.")
]
Batches = Annotated[str, typer.Option("--batches", metavar="N,M", help="Samples a run.")]
Methods = Annotated[
    str, typer.Option("--methods", metavar="A,B,C", help="Names from `chipweave methods`.")
]
Only = Annotated[str, typer.Option("--only", metavar="PARTS", help="Parts, with commas between.")]
StoreFile = Annotated[
    str, typer.Option("--store", metavar="FILE", help="The store; made if it is not there.")
]
Stored = Annotated[
    bool,
    typer.Option(
        "--stored", help="Run nothing: show the latest of what the store has, of any version."
    ),
]
TimeLimit = Annotated[
    float, typer.Option("--time-limit", metavar="S", help="Wall seconds for each proof.")
]
Csv = Annotated[
    str | None,
    typer.Option(
        "--csv",
        metavar="FILE",
        help="Write a line for each instance and method; '-' prints them, and nothing else.",
    ),
]


@app.callback(invoke_without_command=True)
def bench(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(BAD_INPUT)


@app.command("gap", help=GAP_HELP)
def gap(
    networks: Networks = None,
    packages: Packages = None,
    batches: Batches = "16,64,256",
    methods: Methods = "scope,scope+,annealing",
    only: Only = "gap,growth,huge,large,rank",
    store: StoreFile = "runs.db",
    stored: Stored = False,
    time_limit: TimeLimit = 120.0,
    seed: options.Seed = 0,
    workers: options.Workers = None,
    json: options.Json = None,
    csv: Csv = None,
    markdown: options.Markdown = None,
) -> None:
    check_outputs(json=json, markdown=markdown, inputs=(store,))
    check_writable("--csv", csv)
    if [json, markdown, csv].count(STDOUT) > 1:
        raise ValueError("--json, --markdown and --csv: only one can go to standard output")
    parts = _parts(only)
    named = options.names("--methods", methods)
    for method in named:
        check_method(method)
    from experiments.cases import cases
    from experiments.gap import gaps, stored_gaps
    from experiments.store import Store

    chosen = cases(
        None if networks is None else options.names("--networks", networks),
        None if packages is None else options.names("--packages", packages),
        options.counts("--batches", batches),
    )
    try:
        with Store(store) as runs, live("bench") as status:
            summaries = []
            if "gap" in parts and stored:
                summaries = stored_gaps(chosen, named, runs)
            elif "gap" in parts:
                summaries = gaps(
                    chosen,
                    named,
                    runs,
                    time_limit=time_limit,
                    seed=seed,
                    workers=workers,
                    watch=status.watch,
                )
            measures = _measures(summaries, named, parts, runs, stored, status)
    except KeyboardInterrupt:
        typer.echo(f"interrupted: {store} has what is done, the same command goes on", err=True)
        raise typer.Exit(STOPPED) from None
    _report(summaries, measures, json=json, csv=csv, markdown=markdown)


def _parts(text: str) -> list[str]:
    parts = options.names("--only", text)
    for part in parts:
        if part not in PARTS:
            raise ValueError(f"--only: unknown part {part!r}, expected some of {', '.join(PARTS)}")
    return parts


def _measures(
    summaries: Sequence[Summary],
    methods: Sequence[str],
    parts: Sequence[str],
    store: Store,
    stored: bool,
    status: Status,
) -> list[Measure]:
    """All measures that have a bar."""
    from experiments import bars

    timed = bars.timer(store, not stored, status.watch)
    found = bars.gap_measures(summaries)
    if "growth" in parts and "scope" in methods:
        found += bars.growth("scope", timed)
    if "huge" in parts and "scope" in methods:
        found += bars.huge("scope", timed)
    if "large" in parts:
        for method in methods:
            found += bars.large(method, timed)
    if "rank" in parts and "scope" in methods:
        found += bars.place("scope", store, not stored)
    return found


def _report(
    summaries: Sequence[Summary],
    measures: Sequence[Measure],
    *,
    json: str | None,
    csv: str | None,
    markdown: str | None,
) -> None:
    from chipweave.bench_report import GAP_COLUMNS, gap_rows, gap_table, measure_table
    from chipweave.grid import console

    tables = [gap_table(summaries)] if summaries else []
    tables += [measure_table(measures)] if measures else []
    if STDOUT not in (json, csv, markdown):
        screen = console()
        for table in tables:
            table.show(screen)
    data = {
        "methods": [summary.to_data() for summary in summaries],
        "measures": [measure.to_data() for measure in measures],
    }
    writes = []
    if json is not None:
        writes.append(lambda: write_json(json, data))
    if csv is not None:
        writes.append(lambda: write_csv(csv, GAP_COLUMNS, gap_rows(summaries)))
    if markdown is not None:
        writes.append(lambda: write_text(markdown, "\n".join(t.markdown() for t in tables)))
    attempt_all(writes)
