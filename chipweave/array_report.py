"""What a person reads about a schedule on an array: summaries and a table of segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chipweave.grid import Grid, number, percent, scaled, shortened
from chipweave.report import end_rows
from schedules.array.labels import layers_label, limit_label, tiles_label

if TYPE_CHECKING:
    from instances.cost.array import ArrayCosts
    from schedules.array.evaluate import ArrayEvaluation, SegmentEvaluation
    from solvers.array import ArrayResult

MOST_BLOCKS = 6
"""Sizes of blocks that are told one by one."""


def result_summary(costs: ArrayCosts, result: ArrayResult) -> Grid:
    """How a run ended, and what the schedule costs."""
    rows = [
        *_about(costs),
        ("method", ", ".join(filter(None, (result.method, result.engine)))),
        *end_rows(result, "cycles", _costs(costs, result.evaluation)),
    ]
    return Grid(("", ""), rows)


def evaluation_summary(costs: ArrayCosts, evaluation: ArrayEvaluation) -> Grid:
    """What a schedule costs."""
    return Grid(("", ""), [*_about(costs), *_costs(costs, evaluation)])


def _about(costs: ArrayCosts) -> list[tuple[str, str]]:
    array = costs.array
    columns, rows = array.mesh
    links = f", express links of length {array.express}" if array.express else ""
    return [
        ("network", f"{costs.network.name}, batch {costs.batch}"),
        ("array", f"{array.name}: {columns} x {rows} PEs{links}"),
    ]


def _costs(costs: ArrayCosts, found: ArrayEvaluation | None) -> list[tuple[str, str]]:
    if found is None:
        return []
    clock = costs.array.clock_hz
    time, energy = scaled(found.latency / clock, "s"), scaled(found.energy * 1e-12, "J")
    return [
        ("latency", f"{found.latency:,} cycles ({time})"),
        ("throughput", f"{costs.batch * clock / found.latency:,.6g} samples/s"),
        ("energy", f"{found.energy:,} pJ ({energy})"),
    ]


def segments_table(costs: ArrayCosts, evaluation: ArrayEvaluation) -> Grid:
    """A line for each segment."""
    headings = (
        "segment",
        "layers",
        ">depth",
        "organisation",
        "tiles",
        "PEs a layer",
        ">beat",
        "limited by",
        ">cycles",
        ">share",
    )
    rows: list[tuple[str, ...]] = [
        (
            str(k),
            layers_label(costs.network, own.segment.first, own.segment.last),
            str(own.segment.depth),
            _organisation(own),
            tiles_label(own.segment),
            _blocks(own),
            number(own.beat.cycles),
            limit_label(costs.network, own),
            number(own.cycles),
            percent(own.cycles / evaluation.latency),
        )
        for k, own in enumerate(evaluation.segments)
    ]
    return Grid(headings, shortened(rows), "beats in cycles; PEs of a block x blocks of the layer")


def _organisation(own: SegmentEvaluation) -> str:
    express = ", express" if any(own.segment.layout.express) else ""
    return own.segment.organisation + express


def _blocks(own: SegmentEvaluation) -> str:
    """PEs of each layer's block, and how many blocks each layer has."""
    layout = own.segment.layout
    pes = layout.pes(own.segment.depth)
    sizes = f"{min(pes)} to {max(pes)}" if len(pes) > MOST_BLOCKS else " ".join(map(str, pes))
    return sizes if layout.cells == 1 else f"({sizes}) x {layout.cells}"
