"""Under-estimates of a model's runs by how many chiplets of each kind they take (ours).

Places are left out: a stage on a chiplet of a kind costs at least the least that it costs on any
chiplet of that kind, and a handover at least the least of all such chiplets or pairs of them. So
whatever the chiplets of a run, its latency and its energy are at least those found here for its
units, its mini-batch, and its numbers of chiplets by kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from heuristics.multi_model.tables import JobTables
from instances.cost.jobs import PackageCosts
from instances.jit import compiled
from instances.stages import FAR
from instances.tables import Ints

STEPS = 6_000_000_000
"""About how many steps the dynamic program of a model's runs takes at most, some seconds; it
decides how fine the limits on the slowest stage are."""

MOST_LIMITS = 300
"""More limits than that are never tried."""


class KindTables(NamedTuple):
    """`JobTables`, the least of each kind's chiplets.

    Attributes:
        rounds: [N] mini-batches that pass.
        time, load, energy: [N,K,U,U] of stages.
        dram, dram_energy: [N,K,U+1] of handovers to and from DRAM.
        hop, hop_energy: [N,K,U+1] of handovers to and from the cheapest other chiplet.
    """

    rounds: Ints
    time: Ints
    load: Ints
    energy: Ints
    dram: Ints
    dram_energy: Ints
    hop: Ints
    hop_energy: Ints


class Counts(NamedTuple):
    """Numbers of chiplets by kind, numbered themselves: the empty choice is 0.

    Attributes:
        many: [S,K] the numbers.
        stride: [K] by how much one chiplet more of a kind raises the choice's number.
    """

    many: Ints
    stride: Ints


@dataclass(frozen=True)
class KindRuns:
    """The runs of a model.

    Attributes:
        counts: the numbers of chiplets.
        latency: [N,U,U+1,S] least cycles of units a..b-1 with mini-batch n and those chiplets; FAR
            if there are none.
        energy: [N,U,U+1,S] least picojoules of the same; perhaps not of the same run.
        period: [S] least cycles of the slowest stage for all mini-batches, of all units.
    """

    counts: Counts
    latency: Ints
    energy: Ints
    period: Ints


def all_counts(chiplets: Ints) -> Counts:
    """All choices of at most so many chiplets of each kind."""
    sizes = chiplets + 1
    many = np.stack(np.unravel_index(np.arange(sizes.prod()), sizes), axis=1)
    stride = np.array([sizes[k + 1 :].prod() for k in range(len(sizes))], np.int64)
    return Counts(many.astype(np.int64), stride)


def kind_tables(tables: JobTables, package: PackageCosts) -> KindTables:
    """The least of each kind's chiplets."""
    kinds = [np.flatnonzero(package.kind == k) for k in range(len(package.kinds))]
    chiplets = len(package.kind)
    one = np.eye(chiplets, dtype=np.bool_)[None, :, :, None]

    def least(own: Ints) -> Ints:
        return np.stack([own[:, kind].min(axis=1) for kind in kinds], axis=1)

    def nearest(own: Ints) -> Ints:
        apart = np.where(one, FAR, own).min(axis=2) if chiplets > 1 else own[:, :, 0]
        return least(apart)

    return KindTables(
        tables.rounds,
        *(least(own) for own in (tables.time, tables.load, tables.energy)),
        *(least(own) for own in (tables.dram, tables.dram_energy)),
        *(nearest(own) for own in (tables.hop, tables.hop_energy)),
    )


