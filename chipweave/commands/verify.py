"""`chipweave verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import options
from chipweave.commands.checks import check_outputs
from chipweave.commands.codes import BROKEN, FOUND
from chipweave.commands.on_array import network_and_array, refuse_on_array
from chipweave.commands.several import Several, refuse_for_one
from chipweave.commands.verify_array import verify_array
from chipweave.commands.verify_models import verify_models
from chipweave.output import STDOUT, write_json

if TYPE_CHECKING:
    from schedules.evaluate import Evaluation
    from schedules.goal import Goal

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
"""

MaybeSchedule = Annotated[
    str | None,
    typer.Argument(
        metavar="SCHEDULE",
        help="A schedule's file, or a result that `solve --json` wrote.",
        show_default=False,
    ),
]


@options.flat
def verify(
    setting: options.Setting,
    several: Several,
    conditions: options.Conditions,
    what: options.MaybeWhat = None,
    schedule: MaybeSchedule = None,
    array: options.ArrayName = None,
    objective: options.Objective = "latency",
    json: options.Json = None,
) -> None:
    if several.models is not None and schedule is None:
        what, schedule = None, what
    if schedule is None:
        raise ValueError("Missing argument 'SCHEDULE': the file of a schedule")
    check_outputs(json=json, inputs=(what, setting.package, schedule, array))
    if array is not None:
        refuse_on_array(setting, several, conditions, objective)
        verify_array(network_and_array(what, array, setting), schedule, json)
    if several.are_meant(what):
        refuse_for_one(setting, conditions)
        verify_models(several.workload(what, setting), several, schedule, objective, json)
    import chipweave as cw
    from chipweave.grid import console
    from chipweave.report import evaluation_summary, schedule_table

    instance = setting.instance_of(str(what))
    goal = conditions.goal(instance, objective)
    found = cw.read_schedule(schedule)
    wrong = cw.violations(instance, found)
    evaluation = None if wrong else cw.evaluate(instance, found)
    broken = [] if wrong else cw.breaches(instance, found, goal)
    if json is not None:
        write_json(json, {"violations": wrong, "breaches": broken, **_costs(goal, evaluation)})
    if json != STDOUT:
        screen = console()
        if evaluation is not None:
            evaluation_summary(instance, goal, evaluation).show(screen)
            schedule_table(instance, found, evaluation).show(screen)
        remarks = conditions.floor_in_cycles(goal) if broken else []
        for sentence in (*wrong, *broken, *remarks):
            screen.print(sentence, markup=False, soft_wrap=True)
        if not wrong and not broken:
            screen.print("the schedule may run: no constraint is broken")
    raise typer.Exit(BROKEN if wrong or broken else FOUND)


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
