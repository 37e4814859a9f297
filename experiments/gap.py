"""How far the fast methods are from the optimum, on many instances, from a store of runs."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from experiments.cases import Case, Watch, run
from experiments.pace import Pace
from experiments.store import Record, Store, Task
from instances.instance import Instance
from schedules.goal import Goal
from solvers.result import goal_to_data
from solvers.solve import METHODS

BATCHES = (16, 64, 256)
FAST = ("scope", "scope+", "annealing")
"""Methods whose gaps are measured."""

REFERENCE = "exact"
"""The method that proves optima."""

TIMES = {"annealing": ("scope+", 10)}
"""Method -> another, and how many times the other's run time it is given."""

LEAST_SECONDS = 0.001
"""A time limit is not zero, however fast the other method was."""

POLL_SECONDS = 0.2
"""Between two looks at what another process has finished."""


@dataclass(frozen=True)
class Gap:
    """What a method made of an instance, beside what is known of its optimum.

    Attributes:
        case, method: what was run.
        record: what came of it; None if it was not run.
        reference: the optimum, or a lower bound on it; None if neither is known.
        proved: whether the reference is the optimum.
    """

    case: Case
    method: str
    record: Record | None
    reference: float | None
    proved: bool

    @property
    def objective(self) -> int | None:
        """In cycles; None without a schedule."""
        return None if self.record is None else self.record.objective

    @property
    def gap(self) -> float | None:
        """(objective - reference) / objective: an upper bound on the gap if nothing is proved."""
        if self.objective is None or self.reference is None:
            return None
        return (self.objective - self.reference) / self.objective if self.objective else 0.0

    @property
    def seconds(self) -> float | None:
        """Run time of the method; None without a result."""
        return None if self.record is None else self.record.runtime_s

    def to_data(self) -> dict[str, Any]:
        """The gap as plain data."""
        return {
            "network": self.case.network,
            "package": self.case.package,
            "batch": self.case.batch,
            "method": self.method,
            "objective": self.objective,
            "reference": self.reference,
            "proved": self.proved,
            "gap": self.gap,
            "runtime_s": self.seconds,
            "error": None if self.record is None else self.record.error,
        }


@dataclass(frozen=True)
class Summary:
    """The gaps of one method.

    Attributes:
        method: its name.
        gaps: one an instance.
        steps: to which Scope's search was held; None for its own.
    """

    method: str
    gaps: tuple[Gap, ...]
    steps: str | None = None

    @property
    def known(self) -> list[float]:
        """The gaps that are known."""
        return [gap.gap for gap in self.gaps if gap.gap is not None]

    @property
    def mean(self) -> float | None:
        """Of the gaps that are known; None if none is."""
        return fmean(self.known) if self.known else None

    @property
    def median(self) -> float | None:
        """Of the gaps that are known; None if none is."""
        return median(self.known) if self.known else None

    @property
    def worst(self) -> Gap | None:
        """The largest gap, the first of equals; None if none is known."""
        found = [gap for gap in self.gaps if gap.gap is not None]
        return max(found, key=lambda gap: gap.gap or 0.0, default=None)

    @property
    def optimal(self) -> int:
        """How many schedules are known to be optimal."""
        return sum(gap.gap == 0 for gap in self.gaps)

    @property
    def unproved(self) -> int:
        """How many of the gaps are upper bounds, because no optimum is proved."""
        return sum(gap.gap is not None and not gap.proved for gap in self.gaps)

    @property
    def missing(self) -> int:
        """On how many instances there is no schedule, or nothing to compare it to."""
        return len(self.gaps) - len(self.known)

    @property
    def unscheduled(self) -> int:
        """On how many instances the method ended without a schedule."""
        records = [gap.record for gap in self.gaps if gap.record is not None]
        return sum(record.result is not None and record.objective is None for record in records)

    @property
    def mean_seconds(self) -> float | None:
        """Mean run time; None if nothing was run."""
        found = self._seconds()
        return fmean(found) if found else None

    @property
    def worst_seconds(self) -> float | None:
        """Longest run time; None if nothing was run."""
        return max(self._seconds(), default=None)

    def _seconds(self) -> list[float]:
        return [gap.seconds for gap in self.gaps if gap.seconds is not None]

    def to_data(self) -> dict[str, Any]:
        """The summary as plain data."""
        return {
            "method": self.method,
            "steps": self.steps,
            "instances": len(self.gaps),
            "missing": self.missing,
            "unscheduled": self.unscheduled,
            "unproved": self.unproved,
            "mean": self.mean,
            "median": self.median,
            "worst": None if self.worst is None else self.worst.to_data(),
            "optimal": self.optimal,
            "mean_runtime_s": self.mean_seconds,
            "worst_runtime_s": self.worst_seconds,
        }


def gaps(
    chosen: Sequence[Case],
    methods: Sequence[str],
    store: Store,
    *,
    time_limit: float | None = 120.0,
    seed: int = 0,
    workers: int | None = None,
    watch: Watch | None = None,
) -> list[Summary]:
    """Gaps of methods to the optimum; runs what the store does not have.

    Small instances come first. What another process is running already is waited for.

    Args:
        time_limit: wall seconds for each proof.
        seed: for methods that draw random numbers.
        workers: threads of a run.
        watch: called with the name of each run before it begins; returns its listener.

    Returns:
        A summary a method; its gaps are in the order of the instances.

    Raises:
        ValueError: an unknown method, or a store that cannot be used.
        RuntimeError: a schedule that costs less than the proved optimum.
    """
    _check(methods)
    return Study(store, tuple(methods), time_limit, seed, workers, watch).summaries(chosen)


