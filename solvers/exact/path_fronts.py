"""Paths over segments that are undominated in time and energy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.jit import compiled
from instances.tables import Ints
from schedules.parallel import OutOfTimeError
from schedules.progress import Progress
from solvers.exact.labels import FAR
from solvers.exact.trade import Horizon, useless

Place = tuple[int, int]
"""First and last layer of a segment."""


class Way(NamedTuple):
    """How a segment runs: clusters, 0 where it is tiled, and the beat of its slowest stage."""

    clusters: int
    beat: int


class Paths:
    """The undominated paths of use.

    Attributes:
        costs: their cycles and picojoules, the fastest first.
    """

    def __init__(
        self,
        points: dict[Place, Ints],
        onward: Ints,
        horizon: Horizon,
        most: int,
        progress: Progress,
    ) -> None:
        """Build them layer by layer.

        Args:
            points: [.,4] ways to run each segment: cycles, picojoules, clusters, beat.
            onward: [2,L+1] lower bounds on cycles and picojoules of the layers from each one on.
            horizon: what is of use.
            most: segments.

        Raises:
            OutOfTimeError: the time limit passed.
        """
        self.points, self.onward = points, np.ascontiguousarray(onward.T)
        self.horizon, self.progress = horizon, progress
        origin = np.array([[0, 0, -1, 0]], dtype=np.int64)
        nothing = origin[:0], 0
        self.rows, self.size = [origin], 1
        count = len(self.onward) - 1
        fronts = [(origin, 0)] + [nothing] * count
        if most >= count:
            for end in range(1, count + 1):
                fronts[end] = self._front(end, nothing[0], fronts)
        else:
            for _ in range(most):
                fronts = fronts[:1] + [
                    self._front(end, fronts[end][0], fronts) for end in range(1, count + 1)
                ]
        last, self.begin = fronts[-1]
        self.costs = [(time, energy) for time, energy, _, _ in last.tolist()]
        self.table = np.concatenate(self.rows)

    def path(self, place: int) -> list[tuple[Place, Way]]:
        """The segments of the path that costs costs[place]."""
        row, end, path = self.begin + place, len(self.onward) - 1, []
        while end > 0:
            _, _, row, point = self.table[row].tolist()
            first, point = point % end, point // end
            _, _, clusters, beat = self.points[first, end - 1][point].tolist()
            path.append(((first, end - 1), Way(clusters, beat)))
            end = first
        return path[::-1]

    def _front(self, end: int, front: Ints, fronts: list[tuple[Ints, int]]) -> tuple[Ints, int]:
        """The paths to layer `end` and where they are: those of `front`, and one segment more."""
        for first in range(end):
            before, begin = fronts[first]
            points = self.points.get((first, end - 1))
            if points is not None and len(before):
                ahead = self.onward[end]
                front = extend_front(front, before, begin, points, first, end, ahead, self.horizon)
            if self.progress.expired:
                raise OutOfTimeError
        begin = self.size
        self.rows.append(front)
        self.size += len(front)
        return front, begin


@compiled
def extend_front(
    front: Ints,
    before: Ints,
    begin: int,
    points: Ints,
    first: int,
    layer: int,
    ahead: Ints,
    horizon: Horizon,
) -> Ints:
    """The undominated of a front of paths to a layer, and of those by one segment more.

    Args:
        front, before: [.,4] cycles, picojoules, the row of the path without its last segment, and
            that segment's point times `layer` plus its first layer; ascending in cycles,
            descending in picojoules.
        begin: the row of before[0].
        points: [.,4] the ways to run the segment from `first` to before `layer`.
        ahead: [2] lower bounds on the cycles and the picojoules of what follows.
    """
    for point in range(points.shape[0]):
        merged = np.empty((front.shape[0] + before.shape[0], 4), dtype=np.int64)
        end, least, old, new = 0, FAR, 0, 0
        while old < front.shape[0] or new < before.shape[0]:
            time, energy = FAR, FAR
            if new < before.shape[0]:
                time = before[new, 0] + points[point, 0]
                energy = before[new, 1] + points[point, 1]
            is_old = old < front.shape[0] and (
                front[old, 0] < time or (front[old, 0] == time and front[old, 1] <= energy)
            )
            if is_old:
                time, energy = front[old, 0], front[old, 1]
            if energy < least and (
                is_old or not useless(horizon, time + ahead[0], energy + ahead[1])
            ):
                merged[end] = time, energy, begin + new, point * layer + first
                if is_old:
                    merged[end] = front[old]
                least = energy
                end += 1
            if is_old:
                old += 1
            else:
                new += 1
        front = merged[:end]
    return front
