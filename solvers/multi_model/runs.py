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

from instances.cost.jobs import MiniBatchCosts
from instances.jit import compiled, lean
from instances.tables import Ints
from schedules.windows.goal import WindowGoal
from schedules.windows.progress import WindowProgress
from schedules.windows.schedule import Run, Stage
from solvers.multi_model.fronts import Fronts, closed, gather

NO_CAP = 2**62


class Caps(NamedTuple):
    """What no run of a schedule that is better than a known one exceeds.

    Attributes:
        time: cycles of a run.
        energy: picojoules without leakage.
    """

    time: int = NO_CAP
    energy: int = NO_CAP


ANY = Caps()


class Weights(NamedTuple):
    """How a run's time follows from its stages: loads, times and the slowest one.

    Attributes:
        load, time: how often each stage's cycles count.
        slowest: how often the slowest stage's cycles count.
        energy: whether energy counts, 1 or 0.
        most_time, most_energy: what a run may take at most.
    """

    load: int
    time: int
    slowest: int
    energy: int
    most_time: int
    most_energy: int


def weights_of(goal: WindowGoal, rounds: int, period: bool, caps: Caps) -> Weights:
    """For a run's latency, or for its period."""
    energy = int(goal.objective in ("energy", "edp"))
    if period:
        return Weights(0, 0, rounds, 0, *caps)
    if goal.pipelined:
        return Weights(1, 1, rounds - 1, energy, *caps)
    return Weights(1, rounds, 0, energy, *caps)


class ExpiredError(Exception):
    """The time limit has passed."""


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
        progress: what is asked, and the clock.
        job: number of the model.
        period: whether a run's time is its period.
        caps: runs that exceed them are left out.
    """

    def __init__(
        self, progress: WindowProgress, job: int, *, period: bool, caps: Caps = ANY
    ) -> None:
        self._progress, self._job, self._period, self._caps = progress, job, period, caps
        self._costs = progress.costs
        self.units = self._costs.workload.jobs[job].units
        self._tables: dict[int, RunTable] = {}

    def build(self, first: int) -> None:
        """Find the runs from a unit on; `fronts` and `run` ask for no others.

        Raises:
            ExpiredError: the time limit has passed.
        """
        sets = 2 ** len(self._costs.package.tiles)
        found, origins = [], []
        for mini_batch in self._costs.workload.jobs[self._job].mini_batches:
            labels = self._labels(first, mini_batch)
            done = np.nonzero((labels[NEXT] == FINISHED) & (labels[DEAD] == 0))[0]
            found.append(labels[[CUT, USED, SUM, ENERGY]][:, done])
            origins.append(np.array([np.full(len(done), mini_batch), labels[BEFORE, done]]))
        cut, used, time, energy = np.concatenate(found, axis=1)
        fronts = {}
        for until in range(first + 1, self.units + 1):
            own = np.nonzero(cut == until)[0]
            fronts[until] = closed(gather(used[own], time[own], energy[own], own, sets))
        self._tables[first] = RunTable(fronts, np.concatenate(origins, axis=1).T)

    def fronts(self, first: int, until: int) -> Fronts:
        """Times and energies of all runs of units first to until - 1."""
        return self._tables[first].fronts[until]

    def run(self, first: int, until: int, number: int) -> Run:
        """The run of units first to until - 1 with a number that the fronts' `left` tells."""
        mini_batch, label = self._tables[first].origins[number].tolist()
        labels = self._labels(first, mini_batch)
        tiles, stages, end = self._costs.package.tiles, [], until
        while label >= 0:
            cut, chiplet, before = labels[[CUT, NEXT, BEFORE], label].tolist()
            stages.append(Stage(cut, end - 1, tiles[chiplet]))
            label, end = before, cut
        return Run(self._job, mini_batch, tuple(reversed(stages)))

    def _labels(self, first: int, mini_batch: int) -> Ints:
        """[10,labels] all labels from a unit on."""
        tables = self._costs.jobs[self._job].stages(mini_batch)
        weights = weights_of(self._progress.goal, tables.rounds, self._period, self._caps)
        labels, count, heads = _begin(tables, weights, first)
        at = 0
        while at < count:
            labels, count, at = _advance(tables, weights, labels, count, heads, at, CHUNK)
            if self._progress.expired:
                raise ExpiredError
        return labels[:, :count]


