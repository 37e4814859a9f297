"""What the bandwidths of NoP and DRAM and the size of buffers change."""

from __future__ import annotations

from typing import Any

from experiments.tables.comparison import proof
from experiments.tables.parts import Cell, Column, Figure, Heading, Panel, Part, Table
from experiments.tables.runs import Runs, ratio
from instances.files.names import package_of, split
from instances.files.package_file import package_to_data

OPTIMUM = "exact"

ABOUT = f"""One value of the package changes at a time. Throughput is over that of `{OPTIMUM}` on
the package as it is, so a line at 1 feels nothing of the change."""


def sensitivity(runs: Runs) -> list[Part]:
    """A figure for each network, and a table for each value that changes."""
    parts: list[Part] = [ABOUT]
    parts += [_figure(runs, network) for network in runs.experiment.networks]
    for path in _paths(runs):
        parts += [Heading(path), _table(runs, path)]
    return parts


def _base(runs: Runs) -> str:
    """The package as it is: the first without a change."""
    names = runs.experiment.packages
    return next((name for name in names if not split(name)[1]), split(names[0])[0])


def _paths(runs: Runs) -> list[str]:
    """Paths of the values that change, in the order of the file."""
    found = [path for package in runs.experiment.packages for path in split(package)[1]]
    return list(dict.fromkeys(found))


def _value(package: str, path: str) -> float:
    """The value at a path of a package's file."""
    place: Any = package_to_data(package_of(package))
    for key in path.split("."):
        place = place[key]
    return float(place)


def variants(runs: Runs, path: str) -> list[tuple[float, str]]:
    """(value over that of the package as it is, package) for each change of a value, ascending."""
    base = _base(runs)
    changed = [name for name in runs.experiment.packages if set(split(name)[1]) == {path}]
    return sorted((_value(name, path) / _value(base, path), name) for name in [*changed, base])


def _throughput(runs: Runs, network: str, package: str, name: str) -> float | None:
    """Over that of the optimum on the package as it is."""
    reference = runs.of(runs.case(network, _base(runs)), OPTIMUM).latency
    return ratio(reference, runs.of(runs.case(network, package), name).latency)


def _figure(runs: Runs, network: str) -> Figure:
    panels = []
    for path in _paths(runs):
        found = variants(runs, path)
        series = {
            name: [_throughput(runs, network, package, name) for _, package in found]
            for name in runs.labels
        }
        panels.append(Panel(path, [factor for factor, _ in found], series))
    caption = f"Throughput of {network} by the factor to which a value of {_base(runs)} changes"
    y_title = f"throughput / {OPTIMUM} as it is"
    return Figure(network, caption, panels, "factor", y_title, log_x=True)


def _table(runs: Runs, path: str) -> Table:
    columns = [
        Column("network"),
        Column("value", 0),
        Column("factor", 2),
        *(Column(name, 3) for name in runs.labels),
        Column("energy (mJ)", 2),
        Column("proof"),
    ]
    rows: list[list[Cell]] = []
    for network in runs.experiment.networks:
        for factor, package in variants(runs, path):
            best = runs.of(runs.case(network, package), OPTIMUM)
            found = [_throughput(runs, network, package, name) for name in runs.labels]
            energy = None if best.energy is None else best.energy / 1e9
            rows.append([network, _value(package, path), factor, *found, energy, proof(best)])
    return Table(columns, rows)
