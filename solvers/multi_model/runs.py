"""All runs of one model that an optimum may have, by units and by set of chiplets.

Stages are laid one after the other. What is known of the stages so far, all but the last one
finished, is a label: sum, the cycles that count once; slowest, the slowest stage; and energy. Of
labels at the same cut, on the same chiplets, with the same last chiplet and the same next one, only
those are kept that no other one beats in all three.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from instances.cost.jobs import StageCosts, WorkloadCosts
from instances.jit import compiled, lean
from instances.tables import Ints
from schedules.windows.goal import WindowGoal
from schedules.windows.schedule import Run, Stage
from solvers.multi_model.fronts import Fronts, closed, gather


class Weights(NamedTuple):
    """How a run's time follows from its stages: loads, times and the slowest one.

    Attributes:
        load, time: how often each stage's cycles count.
        slowest: how often the slowest stage's cycles count.
        energy: whether energy counts, 1 or 0.
    """

    load: int
    time: int
    slowest: int
    energy: int


def weights_of(goal: WindowGoal, rounds: int, period: bool) -> Weights:
    """For a run's latency, or for its period."""
    energy = int(goal.objective in ("energy", "edp"))
    if period:
        return Weights(0, 0, rounds, 0)
    return Weights(1, 1, rounds - 1, energy) if goal.pipelined else Weights(1, rounds, 0, energy)


@dataclass(frozen=True)
class RunTable:
    """Runs of one model from one unit on.

    Attributes:
        fronts: by the unit after the last one: a front for each set of chiplets, its subsets
            included. `left` of a point is its number in `origins`.
        origins: [points, 2] mini-batch, and number of the last label.
    """

    fronts: dict[int, Fronts]
    origins: Ints


class Runs:
    """All runs of one model.

    Args:
        costs: those of the workload.
        job: number of the model.
        goal: what is minimised.
        period: whether a run's time is its period.
    """

    def __init__(
        self, costs: WorkloadCosts, job: int, goal: WindowGoal, period: bool = False
    ) -> None:
        self._costs, self._job, self._goal, self._period = costs, job, goal, period
        self.units = costs.workload.jobs[job].units
        self._tables: dict[int, RunTable] = {}

    def build(self, first: int) -> None:
        """Find the runs from a unit on; `fronts` and `run` ask for no others."""
        sets = 2 ** len(self._costs.package.tiles)
        ends, points, origins = [], [], []
        for mini_batch in self._costs.workload.jobs[self._job].mini_batches:
            labels = self._labels(first, mini_batch)
            keys = labels.until * sets + labels.used
            own = gather(keys, labels.time, labels.total, labels.label, (self.units + 1) * sets)
            ends.append(np.repeat(np.arange(len(own.ends) - 1), np.diff(own.ends)))
            points.append(np.array([own.time, own.energy]))
            origins.append(np.array([np.full(len(own.left), mini_batch), own.left]))
        key, point = np.concatenate(ends), np.concatenate(points, axis=1)
        origin = np.concatenate(origins, axis=1).T
        fronts = {}
        for until in range(first + 1, self.units + 1):
            own = key // sets == until
            numbers = np.nonzero(own)[0]
            found = gather(key[own] % sets, point[0, own], point[1, own], numbers, sets)
            fronts[until] = closed(found)
        self._tables[first] = RunTable(fronts, origin)

    def fronts(self, first: int, until: int) -> Fronts:
        """Times and energies of all runs of units first to until - 1."""
        return self._tables[first].fronts[until]

    def run(self, first: int, until: int, number: int) -> Run:
        """The run of units first to until - 1 with a number that the fronts' `left` tells."""
        mini_batch, label = self._tables[first].origins[number].tolist()
        labels = self._labels(first, mini_batch)
        tiles, stages = self._costs.package.tiles, []
        end = until
        while label >= 0:
            cut, chiplet, before = labels.states[:, label].tolist()
            stages.append(Stage(cut, end - 1, tiles[chiplet]))
            label, end = before, cut
        return Run(self._job, mini_batch, tuple(reversed(stages)))

    def _labels(self, first: int, mini_batch: int) -> Labels:
        tables = self._costs.jobs[self._job].stages(mini_batch)
        weights = weights_of(self._goal, tables.rounds, self._period)
        return Labels(*_all_runs(tables_of(tables), weights, first))


class Labels(NamedTuple):
    """What `_all_runs` finds: runs, and the labels that they end with.

    Attributes:
        until, used, time, total: [runs] the unit after the last one, set of chiplets, cycles,
            picojoules.
        label: [runs] number of the label before the last stage; it knows the stages before.
        states: [3,labels] cut, chiplet of the stage that follows, number of the label before.
    """

    until: Ints
    used: Ints
    time: Ints
    total: Ints
    label: Ints
    states: Ints


class Arrays(NamedTuple):
    """`StageCosts` for a kernel."""

    time: Ints
    load: Ints
    energy: Ints
    dram: Ints
    dram_energy: Ints
    hop: Ints
    hop_energy: Ints


def tables_of(costs: StageCosts) -> Arrays:
    """The arrays of cost tables."""
    return Arrays(
        *(np.ascontiguousarray(getattr(costs, name), dtype=np.int64) for name in Arrays._fields)
    )


