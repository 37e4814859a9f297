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
from dataclasses import dataclass

from formulations.formulation import Report, unheard
from formulations.merged_pipeline.segment_bounds import Bounds
from formulations.merged_pipeline.segment_columns import SegmentColumn, Stage
from formulations.merged_pipeline.segment_pricing import Pricing
from formulations.modellers import Expression, Modeller, Solution, Variable, label
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
)
"""The constraint families in the order in which they are built; each is a method of `Segments`."""

NOT_IN_MODEL = (
    "the schedule is no point of the model: it does not fit the buffers, breaks the goal, or costs"
    " more than the model's `limit`; verify it, or build the model with a larger `limit`"
)


@dataclass(frozen=True)
class Variables:
    """Every variable of the model; entry q belongs to segment column q, names to layers.

    Attributes:
        segment: [Q] y, the segment is part of the schedule.
        stage: [Q][.] x, the column's stage is one of the segment's clusters.
        excess: [Q] cycles by which the segment's beat exceeds its lower bound; 0 unless chosen.
    """

    segment: list[Variable]
    stage: list[list[Variable]]
    excess: list[Variable]


class Segments:
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

    def _state(
        self,
        instance: Instance,
        modeller: Modeller,
        goal: Goal | None,
        weights: Weights | None,
        report: Report = unheard,
    ) -> None:
        self.modeller = modeller
        self._report = report
        self._instance = instance
        self._goal = Goal() if goal is None else goal
        self._weights = self._goal.weights if weights is None else weights
        self._priced = self._goal.needs_energy or self._weights.energy > 0
        self._layers = instance.tables.layers

    def _build(self, columns: list[SegmentColumn], families: Sequence[str]) -> None:
        """Variables, constraints and objective."""
        self.columns = columns
        self._refuse_overflow()
        self.variables = self._declare()
        leakage = self._instance.tables.energy.leakage
        self.latency: Expression = self._total(1, 0)
        self.energy: Expression | None = self._total(leakage, 1) if self._priced else None
        for family in families:
            getattr(self, family)()
        self.modeller.minimize(self._total(*self._weigh()))

    def _weigh(self) -> tuple[int, int]:
        """The objective's weights of a cycle, leakage included, and of a picojoule."""
        latency, energy = self._weights
        return latency + energy * self._instance.tables.energy.leakage, energy

    def _refuse_overflow(self) -> None:
        """Tell the modeller how large the objective, the caps and the areas may become."""
        cycles, energy = self._weigh()
        joules = max(1, energy) * self._instance.batch
        objective, area = 0, 0
        for q in self.columns:
            beat = q.least + max((s.excess for s in q.stages), default=0)
            objective += max(1, cycles) * (q.load + q.beats * beat) + max(1, energy) * q.energy
            objective += joules * sum(s.energy for s in q.stages)
            area = max(area, beat * (self._pricing.chiplets + sum(s.chiplets for s in q.stages)))
        self.modeller.expect("the schedule's cost", objective)
        self.modeller.expect("chiplets times cycles", area)

    def _declare(self) -> Variables:
        names, modeller = self._layers, self.modeller
        segment, stage, excess = [], [], []
        for q in self.columns:
            self._report(self.bound)
            place = names[q.first], names[q.last], q.clusters or "tiled"
            segment.append(modeller.binary(label("segment", *place)))
            most = max((s.excess for s in q.stages), default=0)
            excess.append(modeller.quantity(0, most, label("excess", *place)))
            stage.append(
                [
                    modeller.binary(label("stage", *place, names[s.first], names[s.last], *s[2:4]))
                    for s in q.stages
                ]
            )
        return Variables(segment, stage, excess)

    def _total(self, cycles: int, energy: int) -> Expression:
        """`cycles` times the latency and `energy` times the picojoules without leakage."""
        v, batch = self.variables, self._instance.batch
        terms: list[tuple[Variable, int]] = []
        for q, y, stages, excess in zip(self.columns, v.segment, v.stage, v.excess, strict=True):
            terms += [(y, cycles * q.bound + energy * q.energy), (excess, cycles * q.beats)]
            if energy:
                spent = (energy * batch * s.energy for s in q.stages)
                terms += zip(stages, spent, strict=True)
        terms = [(variable, weight) for variable, weight in terms if weight]
        return self.modeller.sum([x for x, _ in terms], [weight for _, weight in terms])

    def hint(self, schedule: Schedule) -> None:
        """Suggest a schedule to the solver: a value for every variable. Replaces an older hint.

        Raises:
            ValueError: the schedule does not fit, breaks the goal, or costs more than the limit.
        """
        self.modeller.hint(list(self._point_of(schedule)))

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
        return Segment(tuple(self._cluster(s) for s in sorted(stages)))

    def _cluster(self, stage: Stage) -> Cluster:
        """The cluster of a stage, with the options that give it its time and energy."""
        options = next(
            column.options
            for column in self._pricing.clusters.of(stage.first, stage.last)
            if (column.chiplets, column.time) == (stage.chiplets, stage.time)
            and (column.energy == stage.energy or not self._priced)
        )
        return Cluster(stage.first, stage.last, stage.chiplets, options)

    def _point_of(self, schedule: Schedule) -> Iterator[tuple[Variable, int]]:
        """A value for every variable, each as small as the schedule allows."""
        v = self.variables
        chosen = {_key(segment): segment for segment in schedule.segments}
        for q, y, stages, excess in zip(self.columns, v.segment, v.stage, v.excess, strict=True):
            segment = chosen.pop((q.first, q.last, q.clusters), None)
            yield y, int(segment is not None)
            used = set() if segment is None else self._stages_of(segment, q)
            yield from ((x, int(s in used)) for s, x in zip(q.stages, stages, strict=True))
            yield excess, max((s.excess for s in used), default=0)
        if chosen:
            raise ValueError(NOT_IN_MODEL)

    def _stages_of(self, segment: Segment, q: SegmentColumn) -> set[Stage]:
        """Stages of the column that do what the segment's clusters do, at no greater cost."""
        if segment.tiled:
            return set()
        stages = set()
        for cluster in segment.clusters:
            cost = cluster_cost(self._instance.tables, cluster)
            late = max(0, cost.time - q.least)
            same = [
                s
                for s in q.stages
                if (s.first, s.last) == (cluster.first, cluster.last)
                and s.chiplets <= cluster.chiplets
                and s.excess <= late
                and (s.energy <= cost.energy or not self._priced)
            ]
            if not same:
                raise ValueError(NOT_IN_MODEL)
            stages.add(min(same, key=lambda stage: (stage.energy, stage.excess)))
        return stages

    def _pipelines(
        self,
    ) -> Iterator[tuple[str, SegmentColumn, Variable, list[Variable], Variable]]:
        """(place, column, y, x, excess) of all columns that are not tiled."""
        v = self.variables
        for q, y, stages, excess in zip(self.columns, v.segment, v.stage, v.excess, strict=True):
            self._report(self.bound)
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


