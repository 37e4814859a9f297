"""The merged pipeline as a CP-SAT model over segment columns, each priced by a lower bound.

Sets: segment columns q = (first, last, K) and tiled layers; for each q the cluster columns
(i, j, c) that it may use. Variables: y[q], the segment is chosen; x[q,i,j,c], the cluster is one
of its stages; excess[q], cycles by which its beat exceeds the lower bound least[q]. The objective
is the sum of the bounds of the chosen segments and of what their beats exceed them by:

    minimise  sum_q  bound[q] y[q] + (m+K-1) excess[q],    bound[q] = load + (m+K-1) least[q].

The bounds are relaxations of the segment (see segment_columns), so the shortest path over them is
most of the proof, and only the excess is searched for. `Segments.model` and `Segments.variables`
are open: add constraints of your own before you solve.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ortools.sat.python.cp_model import BoundedLinearExpression, CpModel, IntVar, LinearExpr

from formulations.merged_pipeline.columns import Columns
from formulations.merged_pipeline.compact_points import Point, Solution
from formulations.merged_pipeline.compact_variables import label
from formulations.merged_pipeline.segment_columns import (
    SegmentColumn,
    Stage,
    path_bound,
    segment_columns,
)
from instances.instance import Instance
from schedules.schedule import Cluster, Schedule, Segment

FAMILIES = ("path", "cover", "count", "package", "beat", "area")
"""The constraint families in the order in which they are built; each is a method of `Segments`."""

OVERFLOW = 2**60
"""No sum in a CP-SAT model may reach this."""

NOT_IN_MODEL = (
    "the schedule is no point of the model: it does not fit the buffers, or is slower than the"
    " model's `upper`; verify it, or build the model with a larger `upper`"
)


@dataclass(frozen=True)
class Variables:
    """Every variable of the model; entry q belongs to segment column q, names to layers.

    Attributes:
        segment: [Q] y, the segment is part of the schedule.
        stage: [Q][.] x, the column's stage is one of the segment's clusters.
        excess: [Q] cycles by which the segment's beat exceeds its lower bound; 0 unless chosen.
    """

    segment: list[IntVar]
    stage: list[list[IntVar]]
    excess: list[IntVar]


class Segments:
    """The segment model of an instance.

    Attributes:
        model: the CP-SAT model, ready to be solved.
        columns: [Q] the segment columns.
        bound: no schedule of at most `upper` cycles takes fewer: the shortest path over the
            columns' bounds. None if no columns make a schedule.
        variables: its variables.

    Args:
        upper: a latency in cycles that some schedule is known to reach: columns that only slower
            schedules use are left out. Leave it out if you add constraints that this schedule may
            break; the model is then much larger.
        families: the constraint families to build, all by default; tests leave some out.

    Raises:
        ValueError: the costs are too large for CP-SAT's 64-bit integers.
    """

    def __init__(
        self,
        instance: Instance,
        upper: int | None = None,
        families: Sequence[str] = FAMILIES,
    ) -> None:
        self.model = CpModel()
        self._instance = instance
        self._layers = instance.tables.layers
        longest = None if upper is None else upper // instance.batch
        self._clusters = Columns(instance.tables, longest)
        self.columns = segment_columns(instance, self._clusters, upper)
        _refuse_overflow(self.columns)
        self.bound = path_bound(self.columns, len(self._layers))
        self.variables = self._declare()
        for family in families:
            getattr(self, family)()
        self._minimize_latency()

    def _declare(self) -> Variables:
        names = self._layers
        segment, stage, excess = [], [], []
        for q in self.columns:
            place = names[q.first], names[q.last], q.clusters or "tiled"
            segment.append(self.model.new_bool_var(label("segment", *place)))
            most = max((s.excess for s in q.stages), default=0)
            excess.append(self.model.new_int_var(0, most, label("excess", *place)))
            stage.append(
                [
                    self.model.new_bool_var(
                        label("stage", *place, names[s.first], names[s.last], s.chiplets)
                    )
                    for s in q.stages
                ]
            )
        return Variables(segment, stage, excess)

    def hint(self, schedule: Schedule) -> None:
        """Suggest a schedule to the solver: a value for every variable. Replaces an older hint.

        Raises:
            ValueError: the schedule does not fit, or is slower than the `upper` of the model.
        """
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        for variable, value in self._point_of(schedule):
            self.model.add_hint(variable, value)

    def extract(self, solution: Solution) -> Schedule:
        """The schedule of a solution; ask only a solver that has one."""
        v = self.variables
        chosen = [
            self._segment(
                q, [s for s, x in zip(q.stages, stages, strict=True) if solution.value(x)]
            )
            for q, y, stages in zip(self.columns, v.segment, v.stage, strict=True)
            if solution.value(y)
        ]
        return Schedule(tuple(sorted(chosen, key=lambda segment: segment.first)))

    def _segment(self, q: SegmentColumn, stages: list[Stage]) -> Segment:
        if q.clusters == 0:
            tables = self._instance.tables
            whole = Cluster(q.first, q.last, tables.chiplets, tables.options[:1])
            return Segment((whole,), tiled=True)
        return Segment(
            tuple(
                Cluster(s.first, s.last, s.chiplets, self._clusters.options(*_place(s)))
                for s in sorted(stages, key=lambda stage: stage.first)
            )
        )

    def _point_of(self, schedule: Schedule) -> Point:
        """A value for every variable, each as small as the schedule allows."""
        v = self.variables
        chosen = {_key(segment): segment for segment in schedule.segments}
        for q, y, stages, excess in zip(self.columns, v.segment, v.stage, v.excess, strict=True):
            segment = chosen.pop((q.first, q.last, q.clusters), None)
            yield y, int(segment is not None)
            used = [] if segment is None else _stages_of(segment, q)
            yield from ((x, int(s in used)) for s, x in zip(q.stages, stages, strict=True))
            yield excess, max((s.excess for s in used), default=0)
        if chosen:
            raise ValueError(NOT_IN_MODEL)

    def _require(self, name: str, rule: BoundedLinearExpression | bool) -> None:
        self.model.add(rule).with_name(name)

    def _pipelines(self) -> Iterator[tuple[str, SegmentColumn, IntVar, list[IntVar], IntVar]]:
        """(place, column, y, x, excess) of all columns that are not tiled."""
        v = self.variables
        for q, y, stages, excess in zip(self.columns, v.segment, v.stage, v.excess, strict=True):
            if q.clusters > 0:
                place = f"{self._layers[q.first]},{self._layers[q.last]},{q.clusters}"
                yield place, q, y, stages, excess

    # Constraint families

    def path(self) -> None:
        """sum_{q over l} y[q] = 1: every layer is in one segment."""
        for layer, name in enumerate(self._layers):
            over = [
                y
                for q, y in zip(self.columns, self.variables.segment, strict=True)
                if q.first <= layer <= q.last
            ]
            self.model.add_exactly_one(over).with_name(label("path", name))

    def cover(self) -> None:
        """sum_{(i,j,c) over l} x[q,i,j,c] = y[q]: every layer of a segment is in one stage."""
        for place, q, y, stages, _ in self._pipelines():
            for layer in range(q.first, q.last + 1):
                over = [x for s, x in zip(q.stages, stages, strict=True) if _over(s, layer)]
                self._require(label("cover", place, self._layers[layer]), LinearExpr.sum(over) == y)

    def count(self) -> None:
        """A segment has K stages: sum x[q,i,j,c] = K y[q]."""
        for place, q, y, stages, _ in self._pipelines():
            self._require(label("count", place), LinearExpr.sum(stages) == q.clusters * y)

    def package(self) -> None:
        """A segment's regions are disjoint: sum c x[q,i,j,c] <= C y[q]."""
        chiplets = self._instance.tables.chiplets
        for place, q, y, stages, _ in self._pipelines():
            sizes = LinearExpr.weighted_sum(stages, [s.chiplets for s in q.stages])
            self._require(label("package", place), sizes <= chiplets * y)

    def beat(self) -> None:
        """excess[q] >= sum_{(i,j,c) over l} (T[i,j,c] - least[q])+ x[q,i,j,c], for each l."""
        for place, q, _, stages, excess in self._pipelines():
            for layer in range(q.first, q.last + 1):
                over = [(s, x) for s, x in zip(q.stages, stages, strict=True) if _over(s, layer)]
                late = LinearExpr.weighted_sum([x for _, x in over], [s.excess for s, _ in over])
                self._require(label("beat", place, self._layers[layer]), excess >= late)

    def area(self) -> None:
        """C (least[q] y[q] + excess[q]) >= sum c max(T[i,j,c], least[q]) x[q,i,j,c]. Implied.

        A stage that is done before the beat is over keeps its chiplets until then.
        """
        chiplets = self._instance.tables.chiplets
        for place, q, y, stages, excess in self._pipelines():
            areas = [s.chiplets * (q.least + s.excess) for s in q.stages]
            taken = LinearExpr.weighted_sum(stages, areas)
            rule = chiplets * (q.least * y + excess) >= taken
            self._require(label("area", place), rule)

    # Objective

    def _minimize_latency(self) -> None:
        """Minimise the bounds of the chosen segments and the excess of their beats."""
        v = self.variables
        bounds = LinearExpr.weighted_sum(v.segment, [q.bound for q in self.columns])
        self.model.minimize(
            bounds + LinearExpr.weighted_sum(v.excess, [q.beats for q in self.columns])
        )


