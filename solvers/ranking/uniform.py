"""All schedules of a space that fit, numbered, so that any of them can be drawn.

Each schedule has one number from 0 to the number of all of them; `Feasible.schedule` finds the one
that a number belongs to, by the counts of what can follow each of its parts. A uniform number is
therefore a uniform schedule: nothing is rejected, weighted or walked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from instances.instance import Instance
from instances.stages import StageCosts, momentary, resident, stage_costs
from schedules.parallel import OutOfTimeError
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from solvers.ranking.space import Space
from solvers.ranking.stages import Packing, StageCounts, all_ways
from solvers.ranking.work import refuse_long, seconds_of_products


class Feasible:
    """The schedules of a space that fit the buffers.

    Attributes:
        number: how many there are.
    """

    def __init__(self, instance: Instance, space: Space, progress: Progress, workers: int) -> None:
        """Count them.

        Raises:
            TooManyError: options can be chosen in too many ways that differ in memory.
            OutOfTimeError: the time limit passed.
        """
        self._tables, self._space = instance.tables, space
        self._count, _, self._chiplets = instance.tables.shape
        self._packing = Packing(instance, space)
        starts = self._count / 3 if space.segments == "any" else 1
        seconds = seconds_of_products(starts * self._count**2 / 2, self._packing.size)
        refuse_long(seconds, "counting all schedules")
        self._stages = StageCounts(instance, self._packing, [], progress, workers)
        self._costs = stage_costs(instance.tables)
        self._choices: dict[tuple[int, int, int], _Choices] = {}
        self._ways = cache(lambda first: all_ways(self._stages, first))
        self._rest = cache(self._count_rest)
        self._pipelines = self._count_pipelines(progress)
        self._after = [0] * self._count + [1]
        for s in reversed(range(self._count)):
            self._after[s] = sum(self._segments(s, e) * self._after[e + 1] for e in self._ends(s))
        self.number = self._after[0]

    def _count_pipelines(self, progress: Progress) -> list[list[int]]:
        """[s][e-s] segments that are not tiled; only those that the space has."""
        found = []
        for s in range(self._count):
            if progress.expired:
                raise OutOfTimeError
            if self._space.segments == "one" and s > 0:
                found.append([0] * (self._count - s))
            else:
                found.append([self._packing.allowed(ways) for ways in self._ways(s)[1:]])
        return found

    def _ends(self, first: int) -> range:
        """Last layers that a segment may have."""
        return range(self._count - 1 if self._space.segments == "one" else first, self._count)

    def _segments(self, first: int, last: int) -> int:
        tiled = first == last and int(self._tables.alone[first]) >= 0
        return self._pipelines[first][last - first] + tiled

    def schedule(self, number: int) -> Schedule:
        """The schedule with a number from 0 to `self.number` - 1.

        Raises:
            IndexError: there is none.
        """
        if not 0 <= number < self.number:
            raise IndexError(f"schedule {number}: there are {self.number}")
        segments, first = [], 0
        while first < self._count:
            for last in self._ends(first):
                ways = self._segments(first, last) * self._after[last + 1]
                if number < ways:
                    break
                number -= ways
            own, number = divmod(number, self._after[last + 1])
            segments.append(self._segment(first, last, own))
            first = last + 1
        return Schedule(tuple(segments))

    def _segment(self, first: int, last: int, number: int) -> Segment:
        if number == self._pipelines[first][last - first]:
            whole = Cluster(first, first, self._chiplets, self._tables.options[:1])
            return Segment((whole,), tiled=True)
        clusters: list[Cluster] = []
        left, begin = self._chiplets, first
        while begin <= last:
            end, chiplets, number = self._next_cluster(begin, last, left, number)
            own, number = divmod(number, self._rest(end + 1, last)[left - chiplets])
            names = self._options(begin, end, chiplets, own)
            clusters.append(Cluster(begin, end, chiplets, names))
            left, begin = left - chiplets, end + 1
        return Segment(tuple(clusters))

    def _next_cluster(self, begin: int, last: int, left: int, number: int) -> tuple[int, int, int]:
        """Last layer and chiplets of the next cluster, and the number among those that share it."""
        for end in range(begin, last + 1):
            ways = self._packing.coefficients(self._stages.within(begin, end, 0))
            rest = self._rest(end + 1, last)
            for chiplets in range(1, left + 1):
                both = ways[chiplets] * rest[left - chiplets]
                if number < both:
                    return end, chiplets, number
                number -= both
        raise RuntimeError("the counts of a segment's parts do not add up to its own")

    def _count_rest(self, begin: int, last: int) -> list[int]:
        """[C+1] ways to end a segment with layers begin..last, by the chiplets that are left."""
        exactly = self._packing.coefficients(self._ways(begin)[last + 1 - begin])
        if self._space.all_chiplets:
            return exactly
        return [sum(exactly[: left + 1]) for left in range(self._chiplets + 1)]

    def _options(self, first: int, last: int, chiplets: int, number: int) -> tuple[str, ...]:
        key = first, last, chiplets
        if key not in self._choices:
            shape = len(self._tables.options), self._tables.capacity
            self._choices[key] = _Choices(self._costs, key, shape)
        chosen = self._choices[key].choice(number)
        return tuple(self._tables.options[option] for option in chosen)


class _Choices:
    """The choices of options with which a cluster fits, numbered."""

    def __init__(
        self, costs: StageCosts, cluster: tuple[int, int, int], shape: tuple[int, int]
    ) -> None:
        first, last, chiplets = cluster
        self.number, self.capacity = shape
        layers, options = range(first, last + 1), range(self.number)
        self.kept = [[resident(costs, k, o, chiplets) for o in options] for k in layers]
        self.peak = [[momentary(costs, first, k, o, chiplets) for o in options] for k in layers]
        self.size = len(layers)
        self.ways = cache(self._ways)
        self.most = [self._room(k, max) for k in range(self.size + 1)]
        self.least = [self._room(k, min) for k in range(self.size + 1)]

    def _room(self, layer: int, worst: Callable[[list[int]], int]) -> tuple[int, int]:
        """Resident bytes and peak of all layers from one on, each with its most or least."""
        kept = sum(worst(row) for row in self.kept[layer:])
        return kept, max((worst(row) for row in self.peak[layer:]), default=0)

    def _ways(self, layer: int, kept: int, peak: int) -> int:
        """Choices for all layers from one on, after others that need so many bytes."""
        most, least = self.most[layer], self.least[layer]
        if kept + least[0] + max(peak, least[1]) > self.capacity:
            return 0
        if kept + most[0] + max(peak, most[1]) <= self.capacity:
            return self.number ** (self.size - layer)
        return sum(self.ways(*self._then(layer, kept, peak, o)) for o in range(self.number))

    def _then(self, layer: int, kept: int, peak: int, option: int) -> tuple[int, int, int]:
        peak = max(peak, self.peak[layer][option])
        return layer + 1, kept + self.kept[layer][option], peak

    def choice(self, number: int) -> list[int]:
        """The options of each layer."""
        state = 0, 0, 0
        chosen: list[int] = []
        while len(chosen) < self.size:
            for option in range(self.number):
                ways = self.ways(*self._then(*state, option))
                if number < ways:
                    break
                number -= ways
            chosen.append(option)
            state = self._then(*state, option)
        return chosen
