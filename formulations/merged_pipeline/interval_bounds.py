"""What of the interval formulation can matter: segments priced from below, and their columns.

Each segment has bounds from its relaxation (see interval_relaxation). A budget (a known cost, a cap
on latency or on energy) closes the segments that lie on no path over segments that is cheap enough:
reduced-cost fixing on a shortest path. Within the others it drops the columns that cost too much.
What is gone raises the bounds of the rest, until nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, inf

import numpy as np

from formulations.formulation import Report, unheard
from formulations.merged_pipeline.columns import FAR, Column
from formulations.merged_pipeline.interval_relaxation import (
    HAIR,
    Flags,
    Span,
    Stages,
    settle,
    sums,
)
from formulations.merged_pipeline.ratios import FINE, loss_prices
from instances.compression import Compression
from instances.instance import Instance
from instances.tables import LIMIT, Floats, Ints
from schedules.goal import Goal, Weights


@dataclass(frozen=True)
class Budget:
    """What a schedule may cost.

    Attributes:
        cycle: the cost of a cycle of latency, leakage included.
        joule: the cost of any other picojoule.
        paid: what every schedule pays to load the weights.
        most: what it may pay together; may be inf.
        scale, slack: where losses take the place of energy, and the objective is in the sum: what
            it is multiplied by, and the most that losses can add.
    """

    cycle: int
    joule: int
    paid: int
    most: float
    scale: int = 0
    slack: int = 0

    def longest_beat(self, batch: int) -> int:
        """No schedule within the budget has a longer one."""
        if self.most == inf or self.cycle == 0:
            return LIMIT
        return max(0, int(self.most) - self.paid) // (batch * self.cycle)


def budget(instance: Instance, weights: Weights, most: int | None) -> Budget:
    """The budget of a weighted cost."""
    energy = instance.tables.energy
    cycle = weights.latency + weights.energy * energy.leakage
    paid = cycle * int(instance.tables.loads[-1]) + weights.energy * sum(energy.load.tolist())
    return Budget(cycle, weights.energy, paid, inf if most is None else most)


def budgets_of(instance: Instance, goal: Goal, weights: Weights, limit: int | None) -> list[Budget]:
    """The budgets of a limit on the objective, which comes first, and of the goal's caps."""
    found = [budget(instance, weights, limit)]
    if goal.latency_cap is not None:
        found.append(budget(instance, Weights(1, 0), goal.latency_cap))
    if goal.energy_cap is not None:
        found.append(budget(instance, Weights(0, 1), goal.energy_cap))
    return found


def loss_budgets(
    objective: Budget, bound: int | None, given: Compression, batch: int
) -> list[Budget]:
    """The budget of losses, and with the objective in one sum; see `segment_start.losses`.

    Args:
        bound: on the objective.
    """
    found = [Budget(0, 1, 0, batch * given.budget)]
    if objective.most < inf and bound is not None:
        for price in loss_prices(int(objective.most) - bound, given, batch):
            slack = price * batch * given.budget
            paid, most = FINE * objective.paid, FINE * objective.most + slack
            found.append(Budget(FINE * objective.cycle, price, paid, most, FINE, slack))
    return found


@dataclass(frozen=True)
class PricedSegment:
    """A segment that is not tiled.

    Attributes:
        first, last: layers, inclusive.
        least, most: bounds on its beat in cycles.
        cost: a lower bound by the first budget, loads apart.
        useful: [.] indices of the columns that may be among its clusters.
    """

    first: int
    last: int
    least: int
    most: int
    cost: float
    useful: Ints


