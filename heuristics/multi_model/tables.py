"""The cost tables of one model for all its mini-batches, as kernels read them, and runs' costs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.cost.jobs import JobCosts
from instances.jit import compiled, lean
from instances.tables import Ints


class JobTables(NamedTuple):
    """`MiniBatchCosts` of every mini-batch, one after the other along the first axis, of length N.

    Attributes:
        rounds: [N] mini-batches that pass.
        time, load, energy: [N,C,U,U] of stages.
        dram, dram_energy: [N,C,U+1] of handovers to and from DRAM.
        hop, hop_energy: [N,C,C,U+1] of handovers between two chiplets.
    """

    rounds: Ints
    time: Ints
    load: Ints
    energy: Ints
    dram: Ints
    dram_energy: Ints
    hop: Ints
    hop_energy: Ints


def job_tables(costs: JobCosts) -> JobTables:
    """All tables of a model, mini-batches in the order of `Job.mini_batches`."""
    each = [costs.stages(size) for size in costs.job.mini_batches]
    rounds = np.array([own.rounds for own in each])
    names = JobTables._fields[1:]
    return JobTables(rounds, *(np.stack([getattr(own, name) for own in each]) for name in names))


@lean
def stage_time(
    tables: JobTables, n: int, tiles: Ints, at: int, count: int, begin: int, end: int
) -> int:
    """Cycles for a mini-batch of units begin..end-1 as stage `at` of `count`, handovers included.

    Args:
        tables: of the model.
        n: number of the mini-batch.
        tiles: the run's chiplets.
        at, count: which stage of how many.
        begin, end: first unit, and the one after the last.
    """
    own = tiles[at]
    total = tables.time[n, own, begin, end - 1]
    if at == 0:
        total += tables.dram[n, own, begin]
    else:
        total += tables.hop[n, own, tiles[at - 1], begin]
    if at == count - 1:
        total += tables.dram[n, own, end]
    else:
        total += tables.hop[n, own, tiles[at + 1], end]
    return total


@lean
def stage_energy(
    tables: JobTables, n: int, tiles: Ints, at: int, count: int, begin: int, end: int
) -> int:
    """Picojoules for all samples of such a stage; a hop's energy is its receiver's."""
    own = tiles[at]
    total = tables.energy[n, own, begin, end - 1]
    if at == 0:
        total += tables.dram_energy[n, own, begin]
    else:
        total += tables.hop_energy[n, own, tiles[at - 1], begin]
    if at == count - 1:
        total += tables.dram_energy[n, own, end]
    return total


@compiled
def price(
    tables: JobTables, n: int, tiles: Ints, cuts: Ints, pipelined: bool
) -> tuple[int, int, int]:
    """What a run costs, as `schedules.windows.evaluate` says.

    Args:
        tables: of the model.
        n: number of the mini-batch.
        tiles: [S] chiplets.
        cuts: [S+1] first unit of each stage, and the one after the last.
        pipelined: as `WindowGoal.pipelined`.

    Returns:
        (cycles, cycles of the slowest stage for all mini-batches, picojoules).
    """
    count, rounds = len(tiles), tables.rounds[n]
    loads, times, slowest, energy = 0, 0, 0, 0
    for at in range(count):
        begin, end = cuts[at], cuts[at + 1]
        own = stage_time(tables, n, tiles, at, count, begin, end)
        loads += tables.load[n, tiles[at], begin, end - 1]
        times += own
        slowest = max(slowest, own)
        energy += stage_energy(tables, n, tiles, at, count, begin, end)
    if pipelined:
        return loads + times + (rounds - 1) * slowest, rounds * slowest, energy
    return loads + rounds * times, rounds * slowest, energy
