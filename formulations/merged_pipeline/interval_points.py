"""The variables of the interval formulation, and how schedules and its points become each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from formulations.merged_pipeline.interval_bounds import Bounds, PricedSegment
from formulations.merged_pipeline.ratios import choices_of, ratios_sent
from formulations.modellers import Modeller, Solution, Variable, label
from instances.compressed_costs import costs_of
from instances.instance import Instance
from instances.tables import CostTables
from schedules.evaluate import cluster_cost, evaluate
from schedules.goal import Goal, Weights, breaches
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations

Point = Iterator[tuple[Variable, int]]


@dataclass(frozen=True)
class Variables:
    """Every variable of the model; names lead back to layers.

    Attributes:
        stage: [Q] x, the column is a cluster of the schedule.
        segment: [P] y, the segment is one of the schedule's, and not tiled.
        excess: [P] cycles by which its beat exceeds the least; 0 unless it is chosen.
        tiled: t by layer, for layers that may be a tiled segment.
        begins: b by layer 1..L-1, a segment begins there.
        beat: [L] cycles of the segment that contains the layer; 0 if it is tiled.
        fill: [L] the beat if a cluster begins at the layer; may be 0 otherwise.
        free: [L] chiplets that later clusters of the layer's segment may take.
        more: [L] clusters that may still follow in the layer's segment.
        spare: [L] chiplets times cycles that later clusters of the layer's segment may take.
    """

    stage: list[Variable]
    segment: list[Variable]
    excess: list[Variable]
    tiled: dict[int, Variable]
    begins: dict[int, Variable]
    beat: list[Variable]
    fill: list[Variable]
    free: list[Variable]
    more: list[Variable]
    spare: list[Variable]


def declare(
    m: Modeller, sets: Bounds, tables: CostTables, depth: int, compressed: bool
) -> Variables:
    """The variables; `depth` is the most clusters of a segment."""
    names, chiplets = tables.layers, tables.chiplets
    longest = [
        max((p.most for p in sets.segments if p.first <= layer <= p.last), default=0)
        for layer in range(len(names))
    ]

    def each(what: str, most: list[int]) -> list[Variable]:
        return [
            m.quantity(0, high, label(what, name)) for name, high in zip(names, most, strict=True)
        ]

    ends = [(names[p.first], names[p.last]) for p in sets.segments]
    # Where what is compressed decides, the beat is rounded up, and no column's time.
    bounded = m.integer if compressed else m.quantity
    return Variables(
        stage=[
            m.binary(label("stage", names[q.first], names[q.last], q.chiplets, *q.choices))
            for q in sets.columns
        ],
        segment=[m.quantity(0, 1, label("segment", *place)) for place in ends],
        excess=[
            bounded(0, p.most - p.least, label("excess", *place))
            for p, place in zip(sets.segments, ends, strict=True)
        ],
        tiled={layer: m.binary(label("tiled", names[layer])) for layer in sets.tiled},
        begins={
            layer: m.binary(label("segment_begins", names[layer])) for layer in range(1, len(names))
        },
        beat=each("beat", longest),
        fill=each("fill", longest),
        free=each("free", [chiplets] * len(names)),
        more=each("more", [depth] * len(names)),
        spare=each("spare", [chiplets * beat for beat in longest]),
    )


def refuse(
    instance: Instance, schedule: Schedule, goal: Goal, weights: Weights, limit: int | None
) -> None:
    """Refuse a schedule that no model for this goal and limit contains.

    Raises:
        ValueError: it does not fit, breaks the goal, or costs more than the limit.
    """
    wrong = violations(instance, schedule) or breaches(instance, schedule, goal)
    if wrong:
        raise ValueError(f"the schedule is no point of the model: {wrong[0]}")
    cost = weights.cost(evaluate(instance, schedule))
    if limit is not None and cost > limit:
        raise ValueError(
            f"the schedule is no point of the model: it costs {cost}, the model's limit is {limit};"
            " build the model with a larger `limit`"
        )


def schedule_of(
    solution: Solution, sets: Bounds, variables: Variables, instance: Instance
) -> Schedule:
    """The schedule of a solution; what does not cross is not compressed.

    Args:
        instance: as the model has it.
    """
    used = [q for q, x in zip(sets.columns, variables.stage, strict=True) if solution.value(x)]
    clusters = sorted((q.first, Cluster(q.first, q.last, q.chiplets, q.options)) for q in used)
    segments = [
        Segment(tuple(own for first, own in clusters if p.first <= first <= p.last))
        for p, y in zip(sets.segments, variables.segment, strict=True)
        if solution.value(y)
    ]
    for layer, t in variables.tiled.items():
        if solution.value(t):
            whole = Cluster(layer, layer, instance.chiplets, instance.options[:1])
            segments.append(Segment((whole,), tiled=True))
    ratios = ratios_sent(instance.compression, [(q.first, q.last, q.choices) for q in used])
    return Schedule(tuple(sorted(segments, key=lambda segment: segment.first)), ratios)


@dataclass(frozen=True)
class _Chosen:
    """A segment of a schedule as the model has it: index p, beat, and columns."""

    number: int
    segment: PricedSegment
    beat: int
    columns: list[int]


def point_of(
    schedule: Schedule, sets: Bounds, variables: Variables, instance: Instance, depth: int
) -> Point:
    """A value for every variable: the columns that are no worse than the schedule's clusters.

    Those of ratios apart. The schedule is known to be a point.

    Args:
        instance: as the model has it.
    """
    v, layers = variables, len(instance.layers)
    place = _Place(sets, instance, schedule.ratios)
    tiled = {segment.first for segment in schedule.segments if segment.tiled}
    chosen = [place.chosen(segment) for segment in schedule.segments if not segment.tiled]
    begins = {segment.first for segment in schedule.segments}
    beats = {own.number: own.beat for own in chosen}
    used = {q for own in chosen for q in own.columns}
    yield from ((x, int(q in used)) for q, x in enumerate(v.stage))
    yield from ((y, int(p in beats)) for p, y in enumerate(v.segment))
    for p, (column, excess) in enumerate(zip(sets.segments, v.excess, strict=True)):
        yield excess, beats.get(p, column.least) - column.least
    yield from ((t, int(layer in tiled)) for layer, t in v.tiled.items())
    yield from ((b, int(layer in begins)) for layer, b in v.begins.items())
    values = {name: [0] * layers for name in ("beat", "fill", "free", "more", "spare")}
    for own in chosen:
        _fill_in(values, own, sets, instance.chiplets, depth)
    for name, amounts in values.items():
        yield from zip(getattr(v, name), amounts, strict=True)


class _Place:
    """Where the segments of schedules with certain ratios are in the model."""

    def __init__(self, sets: Bounds, instance: Instance, ratios: tuple[int, ...]) -> None:
        self._sets, self._given, self._ratios = sets, instance.compression, ratios
        self._costs = costs_of(instance, ratios)
        self._number = {(p.first, p.last): k for k, p in enumerate(sets.segments)}

    def chosen(self, segment: Segment) -> _Chosen:
        """The segment's clusters replaced by columns, the fastest of those that are no worse."""
        sets, number = self._sets, self._number[segment.first, segment.last]
        priced, columns = sets.segments[number], []
        beat = max(priced.least, self._costs.segment(segment.first, segment.last).dram)
        for cluster in segment.clusters:
            columns.append(min(self._no_worse(cluster, priced), key=lambda q: sets.times[q]))
            beat = max(beat, sets.times[columns[-1]])
        return _Chosen(number, priced, beat, columns)

    def _no_worse(self, cluster: Cluster, priced: PricedSegment) -> list[int]:
        """Columns that do what a cluster does, at no greater cost."""
        sets, cost = self._sets, cluster_cost(self._costs, cluster)
        choices = choices_of(self._given, self._ratios, cluster.first, cluster.last)
        return [
            q
            for q in priced.useful.tolist()
            if (sets.columns[q].first, sets.columns[q].last) == (cluster.first, cluster.last)
            and sets.columns[q].chiplets <= cluster.chiplets
            and sets.columns[q].choices == choices
            and sets.columns[q].time <= max(cost.time, priced.least)
            and (not sets.priced or sets.columns[q].energy <= cost.energy)
        ]


def _fill_in(
    values: dict[str, list[int]], own: _Chosen, sets: Bounds, chiplets: int, depth: int
) -> None:
    """Values of the variables of a segment's layers; what is left of an account is all kept."""
    taken, area = 0, 0
    for clusters, q in enumerate(own.columns, start=1):
        column = sets.columns[q]
        taken += column.chiplets
        area += column.chiplets * sets.times[q]
        values["fill"][column.first] = own.beat
        for layer in range(column.first, column.last + 1):
            values["beat"][layer] = own.beat
            values["free"][layer] = chiplets - taken
            values["more"][layer] = depth - clusters
            values["spare"][layer] = chiplets * own.beat - area
