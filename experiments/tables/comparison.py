"""Scope's comparison: throughput and energy of all methods, over those of `segmented`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from experiments.tables.parts import Cell, Column, Figure, Heading, Panel, Part, Table
from experiments.tables.runs import Run, Runs, chiplets, mean, ratio

REFERENCE = "segmented"
OPTIMUM = "exact"
DEEP = "resnet152"
"""The network for which the paper tells its gain."""

ABOUT = f"""Throughput is that of `{REFERENCE}` = 1: higher is better. Energy is that of
`{REFERENCE}` = 1: lower is better; no method minimised it. `{REFERENCE}` is the best schedule with
one layer a stage, `tangram` the one that a heuristic finds there, `{OPTIMUM}` the best of all
schedules. A dash says that the method found no schedule. Means are geometric, over the networks
with a schedule. Packages, costs and the choice of networks are ours."""

PAPER = f"""The paper (Scope, arXiv 2602.14393, abstract) reports up to 1.73 times the throughput of
the state of the art for ResNet-152, by its own cost model. This table has, at each scale, the
throughput over that of `{REFERENCE}`, and the time of a batch in cycles that is 1.000."""


def comparison(runs: Runs) -> list[Part]:
    """Two figures, the deep network at each scale, distances to the optimum, a table a scale."""
    parts: list[Part] = [
        ABOUT,
        _figure(runs, "throughput", throughput),
        _figure(runs, "energy", energy),
    ]
    if DEEP in runs.experiment.networks:
        parts += [Heading(f"{DEEP} at each scale"), PAPER, _deep(runs)]
    parts += [Heading("Distance to the optimum"), _distances(runs)]
    for package in runs.experiment.packages:
        parts += [Heading(f"{chiplets(package)} chiplets ({package})"), _scale(runs, package)]
    return parts


def throughput(run: Run, reference: Run) -> float | None:
    """Over the reference's."""
    return ratio(reference.latency, run.latency)


def energy(run: Run, reference: Run) -> float | None:
    """Over the reference's."""
    return ratio(run.energy, reference.energy)


Ratio = Callable[[Run, Run], float | None]
RATIOS: dict[str, Ratio] = {"throughput": throughput, "energy": energy}


def _ratios(runs: Runs, network: str, package: str, what: Ratio) -> list[float | None]:
    """Of all methods."""
    case = runs.case(network, package)
    reference = runs.of(case, REFERENCE)
    return [what(runs.of(case, name), reference) for name in runs.labels]


def _figure(runs: Runs, name: str, what: Ratio) -> Figure:
    panels = []
    for network in runs.experiment.networks:
        found = [_ratios(runs, network, package, what) for package in runs.experiment.packages]
        series = dict(zip(runs.labels, zip(*found, strict=True), strict=True))
        panels.append(Panel(network, _sizes(runs), series))
    caption = f"{name.capitalize()} over that of {REFERENCE}, by chiplets"
    return Figure(name, caption, panels, "chiplets", f"{name} / {REFERENCE}", log_x=True)


def _sizes(runs: Runs) -> list[float]:
    return [chiplets(package) for package in runs.experiment.packages]


def _deep(runs: Runs) -> Table:
    columns = [Column("chiplets", 0), *(Column(name, 3) for name in runs.labels)]
    rows: list[list[Cell]] = []
    for package in runs.experiment.packages:
        case = runs.case(DEEP, package)
        found = _ratios(runs, DEEP, package, throughput)
        cycles = runs.of(case, REFERENCE).latency
        rows.append([chiplets(package), *found, cycles, proof(runs.of(case, OPTIMUM))])
    return Table([*columns, Column(f"{REFERENCE}, cycles", 0), Column("proof")], rows)


def proof(run: Run) -> str:
    """Whether a run's schedule is certainly the best, or how far from it it may be."""
    if run.proved:
        return "proved"
    gap = run.result.get("gap")
    return "no schedule" if run.latency is None else "no proof" if gap is None else f"gap {gap:.2%}"


def _distances(runs: Runs) -> Table:
    """How far each method's throughput is below the optimum."""
    columns = [
        Column("method"),
        Column("instances", 0),
        Column("mean", 4),
        Column("worst", 4),
        Column("worst at"),
        Column("optimal", 0),
        Column("no schedule", 0),
        Column("mean time (s)", 3),
        Column("longest (s)", 3),
    ]
    return Table(columns, [_distance(runs, name) for name in runs.labels])


def _distance(runs: Runs, name: str) -> list[Cell]:
    own = list(_of(runs, name))
    found = [
        (share, run)
        for run in own
        if (share := throughput(run, runs.of(run.case, OPTIMUM))) is not None
    ]
    worst, where = min(found, key=lambda pair: pair[0], default=(None, None))
    seconds = [run.seconds for run in own if run.seconds is not None]
    return [
        name,
        len(found),
        mean(share for share, _ in found),
        worst,
        "" if where is None or worst == 1 else f"{where.case.network} on {where.case.package}",
        sum(share == 1 and runs.of(run.case, OPTIMUM).proved for share, run in found),
        sum(run.unscheduled for run in own),
        sum(seconds) / len(seconds) if seconds else None,
        max(seconds, default=None),
    ]


def _of(runs: Runs, name: str) -> Iterator[Run]:
    for package in runs.experiment.packages:
        for network in runs.experiment.networks:
            yield runs.of(runs.case(network, package), name)


def _scale(runs: Runs, package: str) -> Table:
    networks = runs.experiment.networks
    columns = [Column("network"), Column(""), *(Column(name, 3) for name in runs.labels)]
    rows: list[list[Cell]] = []
    for network in networks:
        told = proof(runs.of(runs.case(network, package), OPTIMUM))
        for name, what in RATIOS.items():
            rows.append([network, name, *_ratios(runs, network, package, what), told])
    for name, what in RATIOS.items():
        found = zip(*(_ratios(runs, network, package, what) for network in networks), strict=True)
        rows.append(["mean", name, *(mean(column) for column in found), ""])
    return Table([*columns, Column("proof")], rows)
