"""The merged pipeline over segment columns, each priced by a lower bound.

Sets: segment columns q = (first, last, K) and tiled layers; for each q the cluster columns
s = (i, j, c) that it may use. Variables: y[q], the segment is chosen; x[q,s], the cluster is one of
its stages; excess[q], cycles by which its beat exceeds the lower bound least[q]. The latency is the
sum of the bounds of the chosen segments and of what their beats exceed them by,

    latency = sum_q  bound[q] y[q] + (m+K-1) excess[q],    bound[q] = load + (m+K-1) least[q],

and the energy that of the chosen segments' weights and DRAM traffic and of their stages,

    energy = sum_q  E[q] y[q] + m sum_s E[s] x[q,s]  +  leakage latency.

The bounds are relaxations of the segment (see segment_bounds), so the shortest path over them is
most of the proof, and only the excess is searched for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from formulations.formulation import Report, unheard
from formulations.merged_pipeline.ratio_families import COLUMN_FAMILIES
from formulations.merged_pipeline.ratios import choices_of, ratios_sent
from formulations.merged_pipeline.segment_columns import SegmentColumn, Stage
from formulations.merged_pipeline.segment_frame import Frame, key
from formulations.merged_pipeline.segment_pricing import Pricing
from formulations.modellers import Expression, Modeller, Solution, Variable, label
from instances.compressed_costs import costs_of
from instances.instance import Instance
from schedules.evaluate import cluster_cost
from schedules.goal import Goal, Weights
from schedules.schedule import Cluster, Schedule, Segment

FAMILIES = (
    "path",
    "cover",
    "count",
    "package",
    "beat",
    "area",
    "segments",
    "latency_cap",
    "energy_cap",
    *COLUMN_FAMILIES,
)
"""The constraint families in the order in which they are built; each is a method of `Segments`."""

NOT_IN_MODEL = (
    "the schedule is no point of the model: it does not fit the buffers, breaks the goal, or costs"
    " more than the model's `limit`; verify it, or build the model with a larger `limit`"
)


class Segments(Frame):
    """The segment model of an instance: a `formulations.formulation.Formulation`.

    Attributes:
        modeller: has the native model, `modeller.model`.
        columns: [Q] the segment columns.
        variables: the model's variables.
        latency: cycles; may exceed what the schedule takes where nothing presses it down.
        energy: picojoules, likewise; None unless the goal or the weights ask for energy.
        bound: no schedule that obeys the goal has an objective below, by the columns' bounds; None
            if there is no such schedule, or none within the limit.

    Args:
        limit: a weighted cost that some schedule is known to reach that obeys the goal: columns
            that only costlier schedules use are left out. Leave it out if you add constraints that
            this schedule may break; the model is then much larger.
        families: the constraint families to build, all by default; tests leave some out.
        report: hears of the bound while the model is built.

    Raises:
        ValueError: the costs are too large for the modeller.
    """

    def __init__(
        self,
        instance: Instance,
        modeller: Modeller,
        goal: Goal | None = None,
        weights: Weights | None = None,
        limit: int | None = None,
        families: Sequence[str] = FAMILIES,
        report: Report = unheard,
    ) -> None:
        self._state(instance, modeller, goal, weights, report)
        self._pricing = Pricing(instance, self._goal, self._weights, limit, report)
        self._pricing.settle(report)
        columns = self._pricing.columns(limit, report)
        self.bound: int | None = self._pricing.bound if columns else None
        self._build(columns, families)

    def _build(self, columns: list[SegmentColumn], families: Sequence[str]) -> None:
        """Variables, constraints and objective."""
        self.columns = columns
        self._refuse_overflow()
        self.variables = self._declare()
        self._declare_ratios(self._pricing.own)
        self._declare_spared(self._pricing.own, self._priced)
        leakage = self._instance.tables.energy.leakage
        self.latency: Expression = self._total(1, 0)
        self.energy: Expression | None = self._total(leakage, 1) if self._priced else None
        for family in families:
            getattr(self, family)()
        self.modeller.minimize(self._total(*self._weigh()))

    def hint(self, schedule: Schedule) -> None:
        """Suggest a schedule to the solver: a value for every variable. Replaces an older hint.

        Raises:
            ValueError: the schedule does not fit, breaks the goal, or costs more than the limit.
        """
        if self._pricing.reduction is not None:
            schedule = self._pricing.reduction.settled(self._instance, schedule)
        self.modeller.hint([*self._point_of(schedule), *self._point_of_ratios(schedule)])

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
        used = [
            (s.first, s.last, s.kind.choices)
            for q, stages in zip(self.columns, v.stage, strict=True)
            for s, x in zip(q.stages, stages, strict=True)
            if solution.value(x)
        ]
        ratios = ratios_sent(self._given, used)
        return Schedule(tuple(sorted(chosen, key=lambda segment: segment.first)), ratios)

    def _segment(self, q: SegmentColumn, stages: list[Stage]) -> Segment:
        if q.clusters == 0:
            tables = self._instance.tables
            whole = Cluster(q.first, q.last, tables.chiplets, tables.options[:1])
            return Segment((whole,), tiled=True)
        return Segment(tuple(self._cluster(s) for s in sorted(stages)))

    def _cluster(self, stage: Stage) -> Cluster:
        """The cluster of a stage, with the options that give it its time and energy."""
        options = next(
            column.options
            for column in self._pricing.clusters.of(stage.first, stage.last)
            if (column.chiplets, column.time) == (stage.chiplets, stage.time)
            and column.choices == stage.kind.choices
            and (column.energy == stage.energy or not self._priced)
        )
        return Cluster(stage.first, stage.last, stage.chiplets, options)

    def _point_of(self, schedule: Schedule) -> Iterator[tuple[Variable, int]]:
        """A value for every variable, each as small as the schedule allows; ratios apart."""
        v, costs = self.variables, costs_of(self._pricing.own, schedule.ratios)
        chosen = {key(segment): segment for segment in schedule.segments}
        for q, y, stages, excess in zip(self.columns, v.segment, v.stage, v.excess, strict=True):
            segment = chosen.pop((q.first, q.last, q.clusters), None)
            yield y, int(segment is not None)
            used = set() if segment is None else self._stages_of(segment, q, schedule.ratios)
            yield from ((x, int(s in used)) for s, x in zip(q.stages, stages, strict=True))
            late = max((s.excess for s in used), default=0)
            if used:
                late = max(late, costs.segment(q.first, q.last).dram - q.least)
            yield excess, late
        if chosen:
            raise ValueError(NOT_IN_MODEL)

    def _stages_of(self, segment: Segment, q: SegmentColumn, ratios: tuple[int, ...]) -> set[Stage]:
        """Stages of the column that do what the segment's clusters do, at no greater cost."""
        if segment.tiled:
            return set()
        stages, costs = set(), costs_of(self._pricing.own, ratios)
        for cluster in segment.clusters:
            cost = cluster_cost(costs, cluster)
            late = max(0, cost.time - q.least)
            choices = choices_of(self._given, ratios, cluster.first, cluster.last)
            same = [
                s
                for s in q.stages
                if (s.first, s.last) == (cluster.first, cluster.last)
                and s.kind.choices == choices
                and s.chiplets <= cluster.chiplets
                and s.excess <= late
                and (s.energy <= cost.energy or not self._priced)
            ]
            if not same:
                raise ValueError(NOT_IN_MODEL)
            stages.add(min(same, key=lambda stage: (stage.energy, stage.excess)))
        return stages

    # Constraint families

    def path(self) -> None:
        """sum_{q over l} y[q] = 1: every layer is in one segment."""
        for layer, name in enumerate(self._layers):
            over = [
                y
                for q, y in zip(self.columns, self.variables.segment, strict=True)
                if q.first <= layer <= q.last
            ]
            self.modeller.require(label("path", name), self.modeller.sum(over) == 1)

    def cover(self) -> None:
        """sum_{(i,j,c) over l} x[q,i,j,c] = y[q]: every layer of a segment is in one stage."""
        for place, q, y, stages, _ in self._pipelines():
            for layer in range(q.first, q.last + 1):
                over = [x for s, x in zip(q.stages, stages, strict=True) if _over(s, layer)]
                name = label("cover", place, self._layers[layer])
                self.modeller.require(name, self.modeller.sum(over) == y)

    def count(self) -> None:
        """A segment has K stages: sum x[q,i,j,c] = K y[q]."""
        for place, q, y, stages, _ in self._pipelines():
            rule = self.modeller.sum(stages) == q.clusters * y
            self.modeller.require(label("count", place), rule)

    def package(self) -> None:
        """A segment's regions are disjoint: sum c x[q,i,j,c] <= C y[q]."""
        for place, q, y, stages, _ in self._pipelines():
            sizes = self.modeller.sum(stages, [s.chiplets for s in q.stages])
            self.modeller.require(label("package", place), sizes <= self._pricing.chiplets * y)

    def beat(self) -> None:
        """excess[q] >= sum_{(i,j,c) over l} (T[i,j,c] - least[q])+ x[q,i,j,c], for each l."""
        for place, q, _, stages, excess in self._pipelines():
            for layer in range(q.first, q.last + 1):
                over = [(s, x) for s, x in zip(q.stages, stages, strict=True) if _over(s, layer)]
                late = self.modeller.sum([x for _, x in over], [s.excess for s, _ in over])
                name = label("beat", place, self._layers[layer])
                self.modeller.require(name, excess >= late)

    def area(self) -> None:
        """C (least[q] y[q] + excess[q]) >= sum c max(T[i,j,c], least[q]) x[q,i,j,c]. Implied.

        A stage that is done before the beat is over keeps its chiplets until then.
        """
        for place, q, y, stages, excess in self._pipelines():
            areas = [s.chiplets * (q.least + s.excess) for s in q.stages]
            available = self._pricing.chiplets * q.least * y + self._pricing.chiplets * excess
            rule = self.modeller.sum(stages, areas) <= available
            self.modeller.require(label("area", place), rule)

    def segments(self) -> None:
        """sum_q y[q] is at most the goal's number of segments."""
        if self._goal.segments is not None:
            rule = self.modeller.sum(self.variables.segment) <= self._goal.segments
            self.modeller.require("segments", rule)

    def latency_cap(self) -> None:
        """The latency is at most the goal's cap."""
        if self._goal.latency_cap is not None:
            self.modeller.require("latency_cap", self.latency <= self._goal.latency_cap)

    def energy_cap(self) -> None:
        """The energy is at most the goal's cap."""
        if self._goal.energy_cap is not None and self.energy is not None:
            self.modeller.require("energy_cap", self.energy <= self._goal.energy_cap)


def _over(stage: Stage, layer: int) -> bool:
    return stage.first <= layer <= stage.last
