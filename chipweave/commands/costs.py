"""`chipweave costs`."""

from __future__ import annotations

from typing import Annotated

import typer

from chipweave.commands import groups, options
from chipweave.output import STDOUT, check_writable

HELP = """Write what a network costs on a package to a file: all tables, or what a simulator needs.

YAML, JSON and CSV files of tables can be given to the other commands in place of a network, and
edited before. With --cycles, the file (CSV) has the cycles that the slowest chiplet computes each
layer, and what of it, for each option and region size: put those of your simulator in their place,
and give the file to `--costs`.

\b
Examples:
  chipweave costs resnet18 --out tables.csv
  chipweave costs resnet18 --package simba-4x4 --cycles --out cycles.csv
  chipweave solve resnet18 --package simba-4x4 --costs cycles.csv
"""

Out = Annotated[
    str,
    typer.Option("--out", metavar="FILE", help="Ends in .csv, or for tables in .yaml or .json."),
]
Cycles = Annotated[
    bool, typer.Option("--cycles", help="Only cycles of computing, and of what, as CSV.")
]


@groups.flat
def costs(task: options.Task, out: Out, cycles: Cycles = False) -> None:
    if out == STDOUT:
        raise ValueError("--out -: costs go into a file")
    suffix = out.lower().rpartition(".")[2]
    if cycles and suffix != "csv":
        raise ValueError(f"--out {out}: expected a file name that ends in .csv, as --cycles asks")
    check_writable("--out", out)
    import chipweave as cw

    instance = task.instance()
    if cycles:
        cw.write_cycles(instance, out)
    elif suffix == "csv":
        cw.write_csv_costs(instance, out)
    else:
        cw.write_tables(instance, out)
    layers, kinds, chiplets = len(instance.layers), len(instance.options), instance.chiplets
    print(f"{out}: {layers} layers, {kinds} options, 1 to {chiplets} chiplets")
