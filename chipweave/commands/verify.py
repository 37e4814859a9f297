"""`chipweave verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import groups, options
from chipweave.commands.checks import check_outputs
from chipweave.commands.codes import BROKEN, FOUND
from chipweave.commands.compressing import Compressing
from chipweave.commands.on_array import network_and_array, refuse_on_array
from chipweave.commands.on_graph import OrderName, refuse_on_graph, verify_graph
from chipweave.commands.several import Several, refuse_for_one
from chipweave.commands.verify_array import verify_array
from chipweave.commands.verify_models import verify_models
from chipweave.output import STDOUT, write_json

if TYPE_CHECKING:
    from instances.instance import Instance
    from schedules.evaluate import Evaluation
    from schedules.goal import Goal
    from schedules.schedule import Schedule

HELP = """Recompute a schedule and list every violation.

Conditions that are given as options are checked, too. With --models, the schedule is the only
argument.

Exit codes: 0 the schedule may run; 1 it breaks a constraint or a condition; 2 the files cannot be
read.

\b
Examples:
  chipweave verify resnet50 schedule.yaml
  chipweave verify resnet50 result.json --package simba-8x8 --batch 16
  chipweave verify my-tables.yaml schedule.yaml --json -
  chipweave verify resnet50 schedule.yaml --throughput-floor 3e-6 --max-clusters 2
  chipweave verify workload.yaml windows.yaml
  chipweave verify windows.yaml --models gpt2?sequence=128:8,resnet50:32 --package het-2x2
  chipweave verify hand-tracking schedule.yaml --array 32x32
  chipweave verify resnet18 result.json --compress losses.csv --accuracy-budget 0.01
  chipweave verify graph.json partition.yaml --order convex
"""

MaybeSchedule = Annotated[
    str | None,
    typer.Argument(
        metavar="SCHEDULE",
        help="A schedule's file, or a result that `solve --json` wrote.",
        show_default=False,
    ),
]


@groups.flat
def verify(
    setting: options.Setting,
    several: Several,
    conditions: options.Conditions,
    compressing: Compressing,
    what: options.MaybeWhat = None,
    schedule: MaybeSchedule = None,
    array: options.ArrayName = None,
    order: OrderName = None,
    objective: options.Objective = "latency",
    json: options.Json = None,
) -> None:
    if several.models is not None and schedule is None:
        what, schedule = None, what
    if schedule is None:
        raise ValueError("Missing argument 'SCHEDULE': the file of a schedule")
    inputs = (what, setting.package, schedule, array, compressing.compress)
    check_outputs(json=json, inputs=inputs)
    more = groups.given(compressing)
    from chipweave.inputs import is_graph

    if array is None and is_graph(what):
        refuse_on_graph(setting, several, conditions, objective, *more)
        verify_graph(str(what), schedule, order, json)
    if order is not None:
        raise ValueError(f"--order: only for a graph of operators, which {what} is not")
    if array is not None:
        refuse_on_array(setting, several, conditions, objective, *more)
        verify_array(network_and_array(what, array, setting), schedule, json)
    if several.are_meant(what):
        refuse_for_one(setting, conditions, *more)
        verify_models(several.workload(what, setting), several, schedule, objective, json)
    compressing.check()
    import chipweave as cw
    from schedules.compressed import compressed_to_data

    instance = compressing.applied(setting.instance_of(str(what)))
    goal = conditions.goal(instance, objective)
    found = cw.read_schedule(schedule)
    wrong = cw.violations(instance, found)
    evaluation = None if wrong else cw.evaluate(instance, found)
    broken = [] if wrong else cw.breaches(instance, found, goal)
    if json is not None:
        lost = compressed_to_data(cw.compressed(instance, None if wrong else found))
        costs = {**_costs(goal, evaluation), **lost}
        write_json(json, {"violations": wrong, "breaches": broken, **costs})
    if json != STDOUT:
        remarks = conditions.floor_in_cycles(goal) if broken else []
        remarks += compressing.hints(found) if wrong else []
        _print(instance, goal, found, evaluation, [*wrong, *broken, *remarks])
    raise typer.Exit(BROKEN if wrong or broken else FOUND)


def _print(
    instance: Instance,
    goal: Goal,
    schedule: Schedule,
    evaluation: Evaluation | None,
    sentences: list[str],
) -> None:
    import chipweave as cw
    from chipweave.compression_report import compression_tables
    from chipweave.grid import console, say
    from chipweave.report import evaluation_summary, schedule_table

    screen = console()
    if evaluation is not None:
        given = cw.compressed(instance, schedule)
        evaluation_summary(instance, goal, evaluation, given).show(screen)
        schedule_table(instance, schedule, evaluation).show(screen)
        for table in compression_tables(instance, schedule):
            table.show(screen)
    say(screen, sentences or ["the schedule may run: no constraint is broken"])


def _costs(goal: Goal, evaluation: Evaluation | None) -> dict[str, int | float | None]:
    if evaluation is None:
        return dict.fromkeys(("objective", "latency", "throughput", "energy", "edp"))
    return {
        "objective": goal.value(evaluation),
        "latency": evaluation.latency,
        "throughput": evaluation.throughput,
        "energy": evaluation.energy,
        "edp": evaluation.edp,
    }