def kind_runs(
    tables: JobTables, package: PackageCosts, *, pipelined: bool, steps: int = STEPS
) -> KindRuns:
    """Under-estimates of all runs of a model, in about so many steps at most."""
    own = kind_tables(tables, package)
    counts = all_counts(np.bincount(package.kind, minlength=len(package.kinds)))
    runs, units = len(own.rounds), own.time.shape[-1]
    each = runs * own.time.shape[1] * len(counts.many) * units**3 // 3 + 1  # of a limit
    most = max(1, min(MOST_LIMITS, steps // each))
    limits = [limits_of(own, n, most) for n in range(runs)]
    shape = runs, units, units + 1, len(counts.many)
    latency, energy = np.full(shape, FAR), np.full(shape, FAR)
    for n in range(runs):
        many = int(own.rounds[n])
        own_limits = limits[n] if pipelined and many > 1 else np.array([[0, FAR]])
        _latencies(own, counts, n, own_limits, pipelined, latency[n])
        _energies(own, counts, n, energy[n])
    period = np.full(len(counts.many), FAR)
    _periods(own, counts, period)
    return KindRuns(counts, latency, energy, period)


def limits_of(tables: KindTables, n: int, most: int) -> Ints:
    """[M,2] ranges in which the slowest stage of any run lies, ascending; at most so many.

    Together they hold all times that a stage can have: with its handovers, at a window's end or
    between stages. Times that are near each other are in one range.
    """
    units = tables.time.shape[-1]
    a, b = np.triu_indices(units)
    ends = (tables.dram[n], tables.hop[n])
    times = np.unique(
        [tables.time[n][:, a, b] + first[:, a] + last[:, b + 1] for first in ends for last in ends]
    )
    nearness = 0.0
    while True:
        begins: list[int] = []
        at = 0
        while at < len(times) and len(begins) <= most:
            begins.append(at)
            at = int(np.searchsorted(times, times[at] * (1 + nearness), side="right"))
        if len(begins) <= most:
            ends_at = np.array([*begins[1:], len(times)]) - 1
            return np.stack([times[begins], times[ends_at]], axis=1)
        nearness = 2 * nearness or 1e-4


@compiled
def _latencies(
    tables: KindTables, counts: Counts, n: int, limits: Ints, pipelined: bool, found: Ints
) -> None:
    """Fill [U,U+1,S] with latencies.

    A run whose slowest stage lies in a range has at least the least sum of stages no slower than
    the range's end, and (rounds - 1) times the range's begin.
    """
    units, kinds, states = tables.time.shape[2], tables.time.shape[1], len(counts.many)
    rounds = tables.rounds[n]
    each = 1 if pipelined else rounds
    best = np.empty((units + 1, states), np.int64)
    for number in range(len(limits)):
        low, high = limits[number]
        rest = (rounds - 1) * low if pipelined else 0
        for a in range(units):
            best[:] = FAR
            best[a, 0] = 0
            for cut in range(a, units):
                for b in range(cut + 1, units + 1):
                    for kind in range(kinds):
                        time = tables.time[n, kind, cut, b - 1]
                        load = tables.load[n, kind, cut, b - 1]
                        if cut == a:
                            time += tables.dram[n, kind, cut]
                        else:
                            time += tables.hop[n, kind, cut]
                        closed = time + tables.dram[n, kind, b]
                        inner = time + tables.hop[n, kind, b]
                        step = counts.stride[kind]
                        for state in range(step, states):
                            before = best[cut, state - step]
                            if before == FAR or counts.many[state, kind] == 0:
                                continue
                            if closed <= high:
                                done = before + load + each * closed + rest
                                found[a, b, state] = min(found[a, b, state], done)
                            if inner <= high:
                                done = before + load + each * inner
                                best[b, state] = min(best[b, state], done)


@compiled
def _energies(tables: KindTables, counts: Counts, n: int, found: Ints) -> None:
    """Fill [U,U+1,S] with energies."""
    units, kinds, states = tables.time.shape[2], tables.time.shape[1], len(counts.many)
    best = np.empty((units + 1, states), np.int64)
    for a in range(units):
        best[:] = FAR
        best[a, 0] = 0
        for cut in range(a, units):
            for b in range(cut + 1, units + 1):
                for kind in range(kinds):
                    own = tables.energy[n, kind, cut, b - 1]
                    if cut == a:
                        own += tables.dram_energy[n, kind, cut]
                    else:
                        own += tables.hop_energy[n, kind, cut]
                    last = tables.dram_energy[n, kind, b]
                    step = counts.stride[kind]
                    for state in range(step, states):
                        before = best[cut, state - step]
                        if before == FAR or counts.many[state, kind] == 0:
                            continue
                        done = before + own
                        best[b, state] = min(best[b, state], done)
                        found[a, b, state] = min(found[a, b, state], done + last)


@compiled
def _periods(tables: KindTables, counts: Counts, found: Ints) -> None:
    """Fill [S] with periods: the least maximum of rounds * time over the stages of all units."""
    units, kinds, states = tables.time.shape[2], tables.time.shape[1], len(counts.many)
    best = np.empty((units + 1, states), np.int64)
    for n in range(len(tables.rounds)):
        rounds = tables.rounds[n]
        best[:] = FAR
        best[0, 0] = 0
        for cut in range(units):
            for b in range(cut + 1, units + 1):
                for kind in range(kinds):
                    time = tables.time[n, kind, cut, b - 1]
                    time += tables.dram[n, kind, 0] if cut == 0 else tables.hop[n, kind, cut]
                    time += tables.dram[n, kind, b] if b == units else tables.hop[n, kind, b]
                    step = counts.stride[kind]
                    for state in range(step, states):
                        before = best[cut, state - step]
                        if before == FAR or counts.many[state, kind] == 0:
                            continue
                        best[b, state] = min(best[b, state], max(before, rounds * time))
        for state in range(states):
            found[state] = min(found[state], best[units, state])
