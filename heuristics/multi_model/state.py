"""Where a search is: the models' units by window, and the chiplets of each, in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from heuristics.multi_model.problem import Choice, Problem, best_runs
from schedules.windows.schedule import WindowSchedule

GUIDE = 0.03
"""What the mean time of a window's runs adds to its length, where a search looks for a way down.

A window's length alone does not tell a model that is nearly as slow as the slowest one from a fast
one."""

Place = tuple[int, int, tuple[int, ...]]
"""A model in a window: first unit, the one after the last, and chiplets; (a, a, ()) if absent."""

Layout = tuple[Place, ...]
"""A window: the place of each model."""


@dataclass(frozen=True)
class Side:
    """A window with a run for each of its models.

    Attributes:
        layout: where the models are.
        runs: the run of each model, None for those absent.
    """

    layout: Layout
    runs: tuple[Choice | None, ...]

    @cached_property
    def time(self) -> int:
        """Cycles of the slowest run."""
        return max(own.time for own in self.runs if own is not None)

    @cached_property
    def energy(self) -> int:
        """Picojoules without leakage."""
        return sum(own.energy for own in self.runs if own is not None)

    @cached_property
    def mean(self) -> float:
        """Cycles of the runs on average."""
        found = [own.time for own in self.runs if own is not None]
        return sum(found) / len(found)


class Judge:
    """Values windows and schedules by the goal's objective."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._leakage = problem.costs.package.leakage
        self._objective = problem.goal.objective

    def value(self, time: float, energy: float) -> float:
        """Of cycles and picojoules without leakage."""
        if self._objective in ("latency", "throughput"):
            return float(time)
        total = energy + self._leakage * time
        return float(total if self._objective == "energy" else total * time)

    def side(self, layout: Layout, time: int, energy: int) -> Side:
        """The best runs of a window, beside others that take so many cycles and picojoules."""
        problem = self.problem
        jobs = [job for job, (a, b, _) in enumerate(layout) if a < b]
        options = [problem.runs(job, *layout[job]) for job in jobs]
        value = self.value
        _, picked = best_runs(options, lambda t, e: value(time + t, energy + e))
        runs: list[Choice | None] = [None] * len(layout)
        for job, own in zip(jobs, picked, strict=True):
            runs[job] = own
        return Side(layout, tuple(runs))


@dataclass(frozen=True)
class State:
    """A schedule: its windows.

    Attributes:
        sides: the windows, in their order.
        judge: what values them.
    """

    sides: tuple[Side, ...]
    judge: Judge

    @cached_property
    def value(self) -> float:
        """The objective."""
        time = sum(side.time for side in self.sides)
        return self.judge.value(time, sum(side.energy for side in self.sides))

    @cached_property
    def guide(self) -> float:
        """The objective, a little larger for other runs' times."""
        time = sum(side.time + GUIDE * side.mean for side in self.sides)
        return self.judge.value(time, sum(side.energy for side in self.sides))

    def schedule(self) -> WindowSchedule:
        """The schedule."""
        return self.judge.problem.schedule(side.runs for side in self.sides)


def build(judge: Judge, layouts: Iterable[Layout], before: State | None = None) -> State:
    """The state of layouts; windows that `before` has, too, are taken from it.

    The new ones choose their runs one after the other, beside all that are there already.
    """
    known = {} if before is None else {side.layout: side for side in before.sides}
    found = [(layout, known.get(layout)) for layout in layouts]
    time = sum(side.time for _, side in found if side is not None)
    energy = sum(side.energy for _, side in found if side is not None)
    sides = []
    for layout, side in found:
        if side is None:
            side = judge.side(layout, time, energy)
            time, energy = time + side.time, energy + side.energy
        sides.append(side)
    return State(tuple(sides), judge)


def settled(state: State) -> State:
    """The state after each window has chosen its runs anew, once."""
    sides = list(state.sides)
    time, energy = sum(own.time for own in sides), sum(own.energy for own in sides)
    for at, old in enumerate(sides):
        time, energy = time - old.time, energy - old.energy
        sides[at] = state.judge.side(old.layout, time, energy)
        time, energy = time + sides[at].time, energy + sides[at].energy
    return State(tuple(sides), state.judge)


def layouts_of(problem: Problem, schedule: WindowSchedule) -> list[Layout]:
    """A schedule's layouts; mini-batches and stages are not kept."""
    reached = [0] * len(problem.units)
    number, found = problem.costs.package.number, []
    for window in schedule.windows:
        layout: list[Place] = [(at, at, ()) for at in reached]
        for run in window.runs:
            end = run.stages[-1].last + 1
            tiles = tuple(number[stage.tile] for stage in run.stages)
            layout[run.job] = (reached[run.job], end, tiles)
            reached[run.job] = end
        found.append(tuple(layout))
    return found
