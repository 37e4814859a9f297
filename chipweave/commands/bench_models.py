"""`chipweave bench models`: several models on unlike chiplets."""

from __future__ import annotations

from collections.abc import Callable
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
    from chipweave.status import Status
    from experiments.tables.parts import Page

PAGES = ("monolith", "scenarios", "scar")

HELP = """Measure what several models gain on unlike chiplets, and how good the searches are.

Without --out: how often exact, cpsat and milp disagree with plain enumeration on random workloads
of 2 models with up to 4 layers on 2 x 2 chiplets, all objectives. With --out: pages of results.

\b
Pages:
  monolith   GPT-2 and ResNet-50 on het-2x2 over one output-stationary chiplet of the same size
  scenarios  SCAR's five scenarios on 3 x 3 chiplets beside the paper's numbers; some minutes
  scar       SCAR's search and ours against proved optima on 2 x 2 and 3 x 3; some minutes

\b
Examples:
  chipweave bench models --instances 300 --markdown -
  chipweave bench models --out docs/results
  chipweave bench models --out results --only monolith
"""


def models(
    instances: Instances = 300,
    out: Out = None,
    only: Only = "monolith,scenarios,scar",
    json: options.Json = None,
    markdown: options.Markdown = None,
) -> None:
    check_outputs(json=json, markdown=markdown)
    chosen = parts(only, PAGES)
    if out is None:
        _agreement(instances, json, markdown)
    elif json is not None or markdown is not None:
        raise ValueError("--json and --markdown are for the comparison without --out")
    else:
        _pages(chosen, out)


def _agreement(instances: int, json: str | None, markdown: str | None) -> None:
    from experiments.multi_model.agreement import comparisons, workload_measures

    with live("bench models") as status:
        found = list(comparisons(range(instances), watch=status.watch))
    report_measures(workload_measures(found), json, markdown)


def _pages(names: list[str], out: str) -> None:
    command = f"chipweave bench models --out {out}"
    for name in names:
        with live(f"bench models: {name}") as status:
            page = _makers()[name](status)
        write_results(page, f"{command} --only {name}", out)


def _makers() -> dict[str, Callable[[Status], Page]]:
    """By name, what makes a page."""
    from experiments.multi_model.gaps import gaps, gaps_page
    from experiments.multi_model.monolith import monolith_page
    from experiments.multi_model.scenarios import scenarios, scenarios_page

    return {
        "monolith": lambda status: monolith_page(watch=status.watch),
        "scenarios": lambda status: scenarios_page(scenarios(watch=status.watch)),
        "scar": lambda status: gaps_page(list(gaps(watch=status.watch))),
    }
