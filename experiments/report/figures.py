"""What the figures show, for the page and for the SVG files alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from experiments.report.runs import Run

Kind = Literal["box", "points", "steps", "bars"]

REFERENCE = "segmented"
"""The method to whose throughput and energy the others are normalised."""

COLOURS = (
    "#4477AA",
    "#EE6677",
    "#228833",
    "#CCBB44",
    "#66CCEE",
    "#AA3377",
    "#997700",
    "#999999",
)
"""Of methods, told apart by colour-blind readers on light and dark: Paul Tol's 'bright'."""

WIDE = 5.0
"""An axis of ratios that reach farther than this is logarithmic."""

LEAST_GAP = 0.001
"""Percent: lower gaps are drawn here, because the axis is logarithmic."""


@dataclass(frozen=True)
class Axis:
    """Of a figure: what it says, and whether it is logarithmic."""

    title: str
    log: bool = False


@dataclass(frozen=True)
class Series:
    """Points of one method.

    Attributes:
        method: the name.
        x, y: of equal length.
        runs: the number of the run behind each point.
    """

    method: str
    x: tuple[float | str, ...]
    y: tuple[float, ...]
    runs: tuple[int, ...]


@dataclass(frozen=True)
class Panel:
    """One chart of a figure."""

    title: str
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Figure:
    """A figure: a chart, or several of which the page shows one at a time.

    Attributes:
        name: of the file.
        title, note: what it shows, and how to read it.
        kind: of the charts.
        x, y: axes.
        panels: charts; none if the store has nothing to show.
        missing: what the store lacks then.
    """

    name: str
    title: str
    note: str
    kind: Kind
    x: Axis
    y: Axis
    panels: tuple[Panel, ...]
    missing: str = "no run has a schedule"


def make_figures(runs: list[Run]) -> list[Figure]:
    """All figures of a report."""
    return [
        _profile(runs),
        _ratios(runs),
        _gaps(runs),
        _times(runs),
        *_normalised(runs),
    ]


def methods_of(runs: Iterable[Run]) -> list[str]:
    """The methods in the order in which the store has them."""
    return list(dict.fromkeys(run.method for run in runs))


def packages_of(runs: Iterable[Run]) -> list[str]:
    """The packages, small ones first."""
    sizes: dict[str, int] = {}
    for run in runs:
        sizes[run.package] = max(sizes.get(run.package, 0), run.shown.chiplets or 0)
    return sorted(sizes, key=lambda name: (sizes[name], name))


def _profile(runs: list[Run]) -> Figure:
    farthest = _farthest(runs)
    series = []
    for method, own in _by_method(runs):
        points = sorted((run.ratio, run.number) for run in own if run.ratio is not None)
        if points:
            ratios, numbers = zip(*points, strict=True)
            shares = [100 * (k + 1) / len(own) for k in range(len(points))]
            series.append(
                Series(
                    method,
                    (*ratios, farthest),
                    (*shares, shares[-1]),
                    (*numbers, numbers[-1]),
                )
            )
    return Figure(
        "profile",
        "How often a method is how near to the best known",
        "A point says what share of a method's runs have an objective of at most so many times the"
        " best known one of any run on the same instance with the same goal. Runs without a"
        " schedule count, so their lines end below 100 %.",
        "steps",
        _ratio_axis(runs),
        Axis("share of the method's runs (%)"),
        _one_panel(series),
    )


def _ratios(runs: list[Run]) -> Figure:
    series = []
    for method, own in _by_method(runs):
        points = [(run.ratio, run.number) for run in own if run.ratio is not None]
        if points:
            ratios, numbers = zip(*points, strict=True)
            series.append(Series(method, (method,) * len(points), ratios, numbers))
    return Figure(
        "ratio",
        "Objective over best known, by method",
        "Boxes reach from the first to the third quartile, with the median as a line; whiskers to"
        " the farthest run within one and a half box lengths; runs beyond are points.",
        "box",
        Axis("method"),
        _ratio_axis(runs),
        _one_panel(series),
    )


def _ratio_axis(runs: list[Run]) -> Axis:
    return Axis("objective / best known", log=_farthest(runs) > WIDE)


def _farthest(runs: list[Run]) -> float:
    return max((run.ratio for run in runs if run.ratio is not None), default=1.0)


def _gaps(runs: list[Run]) -> Figure:
    def gap(run: Run) -> float | None:
        return None if run.gap is None else max(100 * run.gap, LEAST_GAP)

    return Figure(
        "gap",
        "Gap against size",
        "(objective - bound) / objective, with the highest lower bound of any run on the same"
        f" instance with the same goal: where that is proved optimal, the true gap. Gaps below"
        f" {LEAST_GAP} % are drawn there.",
        "points",
        Axis("size: layers × chiplets", log=True),
        Axis("gap to the best bound (%)", log=True),
        _against_size(runs, gap),
        "no instance that could be rebuilt has a schedule and a lower bound",
    )


