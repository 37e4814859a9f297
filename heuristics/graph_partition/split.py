"""The linear-order split: cut one topological order of a graph into pieces, as well as possible.

Tarnawski et al. call it DPL: a dynamic program over the prefixes of one order of the nodes instead
of over all ideals. Here it runs over several orders, and the best division counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from heuristics.graph_partition.crossings import Room, Tensors, Work, joins, tensors_of, work_of
from instances.graph_blocks import Blocks
from instances.jit import compiled

Ints = NDArray[np.int64]

NEVER = 2**62
"""The load of what cannot be."""

Pieces = list[tuple[bool, list[int]]]
"""Devices in order: whether it is a CPU, and its blocks."""


def best_split(blocks: Blocks, order: Ints, room: Room, below: int = NEVER) -> tuple[int, Pieces]:
    """The best way to cut an order of the blocks among devices.

    Args:
        blocks: of a graph.
        order: all of them; for an ordered division, each behind all that have an arc to it.
        room: the devices.
        below: only loads below count, ticks.

    Returns:
        The largest load in ticks, NEVER if none fits, and the devices.
    """
    best, begins = _split(order, tensors_of(blocks), work_of(blocks), room, below)
    pieces: Pieces = []
    end, a, c = len(order), room.accelerators, room.cpus
    while end and best < NEVER:
        begin, is_cpu = divmod(int(begins[end, a, c]), 2)
        pieces.append((bool(is_cpu), order[begin:end].tolist()))
        end, a, c = begin, a - 1 + is_cpu, c - is_cpu
    return best, pieces[::-1]


@compiled
def _split(order: Ints, tensors: Tensors, blocks: Work, room: Room, below: int) -> tuple[int, Ints]:
    """The least largest load, and [end, a, c] twice the begin of the last piece, plus 1 for a CPU.

    f[end, a, c] is the least largest load of the blocks before `end` on at most a and c devices.
    """
    count = len(order)
    accelerators, cpus = room.accelerators, room.cpus
    best = np.full((count + 1, accelerators + 1, cpus + 1), NEVER, dtype=np.int64)
    begins = np.zeros((count + 1, accelerators + 1, cpus + 1), dtype=np.int64)
    best[0] = 0
    inside = np.zeros(len(tensors.cost), dtype=np.int64)
    member = np.zeros(count, dtype=np.bool_)
    for begin in range(count):
        # All devices are allowed here, so no entry with fewer of them is better.
        bar = min(below, best[count, accelerators, cpus])
        inside[:] = 0
        member[:] = False
        work, crossing, slow, held, runs = 0, 0, 0, 0, True
        for end in range(begin + 1, count + 1):
            block = order[end - 1]
            crossing += joins(block, tensors, inside, member)
            work += blocks.accelerator[block]
            slow += blocks.cpu[block]
            held += blocks.size[block]
            runs = runs and blocks.supported[block] and held <= room.memory and work < bar
            if not runs and (slow >= bar or cpus == 0):
                break
            load = work + crossing
            # A load that is not below the bar may get there as more blocks join.
            for a in range(accelerators + 1):
                for c in range(cpus + 1):
                    before = best[begin, a, c]
                    if runs and a < accelerators and max(before, load) < best[end, a + 1, c]:
                        best[end, a + 1, c] = max(before, load)
                        begins[end, a + 1, c] = 2 * begin
                    if c < cpus and max(before, slow) < best[end, a, c + 1]:
                        best[end, a, c + 1] = max(before, slow)
                        begins[end, a, c + 1] = 2 * begin + 1
    return best[count, accelerators, cpus], begins
