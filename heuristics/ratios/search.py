"""Ratios for methods that know of none: their schedules, and ratios for these, in turns *(ours)*.

A schedule decides which ratios pay, and ratios decide which schedule does. So a method runs on
plain tables at certain choices, its schedule gets the best ratios found for it, these are the next
choices, and so on while that improves. It begins

- without compression;
- at the ratio with which each output crosses fastest, and at those that are fastest if a loss has
  a certain price (`prices`);
- then at the best choices so far with one of them changed, the most promising first.

The tables charge coders to layers (`tables_at`). At the fastest choices and those at prices they
are also tried without coders' weights, and with any layer tiled: too good to be true for the
schedules that the method finds there, but these fit without compression, and get ratios at true
costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from heuristics.ratios.prices import at_budget, at_price, crossing
from heuristics.ratios.raising import best_choices
from heuristics.ratios.terms import terms_of
from instances.compression import Choices, Compression
from instances.costs import Costs
from instances.instance import Instance
from instances.ratio_tables import tables_at
from schedules.progress import Progress, Stop, TracePoint
from schedules.schedule import Schedule

Run = Callable[[Instance, Progress, int, int], Stop]
"""A method that knows of no compression: (instance, progress, seed, workers)."""

SHARES = (1, 4)
"""Choices at prices are such that all outputs together lose at most so many budgets."""

FIRST_SHARE, SHARE = 0.75, 0.5
"""Of the time that is left, for the first run and for each further one: some methods use all that
they get, and what the first one finds decides most."""

LEAST_RUNS, LAYERS_OF_RUNS = 8, 200
"""Runs of the method: as many as have so many layers together, at least eight."""


def with_ratios(run: Run, instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """Run a method on an instance with compression; it offers schedules with ratios, no bounds.

    It returns 'infeasible' if the method proves that nothing fits: coders need more, not less.

    Raises:
        ValueError: the instance has no compression.
    """
    return _Search(run, instance, progress, seed, workers).stop()


def best_ratios(instance: Instance, schedule: Schedule) -> Schedule:
    """A schedule that may run without ratios, with ratios that make it fast.

    Raises:
        ValueError: the instance has no compression.
    """
    given = _compression(instance)
    choices, _ = best_choices(terms_of(instance, given, schedule), given.budget)
    return replace(schedule, ratios=given.ratios_of(choices.tolist()))


def _compression(instance: Instance) -> Compression:
    if instance.compression is None:
        raise ValueError(
            f"instance {instance.name!r} has no compression, expected one that says what may be"
            " compressed: instances.cost.coders.compress adds it"
        )
    return instance.compression


class _Search:
    """One run of a method in turns with ratios.

    Attributes:
        best: the choices of the best schedule so far.
        seen: choices, and whether coders were charged, at which the method has run.
    """

    def __init__(
        self, run: Run, instance: Instance, progress: Progress, seed: int, workers: int
    ) -> None:
        self.run, self.instance, self.progress = run, instance, progress
        self.seed, self.workers = seed, workers
        self.given = _compression(instance)
        self.best: Choices = (0,) * len(instance.layers)
        self.seen: set[tuple[Choices, bool]] = set()
        self.most = max(LEAST_RUNS, LAYERS_OF_RUNS // len(instance.layers))

    @property
    def over(self) -> bool:
        """Whether the method may not run again."""
        return self.progress.expired or len(self.seen) >= self.most

    def stop(self) -> Stop:
        """Search; why it ended."""
        first, stop = self._schedule(self.best, True)
        if first is None:
            return stop
        self.cycles = crossing(self.instance.tables, self.given, first)
        self._alternate(first)
        for k in self._begins():
            self._begin(k, False)
            self._begin(k, True)
        while any(self._begin(k, True) for k in self._neighbours()):
            pass
        return "time-limit" if self.progress.expired else "finished"

    def _begins(self) -> Iterator[Choices]:
        """The choices that are fastest, and those that are at prices."""
        losses, budget = self.given.losses, self.given.budget
        yield at_price(self.cycles, losses, 0.0)
        for share in SHARES:
            yield at_budget(self.cycles, losses, share * budget)

    def _neighbours(self) -> Iterator[Choices]:
        """The best choices with another ratio of one output, the most promising first."""
        k, losses = self.best, self.given.losses
        more = self.cycles - self.cycles[np.arange(len(k)), k][:, None]
        for at in np.argsort(more, axis=None, kind="stable").tolist():
            layer, choice = divmod(at, more.shape[1])
            if losses[layer, choice] >= 0 and choice != k[layer]:
                yield (*k[:layer], choice, *k[layer + 1 :])

    def _begin(self, k: Choices, charged: bool) -> bool:
        """Alternate from certain choices; whether that finds a better schedule than all before."""
        if self.over:
            return False
        before = self.progress.objective
        found, _ = self._schedule(k, charged)
        if found is not None:
            self._alternate(found)
        return self.progress.objective != before

    def _alternate(self, schedule: Schedule) -> None:
        """Ratios for a schedule, a schedule at these ratios, and so on while that improves."""
        found: Schedule | None = schedule
        least = None
        while found is not None:
            terms = terms_of(self.instance, self.given, found)
            choices, cycles = best_choices(terms, self.given.budget)
            if least is not None and cycles >= least:
                return
            least, k = cycles, tuple(choices.tolist())
            if self.progress.objective is None or cycles < self.progress.objective:
                self.progress.offer(replace(found, ratios=self.given.ratios_of(k)))
                self.best = k
            if self.over:
                return
            found, _ = self._schedule(k, True)

    def _schedule(self, k: Choices, charged: bool) -> tuple[Schedule | None, Stop]:
        """The method's schedule at certain choices, None if it has none or has run there before."""
        if (k, charged) in self.seen or ((k, True) in self.seen and not any(k)):
            return None, "finished"
        self.seen.add((k, charged))
        plain = replace(self.instance, tables=self._costs(k, charged), compression=None)

        def pass_on(_: TracePoint) -> None:
            if own.best is not None:
                self.progress.offer(own.best)

        first, remaining = len(self.seen) == 1, self.progress.remaining
        seconds = None if remaining is None else remaining * (FIRST_SHARE if first else SHARE)
        # Nothing is compressed in the first run: if it is stopped, what it has found may run.
        own = Progress(plain, seconds, pass_on if first else None, bounds=False)
        stop = self.run(plain, own, self.seed, self.workers)
        self.progress.count("runs")
        return own.best, stop

    def _costs(self, k: Choices, charged: bool) -> Costs:
        if not any(k):
            return self.instance.costs
        tables = self.instance.tables
        found = tables_at(tables, self.given, k)
        if charged:
            return found
        return replace(found, resident=tables.resident, load=tables.load, alone=tables.alone)
