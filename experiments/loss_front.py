"""The trade between throughput and what compression loses: a schedule for each accuracy budget."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

from experiments.cases import Watch
from instances.compression import MILLION, Compression
from instances.files.whole import write_whole
from instances.instance import Instance
from instances.tables import LIMIT
from schedules.evaluate import Evaluation
from schedules.files import schedule_to_data
from schedules.goal import Goal
from schedules.progress import Stop
from schedules.schedule import Schedule
from solvers.result import Result, goal_to_data
from solvers.solve import solve

COLUMNS = ("loss", "latency", "throughput", "energy", "proved", "compressed")
"""Of the CSV file: loss as in the table of losses, latency in cycles, samples a cycle, energy in
picojoules, whether the point is proved, and how many layers' outputs are compressed."""


@dataclass(frozen=True)
class LossPoint:
    """One schedule of a front.

    Attributes:
        lost: millionths that its compression loses.
        schedule, evaluation: what it is and what it costs.
        proved: whether no schedule that loses as much or less is faster.
    """

    lost: int
    schedule: Schedule
    evaluation: Evaluation
    proved: bool

    @property
    def loss(self) -> float:
        """What its compression loses, as in the table of losses."""
        return self.lost / MILLION

    @property
    def compressed(self) -> int:
        """How many layers' outputs are compressed."""
        return sum(ratio > 1 for ratio in self.schedule.ratios)


@dataclass(frozen=True)
class LossFront:
    """Schedules of which none is slower and loses more than another.

    Attributes:
        instance: what was scheduled; the points lose no more than its budget, unless others were
            given.
        method: the one that found the points.
        goal: the conditions that all of them obey.
        points: from the least loss to the most.
        stop: 'optimal' if every point of the front is here, proved; 'finished' if all points that
            were asked for are, some perhaps not proved; 'infeasible' if there is no schedule,
            proved; otherwise why the first run without a proof ended.
        runtime_s: wall time.
    """

    instance: Instance
    method: str
    goal: Goal
    points: tuple[LossPoint, ...]
    stop: Stop
    runtime_s: float

    def to_data(self) -> dict[str, Any]:
        """The front as plain data."""
        return {
            "instance": self.instance.name,
            "batch": self.instance.batch,
            "method": self.method,
            "goal": goal_to_data(self.goal),
            "stop": self.stop,
            "runtime_s": self.runtime_s,
            "points": [
                {**_cells(point), "schedule": schedule_to_data(point.schedule)}
                for point in self.points
            ],
        }


def loss_front(
    instance: Instance,
    budgets: Sequence[float] | None = None,
    *,
    method: str = "exact",
    goal: Goal | None = None,
    points: int | None = None,
    time_limit: float | None = None,
    watch: Watch | None = None,
    **arguments: Any,
) -> LossFront:
    """The front of latency and loss: the best schedule of a method within each budget.

    The first run has the instance's budget, the second none. Each further one has a millionth less
    than the schedule before it lost, until that is as slow as without loss. So each point costs one
    run, unless a schedule loses more than it has to.

    Args:
        budgets: what losses may add up to, as in the table of losses, instead of these.
        method: any that `solve` takes for an instance with compression.
        goal: conditions on every point.
        points: at most so many: budgets are spread evenly up to what the fastest schedule loses.
        time_limit: wall seconds for everything.
        watch: called with the name of each run before it begins; returns its listener.
        arguments: what else `solve` takes.

    Returns:
        The front; after Ctrl-C or the time limit what there is of it.

    Raises:
        ValueError: the instance has no compression; a budget is no number of at least 0, or there
            is none; fewer than 2 points, or points and budgets; another objective than latency; or
            what `solve` refuses.
    """
    given = instance.compression
    if given is None:
        raise ValueError(
            f"instance {instance.name!r} has no compression, so it loses nothing: give it a table"
            " of losses"
        )
    goal = Goal() if goal is None else goal
    _check(budgets, goal, points, time_limit)
    search = _Search(instance, given, method, {**arguments, "goal": goal}, time_limit, watch)
    try:
        if budgets is None:
            search.descend(points)
        else:
            search.try_all([_millionths(budget) for budget in budgets])
    except KeyboardInterrupt:
        search.stop = "interrupted"
    whole = budgets is None and points is None
    stop = search.stop or ("infeasible" if not search.found else "optimal" if whole else "finished")
    found = _efficient(search.found)
    return LossFront(instance, method, goal, found, stop, search.seconds)


def _check(
    budgets: Sequence[float] | None, goal: Goal, points: int | None, time_limit: float | None
) -> None:
    if budgets is not None and not budgets:
        raise ValueError("no budgets: expected at least one, or None for all that matter")
    if points is not None and budgets is not None:
        raise ValueError(f"{points} points and {len(budgets)} budgets: give one or the other")
    if points is not None and points < 2:
        raise ValueError(f"{points} points: a front has two ends, so at least 2 are needed")
    if goal.objective != "latency":
        raise ValueError(
            f"objective {goal.objective!r}: this front trades loss for latency; give a goal with"
            " conditions alone"
        )
    if time_limit is not None and not time_limit > 0:
        raise ValueError(f"time limit {time_limit} is not a positive number of seconds")


