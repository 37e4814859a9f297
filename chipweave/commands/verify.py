"""`chipweave verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from chipweave.commands import options
from chipweave.output import STDOUT, check_writable, write_json

HELP = """Recompute a schedule and list every violation.

Exit codes: 0 the schedule may run; 1 it breaks a constraint; 2 the files cannot be read.

\b
Examples:
  chipweave verify resnet50 schedule.yaml
  chipweave verify resnet50 result.json --package simba-8x8 --batch 16
  chipweave verify my-tables.yaml schedule.yaml --json -
"""

ScheduleFile = Annotated[
    str,
    typer.Argument(
        metavar="SCHEDULE",
        help="A schedule's file, or a result that `solve --json` wrote.",
        show_default=False,
    ),
]


def verify(
    what: options.What,
    schedule: ScheduleFile,
    package: options.PackageName = None,
    batch: options.Batch = None,
    sequence: options.Sequence = None,
    json: options.Json = None,
) -> None:
    check_writable("--json", json)
    import chipweave as cw
    from chipweave.grid import console
    from chipweave.report import evaluation_summary, schedule_table

    instance = cw.instance(what, package, batch=batch, sequence=sequence)
    found = cw.read_schedule(schedule)
    wrong = cw.violations(instance, found)
    evaluation = None if wrong else cw.evaluate(instance, found)
    if json is not None:
        data = {
            "violations": wrong,
            "objective": None if evaluation is None else evaluation.latency,
            "throughput": None if evaluation is None else evaluation.throughput,
            "energy": None if evaluation is None else evaluation.energy,
        }
        write_json(json, data)
    if json != STDOUT:
        screen = console()
        for sentence in wrong:
            screen.print(sentence, markup=False, soft_wrap=True)
        if evaluation is not None:
            evaluation_summary(instance, evaluation).show(screen)
            schedule_table(instance, found, evaluation).show(screen)
            screen.print("the schedule may run: no constraint is broken")
    raise typer.Exit(1 if wrong else 0)
