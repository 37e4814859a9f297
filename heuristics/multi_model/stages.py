"""The best stages of one model's units on given chiplets, by a small dynamic program (ours)."""

from __future__ import annotations

import numpy as np

from heuristics.multi_model.tables import JobTables, price, stage_energy, stage_time
from instances.jit import compiled
from instances.stages import FAR
from instances.tables import Ints

LATENCY, ENERGY, PERIOD = 0, 1, 2
"""What `divide` minimises."""


@compiled
def _stage_costs(
    tables: JobTables, n: int, tiles: Ints, span: tuple[int, int], aim: int
) -> tuple[Ints, Ints]:
    """[S,U,U+1] cycles of each stage of units from..until-1, and what it adds to the sum.

    Both count units from the begin of the span. Of PERIOD nothing is added.
    """
    begin, end = span
    count, units = len(tiles), end - begin
    times = np.empty((count, units, units + 1), np.int64)
    added = np.zeros((count, units, units + 1), np.int64)
    for at in range(count):
        for cut in range(at, units):
            for after in range(cut + 1, units + 1):
                a, b = begin + cut, begin + after
                times[at, cut, after] = stage_time(tables, n, tiles, at, count, a, b)
                if aim == LATENCY:
                    added[at, cut, after] = tables.load[n, tiles[at], a, b - 1]
                elif aim == ENERGY:
                    added[at, cut, after] = stage_energy(tables, n, tiles, at, count, a, b)
    return times, added


@compiled
def _least(times: Ints, added: Ints, each: int, most: int, peak: bool) -> tuple[int, Ints]:
    """Stages of at most `most` cycles with the least sum of `added` + each * time.

    If `peak`, with the least maximum of times instead. Returns (FAR, nothing) if there are none.
    """
    count, units = times.shape[0], times.shape[1]
    best = np.full((count + 1, units + 1), FAR)
    before = np.zeros((count + 1, units + 1), np.int64)
    best[0, 0] = 0
    for at in range(count):
        first = units if at == count - 1 else at + 1
        last = units - (count - at - 1)  # each stage that follows has a unit at least
        for cut in range(at, last):
            done = best[at, cut]
            if done == FAR:
                continue
            for after in range(max(first, cut + 1), last + 1):
                time = times[at, cut, after]
                if time > most:
                    continue
                total = max(done, time) if peak else done + added[at, cut, after] + each * time
                if total < best[at + 1, after]:
                    best[at + 1, after] = total
                    before[at + 1, after] = cut
    cuts = np.empty(count + 1, np.int64)
    cuts[count] = units
    for stage in range(count, 0, -1):
        cuts[stage - 1] = before[stage, cuts[stage]]
    return int(best[count, units]), cuts


@compiled
def divide(
    tables: JobTables, n: int, tiles: Ints, span: tuple[int, int], aim: int, pipelined: bool
) -> Ints:
    """The stages of a run with the least latency, energy, or period.

    The latency of a pipeline is its stages' sum and (rounds - 1) times their maximum. The least sum
    is found under a limit on the maximum, which falls from one such program to the next: below the
    last maximum, and to where a sum that is no smaller could still make a better run. So none that
    is passed over is better than the best one.

    Args:
        tables: of the model.
        n: number of the mini-batch.
        tiles: [S] chiplets, as many as units at most, in the order of the stages.
        span: first unit, and the one after the last.
        aim: LATENCY, ENERGY or PERIOD.
        pipelined: as `WindowGoal.pipelined`.

    Returns:
        [S+1] first unit of each stage, and the one after the last.
    """
    rounds = tables.rounds[n]
    times, added = _stage_costs(tables, n, tiles, span, aim)
    if aim != LATENCY:
        return _least(times, added, 0, FAR, aim == PERIOD)[1] + span[0]
    if not pipelined or rounds == 1:
        return _least(times, added, rounds, FAR, False)[1] + span[0]
    floor, best_cuts = _least(times, added, 0, FAR, True)
    best = price(tables, n, tiles, best_cuts + span[0], True)[0]
    limit = FAR
    while limit >= floor:
        total, cuts = _least(times, added, 1, limit, False)
        latency, busy, _ = price(tables, n, tiles, cuts + span[0], True)
        if latency < best:
            best, best_cuts = latency, cuts
        # A later sum is no smaller: only a maximum below this one can still do better.
        limit = min(busy // rounds - 1, (best - total - 1) // (rounds - 1))
    return best_cuts + span[0]


@compiled
def choices(
    tables: JobTables, tiles: Ints, span: tuple[int, int], aims: Ints, pipelined: bool
) -> tuple[Ints, Ints]:
    """Runs of units on chiplets: the best for each mini-batch and aim.

    Returns:
        [R,3] cycles (of PERIOD's: of the slowest stage for all mini-batches), picojoules, number of
        the mini-batch; and [R,S+1] their stages.
    """
    found = np.empty((len(tables.rounds) * len(aims), 3), np.int64)
    stages = np.empty((len(found), len(tiles) + 1), np.int64)
    at = 0
    for n in range(len(tables.rounds)):
        for aim in aims:
            cuts = divide(tables, n, tiles, span, aim, pipelined)
            latency, busy, energy = price(tables, n, tiles, cuts, pipelined)
            found[at, 0] = busy if aims[0] == PERIOD else latency
            found[at, 1], found[at, 2] = energy, n
            stages[at] = cuts
            at += 1
    return found, stages
