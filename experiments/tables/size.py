"""Gap and run time against the number of layers and of chiplets."""

from __future__ import annotations

from collections.abc import Callable

from experiments.cases import Case
from experiments.tables.parts import Cell, Column, Figure, Heading, Panel, Part, Table
from experiments.tables.runs import Run, Runs, chiplets, ratio
from instances.files.names import network_of

OPTIMUM = "exact"

ABOUT = """The gap is (objective - optimum) / objective, where `exact` has proved the optimum; where
it has not, the highest lower bound of all runs on the instance takes its place, and the true gap is
smaller. Run times are those of one core, without the loading of kernels."""


def size(runs: Runs) -> list[Part]:
    """Two figures, and a table for each package."""
    parts: list[Part] = [
        ABOUT,
        _figure(runs, "gap", "gap (%)", lambda run: _percent(gap(runs, run))),
        _figure(runs, "time", "run time (s)", lambda run: run.seconds),
    ]
    for package in runs.experiment.packages:
        parts += [Heading(f"{chiplets(package)} chiplets ({package})"), _table(runs, package)]
    return parts


def reference(runs: Runs, case: Case) -> tuple[float | None, bool]:
    """The optimum or the highest lower bound on it, and whether it is the optimum."""
    best = runs.of(case, OPTIMUM)
    if best.proved:
        return best.latency, True
    bounds = [runs.of(case, name).result.get("bound") for name in runs.labels]
    return max((bound for bound in bounds if bound is not None), default=None), False


def gap(runs: Runs, run: Run) -> float | None:
    """Of a run to the reference; None without a schedule or a reference."""
    known, _ = reference(runs, run.case)
    share = ratio(known, run.latency)
    return None if share is None else 1 - share


def _percent(share: float | None) -> float | None:
    """For a logarithmic axis: what is optimal is not shown."""
    return None if not share else 100 * share


def layers(network: str) -> int:
    """L of a network."""
    return len(network_of(network).layers)


def _networks(runs: Runs) -> list[str]:
    return sorted(runs.experiment.networks, key=layers)


def _figure(runs: Runs, name: str, y_title: str, what: Callable[[Run], float | None]) -> Figure:
    networks = _networks(runs)
    sizes = [layers(network) for network in networks]
    panels = []
    for package in runs.experiment.packages:
        cases = [runs.case(network, package) for network in networks]
        series = {label: [what(runs.of(case, label)) for case in cases] for label in runs.labels}
        panels.append(Panel(f"{chiplets(package)} chiplets", sizes, series))
    caption = f"{name.capitalize()} by layers"
    if name == "gap":
        caption += "; what is optimal has no place on the axis"
    return Figure(name, caption, panels, "layers", y_title, log_x=True, log_y=True)


def _table(runs: Runs, package: str) -> Table:
    columns = [Column("network"), Column("layers", 0), Column("reference", 0), Column("")]
    for name in runs.labels:
        columns += [Column(f"{name}, gap", 2, percent=True), Column("s", 2)]
    rows: list[list[Cell]] = []
    for network in _networks(runs):
        case = runs.case(network, package)
        known, proved = reference(runs, case)
        row: list[Cell] = [network, layers(network), known, "optimum" if proved else "bound"]
        for name in runs.labels:
            run = runs.of(case, name)
            row += [gap(runs, run), run.seconds]
        rows.append(row)
    return Table(columns, rows)
