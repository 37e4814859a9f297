"""`chipweave export`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import options
from chipweave.output import STDOUT, check_writable

if TYPE_CHECKING:
    from instances.instance import Instance
    from schedules.goal import Goal

HELP = """Write the model of an instance to a file, for another solver.

LP and MPS files hold the MILP form. A CP-SAT model is a protocol buffer: text, or binary if the
file ends in .pb.

\b
Examples:
  chipweave export alexnet --out alexnet.lp
  chipweave export vgg16 --formulation interval --limit scope --out vgg16.mps
  chipweave export my-tables.yaml --objective energy --latency-cap 3e6 --format cp --out model.txt
"""

FROM_SCOPE = "scope"

Out = Annotated[
    str,
    typer.Option(
        "--out", metavar="FILE", help="Ends in .lp, .mps, or for CP-SAT in .txt, .pbtxt or .pb."
    ),
]
FormatName = Annotated[
    str | None,
    typer.Option("--format", metavar="F", help="lp, mps or cp. Without: by the file's ending."),
]
Formulation = Annotated[
    str, typer.Option("--formulation", metavar="F", help="compact, interval or segment.")
]
Limit = Annotated[
    str | None,
    typer.Option(
        "--limit",
        metavar="N",
        help="Leave out what only schedules use whose objective exceeds N, or exceeds that of the"
        " method scope if N is 'scope'. The model is much smaller. Without: nothing is left out.",
    ),
]


@options.flat
def export(
    task: options.Task,
    conditions: options.Conditions,
    out: Out,
    format: FormatName = None,
    formulation: Formulation = "compact",
    objective: options.Objective = "latency",
    limit: Limit = None,
) -> None:
    if out == STDOUT:
        raise ValueError("--out -: a model goes into a file")
    check_writable("--out", out)
    from formulations.export import format_of, modeller_for, size

    chosen = format_of(out, format)
    import chipweave as cw

    instance = task.instance()
    goal = conditions.goal(instance, objective)
    if goal.objective == "edp":
        raise ValueError(
            "--objective edp: a product is no linear objective; take latency or energy"
        )
    most = _limit(instance, goal, limit)
    model = cw.formulate(formulation, instance, modeller_for(chosen), goal, limit=most)
    cw.export(model, out, chosen)
    variables, constraints = size(model)
    print(f"{out}: {formulation} model with {variables:,} variables, {constraints:,} constraints")


def _limit(instance: Instance, goal: Goal, text: str | None) -> int | None:
    """The objective that need not be exceeded.

    Raises:
        ValueError: no number, or scope finds no schedule that obeys the goal.
    """
    if text != FROM_SCOPE:
        from chipweave import goals

        return goals.cap("--limit", text)
    import chipweave as cw

    found = cw.solve(instance, "scope", goal=goal).objective
    if found is None:
        raise ValueError("--limit scope: scope finds no schedule under these conditions")
    return found
