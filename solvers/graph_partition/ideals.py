"""The best ordered division by a dynamic program over ideals, as lean as can be *(ours)*.

Devices in order take one ideal after another: f[I, a, c], the least largest load of the blocks of
the ideal I on at most a accelerators and c CPUs, is the least over ideals J within I of
max(f[J, a - 1, c], load of I without J), and likewise for a CPU. This is the program of Tarnawski
et al. What differs is that no pair of ideals is kept, and most are never looked at:

- from each J a search over the lattice adds one block at a time, keeps the load up to date, and
  turns back where no larger set can undercut the incumbent: work, and tensors that are paid for
  good, as their other end lies in J, never become less again, nor does memory that is taken;
- a J is left out where the incumbent's load on all devices that remain cannot do what remains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heuristics.graph_partition.crossings import (
    Room,
    Tensors,
    Work,
    joins,
    leaves,
    tensors_of,
    work_of,
)
from heuristics.graph_partition.split import NEVER, Pieces
from instances.graph_blocks import Blocks
from instances.jit import compiled, lean
from solvers.graph_partition.lattice import Lattice

Ints = NDArray[np.int64]
Smalls = NDArray[np.int32]
Flags = NDArray[np.bool_]

SLACK = 1 + 1e-12
"""What is ruled out by numbers that are rounded is ruled out by so much."""

PAUSE = 5_000_000
"""Steps of the search between two looks at the clock; well under a second."""


@dataclass(frozen=True)
class Division:
    """What the program finds.

    Attributes:
        load: the largest, ticks; NEVER where nothing is better than the bar.
        pieces: devices in order, empty where nothing is better.
        steps: of the search.
    """

    load: int
    pieces: Pieces
    steps: int


def best_division(
    blocks: Blocks, lattice: Lattice, room: Room, bar: int, watch: Callable[[], None]
) -> Division:
    """The best of all ordered divisions with a largest load below the bar.

    Args:
        blocks: of the graph.
        lattice: of its ideals.
        room: the devices.
        bar: only loads below count; NEVER for all.
        watch: called every now and then; whatever it raises ends the search.
    """
    shape = (lattice.ideals, room.accelerators + 1, room.cpus + 1)
    best = np.full(shape, NEVER, dtype=np.int64)
    best[0, 0, 0] = 0
    begins = np.zeros(shape, dtype=np.int32)
    work, tensors = work_of(blocks), tensors_of(blocks)
    scratch = _scratch(blocks, lattice)
    base, steps = 0, 0
    while base < lattice.ideals - 1:
        base, more = _extend(base, lattice, tensors, work, room, bar, best, begins, *scratch)
        steps += more
        watch()
    load = int(best[-1].min())
    return Division(load, _pieces(lattice, best, begins) if load < bar else [], steps)


def _scratch(blocks: Blocks, lattice: Lattice) -> tuple[Ints, Flags, Ints, Flags, Smalls]:
    """Readers inside, members, readers in the base, whether each is in the base, who was here."""
    tensors = len(blocks.cost)
    return (
        np.zeros(tensors, dtype=np.int64),
        np.zeros(blocks.count, dtype=np.bool_),
        np.zeros(tensors, dtype=np.int64),
        np.zeros(blocks.count, dtype=np.bool_),
        np.full(lattice.ideals, -1, dtype=np.int32),
    )


def _pieces(lattice: Lattice, best: Ints, begins: Smalls) -> Pieces:
    """The devices of the best division, in order."""
    pieces: Pieces = []
    at = lattice.ideals - 1
    a, c = (int(k) for k in np.unravel_index(best[at].argmin(), best[at].shape))
    while at:
        packed = int(begins[at, a, c])
        begin, is_cpu = abs(packed) - 1, packed < 0
        inside = set(_blocks_of(lattice, at)) - set(_blocks_of(lattice, begin))
        pieces.append((is_cpu, sorted(inside)))
        at, a, c = begin, a - (not is_cpu), c - is_cpu
    return pieces[::-1]


def _blocks_of(lattice: Lattice, ideal: int) -> list[int]:
    found = []
    while ideal:
        found.append(int(lattice.last[ideal]))
        ideal = int(lattice.smaller[ideal])
    return found


@lean
def _for_good(block: int, tensors: Tensors, inside: Ints, base_readers: Ints, base: Flags) -> int:
    """What a device pays for good when a block has just joined: the other end is in the base."""
    more = 0
    for k in range(tensors.owned_starts[block], tensors.owned_starts[block + 1]):
        tensor = tensors.owned[k]
        more += tensors.cost[tensor] * int(base_readers[tensor] > 0)
    for k in range(tensors.read_starts[block], tensors.read_starts[block + 1]):
        tensor = tensors.read[k]
        more += tensors.cost[tensor] * int(base[tensors.owner[tensor]] and inside[tensor] == 1)
    return more


@lean
def _may_do(a: int, c: int, work: int, size: int, room: Room, bar: int, share: float) -> bool:
    """Whether what is left of the work may be done on a accelerators and c CPUs below the bar."""
    # As floats, which do not overflow where the bar is NEVER, and a little too large.
    if c == 0:
        return work <= a * (bar - 1.0) * SLACK and size <= a * (room.memory * SLACK)
    return work <= (a + share * c) * (bar - 1.0) * SLACK or share == np.inf


@compiled
def _extend(
    first: int,
    lattice: Lattice,
    tensors: Tensors,
    work: Work,
    room: Room,
    bar: int,
    best: Ints,
    begins: Smalls,
    inside: Ints,
    member: Flags,
    base_readers: Ints,
    in_base: Flags,
    seen: Smalls,
) -> tuple[int, int]:
    """Search from ideals, `first` and later; the ideal to go on with, and the steps made.

    f[ideal, a, c] of exactly a accelerators and c CPUs is `best`; entries of `begins` are the ideal
    below and 1, negative for a CPU.
    """
    ideals, blocks = len(lattice.last), len(work.cpu)
    accelerators, cpus = room.accelerators, room.cpus
    end = ideals - 1
    all_work, all_size = work.accelerator.sum(), work.size.sum()
    # A CPU takes over no more than this share of its time in accelerators' work.
    share = 0.0
    for v in range(blocks):
        if work.accelerator[v]:
            share = max(share, work.accelerator[v] / work.cpu[v] if work.cpu[v] else np.inf)
    path = np.zeros(blocks + 1, dtype=np.int64)
    cursor = np.zeros(blocks + 1, dtype=np.int64)
    # Of the blocks at each depth: work, CPU's time, size, paid for tensors, for good, whether they
    # may run on an accelerator.
    held = np.zeros((blocks + 1, 6), dtype=np.int64)
    held[0, 5] = 1
    starts_a = np.zeros((accelerators + 1) * (cpus + 1), dtype=np.int64)
    starts_c = np.zeros((accelerators + 1) * (cpus + 1), dtype=np.int64)
    steps = 0
    for base in range(first, end):
        if steps > PAUSE:
            return base, steps
        bar = min(bar, best[end].min())
        in_base[:] = False
        base_readers[:] = 0
        base_work, base_size, at = 0, 0, base
        while at:
            v = lattice.last[at]
            in_base[v] = True
            base_work += work.accelerator[v]
            base_size += work.size[v]
            for k in range(tensors.read_starts[v], tensors.read_starts[v + 1]):
                base_readers[tensors.read[k]] += 1
            at = lattice.smaller[at]
        left, left_size = all_work - base_work, all_size - base_size
        # Each tensor that leaves the base is paid for by a later accelerator, if no CPU is left.
        crossing = 0
        for tensor in range(len(tensors.cost)):
            if in_base[tensors.owner[tensor]]:
                crosses = base_readers[tensor] < tensors.readers[tensor]
            else:
                crosses = base_readers[tensor] > 0
            crossing += tensors.cost[tensor] * int(crosses)
        states, on_accelerators, on_cpus = 0, False, False
        for a in range(accelerators + 1):
            for c in range(cpus + 1):
                more = crossing if c == cpus else 0
                if best[base, a, c] < bar and _may_do(
                    accelerators - a, cpus - c, left + more, left_size, room, bar, share
                ):
                    starts_a[states], starts_c[states] = a, c
                    states += 1
                    on_accelerators = on_accelerators or a < accelerators
                    on_cpus = on_cpus or c < cpus
        if states == 0:
            continue
        depth, at = 0, base
        path[0], cursor[0] = base, lattice.starts[base]
        while True:
            if cursor[depth] == lattice.starts[path[depth] + 1]:
                if depth == 0:
                    break
                depth -= 1
                leaves(lattice.block[cursor[depth] - 1], tensors, inside, member)
                continue
            step = cursor[depth]
            cursor[depth] += 1
            to = lattice.larger[step]
            if seen[to] == base:
                continue
            seen[to] = base
            v = lattice.block[step]
            done = held[depth, 0] + work.accelerator[v]
            slow = held[depth, 1] + work.cpu[v]
            size = held[depth, 2] + work.size[v]
            runs = (
                held[depth, 5] == 1
                and on_accelerators
                and work.supported[v]
                and size <= room.memory
                and done + held[depth, 4] < bar
            )
            if not runs and not (on_cpus and slow < bar):
                continue
            steps += 1
            paid = held[depth, 3] + joins(v, tensors, inside, member)
            good = held[depth, 4] + _for_good(v, tensors, inside, base_readers, in_base)
            runs = runs and done + good < bar
            if not runs and not (on_cpus and slow < bar):
                leaves(v, tensors, inside, member)
                continue
            on_time = runs and done + paid < bar
            rest, rest_size = left - done, left_size - size
            if on_time or (on_cpus and slow < bar):
                for k in range(states):
                    a, c = starts_a[k], starts_c[k]
                    load = max(best[base, a, c], done + paid)
                    if (
                        on_time
                        and a < accelerators
                        and load < min(bar, best[to, a + 1, c])
                        and _may_do(
                            accelerators - a - 1, cpus - c, rest, rest_size, room, bar, share
                        )
                    ):
                        best[to, a + 1, c] = load
                        begins[to, a + 1, c] = base + 1
                    load = max(best[base, a, c], slow)
                    if (
                        c < cpus
                        and load < min(bar, best[to, a, c + 1])
                        and _may_do(
                            accelerators - a, cpus - c - 1, rest, rest_size, room, bar, share
                        )
                    ):
                        best[to, a, c + 1] = load
                        begins[to, a, c + 1] = -base - 1
            depth += 1
            path[depth], cursor[depth] = to, lattice.starts[to]
            held[depth, 0], held[depth, 1], held[depth, 2] = done, slow, size
            held[depth, 3], held[depth, 4], held[depth, 5] = paid, good, int(runs)
    return end, steps
