"""What a person reads after a benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chipweave.grid import Grid, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.ablation import Variant
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


STEPS_COLUMNS = ("steps", *GAP_COLUMNS)
WHOLE = "all four"
"""What the table calls the search with its own steps."""


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
    return [
        summary.method,
        number(len(summary.gaps)),
        *_gaps(summary),
        number(summary.mean_seconds, 3),
        number(summary.worst_seconds, 3),
        _remarks(summary, summary.missing),
    ]


def steps_rows(variants: Sequence[Variant]) -> Iterator[list[object]]:
    """A row for each variant and instance, in STEPS_COLUMNS."""
    for variant in variants:
        for row in gap_rows([variant.summary]):
            yield [variant.summary.steps, *row]


def steps_table(variants: Sequence[Variant]) -> Grid:
    """A line for each variant of Scope's search."""
    headings = (
        "steps",
        ">instances",
        ">no schedule",
        f">latency / {WHOLE}",
        ">mean gap",
        ">median",
        ">worst",
        "worst at",
        ">optimal",
        ">mean time (s)",
        "",
    )
    title = (
        f"scope with one of its four steps held back or replaced; latency / {WHOLE}: geometric mean"
        " over the instances on which both found a schedule"
    )
    return Grid(headings, [_steps_row(variant) for variant in variants], title)


def _steps_row(variant: Variant) -> list[str]:
    summary = variant.summary
    return [
        summary.steps or WHOLE,
        number(len(summary.gaps)),
        number(summary.unscheduled),
        number(variant.ratio, 4),
        *_gaps(summary),
        number(summary.mean_seconds, 3),
        _remarks(summary, summary.missing - summary.unscheduled),
    ]


def _gaps(summary: Summary) -> list[str]:
    """Mean, median and worst gap, the instance that is worst, and how many are optimal."""
    worst = summary.worst
    return [
        _at_most(summary.mean, summary.unproved > 0),
        _at_most(summary.median, summary.unproved > 0),
        _at_most(*_of(worst)),
        "" if worst is None else str(worst.case),
        number(summary.optimal),
    ]


def _of(worst: Gap | None) -> tuple[float | None, bool]:
    return (None, False) if worst is None else (worst.gap, not worst.proved)


def _at_most(gap: float | None, upper: bool) -> str:
    """A gap in percent; marked where it is only an upper bound."""
    if gap is None:
        return number(None)
    return f"{'≤ ' if upper else ''}{gap:.3%}"


def _remarks(summary: Summary, missing: int) -> str:
    remarks = []
    if summary.unproved:
        remarks.append(f"{summary.unproved} against a bound, for want of a proof")
    if missing:
        remarks.append(f"{missing} without a gap")
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
