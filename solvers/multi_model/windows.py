"""All windows that an optimum may have: models beside each other, or taking turns.

With shared chiplets models are divided again and again into those beside and those after each
other. Of up to three models, every order in which runs may take turns is of that kind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from schedules.windows.progress import WindowProgress
from schedules.windows.schedule import Run, Window
from solvers.multi_model.fronts import Fronts, after, beside, either
from solvers.multi_model.runs import ANY, Caps, ExpiredError, Runs

Spans = tuple[tuple[int, int, int], ...]
"""Model, first unit, and the one after the last, of each model that runs."""

MOST_TURNS = 3
"""Models that may take turns."""


@dataclass(frozen=True)
class Leaf:
    """Runs of one model's units first to until - 1.

    Attributes:
        fronts: by set of chiplets; `left` is the number of the run.
    """

    job: int
    first: int
    until: int
    fronts: Fronts


@dataclass(frozen=True)
class Pair:
    """Two parts of a window: beside each other, after each other, or either of both.

    Attributes:
        fronts: by set of chiplets, as the function named `how` makes them of the parts'.
    """

    how: Literal["beside", "after", "either"]
    a: Leaf | Pair
    b: Leaf | Pair
    fronts: Fronts


class Windows:
    """The windows of a workload.

    Args:
        progress: what is asked, and the clock.
        period: whether a run's time is its period instead of its latency.
        caps: runs that exceed them are left out.
    """

    def __init__(self, progress: WindowProgress, *, period: bool = False, caps: Caps = ANY) -> None:
        self._progress = progress
        self._shared = progress.goal.shared and not period
        self.units = tuple(job.units for job in progress.costs.workload.jobs)
        count = len(self.units)
        self._runs = [Runs(progress, k, period=period, caps=caps) for k in range(count)]
        self._of = cache(self._find)

    def build(self, *, whole: bool = False) -> None:
        """Find all runs, or only those of whole models; comes before everything else.

        Raises:
            ExpiredError: the time limit has passed.
        """
        for runs, units in zip(self._runs, self.units, strict=True):
            for first in range(1 if whole else units):
                runs.build(first)

    def look_at_the_clock(self) -> None:
        """Stop if the time limit has passed.

        Raises:
            ExpiredError: it has.
        """
        if self._progress.expired:
            raise ExpiredError

    def of(self, spans: Spans) -> Leaf | Pair:
        """All windows with these units; the front of all chiplets is theirs."""
        return self._of(spans, True)

    def window(self, node: Leaf | Pair, point: int) -> Window:
        """The window of a point."""
        return Window(tuple(sorted(self._unfold(node, point, 0), key=lambda run: run.job)))

    def _find(self, spans: Spans, whole: bool) -> Leaf | Pair:
        """Windows; with `whole` only the front of all chiplets counts."""
        (job, first, until), *others = spans
        if not others:
            return Leaf(job, first, until, self._runs[job].fronts(first, until))
        if not self._shared:
            return self._pair("beside", spans[:-1], spans[-1:], whole)
        found: Leaf | Pair | None = None
        for members in range(2 ** len(others) - 1):  # of the others, those with the first
            a = (spans[0], *(own for k, own in enumerate(others) if members >> k & 1))
            b = tuple(own for k, own in enumerate(others) if not members >> k & 1)
            for how in ("beside", "after"):
                pair = self._pair(how, a, b, whole)
                if found is None:
                    found = pair
                else:
                    found = Pair("either", found, pair, either(found.fronts, pair.fronts))
        assert found is not None
        return found

    def _pair(self, how: Literal["beside", "after"], a: Spans, b: Spans, whole: bool) -> Pair:
        one, other = self._of(a, False), self._of(b, False)
        join = beside if how == "beside" else after
        return Pair(how, one, other, join(one.fronts, other.fronts, whole))

    def _unfold(self, node: Leaf | Pair, point: int, start: int) -> list[Run]:
        """The runs of a point that begin after so many cycles."""
        left = int(node.fronts.left[point])
        if isinstance(node, Leaf):
            return [replace(self._runs[node.job].run(node.first, node.until, left), start=start)]
        right = int(node.fronts.right[point])
        if node.how == "either":
            return self._unfold(node.b if right else node.a, left, start)
        begin = start + int(node.a.fronts.time[left]) if node.how == "after" else start
        return self._unfold(node.a, left, start) + self._unfold(node.b, right, begin)
