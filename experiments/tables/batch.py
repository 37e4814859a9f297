"""What the batch changes: how much of the time loads and bubbles take."""

from __future__ import annotations

from experiments.tables.comparison import proof
from experiments.tables.parts import Cell, Column, Figure, Heading, Panel, Part, Table
from experiments.tables.runs import Run, Runs, ratio

OPTIMUM = "exact"

ABOUT = f"""Throughput is over that of `{OPTIMUM}` with the largest batch. Weights come from DRAM
once a batch and pipelines fill and drain once a batch, so a larger one has less of both a sample.
Segments and clusters are those of the schedule of `{OPTIMUM}`, energy is that of a sample."""


def batch(runs: Runs) -> list[Part]:
    """A figure of all instances, and a table for each package."""
    parts: list[Part] = [ABOUT, _figure(runs)]
    for package in runs.experiment.packages:
        parts += [Heading(package), _table(runs, package)]
    return parts


def _throughputs(runs: Runs, network: str, package: str, name: str) -> list[float | None]:
    """By batch, over that of the optimum with the largest one."""
    batches = runs.experiment.batches
    best = runs.of(runs.case(network, package, max(batches)), OPTIMUM).samples_per_second
    found = (runs.of(runs.case(network, package, batch), name) for batch in sorted(batches))
    return [ratio(run.samples_per_second, best) for run in found]


def _figure(runs: Runs) -> Figure:
    panels = [
        Panel(
            f"{network}, {package}",
            sorted(runs.experiment.batches),
            {name: _throughputs(runs, network, package, name) for name in runs.labels},
        )
        for network in runs.experiment.networks
        for package in runs.experiment.packages
    ]
    y_title = f"throughput / {OPTIMUM}, largest batch"
    return Figure("throughput", "Throughput by batch", panels, "batch", y_title, log_x=True)


def _table(runs: Runs, package: str) -> Table:
    columns = [
        Column("network"),
        Column("batch", 0),
        *(Column(name, 3) for name in runs.labels),
        Column("samples/s", 0),
        Column("energy (mJ)", 3),
        Column("segments", 0),
        Column("clusters", 0),
        Column("proof"),
    ]
    rows: list[list[Cell]] = []
    for network in runs.experiment.networks:
        by_name = [_throughputs(runs, network, package, name) for name in runs.labels]
        for k, batch in enumerate(sorted(runs.experiment.batches)):
            best = runs.of(runs.case(network, package, batch), OPTIMUM)
            shares = [shares[k] for shares in by_name]
            rows.append([network, batch, *shares, *facts(best), proof(best)])
    return Table(columns, rows)


def facts(run: Run) -> list[Cell]:
    """Samples a second, millijoules a sample, segments and clusters of a schedule."""
    if run.latency is None or run.energy is None:
        return [None] * 4
    parts = run.result["schedule"]["segments"]
    clusters = sum(len(segment["clusters"]) for segment in parts)
    energy = run.energy / run.case.batch / 1e9
    return [run.samples_per_second, energy, len(parts), clusters]
