"""`chipweave simulate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from chipweave.commands import groups, options
from chipweave.commands.checks import check_outputs, check_schedule
from chipweave.output import deliver

if TYPE_CHECKING:
    from collections.abc import Callable

    from instances.instance import Instance
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


@groups.flat
def simulate(
    task: options.Task,
    schedule: options.ScheduleFile,
    no_contention: NoContention = False,
    trace: Trace = None,
    json: options.Json = None,
) -> None:
    check_outputs(json=json, trace=trace, inputs=(task.what, task.package, schedule))
    import chipweave as cw

    instance = task.instance()
    found = cw.read_schedule(schedule)
    check_schedule(instance, found, "the simulation")
    run = cw.simulate(instance, found, contention=not no_contention)
    evaluation = cw.evaluate(instance, found)
    writes: list[Callable[[], None]] = []
    if trace is not None:
        writes.append(lambda: cw.write_trace(run, trace))
    deliver(json, lambda: _data(run, evaluation), lambda: _print(instance, run, evaluation), writes)


def _print(instance: Instance, run: Simulation, evaluation: Evaluation) -> None:
    from chipweave.grid import console
    from chipweave.simulation_report import links_table, segments_table, simulation_summary

    screen = console()
    simulation_summary(instance, run, evaluation).show(screen)
    segments_table(run, evaluation).show(screen)
    links_table(run, BUSIEST).show(screen)


def _data(run: Simulation, evaluation: Evaluation) -> dict[str, Any]:
    return {**run.to_data(), "latency": evaluation.latency}
