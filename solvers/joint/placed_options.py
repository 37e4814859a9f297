"""What clusters on regions really cost: each with its fastest options, or all with the links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schedules.placed import PlacedSegment, placed_segment
from schedules.schedule import Segment
from solvers.joint.linked import Linked, Place, Solve, segment_of
from solvers.joint.times import Hops, Times


@dataclass(frozen=True)
class Trial:
    """Clusters at their places with the best options.

    Attributes:
        segment: with options and tiles.
        cost: of the segment, as evaluated.
        hops: of each cluster, the ways from its sources.
        times: of each cluster by itself.
        linked: of the clusters where a link is busier than their slowest; None where none is.
    """

    segment: Segment
    cost: PlacedSegment
    hops: tuple[Hops, ...]
    times: tuple[int, ...]
    linked: Linked | None = None


def best_options(times: Times, places: Sequence[Place], solve: Solve) -> Trial:
    """The least beat of clusters on regions, each of which fits.

    Raises:
        OutOfTimeError: before the proof.
    """
    linked, every = Linked(times, places, solve), range(len(places))
    hops = tuple(linked.hops(k, every) for k in every)
    found = [times.fastest(*place, own) for place, own in zip(places, hops, strict=True)]
    cycles = tuple(time for time, _ in found)
    segment = segment_of(times, places, [options.tolist() for _, options in found])
    cost = placed_segment(times.instance, segment)
    slowest = max(cost.dram, *cycles)
    if cost.beat == slowest:
        return Trial(segment, cost, hops, cycles)
    _, options = linked.best(every, slowest, cost.beat)
    segment = segment_of(times, places, options)
    cost = placed_segment(times.instance, segment)
    return Trial(segment, cost, hops, cycles, linked if cost.beat > slowest else None)
