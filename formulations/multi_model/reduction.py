"""Runs that a limit on the cost rules out, and a bound, by shortest paths with prices of time.

A model's runs are a path from its first cut to its last one. The windows together are no shorter
than the runs of one model, nor than those on one chiplet. With a share of the price of a cycle for
each of these, the shares' sum being at most 1, a run costs its energy, its time at its model's
share, and once more at that of each of its chiplets. Then the shortest paths of all models
together are a lower bound on the cost of every schedule (a Lagrangian relaxation), and the paths
through a run on that of every schedule with this run. What costs too much is left out, which may
raise the bounds of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from formulations.multi_model.listing import ListedRun
from formulations.multi_model.question import Question

Listed = list[list[ListedRun]]
Price = Callable[[ListedRun], int]
Shares = Sequence[int]
"""Of each model, and then of each chiplet; in parts of PARTS."""

PARTS = 1 << 20
"""Shares are whole numbers, so that bounds are exact."""

STEPS = 600
"""In which shares become better; they need not be the best ones."""

RATE = 0.5
"""Of the first step; the later ones are shorter."""


def reduced(listed: Sequence[Sequence[ListedRun]], question: Question) -> tuple[Listed, int | None]:
    """The runs that may be in a schedule within the limit, and a bound on the cost.

    Returns:
        Of each model, its runs; and the least that a schedule costs, None if there is none.
    """
    runs = [list(own) for own in listed]
    least: int | None = None
    while True:
        shares = _shares(runs, question)
        through = _costs(runs, question, shares)
        if through is None:
            return [[] for _ in runs], None
        bounds = [min(cost for cost in own if cost is not None) for own in through]
        least = max(bounds) if least is None else max(least, *bounds)
        kept = [
            [run for run, cost in zip(own, costs, strict=True) if _within(cost, question.limit)]
            for own, costs in zip(runs, through, strict=True)
        ]
        if sum(map(len, kept)) == sum(map(len, runs)):
            return runs, least
        runs = kept


def _within(cost: int | None, limit: int | None) -> bool:
    return cost is not None and (limit is None or cost <= limit)


def _costs(
    runs: Listed, question: Question, many: Sequence[Shares]
) -> list[list[int | None]] | None:
    """Lower bounds on the cost of schedules with each run; None if there are no schedules at all.

    Args:
        many: shares, each of which gives bounds.
    """
    found: list[list[int | None]] | None = None
    for shares in many:
        ways = [_ways(own, m, question, shares) for m, own in enumerate(runs)]
        least = [min((way for way in own if way is not None), default=None) for own in ways]
        known = [one for one in least if one is not None]
        if len(known) < len(runs):
            return None
        costs = [
            [None if way is None else -(-(way + sum(known) - one) // PARTS) for way in own]
            for own, one in zip(ways, known, strict=True)
        ]
        found = costs if found is None else _larger(found, costs)
    return found


def _larger(
    first: list[list[int | None]], second: list[list[int | None]]
) -> list[list[int | None]]:
    """The better bounds; a run that is on no path is on none with any shares."""
    return [
        [None if a is None or b is None else max(a, b) for a, b in zip(own, other, strict=True)]
        for own, other in zip(first, second, strict=True)
    ]


def _ways(runs: list[ListedRun], job: int, question: Question, shares: Shares) -> list[int | None]:
    """Of each run, the least price of all runs of its model if it is one; None if it cannot be."""
    cycle, picojoule = question.prices
    models = len(question.costs.jobs)

    def price(run: ListedRun) -> int:
        share = shares[job] + sum(shares[models + k] for k in run.chiplets)
        return PARTS * picojoule * run.energy + cycle * share * run.time

    units = question.costs.jobs[job].job.units
    if question.period:  # a single window
        return [price(run) if (run.first, run.end) == (0, units) else None for run in runs]
    before = distances(runs, units, price)
    after: list[int | None] = [*[None] * units, 0]
    for run in sorted(runs, key=lambda run: -run.end):
        after[run.first] = _better(after[run.first], after[run.end], price(run))
    found: list[int | None] = []
    for run in runs:
        start, end = before[run.first], after[run.end]
        found.append(None if start is None or end is None else start + price(run) + end)
    return found


def distances(runs: Iterable[ListedRun], units: int, price: Price) -> list[int | None]:
    """By cut, the least price of runs that lead there; None if none do."""
    before: list[int | None] = [0, *[None] * units]
    for run in sorted(runs, key=lambda run: run.first):
        before[run.end] = _better(before[run.end], before[run.first], price(run))
    return before


def _better(best: int | None, way: int | None, price: int) -> int | None:
    """The lesser of what is known and a way with one more run."""
    if way is None:
        return best
    return way + price if best is None else min(best, way + price)


def _shares(runs: Listed, question: Question) -> list[Shares]:
    """All for one model, for each model; and shares among all, by mirror descent."""
    models, chiplets = len(runs), len(question.costs.package.tiles)
    alone = [[PARTS * (m == own) for m in range(models + chiplets)] for own in range(models)]
    if not question.prices[0] or not all(runs):
        return list(alone)
    paths = [_Path(own, m, question) for m, own in enumerate(runs)]
    shares = np.full(models + chiplets, 1 / (models + chiplets))
    best, least = shares, -np.inf
    for step in range(STEPS):
        found = [path.least(shares) for path in paths]
        cost, used = sum(cost for cost, _ in found), np.sum([used for _, used in found], axis=0)
        if not np.isfinite(cost):
            return list(alone)
        if cost > least:
            best, least = shares, cost
        gradient = used / max(1, used.max())
        shares = shares * np.exp(RATE / np.sqrt(step + 1) * (gradient - gradient @ shares))
        shares = shares / shares.sum()
    return [*alone, [int(PARTS * share) for share in best]]


class _Path:
    """A model's shortest path, for one choice of shares after another; in floats."""

    def __init__(self, runs: list[ListedRun], job: int, question: Question) -> None:
        models, chiplets = len(question.costs.jobs), len(question.costs.package.tiles)
        self._units = question.costs.jobs[job].job.units
        whole = [run for run in runs if not question.period or run.end - run.first == self._units]
        whole = sorted(whole, key=lambda run: run.first)
        self._spans = [(n, run.first, run.end) for n, run in enumerate(whole)]
        self._fixed = np.array([question.prices[1] * run.energy for run in whole], dtype=float)
        self._times: NDArray[np.float64] = np.zeros((len(whole), models + chiplets))
        for n, run in enumerate(whole):
            self._times[n, [job, *(models + k for k in run.chiplets)]] = run.time
        self._cycle = question.prices[0]

    def least(self, shares: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The length of the shortest path, and its cycles by model and chiplet."""
        prices = (self._fixed + self._cycle * (self._times @ shares)).tolist()
        ways, last = [0.0, *[np.inf] * self._units], [0] * (self._units + 1)
        for n, first, end in self._spans:
            way = ways[first] + prices[n]
            if way < ways[end]:
                ways[end], last[end] = way, n
        used, cut = np.zeros(self._times.shape[1]), self._units
        while cut and np.isfinite(ways[cut]):
            used += self._times[last[cut]]
            cut = self._spans[last[cut]][1]
        return ways[self._units], used
