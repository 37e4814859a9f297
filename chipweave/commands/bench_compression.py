"""`chipweave bench compression`: autoencoders at the cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import options
from chipweave.commands.benches import (
    Instances,
    Only,
    Out,
    parts,
    report_measures,
    write_results,
)
from chipweave.commands.checks import check_outputs
from chipweave.status import live

if TYPE_CHECKING:
    from experiments.bars import Measure

PARTS = ("agreement", "proofs")

HELP = """Measure compression at the cuts: proofs against enumeration, times, what it gains.

Without --out, the measures named by --only; with --out, the page of results, for which --losses
names a table that `chipweave calibrate` wrote.

\b
Measures:
  agreement  exact, cpsat and milp against plain enumeration, on random instances and budgets
  proofs     how long exact takes for resnet50 on simba-4x4, and whether cpsat says the same

\b
Examples:
  chipweave bench compression --instances 300 --markdown -
  chipweave bench compression --only proofs
  chipweave bench compression --losses docs/losses/text-lines.csv --out docs/results
"""

Losses = Annotated[
    str | None, typer.Option("--losses", metavar="FILE", help="Measured losses, for the page.")
]


def compression(
    instances: Instances = 300,
    losses: Losses = None,
    out: Out = None,
    only: Only = "agreement,proofs",
    json: options.Json = None,
    markdown: options.Markdown = None,
) -> None:
    check_outputs(json=json, markdown=markdown)
    chosen = parts(only, PARTS)
    if (out is None) != (losses is None):
        raise ValueError("--out and --losses go together: the page needs measured losses")
    if out is not None and losses is not None:
        if json is not None or markdown is not None:
            raise ValueError("--json and --markdown are for the measures without --out")
        _page(out, losses)
        return
    report_measures(_measures(chosen, instances), json, markdown)


def _measures(chosen: list[str], instances: int) -> list[Measure]:
    from experiments.compression.agreement import comparisons, compression_measures
    from experiments.compression.runs import proof_measures

    found: list[Measure] = []
    with live("bench compression") as status:
        if "agreement" in chosen:
            compared = comparisons(range(instances), watch=status.watch)
            found += compression_measures(list(compared))
        if "proofs" in chosen:
            found += proof_measures(status.watch)
    return found


def _page(out: str, losses: str) -> None:
    from experiments.compression.page import compression_page
    from instances.files.loss_file import read_losses

    measured = read_losses(losses)
    with live("bench compression") as status:
        page = compression_page(measured, watch=status.watch)
    write_results(page, f"chipweave bench compression --losses {losses} --out {out}", out)
