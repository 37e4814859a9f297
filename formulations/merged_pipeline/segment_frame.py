"""What the families of the segment model share: columns, variables, expressions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from formulations.formulation import Report, unheard
from formulations.merged_pipeline.ratio_families import ColumnRatios, Run
from formulations.merged_pipeline.segment_columns import SegmentColumn, Stage
from formulations.merged_pipeline.segment_pricing import Pricing
from formulations.modellers import Expression, Modeller, Variable, label
from instances.instance import Instance
from schedules.goal import Goal, Weights
from schedules.schedule import Schedule, Segment


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


class Frame(ColumnRatios):
    """The variables of the model, and the terms in which its families are written."""

    _pricing: Pricing
    bound: int | None
    columns: list[SegmentColumn]
    variables: Variables

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
            beat = q.least + self._most_excess(q)
            objective += max(1, cycles) * (q.load + q.beats * beat)
            objective += max(1, energy) * self._joules(q)
            objective += joules * sum(s.energy for s in q.stages)
            objective += max(1, cycles) * sum(s.kind.load for s in q.stages)
            objective += max(1, energy) * sum(s.kind.load_energy for s in q.stages)
            area = max(area, beat * (self._pricing.chiplets + sum(s.chiplets for s in q.stages)))
        self.modeller.expect("the schedule's cost", objective)
        self.modeller.expect("chiplets times cycles", area)

    def _declare(self) -> Variables:
        names, modeller = self._layers, self.modeller
        segment, stage, excess = [], [], []
        # Where what is compressed decides, the beat is rounded up, and no stage's time.
        compressed = self._pricing.own.compression is not None
        bounded = modeller.integer if compressed else modeller.quantity
        for q in self.columns:
            self._report(self.bound)
            place = names[q.first], names[q.last], q.clusters or "tiled"
            segment.append(modeller.binary(label("segment", *place)))
            excess.append(bounded(0, self._most_excess(q), label("excess", *place)))
            stage.append(
                [modeller.binary(label("stage", *place, *_name(names, s))) for s in q.stages]
            )
        return Variables(segment, stage, excess)

    def _most_excess(self, q: SegmentColumn) -> int:
        """By the slowest stage, or by the DRAM traffic with nothing compressed."""
        slowest = max((s.excess for s in q.stages), default=0)
        if q.clusters == 0 or self._pricing.own.compression is None:
            return slowest
        return max(slowest, self._pricing.own.costs.segment(q.first, q.last).dram - q.least)

    def _total(self, cycles: int, energy: int) -> Expression:
        """`cycles` times the latency and `energy` times the picojoules without leakage."""
        v, batch = self.variables, self._instance.batch
        terms: list[tuple[Variable, int]] = []
        for q, y, stages, excess in zip(self.columns, v.segment, v.stage, v.excess, strict=True):
            terms += [(y, cycles * q.bound + energy * self._joules(q)), (excess, cycles * q.beats)]
            for s, x in zip(q.stages, stages, strict=True):
                joules = batch * s.energy + s.kind.load_energy
                terms.append((x, cycles * s.kind.load + energy * joules))
        terms += [(z, -energy * batch * joules) for z, joules in self._spared_joules()]
        terms = [(variable, weight) for variable, weight in terms if weight]
        return self.modeller.sum([x for x, _ in terms], [weight for _, weight in terms])

    def _joules(self, q: SegmentColumn) -> int:
        """Picojoules but for its stages and leakage, nothing compressed."""
        own = self._pricing.own
        if own.compression is None or q.clusters == 0:
            return q.energy
        segment = own.costs.segment(q.first, q.last)
        return sum(segment.load_energy) + own.batch * segment.dram_energy

    # What the families of compression ask

    def _may_tile(self) -> dict[int, Variable]:
        columns = zip(self.columns, self.variables.segment, strict=True)
        return {q.first: y for q, y in columns if q.clusters == 0}

    def _clusters(self) -> Iterator[tuple[Variable, int, int, tuple[int, ...]]]:
        for q, stages in zip(self.columns, self.variables.stage, strict=True):
            for s, x in zip(q.stages, stages, strict=True):
                yield x, s.first, s.last, s.kind.choices

    @cached_property
    def _runs(self) -> list[Run]:
        return [
            Run(place, q.first, q.last, q.least, y, q.least * y + excess)
            for place, q, y, _, excess in self._pipelines()
        ]

    def _point_of_ratios(self, schedule: Schedule) -> Iterator[tuple[Variable, int]]:
        """A value for every variable of compression."""
        if self._pricing.reduction is not None and self._given is not None:
            choices = self._pricing.reduction.choices(schedule)
            own = {key(segment) for segment in schedule.segments}
            pipelines = [q for q in self.columns if q.clusters > 0]
            numbers = [p for p, q in enumerate(pipelines) if (q.first, q.last, q.clusters) in own]
            yield from self._ratio_values(choices)
            yield from self._spared_values(choices, numbers)

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


def _name(names: Sequence[str], stage: Stage) -> tuple[object, ...]:
    """What a stage is called."""
    ends = names[stage.first], names[stage.last]
    return *ends, stage.chiplets, stage.time, *stage.kind.choices


def key(segment: Segment) -> tuple[int, int, int]:
    """First layer, last layer, clusters (0: tiled)."""
    return segment.first, segment.last, 0 if segment.tiled else len(segment.clusters)
