"""Large language models: prefill and decode."""

from __future__ import annotations

from experiments.cases import Case
from experiments.tables.batch import facts
from experiments.tables.comparison import OPTIMUM, REFERENCE, proof, throughput
from experiments.tables.parts import Cell, Column, Figure, Heading, Panel, Part, Table
from experiments.tables.runs import Runs, chiplets
from instances.files.names import split
from instances.networks import NETWORKS

ABOUT = f"""A sample of prefill is a whole prompt; one of decode is the last token of a context of
that length, with the keys and values of those before it from DRAM. Tokens a second and energy a
token are those of `{OPTIMUM}`; the methods' throughput is over that of `{REFERENCE}`. The bound of
the weights is the rate at which DRAM could bring all weights for each batch if nothing else took
time."""


def tokens(network: str) -> int:
    """Of a sample: the prompt in prefill, one in decode."""
    base, changes = split(network)
    length = changes.get("sequence", NETWORKS[base].sequence or 1)
    return 1 if base.endswith("-decode") else int(length)


def llm(runs: Runs) -> list[Part]:
    """A figure of tokens a second, and a table for each network."""
    parts: list[Part] = [ABOUT, _figure(runs)]
    for network in runs.experiment.networks:
        parts += [Heading(f"{network}, {_what(network)}"), _table(runs, network)]
    return parts


def _what(network: str) -> str:
    many = tokens(network)
    return "a token a sample" if many == 1 else f"{many:,} tokens a sample"


def _rate(runs: Runs, case: Case, name: str) -> float | None:
    """Tokens a second."""
    rate = runs.of(case, name).samples_per_second
    return None if rate is None else rate * tokens(case.network)


def _figure(runs: Runs) -> Figure:
    batches = sorted(runs.experiment.batches)
    panels = []
    for network in runs.experiment.networks:
        for package in runs.experiment.packages:
            cases = [runs.case(network, package, batch) for batch in batches]
            series = {name: [_rate(runs, case, name) for case in cases] for name in runs.labels}
            panels.append(Panel(f"{network}, {package}", batches, series))
    caption = "Tokens a second by batch"
    return Figure("tokens", caption, panels, "batch", "tokens/s", log_x=True, log_y=True)


def _table(runs: Runs, network: str) -> Table:
    columns = [
        Column("package"),
        Column("chiplets", 0),
        Column("batch", 0),
        *(Column(name, 3) for name in runs.labels),
        Column("tokens/s", 1),
        Column("bound of the weights", 1),
        Column("energy (mJ/token)", 3),
        Column("segments", 0),
        Column("clusters", 0),
        Column("proof"),
    ]
    rows: list[list[Cell]] = []
    for package in runs.experiment.packages:
        for batch in sorted(runs.experiment.batches):
            case = runs.case(network, package, batch)
            best, classic = runs.of(case, OPTIMUM), runs.of(case, REFERENCE)
            shares = [throughput(runs.of(case, name), classic) for name in runs.labels]
            _, energy, segments, clusters = facts(best)
            each = None if energy is None else float(energy) / tokens(network)
            rate = _rate(runs, case, OPTIMUM)
            row = [*shares, rate, _bound(case), each, segments, clusters, proof(best)]
            rows.append([package, chiplets(package), batch, *row])
    return Table(columns, rows)


def _bound(case: Case) -> float | None:
    """Tokens a second if only the weights took time."""
    instance = case.instance()
    load = sum(instance.costs.segment(0, len(instance.layers) - 1).load)
    assert instance.package is not None
    clock = instance.package.chiplet.clock_hz
    return case.batch * tokens(case.network) * clock / load if load else None
