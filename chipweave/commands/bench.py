"""`chipweave bench`: measures of the fast methods."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chipweave import completion
from chipweave.commands import (
    bench_array,
    bench_compression,
    bench_graphs,
    bench_models,
    bench_placement,
    bench_scalesim,
    bench_simulation,
    joint,
    options,
    order,
)
from chipweave.commands.checks import check_method, check_outputs
from chipweave.commands.tables import report
from chipweave.output import STDOUT, check_writable
from chipweave.status import live

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chipweave.status import Status
    from experiments.bars import Measure
    from experiments.cases import Case
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

STEPS_HELP = """Measure what each of the four steps of scope's search is worth.

One line says what the search finds with all its steps, the others what it finds without one of
them, or with another one in its place: its gap to the proved optimum, and its latency over that
with all steps. Runs are kept in a store, as those of `bench gap`.

Without options: all general networks on simba-4x4, simba-16x16 and datacentre-4x4, 64 samples.

\b
Variants (see `chipweave solve --steps`):
  segments=one     one segment
  clusters=single  one layer a cluster
  regions=even     equal regions in a segment
  partitions=none  one option in a cluster, whichever is best
  partitions=WSP   WSP only
  partitions=ISP   ISP only
  partitions=any   instead of one switch in a cluster, any option for any layer

\b
Examples:
  chipweave bench steps --networks alexnet,resnet18 --packages simba-4x4
  chipweave bench steps --stored --csv steps.csv
"""

SWEEP_HELP = """Measure what a sweep costs and survives.

The overhead of a run, (wall time x processes - sum of run times) / runs, on many runs of a few
milliseconds; and how many rows differ from those of an undisturbed sweep, times aside, after the
main process was killed at random moments and started again, and after processes that do the runs
were killed.

\b
Example:
  chipweave bench sweep --runs 2000 --kills 20
