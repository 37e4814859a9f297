"""What a person reads after a run: summaries and tables, made of results."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from chipweave.grid import Grid, number, percent, scaled

if TYPE_CHECKING:
    from experiments.compare import Comparison, Row
    from instances.instance import Instance
    from schedules.evaluate import ClusterCost, Evaluation, SegmentCost
    from schedules.schedule import Cluster, Schedule, Segment
    from solvers.result import Result


def about(instance: Instance) -> dict[str, Any]:
    """What a result's JSON says about its instance."""
    return {
        "batch": instance.batch,
        "network": None if instance.network is None else instance.network.name,
        "package": None if instance.package is None else instance.package.name,
        "clock_hz": None if instance.package is None else instance.package.chiplet.clock_hz,
    }


def result_summary(instance: Instance, result: Result) -> Grid:
    """How a run ended, and what the schedule costs."""
    rows = [
        ("instance", f"{result.instance}, batch {instance.batch}"),
        ("method", result.method),
        ("stop", result.stop),
        ("objective", number(result.objective, 0, " cycles")),
        ("bound", number(result.bound, 0, " cycles")),
        ("gap", percent(result.gap)),
        *_costs(instance, result.evaluation),
        ("runtime", f"{result.runtime_s:.3f} s"),
    ]
    return Grid(("", ""), rows)


def evaluation_summary(instance: Instance, evaluation: Evaluation) -> Grid:
    """What a schedule costs."""
    rows = [
        ("instance", f"{instance.name}, batch {instance.batch}"),
        ("objective", number(evaluation.latency, 0, " cycles")),
        *_costs(instance, evaluation),
    ]
    return Grid(("", ""), rows)


def _costs(instance: Instance, evaluation: Evaluation | None) -> list[tuple[str, str]]:
    if evaluation is None:
        return []
    throughput = f"{evaluation.throughput:.4g} samples/cycle"
    rows = []
    if instance.package is not None:
        clock = instance.package.chiplet.clock_hz
        throughput += f" ({evaluation.throughput * clock:,.6g} samples/s)"
        rows = [("latency", scaled(evaluation.latency / clock, "s"))]
    rows.append(("throughput", throughput))
    if evaluation.energy:
        rows.append(("energy", scaled(evaluation.energy * 1e-12, "J")))
    rows.append(("utilisation", percent(evaluation.utilisation)))
    return rows


def schedule_table(instance: Instance, schedule: Schedule, evaluation: Evaluation) -> Grid:
    """A line for each segment and for each cluster; one for both where they are the same."""
    headings = (
        "part",
        "layers",
        ">chiplets",
        "options",
        ">time",
        ">beat",
        ">memory",
        ">load",
        ">compute",
        ">exchange",
        ">DRAM",
    )
    rows: list[tuple[str, ...]] = []
    for s, (segment, cost) in enumerate(zip(schedule.segments, evaluation.segments, strict=True)):
        whole = _segment_row(instance, s, segment, cost)
        parts = [
            _cluster_row(instance, k, cluster, part, segment.tiled)
            for k, (cluster, part) in enumerate(zip(segment.clusters, cost.clusters, strict=True))
        ]
        if len(parts) == 1:
            rows.append(tuple(cell or part for cell, part in zip(whole, parts[0], strict=True)))
        else:
            rows += [whole, *parts]
    return Grid(headings, rows, "time in cycles, memory in bytes a chiplet")


def _segment_row(
    instance: Instance, index: int, segment: Segment, cost: SegmentCost
) -> tuple[str, ...]:
    chiplets = sum(cluster.chiplets for cluster in segment.clusters)
    return (
        f"segment {index}",
        _layers(instance, segment.first, segment.last),
        str(chiplets),
        "tiled" if segment.tiled else "",
        number(cost.time),
        number(cost.beat),
        "",
        number(cost.load),
        "",
        "",
        "" if segment.tiled else number(cost.dram),
    )


def _cluster_row(
    instance: Instance, index: int, cluster: Cluster, cost: ClusterCost, tiled: bool
) -> tuple[str, ...]:
    return (
        f"  cluster {index}",
        _layers(instance, cluster.first, cluster.last),
        str(cluster.chiplets),
        "" if tiled else _options(cluster.options),
        number(cost.time),
        "",
        "" if tiled else number(cost.memory),
        "",
        "" if tiled else number(cost.compute),
        "" if tiled else number(cost.exchange),
        "",
    )


def _layers(instance: Instance, first: int, last: int) -> str:
    names = instance.tables.layers
    if first == last:
        return f"{first} {names[first]}"
    return f"{first}–{last} {names[first]} … {names[last]}"


def _options(options: tuple[str, ...]) -> str:
    """'WSP x3, ISP' for three layers of the one and a last of the other."""
    runs = ((name, len(list(run))) for name, run in groupby(options))
    return ", ".join(name if count == 1 else f"{name} x{count}" for name, count in runs)


def comparison_table(comparison: Comparison) -> Grid:
    """A line for each method."""
    headings = [
        "method",
        ">objective (cycles)",
        ">ratio to best",
        ">ratio to segmented",
        ">bound",
        ">gap",
        ">time (s)",
        "stop",
    ]
    instance = comparison.instance
    title = f"{instance.name}, batch {instance.batch}"
    has_baseline = any(comparison.to_baseline(row) is not None for row in comparison.rows)
    if not has_baseline:
        headings.remove(">ratio to segmented")
    return Grid(headings, [_row(comparison, row, has_baseline) for row in comparison.rows], title)


def _row(comparison: Comparison, row: Row, has_baseline: bool) -> list[str]:
    result = row.result
    cells = [row.method, number(row.objective), number(comparison.to_best(row), 4)]
    if has_baseline:
        cells.append(number(comparison.to_baseline(row), 4))
    if result is None:
        return [*cells, number(None), number(None), number(None), row.reason or ""]
    time = number(result.runtime_s, 2)
    return [*cells, number(result.bound), percent(result.gap), time, result.stop]
