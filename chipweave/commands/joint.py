"""`chipweave joint` and `chipweave bench joint`."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import groups, options
from chipweave.commands.checks import check_outputs
from chipweave.commands.codes import exit_code
from chipweave.commands.strength import named
from chipweave.commands.tables import report
from chipweave.output import deliver, schedule_writes
from chipweave.status import live

if TYPE_CHECKING:
    from instances.instance import Instance
    from solvers.joint import JointResult

HELP = """Find the best schedule and its places at once, on a small mesh.

Clusters, options, the chiplets of each cluster and where they lie are decided together: transfers
take as many hops as their ways have, and no beat is shorter than the busiest link needs. CP-SAT
proves the optimum. For meshes of up to 12 chiplets.

Exit codes: 0 a schedule was found; 2 bad input or usage; 3 proved infeasible; 4 stopped without a
schedule.

\b
Examples:
  chipweave joint resnet18 --package simba-3x3
  chipweave joint alexnet --package datacentre-3x3 --out placed.yaml --json -
"""

BENCH_HELP = """Measure what is lost by deciding counts first and places second.

A line for each instance and each bandwidth of the links: the optimum by counts, what it costs at
its best places, the optimum with places at once, and how long its proof took.

\b
Examples:
  chipweave bench joint
  chipweave bench joint --instances alexnet@simba-3x3 --slower 1,64 --markdown joint.md
"""

Instances = Annotated[
    str | None,
    typer.Option(
        "--instances",
        metavar="A,B,C",
        help="Networks, each perhaps with @PACKAGE, or files. Without: alexnet and resnet18 on"
        " meshes of 2 x 2 and 3 x 3.",
    ),
]
Slower = Annotated[
    str,
    typer.Option("--slower", metavar="N,M", help="By what to divide the bandwidth of links."),
]
OneWorker = Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Threads of CP-SAT.")]
Page = Annotated[
    str | None,
    typer.Option(
        "--markdown",
        metavar="FILE",
        help="Write the table and what it says as Markdown; '-' prints it, and nothing else.",
    ),
]


@groups.flat
def joint(
    task: options.Task,
    time_limit: options.TimeLimit = None,
    seed: options.Seed = 0,
    workers: OneWorker = 1,
    json: options.Json = None,
    plot: options.Plot = None,
    out: options.Out = None,
) -> None:
    check_outputs(json=json, plot=plot, out=out, inputs=(task.what, task.package))
    import chipweave as cw
    from chipweave.joint_report import joint_data

    instance = task.instance()
    with live(f"schedule and places of {instance.name}"):
        result = cw.place_jointly(instance, time_limit=time_limit, seed=seed, workers=workers)
    schedule = result.schedule
    writes = schedule_writes(
        schedule, cw.write_schedule, partial(cw.draw, instance), out=out, plot=plot
    )
    data = joint_data(instance, result)
    deliver(json, lambda: data, lambda: _print(instance, result), writes)
    raise typer.Exit(exit_code(schedule is not None, result.stop))


def _print(instance: Instance, result: JointResult) -> None:
    from chipweave.grid import console
    from chipweave.joint_report import joint_summary, placed_table

    screen = console()
    joint_summary(instance, result).show(screen)
    if result.schedule is not None and result.evaluation is not None:
        placed_table(instance, result.schedule, result.evaluation).show(screen)


def bench_joint(
    instances: Instances = None,
    slower: Slower = "1,16,64",
    batch: options.Batch = None,
    time_limit: options.TimeLimit = None,
    seed: options.Seed = 0,
    workers: OneWorker = 1,
    json: options.Json = None,
    markdown: Page = None,
) -> None:
    check_outputs(json=json, markdown=markdown)
    from chipweave.joint_report import joint_page, joint_table
    from experiments.joint import NETWORKS, PACKAGES, joint_rows

    names = [f"{network}@{package}" for network in NETWORKS for package in PACKAGES]
    if instances is not None:
        names = options.names("--instances", instances)
    divisors = options.counts("--slower", slower)
    with live("joint") as status:
        rows = list(
            joint_rows(
                [named(name, batch) for name in names],
                divisors,
                time_limit=time_limit,
                seed=seed,
                workers=workers,
                watch=status.watch,
            )
        )
    page = joint_page(rows, _command(instances, slower, batch, time_limit, seed))
    data = [row.to_data() for row in rows]
    report([joint_table(rows)], data, json=json, markdown=markdown, page=page)


def _command(
    instances: str | None, slower: str, batch: int | None, time_limit: float | None, seed: int
) -> str:
    """The command that makes a page again."""
    asked = {
        "--instances": instances,
        "--slower": slower,
        "--batch": batch,
        "--time-limit": time_limit,
        "--seed": seed or None,
    }
    given = [f"{name} {shlex.quote(str(value))}" for name, value in asked.items() if value]
    return " ".join(["chipweave bench joint", *given, "--markdown docs/results/joint.md"])
