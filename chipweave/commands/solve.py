"""`chipweave solve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import options
from chipweave.commands.checks import check_method, check_outputs
from chipweave.output import STDOUT, write_json
from chipweave.status import live

if TYPE_CHECKING:
    from instances.instance import Instance
    from solvers.result import Result

HELP = """Schedule a network on a package.

Exit codes: 0 a schedule was found; 2 bad input or usage; 3 proved infeasible; 4 stopped without a
schedule. Ctrl-C ends the run with the best schedule so far.

\b
Examples:
  chipweave solve resnet50
  chipweave solve resnet152 --package simba-16x16 --batch 16 --method scope
  chipweave solve bert-base --sequence 128 --package datacentre-2x2 --plot bert.png
  chipweave solve my-tables.yaml --method cpsat --time-limit 60 --out schedule.yaml
  chipweave solve resnet50 --json - | jq .objective
"""

SCHEDULE_FOUND, INFEASIBLE, NOTHING_FOUND = 0, 3, 4

Method = Annotated[
    str, typer.Option("--method", metavar="METHOD", help="One of `chipweave methods`.")
]
Out = Annotated[
    str | None,
    typer.Option("--out", metavar="FILE", help="Write the schedule (.yaml or .json)."),
]


def solve(
    what: options.What,
    method: Method = "exact",
    package: options.PackageName = None,
    batch: options.Batch = None,
    sequence: options.Sequence = None,
    time_limit: options.TimeLimit = None,
    seed: options.Seed = 0,
    workers: options.Workers = None,
    json: options.Json = None,
    plot: options.Plot = None,
    out: Out = None,
) -> None:
    check_outputs(json=json, plot=plot, out=out)
    check_method(method)
    import chipweave as cw

    instance = cw.instance(what, package, batch=batch, sequence=sequence)
    with live(f"{method} on {instance.name}") as status:
        result = cw.solve(
            instance,
            method,
            time_limit=time_limit,
            seed=seed,
            workers=workers,
            listener=status,
        )
    _write(instance, result, json=json, plot=plot, out=out)
    if json != STDOUT:
        _print(instance, result)
    raise typer.Exit(_exit_code(result))


def _write(
    instance: Instance, result: Result, *, json: str | None, plot: str | None, out: str | None
) -> None:
    import chipweave as cw
    from chipweave.report import about

    if json is not None:
        write_json(json, {**result.to_data(), **about(instance)})
    if result.schedule is None:
        return
    if out is not None:
        cw.write_schedule(result.schedule, Path(out))
    if plot is not None:
        cw.draw(instance, result.schedule, plot)


def _print(instance: Instance, result: Result) -> None:
    from chipweave.grid import console
    from chipweave.report import result_summary, schedule_table

    screen = console()
    result_summary(instance, result).show(screen)
    if result.schedule is not None and result.evaluation is not None:
        schedule_table(instance, result.schedule, result.evaluation).show(screen)


def _exit_code(result: Result) -> int:
    if result.schedule is not None:
        return SCHEDULE_FOUND
    return INFEASIBLE if result.stop == "infeasible" else NOTHING_FOUND
