"""Ratios for methods that know of none: their schedules, and ratios for these, in turns *(ours)*.

A schedule decides which ratios pay, and ratios decide which schedule does. So a method runs on
plain tables at certain choices, its schedule gets the best ratios found for it, these are the next
choices, and so on while that improves. It begins at several choices: none; for each output the
ratio with which it crosses fastest; and ratios that cost little time at some price of loss. The
tables are once such as charge coders to layers (`tables_at`), and once without their weights, where
any layer may still be tiled: too good to be true for the schedules that the method finds, but
these fit without compression, and the ratios are then chosen anew at true costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from heuristics.ratios.raising import best_choices
from heuristics.ratios.terms import terms_of
from instances.compression import Choices, Compression, tables_at
from instances.costs import Costs
from instances.instance import Instance
from instances.tables import CostTables, Floats, Ints
from schedules.progress import Progress, Stop
from schedules.schedule import Schedule

Run = Callable[[Instance, Progress, int, int], Stop]
"""A method that knows of no compression."""

SHARES = (1, 4)
"""At some price of loss all outputs together would lose so many budgets."""

ROUNDS = 8
"""Schedules in turn with ratios, at most, from one beginning."""


def with_ratios(run: Run, instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """Run a method on an instance with compression; its bounds are not valid here.

    Args:
        run: the method: (instance, progress, seed, workers).

    Raises:
        ValueError: the instance has no compression.
    """
    return _Search(run, instance, progress, seed, workers).stop()


def best_ratios(instance: Instance, schedule: Schedule) -> Schedule:
    """A schedule with ratios that make it fast, whatever its own.

    Raises:
        ValueError: the instance has no compression.
    """
    given = compression_of(instance)
    choices, _ = best_choices(terms_of(instance, given, schedule), given.budget)
    return replace(schedule, ratios=given.ratios_of(choices.tolist()))


def compression_of(instance: Instance) -> Compression:
    """That of an instance which must have one.

    Raises:
        ValueError: it has none.
    """
    if instance.compression is None:
        raise ValueError(
            f"instance {instance.name!r} has no compression, so no ratios can be chosen: give it"
            " some by instances.cost.coders.compress"
        )
    return instance.compression


class _Search:
    """One run of a method in turns with ratios."""

    def __init__(
        self, run: Run, instance: Instance, progress: Progress, seed: int, workers: int
    ) -> None:
        self.run, self.instance, self.progress = run, instance, progress
        self.seed, self.workers = seed, workers
        self.given = compression_of(instance)
        self.seen: dict[tuple[Choices, bool], Schedule | None] = {}
        self.runs = 0

    def stop(self) -> Stop:
        """Search; why it ended."""
        nothing = (0,) * len(self.instance.layers)
        first, stop = self._schedule(nothing, True)
        if first is None:  # what does not fit so fits with coders even less
            return stop
        self.progress.offer(first)
        begins = list(dict.fromkeys(self._begins(first)))
        self._alternate(first)
        for k in begins:
            for charged in (False, True):
                if self.progress.expired:
                    return "time-limit"
                found, _ = self._schedule(k, charged)
                if found is not None:
                    self._alternate(found)
        return "time-limit" if self.progress.expired else "finished"

    def _alternate(self, found: Schedule) -> None:
        """Ratios for a schedule, a schedule at these ratios, and so on while that improves."""
        least = None
        for _ in range(ROUNDS):
            k, cycles = best_choices(terms_of(self.instance, self.given, found), self.given.budget)
            if least is not None and cycles >= least:
                return
            least, chosen = cycles, tuple(k.tolist())
            if self.progress.objective is None or cycles < self.progress.objective:
                self.progress.offer(replace(found, ratios=self.given.ratios_of(chosen)))
            if self.progress.expired:
                return
            following, _ = self._schedule(chosen, True)
            if following is None:
                return
            found = following

    def _schedule(self, k: Choices, charged: bool) -> tuple[Schedule | None, Stop]:
        """The method's schedule at certain choices, None where it finds none or did before."""
        if (k, charged) in self.seen:
            return None, "finished"
        self.seen[k, charged] = None
        tables = self._tables(k, charged)
        plain = replace(self.instance, tables=tables, compression=None)
        remaining = self.progress.remaining
        limit = None if remaining is None else remaining / 2
        inner = Progress(plain, limit)
        stop = self.run(plain, inner, self.seed, self.workers)
        self.progress.count("runs")
        return inner.best, stop

    def _tables(self, k: Choices, charged: bool) -> Costs:
        """Those at certain choices; unless it is charged, the weights of coders are nothing."""
        if not any(k):
            return self.instance.costs
        own = self.instance.tables
        found = tables_at(own, self.given, k)
        if charged:
            return found
        return replace(found, resident=own.resident, load=own.load, alone=own.alone)

    def _begins(self, first: Schedule) -> Iterator[Choices]:
        """Choices to begin with: the fastest, and those at prices."""
        cycles, losses = crossing(self.instance.tables, self.given, first), self.given.losses
        yield at_price(cycles, losses, 0.0)
        for share in SHARES:
            yield at_budget(cycles, losses, share * self.given.budget)


def crossing(tables: CostTables, given: Compression, schedule: Schedule) -> Floats:
    """[L,R] cycles to send an output, receive it and have it in DRAM, as if it crossed.

    Regions and options are those of a schedule.
    """
    clusters = [cluster for segment in schedule.segments for cluster in segment.clusters]
    size = np.array([one.chiplets - 1 for one in clusters for _ in one.options])
    option = np.array([tables.options.index(name) for one in clusters for name in one.options])
    at = np.arange(len(size))
    numerator, denominator = given.rate
    found = given.exit[:, at, option, size].T - 2 * given.saved.T * (numerator / denominator)
    found[:-1] += given.entry[:, at[1:], option[1:], size[1:]].T
    for code in given.skips:
        own = code.producer
        if own >= 0:
            found[own] += code.leave[:, size[own]]
            for n, reader in enumerate(code.consumers):
                found[own] += code.enter[:, n, option[reader], size[reader]]
    return found


def at_price(cycles: Floats, losses: Ints, price: float) -> Choices:
    """For each output the ratio with the fewest cycles, a millionth lost being worth `price`."""
    worth = np.where(losses < 0, np.inf, cycles + price * losses)
    return tuple(worth.argmin(axis=1).tolist())


def at_budget(cycles: Floats, losses: Ints, budget: float) -> Choices:
    """The choices at the lowest price at which all outputs together lose no more than a budget."""
    low, high = 0.0, 1.0

    def lost(price: float) -> int:
        k = at_price(cycles, losses, price)
        return sum(int(losses[layer, own]) for layer, own in enumerate(k))

    while lost(high) > budget and high < 2**62:
        low, high = high, 2 * high
    for _ in range(30):
        price = (low + high) / 2
        if lost(price) > budget:
            low = price
        else:
            high = price
    return at_price(cycles, losses, high)
