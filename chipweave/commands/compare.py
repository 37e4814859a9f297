"""`chipweave compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from chipweave import completion
from chipweave.commands import groups, options
from chipweave.commands.checks import check_method, check_outputs
from chipweave.commands.compressing import Compressing
from chipweave.commands.why import why_not
from chipweave.output import STDOUT, write_json, write_text
from chipweave.status import live

if TYPE_CHECKING:
    from experiments.compare import Comparison

HELP = """Run several methods on one instance and print one table.

A method that refuses the instance is a line with its reason; the others still run.

\b
Examples:
  chipweave compare resnet50 --methods scope,segmented,exact
  chipweave compare resnet152 --package simba-16x16 --methods scope,exact --plot best.svg
  chipweave compare vgg16 --methods sequential,segmented,exact --markdown -
  chipweave compare alexnet --methods exact,cpsat,milp --objective energy --time-limit 60
  chipweave compare resnet18 --compress losses.csv --accuracy-budget 0.01
"""

Methods = Annotated[
    str,
    typer.Option(
        "--methods",
        metavar="A,B,C",
        help="Names from `chipweave methods`, in order.",
        autocompletion=completion.methods,
    ),
]


@groups.flat
def compare(
    task: options.Task,
    conditions: options.Conditions,
    limits: options.Limits,
    compressing: Compressing,
    methods: Methods = "sequential,pipeline,segmented,scope,exact",
    objective: options.Objective = "latency",
    no_start: options.NoStart = False,
    json: options.Json = None,
    markdown: options.Markdown = None,
    plot: options.Plot = None,
) -> None:
    inputs = (task.what, task.package, compressing.compress)
    check_outputs(json=json, markdown=markdown, plot=plot, inputs=inputs)
    names = [name.strip() for name in methods.split(",") if name.strip()]
    for name in names:
        check_method(name)
    compressing.check()
    arguments = limits.arguments()
    import chipweave as cw

    instance = compressing.applied(task.instance())
    goal = conditions.goal(instance, objective)
    with live(instance.name) as status:
        comparison = cw.compare(
            instance,
            names,
            goal=goal,
            start=not no_start,
            watch=lambda name: status.watch(f"{name} on {instance.name}"),
            **arguments,
        )
    why = []
    if comparison.infeasible:
        why = [*why_not(instance, goal, limits.workers), *conditions.floor_in_cycles(goal)]
    _report(comparison, why, json=json, markdown=markdown, plot=plot)
    raise typer.Exit(_exit_code(comparison))


def _report(
    comparison: Comparison,
    why: list[str],
    *,
    json: str | None,
    markdown: str | None,
    plot: str | None,
) -> None:
    import chipweave as cw
    from chipweave.grid import console, say
    from chipweave.report import comparison_table

    table = comparison_table(comparison)
    if STDOUT not in (json, markdown):
        screen = console()
        table.show(screen)
        say(screen, why)
    if json is not None:
        reasons = {"why": why} if comparison.infeasible else {}
        write_json(json, {**comparison.to_data(), **reasons})
    if markdown is not None:
        write_text(markdown, table.markdown())
    best = comparison.best
    if plot is not None and best is not None and best.schedule is not None:
        cw.draw(comparison.instance, best.schedule, plot)


def _exit_code(comparison: Comparison) -> int:
    if comparison.best is not None:
        return 0
    if comparison.infeasible:
        return 3
    refused = all(row.result is None for row in comparison.rows)
    return 2 if refused else 4
