"""`chipweave solve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import options
from chipweave.commands.checks import check_method, check_outputs
from chipweave.commands.why import why_not
from chipweave.output import STDOUT, check_writable, write_json
from chipweave.status import live

if TYPE_CHECKING:
    from instances.instance import Instance
    from schedules.schedule import Schedule
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
  chipweave solve resnet18 --objective energy --throughput-floor 5e-6 --max-clusters 2
  chipweave solve vgg16 --pin conv3_1:segment,chiplets=8 --hold schedule.yaml:0-3
  chipweave solve vgg16 --method milp --formulation interval --engine highs --log highs.log
"""

SCHEDULE_FOUND, INFEASIBLE, NOTHING_FOUND = 0, 3, 4

Out = Annotated[
    str | None,
    typer.Option("--out", metavar="FILE", help="Write the schedule (.yaml or .json)."),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--start",
        metavar="FILE",
        help="Begin from a schedule's file. Without: from what `scope` finds.",
    ),
]
Log = Annotated[
    str | None,
    typer.Option("--log", metavar="FILE", help="Write what the engine says of its search."),
]


@options.flat
def solve(
    task: options.Task,
    conditions: options.Conditions,
    limits: options.Limits,
    method: options.Method = "exact",
    objective: options.Objective = "latency",
    formulation: options.FormulationName = None,
    engine: options.EngineName = None,
    start: Start = None,
    no_start: options.NoStart = False,
    log: Log = None,
    json: options.Json = None,
    plot: options.Plot = None,
    out: Out = None,
) -> None:
    check_outputs(json=json, plot=plot, out=out)
    check_log(log)
    check_method(method)
    if start is not None and no_start:
        raise ValueError("--start and --no-start exclude each other")
    arguments = limits.arguments()
    import chipweave as cw

    instance = task.instance()
    goal = conditions.goal(instance, objective)
    with live(f"{method} on {instance.name}") as status:
        result = cw.solve(
            instance,
            method,
            goal=goal,
            formulation=formulation,
            engine=engine,
            start=not no_start if start is None else read_start(instance, start),
            log=None if log is None else Path(log),
            listener=status,
            **arguments,
        )
    why = why_not(instance, goal, limits.workers) if result.stop == "infeasible" else []
    _write(instance, result, why, json=json, plot=plot, out=out)
    if json != STDOUT:
        _print(instance, result, why)
    raise typer.Exit(_exit_code(result))


def check_log(log: str | None) -> None:
    """Refuse a log that cannot be a file.

    Raises:
        ValueError: standard output, or a file that cannot be written.
    """
    if log == STDOUT:
        raise ValueError("--log -: a log goes into a file, standard output is for the result")
    check_writable("--log", log)


def read_start(instance: Instance, path: str) -> Schedule:
    """A schedule to begin from.

    Raises:
        ValueError: the file holds none, or one that may not run.
    """
    import chipweave as cw

    schedule = cw.read_schedule(path)
    wrong = cw.violations(instance, schedule)
    if wrong:
        raise ValueError(f"--start {path}: the schedule may not run: {wrong[0]}")
    return schedule


def _write(
    instance: Instance,
    result: Result,
    why: list[str],
    *,
    json: str | None,
    plot: str | None,
    out: str | None,
) -> None:
    import chipweave as cw
    from chipweave.report import about

    if json is not None:
        reasons = {"why": why} if result.stop == "infeasible" else {}
        write_json(json, {**result.to_data(), **about(instance), **reasons})
    if result.schedule is None:
        return
    if out is not None:
        cw.write_schedule(result.schedule, Path(out))
    if plot is not None:
        cw.draw(instance, result.schedule, plot)


def _print(instance: Instance, result: Result, why: list[str]) -> None:
    from chipweave.grid import console
    from chipweave.report import result_summary, schedule_table

    screen = console()
    result_summary(instance, result).show(screen)
    if result.schedule is not None and result.evaluation is not None:
        schedule_table(instance, result.schedule, result.evaluation).show(screen)
    for line in why:
        screen.print(line, markup=False, soft_wrap=True)


def _exit_code(result: Result) -> int:
    if result.schedule is not None:
        return SCHEDULE_FOUND
    return INFEASIBLE if result.stop == "infeasible" else NOTHING_FOUND
