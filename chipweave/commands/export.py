"""`chipweave export`."""

from __future__ import annotations

from typing import Annotated

import typer

from chipweave.commands import groups, options
from chipweave.output import STDOUT, check_writable

HELP = """Write the model of an instance to a file, for another solver.

LP and MPS files hold the MILP form. A CP-SAT model is a protocol buffer: text, or binary if the
file ends in .pb.

\b
Examples:
  chipweave export alexnet --out alexnet.lp
  chipweave export vgg16 --formulation segment --reduced --out vgg16.mps
  chipweave export my-tables.yaml --objective energy --latency-cap 3e6 --format cp --out model.txt
"""

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
Reduced = Annotated[
    bool,
    typer.Option(
        "--reduced",
        help="Leave out what is in no schedule as good as that of `scope`, as `solve` does: the"
        " optimum stays, the model is much smaller. A CP-SAT model holds the schedule as a hint.",
    ),
]


@groups.flat
def export(
    task: options.Task,
    conditions: options.Conditions,
    out: Out,
    format: FormatName = None,
    formulation: Formulation = "compact",
    objective: options.Objective = "latency",
    reduced: Reduced = False,
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
    if reduced:
        from experiments.strength import model_of

        model = model_of(instance, goal, formulation, "cp-sat" if chosen == "cp" else "highs")
    else:
        model = cw.formulate(formulation, instance, modeller_for(chosen), goal)
    cw.export(model, out, chosen)
    variables, constraints = size(model)
    print(f"{out}: {formulation} model with {variables:,} variables, {constraints:,} constraints")
