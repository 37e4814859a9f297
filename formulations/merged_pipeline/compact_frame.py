"""What the constraint families of the compact model share: variables, expressions, names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement

import numpy as np

from formulations.merged_pipeline.charges import Charge, What, charges, without_open
from formulations.merged_pipeline.compact_horizon import Reach, Scope, cut, possible
from formulations.merged_pipeline.compact_variables import Declaration, Variables
from formulations.merged_pipeline.crossings import Window, crossings
from formulations.merged_pipeline.ratio_families import Ratios
from formulations.modellers import Expression, Modeller, Rule, Variable, label
from instances.instance import Instance
from instances.ratio_tables import costliest, relaxed
from instances.tables import Ints
from schedules.goal import Flags


class Frame(Ratios):
    """The variables of the model, and the terms in which its families are written.

    `_tables` are costs that no choice of ratios undercuts, `_plain` those without compression.

    Attributes:
        charged: what choices of ratios charge to layers, and its variable.
    """

    variables: Variables

    def __init__(self, instance: Instance, modeller: Modeller, scope: Scope) -> None:
        self.modeller = modeller
        self._declare_ratios(instance)
        self._plain, largest, least = instance.tables, costliest(instance), relaxed(instance)
        tables = least.tables
        self._instance, self._batch = instance, instance.batch
        self._scope, self._goal = scope, scope.goal
        self._layers, _, self._chiplets = tables.shape
        everything = crossings(largest, scope.counts_energy)
        self._horizon = Reach(least, largest, everything, scope).horizon()
        coded: list[Charge] = []
        if self._given is not None:
            coded = list(charges(tables, self._given, scope.counts_energy))
            tables = without_open(tables, self._given)
        self._tables = tables
        self._crossings = crossings(tables, scope.counts_energy)
        self._possible = np.ones(tables.shape, dtype=np.bool_)
        if "horizon" in scope.families:
            self._possible = possible(tables, self._horizon, scope.counts_energy)
        self._refuse_overflow(coded)
        declaration = Declaration(modeller, tables, largest, self._crossings, self._horizon)
        self.variables = declaration.variables(
            count_clusters=scope.goal.clusters is not None,
            count_energy=scope.counts_energy,
            more=[charge.window for charge in coded],
            whole=self._given is not None,
        )
        self.charged = [(charge, self._charge(charge)) for charge in coded]
        self.latency: Expression = int(tables.loads[-1]) + self._beats()
        self.energy: Expression | None = self._total_energy() if scope.counts_energy else None

    # Expressions

    def _mode_sum(self, layer: int, cost: Ints) -> Expression:
        """sum_{o,c} cost[o,c] p[l,o,c], from the largest cost down.

        As exactly one of the layer's p and t is 1, the sum is
        most (1 - t) - sum_{o,c} (most - cost[o,c]) p[l,o,c], whose upper bound is a real cost and
        not the sum of all of them: what conditions cost in a linear model depends on it. Modes
        that are not possible have no cost.
        """
        modes = [mode for row in self.variables.mode[layer] for mode in row]
        return self._from_the_largest(layer, modes, cost, self._possible[layer])

    def _region_sum(self, layer: int, cost: Ints) -> Expression:
        """sum_c cost[c] z[l,c], likewise."""
        regions, any_option = self.variables.region[layer], self._possible[layer].any(axis=0)
        return self._from_the_largest(layer, regions, cost, any_option)

    def _from_the_largest(
        self, layer: int, choices: list[Variable], cost: Ints, possible: Flags
    ) -> Expression:
        most = int(cost.max(initial=0, where=possible))
        costs = np.where(possible, cost, most).ravel().tolist()
        less = [(choice, own - most) for choice, own in zip(choices, costs, strict=True)]
        less = [(choice, weight) for choice, weight in less if weight]
        # Nothing but zeros leaves no term at all.
        tiled = [(self.variables.tiled[layer], -most)] if most else []
        return self._sum(less + tiled) + most

    def _sum(self, terms: list[tuple[Variable, int]]) -> Expression:
        return self.modeller.sum([term for term, _ in terms], [weight for _, weight in terms])

    def _size(self, layer: int) -> Expression:
        """Chiplets of the layer's region: sum_c c z[l,c]; all of them if it is tiled."""
        v = self.variables
        sizes = [(region, c) for c, region in enumerate(v.region[layer], start=1)]
        return self._sum([*sizes, (v.tiled[layer], self._chiplets)])

    def _crossed(self, window: Window) -> Variable:
        """The variable 'a cluster begins at one of the layers i..j'."""
        first, last = window
        begins = self.variables.cluster_begins
        if first == 0:
            return begins[0]
        if last == self._layers:
            return begins[last]
        return begins[first] if first == last else self.variables.windows[window]

    def _beats(self) -> Expression:
        """sum_l (m-1) steady[l] + fill[l] = the sum of (m+K-1) beat over the segments.

        Where something may be compressed, and the loads of its coders.
        """
        v = self.variables
        steady = [(beat, self._batch - 1) for beat in v.steady] if self._batch > 1 else []
        loads = [(charged, 1) for charged in self._charges("load")]
        return self._sum([*steady, *((beat, 1) for beat in v.fill), *loads])

    def _charge(self, charge: Charge) -> Variable:
        """The variable of a charge."""
        horizon, names = self._horizon, self._tables.layers
        largest = {"cycles": horizon.beat, "bytes": horizon.memory, "energy": horizon.energy}
        most = int(charge.costs.max())
        place = names[charge.producer], names[charge.layer]
        name = label(f"coded_{charge.what}", *place)
        return self.modeller.quantity(0, min(most, largest.get(charge.what, most)), name)

    def _charges(self, what: What, layer: int | None = None) -> list[Variable]:
        """The charges of one sort, of all layers or of one."""
        return [
            variable
            for charge, variable in self.charged
            if charge.what == what and layer in (None, charge.layer)
        ]

    def _skip_cycles(self, layer: int) -> Expression:
        """Cycles of skip tensors that are received or sent at a layer."""
        v = self.variables
        skips = [received for (_, at), received in v.received.items() if at == layer]
        skips += [sent for (at, _), sent in v.sent.items() if at == layer]
        return self.modeller.sum([*skips, *self._charges("cycles", layer)])

    def _alone_cycles(self, layer: int) -> Expression:
        """alone[l] t[l]."""
        alone = max(0, int(self._cycles(self._tables.alone)[layer]))
        return alone * self.variables.tiled[layer]

    def _may_tile(self) -> dict[int, Variable]:
        return dict(enumerate(self.variables.tiled))

    def _total_energy(self) -> Expression:
        """All loads, m samples, and leakage times latency."""
        energy, costs = self.variables.energy, self._tables.energy
        assert energy is not None
        items = [*energy.layer, *energy.exit, *energy.dram]
        items += [*energy.received.values(), *energy.sent.values(), *self._charges("energy")]
        once = self._charges("load_energy")
        weights = [self._batch] * len(items) + [1] * len(once)
        sample = self.modeller.sum([*items, *once], weights)
        return sum(costs.load.tolist()) + sample + costs.leakage * self.latency

    def _cycles(self, table: Ints) -> Ints:
        return cut(table, self._horizon.beat)

    def _bytes(self, table: Ints) -> Ints:
        return cut(table, self._horizon.memory)

    def _picojoules(self, table: Ints) -> Ints:
        return cut(table, self._horizon.energy)

    # Segments

    def _segments(self, costs: Ints) -> Iterator[tuple[int, int, int]]:
        """(s, e, costs[s,e]) for all segments that cost something."""
        for first, last in combinations_with_replacement(range(self._layers), 2):
            if costs[first, last] > 0:
                yield first, last, int(costs[first, last])

    def _is_pipeline(self, first: int, last: int) -> tuple[list[Variable], list[Variable]]:
        """What is 1, and what is 0, if s..e is a segment and is not tiled."""
        v = self.variables
        ends = [v.segment_begins[first], v.segment_begins[last + 1]]
        tiled = [v.tiled[first]] if first == last else []
        return ends, [*v.segment_begins[first + 1 : last + 1], *tiled]

    # Names

    def _require(
        self,
        name: str,
        rule: Rule,
        when: Sequence[Variable] = (),
        unless: Sequence[Variable] = (),
    ) -> None:
        self.modeller.require(name, rule, when, unless)

    def _at(self, family: str, *layers: int) -> str:
        return label(family, *(self._tables.layers[layer] for layer in layers))

    def _refuse_overflow(self, coded: Sequence[Charge]) -> None:
        """The largest sums: of all modes at once, and of the objective's terms."""
        horizon, weights, costs = self._horizon, self._scope.weights, self._tables.energy
        modes, crossing = self._tables.entry.size, self._crossings
        beats = self._batch * (horizon.beat + 1)
        latency = int(self._tables.loads[-1]) + 2 * self._layers * beats
        latency += sum(int(charge.costs.max()) for charge in coded if charge.what == "load")
        items = (
            len(coded) + 3 * self._layers + len(crossing.enter_energy) + len(crossing.leave_energy)
        )
        sample = items * self._batch * horizon.energy
        energy = sum(costs.load.tolist()) + sample + costs.leakage * latency
        energy += sum(int(charge.costs.max()) for charge in coded if charge.what == "load_energy")
        self.modeller.expect("a sum of cycles", max(latency, modes * beats))
        self.modeller.expect("a sum of bytes", modes * (horizon.memory + 1))
        if self._scope.counts_energy:
            self.modeller.expect("a sum of picojoules", max(energy, modes * (horizon.energy + 1)))
        objective = weights.latency * latency + weights.energy * energy
        self.modeller.expect("the objective", objective)
