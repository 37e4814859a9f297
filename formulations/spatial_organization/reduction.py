"""The columns that can be in a schedule better than a known one, and a bound, by shortest paths.

Each segment has a price of at least its beats times a bound on its beat. A path from layer to layer
over the least prices is a bound on every schedule; the paths before and after a segment say how
long its beat may be. Of a segment's columns, those that cannot beat its best known layout go, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from formulations.spatial_organization.beats import Priced, price
from formulations.spatial_organization.columns import (
    Column,
    all_sizes,
    all_works,
    dram_cycles,
    useful,
)
from instances.cost.array import ArrayCosts, SegmentWork
from instances.cost.rates import over
from schedules.array.evaluate import evaluate_array
from schedules.array.patterns import Pattern
from schedules.array.schedule import ArraySchedule, ArraySegment

Span = tuple[int, int]
"""First layer of a segment, and its last."""

FAR = 2**62
"""More than any path."""


@dataclass(frozen=True)
class Known:
    """The best layout of a segment that is known.

    Attributes:
        cycles: of the segment, for the whole batch.
        segment: with this layout.
    """

    cycles: int
    segment: ArraySegment


@dataclass(frozen=True)
class Reduced:
    """What is left to choose from.

    Attributes:
        columns: with the sizes that may be of use.
        known: layouts of segments, by first and last layer.
        limit: cycles of the known schedule.
        bound: no schedule takes fewer.
    """

    columns: list[Column]
    known: dict[Span, Known]
    limit: int
    bound: int


def unwatched() -> None:
    """The check that nothing fails."""


def reduced(
    costs: ArrayCosts, start: ArraySchedule, check: Callable[[], None] = unwatched
) -> Reduced:
    """The columns that matter, if a schedule is known.

    Among them are all of some schedule with the least latency.

    Args:
        costs: of the network on the array.
        start: the schedule.
        check: called now and then; what it raises ends the work.
    """
    listing = _Listing(costs, start, check)
    listing.price_all()
    columns, bound = listing.columns()
    return Reduced(columns, listing.known, listing.limit, bound)


class _Listing:
    """Prices of works, and what is known."""

    def __init__(self, costs: ArrayCosts, start: ArraySchedule, check: Callable[[], None]) -> None:
        self._costs, self._check = costs, check
        self._priced: list[tuple[SegmentWork, Priced]] = []
        self.known: dict[Span, Known] = {}
        found = evaluate_array(costs, start)
        self.limit = found.latency
        for own in found.segments:
            self._learn(Known(own.cycles, own.segment))

    def _learn(self, new: Known) -> None:
        span = new.segment.first, new.segment.last
        if span not in self.known or new.cycles < self.known[span].cycles:
            self.known[span] = new

    def price_all(self) -> None:
        """Bound the beat of every column that may be worth while, and learn layouts."""
        floors = []
        for work in all_works(self._costs):
            self._check()
            floors.append((work, self._floor(work)))
        ways = _Ways(self._costs.layers, [(_span(w), w.beats * low) for w, low in floors])
        for work, low in sorted(floors, key=lambda own: own[0].beats * own[1]):
            self._check()
            room = self.limit - ways.around(_span(work))
            known = self.known.get(_span(work))
            if known is not None:
                room = min(room, known.cycles)
            for own in price(self._costs.array, work, low, room // work.beats):
                self._priced.append((work, own))
                if own.layout is not None:
                    segment = ArraySegment(
                        work.first, work.last, work.tiling, work.tiles, own.layout
                    )
                    self._learn(Known(work.beats * own.bound, segment))

    def _floor(self, work: SegmentWork) -> int:
        """No beat is shorter: the DRAM, and the work spread over all PEs."""
        area = sum(own.positions * own.channels * own.cycles for own in work.layers)
        return max(1, dram_cycles(self._costs.array, work), over(area, self._costs.array.pes))

    def columns(self) -> tuple[list[Column], int]:
        """Those that are left, with sizes, and the bound."""
        left = self._priced
        while True:
            self._check()
            ways = _Ways(self._costs.layers, [(_span(w), w.beats * p.bound) for w, p in left])
            most = [self._most(work, own, ways) for work, own in left]
            rest = [own for own, top in zip(left, most, strict=True) if top >= own[1].bound]
            if len(rest) == len(left):
                break
            left = rest
        found = []
        for (work, own), top in zip(left, most, strict=True):
            self._check()
            sizes = all_sizes(self._costs.array, work, own.pattern)
            column = Column(work, own.pattern, own.bound, top, sizes)
            trimmed = useful(column)
            if trimmed is not None:
                found.append(replace(column, sizes=trimmed))
        return found, ways.before[-1]

    def _most(self, work: SegmentWork, own: Priced, ways: _Ways) -> int:
        """The longest beat that may be of use: it is on time, and better than what is known."""
        known, room = self.known.get(_span(work)), self.limit - ways.around(_span(work))
        if known is not None:
            room = min(room, known.cycles - (not _is_of(known.segment, work, own.pattern)))
        return room // work.beats


def _is_of(segment: ArraySegment, work: SegmentWork, pattern: Pattern) -> bool:
    """Whether a segment is one of a column."""
    layout = segment.layout
    shape = (len(layout.heights), len(layout.widths)), layout.repeats, layout.express
    same = (segment.tiling, segment.tiles) == (work.tiling, work.tiles)
    return same and shape == (pattern.grid, pattern.repeats, pattern.express)


def _span(work: SegmentWork) -> Span:
    return work.first, work.last


class _Ways:
    """Shortest paths over segments.

    Attributes:
        before: by number of layers, the least price of the layers before.
        after: likewise, of the layers from there on.
    """

    def __init__(self, layers: int, spans: Iterable[tuple[Span, int]]) -> None:
        least: dict[Span, int] = {}
        for span, cost in spans:
            least[span] = min(cost, least.get(span, FAR))
        self.before = [0, *[FAR] * layers]
        self.after = [*[FAR] * layers, 0]
        for (first, last), cost in sorted(least.items()):
            self.before[last + 1] = min(self.before[last + 1], self.before[first] + cost)
        for (first, last), cost in sorted(least.items(), reverse=True):
            self.after[first] = min(self.after[first], cost + self.after[last + 1])

    def around(self, span: Span) -> int:
        """The least price of all other layers."""
        return self.before[span[0]] + self.after[span[1] + 1]