def _times(runs: list[Run]) -> Figure:
    return Figure(
        "time",
        "Run time against size",
        "Wall time of each run, as the run measured it.",
        "points",
        Axis("size: layers × chiplets", log=True),
        Axis("run time (s)", log=True),
        _against_size(runs, lambda run: run.record.runtime_s),
        "no instance could be rebuilt",
    )


def _against_size(runs: list[Run], measure: Callable[[Run], float | None]) -> tuple[Panel, ...]:
    series = []
    for method, own in _by_method(runs):
        points = [(run.size, measure(run), run.number) for run in own]
        known = [(x, y, number) for x, y, number in points if x is not None and y is not None]
        if known:
            sizes, values, numbers = zip(*known, strict=True)
            series.append(Series(method, sizes, values, numbers))
    return _one_panel(series)


def _one_panel(series: list[Series]) -> tuple[Panel, ...]:
    return (Panel("", tuple(series)),) if series else ()


def _by_method(runs: list[Run]) -> list[tuple[str, list[Run]]]:
    return [(name, [run for run in runs if run.method == name]) for name in methods_of(runs)]


def _normalised(runs: list[Run]) -> list[Figure]:
    """Throughput and energy beside those of the reference; a panel for each network."""
    chosen = _with_reference(runs)
    note = (
        f"Of each method's run with the highest throughput, on the packages where {REFERENCE} was"
        " run, too; packages by their number of chiplets."
    )
    missing = f"no run of {REFERENCE} has a schedule"
    methods = methods_of(runs)
    return [
        Figure(
            "throughput",
            f"Throughput normalised to {REFERENCE}",
            note + " Higher is better.",
            "bars",
            Axis("package"),
            Axis(f"throughput / throughput of {REFERENCE}"),
            _panels(chosen, methods, _speed),
            missing,
        ),
        Figure(
            "energy",
            f"Energy normalised to {REFERENCE}",
            note + " Lower is better.",
            "bars",
            Axis("package"),
            Axis(f"energy / energy of {REFERENCE}"),
            _panels(chosen, methods, _energy),
            missing,
        ),
    ]


Pair = tuple[Run, Run]
"""A run, and the reference's on the same instance with the same goal."""


def _with_reference(runs: list[Run]) -> list[Pair]:
    """The fastest run of each method on each instance, if the reference was run there."""
    fastest: dict[tuple[str, str, str], Run] = {}
    for run in runs:
        other = fastest.setdefault((*run.case, run.method), run)
        if run.record.latency and (
            not other.record.latency or run.record.latency < other.record.latency
        ):
            fastest[(*run.case, run.method)] = run
    pairs = [
        (run, fastest.get((*run.case, REFERENCE))) for run in fastest.values() if run.record.latency
    ]
    return [(run, base) for run, base in pairs if base is not None and base.record.latency]


def _speed(run: Run, base: Run) -> float | None:
    return (
        base.record.latency / run.record.latency
        if run.record.latency and base.record.latency
        else None
    )


def _energy(run: Run, base: Run) -> float | None:
    return (
        run.record.energy / base.record.energy if run.record.energy and base.record.energy else None
    )


def _panels(
    pairs: list[Pair], methods: list[str], value: Callable[[Run, Run], float | None]
) -> tuple[Panel, ...]:
    goals = {run.goal for run, _ in pairs}

    def title(pair: Pair) -> str:
        run = pair[0]
        goal = f", {run.goal}" if len(goals) > 1 else ""
        return f"{run.network}, batch {run.record.task.batch}{goal}"

    panels = []
    for name, own in groupby(sorted(pairs, key=lambda pair: (title(pair), _rank(pair))), title):
        panel = _bars(list(own), methods, value)
        if panel:
            panels.append(Panel(name, panel))
    return tuple(panels)


def _rank(pair: Pair) -> tuple[int, str]:
    run = pair[0]
    return run.shown.chiplets or 0, run.package


def _bars(
    pairs: list[Pair], methods: list[str], value: Callable[[Run, Run], float | None]
) -> tuple[Series, ...]:
    series = []
    for method in methods:
        points = [
            (run.package, value(run, base), run.number)
            for run, base in pairs
            if run.method == method
        ]
        known = [(x, y, number) for x, y, number in points if y is not None]
        if known:
            packages, values, numbers = zip(*known, strict=True)
            series.append(Series(method, packages, values, numbers))
    return tuple(series)
