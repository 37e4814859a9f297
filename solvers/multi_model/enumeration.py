"""The best of all schedules of several models: everything is tried. For very small workloads.

Of a model's runs of the same units on the same chiplets, and of windows with the same units, only
those are kept that no other one beats in both latency and energy; every objective but throughput
rises with both. For throughput, single windows are tried for their period, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations, permutations, product
from typing import TypeVar

from instances.package import Tile
from schedules.progress import Stop
from schedules.windows.evaluate import RunEvaluation, evaluate_run
from schedules.windows.progress import WindowProgress
from schedules.windows.schedule import Run, Stage, Window, WindowSchedule
from solvers.multi_model.solve import WindowOptions

Item = TypeVar("Item")

Points = list[tuple[int, int, Item]]
"""(cycles, picojoules, what has them)."""

Span = tuple[int, int]
"""First unit, and the one after the last; a model with an empty span does not run."""


def enumerate_windows(progress: WindowProgress, options: WindowOptions) -> Stop:
    """Offer the best of all schedules; nothing before all are known."""
    try:
        found = _Enumeration(progress).best()
    except _ExpiredError:
        return "time-limit"
    if found is None:
        return "infeasible"
    progress.raise_bound(progress.offer(found))
    return "optimal"


class _ExpiredError(Exception):
    """The time limit has passed."""


class _Enumeration:
    """All schedules of a workload, for one goal."""

    def __init__(self, progress: WindowProgress) -> None:
        self._progress = progress
        self._costs, self._goal = progress.costs, progress.goal
        self._units = [job.units for job in progress.costs.workload.jobs]
        self.windows = cache(self._windows)
        self.runs = cache(self._runs)

    def best(self) -> WindowSchedule | None:
        begin, end = (0,) * len(self._units), tuple(self._units)
        leakage = self._costs.package.leakage
        whole = self._from(begin, end, self._goal.windows)
        schedules = [(self._value(t, e + leakage * t), windows) for t, e, windows in whole]
        if self._goal.objective == "throughput" and self._goal.pipelined:
            spans = tuple(zip(begin, end, strict=True))
            schedules += [
                (max(run.rounds * run.beat for run in runs), (_window(runs),))
                for runs in self._side_by_side(spans, period=True)
            ]
        least = min(schedules, key=lambda found: found[0], default=None)
        return None if least is None else WindowSchedule(least[1])

    def _check_time(self) -> None:
        if self._progress.expired:
            raise _ExpiredError

    def _value(self, latency: int, energy: int) -> int:
        if self._goal.objective == "energy":
            return energy
        return latency * energy if self._goal.objective == "edp" else latency

    def _from(
        self, begin: tuple[int, ...], end: tuple[int, ...], windows: int
    ) -> Points[tuple[Window, ...]]:
        """The best schedules of what is left, in latency and energy without leakage."""
        if begin == end:
            return [(0, 0, ())]
        if not windows:
            return []
        found: Points[tuple[Window, ...]] = []
        ranges = [range(a, b + 1) for a, b in zip(begin, end, strict=True)]
        for until in product(*ranges):
            if until == begin:
                continue
            rest = self._from(until, end, windows - 1)
            for t, e, window in self.windows(tuple(zip(begin, until, strict=True))):
                found += [(t + t2, e + e2, (window, *after)) for t2, e2, after in rest]
        return _nondominated(found)

    def _windows(self, spans: tuple[Span, ...]) -> Points[Window]:
        """The best windows with these units of each model."""
        return _nondominated(
            (max(run.end for run in runs), sum(run.energy for run in runs), _window(runs))
            for runs in self._side_by_side(spans, period=False)
        )

    def _side_by_side(
        self, spans: tuple[Span, ...], *, period: bool
    ) -> Iterator[tuple[RunEvaluation, ...]]:
        """All ways to run units of each model in one window."""
        jobs = [job for job, (a, b) in enumerate(spans) if a < b]
        choices = [self.runs(job, spans[job], period) for job in jobs]
        for runs in product(*choices):
            self._check_time()
            tiles = [{stage.tile for stage in own.run.stages} for own in runs]
            if all(not a & b for a, b in combinations(tiles, 2)):
                yield runs
            elif self._goal.shared and not period:
                for order in permutations(range(len(runs))):
                    yield _in_turn(runs, tiles, order)

    def _runs(self, job: int, span: Span, period: bool) -> list[RunEvaluation]:
        """All runs of a model's units; by chiplets only those that none beats."""
        by_tiles: dict[frozenset[Tile], Points[RunEvaluation]] = {}
        for run in self._all_runs(job, span):
            self._check_time()
            found = evaluate_run(self._costs, run, self._goal.pipelined)
            time = found.rounds * found.beat if period else found.latency
            tiles = frozenset(stage.tile for stage in run.stages)
            by_tiles.setdefault(tiles, []).append((time, 0 if period else found.energy, found))
        return [own for points in by_tiles.values() for _, _, own in _nondominated(points)]

    def _all_runs(self, job: int, span: Span) -> Iterator[Run]:
        first, end = span
        tiles = self._costs.package.tiles
        for mini_batch in self._costs.workload.jobs[job].mini_batches:
            for count in range(1, min(len(tiles), end - first) + 1):
                for inner in combinations(range(first + 1, end), count - 1):
                    cuts = (first, *inner, end)
                    for places in permutations(tiles, count):
                        stages = zip(cuts, cuts[1:], places, strict=False)
                        own = tuple(Stage(a, b - 1, tile) for a, b, tile in stages)
                        yield Run(job, mini_batch, own)


def _in_turn(
    runs: Sequence[RunEvaluation], tiles: Sequence[set[Tile]], order: Sequence[int]
) -> tuple[RunEvaluation, ...]:
    """Runs that begin as soon as those before them have left their chiplets."""
    found: list[RunEvaluation] = []
    done: list[int] = []
    for at in order:
        begin = max(
            (own.end for own, other in zip(found, done, strict=True) if tiles[other] & tiles[at]),
            default=0,
        )
        found.append(replace(runs[at], run=replace(runs[at].run, start=begin)))
        done.append(at)
    return tuple(found)


def _window(runs: Iterable[RunEvaluation]) -> Window:
    return Window(tuple(own.run for own in runs))


def _nondominated(points: Iterable[tuple[int, int, Item]]) -> Points[Item]:
    """The points that no other one beats in both, one of equals."""
    found: Points[Item] = []
    for point in sorted(points, key=lambda point: point[:2]):
        if not found or point[1] < found[-1][1]:
            found.append(point)
    return found
