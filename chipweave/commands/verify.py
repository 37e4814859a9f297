"""`chipweave verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from chipweave.commands import options
from chipweave.commands.checks import check_outputs
from chipweave.commands.codes import BROKEN, FOUND
from chipweave.output import STDOUT, write_json

if TYPE_CHECKING:
    from schedules.evaluate import Evaluation
    from schedules.goal import Goal

HELP = """Recompute a schedule and list every violation.

Conditions that are given as options are checked, too.

Exit codes: 0 the schedule may run; 1 it breaks a constraint or a condition; 2 the files cannot be
read.

\b
Examples:
  chipweave verify resnet50 schedule.yaml
  chipweave verify resnet50 result.json --package simba-8x8 --batch 16
  chipweave verify my-tables.yaml schedule.yaml --json -
  chipweave verify resnet50 schedule.yaml --throughput-floor 3e-6 --max-clusters 2
"""


@options.flat
def verify(
    task: options.Task,
    schedule: options.ScheduleFile,
    conditions: options.Conditions,
    objective: options.Objective = "latency",
    json: options.Json = None,
) -> None:
    check_outputs(json=json, inputs=(task.what, task.package, schedule))
    import chipweave as cw
    from chipweave.grid import console
    from chipweave.report import evaluation_summary, schedule_table

    instance = task.instance()
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
