"""`chipweave rank`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import groups, options
from chipweave.commands.checks import check_method, check_outputs
from chipweave.commands.codes import FOUND, NOTHING_FOUND
from chipweave.output import STDOUT, write_json, write_text
from chipweave.status import live

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instances.instance import Instance
    from schedules.schedule import Schedule
    from solvers.ranking import Rank

HELP = """Tell the place of a schedule among all schedules.

All schedules that fit the buffers are counted, and all that are faster, exactly: none is left out
and none is drawn at random. Only where counting would take too long, schedules are drawn, all with
the same probability, and the share of faster ones comes with its 95 % confidence interval.

Exit codes: 0 every schedule has its place; 2 bad input or usage; 4 a method found no schedule, or
nothing could be counted.

\b
Examples:
  chipweave rank alexnet --package datacentre-4x4
  chipweave rank alexnet --package datacentre-4x4 --method scope --method exact --segments any
  chipweave rank alexnet --package datacentre-4x4 --options ISP,WSP --all-chiplets --json -
  chipweave rank my-tables.yaml --schedule schedule.yaml
"""

Methods = Annotated[
    list[str],
    typer.Option(
        "--method",
        metavar="METHOD",
        help="One of `chipweave methods`, held to one segment where it can be. May be repeated."
        " Without: scope.",
    ),
]
ScheduleFile = Annotated[
    str | None,
    typer.Option(
        "--schedule", metavar="FILE", help="Rank the schedule in a file, instead of a method's."
    ),
]
Segments = Annotated[
    str,
    typer.Option("--segments", metavar="one|any", help="Among schedules of so many segments."),
]
Options = Annotated[
    str | None,
    typer.Option(
        "--options", metavar="A,B", help="Among schedules with these options only. Without: all."
    ),
]
AllChiplets = Annotated[
    bool,
    typer.Option(
        "--all-chiplets", help="Among schedules that use all chiplets in every segment only."
    ),
]
Samples = Annotated[
    int,
    typer.Option("--samples", metavar="N", help="Schedules to draw where they cannot be counted."),
]


@groups.flat
def rank(
    task: options.Task,
    method: Methods = [],  # noqa: B006 - typer reads it
    schedule: ScheduleFile = None,
    segments: Segments = "one",
    partitions: Options = None,
    all_chiplets: AllChiplets = False,
    samples: Samples = 20_000,
    time_limit: options.TimeLimit = None,
    seed: options.Seed = 0,
    workers: options.Workers = None,
    json: options.Json = None,
    markdown: options.Markdown = None,
) -> None:
    check_outputs(json=json, markdown=markdown, inputs=(task.what, task.package, schedule))
    for name in method:
        check_method(name)
    if method and schedule is not None:
        raise ValueError("--method and --schedule exclude each other")
    import chipweave as cw
    from solvers.ranking.space import segments_of

    instance = task.instance()
    names = None if partitions is None else tuple(map(str.strip, partitions.split(",")))
    space = cw.Space(segments_of(segments), names, all_chiplets)
    given: list[str | Schedule] = [*method]
    if schedule is not None:
        given = [cw.read_schedule(schedule)]
    ranks = []
    for what in given or ["scope"]:
        with live(f"rank {instance.name}"):
            ranks.append(
                cw.rank(
                    instance,
                    what,
                    space,
                    samples=samples,
                    time_limit=time_limit,
                    seed=seed,
                    workers=workers,
                )
            )
    _report(instance, ranks, json=json, markdown=markdown)
    raise typer.Exit(FOUND if all(_has_place(found) for found in ranks) else NOTHING_FOUND)


def _has_place(found: Rank) -> bool:
    return found.better is not None or found.sample is not None


def _report(
    instance: Instance, ranks: Sequence[Rank], *, json: str | None, markdown: str | None
) -> None:
    from chipweave.grid import console, say
    from chipweave.report import about, rank_remarks, rank_table

    table = rank_table(instance, ranks)
    if STDOUT not in (json, markdown):
        screen = console()
        table.show(screen)
        say(screen, rank_remarks(ranks))
    if json is not None:
        data = {"instance": instance.name, **about(instance)}
        write_json(json, {**data, "ranks": [found.to_data() for found in ranks]})
    if markdown is not None:
        write_text(markdown, table.markdown())
