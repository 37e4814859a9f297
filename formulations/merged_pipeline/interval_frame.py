"""What the families of the interval model share: sets, variables, expressions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np

from formulations.formulation import Report
from formulations.merged_pipeline.columns import Columns
from formulations.merged_pipeline.interval_bounds import Bounds, budgets_of, loss_budgets
from formulations.merged_pipeline.interval_points import declare
from formulations.merged_pipeline.ratio_columns import RatioColumns
from formulations.merged_pipeline.ratio_families import ColumnRatios, Run
from formulations.merged_pipeline.ratio_reduction import Reduction, reduction
from formulations.merged_pipeline.ratios import without_energy
from formulations.modellers import Expression, Modeller, Variable, label
from instances.instance import Instance
from instances.ratio_tables import relaxed
from schedules.goal import Goal, Weights, restricted
from schedules.schedule import Schedule


class Frame(ColumnRatios):
    """The variables of the model, and the terms in which its families are written."""

    def __init__(
        self,
        instance: Instance,
        modeller: Modeller,
        goal: Goal | None,
        weights: Weights | None,
        limit: int | None,
        report: Report,
    ) -> None:
        self.modeller = modeller
        self._instance = instance
        self._goal = Goal() if goal is None else goal
        self._weights = self._goal.weights if weights is None else weights
        self._limit = limit
        self._priced = self._goal.needs_energy or self._weights.energy > 0
        self._names = instance.layers
        self._depth = min(self._goal.clusters or len(self._names), len(self._names))
        self._build_sets(report)
        self._refuse_overflow()
        compressed = self._own.compression is not None
        self.variables = declare(modeller, self.sets, self._tables, self._depth, compressed)
        self._declare_ratios(self._own)
        self._declare_spared(self._own, self._priced)
        self.latency: Expression = self._latency()
        self.energy: Expression = self._energy() if self._priced else None

    def _build_sets(self, report: Report) -> None:
        """The sets, and the bound, of the instance as the goal restricts it.

        `_own` is that instance, and `_tables` are what no choice of ratios undercuts.
        """
        goal, layers = self._goal, len(self._names)
        self._reduction: Reduction | None = None
        self._own = restricted(self._instance, goal)
        if self._own.compression is not None:
            self._reduction = reduction(self._instance, goal, self._weights, self._limit, report)
            self._own = self._reduction.instance
        instance = relaxed(self._own)
        self._tables = instance.tables
        budgets = budgets_of(instance, goal, self._weights, self._limit)
        columns: Columns | RatioColumns
        if self._reduction is not None and self._own.compression is not None:
            columns = RatioColumns(self._own, self._reduction.longest, self._priced, report)
            if not self._priced:
                given, bound = self._own.compression, self._reduction.bound
                budgets += loss_budgets(budgets[0], bound, given, instance.batch)
                instance = without_energy(instance)
        else:
            longest = [b.longest_beat(instance.batch) for b in budgets]
            columns = Columns(instance.tables, min(longest), self._priced, report)
        clusters, segments = goal.allowed_clusters(layers), goal.allowed_segments(layers)
        # A segment of one layer, tiled or not, is one cluster.
        np.fill_diagonal(segments, segments.diagonal() & clusters.diagonal())
        found = [q for place in np.argwhere(clusters).tolist() for q in columns.of(*place)]
        traffic = self._own.tables.io
        self.sets = Bounds(instance, found, segments, budgets, self._priced, report, traffic)
        self._first = np.array([q.first for q in self.sets.columns], dtype=np.int64)
        self._last = np.array([q.last for q in self.sets.columns], dtype=np.int64)
        self.bound: int | None = self.sets.bound

    def _refuse_overflow(self) -> None:
        """Tell the modeller how large the largest sums may become."""
        sets, tables, batch = self.sets, self._tables, self._instance.batch
        beats = sum(p.most for p in sets.segments)
        cycles = (batch + len(self._names)) * beats + int(tables.loads[-1])
        cycles += batch * sum(int(tables.alone[layer]) for layer in sets.tiled)
        cycles += sum(q.load for q in sets.columns)
        cost = max(1, self._weights.latency) * cycles
        if self._priced:
            joules = sum(q.energy for q in sets.columns)
            joules += sum(self._dram_joules())
            joules += sum(int(tables.energy.alone[layer]) for layer in sets.tiled)
            joules = batch * joules + sum(tables.energy.load.tolist())
            joules += sum(q.load_energy for q in sets.columns)
            cost += max(1, self._weights.energy) * (joules + tables.energy.leakage * cycles)
        self.modeller.expect("the schedule's cost", cost)
        area = sum(q.chiplets * time for q, time in zip(sets.columns, sets.times, strict=True))
        self.modeller.expect("chiplets times cycles", area + 3 * tables.chiplets * beats)

    # Expressions

    def _columns(self, which: Iterable[int], amounts: Sequence[int] | None = None) -> Expression:
        """The sum of columns, weighted by their `amounts` [Q]."""
        chosen = list(which)
        weights = None if amounts is None else [amounts[q] for q in chosen]
        return self.modeller.sum([self.variables.stage[q] for q in chosen], weights)

    def _segments(self, which: Iterable[int], amounts: Sequence[int] | None = None) -> Expression:
        """The sum of segments, weighted by their `amounts` [P]."""
        chosen = list(which)
        weights = None if amounts is None else [amounts[p] for p in chosen]
        return self.modeller.sum([self.variables.segment[p] for p in chosen], weights)

    def _beats(self, which: Iterable[int]) -> Expression:
        """sum_p D[p], D[p] = least[p] y[p] + excess[p]."""
        chosen = list(which)
        excess = self.modeller.sum([self.variables.excess[p] for p in chosen])
        return self._segments(chosen, [p.least for p in self.sets.segments]) + excess

    def _over(self, layer: int) -> list[int]:
        """Columns over a layer."""
        return np.flatnonzero((self._first <= layer) & (layer <= self._last)).tolist()

    def _from(self, layer: int) -> list[int]:
        """Columns whose first layer it is."""
        return np.flatnonzero(self._first == layer).tolist()

    def _across(self, layer: int) -> list[int]:
        """Columns over a layer and the one before."""
        return np.flatnonzero((self._first < layer) & (layer <= self._last)).tolist()

    def _starting(self, layer: int) -> list[int]:
        """Segments whose first layer it is."""
        return [k for k, p in enumerate(self.sets.segments) if p.first == layer]

    def _ending(self, layer: int) -> list[int]:
        """Segments whose last layer it is."""
        return [k for k, p in enumerate(self.sets.segments) if p.last == layer]

    def _begins(self, layer: int) -> Expression:
        """b[l]; 1 before the first layer and after the last."""
        return self.variables.begins.get(layer, 1)

    def _tiled(self, layer: int) -> Expression:
        """t[l]; 0 if the layer cannot be tiled."""
        return self.variables.tiled.get(layer, 0)

    def _require(self, family: str, place: object, rule: Expression) -> None:
        self.modeller.require(label(family, place), rule)

    # Objective

    def _cost(self) -> Expression:
        """The objective: latency and energy, weighted."""
        cost = self._weights.latency * self.latency
        if self._weights.energy > 0:
            cost = cost + self._weights.energy * self.energy
        return cost

    def _latency(self) -> Expression:
        """Loads, coders' too, m-1 beats a segment, a beat a cluster, m beats of a tiled layer."""
        v, batch = self.variables, self._instance.batch
        alone = [batch * int(self._tables.alone[layer]) for layer in v.tiled]
        beats = (batch - 1) * self._beats(range(len(v.segment))) + self.modeller.sum(v.fill)
        tiled = self.modeller.sum(list(v.tiled.values()), alone)
        loads = [q.load for q in self.sets.columns]
        if any(loads):
            beats = beats + self._columns(range(len(loads)), loads)
        return beats + tiled + int(self._tables.loads[-1])

    def _energy(self) -> Expression:
        """Loads, m samples of columns, of segments' DRAM traffic and of tiled layers, leakage."""
        v, sets, energy = self.variables, self.sets, self._tables.energy
        batch = self._instance.batch
        stages = [batch * q.energy + q.load_energy for q in sets.columns]
        dram = [batch * joules for joules in self._dram_joules()]
        alone = [batch * int(energy.alone[layer]) for layer in v.tiled]
        samples = self._columns(range(len(stages)), stages) + self._segments(range(len(dram)), dram)
        samples = samples + self.modeller.sum(list(v.tiled.values()), alone)
        spared = self._spared_joules()
        if spared:
            weights = [batch * joules for _, joules in spared]
            samples = samples - self.modeller.sum([z for z, _ in spared], weights)
        return samples + energy.leakage * self.latency + sum(energy.load.tolist())

    def _dram_joules(self) -> list[int]:
        """[P] picojoules a sample of segments' DRAM traffic, none of it compressed."""
        io = self._own.tables.energy.io
        return [int(io[p.first, p.last]) for p in self.sets.segments]

    # What the families of compression ask

    def _may_tile(self) -> dict[int, Variable]:
        return self.variables.tiled

    def _clusters(self) -> Iterator[tuple[Variable, int, int, tuple[int, ...]]]:
        for q, x in zip(self.sets.columns, self.variables.stage, strict=True):
            yield x, q.first, q.last, q.choices

    @cached_property
    def _runs(self) -> list[Run]:
        return [
            Run(
                f"{self._names[p.first]},{self._names[p.last]}",
                p.first,
                p.last,
                p.least,
                self.variables.segment[number],
                self._beats([number]),
            )
            for number, p in enumerate(self.sets.segments)
        ]

    def _point_of_ratios(self, schedule: Schedule) -> Iterator[tuple[Variable, int]]:
        """A value for every variable of compression."""
        if self._reduction is not None and self._given is not None:
            choices = self._reduction.choices(schedule)
            own = {(part.first, part.last) for part in schedule.segments if not part.tiled}
            numbers = [p for p, run in enumerate(self._runs) if (run.first, run.last) in own]
            yield from self._ratio_values(choices)
            yield from self._spared_values(choices, numbers)
