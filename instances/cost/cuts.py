"""How P x Q positions are cut into tiles for the chiplets of a region."""

from __future__ import annotations

import numpy as np

from instances.cost.rates import over
from instances.jit import compiled, lean
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
    smallest input tile, then the smallest a. A cut whose tiles are as large as those of a
    cut with fewer of them need not be looked at.

    Args:
        extents: (P, Q).
        slopes, rests: n positions read slope * n + rest positions of the input.
        array: positions that the chiplet works on at once.
        chiplets: C.

    Returns:
        [K,3] chiplets, tile rows, tile columns: by rising chiplets, from 1.
    """
    rows, columns = extents
    most = min(chiplets, rows * columns)
    best = np.zeros((most + 1, 4), dtype=np.int64)  # by tiles: passes, input tile, a, b
    a = 1
    while a <= min(rows, most):
        p = over(rows, a)
        b = 1
        while b <= min(columns, most // a):
            q = over(columns, b)
            passes = over(p, array[0]) * over(q, array[1])
            tile = (slopes[0] * p + rests[0]) * (slopes[1] * q + rests[1])
            _keep_better(best, a * b, passes, tile, a, b)
            b = over(columns, q - 1) if q > 1 else columns + 1
        a = over(rows, p - 1) if p > 1 else rows + 1
    cuts = np.empty((most, 3), dtype=np.int64)
    kept = 0
    for c in range(1, most + 1):
        if best[c, 2] > 0 and _keep_better(best, 0, best[c, 0], best[c, 1], best[c, 2], best[c, 3]):
            cuts[kept, 0] = c
            cuts[kept, 1], cuts[kept, 2] = over(rows, best[c, 2]), over(columns, best[c, 3])
            kept += 1
    return cuts[:kept].copy()


@lean
def _keep_better(best: Ints, at: int, passes: int, tile: int, a: int, b: int) -> bool:
    """Put a cut in a row of `best` that is empty or holds a worse one; whether it did."""
    known = best[at]
    better = known[2] == 0 or passes < known[0]
    if not better and passes == known[0]:
        better = tile < known[1] or (tile == known[1] and a < known[2])
    if better:
        known[0], known[1], known[2], known[3] = passes, tile, a, b
    return better