def _place(stage: Stage) -> tuple[int, int, int]:
    return stage.first, stage.last, stage.chiplets


def _over(stage: Stage, layer: int) -> bool:
    return stage.first <= layer <= stage.last


def _key(segment: Segment) -> tuple[int, int, int]:
    """First layer, last layer, clusters (0: tiled)."""
    return segment.first, segment.last, 0 if segment.tiled else len(segment.clusters)


def _stages_of(segment: Segment, q: SegmentColumn) -> list[Stage]:
    """The column's stages that do what the segment's clusters do, on no more chiplets.

    The largest such stage is at least as fast as the cluster, up to the segment's least beat.
    """
    if segment.tiled:
        return []
    stages = []
    for cluster in segment.clusters:
        place = cluster.first, cluster.last
        same = [
            s for s in q.stages if (s.first, s.last) == place and s.chiplets <= cluster.chiplets
        ]
        if not same:
            raise ValueError(NOT_IN_MODEL)
        stages.append(max(same, key=lambda stage: stage.chiplets))
    return stages


def _refuse_overflow(columns: Sequence[SegmentColumn]) -> None:
    largest = sum(q.bound + q.beats * max((s.excess for s in q.stages), default=0) for q in columns)
    if largest >= OVERFLOW:
        raise ValueError(
            "the tables' numbers are too large for CP-SAT's 64-bit integers: sums of cycles may"
            f" reach {largest:.1e}, the limit is {OVERFLOW:.1e}; use larger units,"
            " or method 'exact'"
        )
