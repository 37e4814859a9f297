"""`chipweave experiment`: sweeps that survive."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import options, results
from chipweave.output import STDOUT, attempt_all, check_writable, write_text

if TYPE_CHECKING:
    from chipweave.status import Status
    from experiments.state import State
    from experiments.sweep import Advance

HELP = "Run, resume and export experiments: many runs, kept in a store."

RUN_HELP = """Do the runs of an experiment that the store does not have.

A command that was stopped or killed goes on where it was; two commands with one store share the
work. A run that fails is kept with its error, and the others go on. See docs/experiments.md.

\b
A file:
  kind: experiment
  networks: [alexnet, resnet50]        # or all
  packages: [simba-4x4, "simba-4x4?nop.bandwidth=50000000000"]
  methods: [scope, exact, {method: cpsat, time_limit: 20}]
  batches: [64]                        # these are the defaults from here on
  time_limits: [null]                  # seconds of a run
  seeds: [0]                           # for methods that draw random numbers
  objective: latency
  memory_limit_mb: null                # of the process of a run
  workers: 1                           # threads of a run

\b
Examples:
  chipweave experiment run comparison.yaml
  chipweave experiment run comparison.yaml --scheduler tcp://host:8786
"""

STATUS_HELP = """Tell how much of an experiment is in the store: done, failed and missing runs.

\b
Example:
  chipweave experiment status comparison.yaml --store runs.db
"""

EXPORT_HELP = """Write all runs of a store as a table, a row a run.

\b
Examples:
  chipweave experiment export runs.db --csv runs.csv
  chipweave experiment export runs.db --parquet runs.parquet
"""

BAD_INPUT, STOPPED = 2, 4

app = typer.Typer(help=HELP, rich_markup_mode=None)

File = Annotated[
    str, typer.Argument(metavar="FILE", help="The experiment (YAML or JSON).", show_default=False)
]
StoreFile = Annotated[str, typer.Option("--store", metavar="FILE", help="The store of runs.")]
StoreArgument = Annotated[
    str, typer.Argument(metavar="STORE", help="A store of runs.", show_default=False)
]


@app.callback(invoke_without_command=True)
def experiment(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(BAD_INPUT)


@app.command("run", help=RUN_HELP)
def run(
    file: File,
    store: StoreFile = "runs.db",
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            metavar="ADDRESS",
            help="Of a Dask scheduler, such as tcp://host:8786. Without: a cluster on this machine"
            " that ends with the command.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            metavar="N",
            min=1,
            help="Processes on this machine. Without: as many as cores and memory allow.",
        ),
    ] = None,
) -> None:
    if scheduler is not None and workers is not None:
        raise ValueError("--workers is for a cluster on this machine: leave out --scheduler or it")
    try:
        _run(file, store, scheduler, workers)
    except KeyboardInterrupt:
        typer.echo(f"interrupted: {store} has what is done, the same command goes on", err=True)
        raise typer.Exit(STOPPED) from None


def _run(file: str, store: str, scheduler: str | None, workers: int | None) -> None:
    from chipweave.status import live
    from experiments.definition import read_experiment
    from experiments.state import state
    from experiments.store import Store
    from experiments.sweep import sweep

    wanted = read_experiment(file)
    with Store(store) as runs:
        with live(wanted.name) as status:
            sweep(wanted, runs, scheduler=scheduler, workers=workers, watch=_Shown(status))
        _show(state(wanted, runs))


@app.command("status", help=STATUS_HELP)
def status(file: File, store: StoreFile = "runs.db") -> None:
    from experiments.definition import read_experiment
    from experiments.state import state

    wanted = read_experiment(file)
    with options.existing_store(store) as runs:
        _show(state(wanted, runs))


@app.command("export", help=EXPORT_HELP)
def export(
    store: StoreArgument,
    csv: Annotated[
        str | None, typer.Option("--csv", metavar="FILE", help="'-' prints it on standard output.")
    ] = None,
    parquet: Annotated[str | None, typer.Option("--parquet", metavar="FILE")] = None,
) -> None:
    if csv is None and parquet is None:
        raise ValueError("name a file to write: --csv FILE or --parquet FILE")
    if parquet == STDOUT:
        raise ValueError("--parquet -: a Parquet file is no text, name a file")
    check_writable("--csv", csv)
    check_writable("--parquet", parquet)
    from experiments.rows import csv_text, write_parquet

    with options.existing_store(store) as runs:
        writes = []
        if csv is not None:
            writes.append(lambda: write_text(csv, csv_text(runs)))
        if parquet is not None:
            writes.append(lambda: write_parquet(runs, parquet))
        attempt_all(writes)


app.command("results", help=results.HELP)(results.results)


class _Shown:
    """Puts a sweep's advance on the status line; tells the dashboard's address once."""

    def __init__(self, status: Status) -> None:
        self._status, self._told = status, False

    def __call__(self, advance: Advance) -> None:
        self._status.task = str(advance)
        if not self._told and advance.dashboard:
            self._told = True
            missing = "" if find_spec("bokeh") else " (shows its pages if bokeh is installed)"
            typer.echo(f"Dask's dashboard: {advance.dashboard}{missing}", err=True)


def _show(found: State) -> None:
    """Print a line a method."""
    from chipweave.grid import Grid, console, number
    from experiments.pace import duration

    lines = [*found.tallies, found.whole] if len(found.tallies) > 1 else list(found.tallies)
    cells = [(t.what, *(number(n) for n in (t.total, t.done, t.failed, t.missing))) for t in lines]
    Grid(("method", ">runs", ">done", ">failed", ">missing"), cells).show(console())
    if found.whole.missing and found.rate is not None and found.seconds_left is not None:
        left = duration(found.seconds_left)
        typer.echo(f"{found.rate:.3g} runs a second of late: some {left} left")
