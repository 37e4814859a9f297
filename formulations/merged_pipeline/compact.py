"""The merged pipeline as a compact CP-SAT model: boundaries, regions, options, running sums.

Sets: layers l in 0..L-1, options o, region sizes c in 1..C. Every schedule is a point of the model
and every optimal point of the model is a schedule of the same latency; docs/problem.md states the
problem that is modelled. `Compact.model` and `Compact.variables` are open: add constraints of your
own before you solve.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np
from ortools.sat.python.cp_model import (
    BoundedLinearExpression,
    CpModel,
    IntVar,
    LinearExpr,
    LiteralT,
)

from formulations.merged_pipeline.compact_points import Solution, point_of, schedule_of
from formulations.merged_pipeline.compact_variables import declare, label, least_times
from formulations.merged_pipeline.crossings import Window, crossings
from instances.instance import Instance
from instances.tables import Ints
from schedules.schedule import Schedule

FAMILIES = (
    "one_mode",
    "marginals",
    "boundaries",
    "one_region",
    "tiled_alone",
    "package",
    "windows",
    "receiving",
    "sending",
    "stage_time",
    "waiting",
    "resident",
    "momentary",
    "capacity",
    "one_beat",
    "slowest_stage",
    "dram",
    "batch",
    "area",
)
"""The constraint families in the order in which they are built; each is a method of `Compact`."""

OVERFLOW = 2**60
"""No sum in a CP-SAT model may reach this."""


class Compact:
    """The compact model of an instance.

    Attributes:
        model: the CP-SAT model, ready to be solved.
        variables: its variables.

    Args:
        upper: a latency in cycles that some schedule is known to reach: domains shrink to it.
            Leave it out if you add constraints that this schedule may break.
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
        tables = instance.tables
        self.model = CpModel()
        self._instance = instance
        self._tables, self._batch = tables, instance.batch
        self._layers, _, self._chiplets = tables.shape
        self._load = int(tables.loads[-1])
        self._crossings = crossings(tables)
        self._horizon = self._longest_beat(upper)
        self._buffer = self._largest_need()
        self.variables = declare(self.model, tables, self._crossings, self._horizon, self._buffer)
        for family in families:
            getattr(self, family)()
        self._minimize_latency()

    def hint(self, schedule: Schedule) -> None:
        """Suggest a schedule to the solver: a value for every variable. Replaces an older hint."""
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        for variable, value in point_of(schedule, self._instance, self._crossings, self.variables):
            self.model.add_hint(variable, value)

    def extract(self, solution: Solution) -> Schedule:
        """The schedule of a solution; ask only a solver that has one."""
        return schedule_of(solution, self._tables.options, self.variables)

    def _longest_beat(self, upper: int | None) -> int:
        """No schedule of interest has a longer beat: all costs together, or (upper - loads) / m."""
        tables, crossing = self._tables, self._crossings
        layers = np.maximum(tables.entry, tables.step.max(axis=1))
        stage = _sum_of_largest(layers, tables.exit)
        stage += _sum_of_largest(*crossing.enter.values(), *crossing.leave.values())
        longest = max(stage, int(tables.io.max()), int(tables.alone.max()))
        if upper is not None:
            longest = min(longest, max(0, upper - self._load) // self._batch)
        _refuse_overflow("cycles", tables.entry.size * self._batch * (longest + 1))
        return longest

    def _largest_need(self) -> int:
        """No cluster needs more bytes: all sizes together, or the buffer."""
        tables = self._tables
        largest = _sum_of_largest(tables.resident, tables.working, *self._crossings.hold.values())
        _refuse_overflow("bytes", tables.entry.size * (min(largest, tables.capacity) + 1))
        return min(largest, tables.capacity)

    def _cycles(self, table: Ints) -> Ints:
        """Costs cut off just beyond the horizon: they exclude a mode, however far beyond."""
        return np.minimum(table, self._horizon + 1)

    def _bytes(self, table: Ints) -> Ints:
        """Sizes cut off just beyond the buffer, likewise."""
        return np.minimum(table, self._buffer + 1)

    # Expressions

    def _mode_sum(self, layer: int, cost: Ints) -> LinearExpr:
        """sum_{o,c} cost[o,c] p[l,o,c]."""
        modes = [mode for row in self.variables.mode[layer] for mode in row]
        return LinearExpr.weighted_sum(modes, cost.ravel().tolist())

    def _region_sum(self, layer: int, cost: Ints) -> LinearExpr:
        """sum_c cost[c] z[l,c]."""
        return LinearExpr.weighted_sum(self.variables.region[layer], cost.tolist())

    def _size(self, layer: int) -> LinearExpr:
        """Chiplets of the layer's region: sum_c c z[l,c]; all of them if it is tiled."""
        sizes = np.arange(1, self._chiplets + 1)
        return self._region_sum(layer, sizes) + self._chiplets * self.variables.tiled[layer]

    def _crossed(self, window: Window) -> IntVar:
        """The literal 'a cluster begins at one of the layers i..j'."""
        first, last = window
        begins = self.variables.cluster_begins
        if first == 0:
            return begins[0]
        if last == self._layers:
            return begins[last]
        return begins[first] if first == last else self.variables.windows[window]

    def _require(
        self, name: str, rule: BoundedLinearExpression | bool, *conditions: LiteralT
    ) -> None:
        constraint = self.model.add(rule)
        constraint.with_name(name)
        if conditions:
            constraint.only_enforce_if(*conditions)

    def _at(self, family: str, *layers: int) -> str:
        return label(family, *(self._tables.layers[layer] for layer in layers))

    # Constraint families

    def one_mode(self) -> None:
        """sum_{o,c} p[l,o,c] + t[l] = 1: an option and a region size for each layer, or tiled."""
        v = self.variables
        for layer, rows in enumerate(v.mode):
            modes = (mode for row in rows for mode in row)
            self.model.add_exactly_one(*modes, v.tiled[layer]).with_name(
                self._at("one_mode", layer)
            )

    def marginals(self) -> None:
        """x[l,o] = sum_c p[l,o,c]; z[l,c] = sum_o p[l,o,c]."""
        v = self.variables
        for layer, rows in enumerate(v.mode):
            for option, row in zip(v.option[layer], rows, strict=True):
                self._require(self._at("option", layer), option == LinearExpr.sum(row))
            for region, column in zip(v.region[layer], zip(*rows, strict=True), strict=True):
                self._require(self._at("region", layer), region == LinearExpr.sum(column))

    def boundaries(self) -> None:
        """b[l] <= a[l]; both are 1 at layer 0 and at the end of the network."""
        v = self.variables
        for segment, cluster in zip(v.segment_begins, v.cluster_begins, strict=True):
            self.model.add_implication(segment, cluster)
        for end in (0, self._layers):
            self.model.add_bool_and(v.segment_begins[end], v.cluster_begins[end])

    def one_region(self) -> None:
        """z[l,c] = z[l-1,c] unless a[l]: a cluster runs on one region."""
        v = self.variables
        for layer in range(1, self._layers):
            for before, own in zip(v.region[layer - 1], v.region[layer], strict=True):
                self._require(
                    self._at("one_region", layer), before == own, ~v.cluster_begins[layer]
                )

    def tiled_alone(self) -> None:
        """t[l] <= b[l], t[l] <= b[l+1]; t[l] = 0 where no tile fits."""
        v = self.variables
        for layer, tiled in enumerate(v.tiled):
            self.model.add_implication(tiled, v.segment_begins[layer])
            self.model.add_implication(tiled, v.segment_begins[layer + 1])
            if self._tables.alone[layer] < 0:
                self.model.add_bool_and(~tiled)

    def package(self) -> None:
        """U[l] <= C for the chiplets given out: a segment's regions are disjoint.

        U[l] = size[l] if b[l]; U[l-1] + size[l] if a[l] and not b[l]; U[l-1] if not a[l].
        """
        v = self.variables
        for layer, used in enumerate(v.used):
            name, size = self._at("package", layer), self._size(layer)
            segment, cluster = v.segment_begins[layer], v.cluster_begins[layer]
            self._require(name, used == size, segment)
            if layer > 0:
                self._require(name, used == v.used[layer - 1] + size, cluster, ~segment)
                self._require(name, used == v.used[layer - 1], ~cluster)

    def windows(self) -> None:
        """w[i,j] = max(a[i], ..., a[j])."""
        v = self.variables
        for (first, last), window in v.windows.items():
            begins = v.cluster_begins[first : last + 1]
            self.model.add_bool_or(*begins, ~window)
            for begin in begins:
                self.model.add_implication(begin, window)

    def receiving(self) -> None:
        """received[i,v] >= sum_{o,c} enter[i,v,o,c] p[v,o,c] if w[i,v]."""
        for window, received in self.variables.received.items():
            cost = self._mode_sum(window[1], self._cycles(self._crossings.enter[window]))
            name = self._at("receiving", window[1])
            self._require(name, received >= cost, self._crossed(window))

    def sending(self) -> None:
        """sent[l,j] >= sum_c leave[l,j,c] z[l,c] if w[l+1,j] and not a[l]."""
        for (layer, last), sent in self.variables.sent.items():
            cost = self._region_sum(layer, self._cycles(self._crossings.leave[layer, last]))
            inside = ~self.variables.cluster_begins[layer]
            opened = self._crossed((layer + 1, last))
            self._require(self._at("sending", layer), sent >= cost, inside, opened)

    def stage_time(self) -> None:
        """T[l] >= own + received[.,l] + sent[l,.], plus T[l-1] inside a cluster.

        own = sum_{o,c} entry[l,o,c] p[l,o,c] + alone[l] t[l] if a[l];
        own = sum_{o,c} step[l,q,o,c] p[l,o,c] if not a[l] and x[l-1,q], for each option q.
        """
        v, tables = self.variables, self._tables
        for layer, time in enumerate(v.time):
            name, begins = self._at("stage_time", layer), v.cluster_begins[layer]
            skips = [received for (_, at), received in v.received.items() if at == layer]
            skips += [sent for (at, _), sent in v.sent.items() if at == layer]
            extra = LinearExpr.sum(skips)
            alone = int(self._cycles(tables.alone)[layer]) * v.tiled[layer]
            entry = self._mode_sum(layer, self._cycles(tables.entry[layer]))
            self._require(name, time >= entry + alone + extra, begins)
            if layer == 0:
                continue
            for before, option in enumerate(v.option[layer - 1]):
                step = self._mode_sum(layer, self._cycles(tables.step[layer, before]))
                rule = time >= v.time[layer - 1] + step + extra
                self._require(name, rule, ~begins, option)

    def waiting(self) -> None:
        """waiting[i,l] >= sum_c hold[i,l,c] z[l,c] unless w[i,l]."""
        for window, waiting in self.variables.waiting.items():
            layer = window[1]
            size = self._region_sum(layer, self._bytes(self._crossings.hold[window]))
            name = self._at("waiting", layer)
            self._require(name, waiting >= size, ~self._crossed(window))

    def resident(self) -> None:
        """R[l] >= sum_{o,c} resident[l,o,c] p[l,o,c], plus R[l-1] unless a[l]."""
        v = self.variables
        for layer, resident in enumerate(v.resident):
            own = self._mode_sum(layer, self._bytes(self._tables.resident[layer]))
            self._require(self._at("resident", layer), resident >= own)
            if layer > 0:
                rule = resident >= v.resident[layer - 1] + own
                self._require(self._at("resident", layer), rule, ~v.cluster_begins[layer])

    def momentary(self) -> None:
        """W[l] >= sum_{o,c} working[l,o,c] p[l,o,c] + waiting[.,l]; W[l] >= W[l-1] unless a[l]."""
        v = self.variables
        for layer, momentary in enumerate(v.momentary):
            own = self._mode_sum(layer, self._bytes(self._tables.working[layer]))
            waiting = LinearExpr.sum([w for (_, at), w in v.waiting.items() if at == layer])
            name = self._at("momentary", layer)
            self._require(name, momentary >= own + waiting)
            if layer > 0:
                rule = momentary >= v.momentary[layer - 1]
                self._require(name, rule, ~v.cluster_begins[layer])

    def capacity(self) -> None:
        """R[l] + W[l] <= M."""
        v = self.variables
        for layer in range(self._layers):
            rule = v.resident[layer] + v.momentary[layer] <= self._buffer
            self._require(self._at("capacity", layer), rule)

    def one_beat(self) -> None:
        """B[l] = B[l-1] unless b[l]: every stage of a segment advances once a beat."""
        v = self.variables
        for layer in range(1, self._layers):
            rule = v.beat[layer] == v.beat[layer - 1]
            self._require(self._at("one_beat", layer), rule, ~v.segment_begins[layer])

    def slowest_stage(self) -> None:
        """B[l] >= T[l], plus sum_{o,c} exit[l,o,c] p[l,o,c] if a[l+1]."""
        v = self.variables
        for layer, beat in enumerate(v.beat):
            name, ends = self._at("slowest_stage", layer), v.cluster_begins[layer + 1]
            exit_time = self._mode_sum(layer, self._cycles(self._tables.exit[layer]))
            self._require(name, beat >= v.time[layer])
            self._require(name, beat >= v.time[layer] + exit_time, ends)

    def dram(self) -> None:
        """B[e] >= io[s,e] if s..e is a segment and is not tiled."""
        v, io = self.variables, self._cycles(self._tables.io)
        for first, last in combinations_with_replacement(range(self._layers), 2):
            if io[first, last] == 0:
                continue
            inside = [~begins for begins in v.segment_begins[first + 1 : last + 1]]
            ends = v.segment_begins[first], v.segment_begins[last + 1], ~v.tiled[last]
            rule = v.beat[last] >= int(io[first, last])
            self._require(self._at("dram", first, last), rule, *ends, *inside)

    def batch(self) -> None:
        """fill[l] >= B[l] if a[l]; steady[l] >= B[l] if b[l]."""
        v = self.variables
        for layer, beat in enumerate(v.beat):
            name = self._at("batch", layer)
            self._require(name, v.fill[layer] >= beat, v.cluster_begins[layer])
            self._require(name, v.steady[layer] >= beat, v.segment_begins[layer])

    def area(self) -> None:
        """sum_l (m-1) steady[l] + fill[l] >= sum_{l,o,c} floor(m c least[l,o,c] / C) p + m alone t.

        Implied. least is the smaller of entry and all steps. A segment has C chiplets for at least
        m beats, and its layers occupy c chiplets for at least m * least cycles each.
        """
        v, tables = self.variables, self._tables
        sizes = np.arange(1, self._chiplets + 1)
        least = self._cycles(least_times(tables))
        shares = self._batch * sizes * least // self._chiplets
        alone = self._batch * np.maximum(self._cycles(tables.alone), 0)
        work = [self._mode_sum(layer, shares[layer]) for layer in range(self._layers)]
        tiled = LinearExpr.weighted_sum(v.tiled, alone.tolist())
        self._require("area", self._beats() >= LinearExpr.sum(work) + tiled)

    # Objective

    def _beats(self) -> LinearExpr:
        """sum_l (m-1) steady[l] + fill[l] = the sum of (m+K-1) beat over the segments."""
        v = self.variables
        return (self._batch - 1) * LinearExpr.sum(v.steady) + LinearExpr.sum(v.fill)

    def _minimize_latency(self) -> None:
        """Minimise the sum of all loads (each layer is in one segment) and all beats."""
        self.model.minimize(self._load + self._beats())


def _sum_of_largest(*tables: Ints) -> int:
    """Sum over the tables, and over each one's first axis, of the largest entry."""
    return sum(sum(table.reshape(len(table), -1).max(axis=1).tolist()) for table in tables)


def _refuse_overflow(unit: str, largest: int) -> None:
    if largest >= OVERFLOW:
        raise ValueError(
            f"the tables' numbers are too large for CP-SAT's 64-bit integers: sums of {unit} may"
            f" reach {largest:.1e}, the limit is {OVERFLOW:.1e}; use larger"
            " units, or method 'exact'"
        )
