"""What a person reads after a benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chipweave.grid import Grid, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.bars import Measure, Unit
    from experiments.gap import Gap, Summary

GAP_COLUMNS = (
    "network",
    "package",
    "batch",
    "method",
    "objective",
    "reference",
    "proved",
    "gap",
    "runtime_s",
    "error",
)


def gap_rows(summaries: Sequence[Summary]) -> Iterator[list[object]]:
    """A row for each instance and method, in GAP_COLUMNS."""
    for summary in summaries:
        for gap in summary.gaps:
            data = gap.to_data()
            yield [data[column] for column in GAP_COLUMNS]


def gap_table(summaries: Sequence[Summary]) -> Grid:
    """A line for each method."""
    headings = (
        "method",
        ">instances",
        ">mean gap",
        ">median",
        ">worst",
        "worst at",
        ">optimal",
        ">mean time (s)",
        ">longest (s)",
        "",
    )
    title = "gap to the proved optimum: (objective - optimum) / objective"
    return Grid(headings, [_gap_row(summary) for summary in summaries], title)


def _gap_row(summary: Summary) -> list[str]:
    worst = summary.worst
    return [
        summary.method,
        number(len(summary.gaps)),
        _at_most(summary.mean, summary.unproved > 0),
        _at_most(summary.median, summary.unproved > 0),
        _at_most(*_of(worst)),
        "" if worst is None else str(worst.case),
        number(summary.optimal),
        number(summary.mean_seconds, 3),
        number(summary.worst_seconds, 3),
        _remarks(summary),
    ]


def _of(worst: Gap | None) -> tuple[float | None, bool]:
    return (None, False) if worst is None else (worst.gap, not worst.proved)


def _at_most(gap: float | None, upper: bool) -> str:
    """A gap in percent; marked where it is only an upper bound."""
    if gap is None:
        return number(None)
    return f"{'≤ ' if upper else ''}{gap:.3%}"


def _remarks(summary: Summary) -> str:
    remarks = []
    if summary.unproved:
        remarks.append(f"{summary.unproved} against a bound, for want of a proof")
    if summary.missing:
        remarks.append(f"{summary.missing} without a gap")
    return ", ".join(remarks)


def measure_table(measures: Sequence[Measure]) -> Grid:
    """A line for each measure that has a bar."""
    headings = ("measure", ">value", ">bar", "holds", "")
    words = {True: "yes", False: "no", None: "–"}
    rows = [
        (
            measure.name,
            _value(measure.value, measure.unit),
            _value(measure.bar, measure.unit),
            words[measure.holds],
            measure.note,
        )
        for measure in measures
    ]
    return Grid(headings, rows)


def _value(value: float | None, unit: Unit) -> str:
    if value is None or unit == "":
        return number(value, 3)
    if unit == "share":
        return f"{value:.3%}"
    return f"{value:.3g} s" if unit == "s" else f"{value / 1e6:,.0f} MB"
