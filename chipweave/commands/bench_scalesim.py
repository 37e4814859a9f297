"""`chipweave bench scalesim`."""

from __future__ import annotations

from typing import Annotated

import typer

from chipweave.commands import options
from chipweave.output import check_writable
from chipweave.status import live

HELP = """Hold our cycles of computing against SCALE-Sim's systolic array, and schedule with both.

Needs SCALE-Sim: pip install 'chipweave[scalesim]'. Writes a page; with --cycles also the file that
`chipweave solve --costs` takes.

\b
Examples:
  chipweave bench scalesim --out docs/results
  chipweave bench scalesim --network mobilenet_v2 --package simba-6x6 --cycles cycles.csv
"""

Network = Annotated[str, typer.Option("--network", metavar="NAME", help="A name or a file.")]
Package = Annotated[
    str, typer.Option("--package", metavar="P", help="Of weight-stationary chiplets.")
]
Sizes = Annotated[
    str | None,
    typer.Option(
        "--sizes",
        metavar="N,N",
        help="Regions to simulate, others take as long as smaller ones. Without: all.",
    ),
]
Cycles = Annotated[
    str | None, typer.Option("--cycles", metavar="FILE", help="Write SCALE-Sim's cycles (CSV).")
]
Out = Annotated[
    str, typer.Option("--out", metavar="DIR", help="A folder; made if it is not there.")
]

USUAL = ("resnet18", "simba-4x4", None)


def scalesim(
    network: Network = "resnet18",
    package: Package = "simba-4x4",
    sizes: Sizes = None,
    cycles: Cycles = None,
    out: Out = "results",
) -> None:
    if cycles is not None:
        check_writable("--cycles", cycles)
    chosen = [] if sizes is None else options.names("--sizes", sizes)
    if not all(size.isdecimal() and int(size) for size in chosen):
        raise ValueError(f"--sizes: found {sizes!r}, expected whole numbers of 1 or more")
    import chipweave as cw
    from chipweave.results import write_page
    from experiments.scalesim_costs import compared
    from experiments.scalesim_page import scalesim_page
    from instances.files.cycle_csv import write_cycles

    instance = cw.instance(network, package)
    with live("bench scalesim") as status:
        every = range(1, instance.chiplets + 1)
        found = compared(instance, [int(n) for n in chosen] or every, status.watch)
        page = scalesim_page(found)
    if cycles is not None:
        write_cycles(instance, cycles, found.compute)
    given = zip(("--network", "--package", "--sizes"), (network, package, sizes), strict=True)
    words = [
        f"{name} {value}"
        for (name, value), usual in zip(given, USUAL, strict=True)
        if value != usual
    ]
    (file,) = write_page(page, " ".join(["chipweave bench scalesim", *words, f"--out {out}"]), out)
    typer.echo(str(file))
