"""Which ratios, and how slow clusters, can matter: told by the relaxation without choices."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from formulations.formulation import Report, unheard
from formulations.merged_pipeline.columns import Columns
from formulations.merged_pipeline.interval_bounds import Bounds, budgets_of
from formulations.merged_pipeline.ratios import replacements, without
from instances.instance import Instance
from instances.ratio_tables import relaxed
from instances.tables import Ints
from schedules.goal import Goal, Weights, restricted
from schedules.schedule import Schedule


@dataclass(frozen=True)
class Reduction:
    """An instance restricted to a goal, and to the ratios that can matter.

    Attributes:
        instance: without compression if nothing is worth compressing.
        longest: [L,L] the cycles that a cluster may take; -1 where none can matter.
        instead: [L,R] the choice to take in place of each of the original's.
        bound: no schedule that obeys the goal, and the limit, has an objective below; None if there
            is no such schedule.
    """

    instance: Instance
    longest: Ints
    instead: Ints
    bound: int | None

    def settled(self, original: Instance, schedule: Schedule) -> Schedule:
        """A schedule of the original with the ratios that are left; it costs no more."""
        if original.compression is None or not schedule.ratios:
            return schedule
        choices = original.compression.choices(schedule.ratios)
        left = [int(self.instead[layer, k]) for layer, k in enumerate(choices)]
        return replace(schedule, ratios=original.compression.ratios_of(left))

    def choices(self, schedule: Schedule) -> tuple[int, ...]:
        """The choices of a settled schedule; none without compression."""
        given = self.instance.compression
        return () if given is None else given.choices(schedule.ratios)


def reduction(
    instance: Instance, goal: Goal, weights: Weights, limit: int | None, report: Report = unheard
) -> Reduction:
    """Rule out the choices of ratios that others make useless, as often as that changes bounds.

    Args:
        instance: with compression.
        limit: a weighted cost; what only costlier schedules use may be left out.
    """
    assert instance.compression is not None
    original = restricted(instance, goal)
    priced = goal.needs_energy or weights.energy > 0
    given, instead = instance.compression, np.empty(0, dtype=np.int64)
    instead = np.tile(np.arange(len(given.ratios)), (len(given.readers), 1))
    own = original
    while own.compression is not None:
        bounds = _bounds(relaxed(own), goal, weights, limit, priced, report)
        better = replacements(own, bounds.least_beats(), priced)
        left = without(own.compression, better)
        instead = np.take_along_axis(better, instead, axis=1)
        unchanged = left is not None and np.array_equal(left.losses, own.compression.losses)
        own = replace(own, tables=own.costs, compression=left)
        if unchanged:
            break
    return Reduction(own, _within(bounds.longest_beats()), instead, bounds.bound)


def _bounds(
    instance: Instance,
    goal: Goal,
    weights: Weights,
    limit: int | None,
    priced: bool,
    report: Report,
) -> Bounds:
    budgets = budgets_of(instance, goal, weights, limit)
    longest = min(own.longest_beat(instance.batch) for own in budgets)
    columns = Columns(instance.tables, longest, priced, report)
    layers = len(instance.tables.layers)
    clusters, segments = goal.allowed_clusters(layers), goal.allowed_segments(layers)
    found = [q for place in np.argwhere(clusters).tolist() for q in columns.of(*place)]
    return Bounds(instance, found, segments, budgets, priced, report)


def _within(longest: Ints) -> Ints:
    """[L,L] the largest of all segments that contain i..j."""
    found = np.maximum.accumulate(longest, axis=0)
    return np.maximum.accumulate(found[:, ::-1], axis=1)[:, ::-1].copy()
