"""How much throughput the plain formula promises too much: schedules run with contention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from experiments.cases import Case, Watch
from experiments.simulation import METHOD, Place, Simulated, along_snake, simulated
from experiments.tables.parts import Column, Heading, Page, Part, Table
from instances.instance import Instance
from schedules.schedule import Schedule
from solvers.placing import place

NAME = "contention"
TITLE = "What contention on the mesh takes"

INTRODUCTION = (
    f"The schedules of `{METHOD}`, run sample by sample with contention for the links of the mesh"
    " ([how](../mesh.md#simulation)). A number is how much more throughput the plain formula"
    " promises than the run has: makespan over latency, minus 1. Below 0, pipelines fill faster"
    " than beat by beat."
)
BY_FORMULA = (
    "The same by the formula that knows places: hops of the real ways, and no beat shorter than the"
    " busiest link needs."
)


def placed_fast(instance: Instance, schedule: Schedule) -> Schedule:
    """The places that the fast placer finds, for the least bytes on the busiest link.

    Raises:
        ValueError: it finds none for a segment.
    """
    placed = place(instance, schedule, "fast", objective="both")
    for number, found in placed.segments.items():
        if found.places is None:
            raise ValueError(f"{instance.name}: no places were found for segment {number}")
    return along_snake(instance, placed.schedule)


PLACES: Mapping[str, Place] = MappingProxyType({"snake": along_snake, "fast": placed_fast})
"""Name -> what gives the regions their places."""

HEADINGS = {
    "snake": "Places along a snake",
    "fast": "Places of the fast placer, for the least bytes on the busiest link",
}


def contention_page(
    cases: Sequence[Case], places: Sequence[str] = tuple(PLACES), watch: Watch | None = None
) -> Page:
    """The page of results; runs everything.

    Raises:
        ValueError: an unknown name of places.
    """
    parts: list[Part] = [INTRODUCTION]
    for name in places:
        if name not in PLACES:
            raise ValueError(f"unknown places {name!r}: choose some of {', '.join(PLACES)}")
        runs = simulated(cases, contention=True, place=PLACES[name], watch=watch)
        by_formula = [
            None if run.placed is None or run.error else run.placed / run.latency - 1
            for run in runs
        ]
        parts += [Heading(HEADINGS[name]), by_network(runs, [run.difference for run in runs])]
        parts += [BY_FORMULA, by_network(runs, by_formula)]
        parts += [f"{run.case}: {run.error}." for run in runs if run.error]
    return Page(NAME, TITLE, parts)


def by_network(runs: Sequence[Simulated], values: Sequence[float | None]) -> Table:
    """A line a network, a column a package; the last lines are the mean and the largest."""
    networks = dict.fromkeys(run.case.network for run in runs)
    packages = dict.fromkeys(run.case.package for run in runs)
    cell = {
        (run.case.network, run.case.package): value for run, value in zip(runs, values, strict=True)
    }
    rows = [[network, *(cell[network, package] for package in packages)] for network in networks]
    columns = [
        [v for v in column if v is not None] for column in zip(*(r[1:] for r in rows), strict=True)
    ]
    mean = [sum(own) / len(own) if own else None for own in columns]
    most = [max(own, default=None) for own in columns]
    headings = [Column("network"), *(Column(package, 2, percent=True) for package in packages)]
    return Table(headings, [*rows, ["mean", *mean], ["largest", *most]])
