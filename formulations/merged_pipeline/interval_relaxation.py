"""A segment relaxed to a shortest path over cluster columns, and what a budget leaves of it.

The beat is paid m-1 times, and once more for each cluster. With a the cost of a cycle and b that of
a picojoule a sample, a segment of clusters q on c_q chiplets, T'_q the larger of a cluster's time
and of what is known of the beat, has

    C >= sum_q c_q
    cost >= sum_q a (m-1) c_q T'_q / C + a T'_q + b E_q
    cost >= a (m-1) beat + sum_q a T'_q + b E_q.

The first bounds the beat: no cluster may be slower (a bottleneck path). The sums are shortest paths
over intervals of layers; each by itself lets go of what the others say.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from instances.jit import compiled
from instances.tables import Floats, Ints

Flags = NDArray[np.bool_]

HAIR = 1 - 1e-12
"""Taken off sums of floats, so that rounding never makes a bound too large."""


class Stages(NamedTuple):
    """Cluster columns, sorted by interval.

    Attributes:
        chiplets, times, energies: [Q] count, cycles and picojoules a sample.
        begin, end: [L,L] the columns of interval i..j are begin..end-1.
    """

    chiplets: Ints
    times: Ints
    energies: Ints
    begin: Ints
    end: Ints


class Span(NamedTuple):
    """The segment first..last on a package.

    Attributes:
        again: m-1, how often the beat is paid beside once for each cluster.
    """

    first: int
    last: int
    chiplets: int
    again: int


class Price(NamedTuple):
    """A linear price of a cluster: area * c T' + cycle * T' + joule * E, and `alone` * T' once."""

    area: float
    cycle: float
    joule: float
    alone: float


@compiled
def settle(
    stages: Stages, useful: Flags, span: Span, least: int, budgets: Floats
) -> tuple[int, Floats]:
    """Bounds on one segment; drops columns with which it exceeds a budget from `useful`.

    Args:
        useful: [Q] columns that may be of use; only those within the segment are touched.
        least: a known bound on the beat.
        budgets: [B,3] cost of a cycle, of a picojoule a sample, and what the segment may cost.

    Returns:
        least: a better bound on the beat.
        costs: [B] bounds on the segment's cost; inf if it exceeds some budget.
    """
    costs = np.zeros(len(budgets))
    closed = np.full(len(budgets), np.inf)
    while True:
        raised = bottleneck(stages, useful, span, least)
        if raised < 0:
            return least, closed
        changed = raised > least
        least = raised
        for b in range(len(budgets)):
            cycle, joule, room = budgets[b]
            again = cycle * span.again
            for price in (
                Price(again / span.chiplets, cycle, joule, 0.0),
                Price(0.0, cycle, joule, again),
            ):
                total, dropped = review(stages, useful, span, least, price, room)
                costs[b] = max(costs[b], total + price.alone * least * HAIR)
                changed |= dropped
            if costs[b] > room:
                return least, closed
        if not changed:
            return least, costs


@compiled
def bottleneck(stages: Stages, useful: Flags, span: Span, least: int) -> int:
    """The least beat, at least `least`, whose columns cover the segment on C chiplets; -1 if none.

    Bisection over the columns' times; the fewest chiplets for a beat are a shortest path.
    """
    if fewest(stages, useful, span, least) <= span.chiplets:
        return least
    times = np.sort(stages.times[useful])
    low, high = int(np.searchsorted(times, least, side="right")), len(times)
    while low < high:
        middle = (low + high) // 2
        if fewest(stages, useful, span, times[middle]) <= span.chiplets:
            high = middle
        else:
            low = middle + 1
    return times[low] if low < len(times) else -1


@compiled
def fewest(stages: Stages, useful: Flags, span: Span, beat: int) -> float:
    """The fewest chiplets on which columns no slower than a beat cover the segment."""
    count = span.last - span.first + 1
    lowest = np.full((count, count), np.inf)
    for i in range(count):
        for j in range(i, count):
            begin = stages.begin[span.first + i, span.first + j]
            end = stages.end[span.first + i, span.first + j]
            for q in range(begin, end):
                if useful[q] and stages.times[q] <= beat:
                    lowest[i, j] = min(lowest[i, j], float(stages.chiplets[q]))
    return sums(lowest)[0][-1]


@compiled
def review(
    stages: Stages, useful: Flags, span: Span, least: int, price: Price, room: float
) -> tuple[float, bool]:
    """The least sum of prices over the segment's clusters; drops columns that need over `room`.

    What is paid once is in the check of each column, and not in the sum.
    """
    lowest = cheapest(stages, useful, span, least, price)
    before, after = sums(lowest)
    dropped = False
    for i in range(span.first, span.last + 1):
        for j in range(i, span.last + 1):
            around = before[i - span.first] + after[j + 1 - span.first]
            for q in range(stages.begin[i, j], stages.end[i, j]):
                if useful[q]:
                    own = value(stages, q, least, price) + price.alone * max(stages.times[q], least)
                    if (around + own) * HAIR > room:
                        useful[q] = False
                        dropped = True
    return before[-1] * HAIR, dropped


@compiled
def value(stages: Stages, q: int, least: int, price: Price) -> float:
    """The price of a column in a segment whose beat is at least `least`."""
    time = max(stages.times[q], least)
    return (price.area * stages.chiplets[q] + price.cycle) * time + price.joule * stages.energies[q]


@compiled
def cheapest(stages: Stages, useful: Flags, span: Span, least: int, price: Price) -> Floats:
    """[n,n] the least price of each interval of the segment; inf where no column is useful."""
    count = span.last - span.first + 1
    lowest = np.full((count, count), np.inf)
    for i in range(count):
        for j in range(i, count):
            begin = stages.begin[span.first + i, span.first + j]
            end = stages.end[span.first + i, span.first + j]
            for q in range(begin, end):
                if useful[q]:
                    lowest[i, j] = min(lowest[i, j], value(stages, q, least, price))
    return lowest


@compiled
def sums(lowest: Floats) -> tuple[Floats, Floats]:
    """[n+1] the least sum over intervals that cover 0..i-1, and that cover i..n-1."""
    count = len(lowest)
    before = np.full(count + 1, np.inf)
    after = np.full(count + 1, np.inf)
    before[0] = after[count] = 0.0
    for i in range(count):
        for j in range(i, count):
            before[j + 1] = min(before[j + 1], before[i] + lowest[i, j])
    for i in range(count - 1, -1, -1):
        for j in range(i, count):
            after[i] = min(after[i], lowest[i, j] + after[j + 1])
    return before, after
