"""What segments cost at least, whatever the limit: made once, asked for many limits."""

from __future__ import annotations

from formulations.formulation import Report, unheard
from formulations.merged_pipeline.columns import Columns
from formulations.merged_pipeline.ratio_columns import RatioColumns
from formulations.merged_pipeline.ratio_reduction import Reduction, reduction
from formulations.merged_pipeline.segment_bounds import Bounds
from formulations.merged_pipeline.segment_columns import SegmentColumn, segment_columns
from formulations.merged_pipeline.segment_start import losses, resources, start
from instances.instance import Instance
from instances.ratio_tables import relaxed
from schedules.goal import Goal, Weights, restricted

FINENESS = 2048
"""The bound is settled to this fraction of itself."""


class Pricing:
    """The cluster columns of an instance, and the bounds on its segments' weighted cost.

    Attributes:
        bound: no schedule that obeys the goal has an objective below; None if there is none, or
            none within the limit. Rises with `settle` and `refute`.
        instance, goal, weights: as given.
        own: the instance as the goal restricts it, and with the ratios that matter.
        reduction: how these were found; None without compression.
        clusters: the cluster columns.
        chiplets: that a segment may use.
        most: the limit, or what no schedule can cost more than.

    Args:
        limit: a weighted cost; columns that only costlier schedules use may be left out.
        report: hears now and then that the search for columns goes on.

    Raises:
        ValueError: costs are too large to be added in 64 bits.
    """

    def __init__(
        self,
        instance: Instance,
        goal: Goal,
        weights: Weights,
        limit: int | None = None,
        report: Report = unheard,
    ) -> None:
        leakage, batch = instance.tables.energy.leakage, instance.batch
        self.reduction: Reduction | None = None
        self.own = restricted(instance, goal)
        if instance.compression is not None:
            self.reduction = reduction(instance, goal, weights, limit, report)
            self.own = self.reduction.instance
        plain = relaxed(self.own)
        tables = plain.tables
        cycles = weights.latency + weights.energy * leakage
        longest = [] if goal.latency_cap is None else [goal.latency_cap // batch]
        if limit is not None and cycles > 0:
            longest.append(limit // (cycles * batch))
        priced = goal.needs_energy or weights.energy > 0
        self.instance, self.goal, self.weights = instance, goal, weights
        self.chiplets = tables.chiplets
        self.clusters: Columns | RatioColumns
        if self.reduction is not None and self.own.compression is not None:
            self.clusters = RatioColumns(self.own, self.reduction.longest, priced, report)
        else:
            self.clusters = Columns(tables, min(longest, default=None), priced, report)
        self._known = start(plain, goal, self.clusters, priced)
        limits = resources(self._known, goal, weights, leakage, limit)
        segments = min(len(tables.layers), goal.segments or 0)
        self._bounds = Bounds(self._known, tables.chiplets, limits, segments)
        if self.own.compression is not None and not priced:
            limits += losses(limits[0], self._bounds.bound, self.own.compression, batch)
            self._bounds = Bounds(self._known, tables.chiplets, limits, segments)
        self.most = limits[0].most
        self._unrefuted = limit
        self.bound: int | None = self._bounds.bound

    def settle(self, report: Report = unheard) -> None:
        """Raise the bound as far as the relaxations carry it, and report it on the way.

        If they show that no schedule costs at most U, then U+1 is a bound (destructive bounds:
        Klein and Scholl, European Journal of Operational Research 112, 1999).
        """
        step = 1 if self.bound is None else self.bound // FINENESS + 1
        while self.bound is not None and not self._is_settled(self.bound):
            report(self.bound)
            trial = self.bound + step
            if self._unrefuted is not None:
                trial = min((self.bound + self._unrefuted) // 2, trial)
            step *= 2
            bounds = self.limited(trial)
            if bounds.bound is None:
                self.refute(trial)
            else:
                self.bound = max(self.bound, bounds.bound)
                self._unrefuted = trial
        report(self.bound)

    def limited(self, limit: int) -> Bounds:
        """Bounds for the schedules that cost at most `limit`; the cheapest path stands."""
        bounds = self._bounds.limited(min(limit, self.most))
        bounds.approach()
        return bounds

    def refute(self, limit: int) -> None:
        """Take note that no schedule costs at most `limit`."""
        if self.bound is not None:
            self.bound = None if limit >= self.most else max(self.bound, limit + 1)

    def columns(self, limit: int | None, report: Report = unheard) -> list[SegmentColumn]:
        """The segment columns for schedules that cost at most `limit`; none if there are none."""
        most = self.most if limit is None else limit
        if self.bound is None or most < self.bound:
            return []
        bounds = self.limited(most)
        bounds.tighten(lambda: report(self.bound))
        return segment_columns(self._known, bounds, pause=lambda: report(self.bound))

    def columns_of(self, bounds: Bounds, part: tuple[int, int]) -> list[SegmentColumn]:
        """The columns of one segment that fit in its room."""
        return segment_columns(self._known, bounds, part)

    def _is_settled(self, bound: int) -> bool:
        return self._unrefuted is not None and self._unrefuted - bound <= bound // FINENESS


def settled_bound(
    instance: Instance, goal: Goal, weights: Weights, limit: int | None, report: Report = unheard
) -> int | None:
    """The bound of a segment model, without the model."""
    pricing = Pricing(instance, goal, weights, limit, report)
    pricing.settle(report)
    return pricing.bound