CUT, USED, LAST, NEXT, SUM, SLOWEST, ENERGY, BEFORE, LINK, DEAD = range(10)
"""Rows of a kernel's labels."""

FINISHED = -1
"""Stands for the next chiplet of a label that is a whole run: its sum is the run's time."""

CHUNK = 100_000
"""Labels between two looks at the clock."""


class Label(NamedTuple):
    """What is known of the stages before a cut.

    Attributes:
        cut: the first unit after them.
        used: the set of chiplets, that of the stage after the cut included.
        last, next: chiplets on both sides of the cut; number C stands for DRAM.
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
    """A number for what labels are compared by; whole runs regardless of their last chiplet."""
    place = (label.cut << chiplets) + label.used
    if label.next == FINISHED:
        return place * (chiplets + 1) * (chiplets + 1)
    return (place * (chiplets + 1) + label.last) * (chiplets + 1) + label.next + 1


@compiled
def _begin(tables: MiniBatchCosts, weights: Weights, first: int) -> tuple[Ints, int, Ints]:
    """Labels, how many, and the first of each state: runs that are about to begin."""
    chiplets, units = tables.time.shape[0], tables.time.shape[1]
    states = ((units + 1) << chiplets) * (chiplets + 1) * (chiplets + 1)
    heads = np.full(states, -1, dtype=np.int64)
    labels, count = np.empty((10, 1024), dtype=np.int64), 0
    for chiplet in range(chiplets):
        label = Label(first, 1 << chiplet, chiplets, chiplet, 0, 0, 0, -1)
        labels, count = _insert(labels, count, heads, label, chiplets)
    return labels, count, heads


@compiled
def _advance(
    tables: MiniBatchCosts,
    weights: Weights,
    labels: Ints,
    count: int,
    heads: Ints,
    at: int,
    chunk: int,
) -> tuple[Ints, int, int]:
    """Lay all stages that can follow labels, from one on; labels, how many, and where it ended."""
    chiplets, units = tables.time.shape[0], tables.time.shape[1]
    stop = at + chunk
    while at < min(count, stop):
        cut, used, last, own = labels[CUT, at], labels[USED, at], labels[LAST, at], labels[NEXT, at]
        if labels[DEAD, at] or own == FINISHED:
            at += 1
            continue
        came = tables.dram[own, cut] if last == chiplets else tables.hop[last, own, cut]
        paid = labels[ENERGY, at]
        if last == chiplets:
            paid += tables.dram_energy[own, cut]
        else:
            paid += tables.hop_energy[last, own, cut]
        for end in range(cut + 1, units + 1):
            before = labels[SUM, at] + weights.load * tables.load[own, cut, end - 1]
            inside = came + tables.time[own, cut, end - 1]
            energy = weights.energy * (paid + tables.energy[own, cut, end - 1])
            for after in range(chiplets + 1):
                out = after == chiplets
                if out:
                    time = inside + tables.dram[own, end]
                    energy_after = energy + weights.energy * tables.dram_energy[own, end]
                elif used >> after & 1 or end == units:
                    continue
                else:
                    time, energy_after = inside + tables.hop[own, after, end], energy
                sum_ = before + weights.time * time
                slowest = max(labels[SLOWEST, at], time) if weights.slowest else 0
                total = sum_ + weights.slowest * slowest
                if total > weights.most_time or energy_after > weights.most_energy:
                    continue
                if out:
                    label = Label(end, used, own, FINISHED, total, 0, energy_after, at)
                else:
                    both = used | 1 << after
                    label = Label(end, both, own, after, sum_, slowest, energy_after, at)
                labels, count = _insert(labels, count, heads, label, chiplets)
        at += 1
    return labels, count, at


@compiled
def _insert(labels: Ints, count: int, heads: Ints, label: Label, chiplets: int) -> tuple[Ints, int]:
    """Add a label unless another one of its state beats it; those that it beats are dead."""
    state = _state(label, chiplets)
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
