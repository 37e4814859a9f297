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
def _least(
    tables: JobTables,
    n: int,
    tiles: Ints,
    span: tuple[int, int],
    aim: int,
    rounds: int,
    most: int,
) -> tuple[int, Ints]:
    """Stages of at most `most` cycles with the least sum, or for PERIOD the least maximum.

    Of LATENCY what is summed is load + rounds * time. Returns (FAR, nothing) if there are none.
    """
    begin, end = span
    count, units = len(tiles), end - begin
    best = np.full((count + 1, units + 1), FAR)
    before = np.zeros((count + 1, units + 1), np.int64)
    best[0, 0] = 0
    for at in range(count):
        left = count - at - 1  # stages that follow, of a unit at least
        first, last = at + 1, units - left
        if left == 0:
            first = units
        for after in range(first, last + 1):
            for cut in range(at, after):
                done = best[at, cut]
                if done >= best[at + 1, after]:
                    continue
                a, b = begin + cut, begin + after
                time = stage_time(tables, n, tiles, at, count, a, b)
                if time > most:
                    continue
                if aim == PERIOD:
                    done = max(done, time)
                elif aim == ENERGY:
                    done += stage_energy(tables, n, tiles, at, count, a, b)
                else:
                    done += tables.load[n, tiles[at], a, b - 1] + rounds * time
                if done < best[at + 1, after]:
                    best[at + 1, after] = done
                    before[at + 1, after] = cut
    cuts = np.empty(count + 1, np.int64)
    cuts[count] = end
    at = units
    for stage in range(count, 0, -1):
        at = before[stage, at]
        cuts[stage - 1] = begin + at
    return best[count, units], cuts


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
    if aim != LATENCY or not pipelined or rounds == 1:
        return _least(tables, n, tiles, span, aim, rounds, FAR)[1]
    floor, best_cuts = _least(tables, n, tiles, span, PERIOD, rounds, FAR)
    best = price(tables, n, tiles, best_cuts, True)[0]
    limit = FAR
    while limit >= floor:
        total, cuts = _least(tables, n, tiles, span, LATENCY, 1, limit)
        latency, busy, _ = price(tables, n, tiles, cuts, True)
        if latency < best:
            best, best_cuts = latency, cuts
        # A later sum is no smaller: only a maximum below this one can still do better.
        limit = min(busy // rounds - 1, (best - total - 1) // (rounds - 1))
    return best_cuts


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
