"""How large the quantities of the compact model can be: its domains, and so its big-Ms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from formulations.merged_pipeline.crossings import Crossings
from instances.instance import Instance
from instances.tables import CostTables, Ints
from schedules.goal import Flags, Goal, Weights

LARGEST = int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class Horizon:
    """What no schedule of interest exceeds.

    Attributes:
        beat: cycles of a segment's beat.
        memory: bytes that a cluster needs.
        energy: picojoules of one sample; 0 where energy decides nothing.
    """

    beat: int
    memory: int
    energy: int


@dataclass(frozen=True)
class Scope:
    """What the model asks for, as far as it limits the quantities.

    Attributes:
        goal, weights: conditions and objective.
        limit: a weighted cost that a schedule is known to reach, None if none is.
        families: those that are built; what another one would forbid stays possible.
        counts_energy: whether energy decides anything.
    """

    goal: Goal
    weights: Weights
    limit: int | None
    families: Sequence[str]

    @property
    def counts_energy(self) -> bool:
        """Whether energy decides anything."""
        return self.goal.needs_energy or self.weights.energy > 0


class Reach:
    """Finds the horizon of an instance.

    Args:
        instance: its tables are lower bounds on all costs.
        largest: tables that are upper bounds, the same unless something may be compressed.
        crossing: the skip tensors of these.
    """

    def __init__(
        self, instance: Instance, largest: CostTables, crossing: Crossings, scope: Scope
    ) -> None:
        self._tables, self._batch = instance.tables, instance.batch
        self._largest, self._crossing, self._scope = largest, crossing, scope

    def horizon(self) -> Horizon:
        """The smallest limits that can be told from the tables."""
        return Horizon(
            beat=self._beat(),
            memory=self._memory(),
            energy=self._energy() if self._scope.counts_energy else 0,
        )

    def _beat(self) -> int:
        """All costs of a stage together, or what the latency leaves for m beats of a segment."""
        tables, crossing = self._largest, self._crossing
        stage = _sum(most(np.maximum(tables.entry, tables.step.max(axis=1))), most(tables.exit))
        stage += sum(
            int(cost.max()) for cost in (*crossing.enter.values(), *crossing.leave.values())
        )
        longest = max(stage, int(tables.io.max()), int(tables.alone.max()))
        latency = self._latency()
        if latency is None:
            return longest
        return min(longest, max(0, latency - _sum(tables.load)) // self._batch)

    def _memory(self) -> int:
        """All sizes together, or the buffer."""
        tables = self._largest
        largest = _sum(most(tables.resident), most(tables.working))
        largest += sum(int(size.max()) for size in self._crossing.hold.values())
        return min(largest, tables.capacity) if "capacity" in self._scope.families else largest

    def _energy(self) -> int:
        """The costliest item of a sample, or what the energy leaves for a sample."""
        costs, crossing = self._largest.energy, self._crossing
        skips = (*crossing.enter_energy.values(), *crossing.leave_energy.values())
        items = (costs.entry, costs.step, costs.exit, costs.io, costs.alone, *skips)
        costliest = max(int(item.max()) for item in items)
        energy = self._total_energy()
        if energy is None:
            return costliest
        fixed = _sum(costs.load) + costs.leakage * self._least_latency
        return min(costliest, max(0, energy - fixed) // self._batch)

    def _latency(self) -> int | None:
        """Cycles that no schedule of interest exceeds; None if nothing says so."""
        scope, leakage = self._scope, self._tables.energy.leakage
        found = []
        if "caps" in scope.families:
            if scope.goal.latency_cap is not None:
                found.append(scope.goal.latency_cap)
            if scope.goal.energy_cap is not None and leakage > 0:
                found.append((scope.goal.energy_cap - self._least_energy) // leakage)
        a_cycle = scope.weights.latency + scope.weights.energy * leakage
        if scope.limit is not None and a_cycle > 0:
            found.append((scope.limit - scope.weights.energy * self._least_energy) // a_cycle)
        return min(found, default=None)

    def _total_energy(self) -> int | None:
        """Picojoules that no schedule of interest exceeds; None if nothing says so."""
        scope = self._scope
        found = []
        if "caps" in scope.families and scope.goal.energy_cap is not None:
            found.append(scope.goal.energy_cap)
        if scope.limit is not None and scope.weights.energy > 0:
            rest = scope.limit - scope.weights.latency * self._least_latency
            found.append(rest // scope.weights.energy)
        return min(found, default=None)

    @cached_property
    def _least_latency(self) -> int:
        """Cycles below which no schedule ends: all loads, and m times the slowest layer."""
        return _sum(self._tables.load) + self._batch * int(least_beats(self._tables).max())

    @cached_property
    def _least_energy(self) -> int:
        """Picojoules below which no schedule stays, without leakage."""
        tables = self._tables
        layers = least_energies(tables).min(axis=(1, 2))
        cheapest = np.where(tables.alone < 0, layers, np.minimum(layers, tables.energy.alone))
        return _sum(tables.energy.load) + self._batch * _sum(cheapest)


def possible(tables: CostTables, horizon: Horizon, energy: bool) -> Flags:
    """[L,O,C] modes that do not exceed the horizon on their own."""
    memory = cut(tables.resident, horizon.memory) + cut(tables.working, horizon.memory)
    fits = (least_times(tables) <= horizon.beat) & (memory <= horizon.memory)
    return fits & (least_energies(tables) <= horizon.energy) if energy else fits


def most(table: Ints) -> Ints:
    """[L] the largest entry of each layer."""
    return table.reshape(len(table), -1).max(axis=1)


def cut(table: Ints, largest: int) -> Ints:
    """Numbers cut off just beyond the largest: they exclude a mode, however far beyond."""
    return np.minimum(table, min(largest + 1, LARGEST))


def least_times(tables: CostTables) -> Ints:
    """[L,O,C] the least that a layer can add to its stage: entry, or step after any option."""
    return _entry_or_step(tables.entry, tables.step)


def least_energies(tables: CostTables) -> Ints:
    """[L,O,C] the least that a layer can add to the energy of a sample, likewise."""
    return _entry_or_step(tables.energy.entry, tables.energy.step)


def least_beats(tables: CostTables) -> Ints:
    """[L] the shortest stage that can hold the layer, tiled or not."""
    fastest = least_times(tables).min(axis=(1, 2))
    least: Ints = np.where(tables.alone < 0, fastest, np.minimum(fastest, tables.alone))
    return least


def _entry_or_step(entry: Ints, step: Ints) -> Ints:
    least: Ints = np.minimum(entry, step.min(axis=1))
    least[0] = entry[0]  # nothing comes before it: its steps mean nothing
    return least


def _sum(*tables: Ints) -> int:
    """The sum of all entries, however large."""
    return sum(sum(table.ravel().tolist()) for table in tables)
