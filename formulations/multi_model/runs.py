"""Several models by runs: of those that can matter, each window takes at most one of each model.

Further sets: runs r of a model m (formulations.multi_model.listing), of units f[r] to e[r] - 1 on
the chiplets K[r], which take T[r] cycles and E[r] picojoules; stages and mini-batches are inside.
Variables: x[w,r], run r is in window w. So

    from[w,m,i] = sum of x[w,r] over the runs r of m with f[r] = i,   to[w,m,i] likewise with e[r]
    on[w,m,k]   = sum of x[w,r] over the runs r of m with k in K[r]
    time[w,m]   = sum_r T[r] x[w,r],   energy[w,m] = sum_r E[r] x[w,r]
    busy[w,m,k] = sum of T[r] x[w,r] over the runs with k in K[r]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from formulations.modellers import Modeller, Solution, Variable, label
from formulations.multi_model.frame import FAMILIES, Choice, Frame, Terms, Values, spans
from formulations.multi_model.listing import ListedRun
from formulations.multi_model.question import Question
from formulations.multi_model.reduction import distances, reduced
from schedules.windows.evaluate import evaluate_run
from schedules.windows.schedule import Run, Stage

CONSTRAINTS = FAMILIES
"""The constraint families in the order in which they are built; each is a method of `ByRuns`."""


@dataclass(frozen=True)
class Variables:
    """The variables of the model beside the positions.

    Attributes:
        chosen: by window, model and number of the run.
    """

    chosen: dict[tuple[int, int, int], Variable]


class ByRuns(Frame):
    """The model of a workload by runs.

    Attributes:
        variables: those of the choices.
        runs: of each model, those that are left.

    Args:
        question: what it answers.
        listed: by `list_runs`, of each model.
        modeller: a new one.
        constraints: the constraint families to build, all by default; tests leave some out.

    Raises:
        ValueError: the numbers are too large for the modeller.
    """

    def __init__(
        self,
        question: Question,
        listed: Sequence[Sequence[ListedRun]],
        modeller: Modeller,
        constraints: Sequence[str] = CONSTRAINTS,
    ) -> None:
        self.variables = Variables({})
        self.runs, self.bound = reduced(listed, question)
        super().__init__(question, modeller, constraints)

    @property
    def count(self) -> int:
        """How many runs are left."""
        return sum(map(len, self.runs))

    def _longest(self) -> int:
        return sum(max((run.time for run in own), default=0) for own in self.runs)

    def _choose(self, window: int, job: int) -> Choice:
        choice = Choice()
        last = window == self.question.windows - 1
        picojoule, potential = self.question.prices[1], self.potentials(job)
        for n, run in enumerate(self.runs[job]):
            if (window == 0 and run.first) or (last and run.end < self._units[job]):
                continue  # positions rule it out
            name = label("run", window, job, run.first, run.end - 1, n)
            x = self.modeller.binary(name)
            self.variables.chosen[window, job, n] = x
            choice.begins.setdefault(run.first, []).append(x)
            choice.ends.setdefault(run.end, []).append(x)
            choice.time.add(x, run.time)
            choice.energy.add(x, run.energy)
            usual = potential[run.end] - potential[run.first]
            choice.price.add(x, picojoule * run.energy - usual)
            for k in run.chiplets:
                choice.on.setdefault(k, []).append(x)
                choice.busy.setdefault(k, Terms()).add(x, run.time)
        return choice

    def potentials(self, job: int) -> list[int]:
        """By shortest paths over the runs; what no run leads to counts as little as the start."""
        picojoule = self.question.prices[1]
        ways = distances(self.runs[job], self._units[job], lambda run: picojoule * run.energy)
        return [way or 0 for way in ways]

    def _hint_run(self, window: int, job: int, run: Run | None) -> tuple[Values, int]:
        own = [(n, x) for (w, m, n), x in self.variables.chosen.items() if (w, m) == (window, job)]
        number = None if run is None else self._as_good(run)
        if number is not None and number not in dict(own):
            raise ValueError(f"model {job} cannot have this run in window {window}")
        time = 0 if number is None else self.runs[job][number].time
        return [(x, int(n == number)) for n, x in own], time

    def _as_good(self, run: Run) -> int:
        """The listed run that can take the place of a run.

        Raises:
            ValueError: there is none, as the run is too costly.
        """
        found = evaluate_run(self._costs, run, self.question.goal.pipelined)
        time = found.rounds * found.beat if self.question.period else found.latency
        numbers = {self._costs.package.number[stage.tile] for stage in run.stages}
        units = run.stages[0].first, run.stages[-1].last + 1
        for n, own in enumerate(self.runs[run.job]):
            alike = (own.first, own.end) == units and own.chiplets <= numbers
            cheap = own.energy <= found.energy or not self.question.prices[1]
            if alike and own.time <= time and cheap:
                return n
        raise ValueError(f"a run of model {run.job} is too costly for the model's limit")

    def _extract_run(self, window: int, job: int, solution: Solution) -> Run | None:
        for n, run in enumerate(self.runs[job]):
            chosen = self.variables.chosen.get((window, job, n))
            if chosen is not None and solution.value(chosen):
                return self._run(run)
        return None

    def _run(self, listed: ListedRun) -> Run:
        tiles = self._costs.package.tiles
        units = spans([first for first, _ in listed.stages], listed.end)
        stages = zip(units, listed.stages, strict=True)
        return Run(
            listed.job,
            listed.mini_batch,
            tuple(Stage(first, last, tiles[k]) for (first, last), (_, k) in stages),
        )
