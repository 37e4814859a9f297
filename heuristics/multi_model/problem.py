"""A workload and a goal as the fast methods see them: numbered chiplets, runs by their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from heuristics.multi_model.stages import ENERGY, LATENCY, PERIOD, choices
from heuristics.multi_model.tables import job_tables, price
from instances.cost.jobs import WorkloadCosts
from schedules.windows.goal import WindowGoal
from schedules.windows.schedule import Run, Stage, Window, WindowSchedule

REMEMBERED = 400_000
"""Places of runs whose best stages are kept; then all are forgotten."""


@dataclass(frozen=True)
class Choice:
    """A way to run units of a model on given chiplets.

    Attributes:
        time: cycles; where periods count, those of the slowest stage for all mini-batches.
        energy: picojoules without leakage.
        mini_batch: number of the mini-batch among the model's.
        tiles: numbers of the chiplets, in the order of the stages.
        cuts: first unit of each stage, and the one after the last.
    """

    time: int
    energy: int
    mini_batch: int
    tiles: tuple[int, ...]
    cuts: tuple[int, ...]


class Problem:
    """What a search asks again and again.

    Attributes:
        costs, goal: of the workload.
        units: of each model.
        chiplets: C.
        period: whether runs are measured by their period: single windows of which throughput is
            asked. Otherwise by their latency.
    """

    def __init__(self, costs: WorkloadCosts, goal: WindowGoal, *, period: bool = False) -> None:
        self.costs, self.goal, self.period = costs, goal, period
        self.units = [job.units for job in costs.workload.jobs]
        self.chiplets = len(costs.package.tiles)
        self.tables = [job_tables(own) for own in costs.jobs]
        if period:
            aims = [PERIOD]
        elif goal.objective in ("latency", "throughput"):
            aims = [LATENCY]
        else:
            aims = [LATENCY, ENERGY]
        self._aims = np.array(aims)
        self._known: dict[tuple[int, int, int, tuple[int, ...]], tuple[Choice, ...]] = {}

    def runs(self, job: int, begin: int, end: int, tiles: tuple[int, ...]) -> tuple[Choice, ...]:
        """The best runs of units begin..end-1, a stage for each chiplet, fastest first.

        Each is the fastest or the most sparing of its mini-batch, and no other beats it in both
        time and energy. Chiplets beyond the number of units are left out.
        """
        tiles = tiles[: end - begin]
        key = job, begin, end, tiles
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            places = np.array(tiles)
            costs, cuts = choices(
                self.tables[job], places, (begin, end), self._aims, self.goal.pipelined
            )
            every = zip(costs.tolist(), cuts.tolist(), strict=True)
            found = fittest(
                Choice(time, energy, n, tiles, tuple(own)) for (time, energy, n), own in every
            )
            self._known[key] = found
        return found

    def run(self, job: int, tiles: tuple[int, ...], cuts: tuple[int, ...], n: int) -> Choice:
        """A run of given stages and mini-batch."""
        costs = price(self.tables[job], n, np.array(tiles), np.array(cuts), self.goal.pipelined)
        latency, busy, energy = (int(value) for value in costs)
        return Choice(busy if self.period else latency, energy, n, tiles, cuts)

    def schedule(self, windows: Iterable[Sequence[Choice | None]]) -> WindowSchedule:
        """The schedule of runs, of each window by model; windows without runs are left out."""
        found = []
        for window in windows:
            runs = [self._run(job, own) for job, own in enumerate(window) if own is not None]
            if runs:
                found.append(Window(tuple(runs)))
        return WindowSchedule(tuple(found))

    def _run(self, job: int, choice: Choice) -> Run:
        tiles = self.costs.package.tiles
        stages = tuple(
            Stage(begin, end - 1, tiles[tile])
            for tile, begin, end in zip(choice.tiles, choice.cuts, choice.cuts[1:], strict=False)
        )
        return Run(job, self.costs.workload.jobs[job].mini_batches[choice.mini_batch], stages)


def fittest(found: Iterable[Choice]) -> tuple[Choice, ...]:
    """Those that no other beats in both time and energy, fastest first."""
    kept: list[Choice] = []
    for own in sorted(found, key=lambda choice: (choice.time, choice.energy)):
        if not kept or own.energy < kept[-1].energy:
            kept.append(own)
    return tuple(kept)


def best_runs(
    options: Sequence[Sequence[Choice]], value: Callable[[int, int], float]
) -> tuple[float, tuple[Choice, ...]]:
    """The best run of each model of a window.

    A window is as long as its slowest run, so all other models may take their most sparing run that
    is no slower. All lengths that a window can have are tried.

    Args:
        options: of each model that runs, its `fittest` runs; at least one model.
        value: of a length of the window and the picojoules of its runs; rises with both.

    Returns:
        The least value, and the runs that have it.
    """
    least = max(own[0].time for own in options)
    lengths = {choice.time for own in options for choice in own if choice.time >= least}
    best_value, best = inf, tuple(own[0] for own in options)
    floor = sum(own[-1].energy for own in options)
    for length in sorted(lengths):
        if value(length, floor) >= best_value:
            break
        picked = tuple(_sparing(own, length) for own in options)
        found = value(length, sum(own.energy for own in picked))
        if found < best_value:
            best_value, best = found, picked
    return best_value, best


def _sparing(options: Sequence[Choice], length: int) -> Choice:
    """The run with the least energy among those that take no longer."""
    found = options[0]
    for own in options:
        if own.time > length:
            break
        found = own
    return found
