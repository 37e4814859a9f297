"""`chipweave place`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chipweave.commands import groups, options
from chipweave.commands.checks import check_outputs, check_schedule
from chipweave.commands.codes import FOUND, exit_code
from chipweave.output import deliver, schedule_writes

if TYPE_CHECKING:
    from instances.instance import Instance
    from schedules.links import SegmentLinks
    from schedules.schedule import Schedule
    from solvers.placing import Objective as PlaceObjective
    from solvers.placing import Placed

HELP = """Place the regions of a schedule on the mesh.

Places that the schedule names are given up: every region gets a new one. The times of the schedule
do not depend on them; the table shows what the busiest link needs for a sample beside the beat.

Exit codes: 0 every region has a place; 1 the schedule breaks a constraint; 2 bad input or usage; 3
proved that there are no places; 4 stopped without places.

\b
Examples:
  chipweave place resnet50 schedule.yaml
  chipweave place resnet50 schedule.yaml --method cpsat --family free --time-limit 60
  chipweave place resnet152 result.json --package simba-16x16 --objective load --plot mesh.png
  chipweave place resnet50 schedule.yaml --method snake --out placed.yaml --json -
"""

Method = Annotated[
    str,
    typer.Option(
        "--method",
        metavar="METHOD",
        help="snake (in the order of the pipeline), fast (a search), or one that proves:"
        " exact, cpsat, milp, enumerate.",
    ),
]
Family = Annotated[
    str,
    typer.Option(
        "--family",
        metavar="F",
        help="For methods that prove: rectangles, intervals of the snake, or free, any connected"
        " shape.",
    ),
]
Objective = Annotated[
    str,
    typer.Option(
        "--objective",
        metavar="NAME",
        help="hops: bytes times links; load: bytes on the busiest link; both: the load, then the"
        " hops.",
    ),
]
Plot = Annotated[
    str | None,
    typer.Option(
        "--plot", metavar="FILE", help="Draw regions, link loads and pipeline (.png or .svg)."
    ),
]


@groups.flat
def place(
    task: options.Task,
    schedule: options.ScheduleFile,
    method: Method = "fast",
    family: Family = "rectangles",
    objective: Objective = "hops",
    engine: options.EngineName = None,
    time_limit: options.TimeLimit = None,
    seed: options.Seed = 0,
    workers: options.Workers = None,
    out: options.Out = None,
    json: options.Json = None,
    plot: Plot = None,
) -> None:
    check_outputs(json=json, plot=plot, out=out, inputs=(task.what, task.package, schedule))
    if time_limit is not None and not time_limit >= 0:
        raise ValueError(f"--time-limit {time_limit}: expected seconds, at least 0")
    import os

    import chipweave as cw

    instance = task.instance()
    given = without_places(cw.read_schedule(schedule))
    check_schedule(instance, given, "placement")
    placed = cw.place(
        instance,
        given,
        method,
        family=family,
        objective=_goal(objective),
        engine=engine,
        time_limit=time_limit,
        seed=seed,
        workers=workers or os.cpu_count() or 1,
    )
    links = _links(instance, placed)
    code = _exit_code(placed)
    found = placed.schedule if code == FOUND else None
    writes = schedule_writes(
        found, cw.write_schedule, partial(cw.draw, instance), out=out, plot=plot
    )
    data = _data(instance, placed, links, method=method, family=family, objective=objective)
    deliver(json, lambda: data, lambda: _print(placed, links), writes)
    raise typer.Exit(code)


def _goal(name: str) -> PlaceObjective:
    """An objective by its name.

    Raises:
        ValueError: there is no such objective.
    """
    from solvers.placing import OBJECTIVES

    for known in OBJECTIVES:
        if known == name:
            return known
    raise ValueError(f"--objective {name}: expected one of {', '.join(OBJECTIVES)}")


def without_places(schedule: Schedule) -> Schedule:
    """The same schedule, its regions only sizes."""
    return replace(
        schedule,
        segments=tuple(
            replace(segment, clusters=tuple(replace(own, tiles=None) for own in segment.clusters))
            for segment in schedule.segments
        ),
    )


def _links(instance: Instance, placed: Placed) -> list[SegmentLinks | None]:
    """The link report of each segment; None where there are no places."""
    import chipweave as cw

    found: list[SegmentLinks | None] = []
    for number, segment in enumerate(placed.schedule.segments):
        own = placed.segments.get(number)
        there = own is None or own.places is not None
        one = replace(placed.schedule, segments=(segment,))
        found.append(cw.link_report(instance, one)[0] if there else None)
    return found


def _data(
    instance: Instance, placed: Placed, links: list[SegmentLinks | None], **asked: str
) -> dict[str, Any]:
    from chipweave.place_report import places_data
    from chipweave.report import about
    from schedules.files import schedule_to_data

    return {
        **asked,
        **about(instance),
        "segments": places_data(instance, placed, links),
        "schedule": schedule_to_data(placed.schedule),
    }


def _print(placed: Placed, links: list[SegmentLinks | None]) -> None:
    from chipweave.grid import console
    from chipweave.place_report import places_table, stages_table

    screen = console()
    places_table(placed, links).show(screen)
    stages_table(placed, links).show(screen)


def _exit_code(placed: Placed) -> int:
    missing = [own.stop for own in placed.segments.values() if own.places is None]
    return exit_code(not missing, "infeasible" if "infeasible" in missing else "")
