"""`chipweave simulate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from chipweave.commands import options
from chipweave.commands.checks import check_outputs
from chipweave.commands.verify import ScheduleFile
from chipweave.output import STDOUT, attempt_all, write_json

if TYPE_CHECKING:
    from schedules.evaluate import Evaluation
    from schedules.simulate import Simulation

HELP = """Simulate a placed schedule, sample by sample, and compare it with its costs.

Clusters without tiles get places along a snake over the mesh. With contention, transfers share the
links of the mesh; without, only ports and DRAM limit them, as in the cost model.

Exit codes: 0 it ran; 1 the schedule breaks a constraint; 2 the files cannot be read.

\b
Examples:
  chipweave simulate resnet50 schedule.yaml
  chipweave simulate resnet50 result.json --package simba-8x8 --no-contention
  chipweave simulate resnet50 schedule.yaml --trace run.trace.json --json -
"""

BUSIEST = 5
"""Links in the table."""

NoContention = Annotated[
    bool, typer.Option("--no-contention", help="No link of the mesh limits anything.")
]
Trace = Annotated[
    str | None,
    typer.Option(
        "--trace", metavar="FILE", help="Write what took time, for Perfetto or chrome://tracing."
    ),
]


@options.flat
def simulate(
    task: options.Task,
    schedule: ScheduleFile,
    no_contention: NoContention = False,
    trace: Trace = None,
    json: options.Json = None,
) -> None:
    check_outputs(json=json, trace=trace, inputs=(task.what, task.package, schedule))
    import chipweave as cw
    from chipweave.grid import console
    from chipweave.simulation_report import links_table, segments_table, simulation_summary

    instance = task.instance()
    found = cw.read_schedule(schedule)
    wrong = cw.violations(instance, found)
    if wrong:
        for sentence in wrong:
            typer.echo(sentence, err=True)
        raise typer.Exit(1)
    run = cw.simulate(instance, found, contention=not no_contention)
    evaluation = cw.evaluate(instance, found)
    if json != STDOUT:
        screen = console()
        simulation_summary(instance, run, evaluation).show(screen)
        segments_table(run, evaluation).show(screen)
        links_table(run, BUSIEST).show(screen)
    writes = []
    if json is not None:
        writes.append(lambda: write_json(json, _data(run, evaluation)))
    if trace is not None:
        writes.append(lambda: cw.write_trace(run, trace))
    attempt_all(writes)


def _data(run: Simulation, evaluation: Evaluation) -> dict[str, Any]:
    return {**run.to_data(), "latency": evaluation.latency}
