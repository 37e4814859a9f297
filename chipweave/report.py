"""What a person reads after a run: summaries and tables, made of results."""

from __future__ import annotations

from decimal import Context, Decimal
from itertools import groupby
from math import floor
from typing import TYPE_CHECKING, Any

from chipweave.compression_report import compression_rows
from chipweave.grid import Grid, number, percent, scaled, shortened
from instances.compression import MILLION
from schedules.goal import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from experiments.compare import Comparison, Row
    from experiments.pareto import Front
    from experiments.strength import Strength
    from instances.instance import Instance
    from schedules.compressed import Compressed
    from schedules.evaluate import ClusterCost, Evaluation, SegmentCost
    from schedules.goal import Goal
    from schedules.schedule import Cluster, Schedule, Segment
    from solvers.array import ArrayResult
    from solvers.multi_model import WindowResult
    from solvers.ranking import Rank, Space
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
        ("method", ", ".join(filter(None, (result.method, result.formulation, result.engine)))),
    ]
    if result.steps is not None:
        rows.append(("steps", result.steps.text))
    costs = _costs(instance, result.goal, result.evaluation)
    costs += compression_rows(result.compressed)
    return Grid(("", ""), [*rows, *end_rows(result, result.unit, costs)])


def end_rows(
    result: Result | WindowResult | ArrayResult, unit: str, costs: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """How a run ended, what the schedule costs, and what it took to find it.

    Args:
        result: of a run.
        unit: of its objective.
        costs: rows of the schedule's costs.
    """
    rows = [
        ("stop", result.stop),
        ("objective", number(result.objective, 0, f" {unit}")),
        ("bound", number(result.bound, 0, f" {unit}")),
        ("gap", percent(result.gap)),
        *costs,
        ("runtime", f"{result.runtime_s:.3f} s"),
    ]
    if result.counts:
        counts = (f"{what} {count:,}" for what, count in result.counts.items())
        rows.append(("counted", ", ".join(counts)))
    return rows


def evaluation_summary(
    instance: Instance, goal: Goal, evaluation: Evaluation, given: Compressed | None
) -> Grid:
    """What a schedule costs.

    Args:
        given: what it compresses.
    """
    rows = [
        ("instance", f"{instance.name}, batch {instance.batch}"),
        ("objective", number(goal.value(evaluation), 0, f" {UNITS[goal.objective]}")),
        *_costs(instance, goal, evaluation),
        *compression_rows(given),
    ]
    return Grid(("", ""), rows)


def _costs(instance: Instance, goal: Goal, evaluation: Evaluation | None) -> list[tuple[str, str]]:
    if evaluation is None:
        return []
    latency = number(evaluation.latency, 0, " cycles")
    throughput = f"{evaluation.throughput:.4g} samples/cycle"
    product = evaluation.edp * 1e-12
    product_unit = "J cycles"
    if instance.package is not None:
        clock = instance.package.chiplet.clock_hz
        latency += f" ({scaled(evaluation.latency / clock, 's')})"
        throughput += f" ({evaluation.throughput * clock:,.6g} samples/s)"
        product, product_unit = product / clock, "J s"
    rows = [("latency", latency), ("throughput", throughput)]
    if evaluation.energy or goal.needs_energy:
        energy = scaled(evaluation.energy * 1e-12, "J")
        rows.append(("energy", f"{evaluation.energy:,} pJ ({energy})"))
        rows.append(("energy-delay product", f"{product:.6g} {product_unit}"))
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
    return Grid(headings, shortened(rows), "time in cycles, memory in bytes a chiplet")


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
    names = instance.layers
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
        f">objective ({UNITS[comparison.goal.objective]})",
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
    rows = [_row(comparison, row, has_baseline) for row in comparison.rows]
    if instance.compression is not None:
        headings.append(">loss")
        rows = [[*cells, _loss(row)] for cells, row in zip(rows, comparison.rows, strict=True)]
        title += f", losses of at most {instance.compression.budget / MILLION:g}"
    return Grid(headings, rows, title)


def _loss(row: Row) -> str:
    lost = None if row.result is None else row.result.compressed
    return number(None) if lost is None or lost.loss is None else f"{lost.loss:g}"


def _row(comparison: Comparison, row: Row, has_baseline: bool) -> list[str]:
    result = row.result
    cells = [row.method, number(row.objective), number(comparison.to_best(row), 4)]
    if has_baseline:
        cells.append(number(comparison.to_baseline(row), 4))
    if result is None:
        return [*cells, number(None), number(None), number(None), row.reason or ""]
    time = number(result.runtime_s, 2)
    return [*cells, number(result.bound), percent(result.gap), time, result.stop]


def front_table(front: Front) -> Grid:
    """A line for each point of a front; the one with the lowest energy-delay product is marked."""
    instance, lowest = front.instance, front.lowest_edp
    scale, unit = 1e-12, "J cycles"
    if instance.package is not None:
        scale, unit = scale / instance.package.chiplet.clock_hz, "J s"
    headings = (
        ">point",
        ">latency (cycles)",
        ">energy (pJ)",
        f">EDP ({unit})",
        ">samples/cycle",
        ">segments",
        ">clusters",
        "proved",
        "",
    )
    rows = [
        (
            str(place),
            number(point.evaluation.latency),
            number(point.evaluation.energy),
            f"{point.evaluation.edp * scale:.6g}",
            f"{point.evaluation.throughput:.4g}",
            str(len(point.schedule.segments)),
            str(sum(len(segment.clusters) for segment in point.schedule.segments)),
            "yes" if point.proved else "no",
            "lowest EDP" if point is lowest else "",
        )
        for place, point in enumerate(front.points, start=1)
    ]
    return Grid(headings, rows, f"{instance.name}, batch {instance.batch}, method {front.method}")


def rank_table(instance: Instance, ranks: Sequence[Rank]) -> Grid:
    """A line for each schedule that was ranked."""
    headings = (
        "schedule of",
        ">latency (cycles)",
        ">faster",
        ">as fast",
        ">schedules that fit",
        ">all schedules",
        ">faster, share",
        "how",
        ">time (s)",
    )
    title = f"{instance.name}, batch {instance.batch}: {_space(instance, ranks[0].space)}"
    return Grid(headings, [_rank_row(rank) for rank in ranks], title)


def _space(instance: Instance, space: Space) -> str:
    segments = "one segment" if space.segments == "one" else "any number of segments"
    options = ", ".join(space.options or instance.options)
    chiplets = instance.chiplets
    used = f"all {chiplets}" if space.all_chiplets else f"at most {chiplets}"
    return f"schedules of {segments}, {used} chiplets, options {options}"


def _rank_row(rank: Rank) -> list[str]:
    sample = rank.sample
    how = number(None) if rank.better is None else "counted"
    if sample is not None:
        between = f"{_small(sample.low)} to {_small(sample.high)}"
        fit = "" if sample.drawn == sample.tried else f", {sample.drawn:,} fit"
        how = f"{sample.tried:,} drawn{fit}, {sample.confidence:.0%}: {between}"
    return [
        rank.method or "file",
        number(rank.latency),
        _large(rank.better),
        _large(rank.equal),
        _large(rank.feasible),
        _large(rank.schedules),
        number(None) if rank.share is None else _small(rank.share),
        how,
        number(rank.runtime_s, 2),
    ]


def _large(count: int | None) -> str:
    """A count; beyond 15 digits, as a power of ten."""
    if count is None or count < 10**15:
        return number(count)
    text = str(Decimal(count).normalize(Context(prec=4)))
    return text.lower().replace("e+", "e")


def _small(share: float) -> str:
    """A share in percent with three digits that count."""
    return f"{100 * share:.3g} %"


def rank_remarks(ranks: Sequence[Rank]) -> Iterator[str]:
    """What the table cannot say, a sentence each."""
    for rank in ranks:
        name = rank.method or "file"
        if rank.outside is not None:
            yield f"{name}: the schedule is not one of these, {rank.outside}; its latency is ranked"
        if rank.reason is not None:
            yield f"{name}: not counted: {rank.reason}"


def strength_table(rows: Sequence[Strength]) -> Grid:
    """A line for each instance, formulation and engine."""
    headings = (
        "instance",
        "formulation",
        "engine",
        ">variables",
        ">constraints",
        ">build (s)",
        ">LP / optimum",
        ">root bound / optimum",
        ">without limit: variables",
        ">without limit: root bound",
        ">proof (s)",
        "stop",
    )
    title = (
        "bounds in percent of the optimum; the limit: the cost of a known schedule, which the"
        " model need not exceed"
    )
    return Grid(headings, [_strength_row(row) for row in rows], title)


def _strength_row(row: Strength) -> list[str]:
    model, milp, whole = row.model, row.milp, row.whole
    return [
        row.instance,
        row.formulation,
        row.engine,
        number(None if model is None else model.variables),
        number(None if model is None else model.constraints),
        number(None if model is None else model.build_s, 2),
        _share(row, None if milp is None else milp.relaxed),
        _share(row, None if milp is None else milp.root),
        number(None if whole is None else whole.variables),
        _share(row, None if whole is None else whole.root),
        *_proof(row),
    ]


def _share(row: Strength, bound: float | None) -> str:
    """A bound in percent of the optimum, cut off: what is not proved is not 100 %."""
    share = row.of_optimum(bound)
    # An LP's optimum has rounding errors of its own.
    return percent(None if share is None else floor(share * 1e4 + 1e-6) / 1e4)


def _proof(row: Strength) -> tuple[str, str]:
    """Seconds to the proof; where there was none, why, and the gap that was left."""
    result = row.result
    if row.reason or result is None:
        return number(None), row.reason
    if result.stop in ("optimal", "infeasible"):
        return number(result.runtime_s, 1), result.stop
    return number(None), f"{result.stop} {result.runtime_s:.0f} s, gap {percent(result.gap)}"
