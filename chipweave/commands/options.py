"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

What = Annotated[
    str,
    typer.Argument(
        metavar="WHAT",
        help="A built-in network's name, or a file (YAML or JSON): an instance, a table instance,"
        " a network.",
        show_default=False,
    ),
]
PackageName = Annotated[
    str | None,
    typer.Option(
        "--package",
        metavar="P",
        help="A built-in package's name or a package file; overrides the file's. Without one:"
        " simba-4x4.",
    ),
]
Batch = Annotated[
    int | None,
    typer.Option("--batch", metavar="M", help="Samples a run; overrides the file's. Without: 64."),
]
Sequence = Annotated[
    int | None,
    typer.Option(
        "--sequence", metavar="N", help="Tokens, for a built-in network that has a sequence length."
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit", metavar="S", help="Wall seconds after which a method returns its best."
    ),
]
Seed = Annotated[
    int, typer.Option("--seed", metavar="N", help="For methods that draw random numbers.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", metavar="N", help="Threads. Without: all cores.")
]
Json = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Write the result as JSON; '-' prints it, and nothing else, on standard output.",
    ),
]
Plot = Annotated[
    str | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        help="Draw the regions on the mesh and the pipeline's first samples (.png or .svg).",
    ),
]
