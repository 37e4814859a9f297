"""Several methods on one instance, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from instances.instance import Instance
from schedules.goal import Goal
from schedules.progress import TracePoint
from solvers.result import Result, goal_to_data
from solvers.solve import METHODS, solve

BASELINE = "segmented"
"""The classic segmented pipeline, against which merging layers is measured."""

FOR_MODELS = ("formulation", "engine", "start", "gap_limit", "memory_limit")
"""Arguments of `solve` for methods with models only."""


@dataclass(frozen=True)
class Row:
    """What one method made of the instance.

    Attributes:
        method: its name.
        result: what it found; None if it was not run to an end.
        reason: why not; None if it was.
    """

    method: str
    result: Result | None
    reason: str | None = None

    @property
    def objective(self) -> int | None:
        """What the goal minimises; None without a schedule."""
        return None if self.result is None else self.result.objective


@dataclass(frozen=True)
class Comparison:
    """All rows, in the order asked for.

    Attributes:
        instance: what was scheduled.
        goal: what was minimised, and under which conditions.
        rows: one a method.
    """

    instance: Instance
    goal: Goal
    rows: tuple[Row, ...]

    @property
    def best(self) -> Result | None:
        """The result with the lowest objective, the first of equals; None without a schedule."""
        found = [row.result for row in self.rows if row.result and row.objective is not None]
        return min(found, key=lambda result: result.objective or 0, default=None)

    @property
    def infeasible(self) -> bool:
        """Whether a method proved that there is no schedule."""
        return any(row.result is not None and row.result.stop == "infeasible" for row in self.rows)

    def to_best(self, row: Row) -> float | None:
        """The row's objective over the best one; None without both."""
        return _ratio(row.objective, None if self.best is None else self.best.objective)

    def to_baseline(self, row: Row) -> float | None:
        """The row's objective over that of BASELINE; None without both."""
        objectives = (other.objective for other in self.rows if other.method == BASELINE)
        return _ratio(row.objective, next(objectives, None))

    def to_data(self) -> dict[str, Any]:
        """The comparison as plain data; a row without a result has its reason."""
        instance = self.instance
        return {
            "instance": instance.name,
            "batch": instance.batch,
            "package": None if instance.package is None else instance.package.name,
            "goal": goal_to_data(self.goal),
            "best": None if self.best is None else self.best.method,
            "rows": [
                {
                    "method": row.method,
                    "reason": row.reason,
                    "ratio_to_best": self.to_best(row),
                    f"ratio_to_{BASELINE}": self.to_baseline(row),
                    **({} if row.result is None else row.result.to_data()),
                }
                for row in self.rows
            ],
        }


def _ratio(objective: int | None, reference: int | None) -> float | None:
    if objective is None or reference is None:
        return None
    if reference == 0:
        return 1.0 if objective == 0 else float("inf")
    return objective / reference


def compare(
    instance: Instance,
    methods: Sequence[str],
    *,
    goal: Goal | None = None,
    watch: Callable[[str], Callable[[TracePoint], None]] | None = None,
    **arguments: Any,
) -> Comparison:
    """Run several methods on one instance, one after another.

    A method that refuses the instance or fails on it gets a row with its reason; the others still
    run. Ctrl-C ends the method that runs and leaves out those that have not begun.

    Args:
        methods: names, each once.
        goal: for all of them.
        watch: called with each method's name before it begins; returns its listener.
        arguments: what else `solve` takes, such as a time limit for each method. Those in
            FOR_MODELS go to the methods that have models.

    Raises:
        ValueError: no method, an unknown one, or one named twice.
    """
    _check(methods)
    rows: list[Row] = []
    interrupted = False
    for method in methods:
        if interrupted:
            rows.append(Row(method, None, "not run: interrupted"))
            continue
        listener = None if watch is None else watch(method)
        try:
            result = solve(
                instance, method, goal=goal, listener=listener, **_for(method, arguments)
            )
        except (ValueError, RuntimeError, ImportError, MemoryError) as error:
            rows.append(Row(method, None, str(error) or type(error).__name__))
        else:
            rows.append(Row(method, result))
            interrupted = result.stop == "interrupted"
    return Comparison(instance, goal or Goal(), tuple(rows))


def _for(method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments that a method knows what to do with."""
    if METHODS[method].models is not None:
        return arguments
    return {name: value for name, value in arguments.items() if name not in FOR_MODELS}


def _check(methods: Sequence[str]) -> None:
    if not methods:
        raise ValueError(f"no method to compare: choose from {', '.join(METHODS)}")
    for place, method in enumerate(methods):
        if method not in METHODS:
            raise ValueError(f"unknown method {method!r}: choose from {', '.join(METHODS)}")
        if method in methods[:place]:
            raise ValueError(f"method {method!r} is named twice")
