"""Segments against clusters: how beat, bubbles and DRAM traffic trade off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from experiments.cases import Case
from experiments.tables.parts import Cell, Column, Figure, Heading, Panel, Part, Table
from experiments.tables.runs import Run, Runs
from instances.cost.dram import traffic
from instances.cost.model import AnalyticCosts
from instances.instance import Instance
from schedules.evaluate import evaluate
from schedules.schedule import Schedule

ABOUT = """A batch of m samples takes, over all segments, its loads (the weights from DRAM), m times
the sum of the beats, and the bubbles: K - 1 more beats for a segment of K clusters, while its
pipeline fills and drains. With fewer segments fewer tensors go through DRAM between them, but
pipelines are deeper, bubbles longer, and chiplets are divided among more layers at a time. Merging
layers into clusters shortens the pipelines again. `exact, segments n` is the best schedule with at
most n segments; the DRAM traffic is that of a batch, with weights, where the inputs of a tiled
layer are counted once though they come once a tile. Idle is the share of chiplet-cycles in which no
stage works on the chiplet."""

OPTIMUM = "exact"


@dataclass(frozen=True)
class Split:
    """Where the time of a schedule goes.

    Attributes:
        segments, clusters: how many; a tiled layer is a segment of one cluster.
        beats: cycles, m times the sum of the segments' beats.
        bubbles: cycles in which pipelines fill and drain.
        loads: cycles that bring weights.
        idle: share of chiplet-cycles in which no stage works there.
        dram: bytes of a batch.
    """

    segments: int
    clusters: int
    beats: int
    bubbles: int
    loads: int
    idle: float
    dram: int

    @property
    def latency(self) -> int:
        """Cycles of a batch."""
        return self.beats + self.bubbles + self.loads


Measure = Callable[[Case, Split], float | None]


def split(instance: Instance, schedule: Schedule) -> Split:
    """Take the latency of a schedule apart."""
    found = evaluate(instance, schedule)
    return Split(
        segments=len(schedule.segments),
        clusters=sum(len(segment.clusters) for segment in schedule.segments),
        beats=sum(instance.batch * cost.beat for cost in found.segments),
        bubbles=sum((cost.beats - instance.batch) * cost.beat for cost in found.segments),
        loads=sum(cost.load for cost in found.segments),
        idle=1 - found.utilisation,
        dram=_dram(instance, schedule),
    )


def _dram(instance: Instance, schedule: Schedule) -> int:
    """Bytes of a batch: all weights once, and what enters and leaves each segment."""
    costs, network, package = instance.costs, instance.network, instance.package
    assert isinstance(costs, AnalyticCosts)
    assert network is not None
    assert package is not None
    weights = sum(layer.weights for layer in network.layers) * package.element_bytes
    moved = sum(
        int(traffic(costs.facts, segment.first, segment.last)) for segment in schedule.segments
    )
    return weights + instance.batch * moved


def segments(runs: Runs) -> list[Part]:
    """Three figures, and a table for each instance."""
    cases = [
        runs.case(network, package)
        for network in runs.experiment.networks
        for package in runs.experiment.packages
    ]
    splits = {case: _splits(runs, case) for case in cases}
    parts: list[Part] = [ABOUT, *_figures(runs, splits)]
    for case in cases:
        parts += [Heading(f"{case.network} on {case.package}"), _table(runs, case, splits[case])]
    return parts


def _splits(runs: Runs, case: Case) -> dict[str, Split]:
    """Of all methods with a schedule."""
    instance = case.instance()
    return {
        name: split(instance, schedule)
        for name in runs.labels
        if (schedule := runs.of(case, name).schedule) is not None
    }


def _table(runs: Runs, case: Case, splits: Mapping[str, Split]) -> Table:
    columns = [
        Column("method"),
        Column("segments", 0),
        Column("clusters", 0),
        Column("cycles", 0),
        Column("beats", 1, percent=True),
        Column("bubbles", 1, percent=True),
        Column("loads", 1, percent=True),
        Column("idle", 1, percent=True),
        Column("DRAM (MB)", 1),
        Column("energy (mJ)", 2),
    ]
    return Table(columns, [_row(runs.of(case, name), splits.get(name)) for name in runs.labels])


def _row(run: Run, own: Split | None) -> list[Cell]:
    if own is None or run.energy is None:
        return [run.label, *[None] * 9]
    times = (own.beats, own.bubbles, own.loads)
    return [
        run.label,
        own.segments,
        own.clusters,
        own.latency,
        *(cycles / own.latency for cycles in times),
        own.idle,
        own.dram / 1e6,
        run.energy / 1e9,
    ]


def _limits(runs: Runs) -> dict[str, int]:
    """The methods with a limit on segments, and the limit."""
    words = f"{OPTIMUM}, segments "
    return {name: int(name.removeprefix(words)) for name in runs.labels if name.startswith(words)}


def _figures(runs: Runs, splits: Mapping[Case, Mapping[str, Split]]) -> list[Part]:
    """By the most segments: time over that without a limit, share of bubbles, DRAM traffic."""
    shortest = {case: own[OPTIMUM].latency for case, own in splits.items() if OPTIMUM in own}
    whats: list[tuple[str, str, Measure]] = [
        ("latency", "cycles / without limit", lambda case, own: _over(own, shortest.get(case))),
        ("bubbles", "bubbles, % of cycles", lambda _, own: 100 * own.bubbles / own.latency),
        ("traffic", "DRAM traffic (MB a batch)", lambda _, own: own.dram / 1e6),
    ]
    return [_figure(runs, splits, *what) for what in whats]


def _over(own: Split, shortest: int | None) -> float | None:
    return None if shortest is None else own.latency / shortest


def _figure(
    runs: Runs,
    splits: Mapping[Case, Mapping[str, Split]],
    name: str,
    y_title: str,
    what: Measure,
) -> Figure:
    limits = _limits(runs)
    panels = []
    for network in runs.experiment.networks:
        series = {
            case.package: [what(case, own[label]) if label in own else None for label in limits]
            for case, own in splits.items()
            if case.network == network
        }
        panels.append(Panel(network, list(limits.values()), series))
    caption = f"{name.capitalize()} of the best schedule, by the most segments it may have"
    return Figure(name, caption, panels, "most segments", y_title, log_x=True)
