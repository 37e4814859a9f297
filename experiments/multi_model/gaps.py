"""How far SCAR's search and ours are from proved optima on 2 x 2 and 3 x 3 chiplets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from experiments.multi_model.cases import workload
from experiments.tables.parts import Cell, Column, Heading, Page, Part, Table
from schedules.windows.goal import OBJECTIVES, Objective, WindowGoal
from solvers.multi_model import solve_workload

NAME = "scar"
TITLE = "SCAR's search against proved optima"

MODELS: Mapping[str, int] = {
    "alexnet": 16,
    "resnet50": 32,
    "mobilenet_v2": 8,
    "gpt2": 8,
    "unet": 1,
}
"""Network -> batch; all pairs of them are workloads."""

PACKAGES = ("het-2x2", "het-3x3-sides")

METHODS = ("scar", "search")

SECONDS = 3.0
"""For a search."""

Watch = Callable[[str], object]


@dataclass(frozen=True)
class Gap:
    """A method on one workload.

    Attributes:
        workload, package, objective, method: what was solved, and how.
        gap: (objective - optimum) / optimum.
        seconds: wall time of the method.
        proof_seconds: that of the proof.
    """

    workload: str
    package: str
    objective: Objective
    method: str
    gap: float
    seconds: float
    proof_seconds: float


def gaps(
    models: Mapping[str, int] = MODELS,
    packages: Sequence[str] = PACKAGES,
    seconds: float = SECONDS,
    watch: Watch | None = None,
) -> Iterator[Gap]:
    """All pairs of models on all packages, for all objectives.

    Raises:
        RuntimeError: an optimum is not proved, or a method finds no schedule.
    """
    for package, pair in product(packages, combinations(models, 2)):
        work = workload(" + ".join(pair), {name: models[name] for name in pair}, package)
        for objective in OBJECTIVES:
            if watch is not None:
                watch(f"{work.name}: {objective}")
            goal = WindowGoal(objective)
            proof = solve_workload(work, "exact", goal=goal)
            if proof.stop != "optimal" or proof.objective is None:
                raise RuntimeError(f"{work.name}: exact ended with {proof.stop}")
            for method in METHODS:
                own = solve_workload(work, method, goal=goal, time_limit=seconds)
                if own.objective is None:
                    raise RuntimeError(f"{work.name}: {method} finds no schedule")
                gap = own.objective / proof.objective - 1
                yield Gap(
                    work.name, package, objective, method, gap, own.runtime_s, proof.runtime_s
                )


def gaps_page(found: Sequence[Gap]) -> Page:
    """The page of results."""
    parts: list[Part] = [INTRODUCTION, Heading("By package and objective"), _summary(found)]
    parts += [Heading("By workload"), "Gap to the optimum of `scar`, then of `search`."]
    parts.append(_by_workload(found))
    return Page(NAME, TITLE, parts)


INTRODUCTION = (
    "Pairs of networks on packages of unlike chiplets ([the problem](../multi_model.md)), at most"
    " 5 windows: what SCAR's search in our reading (`scar`) and a wider one (`search`) lose to"
    " the optimum that the dynamic program (`exact`) proves. The gap is objective over optimum,"
    " minus 1."
)


def _summary(found: Sequence[Gap]) -> Table:
    rows: list[list[Cell]] = []
    keys = dict.fromkeys((g.package, g.objective, g.method) for g in found)
    for key in keys:
        own = [g for g in found if (g.package, g.objective, g.method) == key]
        gaps = [g.gap for g in own]
        rows.append(
            [
                *key,
                len(own),
                sum(gap == 0 for gap in gaps),
                sum(gaps) / len(gaps),
                max(gaps),
                sum(g.seconds for g in own) / len(own),
                max(g.proof_seconds for g in own),
            ]
        )
    headings = [Column("package"), Column("objective"), Column("method"), Column("workloads", 0)]
    headings += [Column("optimal", 0), Column("mean gap", 2, True), Column("worst gap", 2, True)]
    headings += [Column("mean time (s)", 2), Column("longest proof (s)", 2)]
    return Table(headings, rows)


def _by_workload(found: Sequence[Gap]) -> Table:
    gap = {(g.workload, g.objective, g.method): g.gap for g in found}
    rows: list[list[Cell]] = []
    for name in dict.fromkeys(g.workload for g in found):
        cells: list[Cell] = [name]
        for objective in OBJECTIVES:
            own = [gap[name, objective, method] for method in METHODS]
            cells.append(", ".join(f"{value:.2%}" for value in own))
        rows.append(cells)
    return Table([Column("workload"), *(Column(objective) for objective in OBJECTIVES)], rows)
