"""The runs of a store as rows, each compared with the other runs on its instance."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.report.album import Shown
from experiments.store import ASIDE, Record, label


@dataclass(frozen=True)
class Run:
    """A run, and what the other runs of the store say about it.

    Attributes:
        number: its place in the store.
        record: what came of it.
        shown: what the page can show of it.
        method: with those of its options that make it another one.
        goal: what was minimised, and under which conditions.
        best: the lowest objective of all runs on the same instance with the same goal.
        bound: the highest lower bound of the same.
    """

    number: int
    record: Record
    shown: Shown
    method: str
    goal: str
    best: int | None
    bound: float | None

    @property
    def facts(self) -> dict[str, Any]:
        """The result as plain data; empty if the run failed."""
        return self.record.result or {}

    @property
    def network(self) -> str:
        """The name, or what stands for it."""
        return self.record.task.network or self.facts.get("instance") or self.record.task.content

    @property
    def package(self) -> str:
        """The name; '–' for a table instance."""
        return self.record.task.package or "–"

    @property
    def case(self) -> tuple[str, str]:
        """What a run must share with another to be compared with it."""
        return self.record.task.content, self.goal

    @property
    def ratio(self) -> float | None:
        """Objective over the best known one."""
        objective = self.record.objective
        return None if objective is None or not self.best else objective / self.best

    @property
    def gap(self) -> float | None:
        """(objective - bound) / objective, with the best bound that is known."""
        objective = self.record.objective
        return None if not objective or self.bound is None else (objective - self.bound) / objective

    @property
    def size(self) -> int | None:
        """Layers times chiplets, where the instance is known."""
        if self.shown.layers is None or self.shown.chiplets is None:
            return None
        return self.shown.layers * self.shown.chiplets


def make_runs(records: Sequence[Record], shown: Iterable[Shown]) -> list[Run]:
    """A row for each record, in their order."""
    goals = [_goal(record) for record in records]
    best: dict[tuple[str, str], int] = {}
    bounds: dict[tuple[str, str], float] = {}
    for record, goal in zip(records, goals, strict=True):
        case = record.task.content, goal
        if record.objective is not None:
            best[case] = min(record.objective, best.get(case, record.objective))
        if record.bound is not None:
            bounds[case] = max(record.bound, bounds.get(case, record.bound))
    return [
        Run(
            number,
            record,
            seen,
            label(record.task.method, record.task.options),
            goal,
            best.get((record.task.content, goal)),
            bounds.get((record.task.content, goal)),
        )
        for number, (record, seen, goal) in enumerate(zip(records, shown, goals, strict=True))
    ]


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _goal(record: Record) -> str:
    """The objective and its conditions; of a run that failed, as far as its options tell."""
    options = record.task.options
    goal = (record.result or {}).get("goal") or options.get("goal")
    if not isinstance(goal, dict):
        return str(goal or options.get("objective", "latency"))
    conditions = [f"{name} {_said(value)}" for name, value in goal.items() if name != "objective"]
    return ", ".join([goal.get("objective", "latency"), *(c for c in conditions if c != "pins []")])


def settings(run: Run) -> str:
    """The options that do not make another method of it, for people."""
    told = [
        f"{name.replace('_', ' ')} {_said(value)}"
        for name, value in sorted(run.record.task.options.items())
        if name in ASIDE and name not in ("goal", "objective")
    ]
    return ", ".join(told)
