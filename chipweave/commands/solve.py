"""`chipweave solve`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chipweave.commands import groups, options
from chipweave.commands.checks import check_method, check_outputs
from chipweave.commands.codes import exit_code
from chipweave.commands.compressing import Compressing
from chipweave.commands.on_array import network_and_array, refuse_on_array
from chipweave.commands.on_graph import OrderName, refuse_on_graph, solve_graph
from chipweave.commands.several import Several, refuse_for_one
from chipweave.commands.solve_array import solve_array
from chipweave.commands.solve_models import Files, solve_models
from chipweave.commands.why import why_not
from chipweave.output import deliver, schedule_writes
from chipweave.status import live

if TYPE_CHECKING:
    from instances.instance import Instance
    from schedules.schedule import Schedule
    from solvers.result import Result

HELP = """Schedule a network, or several models at once, on a package, or a network inside an array.

A graph of operators, in the JSON format of Tarnawski et al., is divided among its devices.

Exit codes: 0 a schedule was found; 2 bad input or usage; 3 proved infeasible; 4 stopped without a
schedule. Ctrl-C ends the run with the best schedule so far.

\b
Examples:
  chipweave solve resnet50
  chipweave solve resnet152 --package simba-16x16 --batch 16 --method scope
  chipweave solve resnet50 --method scope --steps clusters=single,partitions=WSP
  chipweave solve bert-base --sequence 128 --package datacentre-2x2 --plot bert.png
  chipweave solve my-tables.yaml --method cpsat --time-limit 60 --out schedule.yaml
  chipweave solve resnet50 --json - | jq .objective
  chipweave solve resnet18 --objective energy --throughput-floor 5e-6 --max-clusters 2
  chipweave solve vgg16 --pin conv3_1:segment,chiplets=8 --hold schedule.yaml:0-3
  chipweave solve vgg16 --method milp --formulation interval --engine highs --log highs.log
  chipweave solve --models gpt2?sequence=128:8,resnet50:32 --package het-2x2 --plot gantt.png
  chipweave solve workload.yaml --method scar --objective edp --windows 3
  chipweave solve hand-tracking --array 32x32 --plot array.png
  chipweave solve resnet18 --compress losses.csv --accuracy-budget 0.01
  chipweave solve graph.json --order convex --plot devices.png
"""

OF_ALL = ("time_limit", "seed", "workers")
"""The limits of runs that several models have, too."""

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

Steps = Annotated[
    str | None,
    typer.Option(
        "--steps",
        metavar="STEP=WAY,..",
        help="For scope, to see what each step of its search is worth: segments=any|one,"
        " clusters=merged|single, regions=free|even, partitions=switch|none|any or the only"
        " option. The first of each is what it does without.",
    ),
]


@groups.flat
def solve(
    setting: options.Setting,
    several: Several,
    conditions: options.Conditions,
    limits: options.Limits,
    compressing: Compressing,
    what: options.MaybeWhat = None,
    array: options.ArrayName = None,
    order: OrderName = None,
    method: options.Method = "exact",
    objective: options.Objective = "latency",
    formulation: options.FormulationName = None,
    engine: options.EngineName = None,
    steps: Steps = None,
    start: Start = None,
    no_start: options.NoStart = False,
    log: Log = None,
    json: options.Json = None,
    plot: options.Plot = None,
    out: options.Out = None,
) -> None:
    inputs = (what, setting.package, array, compressing.compress)
    check_outputs(json=json, plot=plot, out=out, log=log, inputs=inputs)
    only_for_one = {"--formulation": formulation, "--steps": steps, "--log": log}
    given = [name for name, value in only_for_one.items() if value is not None]
    given += [*groups.given(limits, *OF_ALL), *(["--no-start"] if no_start else [])]
    given += groups.given(compressing)
    files = Files(start, json, plot, out)
    of_all: dict[str, Any] = {name: getattr(limits, name) for name in OF_ALL}
    from chipweave.inputs import is_graph

    if array is None and is_graph(what):
        refuse_on_graph(setting, several, conditions, objective, *given)
        solve_graph(str(what), method, order, engine, files, **of_all)
    if order is not None:
        raise ValueError(f"--order: only for a graph of operators, which {what} is not")
    if array is not None:
        refuse_on_array(setting, several, conditions, objective, *given)
        solve_array(
            network_and_array(what, array, setting),
            method,
            engine,
            files,
            **of_all,
        )
    if several.are_meant(what):
        refuse_for_one(setting, conditions, *given)
        solve_models(
            several.workload(what, setting),
            several.goal(objective),
            method,
            engine,
            files,
            **of_all,
        )
    check_method(method, what=what)
    compressing.check()
    if start is not None and no_start:
        raise ValueError("--start and --no-start exclude each other")
    arguments = limits.arguments()
    import chipweave as cw

    instance = compressing.applied(setting.instance_of(str(what)))
    goal = conditions.goal(instance, objective)
    with live(f"{method} on {instance.name}") as status:
        result = cw.solve(
            instance,
            method,
            goal=goal,
            formulation=formulation,
            engine=engine,
            steps=steps,
            start=not no_start if start is None else read_start(instance, start),
            log=None if log is None else Path(log),
            listener=status,
            **arguments,
        )
    why = []
    if result.stop == "infeasible":
        why = [*why_not(instance, goal, limits.workers), *conditions.floor_in_cycles(goal)]
    elif result.schedule is None:
        why = [_nothing(result)]
    schedule = result.schedule
    writes = schedule_writes(
        schedule, cw.write_schedule, partial(cw.draw, instance), out=out, plot=plot
    )
    data = _data(instance, result, why)
    deliver(json, lambda: data, lambda: _print(instance, result, why), writes)
    raise typer.Exit(exit_code(schedule is not None, result.stop))


def read_start(instance: Instance, path: str) -> Schedule:
    """A schedule to begin from.

    Raises:
        ValueError: the file holds none, or one that may not run.
    """
    import chipweave as cw
    from chipweave.goals import schedule_of

    schedule = schedule_of(f"--start {path}", path)
    wrong = cw.violations(instance, schedule)
    if wrong:
        raise ValueError(f"--start {path}: the schedule may not run: {wrong[0]}")
    return schedule


def _nothing(result: Result) -> str:
    """What an end without a schedule means, and what may help."""
    if result.stop == "finished":
        return (
            f"{result.method} finds no schedule, which does not mean that there is none:"
            " `--method exact` finds one, or proves that there is none and says why"
        )
    return (
        f"{result.method} was stopped ({result.stop}) before it had a schedule, which does not mean"
        " that there is none: give it more, or a start (--start FILE)"
    )


def _data(instance: Instance, result: Result, why: list[str]) -> dict[str, Any]:
    from chipweave.report import about

    reasons = {"why": why} if result.stop == "infeasible" else {}
    return {**result.to_data(), **about(instance), **reasons}


def _print(instance: Instance, result: Result, why: list[str]) -> None:
    from chipweave.compression_report import compression_tables
    from chipweave.grid import console, say
    from chipweave.report import result_summary, schedule_table

    screen = console()
    result_summary(instance, result).show(screen)
    if result.schedule is not None and result.evaluation is not None:
        schedule_table(instance, result.schedule, result.evaluation).show(screen)
        for table in compression_tables(instance, result.schedule):
            table.show(screen)
    say(screen, why)
