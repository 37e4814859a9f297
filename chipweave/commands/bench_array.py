"""`chipweave bench array`: pipelines inside an array of PEs."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

PARTS = ("agreement", "links", "times")

HELP = """Measure schedules inside an array: proofs against enumeration, formulas against routes.

Without --out, the measures named by --only; with --out, the page of results.

\b
Measures:
  agreement  exact, cpsat and milp against plain enumeration, on random networks on small arrays
  links      link loads by formula against routes, on random layouts of up to 16 x 16 PEs
  times      how long exact, pipeorgan and pipeorgan+ take for all networks on 32 x 32 PEs

\b
Examples:
  chipweave bench array --instances 300 --markdown -
  chipweave bench array --only links --instances 5000
  chipweave bench array --out docs/results
"""


def array(
    instances: Instances = 300,
    out: Out = None,
    only: Only = "agreement,links,times",
    json: options.Json = None,
    markdown: options.Markdown = None,
) -> None:
    check_outputs(json=json, markdown=markdown)
    chosen = parts(only, PARTS)
    if out is not None:
        if json is not None or markdown is not None:
            raise ValueError("--json and --markdown are for the measures without --out")
        _page(out)
        return
    report_measures(_measures(chosen, instances), json, markdown)


def _measures(chosen: list[str], instances: int) -> list[Measure]:
    from experiments.array.agreement import array_measures, comparisons
    from experiments.array.links import link_measures
    from experiments.array.runs import ARRAY, OURS, runs, time_measures
    from instances.arrays import load_array
    from instances.networks import NETWORKS

    found: list[Measure] = []
    with live("bench array") as status:
        if "agreement" in chosen:
            found += array_measures(list(comparisons(range(instances), watch=status.watch)))
        if "links" in chosen:
            found += link_measures(instances)
        if "times" in chosen:
            own = runs(load_array(ARRAY), tuple(NETWORKS), OURS, status.watch)
            found += time_measures(list(own))
    return found


def _page(out: str) -> None:
    from experiments.array.page import array_page

    with live("bench array") as status:
        page = array_page(status.watch)
    write_results(page, f"chipweave bench array --out {out}", out)
