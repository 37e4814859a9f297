"""`chipweave bench graphs`: graphs of operators, divided among devices."""

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
    from experiments.graph_partition.runs import Run

PARTS = ("agreement", "networks")

HELP = """Measure divisions of graphs of operators: proofs against enumeration, time and memory.

With files, their graphs are solved by each of --methods. Without, the measures named by --only;
with --out, the page of results.

\b
Measures:
  agreement  exact, ideals, cpsat and milp against plain enumeration, on random graphs
  networks   time and memory of exact, on graphs made from built-in networks

\b
Examples:
  chipweave bench graphs bert.json resnet50.json
  chipweave bench graphs --only agreement --instances 300 --markdown -
  chipweave bench graphs --out docs/results
"""

GraphFiles = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE..", help="Files of graphs.", show_default=False),
]
Methods = Annotated[
    str, typer.Option("--methods", metavar="A,B,C", help="For files: methods that prove.")
]


def graphs(
    files: GraphFiles = None,
    methods: Methods = "ideals,cpsat,milp",
    instances: Instances = 300,
    out: Out = None,
    only: Only = "agreement,networks",
    json: options.Json = None,
    markdown: options.Markdown = None,
) -> None:
    check_outputs(json=json, markdown=markdown, inputs=tuple(files or ()))
    chosen = parts(only, PARTS)
    if out is not None:
        if files or json is not None or markdown is not None:
            raise ValueError("files, --json and --markdown are for the measures without --out")
        _page(out)
        return
    found = _of_files(files, methods) if files else _measures(chosen, instances)
    report_measures(found, json, markdown)


def _of_files(files: list[str], methods: str) -> list[Measure]:
    import chipweave as cw
    from chipweave.commands.checks import check_method
    from experiments.graph_partition.runs import run, run_measures
    from solvers.graph_partition import GRAPH_METHODS

    names = options.names("--methods", methods)
    for name in names:
        check_method(name, GRAPH_METHODS, " for a graph of operators")
    graphs = [cw.read_graph(file) for file in files]
    found: list[tuple[str, str, Run]] = []
    with live("bench graphs") as status:
        for graph in graphs:
            for name in names:
                status.watch(f"{graph.name}: {name}")
                found.append((graph.name, name, run(graph, name)))
    return run_measures(found)


def _measures(chosen: list[str], instances: int) -> list[Measure]:
    from experiments.graph_partition.agreement import comparisons, graph_measures
    from experiments.graph_partition.runs import CASES, run_measures, runs

    found: list[Measure] = []
    with live("bench graphs") as status:
        if "agreement" in chosen:
            found += graph_measures(list(comparisons(instances, watch=status.watch)))
        if "networks" in chosen:
            own = [
                (f"{case.graph().name}, room {case.room:g}", method, run)
                for case, by_method in runs(CASES, ("exact",), status.watch)
                for method, run in by_method.items()
            ]
            found += run_measures(own)
    return found


def _page(out: str) -> None:
    from experiments.graph_partition.page import graphs_page

    with live("bench graphs") as status:
        page = graphs_page(status.watch)
    write_results(page, f"chipweave bench graphs --out {out}", out)
