"""What each step of Scope's search is worth: its schedules without it, or with another one."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.cases import Case
from experiments.tables.parts import Cell, Column, Figure, Heading, Panel, Part, Table
from experiments.tables.runs import Runs, mean, ratio

WHOLE = "scope"
OPTIMUM = "exact"

ABOUT = """`scope` searches in four steps: segments, clusters, regions, partitions
(docs/problem.md). Each line holds one step back or replaces it: one segment; one layer a cluster;
equal regions; one option in a cluster, whichever is best; only WSP; only ISP; and, wider than the
search itself, any option for any layer. The ratio is the latency over that of the whole search, as
the geometric mean over the instances on which both found a schedule; the gaps are those to the
optimum, over the instances with a schedule and a proof."""


def steps(runs: Runs) -> list[Part]:
    """A figure of ratios by package, a table over all instances, one for each package."""
    cases = {
        package: [runs.case(network, package) for network in runs.experiment.networks]
        for package in runs.experiment.packages
    }
    every = [case for own in cases.values() for case in own]
    panels = [
        Panel(package, _names(runs), {"": [_slower(runs, own, name) for name in variants(runs)]})
        for package, own in cases.items()
    ]
    caption = "How much longer schedules are without a step, geometric mean"
    figure = Figure("longer", caption, panels, "", "latency above that of scope (%)", kind="bars")
    parts: list[Part] = [ABOUT, figure, Heading("All packages"), _table(runs, every)]
    for package, own in cases.items():
        parts += [Heading(package), _table(runs, own)]
    return parts


def variants(runs: Runs) -> list[str]:
    """Scope's search with other steps."""
    return [name for name in runs.labels if name.startswith(f"{WHOLE}, ")]


def _names(runs: Runs) -> list[str]:
    """Of the variants, without the method's."""
    return [name.removeprefix(f"{WHOLE}, ") for name in variants(runs)]


def _ratios(runs: Runs, cases: Sequence[Case], name: str) -> list[float]:
    """Latency over that of the whole search, where both have a schedule."""
    found = (ratio(runs.of(case, name).latency, runs.of(case, WHOLE).latency) for case in cases)
    return [share for share in found if share is not None]


def _mean(runs: Runs, cases: Sequence[Case], name: str) -> float | None:
    return mean(_ratios(runs, cases, name))


def _slower(runs: Runs, cases: Sequence[Case], name: str) -> float | None:
    """By how many percent."""
    found = _mean(runs, cases, name)
    return None if found is None else 100 * (found - 1)


def _table(runs: Runs, cases: Sequence[Case]) -> Table:
    columns = [
        Column("steps"),
        Column("instances", 0),
        Column("no schedule", 0),
        Column("latency / scope", 4),
        Column("mean gap", 2, percent=True),
        Column("worst gap", 2, percent=True),
        Column("optimal", 0),
        Column("mean time (s)", 3),
    ]
    return Table(columns, [_row(runs, cases, name) for name in [WHOLE, *variants(runs)]])


def _row(runs: Runs, cases: Sequence[Case], name: str) -> list[Cell]:
    own = [runs.of(case, name) for case in cases]
    gaps = [
        1 - share
        for run in own
        if (best := runs.of(run.case, OPTIMUM)).proved
        and (share := ratio(best.latency, run.latency)) is not None
    ]
    seconds = [run.seconds for run in own if run.seconds is not None]
    return [
        "all four" if name == WHOLE else name.removeprefix(f"{WHOLE}, "),
        len(own),
        sum(run.unscheduled for run in own),
        _mean(runs, cases, name),
        sum(gaps) / len(gaps) if gaps else None,
        max(gaps, default=None),
        sum(gap == 0 for gap in gaps),
        sum(seconds) / len(seconds) if seconds else None,
    ]
