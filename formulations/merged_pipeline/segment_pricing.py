"""What segments cost at least, whatever the limit: made once, asked for many limits."""

from __future__ import annotations

from formulations.merged_pipeline.columns import Columns
from formulations.merged_pipeline.segment_bounds import Bounds, resources, start
from formulations.merged_pipeline.segment_columns import SegmentColumn, segment_columns
from instances.instance import Instance
from schedules.goal import Goal, Weights, restricted

FINENESS = 2048
"""The bound is settled to this fraction of itself."""


class Pricing:
    """The cluster columns of an instance, and the bounds on its segments' weighted cost.

    Attributes:
        bound: no schedule that obeys the goal has an objective below; None if there is none, or
            none within the limit. Rises with `settle` and `refute`.
        clusters: the cluster columns.
        chiplets: that a segment may use.

    Args:
        limit: a weighted cost; columns that only costlier schedules use may be left out.

    Raises:
        ValueError: costs are too large to be added in 64 bits.
    """

    def __init__(
        self, instance: Instance, goal: Goal, weights: Weights, limit: int | None = None
    ) -> None:
        leakage, batch = instance.tables.energy.leakage, instance.batch
        tables = restricted(instance, goal).tables
        cycles = weights.latency + weights.energy * leakage
        longest = [] if goal.latency_cap is None else [goal.latency_cap // batch]
        if limit is not None and cycles > 0:
            longest.append(limit // (cycles * batch))
        priced = goal.needs_energy or weights.energy > 0
        self.chiplets = tables.chiplets
        self.clusters = Columns(tables, min(longest, default=None), energy=priced)
        self._known = start(restricted(instance, goal), goal, self.clusters, priced)
        limits = resources(self._known, goal, weights, leakage, limit)
        most = min(len(tables.layers), goal.segments or 0)
        self._bounds = Bounds(self._known, tables.chiplets, limits, most)
        self._limit = self._unrefuted = limit
        self.bound: int | None = self._bounds.bound

    def settle(self) -> None:
        """Raise the bound as far as the relaxations carry it.

        If they show that no schedule costs at most U, then U+1 is a bound (destructive bounds:
        Klein and Scholl, European Journal of Operational Research 112, 1999).
        """
        step = 1 if self.bound is None else self.bound // FINENESS + 1
        while self.bound is not None and not self._is_settled(self.bound):
            if self._unrefuted is None:
                trial, step = self.bound + step, 2 * step
            else:
                trial = min((self.bound + self._unrefuted) // 2, self.bound + step)
                step *= 2
            bounds = self._bounds.limited(trial)
            bounds.approach()
            if bounds.bound is None:
                self.refute(trial)
            else:
                self.bound = max(self.bound, bounds.bound)
                self._unrefuted = trial

    def refute(self, limit: int) -> None:
        """Take note that no schedule costs at most `limit`."""
        if self.bound is not None:
            self.bound = max(self.bound, limit + 1)
            if self._limit is not None and self.bound > self._limit:
                self.bound = None

    def columns(self, limit: int | None) -> list[SegmentColumn]:
        """The segment columns for schedules that cost at most `limit`; none if there are none."""
        if self.bound is None or (limit is not None and limit < self.bound):
            return []
        bounds = self._bounds if limit is None else self._bounds.limited(limit)
        bounds.approach()
        bounds.tighten()
        return segment_columns(self._known, bounds)

    def _is_settled(self, bound: int) -> bool:
        return self._unrefuted is not None and self._unrefuted - bound <= bound // FINENESS