class OneSegment(Segments):
    """The model of one segment alone, in any number of clusters and as cheap as possible.

    Args:
        pricing: of the instance.
        bounds: for the schedules that cost at most some limit; the segment's own limit is the room
            that they leave for it.
        part: first and last layer of the segment.
    """

    def __init__(
        self, modeller: Modeller, pricing: Pricing, bounds: Bounds, part: tuple[int, int]
    ) -> None:
        self._state(pricing.instance, modeller, pricing.goal, pricing.weights)
        self._pricing = pricing
        self._room = bounds.room(*part)
        self.bound = None
        inner = ("cover", "count", "package", "beat", "area")
        self._build(pricing.columns_of(bounds, part), ("one", *inner, "room"))

    def one(self) -> None:
        """sum_q y[q] = 1: the segment has some number of clusters, or is tiled."""
        self.modeller.require("one", self.modeller.sum(self.variables.segment) == 1)

    def room(self) -> None:
        """The objective is at most what the other segments leave."""
        self.modeller.require("room", self._total(*self._weigh()) <= self._room)


def _over(stage: Stage, layer: int) -> bool:
    return stage.first <= layer <= stage.last


def _key(segment: Segment) -> tuple[int, int, int]:
    """First layer, last layer, clusters (0: tiled)."""
    return segment.first, segment.last, 0 if segment.tiled else len(segment.clusters)
