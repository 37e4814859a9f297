"""`chipweave bench simulation` and `chipweave bench contention`."""

from __future__ import annotations

from typing import Annotated

import typer

from chipweave.commands import options
from chipweave.commands.checks import check_outputs
from chipweave.commands.tables import report
from chipweave.status import live

SIMULATION_HELP = """Compare the formula with simulated runs without contention.

The schedules are those of scope. A line for each network, a column for each package: makespan over
latency, minus 1. Then what has to hold of all of them.

\b
Examples:
  chipweave bench simulation
  chipweave bench simulation --networks alexnet,resnet18 --packages simba-4x4 --json -
"""

CONTENTION_HELP = """Measure what contention for the links of the mesh takes.

The schedules are those of scope; regions lie along a snake, or where the fast placer puts them.
Writes a page with a table for each: how much more throughput the plain formula promises than the
simulated run has.

\b
Examples:
  chipweave bench contention --out docs/results
  chipweave bench contention --networks alexnet --packages simba-4x4 --places snake
"""

Networks = Annotated[
    str | None, typer.Option("--networks", metavar="A,B,C", help="Without: all general ones.")
]
Packages = Annotated[
    str | None,
    typer.Option(
        "--packages", metavar="A,B,C", help="Names from `chipweave packages`; without: some."
    ),
]
Batch = Annotated[int, typer.Option("--batch", metavar="M", help="Samples a run.")]
PlacesOption = Annotated[str, typer.Option("--places", metavar="A,B", help="Some of snake, fast.")]
Out = Annotated[
    str, typer.Option("--out", metavar="DIR", help="A folder; made if it is not there.")
]


def simulation(
    networks: Networks = None,
    packages: Packages = None,
    batch: Batch = 64,
    json: options.Json = None,
    markdown: options.Markdown = None,
) -> None:
    check_outputs(json=json, markdown=markdown)
    from chipweave.bench_report import measure_table
    from chipweave.results import table_grid
    from experiments.cases import cases
    from experiments.contention import by_network
    from experiments.simulation import PACKAGES, simulated, simulation_measures

    chosen = cases(*_names(networks, packages, PACKAGES), [batch])
    with live("bench simulation") as status:
        runs = simulated(chosen, contention=False, watch=status.watch)
    measures = simulation_measures(runs)
    tables = [
        table_grid(by_network(runs, [run.difference for run in runs])),
        measure_table(measures),
    ]
    data = {
        "runs": [run.to_data() for run in runs],
        "measures": [measure.to_data() for measure in measures],
    }
    report(tables, data, json=json, markdown=markdown)


def contention(
    networks: Networks = None,
    packages: Packages = None,
    batch: Batch = 64,
    places: PlacesOption = "snake,fast",
    out: Out = "results",
) -> None:
    from chipweave.results import write_page
    from experiments.cases import cases
    from experiments.contention import contention_page
    from experiments.simulation import MESHES

    chosen = cases(*_names(networks, packages, MESHES), [batch])
    with live("bench contention") as status:
        page = contention_page(chosen, options.names("--places", places), status.watch)
    (file,) = write_page(page, _command(networks, packages, batch, places, out), out)
    typer.echo(str(file))


def _names(
    networks: str | None, packages: str | None, usual: tuple[str, ...]
) -> tuple[list[str] | None, list[str]]:
    return (
        None if networks is None else options.names("--networks", networks),
        list(usual) if packages is None else options.names("--packages", packages),
    )


def _command(networks: str | None, packages: str | None, batch: int, places: str, out: str) -> str:
    """The command line that makes the page again."""
    words = ["chipweave bench contention"]
    words += [f"--networks {networks}"] if networks is not None else []
    words += [f"--packages {packages}"] if packages is not None else []
    words += [f"--batch {batch}"] if batch != 64 else []
    words += [f"--places {places}"] if places != "snake,fast" else []
    return " ".join([*words, f"--out {out}"])
