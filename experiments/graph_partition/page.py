"""The page of results on graphs of operators: proofs of large graphs, with time and memory."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.graph_partition.runs import CASES, LOOSE, Case, Run, Watch, runs
from experiments.tables.parts import Cell, Column, Page, Part, Table

NAME = "graphs"
TITLE = "Graphs of operators: proofs"

MEBI = 2**20


def graphs_page(watch: Watch | None = None, cases: Sequence[Case] = CASES) -> Page:
    """The page; by default of all CASES."""
    found = list(runs(cases, ("split", "exact"), watch))
    slowest = max(own["exact"].seconds for _, own in found)
    held = max(own["exact"].held for _, own in found)
    gaps = [_gap(own) for _, own in found]
    best = sum(gap == 0 for gap in gaps)
    parts: list[Part] = [
        "Graphs made from built-in networks (`chipweave.graph_of`), for inference and training,"
        f" with memory for {LOOSE:g} times what they take and for hardly more than that, divided"
        " among accelerators and CPUs ([the problem and the methods](../graphs.md)). Their times"
        " are a roofline of round numbers, so the objectives mean nothing beyond this table."
        " Blocks are what is placed by itself, ideals what the dynamic program runs over, the gap"
        " that of the linear-order split to the optimum.",
        _table(found),
        f"The slowest proof took {slowest:.1f} s, the largest process {held / MEBI:,.0f} MiB. The"
        f" split found the optimum in {best} of {len(found)} graphs; its largest gap is"
        f" {max(gaps):.1%}.",
    ]
    return Page(NAME, TITLE, parts)


def _gap(own: dict[str, Run]) -> float:
    best, split = own["exact"].objective, own["split"].objective
    return float("inf") if best is None or split is None else split / best - 1


def _table(found: Sequence[tuple[Case, dict[str, Run]]]) -> Table:
    rows: list[list[Cell]] = []
    for case, own in found:
        exact = own["exact"]
        rows.append(
            [
                f"{case.network}, {case.detail}",
                "training" if case.training else "inference",
                "loose" if case.room == LOOSE else "tight",
                f"{case.accelerators} + {case.cpus}",
                exact.nodes,
                exact.blocks,
                exact.ideals,
                exact.objective,
                _gap(own),
                exact.stop,
                exact.seconds,
                exact.held / MEBI,
            ]
        )
    headings = [Column("graph"), Column("for"), Column("memory"), Column("accelerators + CPUs")]
    headings += [Column("nodes", 0), Column("blocks", 0), Column("ideals", 0)]
    headings += [Column("optimum (ms)", 6), Column("gap of split", 2, True), Column("exact ended")]
    headings += [Column("exact (s)", 2), Column("memory (MiB)", 0)]
    return Table(headings, rows)