def write_loss_front(front: LossFront, path: str | Path) -> None:
    """Write the points of a front as CSV, with the columns of COLUMNS.

    Raises:
        OSError: the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(_cells, front.points))
    write_whole(path, text.getvalue().encode())


class _EndedError(Exception):
    """The search has to end before the front is finished."""


class _Search:
    """The runs behind one front, under one clock.

    Attributes:
        found: points, also such that another makes worthless.
        stop: why the first run ended that proved nothing; None so far.
    """

    def __init__(
        self,
        instance: Instance,
        given: Compression,
        method: str,
        arguments: dict[str, Any],
        time_limit: float | None,
        watch: Watch | None,
    ) -> None:
        self.found: list[LossPoint] = []
        self.stop: Stop | None = None
        self._instance, self._given = instance, given
        self._method, self._arguments, self._watch = method, arguments, watch
        self._time_limit = time_limit
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Since the search began."""
        return time.perf_counter() - self._start

    def descend(self, points: int | None) -> None:
        """The two ends, then what lies between, from the most loss on."""
        try:
            fastest = self._run(min(self._given.budget, self._given.largest_loss), 3)
            # What does not fit within one budget fits within none that is less.
            if fastest is not None and fastest.lost > 0:
                self._between(fastest, self._run(0, 3), points)
        except _EndedError:
            return

    def _between(self, fastest: LossPoint, lossless: LossPoint | None, points: int | None) -> None:
        """The points that lose less than the fastest."""
        slowest = None if lossless is None else lossless.evaluation.latency
        # Without a number of points, nobody knows how many runs are to come.
        runs = 1 if points is None else points - 2
        reached, lost = fastest, fastest.lost
        while reached.evaluation.latency != slowest or not reached.proved:
            budget = _next_budget(lost, fastest.lost, points)
            point = self._run(budget, max(1, runs)) if budget > 0 else None
            if point is None:
                return
            # What is not proved says nothing about the budgets below.
            lost = point.lost if point.proved or points is None else budget
            reached, runs = point, runs - 1

    def try_all(self, budgets: list[int]) -> None:
        """A run at each budget, in millionths."""
        todo = sorted(set(budgets), reverse=True)
        try:
            for done, budget in enumerate(todo):
                if self._run(budget, len(todo) - done) is None:
                    return
        except _EndedError:
            return

    def _run(self, budget: int, parts: int) -> LossPoint | None:
        """The schedule within a budget of so many millionths; None: there is none.

        It takes at most one of so many parts of the time that is left.

        Raises:
            _EndedError: no time or memory is left, or Ctrl-C.
        """
        seconds = None
        if self._time_limit is not None:
            seconds = (self._time_limit - self.seconds) / parts
            if seconds <= 0:
                self.stop = self.stop or "time-limit"
                raise _EndedError
        within = self._given.within(budget)
        task = f"loss of at most {budget / MILLION:g}"
        result = solve(
            replace(self._instance, tables=self._instance.costs, compression=within),
            self._method,
            time_limit=seconds,
            listener=None if self._watch is None else self._watch(task),
            **self._arguments,
        )
        point = self._keep(result, within)
        if result.stop not in ("optimal", "infeasible"):
            self.stop = self.stop or result.stop
        if result.stop in ("interrupted", "memory-limit"):
            raise _EndedError
        return point

    def _keep(self, result: Result, within: Compression) -> LossPoint | None:
        if result.schedule is None or result.evaluation is None:
            return None
        lost = within.loss(within.choices(result.schedule.ratios))
        proved = result.stop == "optimal"
        self.found.append(LossPoint(lost, result.schedule, result.evaluation, proved))
        return self.found[-1]


def _next_budget(lost: int, most: int, points: int | None) -> int:
    """The next budget below a loss: a millionth less, or the next of an even grid up to `most`."""
    if points is None:
        return lost - 1
    steps = points - 1
    # The last of the budgets most * step // steps that is below the loss.
    step = min((lost * steps - 1) // most, steps - 1)
    return most * step // steps


def _efficient(found: list[LossPoint]) -> tuple[LossPoint, ...]:
    """The points that no other one makes worthless, each cost once, from the least loss on."""
    kept: list[LossPoint] = []
    for point in sorted(found, key=lambda p: (p.lost, p.evaluation.latency, not p.proved)):
        if not kept or point.evaluation.latency < kept[-1].evaluation.latency:
            kept.append(point)
    return tuple(kept)


def _cells(point: LossPoint) -> dict[str, Any]:
    """A point, as it is in COLUMNS."""
    costs = point.evaluation
    values = (costs.latency, costs.throughput, costs.energy, point.proved, point.compressed)
    return dict(zip(COLUMNS, (point.loss, *values), strict=True))


def _millionths(budget: float) -> int:
    if not 0 <= budget <= LIMIT / MILLION:
        raise ValueError(f"accuracy budget {budget}: expected a number of at least 0")
    return int((Decimal(str(budget)) * MILLION).to_integral_value(ROUND_FLOOR))
