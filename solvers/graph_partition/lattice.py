"""All ideals of a graph's blocks: sets that with a block have all that have an arc to it.

Ideals are numbered by how many blocks they have. Kept are only the steps from each to those with
one block more, and one step back to a smaller one; the sets themselves, as bits, are needed for
two sizes at a time while the lattice is made.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from instances.graph_blocks import Blocks
from instances.jit import compiled, lean

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Smalls = NDArray[np.int32]

ONE = np.uint64(1)


class Lattice(NamedTuple):
    """Ideals by number; 0 is empty, the last one has all blocks.

    Attributes:
        starts: [ideal] where its steps begin; one more entry than ideals.
        block: [step] that is added.
        larger: [step] the ideal with it.
        last: [ideal] a block without which it is an ideal, too.
        smaller: [ideal] that ideal.
    """

    starts: Ints
    block: Smalls
    larger: Smalls
    last: Smalls
    smaller: Smalls

    @property
    def ideals(self) -> int:
        """How many ideals there are."""
        return len(self.last)


def lattice_of(blocks: Blocks, most_ideals: int, most_steps: int) -> Lattice | None:
    """The ideals of blocks; None if they or their steps are more than allowed."""
    before, after = blocks.before, blocks.after
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 2**64, blocks.count, dtype=np.uint64)
    ideals, steps = 1 << 10, 1 << 12
    while True:
        # Arrays that grow are made anew, twice as large, and filled from the beginning.
        room_ideals, room_steps = min(ideals, most_ideals), min(steps, most_steps)
        found, starts, block, larger, last, smaller = _build(
            before.starts,
            before.values,
            after.starts,
            after.values,
            keys,
            room_ideals,
            room_steps,
        )
        if found > 0:
            used = starts[found]
            return Lattice(
                starts[: found + 1].copy(),
                block[:used].copy(),
                larger[:used].copy(),
                last[:found].copy(),
                smaller[:found].copy(),
            )
        if (room_ideals, room_steps) == (most_ideals, most_steps):
            return None
        ideals, steps = 4 * ideals, 4 * steps


@lean
def _has(words: Words, row: int, block: int) -> bool:
    return bool((words[row, block >> 6] >> np.uint64(block & 63)) & ONE)


@compiled
def _build(
    before_starts: Ints,
    before: Ints,
    after_starts: Ints,
    after: Ints,
    keys: Words,
    most_ideals: int,
    most_steps: int,
) -> tuple[int, Ints, Smalls, Smalls, Smalls, Smalls]:
    """Number of ideals, 0 if there are too many, and the arrays of `Lattice`.

    The ideals of one size stand behind one another. Each takes its steps to the next size: the
    sets there are found again by a hash of their blocks, and compared bit by bit.
    """
    blocks = len(before_starts) - 1
    starts = np.zeros(most_ideals + 1, dtype=np.int64)
    block = np.zeros(most_steps, dtype=np.int32)
    larger = np.zeros(most_steps, dtype=np.int32)
    last = np.zeros(most_ideals, dtype=np.int32)
    smaller = np.zeros(most_ideals, dtype=np.int32)
    width = max(1, (blocks + 63) >> 6)
    words = np.zeros((1, width), dtype=np.uint64)
    hashes = np.zeros(1, dtype=np.uint64)
    count, used = 1, 0
    for v in range(blocks):
        if before_starts[v] == before_starts[v + 1]:
            if used >= most_steps:
                return 0, starts, block, larger, last, smaller
            block[used] = v
            used += 1
    starts[1] = used
    begin = 0
    while begin < count:
        end = count
        steps = starts[end] - starts[begin]
        size = 4
        while size < 2 * steps + 2:
            size *= 2
        table = np.full(size, -1, dtype=np.int64)
        mask = np.uint64(size - 1)
        room = min(steps, most_ideals - end)
        next_words = np.zeros((max(room, 1), width), dtype=np.uint64)
        next_hashes = np.zeros(max(room, 1), dtype=np.uint64)
        for ideal in range(begin, end):
            row = ideal - begin
            for step in range(starts[ideal], starts[ideal + 1]):
                v = block[step]
                code = hashes[row] ^ keys[v]
                slot = np.int64(code & mask)
                while True:
                    other = table[slot]
                    if other < 0:
                        break
                    if next_hashes[other - end] == code:
                        same = True
                        for w in range(width):
                            own = words[row, w]
                            if w == v >> 6:
                                own = own | (ONE << np.uint64(v & 63))
                            if own != next_words[other - end, w]:
                                same = False
                                break
                        if same:
                            break
                    slot = (slot + 1) & np.int64(mask)
                if other >= 0:
                    larger[step] = other
                    continue
                if count >= most_ideals:
                    return 0, starts, block, larger, last, smaller
                other = count
                count += 1
                table[slot] = other
                larger[step] = other
                last[other] = v
                smaller[other] = ideal
                new = other - end
                next_words[new] = words[row]
                next_words[new, v >> 6] |= ONE << np.uint64(v & 63)
                next_hashes[new] = code
                # It may take all steps of the smaller one but v, and those that v sets free.
                for k in range(starts[ideal], starts[ideal + 1]):
                    if k != step:
                        if used >= most_steps:
                            return 0, starts, block, larger, last, smaller
                        block[used] = block[k]
                        used += 1
                for k in range(after_starts[v], after_starts[v + 1]):
                    u = after[k]
                    free = True
                    for j in range(before_starts[u], before_starts[u + 1]):
                        if not _has(next_words, new, before[j]):
                            free = False
                            break
                    if free:
                        if used >= most_steps:
                            return 0, starts, block, larger, last, smaller
                        block[used] = u
                        used += 1
                starts[other + 1] = used
        words, hashes = next_words, next_hashes
        begin = end
    return count, starts, block, larger, last, smaller