CUT, USED, LAST, NEXT, SUM, SLOWEST, ENERGY, BEFORE, LINK, DEAD = range(10)
"""Rows of a kernel's labels."""


class Label(NamedTuple):
    """What is known of the stages before a cut.

    Attributes:
        cut: the first unit after them.
        used: the set of chiplets, that of the stage after the cut included.
        last, next: chiplets on both sides of the cut.
        sum, slowest, energy: of the stages before.
        before: number of the label without the last of them; -1 if there are none.
    """

    cut: int
    used: int
    last: int
    next: int
    sum: int
    slowest: int
    energy: int
    before: int


@lean
def _state(label: Label, chiplets: int) -> int:
    """A number for what labels are compared by."""
    place = (label.cut << chiplets) + label.used
    return (place * (chiplets + 1) + label.last) * chiplets + label.next


@compiled
def _all_runs(
    tables: Arrays, weights: Weights, first: int
) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
    """`Labels` of all runs from a unit on, those that other runs with the same units beat included.

    Chiplet number C stands for DRAM.
    """
    chiplets, units = tables.time.shape[0], tables.time.shape[1]
    sets = 1 << chiplets
    heads = np.full((units + 1) * sets * (chiplets + 1) * chiplets, -1, dtype=np.int32)
    labels = np.empty((10, 1024), dtype=np.int64)
    ends = np.empty((5, 1024), dtype=np.int64)
    count = found = 0
    for chiplet in range(chiplets):
        label = Label(first, 1 << chiplet, chiplets, chiplet, 0, 0, 0, -1)
        labels, count = _insert(labels, count, heads, _state(label, chiplets), label)
    at = 0
    while at < count:
        if labels[DEAD, at]:
            at += 1
            continue
        cut, used, last, own = labels[CUT, at], labels[USED, at], labels[LAST, at], labels[NEXT, at]
        came = tables.dram[own, cut] if last == chiplets else tables.hop[last, own, cut]
        paid = (
            tables.dram_energy[own, cut] if last == chiplets else tables.hop_energy[last, own, cut]
        )
        for end in range(cut + 1, units + 1):
            load = weights.load * tables.load[own, cut, end - 1]
            inside = came + tables.time[own, cut, end - 1]
            energy = labels[ENERGY, at] + paid + tables.energy[own, cut, end - 1]
            time = inside + tables.dram[own, end]
            slowest = max(labels[SLOWEST, at], time)
            total = labels[SUM, at] + load + weights.time * time + weights.slowest * slowest
            if found == ends.shape[1]:
                ends = _doubled(ends)
            ends[0, found], ends[1, found], ends[2, found] = end, used, total
            ends[3, found] = weights.energy * (energy + tables.dram_energy[own, end])
            ends[4, found] = at
            found += 1
            if end == units:
                continue
            for after in range(chiplets):
                if used >> after & 1:
                    continue
                time = inside + tables.hop[own, after, end]
                label = Label(
                    end,
                    used | 1 << after,
                    own,
                    after,
                    labels[SUM, at] + load + weights.time * time,
                    max(labels[SLOWEST, at], time) if weights.slowest else 0,
                    weights.energy * energy,
                    at,
                )
                labels, count = _insert(labels, count, heads, _state(label, chiplets), label)
        at += 1
    states = np.empty((3, count), dtype=np.int64)
    states[0], states[1] = labels[CUT, :count], labels[NEXT, :count]
    states[2] = labels[BEFORE, :count]
    return (
        ends[0, :found].copy(),
        ends[1, :found].copy(),
        ends[2, :found].copy(),
        ends[3, :found].copy(),
        ends[4, :found].copy(),
        states,
    )


@compiled
def _insert(labels: Ints, count: int, heads: Ints, state: int, label: Label) -> tuple[Ints, int]:
    """Add a label unless another one of its state beats it; those that it beats are dead."""
    before, at = -1, heads[state]
    while at >= 0:
        after = labels[LINK, at]
        worse = better = True
        for row, value in ((SUM, label.sum), (SLOWEST, label.slowest), (ENERGY, label.energy)):
            worse = worse and labels[row, at] <= value
            better = better and labels[row, at] >= value
        if worse:
            return labels, count
        if better:
            labels[DEAD, at] = 1
            if before < 0:
                heads[state] = after
            else:
                labels[LINK, before] = after
        else:
            before = at
        at = after
    if count == labels.shape[1]:
        labels = _doubled(labels)
    labels[CUT, count], labels[USED, count] = label.cut, label.used
    labels[LAST, count], labels[NEXT, count] = label.last, label.next
    labels[SUM, count], labels[SLOWEST, count] = label.sum, label.slowest
    labels[ENERGY, count], labels[BEFORE, count] = label.energy, label.before
    labels[LINK, count], labels[DEAD, count] = heads[state], 0
    heads[state] = count
    return labels, count + 1


@compiled
def _doubled(old: Ints) -> Ints:
    found = np.empty((old.shape[0], 2 * old.shape[1]), dtype=np.int64)
    found[:, : old.shape[1]] = old
    return found