class Bounds:
    """Lower bounds on all segments of an instance, and what the budgets leave open.

    Attributes:
        segments: the open ones that are not tiled.
        tiled: what a layer costs at least that may be tiled, by the first budget.
        paid: what every schedule pays to load the weights, by the first budget.
        columns: those that some open segment may use, and no other replaces.
        times: [Q] their cycles, or the least beat of the segments that may use them if that is
            longer.
        priced: whether energy counts.

    Args:
        columns: sorted by interval, then choices.
        allowed: [L,L] the segments that may be. One of one layer is one cluster, tiled or not.
        budgets: the first is the objective's.
        traffic: [L,L] cycles that DRAM traffic may take, where that is not all in the tables.
    """

    def __init__(
        self,
        instance: Instance,
        columns: Sequence[Column],
        allowed: Flags,
        budgets: Sequence[Budget],
        priced: bool,
        report: Report = unheard,
        traffic: Ints | None = None,
    ) -> None:
        tables = instance.tables
        self._instance, self._budgets, self.priced = instance, budgets, priced
        self._traffic = tables.io if traffic is None else traffic
        self.paid = budgets[0].paid
        self._stages = _stages(columns, len(tables.layers), priced)
        self._least = tables.io.copy()
        self._useful: dict[tuple[int, int], Ints] = {}
        self._costs: Floats = np.where(allowed, 0.0, np.inf)[None].repeat(len(budgets), axis=0)
        fits = (tables.alone >= 0) & allowed.diagonal()
        alone, joules = tables.alone.astype(float), tables.energy.alone.astype(float)
        costs = np.array([b.cycle * alone + b.joule * joules for b in budgets])
        self._tiled: Floats = np.where(fits, instance.batch * costs, np.inf)
        while self._tighten(report):
            pass
        self._conclude(columns)

    @property
    def bound(self) -> int | None:
        """No schedule costs less by the first budget; None if there is none."""
        found = 0
        for b, budget in enumerate(self._budgets):
            if b == 0 or budget.scale > 0:
                cost = sums(self._lowest(b))[0][-1] * HAIR
                if cost == inf:
                    return None
                least = ceil(cost) + budget.paid - budget.slack
                found = max(found, -(-least // max(1, budget.scale)))
        return found

    def least_beats(self) -> Ints:
        """[L,L] what is known of each segment's beat; FAR where it is closed."""
        return np.where(np.isfinite(self._costs[0]), self._least, FAR)

    def longest_beats(self) -> Ints:
        """[L,L] the longest beat that each segment may have within the budgets; -1 where closed."""
        longest = np.full_like(self._least, LIMIT)
        for own, rooms in zip(self._budgets, self._rooms(), strict=True):
            if own.cycle > 0:
                beats = np.clip(rooms / (own.cycle * self._instance.batch), -1, LIMIT)
                longest = np.minimum(longest, beats.astype(np.int64))
        return np.where(np.isfinite(self._costs[0]), longest, -1)

    def _lowest(self, budget: int) -> Floats:
        """[L,L] what segments, tiled or not, cost at least by a budget."""
        lowest = self._costs[budget].copy()
        np.fill_diagonal(lowest, np.minimum(lowest.diagonal(), self._tiled[budget]))
        return lowest

    def _tighten(self, report: Report) -> bool:
        """Settle each open segment against its budgets; whether any cost has risen."""
        before = self._costs.copy(), self._tiled.copy()
        bound, rooms = self.bound, self._rooms()
        self._useful.clear()
        for s, e in np.argwhere(np.isfinite(self._costs[0])).tolist():
            report(bound)
            useful = self._settle(s, e, rooms[:, s, e])
            if np.isfinite(self._costs[0, s, e]):
                self._useful[s, e] = useful
        own = rooms[:, np.arange(self._tiled.shape[1]), np.arange(self._tiled.shape[1])]
        self._tiled[:, (self._tiled * HAIR > own).any(axis=0)] = np.inf
        return not (
            np.array_equal(before[0], self._costs) and np.array_equal(before[1], self._tiled)
        )

    def _settle(self, s: int, e: int, rooms: Floats) -> Ints:
        """Bound one segment that may cost `rooms` [B]; the columns of use to it."""
        batch, io_energy = self._instance.batch, int(self._instance.tables.energy.io[s, e])
        joules = np.array([batch * budget.joule for budget in self._budgets], dtype=float)
        cycles = np.array([budget.cycle for budget in self._budgets], dtype=float)
        fixed = joules * io_energy
        within = np.zeros(len(self._stages.times), dtype=np.bool_)
        for first in range(s, e + 1):
            within[self._stages.begin[first, first] : self._stages.end[first, e]] = True
        span = Span(s, e, self._instance.tables.chiplets, batch - 1)
        budgets = np.column_stack([cycles, joules, rooms - fixed])
        least, costs = settle(self._stages, within, span, int(self._least[s, e]), budgets)
        self._least[s, e], self._costs[:, s, e] = least, costs + fixed
        return np.flatnonzero(within)

    def _rooms(self) -> Floats:
        """[B,L,L] what a segment may cost beside the cheapest others; -inf if nothing is left."""
        rooms = np.empty_like(self._costs)
        for b, budget in enumerate(self._budgets):
            before, after = sums(self._lowest(b))
            around = before[:-1, None] + after[None, 1:]
            around[np.isinf(around)] = np.nan
            # A hair more than is left: costs beyond 2^53 are rounded.
            left = (budget.most - budget.paid) / HAIR - around * HAIR
            rooms[b] = np.where(np.isnan(around), -np.inf, left)
        return rooms

    def _conclude(self, columns: Sequence[Column]) -> None:
        """Columns that some open segment may use, without those that another replaces there."""
        least = np.full(len(columns), FAR, dtype=np.int64)
        for (s, e), useful in self._useful.items():
            least[useful] = np.minimum(least[useful], self._least[s, e])
        kept = _unreplaced(columns, least, self.priced)
        self.columns = [columns[q] for q in kept]
        self.times = [max(columns[q].time, int(least[q])) for q in kept]
        number = np.full(len(columns), -1, dtype=np.int64)
        number[kept] = np.arange(len(kept))
        times = self._stages.times[kept]
        self.segments = [
            self._price(s, e, number[useful][number[useful] >= 0], times)
            for (s, e), useful in sorted(self._useful.items())
        ]
        self.tiled: dict[int, float] = {
            layer: float(self._tiled[0, layer] * HAIR)
            for layer in np.flatnonzero(np.isfinite(self._tiled[0])).tolist()
        }

    def _price(self, s: int, e: int, useful: Ints, times: Ints) -> PricedSegment:
        least = int(self._least[s, e])
        most = int(times[useful].max(initial=max(least, self._traffic[s, e])))
        return PricedSegment(s, e, least, most, float(self._costs[0, s, e] * HAIR), useful)


def _stages(columns: Sequence[Column], layers: int, priced: bool) -> Stages:
    """The columns as arrays; where energy does not count, with losses in its place."""
    places = np.array([(q.first, q.last) for q in columns], dtype=np.int64).reshape(-1, 2)
    keys = places[:, 0] * layers + places[:, 1]
    every = np.arange(layers * layers)
    return Stages(
        chiplets=np.array([q.chiplets for q in columns], dtype=np.int64),
        times=np.array([q.time for q in columns], dtype=np.int64),
        energies=np.array([q.energy if priced else q.lost for q in columns], dtype=np.int64),
        begin=np.searchsorted(keys, every).reshape(layers, layers),
        end=np.searchsorted(keys, every, side="right").reshape(layers, layers),
    )


def _unreplaced(columns: Sequence[Column], least: Ints, priced: bool) -> list[int]:
    """Columns that no other of the same cluster replaces, given the least beats around them.

    What replaces a column has the same choices and no more chiplets, needs no more energy if that
    counts, and is as fast, or faster than any beat that the column meets; a column of least beat
    FAR meets none.
    """

    def key(q: int) -> tuple[int, int, tuple[int, ...]]:
        return columns[q].first, columns[q].last, columns[q].choices

    kept: list[int] = []
    for _, group in groupby(range(len(columns)), key):
        own: list[int] = []
        for q in sorted(group, key=lambda q: (columns[q].chiplets, columns[q].energy)):
            column, beat = columns[q], int(least[q])
            if beat < FAR and not any(
                (not priced or columns[other].energy <= column.energy)
                and columns[other].time <= max(column.time, beat)
                for other in own
            ):
                own.append(q)
        kept += sorted(own)
    return kept
