"""Several models by stages: which units run on which chiplet, and how they hand over.

Further sets: mini-batches b of a model m, of which n[b] pass; stages of units i to j - 1 between
two cuts i < j. Variables, for each window w, model m and mini-batch b:

    x[b,i,j,k]       a stage of units i to j - 1 is on chiplet k
    first[b,i,k]     the run begins at cut i on chiplet k
    last[b,i,k]      it ends at cut i on chiplet k
    hop[b,i,k,l]     at cut i chiplet k hands over to l
    slowest[w,m]     (rounds - 1) times the slowest stage

Tables: time, load and energy of a stage; dram and hop, cycles of the handovers. In loads, times
and slowest are the factors of formulations.multi_model.timing. The cycles of chiplet k for a
mini-batch are

    t[b,k] = sum_ij time[k,i,j] x[b,i,j,k] + sum_i dram[k,i] (first[b,i,k] + last[b,i,k])
             + sum_{i,l} hop[k,l,i] (hop[b,i,k,l] + hop[b,i,l,k])

    time[w,m]   = sum_{b,k} times * t[b,k] + loads * (sum_{b,i,j,k} load x) + slowest[w,m]
    busy[w,m,k] = sum_b (times + slowest factor) * t[b,k] + loads * (sum_{b,i,j} load x)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, permutations

import numpy as np

from formulations.modellers import Modeller, Solution, Variable, label
from formulations.multi_model.frame import FAMILIES, Choice, Frame, Terms, Values
from formulations.multi_model.question import Question
from formulations.multi_model.timing import Timing
from instances.cost.jobs import MiniBatchCosts
from schedules.windows.evaluate import evaluate_run
from schedules.windows.schedule import Run, Stage

CONSTRAINTS = ("entered", "left", "once", "slowest", "covered", *FAMILIES)
"""The constraint families in the order in which they are built; each is a method of `ByStages`."""

Slot = tuple[int, int]


@dataclass(frozen=True)
class Batch:
    """The variables of a model in a window with one mini-batch.

    Attributes:
        stage: by first cut, cut at the end, chiplet.
        first, last: by cut and chiplet.
        hop: by cut and two chiplets.
    """

    stage: dict[tuple[int, int, int], Variable] = field(default_factory=dict)
    first: dict[tuple[int, int], Variable] = field(default_factory=dict)
    last: dict[tuple[int, int], Variable] = field(default_factory=dict)
    hop: dict[tuple[int, int, int], Variable] = field(default_factory=dict)


@dataclass(frozen=True)
class Variables:
    """The variables of the model beside the positions.

    Attributes:
        batches: by window, model and mini-batch.
        slowest: by window and model, cycles that the slowest stage adds.
    """

    batches: dict[tuple[int, int, int], Batch]
    slowest: dict[Slot, Variable]


def count_stages(question: Question) -> int:
    """How many stages a model has at most, over all windows and mini-batches."""
    each = [
        len(own.job.mini_batches) * own.job.units * (own.job.units + 1) // 2
        for own in question.costs.jobs
    ]
    return question.windows * len(question.costs.package.tiles) * sum(each)


class ByStages(Frame):
    """The model of a workload by stages.

    Attributes:
        variables: those of the choices.

    Args:
        question: what it answers.
        modeller: a new one.
        constraints: the constraint families to build, all by default; tests leave some out.

    Raises:
        ValueError: the numbers are too large for the modeller.
    """

    def __init__(
        self, question: Question, modeller: Modeller, constraints: Sequence[str] = CONSTRAINTS
    ) -> None:
        self.variables = Variables({}, {})
        self._tables = [
            {b: own.stages(b) for b in own.job.mini_batches} for own in question.costs.jobs
        ]
        super().__init__(question, modeller, constraints)

    def _timing(self, tables: MiniBatchCosts) -> Timing:
        return Timing.of(tables.rounds, self.question.goal.pipelined, self.question.period)

    def _longest(self) -> int:
        return sum(max(self._most(tables) for tables in own.values()) for own in self._tables)

    def _most(self, tables: MiniBatchCosts) -> int:
        """No run with these tables takes longer."""
        timing, total, slowest = self._timing(tables), 0, 0
        for k in self._chiplets:
            handover = max(tables.dram[k].max(), tables.hop[k].max())
            time = int(tables.time[k].max() + 2 * handover)
            total += timing.times * time + timing.loads * int(tables.load[k].max())
            slowest = max(slowest, time)
        return total + timing.slowest * slowest

    # Variables

    def _choose(self, window: int, job: int) -> Choice:
        choice = Choice(busy={k: Terms() for k in self._chiplets})
        slot = window, job
        for mini_batch, tables in self._tables[job].items():
            batch = self._batch(window, job, mini_batch, tables)
            self.variables.batches[window, job, mini_batch] = batch
            for (i, _), x in batch.first.items():
                choice.begins.setdefault(i, []).append(x)
            for (i, _), x in batch.last.items():
                choice.ends.setdefault(i, []).append(x)
            for (_, _, k), x in batch.stage.items():
                choice.on.setdefault(k, []).append(x)
            self._add_time(choice, batch, tables)
            self._add_energy(choice, batch, tables, self.potentials(job))
        slowest = self.modeller.quantity(0, self._horizon, label("slowest", *slot))
        self.variables.slowest[slot] = slowest
        choice.time.add(slowest, 1)
        return choice

    def _batch(self, window: int, job: int, mini_batch: int, tables: MiniBatchCosts) -> Batch:
        units, batch, place = self._units[job], Batch(), (window, job, mini_batch)
        timing, last = self._timing(tables), window == self.question.windows - 1
        binary, quantity = self.modeller.binary, self.modeller.quantity
        for k in self._chiplets:
            for i in range(units):
                for j in range(i + 1, units + 1):
                    load, time = int(tables.load[k, i, j - 1]), int(tables.time[k, i, j - 1])
                    if timing.alone(load, time) <= self._horizon:
                        name = label("stage", *place, i, j - 1, k)
                        batch.stage[i, j, k] = binary(name)
            for i in range(units if window else 1):
                batch.first[i, k] = quantity(0, 1, label("first", *place, i, k))
            for i in range(units if last else 1, units + 1):
                batch.last[i, k] = quantity(0, 1, label("last", *place, i, k))
        for i in range(1, units):
            for k, other in permutations(self._chiplets, 2):
                batch.hop[i, k, other] = quantity(0, 1, label("hop", *place, i, k, other))
        return batch

    def _times(self, batch: Batch, tables: MiniBatchCosts) -> Iterator[tuple[int, Variable, int]]:
        """Chiplets, variables, and what these add to the chiplet's cycles for a mini-batch."""
        for (i, j, k), x in batch.stage.items():
            yield k, x, int(tables.time[k, i, j - 1])
        for (i, k), x in (*batch.first.items(), *batch.last.items()):
            yield k, x, int(tables.dram[k, i])
        for (i, k, other), x in batch.hop.items():
            yield k, x, int(tables.hop[k, other, i])
            yield other, x, int(tables.hop[other, k, i])

    def _add_time(self, choice: Choice, batch: Batch, tables: MiniBatchCosts) -> None:
        timing = self._timing(tables)
        for k, x, time in self._times(batch, tables):
            choice.time.add(x, timing.times * time)
            choice.busy[k].add(x, (timing.times + timing.slowest) * time)
        for (i, j, k), x in batch.stage.items():
            load = timing.loads * int(tables.load[k, i, j - 1])
            choice.time.add(x, load)
            choice.busy[k].add(x, load)

    def _add_energy(
        self, choice: Choice, batch: Batch, tables: MiniBatchCosts, potential: list[int]
    ) -> None:
        """A hop's energy counts once."""
        picojoule = self.question.prices[1]
        for (i, j, k), x in batch.stage.items():
            energy = int(tables.energy[k, i, j - 1])
            choice.energy.add(x, energy)
            choice.price.add(x, picojoule * energy - potential[j] + potential[i])
        transfers = [
            *((x, tables.dram_energy[k, i]) for (i, k), x in batch.first.items()),
            *((x, tables.dram_energy[k, i]) for (i, k), x in batch.last.items()),
            *((x, tables.hop_energy[other, k, i]) for (i, k, other), x in batch.hop.items()),
        ]
        for x, moved in transfers:
            choice.energy.add(x, int(moved))
            choice.price.add(x, picojoule * int(moved))

    def potentials(self, job: int) -> list[int]:
        """By shortest paths over stages without handovers."""
        return self._potentials[job]

    @cached_property
    def _potentials(self) -> list[list[int]]:
        picojoule, found = self.question.prices[1], []
        for own in self._tables:
            stages = np.min([tables.energy.min(axis=0) for tables in own.values()], axis=0)
            least = [0]
            for j in range(1, len(stages) + 1):
                least.append(min(least[i] + picojoule * int(stages[i, j - 1]) for i in range(j)))
            found.append(least)
        return found

    # Constraint families

    def entered(self) -> None:
        """What a stage gets comes from somewhere.

        sum_j x[b,i,j,k] = first[b,i,k] + sum_l hop[b,i,l,k] for each cut i and chiplet k
        """
        for place, batch in self.variables.batches.items():
            stages = [((i, k), x) for (i, _, k), x in batch.stage.items()]
            hops = [((i, k), x) for (i, _, k), x in batch.hop.items()]
            self._equal("entered", place, stages, [*batch.first.items(), *hops])

    def left(self) -> None:
        """What a stage makes goes somewhere.

        sum_i x[b,i,j,k] = last[b,j,k] + sum_l hop[b,j,k,l] for each cut j and chiplet k
        """
        for place, batch in self.variables.batches.items():
            stages = [((j, k), x) for (_, j, k), x in batch.stage.items()]
            hops = [((j, k), x) for (j, k, _), x in batch.hop.items()]
            self._equal("left", place, stages, [*batch.last.items(), *hops])

    def _equal(
        self,
        name: str,
        place: tuple[int, int, int],
        stages: Sequence[tuple[Slot, Variable]],
        others: Sequence[tuple[Slot, Variable]],
    ) -> None:
        """At each cut and chiplet there are as many stages as others."""
        groups: dict[Slot, Terms] = {}
        for sign, items in ((1, stages), (-1, others)):
            for key, x in items:
                groups.setdefault(key, Terms()).add(x, sign)
        for key, terms in groups.items():
            self.modeller.require(label(name, *place, *key), self._sum(terms) == 0)

    def once(self) -> None:
        """A model has at most one stage on a chiplet in a window: on[w,m,k] <= 1."""
        for slot, choice in self.choices.items():
            for k, stages in choice.on.items():
                self.modeller.require(label("once", *slot, k), self.modeller.sum(stages) <= 1)

    def slowest(self) -> None:
        """No stage is slower: slowest[w,m] >= sum_b (slowest factor) * t[b,k] for each k."""
        for slot, slowest in self.variables.slowest.items():
            totals = {k: Terms() for k in self._chiplets}
            for batch, tables in self._of(slot):
                factor = self._timing(tables).slowest
                for k, x, time in self._times(batch, tables):
                    totals[k].add(x, factor * time)
            for k, total in totals.items():
                rule = slowest >= self._sum(total)
                self.modeller.require(label("slowest", *slot, k), rule)

    def covered(self) -> None:
        """The same without handovers, by units, of which each is in one stage.

        slowest[w,m] >= sum over stages x[b,i,j,k] with i <= u < j of (slowest factor) *
        time[k,i,j] x[b,i,j,k] for each unit u; implied.
        """
        for slot, slowest in self.variables.slowest.items():
            for unit in range(self._units[slot[1]]):
                total = Terms()
                for batch, tables in self._of(slot):
                    factor = self._timing(tables).slowest
                    for (i, j, k), x in batch.stage.items():
                        if i <= unit < j:
                            total.add(x, factor * int(tables.time[k, i, j - 1]))
                rule = slowest >= self._sum(total)
                self.modeller.require(label("covered", *slot, unit), rule)

    def _of(self, slot: Slot) -> Iterator[tuple[Batch, MiniBatchCosts]]:
        for mini_batch, tables in self._tables[slot[1]].items():
            yield self.variables.batches[(*slot, mini_batch)], tables

    # Schedules

    def _hint_run(self, window: int, job: int, run: Run | None) -> tuple[Values, int]:
        values: Values = []
        for mini_batch in self._tables[job]:
            own = run if run is not None and run.mini_batch == mini_batch else None
            values += self._hint_batch(self.variables.batches[window, job, mini_batch], own)
        slowest = self.variables.slowest[window, job]
        if run is None:
            return [*values, (slowest, 0)], 0
        found = evaluate_run(self._costs, run, self.question.goal.pipelined)
        timing = self._timing(self._tables[job][run.mini_batch])
        adds = timing.slowest * found.beat
        time = timing.loads * sum(found.loads) + timing.times * sum(found.times) + adds
        return [*values, (slowest, adds)], time

    def _hint_batch(self, batch: Batch, run: Run | None) -> Values:
        number = self._costs.package.number
        stages = [] if run is None else [(s.first, s.last + 1, number[s.tile]) for s in run.stages]
        if not set(stages) <= set(batch.stage):
            raise ValueError("a stage is too slow for the model's limit")
        first = {(i, k) for i, _, k in stages[:1]}
        last = {(j, k) for _, j, k in stages[-1:]}
        hops = {(j, k, other) for (_, j, k), (_, _, other) in pairwise(stages)}
        return [
            *((x, int(key in stages)) for key, x in batch.stage.items()),
            *((x, int(key in first)) for key, x in batch.first.items()),
            *((x, int(key in last)) for key, x in batch.last.items()),
            *((x, int(key in hops)) for key, x in batch.hop.items()),
        ]

    def _extract_run(self, window: int, job: int, solution: Solution) -> Run | None:
        tiles = self._costs.package.tiles
        for mini_batch in self._tables[job]:
            batch = self.variables.batches[window, job, mini_batch]
            stages = sorted(key for key, x in batch.stage.items() if solution.value(x))
            if stages:
                own = tuple(Stage(i, j - 1, tiles[k]) for i, j, k in stages)
                return Run(job, mini_batch, own)
        return None
