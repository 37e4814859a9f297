"""`chipweave pareto`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import groups, options
from chipweave.commands.checks import check_method, check_outputs
from chipweave.commands.codes import exit_code
from chipweave.commands.compressing import Compressing
from chipweave.commands.why import why_not
from chipweave.output import STDOUT, check_writable, write_json, write_text
from chipweave.status import live

if TYPE_CHECKING:
    from experiments.loss_front import LossFront
    from experiments.pareto import Front
    from schedules.schedule import Schedule

HELP = """Find the Pareto front of latency and energy, or of throughput and loss.

Each point is a schedule that no other one beats in both. With --compress, tensors are squeezed
where they cross between clusters, and the front is that of throughput and what this loses:
--accuracy-budget is the most that a point may lose; without it, all ratios of the table may be
used at once. Without --points the whole front is found; Ctrl-C and the time limit return what there
is of it.

Latency and energy take a method that proves what it finds: exact, cpsat, milp, enumerate. Loss
takes every method that `solve --compress` takes; exact proves each point, in one run a point.

Exit codes: 0 there are points; 2 bad input or usage; 3 proved infeasible; 4 stopped without a
point.

\b
Examples:
  chipweave pareto alexnet --plot front.svg
  chipweave pareto resnet50 --points 12 --markdown -
  chipweave pareto vgg16 --max-clusters 2 --time-limit 60 --json front.json --out front
  chipweave pareto resnet18 --compress losses.csv --plot loss.svg
  chipweave pareto resnet50 --compress losses.csv --accuracy-budget 2% --points 8 --method scope
"""


Points = Annotated[
    int | None,
    typer.Option(
        "--points", metavar="N", help="At most so many, spread over the latencies, or the losses."
    ),
]
Folder = Annotated[
    str | None,
    typer.Option("--out", metavar="DIR", help="Write each point's schedule into a folder."),
]
Plot = Annotated[
    str | None, typer.Option("--plot", metavar="FILE", help="Draw the front (.png or .svg).")
]


@groups.flat
def pareto(
    task: options.Task,
    conditions: options.Conditions,
    limits: options.Limits,
    compressing: Compressing,
    method: options.Method = "exact",
    points: Points = None,
    formulation: options.FormulationName = None,
    engine: options.EngineName = None,
    no_start: options.NoStart = False,
    json: options.Json = None,
    markdown: options.Markdown = None,
    plot: Plot = None,
    out: Folder = None,
) -> None:
    inputs = (task.what, task.package, compressing.compress)
    check_outputs(json=json, markdown=markdown, plot=plot, inputs=inputs)
    check_method(method)
    check_folder(out)
    compressing.check(budget_needed=False)
    arguments = limits.arguments()
    import chipweave as cw

    instance = compressing.applied(task.instance())
    goal = conditions.goal(instance)
    find = cw.pareto if instance.compression is None else cw.loss_front
    with live(instance.name) as status:
        front: Front | LossFront = find(
            instance,
            method=method,
            goal=goal,
            points=points,
            formulation=formulation,
            engine=engine,
            start=not no_start,
            watch=lambda name: status.watch(f"{name}: {method} on {instance.name}"),
            **arguments,
        )
    why = []
    if front.stop == "infeasible":
        why = [*why_not(instance, goal, limits.workers), *conditions.floor_in_cycles(goal)]
    _report(front, why, json=json, markdown=markdown)
    if front.points and plot is not None:
        _draw(front, plot)
    if front.points and out is not None:
        write_schedules([point.schedule for point in front.points], Path(out))
    raise typer.Exit(exit_code(bool(front.points), front.stop))


def check_folder(out: str | None) -> None:
    """Refuse a folder that could not be made or written to.

    Raises:
        ValueError: it is a file, lies in no folder, or holds points of an earlier run.
    """
    if out is None:
        return
    if Path(out).exists() and not Path(out).is_dir():
        raise ValueError(f"--out {out}: is a file, not a folder")
    old = sorted(Path(out).glob("point-*.yaml"))
    if old:
        raise ValueError(
            f"--out {out}: holds points of an earlier run ({old[0].name}); remove them or name"
            " another folder"
        )
    check_writable("--out", str(Path(out) / "point-1.yaml" if Path(out).is_dir() else out))


def write_schedules(schedules: Sequence[Schedule], folder: Path) -> None:
    """Write a file for each point's schedule, numbered as in the table."""
    import chipweave as cw

    folder.mkdir(exist_ok=True)
    digits = len(str(len(schedules)))
    for number, schedule in enumerate(schedules, start=1):
        cw.write_schedule(schedule, folder / f"point-{number:0{digits}}.yaml")


def _draw(front: Front | LossFront, path: str) -> None:
    import chipweave as cw

    proved = [point.proved for point in front.points]
    if isinstance(front, cw.LossFront):
        costs = [(point.loss, point.evaluation) for point in front.points]
        cw.draw_loss_front(front.instance, costs, path, proved)
    else:
        cw.draw_front(front.instance, [point.evaluation for point in front.points], path, proved)


def _report(
    front: Front | LossFront, why: list[str], *, json: str | None, markdown: str | None
) -> None:
    import chipweave as cw
    from chipweave.compression_report import loss_front_table
    from chipweave.grid import console, say
    from chipweave.report import front_table

    table = loss_front_table(front) if isinstance(front, cw.LossFront) else front_table(front)
    if STDOUT not in (json, markdown):
        screen = console()
        if front.points:
            table.show(screen)
        screen.print(f"{front.stop}; {front.runtime_s:.2f} s", markup=False)
        say(screen, why)
    if json is not None:
        reasons = {"why": why} if front.stop == "infeasible" else {}
        write_json(json, {**front.to_data(), **reasons})
    if markdown is not None:
        write_text(markdown, table.markdown())