def stored_gaps(
    chosen: Sequence[Case], methods: Sequence[str], store: Store, *, steps: str | None = None
) -> list[Summary]:
    """The same of what the store has, whatever its version: nothing is run.

    Args:
        steps: for `scope`, as `solve` takes them.

    Raises:
        ValueError: an unknown method, or a store that cannot be used.
        RuntimeError: a schedule that costs less than the proved optimum.
    """
    _check(methods)
    return _summaries(methods, steps, [_stored(case, methods, steps, store) for case in chosen])


def _check(methods: Sequence[str]) -> None:
    for method in (*methods, *(TIMES[name][0] for name in methods if name in TIMES)):
        if method not in METHODS:
            raise ValueError(f"unknown method {method!r}: choose from {', '.join(METHODS)}")


def _summaries(methods: Sequence[str], steps: str | None, found: list[list[Gap]]) -> list[Summary]:
    return [
        Summary(method, tuple(row[place] for row in found), steps)
        for place, method in enumerate(methods)
    ]


def _stored(case: Case, methods: Sequence[str], steps: str | None, store: Store) -> list[Gap]:
    records = [record for record in store.of(case.content) if "repeat" not in record.task.options]
    latest = {record.task.method: record for record in records if record.task.steps == steps}
    return [_gap(case, method, latest.get(method), records) for method in methods]


def _gap(case: Case, method: str, record: Record | None, records: Sequence[Record]) -> Gap:
    """Beside the best that is known of the instance.

    Raises:
        RuntimeError: the schedule costs less than that.
    """
    reference, proved = best_known(records)
    found = Gap(case, method, record, reference, proved)
    if found.objective is not None and reference is not None and found.objective < reference:
        raise RuntimeError(
            f"{method} on {case} found {found.objective:,} cycles, but {reference:,.0f} is"
            f" {'the proved optimum' if proved else 'a proved lower bound'}"
        )
    return found


def best_known(records: Sequence[Record]) -> tuple[float | None, bool]:
    """The optimum and True, or else the best lower bound and False; of an instance's latency."""
    latency = goal_to_data(Goal())
    bounds = []
    for record in records:
        if record.result is None or record.result["goal"] != latency:
            continue
        if record.stop == "optimal":
            return record.objective, True
        if record.bound is not None:
            bounds.append(math.ceil(record.bound - 1e-6))
    return max(bounds, default=None), False


@dataclass(frozen=True)
class Study:
    """Runs of methods on many instances, and what they have in common.

    Attributes:
        methods: their names.
        store, time_limit, seed, workers, watch: as in `gaps`.
        steps: for `scope`, as `solve` takes them; no other method may be in such a study.
    """

    store: Store
    methods: tuple[str, ...]
    time_limit: float | None = 120.0
    seed: int = 0
    workers: int | None = None
    watch: Watch | None = None
    steps: str | None = None

    def summaries(self, chosen: Sequence[Case]) -> list[Summary]:
        """A summary a method; runs what the store does not have.

        Raises:
            ValueError: a store that cannot be used.
            RuntimeError: a schedule that costs less than the proved optimum.
        """
        self.run(chosen)
        return _summaries(self.methods, self.steps, [self.gaps(case) for case in chosen])

    def run(self, chosen: Sequence[Case]) -> None:
        """Run what is missing; what another process holds is looked at again in the end."""
        pace = Pace([case.size for case in chosen])
        ahead = sorted(chosen, key=lambda case: case.size)
        while ahead:
            held = []
            for case in ahead:
                if self._settle(case, pace):
                    pace.step(case.size)
                else:
                    held.append(case)
            if len(held) == len(ahead):
                time.sleep(POLL_SECONDS)
            ahead = held

    def gaps(self, case: Case) -> list[Gap]:
        """The gaps of a case that has been settled."""
        records = self.store.of(case.content)
        found = {record.task.key: record for record in records}
        tasks = [(method, self._task(case, method)) for method in self.methods]
        return [
            _gap(case, method, None if task is None else found.get(task.key), records)
            for method, task in tasks
        ]

    def _settle(self, case: Case, pace: Pace) -> bool:
        """Run all methods on a case; False if another process holds one of its runs."""
        instance: Instance | None = None
        for method in self._order(case):
            task = self._task(case, method)
            if task is None or self.store.get(task) is not None:
                continue
            instance = case.instance() if instance is None else instance
            if not self._done(task, instance, pace):
                return False
        return True

    def _order(self, case: Case) -> list[str]:
        """The methods that a case needs, each after the one whose time it is given."""
        wanted = [TIMES[name][0] for name in self.methods if name in TIMES]
        proved = best_known(self.store.of(case.content))[1]
        first = [] if proved or REFERENCE in self.methods else [REFERENCE]
        return list(dict.fromkeys([*first, *wanted, *self.methods]))

    def _task(self, case: Case, method: str) -> Task | None:
        """The run of a method; None if the run whose time it is given failed."""
        if method == REFERENCE:
            return case.task(method, time_limit=self.time_limit, workers=self.workers)
        if method not in TIMES:
            return case.task(method, steps=self.steps, seed=self.seed, workers=self.workers)
        other, times = TIMES[method]
        task = self._task(case, other)
        record = None if task is None else self.store.get(task)
        if record is None or record.runtime_s is None:
            return None
        limit = max(round(times * record.runtime_s, 3), LEAST_SECONDS)
        return case.task(method, seed=self.seed, workers=self.workers, time_limit=limit)

    def _done(self, task: Task, instance: Instance, pace: Pace) -> bool:
        """Run a task and keep what came of it; False if another process holds it."""
        with self.store.claim(task) as mine:
            if not mine:
                return False
            if self.store.get(task) is None:
                name = f"{pace}: {task.what} on {task.instance}"
                listener = None if self.watch is None else self.watch(name)
                self.store.add(run(task, instance, listener))
        return True
