"""All runs of each model that can matter, listed with what they take.

Of runs of the same units, one that takes no more time, energy and chiplets than another makes the
other one superfluous: it can take its place in any schedule. They are found stage by stage, by
labels for each set of chiplets: a label that is no better in anything, what its last stage has
taken so far included, is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from formulations.multi_model.timing import Timing
from instances.cost.jobs import MiniBatchCosts, WorkloadCosts

MOST_LABELS = 300_000
"""Beyond this many a listing would take longer than it is worth."""


class TooManyRunsError(Exception):
    """The runs that can matter are too many to be listed."""


@dataclass(frozen=True)
class ListedRun:
    """A run of units first to end - 1 of a model.

    Attributes:
        job: number of the model.
        first, end: cuts at which it begins and ends.
        chiplets: those of its stages.
        time: cycles, its latency or its part in the period.
        energy: picojoules without leakage; 0 if energy does not count.
        mini_batch: samples that pass together.
        stages: (first unit, chiplet) of each.
    """

    job: int
    first: int
    end: int
    chiplets: frozenset[int]
    time: int
    energy: int
    mini_batch: int
    stages: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Asked:
    """What a listing is for.

    Attributes:
        pipelined: as `WindowGoal.pipelined`.
        period: times are parts in the period of a single window, not latencies.
        energy: whether energy counts.
        longest: no run that takes more cycles matters; None if all do.
    """

    pipelined: bool = True
    period: bool = False
    energy: bool = True
    longest: int | None = None

    def includes(self, other: Asked) -> bool:
        """Whether this listing has all runs of another one."""
        if replace(self, longest=None) != replace(other, longest=None):
            return False
        if self.longest is None or other.longest is None:
            return self.longest is None
        return self.longest >= other.longest


class _Label(NamedTuple):
    """The stages of a run so far.

    Attributes:
        spent: weighted cycles of the loads and of all stages, the last one's end still missing.
        slowest: cycles of the slowest stage but the last.
        last: cycles of the last stage, without the handover at its end.
        energy: picojoules.
        stages: (first unit, chiplet) of each.
    """

    spent: int
    slowest: int
    last: int
    energy: int
    stages: tuple[tuple[int, int], ...]


def list_runs(costs: WorkloadCosts, asked: Asked) -> list[list[ListedRun]]:
    """The runs of each model.

    Raises:
        TooManyRunsError: there are too many.
    """
    labels = 0
    listed = []
    for job, own in enumerate(costs.jobs):
        found: dict[tuple[int, int], list[ListedRun]] = {}
        for mini_batch in own.job.mini_batches:
            paths = _Paths(own.stages(mini_batch), asked)
            for first in range(own.job.units):
                for run in paths.runs(job, mini_batch, first):
                    found.setdefault((run.first, run.end), []).append(run)
                labels += paths.count
                if labels > MOST_LABELS:
                    raise TooManyRunsError
        listed.append([run for runs in found.values() for run in _useful(runs)])
    return listed


def _useful(runs: Iterable[ListedRun]) -> list[ListedRun]:
    """Those of runs of the same units that none makes superfluous."""
    kept: list[ListedRun] = []
    for run in sorted(runs, key=lambda run: (run.time, run.energy, len(run.chiplets))):
        if not any(own.energy <= run.energy and own.chiplets <= run.chiplets for own in kept):
            kept.append(run)
    return kept


_Key = tuple[int, int, int]
"""(cut at the end, chiplets as bits, last chiplet)."""


class _Paths:
    """Runs with one mini-batch, stage by stage.

    Attributes:
        count: labels that were kept for the last first unit.
    """

    def __init__(self, tables: MiniBatchCosts, asked: Asked) -> None:
        self._asked = asked
        self._timing = Timing.of(tables.rounds, asked.pipelined, asked.period)
        self._time, self._load = tables.time.tolist(), tables.load.tolist()
        self._dram, self._hop = tables.dram.tolist(), tables.hop.tolist()
        self._energy, self._dram_energy = tables.energy.tolist(), tables.dram_energy.tolist()
        self._hop_energy = tables.hop_energy.tolist()
        self._chiplets, self._units = tables.time.shape[:2]
        self.count = 0

    def runs(self, job: int, mini_batch: int, first: int) -> Iterator[ListedRun]:
        """All that begin at a unit, but for those that others make superfluous."""
        self.count = 0
        front = self._begin(first)
        while front:
            self.count += sum(map(len, front.values()))
            if self.count > MOST_LABELS:
                raise TooManyRunsError
            for (end, bits, chiplet), labels in front.items():
                chiplets = frozenset(k for k in range(self._chiplets) if bits >> k & 1)
                for label in labels:
                    time, energy = self._ended(label, end, chiplet)
                    if self._asked.longest is None or time <= self._asked.longest:
                        yield ListedRun(
                            job, first, end, chiplets, time, energy, mini_batch, label.stages
                        )
            front = self._continue(front)

    def _begin(self, first: int) -> dict[_Key, list[_Label]]:
        """Runs of one stage."""
        front: dict[_Key, list[_Label]] = {}
        for k in range(self._chiplets):
            empty = _Label(0, 0, 0, 0, ())
            got, energy = self._dram[k][first], self._dram_energy[k][first]
            self._stages(front, empty, first, k, 0, got, energy)
        return front

    def _continue(self, front: dict[_Key, list[_Label]]) -> dict[_Key, list[_Label]]:
        """Runs with one more stage; of those that end alike, the useful ones."""
        found: dict[_Key, list[_Label]] = {}
        for (cut, bits, k), labels in front.items():
            if cut == self._units:
                continue
            for other in range(self._chiplets):
                if bits >> other & 1:
                    continue
                given, got = self._hop[k][other][cut], self._hop[other][k][cut]
                energy = self._hop_energy[other][k][cut]
                for label in labels:
                    closed = label._replace(
                        spent=label.spent + self._timing.times * given,
                        slowest=self._slowest(label.slowest, label.last + given),
                    )
                    self._stages(found, closed, cut, other, bits, got, energy)
        return {key: _undominated(labels) for key, labels in found.items()}

    def _stages(
        self,
        front: dict[_Key, list[_Label]],
        before: _Label,
        first: int,
        k: int,
        bits: int,
        got: int,
        got_energy: int,
    ) -> None:
        """Add all stages on a chiplet that begin at a unit."""
        timing, counts = self._timing, self._asked.energy
        for last in range(first, self._units):
            time = got + self._time[k][first][last]
            spent = timing.loads * self._load[k][first][last] + timing.times * time
            label = _Label(
                before.spent + spent,
                before.slowest,
                time if timing.slowest else 0,
                before.energy + (got_energy + self._energy[k][first][last] if counts else 0),
                (*before.stages, (first, k)),
            )
            if self._asked.longest is not None and self._taken(label) > self._asked.longest:
                continue
            front.setdefault((last + 1, bits | 1 << k, k), []).append(label)

    def _slowest(self, *times: int) -> int:
        """The slowest stage, if it counts."""
        return max(times) if self._timing.slowest else 0

    def _taken(self, label: _Label) -> int:
        """Cycles of a run so far."""
        return label.spent + self._timing.slowest * self._slowest(label.slowest, label.last)

    def _ended(self, label: _Label, end: int, k: int) -> tuple[int, int]:
        """Cycles and picojoules of a run that ends here."""
        given = self._dram[k][end]
        slowest = self._slowest(label.slowest, label.last + given)
        time = label.spent + self._timing.times * given + self._timing.slowest * slowest
        return time, label.energy + (self._dram_energy[k][end] if self._asked.energy else 0)


def _undominated(labels: list[_Label]) -> list[_Label]:
    """Labels than which no other one is as good in everything."""
    kept: list[_Label] = []
    for label in sorted(labels, key=lambda label: label[:4]):
        if not any(
            own.energy <= label.energy and own.slowest <= label.slowest and own.last <= label.last
            for own in kept
        ):
            kept.append(label)
    return kept
