"""`chipweave strength`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import options
from chipweave.commands.checks import check_outputs
from chipweave.commands.tables import report
from chipweave.status import live

if TYPE_CHECKING:
    from instances.instance import Instance

HELP = """Measure how strong the formulations are.

For each instance, formulation and engine: the size of the model, its root bound over the optimum
(the better of its LP relaxation and the bound it computes itself), and the time to a proof on this
machine. Without --instances this takes some ten minutes.

\b
Examples:
  chipweave strength --instances alexnet,vgg16@simba-6x6 --engines cp-sat
  chipweave strength --formulations segment,interval --time-limit 300 --markdown -
"""

Instances = Annotated[
    str | None,
    typer.Option(
        "--instances",
        metavar="A,B,C",
        help="Networks, each perhaps with @PACKAGE, or files. Without: those of"
        " docs/formulations.md.",
    ),
]
Formulations = Annotated[
    str | None,
    typer.Option("--formulations", metavar="A,B,C", help="segment, interval, compact."),
]
Engines = Annotated[
    str, typer.Option("--engines", metavar="A,B,C", help="Names from `chipweave engines`.")
]
WithoutLimit = Annotated[
    bool,
    typer.Option(
        "--with-limit-only", help="Do not measure the models without a known schedule, too."
    ),
]
TimeLimit = Annotated[
    float,
    typer.Option("--time-limit", metavar="S", help="Wall seconds for a run, and for a model."),
]


def strength(
    instances: Instances = None,
    formulations: Formulations = None,
    engines: Engines = "cp-sat,highs",
    batch: options.Batch = None,
    objective: options.Objective = "latency",
    time_limit: TimeLimit = 60.0,
    with_limit_only: WithoutLimit = False,
    no_start: options.NoStart = False,
    seed: options.Seed = 0,
    workers: options.Workers = None,
    json: options.Json = None,
    markdown: options.Markdown = None,
) -> None:
    check_outputs(json=json, markdown=markdown)
    import chipweave as cw
    from chipweave import goals
    from chipweave.report import strength_table

    chosen = None
    if instances is not None:
        chosen = [named(name, batch) for name in options.names("--instances", instances)]
    models = list(cw.FORMULATIONS)
    if formulations is not None:
        models = options.names("--formulations", formulations)
    with live("strength") as status:
        rows = list(
            cw.strength(
                chosen,
                models,
                options.names("--engines", engines),
                goal=cw.Goal(goals.objective(objective)),
                time_limit=time_limit,
                without_limit=not with_limit_only,
                watch=status.watch,
                start=not no_start,
                seed=seed,
                workers=workers,
            )
        )
    data = [row.to_data() for row in rows]
    report([strength_table(rows)], data, json=json, markdown=markdown)


def named(text: str, batch: int | None) -> Instance:
    """The instance that NETWORK, NETWORK@PACKAGE or a file's name means.

    Raises:
        ValueError: as `chipweave.instance`.
    """
    import chipweave as cw

    if Path(text).exists() or "@" not in text:
        return cw.instance(text, batch=batch)
    network, _, package = text.rpartition("@")
    return cw.instance(network, package, batch=batch)
