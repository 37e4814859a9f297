"""What the models of several models share: windows, positions, chiplets, turns.

Sets: windows w; models m with units 0 to U[m] - 1 and cuts 0 to U[m]; chiplets k.
Variables: at[w,m,i], model m is at cut i after window w; stays[w,m,i], it is there before window w,
too, as it does not run; length[w]; where models take turns begin[w,m], finish[w,m] and
before[w,m,n], m leaves the chiplets that it shares with n before n begins.

What a model does in a window is said by variables that a subclass has. Here they are linear sums:

    from[w,m,i], to[w,m,i]   runs that begin and end at cut i
    on[w,m,k]                stages on chiplet k
    time[w,m], energy[w,m]   cycles from begin to end of the run, picojoules without leakage
    busy[w,m,k]              cycles of the window in which no other model can be on chiplet k

The objective is alpha * latency + beta * energy; latency = sum_w length[w],
energy = sum_{w,m} energy[w,m] + leakage * latency. Or it is the period, the length of one window.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, permutations, product

from formulations.modellers import Expression, Modeller, Solution, Variable, label
from instances.cost.jobs import WorkloadCosts
from schedules.goal import Weights
from schedules.windows.evaluate import (
    RunEvaluation,
    WindowEvaluation,
    evaluate_run,
    evaluate_windows,
)
from schedules.windows.goal import WindowGoal
from schedules.windows.schedule import Run, Window, WindowSchedule
from schedules.windows.verify import window_violations

Values = list[tuple[Variable, int]]


@dataclass
class Terms:
    """A linear sum.

    Attributes:
        variables, weights: of the same length.
    """

    variables: list[Variable] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)

    def add(self, variable: Variable, weight: int) -> None:
        """Another term; none of weight 0."""
        if weight:
            self.variables.append(variable)
            self.weights.append(weight)


@dataclass
class Choice:
    """What a model does in a window, as sums of variables.

    Attributes:
        begins, ends: by cut, runs that begin and end there.
        on: by chiplet, stages on it.
        time: cycles of the run.
        energy: picojoules.
        busy: by chiplet, cycles in which no other model can be there.
    """

    begins: dict[int, list[Variable]] = field(default_factory=dict)
    ends: dict[int, list[Variable]] = field(default_factory=dict)
    on: dict[int, list[Variable]] = field(default_factory=dict)
    time: Terms = field(default_factory=Terms)
    energy: Terms = field(default_factory=Terms)
    busy: dict[int, Terms] = field(default_factory=dict)


@dataclass(frozen=True)
class Positions:
    """The variables that all models have.

    Attributes:
        at: by window, model and cut; after the last window all models are at their ends.
        stays: by window, model and cut.
        length: of each window, cycles.
        begin, finish: by window and model, cycles after the window's begin; only with turns.
        before: by window and two models; only with turns.
    """

    at: dict[tuple[int, int, int], Variable]
    stays: dict[tuple[int, int, int], Variable]
    length: list[Variable]
    begin: dict[tuple[int, int], Variable]
    finish: dict[tuple[int, int], Variable]
    before: dict[tuple[int, int, int], Variable]


@dataclass(frozen=True)
class Question:
    """What a model of a workload minimises, and what it may leave out.

    Attributes:
        costs: of the workload.
        goal: what a schedule may do; its objective does not matter here.
        weights: of latency and energy.
        period: the period of a single window is minimised instead.
        limit: what only costlier schedules use is left out; None if all shall be there.
    """

    costs: WorkloadCosts
    goal: WindowGoal
    weights: Weights
    period: bool = False
    limit: int | None = None

    @property
    def windows(self) -> int:
        """As many as there may be; more than there are units are of no use."""
        units = sum(own.job.units for own in self.costs.jobs)
        return 1 if self.period else min(self.goal.windows, units)

    @property
    def shared(self) -> bool:
        """Whether models take turns."""
        return self.goal.shared and not self.period and len(self.costs.jobs) > 1

    @property
    def prices(self) -> tuple[int, int]:
        """What a cycle of a window and a picojoule of a run cost."""
        if self.period:
            return 1, 0
        alpha, beta = self.weights
        return alpha + beta * self.costs.package.leakage, beta

    def cost(self, found: WindowEvaluation) -> int | None:
        """What is minimised; None for schedules that are not asked for.

        For the period these are all but a single window whose chiplets have one stage each.
        """
        if not self.period:
            return self.weights.cost(found)
        tiles = [s.tile for runs in found.windows for own in runs for s in own.run.stages]
        single = len(found.windows) == 1 and len(set(tiles)) == len(tiles)
        return found.period if single else None


FAMILIES = ("path", "alone", "length", "turns", "busy", "empty_last", "within_limit")
"""Those of all models, in the order in which they are built."""


class Frame(ABC):
    """A model of a workload.

    Attributes:
        modeller: has the native model, `modeller.model`.
        question: what it answers.
        positions: the variables that all models have.
        choices: by window and model, what it does.
        latency, energy: of the schedule, as expressions; where nothing presses the latency down
            it may exceed what the schedule takes.
        bound: a lower bound on the objective; None if there is none.
    """

    bound: int | None = None

    def __init__(self, question: Question, modeller: Modeller, families: Sequence[str]) -> None:
        self.modeller, self.question = modeller, question
        self._costs = question.costs
        self._units = [own.job.units for own in question.costs.jobs]
        self._chiplets = range(len(question.costs.package.tiles))
        self._slots = list(product(range(question.windows), range(len(self._units))))
        self._horizon = self._longest()
        if question.limit is not None and question.prices[0]:
            self._horizon = min(self._horizon, question.limit // question.prices[0])
        self.positions = self._declare()
        self.choices = {slot: self._choose(*slot) for slot in self._slots}
        self.latency, self.energy, self._objective = self._sums()
        for name in families:
            getattr(self, name)()
        modeller.minimize(self._objective)

    @abstractmethod
    def _choose(self, window: int, job: int) -> Choice:
        """Declare what a model may do in a window."""

    @abstractmethod
    def _longest(self) -> int:
        """No window need be longer: the sum over the models of their longest runs."""

    @abstractmethod
    def _hint_run(self, window: int, job: int, run: Run | None) -> tuple[Values, int]:
        """Values of a choice's variables for a run, or for none; and the cycles that it takes."""

    @abstractmethod
    def _extract_run(self, window: int, job: int, solution: Solution) -> Run | None:
        """What a model does in a window of a solution."""

    def _declare(self) -> Positions:
        windows, quantity = self.question.windows, self.modeller.quantity
        cuts = [(w, m, i) for w, m in self._slots for i in range(self._units[m] + 1)]
        pairs = list(permutations(range(len(self._units)), 2)) if self.question.shared else []
        turns = self._slots if pairs else []
        most = self._horizon
        return Positions(
            at={key: quantity(0, 1, label("at", *key)) for key in cuts if key[0] < windows - 1},
            stays={key: quantity(0, 1, label("stays", *key)) for key in cuts},
            length=[quantity(0, most, label("length", w)) for w in range(windows)],
            begin={slot: quantity(0, most, label("begin", *slot)) for slot in turns},
            finish={slot: quantity(0, most, label("finish", *slot)) for slot in turns},
            before={
                (w, m, n): self.modeller.binary(label("before", w, m, n))
                for w, (m, n) in product(range(windows), pairs)
            },
        )

    def _sums(self) -> tuple[Expression, Expression, Expression]:
        """Latency, energy and the objective."""
        spent = Terms()
        for choice in self.choices.values():
            spent.variables += choice.energy.variables
            spent.weights += choice.energy.weights
        cycle, picojoule = self.question.prices
        largest = cycle * self.question.windows * self._horizon
        largest += picojoule * sum(abs(weight) for weight in spent.weights)
        self.modeller.expect("the weighted cost", largest)
        latency = self.modeller.sum(self.positions.length)
        runs = self._sum(spent)
        energy = runs + self._costs.package.leakage * latency
        return latency, energy, cycle * latency + (picojoule * runs if picojoule else 0)

    def _sum(self, terms: Terms) -> Expression:
        return self.modeller.sum(terms.variables, terms.weights)

    # Constraint families

    def path(self) -> None:
        """Each model goes from its first cut to its last one, a run or a stay in each window.

        from[w,m,i] + stays[w,m,i] = at[w-1,m,i] and to[w,m,i] + stays[w,m,i] = at[w,m,i], with
        at[-1,m,0] = at[W-1,m,U[m]] = 1.
        """
        for (w, m), choice in self.choices.items():
            for i in range(self._units[m] + 1):
                stays = self.positions.stays[w, m, i]
                leaving = self.modeller.sum([stays, *choice.begins.get(i, [])])
                arriving = self.modeller.sum([stays, *choice.ends.get(i, [])])
                self.modeller.require(label("from", w, m, i), leaving == self._at(w - 1, m, i))
                self.modeller.require(label("to", w, m, i), arriving == self._at(w, m, i))

    def _at(self, window: int, job: int, cut: int) -> Expression:
        if window < 0:
            return int(cut == 0)
        last = window == self.question.windows - 1
        return int(cut == self._units[job]) if last else self.positions.at[window, job, cut]

    def alone(self) -> None:
        """Without turns a chiplet has one stage in a window: sum_m on[w,m,k] <= 1."""
        if self.question.shared:
            return
        for w, k in product(range(self.question.windows), self._chiplets):
            stages = [x for m in range(len(self._units)) for x in self.choices[w, m].on.get(k, [])]
            self.modeller.require(label("alone", w, k), self.modeller.sum(stages) <= 1)

    def length(self) -> None:
        """A window is as long as its runs: length[w] >= time[w,m].

        With turns finish[w,m] >= begin[w,m] + time[w,m] and length[w] >= finish[w,m].
        """
        v = self.positions
        for (w, m), choice in self.choices.items():
            time, name = self._sum(choice.time), label("length", w, m)
            if not self.question.shared:
                self.modeller.require(name, v.length[w] >= time)
                continue
            self.modeller.require(label("finish", w, m), v.finish[w, m] >= v.begin[w, m] + time)
            self.modeller.require(name, v.length[w] >= v.finish[w, m])

    def turns(self) -> None:
        """Runs that share a chiplet do not overlap.

        before[w,m,n] + before[w,n,m] >= on[w,m,k] + on[w,n,k] - 1 for each chiplet k, and
        begin[w,n] >= finish[w,m] if before[w,m,n] = 1.
        """
        v = self.positions
        for (w, m, n), before in v.before.items():
            rule = v.begin[w, n] >= v.finish[w, m]
            self.modeller.require(label("turn", w, m, n), rule, when=[before])
            for k in self._chiplets if m < n else ():
                own, other = (self.choices[w, job].on.get(k, []) for job in (m, n))
                if own and other:
                    both = self.modeller.sum([*own, *other]) - 1
                    rule = before + v.before[w, n, m] >= both
                    self.modeller.require(label("turns", w, m, n, k), rule)

    def busy(self) -> None:
        """A window is no shorter than what a chiplet does in it: length[w] >= sum_m busy[w,m,k].

        Implied: by `alone`, or by `turns`.
        """
        for w, k in product(range(self.question.windows), self._chiplets):
            total = Terms()
            for m in range(len(self._units)):
                own = self.choices[w, m].busy.get(k, Terms())
                total.variables += own.variables
                total.weights += own.weights
            rule = self.positions.length[w] >= self._sum(total)
            self.modeller.require(label("busy", w, k), rule)

    def empty_last(self) -> None:
        """Windows without a run come last: sum_n runs[w-1,n] >= runs[w,m].

        With runs[w,m] = sum_i from[w,m,i]; of schedules that differ in empty windows only, it
        leaves one.
        """
        for (w, m), choice in self.choices.items():
            if w:
                before = [
                    run
                    for n in range(len(self._units))
                    for runs in self.choices[w - 1, n].begins.values()
                    for run in runs
                ]
                own = self.modeller.sum([run for runs in choice.begins.values() for run in runs])
                rule = self.modeller.sum(before) >= own
                self.modeller.require(label("empty_last", w, m), rule)

    def within_limit(self) -> None:
        """The objective is at most the limit, if there is one."""
        if self.question.limit is not None:
            self.modeller.require("within_limit", self._objective <= self.question.limit)

    # Schedules

    def hint(self, schedule: WindowSchedule) -> None:
        """Suggest a schedule: a value for every variable. Replaces an older hint.

        Raises:
            ValueError: it is no point of the model: it may not run, or costs more than the limit.
        """
        wrong = window_violations(self._costs, schedule, self.question.goal)
        if wrong:
            raise ValueError(wrong[0])
        if len(schedule.windows) > self.question.windows:
            raise ValueError(f"{len(schedule.windows)} windows are too many for the model")
        found = evaluate_windows(self._costs, schedule, self.question.goal.pipelined)
        cost, limit = self.question.cost(found), self.question.limit
        if cost is None:
            raise ValueError("models of the period have a single window without turns")
        if limit is not None and cost > limit:
            raise ValueError(f"the schedule costs {cost}, more than the limit of {limit}")
        values: Values = []
        position = [0] * len(self._units)
        for w in range(self.question.windows):
            window = schedule.windows[w] if w < len(schedule.windows) else Window(())
            values += self._hint_window(w, window, position)
        self.modeller.hint(values)

    def _hint_window(self, w: int, window: Window, position: list[int]) -> Values:
        """Values of a window; moves the models on."""
        v, values, longest = self.positions, [], 0
        runs = {run.job: run for run in window.runs}
        done: dict[int, tuple[int, int]] = {}
        for m in range(len(self._units)):
            run, begin = runs.get(m), position[m]
            own, time = self._hint_run(w, m, run)
            values += own
            start = run.start if run is not None and self.question.shared else 0
            done[m] = start, start + time
            longest = max(longest, start + time)
            if run is not None:
                position[m] = run.stages[-1].last + 1
            for i in range(self._units[m] + 1):
                values.append((v.stays[w, m, i], int(run is None and i == begin)))
                if (w, m, i) in v.at:
                    values.append((v.at[w, m, i], int(i == position[m])))
        values.append((v.length[w], longest))
        for (u, m), variable in v.begin.items():
            if u == w:
                values += [(variable, done[m][0]), (v.finish[w, m], done[m][1])]
        for (u, m, n), variable in v.before.items():
            if u == w:
                both = m in runs and n in runs
                values.append((variable, int(both and done[m][1] <= done[n][0])))
        return values

    def extract(self, solution: Solution) -> WindowSchedule:
        """The schedule of a solution; ask only an engine that has one."""
        windows = []
        for w in range(self.question.windows):
            own = [self._extract_run(w, m, solution) for m in range(len(self._units))]
            runs = [run for run in own if run is not None]
            if self.question.shared:
                begin = self.positions.begin
                runs.sort(key=lambda run: solution.value(begin[w, run.job]))
                runs = self._in_turn(runs)
            if runs:
                windows.append(Window(tuple(sorted(runs, key=lambda run: run.job))))
        return WindowSchedule(tuple(windows))

    def _in_turn(self, runs: Iterable[Run]) -> list[Run]:
        """Runs in the order of their begins, each as early as its chiplets are free."""
        found: list[RunEvaluation] = []
        for run in runs:
            tiles = {stage.tile for stage in run.stages}
            ends = [own.end for own in found if tiles & {stage.tile for stage in own.run.stages}]
            moved = Run(run.job, run.mini_batch, run.stages, max(ends, default=0))
            found.append(evaluate_run(self._costs, moved, self.question.goal.pipelined))
        return [own.run for own in found]


def spans(firsts: Sequence[int], end: int) -> list[tuple[int, int]]:
    """(first, last) of stages, by their first units and the end of all."""
    return [(first, after - 1) for first, after in pairwise((*firsts, end))]
