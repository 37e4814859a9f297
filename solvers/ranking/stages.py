"""How many ways there are to run layers i..j as one stage, by region size and beat.

Counts by region size are the coefficients of a polynomial in one variable, whose powers add up as
the chiplets of a segment's regions do. A polynomial is one Python integer, its value at a power of
two that no coefficient reaches (Kronecker's substitution), so that products are exact and fast.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

import numpy as np

from instances.instance import Instance
from instances.stages import FAR, stage_costs
from instances.tables import Ints
from schedules.parallel import OutOfTimeError, in_parallel
from schedules.progress import Progress
from solvers.ranking.choices import LIMB, count_choices
from solvers.ranking.space import Space, pipelines
from solvers.ranking.work import TooManyError

MOST_LABELS = 300_000
"""Of choices that begin at one layer on one number of chiplets."""

MOST_LABELS_IN_ALL = 100_000_000
"""Half a minute, roughly."""

MOST_ROWS = 3_000_000
"""Times of all stages that are kept; a gigabyte, roughly."""


class Packing:
    """Polynomials in the number of chiplets, each one integer.

    Attributes:
        chiplets: the highest power that is kept.
        bits: of a coefficient.
        size: bits of a polynomial.
    """

    def __init__(self, instance: Instance, space: Space) -> None:
        layers, _, self.chiplets = instance.tables.shape
        widest = pipelines(instance, Space(), layers)
        self.bits = widest.bit_length() + 1
        self.size = self.bits * (self.chiplets + 1)
        self._mask = (1 << self.size) - 1
        self._all_chiplets = space.all_chiplets

    def monomial(self, count: int, chiplets: int) -> int:
        """The polynomial count * x^chiplets."""
        return count << self.bits * chiplets

    def cut(self, polynomial: int) -> int:
        """Without the powers that are more than all chiplets."""
        return polynomial & self._mask

    def coefficients(self, polynomial: int) -> list[int]:
        """[C+1] of x^0, x^1, ..."""
        one = (1 << self.bits) - 1
        return [polynomial >> self.bits * power & one for power in range(self.chiplets + 1)]

    def allowed(self, polynomial: int) -> int:
        """The ways that use as many chiplets as the space allows."""
        if self._all_chiplets:
            return polynomial >> self.bits * self.chiplets
        return sum(self.coefficients(polynomial))


class StageCounts:
    """Ways to run each interval of layers as a stage that fits, by beat.

    Attributes:
        layers: how many the instance has.
        packing: of the polynomials.
        times: [i][j-i] rising times of stage i..j.
        ways: [i][j-i] as many polynomials: the stages that are no slower.
        fastest: [L,L,C] least time of stage i..j on c+1 chiplets; FAR where none counts.
    """

    def __init__(
        self,
        instance: Instance,
        packing: Packing,
        grid: Iterable[int],
        progress: Progress,
        workers: int,
        *,
        exact: bool = False,
    ) -> None:
        """Count.

        Args:
            grid: rising times, the last of which no stage may exceed; none for all stages, whose
                times are 0 then.
            exact: whether times are kept as they are, or rounded up to the grid.

        Raises:
            TooManyError: too many different times or needs of memory.
            OutOfTimeError: the time limit passed.
        """
        self.layers, options, _ = instance.tables.shape
        self.packing = packing
        self.times: list[list[list[int]]] = []
        self.ways: list[list[list[int]]] = []
        self.fastest = np.full((self.layers, self.layers, packing.chiplets), FAR, dtype=np.int64)
        self._costs = stage_costs(instance.tables)
        self._shape = self.layers, options
        self._limbs = -(-(options**self.layers).bit_length() // LIMB)
        self._grid = np.array(list(grid), dtype=np.int64)
        self._exact = exact
        self._progress = progress
        self._labels = self._rows = 0
        for _, (times, ways) in in_parallel(self._from, self.layers, progress, workers):
            self.times.append(times)
            self.ways.append(ways)

    def within(self, first: int, last: int, beat: int) -> int:
        """The polynomial of the ways to run a stage in at most so many cycles."""
        place = bisect_right(self.times[first][last - first], beat)
        return self.ways[first][last - first][place - 1] if place else 0

    def times_between(self, first: int, last: int, low: int, high: int) -> list[int]:
        """All times from low to high of stages within first..last, rising."""
        found: set[int] = set()
        for begin in range(first, last + 1):
            for times in self.times[begin][: last + 1 - begin]:
                found.update(times[bisect_left(times, low) : bisect_right(times, high)])
        return sorted(found)

    def _from(self, first: int) -> tuple[list[list[int]], list[list[int]]]:
        """Times and polynomials of the stages that begin at a layer, by their last one."""
        found: list[dict[int, int]] = [{} for _ in range(first, self.layers)]
        for chiplets in range(1, self.packing.chiplets + 1):
            if self._progress.expired:
                raise OutOfTimeError
            rows, sums, labels = count_choices(
                self._costs,
                first,
                chiplets,
                self._shape,
                self._grid,
                self._exact,
                self._limbs,
                MOST_LABELS,
            )
            self._refuse_many(first, labels, len(rows))
            np.minimum.at(self.fastest[first, :, chiplets - 1], rows[:, 0], rows[:, 1])
            for (last, time), count in zip(rows.tolist(), _whole(sums), strict=True):
                own = found[last - first]
                own[time] = own.get(time, 0) + self.packing.monomial(count, chiplets)
        times = [sorted(own) for own in found]
        return times, [_running(own, rising) for own, rising in zip(found, times, strict=True)]

    def _refuse_many(self, first: int, labels: int, rows: int) -> None:
        """Refuse what goes on too long; threads that still count find out at their next step."""
        if labels < 0:
            self._labels = MOST_LABELS_IN_ALL
            raise TooManyError(
                f"choices of options from layer {first} on differ in more than {MOST_LABELS:,} ways"
                " in time and memory"
            )
        self._labels += labels
        if self._labels > MOST_LABELS_IN_ALL:
            raise TooManyError("choices of options differ in too many ways in time and memory")
        self._rows += rows
        if self._rows > MOST_ROWS:
            raise TooManyError(f"stages have more than {MOST_ROWS:,} different times")


def _whole(sums: Ints) -> list[int]:
    """Counts from their limbs."""
    return [
        sum(limb << LIMB * place for place, limb in enumerate(limbs)) for limbs in sums.tolist()
    ]


def _running(counts: dict[int, int], rising: list[int]) -> list[int]:
    total, sums = 0, []
    for time in rising:
        total += counts[time]
        sums.append(total)
    return sums


class Chains:
    """Ways to run the layers from one on as so many stages, none slower than a beat."""

    def __init__(self, stages: StageCounts, first: int, beat: int, most: int) -> None:
        """Begin at a layer; `most` clusters are counted at most."""
        self._stages, self._first, self._beat, self._most = stages, first, beat, most
        self._ways = [[1] + [0] * most]

    def ways(self, last: int) -> list[int]:
        """[most+1] polynomials of first..last in so many clusters."""
        while len(self._ways) <= last + 1 - self._first:
            self._ways.append(self._next(self._first + len(self._ways) - 1))
        return self._ways[last + 1 - self._first]

    def _next(self, last: int) -> list[int]:
        stages = self._stages
        sums = [0] * (self._most + 1)
        for begin, before in enumerate(self._ways, start=self._first):
            own = stages.within(begin, last, self._beat)
            if own:
                for k, way in enumerate(before[:-1], start=1):
                    if way:
                        sums[k] += way * own
        return [stages.packing.cut(total) for total in sums]


def all_ways(stages: StageCounts, first: int) -> list[int]:
    """[n+1] polynomials: ways to run the first k layers from one on, in any number of clusters."""
    ways = [1]
    for last in range(first, stages.layers):
        own = (stages.within(begin, last, 0) for begin in range(first, last + 1))
        total = sum(before * way for before, way in zip(ways, own, strict=True))
        ways.append(stages.packing.cut(total))
    return ways
