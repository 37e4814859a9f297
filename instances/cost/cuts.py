"""How P x Q positions are cut into tiles for the chiplets of a region."""

from __future__ import annotations

import numpy as np

from instances.cost.rates import over
from instances.jit import compiled
from instances.tables import Ints


@compiled
def cut_positions(
    extents: tuple[int, int],
    slopes: tuple[int, int],
    rests: tuple[int, int],
    array: tuple[int, int],
    chiplets: int,
) -> Ints:
    """The best tiles for regions of 1 to C chiplets, where they change: O(C + sqrt(P Q)).

    Best of all cuts a x b <= c: the fewest passes of an array of so many positions, then the
    smallest input tile, then the smallest a, then b. A cut whose tiles are as large as those of a
    cut with fewer of them need not be looked at.

    Args:
        extents: (P, Q).
        slopes, rests: n positions read slope * n + rest positions of the input.
        array: positions that the chiplet works on at once.
        chiplets: C.

    Returns:
        [K,3] chiplets, tile rows, tile columns: by rising chiplets, from 1.
    """
    (rows, columns), never = extents, np.iinfo(np.int64).max
    most = min(chiplets, rows * columns)
    works = np.full(most + 1, never)
    tiles = np.full(most + 1, never)
    firsts = np.zeros(most + 1, dtype=np.int64)
    a = 1
    while a <= min(rows, most):
        p = over(rows, a)
        b = 1
        while b <= min(columns, most // a):
            q, c = over(columns, b), a * b
            work = over(p, array[0]) * over(q, array[1])
            tile = (slopes[0] * p + rests[0]) * (slopes[1] * q + rests[1])
            if (work, tile, a) < (works[c], tiles[c], firsts[c]):
                works[c], tiles[c], firsts[c] = work, tile, a
            b = over(columns, q - 1) if q > 1 else columns + 1
        a = over(rows, p - 1) if p > 1 else rows + 1
    cuts = np.empty((most, 3), dtype=np.int64)
    kept, best = 0, (never, never, 0, 0)
    for c in range(1, most + 1):
        a = firsts[c]
        if a > 0 and (works[c], tiles[c], a, c // a) < best:
            best = (works[c], tiles[c], a, c // a)
            cuts[kept] = (c, over(rows, a), over(columns, c // a))
            kept += 1
    return cuts[:kept].copy()
