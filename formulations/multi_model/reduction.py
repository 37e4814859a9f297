"""Runs that a limit on the cost rules out, and a bound, by shortest paths of each model alone.

A model's runs are a path from its first cut to its last one. Windows that are no shorter than the
model's own runs, and the energy of all models, bound the cost of every schedule with a run from
below. What costs too much is left out, which may raise the bounds of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from formulations.multi_model.frame import Question
from formulations.multi_model.listing import ListedRun

Listed = list[list[ListedRun]]
Price = Callable[[ListedRun], int]


def reduced(listed: Sequence[Sequence[ListedRun]], question: Question) -> tuple[Listed, int | None]:
    """The runs that may be in a schedule within the limit, and a bound on the cost.

    Returns:
        Of each model, its runs; and the least that a schedule costs, None if there is none.
    """
    runs = [list(own) for own in listed]
    while True:
        least, through = _bounds(runs, question)
        if least is None or question.limit is None:
            return runs, least
        kept = [
            [run for run, cost in zip(own, costs, strict=True) if _within(cost, question.limit)]
            for own, costs in zip(runs, through, strict=True)
        ]
        if list(map(len, kept)) == list(map(len, runs)):
            return runs, least
        runs = kept


def _within(cost: int | None, limit: int) -> bool:
    return cost is not None and cost <= limit


def _bounds(runs: Listed, question: Question) -> tuple[int | None, list[list[int | None]]]:
    """Lower bounds on the cost of all schedules, and of those with each run."""
    cycle, picojoule = question.prices

    def energy(run: ListedRun) -> int:
        return picojoule * run.energy

    def whole(run: ListedRun) -> int:
        return cycle * run.time + picojoule * run.energy

    paths = _period_paths if question.period else _paths
    units = [own.job.units for own in question.costs.jobs]
    energies = [paths(own, end, energy) for own, end in zip(runs, units, strict=True)]
    wholes = [paths(own, end, whole) for own, end in zip(runs, units, strict=True)]
    least: list[int | None] = [_least(own) for own in energies]
    if None in least or not all(map(bool, runs)):
        return None, [[None] * len(own) for own in runs]
    total = sum(one or 0 for one in least)
    through = []
    for own, one in zip(wholes, least, strict=True):
        rest = total - (one or 0)
        through.append([None if cost is None else cost + rest for cost in own])
    return max(min(c for c in costs if c is not None) for costs in through), through


def _least(costs: list[int | None]) -> int | None:
    return min((cost for cost in costs if cost is not None), default=None)


def _period_paths(runs: list[ListedRun], units: int, price: Price) -> list[int | None]:
    """In a single window a run has all units."""
    return [price(run) if (run.first, run.end) == (0, units) else None for run in runs]


def _paths(runs: list[ListedRun], units: int, price: Price) -> list[int | None]:
    """Of each run, the least price of all runs together if it is one of them; None if it cannot."""
    before: list[int | None] = [0, *[None] * units]
    for run in sorted(runs, key=lambda run: run.first):
        before[run.end] = _better(before[run.end], before[run.first], price(run))
    after: list[int | None] = [*[None] * units, 0]
    for run in sorted(runs, key=lambda run: -run.end):
        after[run.first] = _better(after[run.first], after[run.end], price(run))
    found: list[int | None] = []
    for run in runs:
        start, end = before[run.first], after[run.end]
        found.append(None if start is None or end is None else start + price(run) + end)
    return found


def _better(best: int | None, way: int | None, price: int) -> int | None:
    """The lesser of what is known and a way with one more run."""
    if way is None:
        return best
    return way + price if best is None else min(best, way + price)