"""

BAD_INPUT, STOPPED = 2, 4

RUNS_PER_KILL = 12
"""So that the sweep is at work when it is killed."""

PARTS = ("gap", "growth", "huge", "large", "rank")

app = typer.Typer(help=HELP, rich_markup_mode=None)
app.command("models", help=bench_models.HELP)(bench_models.models)
app.command("array", help=bench_array.HELP)(bench_array.array)
app.command("compression", help=bench_compression.HELP)(bench_compression.compression)
app.command("graphs", help=bench_graphs.HELP)(bench_graphs.graphs)
app.command("orders", help=order.BENCH_HELP)(order.bench_orders)
app.command("placement", help=bench_placement.HELP)(bench_placement.placement)
app.command("scalesim", help=bench_scalesim.HELP)(bench_scalesim.scalesim)
app.command("simulation", help=bench_simulation.SIMULATION_HELP)(bench_simulation.simulation)
app.command("contention", help=bench_simulation.CONTENTION_HELP)(bench_simulation.contention)

Networks = Annotated[
    str | None,
    typer.Option(
        "--networks",
        metavar="A,B,C",
        help="Without: all general ones.",
        autocompletion=completion.networks,
    ),
]
Packages = Annotated[
    str | None,
    typer.Option(
        "--packages",
        metavar="A,B,C",
        help="Without: all built-in ones.",
        autocompletion=completion.packages,
    ),
]
StepsPackages = Annotated[
    str,
    typer.Option(
        "--packages",
        metavar="A,B,C",
        help="Names from `chipweave packages`.",
        autocompletion=completion.packages,
    ),
]
Batches = Annotated[str, typer.Option("--batches", metavar="N,M", help="Samples a run.")]
Methods = Annotated[
    str,
    typer.Option(
        "--methods",
        metavar="A,B,C",
        help="Names from `chipweave methods`.",
        autocompletion=completion.methods,
    ),
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
        help="Write a line for each instance and line of the table; '-' prints them, and nothing"
        " else.",
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
    _check_files(store, json, csv, markdown)
    parts = _parts(only)
    named = options.names("--methods", methods)
    for method in named:
        check_method(method)
    from chipweave.bench_report import GAP_COLUMNS, gap_rows, gap_table, measure_table
    from experiments.gap import gaps, stored_gaps

    chosen = _cases(networks, packages, batches)
    with _opened(store) as (runs, status):
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
    tables = [gap_table(summaries)] if summaries else []
    tables += [measure_table(measures)] if measures else []
    data = {
        "methods": [summary.to_data() for summary in summaries],
        "measures": [measure.to_data() for measure in measures],
    }
    rows = (GAP_COLUMNS, gap_rows(summaries))
    report(tables, data, json=json, markdown=markdown, csv=csv, rows=rows)


@app.command("steps", help=STEPS_HELP)
def steps(
    networks: Networks = None,
    packages: StepsPackages = "simba-4x4,simba-16x16,datacentre-4x4",
    batches: Batches = "64",
    store: StoreFile = "runs.db",
    stored: Stored = False,
    time_limit: TimeLimit = 120.0,
    workers: options.Workers = None,
    json: options.Json = None,
    csv: Csv = None,
    markdown: options.Markdown = None,
) -> None:
    _check_files(store, json, csv, markdown)
    from chipweave.bench_report import STEPS_COLUMNS, steps_rows, steps_table
    from experiments.ablation import ablation, stored_ablation

    chosen = _cases(networks, packages, batches)
    with _opened(store) as (runs, status):
        if stored:
            variants = stored_ablation(chosen, runs)
        else:
            variants = ablation(
                chosen, runs, time_limit=time_limit, workers=workers, watch=status.watch
            )
    data = {"variants": [variant.to_data() for variant in variants]}
    rows = (STEPS_COLUMNS, steps_rows(variants))
    report([steps_table(variants)], data, json=json, markdown=markdown, csv=csv, rows=rows)


@app.command("sweep", help=SWEEP_HELP)
def sweep(
    runs: Annotated[
        int, typer.Option("--runs", metavar="N", min=2, help="Runs for the overhead.")
    ] = 2000,
    kills: Annotated[
        int, typer.Option("--kills", metavar="N", min=0, help="Kills of either kind; 0: skip them.")
    ] = 20,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, help="Processes that do runs.")
    ] = 2,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the moments.")] = 0,
    json: options.Json = None,
    markdown: options.Markdown = None,
) -> None:
    check_outputs(json=json, markdown=markdown)
    from tempfile import TemporaryDirectory

    from chipweave.bench_report import measure_table
    from experiments.endurance import overhead, survival

    with TemporaryDirectory() as folder:
        measures = [overhead(runs, workers, Path(folder))]
        if kills:
            measures += survival(
                kills, workers, Path(folder), runs=RUNS_PER_KILL * kills, seed=seed
            )
    data = {"measures": [measure.to_data() for measure in measures]}
    report([measure_table(measures)], data, json=json, markdown=markdown)


app.command("joint", help=joint.BENCH_HELP)(joint.bench_joint)


def _check_files(store: str, json: str | None, csv: str | None, markdown: str | None) -> None:
    check_outputs(json=json, markdown=markdown, inputs=(store,))
    check_writable("--csv", csv)
    if [json, markdown, csv].count(STDOUT) > 1:
        raise ValueError("--json, --markdown and --csv: only one can go to standard output")


def _cases(networks: str | None, packages: str | None, batches: str) -> list[Case]:
    from experiments.cases import cases

    return cases(
        None if networks is None else options.names("--networks", networks),
        None if packages is None else options.names("--packages", packages),
        options.counts("--batches", batches),
    )


@contextmanager
def _opened(path: str) -> Iterator[tuple[Store, Status]]:
    """A store and a status line; Ctrl-C ends the command."""
    from experiments.store import Store

    try:
        with Store(path) as runs, live("bench") as status:
            yield runs, status
    except KeyboardInterrupt:
        typer.echo(f"interrupted: {path} has what is done, the same command goes on", err=True)
        raise typer.Exit(STOPPED) from None


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
