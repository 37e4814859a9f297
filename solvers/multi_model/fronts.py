"""Fronts: of several points (cycles, picojoules) those that no other one beats in both.

A table has a front for each set of chiplets, one after the other in flat arrays, each by rising
cycles and so by falling picojoules. A point also says where it comes from.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from instances.jit import compiled, lean
from instances.tables import Ints


class Fronts(NamedTuple):
    """A front for each set of chiplets; sets are bit masks.

    Attributes:
        ends: [sets+1] where each front begins; it ends where the next one begins.
        time, energy: [points] cycles and picojoules.
        left, right: [points] where the point comes from: what it means is told by who made it.
    """

    ends: Ints
    time: Ints
    energy: Ints
    left: Ints
    right: Ints


def gather(keys: Ints, time: Ints, energy: Ints, refs: Ints, sets: int) -> Fronts:
    """Fronts of points that lie in any order.

    Args:
        keys: [points] the set of each.
        time, energy: [points].
        refs: [points] becomes `left`.
        sets: how many there are.
    """
    order = np.lexsort((energy, time, keys))
    keys, time, energy, refs = keys[order], time[order], energy[order], refs[order]
    kept = _undominated(keys, time, energy)
    ends = np.searchsorted(keys[kept], np.arange(sets + 1))
    return Fronts(ends, time[kept], energy[kept], refs[kept], np.zeros(kept.sum(), np.int64))


@compiled
def _undominated(keys: Ints, time: Ints, energy: Ints) -> NDArray[np.bool_]:
    """[points] which of the points, sorted by key, time and energy, no other one beats."""
    kept = np.ones(len(keys), dtype=np.bool_)
    least = 0
    for n in range(len(keys)):
        if n > 0 and keys[n] == keys[n - 1] and energy[n] >= least:
            kept[n] = False
        else:
            least = energy[n]
    return kept


@compiled
def closed(fronts: Fronts) -> Fronts:
    """Each set's front with those of all its subsets: chiplets may be left idle."""
    sets = len(fronts.ends) - 1
    found = fronts
    bit = 1
    while bit < sets:
        out = _room(2 * len(found.time) + 1)
        count = 0
        ends = np.zeros(sets + 1, dtype=np.int64)
        for mask in range(sets):
            ends[mask] = count
            if mask & bit:
                count = _union(found, mask, found, mask ^ bit, out, count, False)
                continue
            for n in range(found.ends[mask], found.ends[mask + 1]):
                count = _put(out, count, found.time[n], found.energy[n], found.left[n], 0)
        ends[sets] = count
        found = _packed(ends, out, count)
        bit *= 2
    return found


@compiled
def _packed(ends: Ints, points: Ints, count: int) -> Fronts:
    """A table of the first points, which keeps no room beyond them."""
    own = points[:, :count].copy()
    return Fronts(ends, own[0], own[1], own[2], own[3])


@lean
def _put(out: Ints, count: int, time: int, energy: int, left: int, right: int) -> int:
    out[0, count], out[1, count], out[2, count], out[3, count] = time, energy, left, right
    return count + 1


@lean
def _append(out: Ints, count: int, time: int, energy: int, left: int, right: int) -> int:
    """Write a point, no faster than the last one, if it takes less energy."""
    if count > 0 and energy >= out[1, count - 1]:
        return count
    if count > 0 and time == out[0, count - 1]:
        count -= 1
    return _put(out, count, time, energy, left, right)


@compiled
def _room(points: int) -> Ints:
    return np.empty((4, points), dtype=np.int64)


@compiled
def _union(a: Fronts, one: int, b: Fronts, other: int, out: Ints, count: int, origin: bool) -> int:
    """Write the front of two sets' fronts; where writing ends.

    Args:
        a, one: a table and a set.
        b, other: the same.
        out, count: where to write.
        origin: whether `left` and `right` tell the point, and 0 if it is of a, 1 of b; otherwise
            `left` is the point's own.
    """
    begin = count
    i, i_end = a.ends[one], a.ends[one + 1]
    j, j_end = b.ends[other], b.ends[other + 1]
    while i < i_end or j < j_end:
        mine = j >= j_end or (i < i_end and (a.time[i], a.energy[i]) <= (b.time[j], b.energy[j]))
        time, energy = (a.time[i], a.energy[i]) if mine else (b.time[j], b.energy[j])
        if count == begin or energy < out[1, count - 1]:
            if origin:
                left, right = (i, 0) if mine else (j, 1)
            else:
                left, right = (a.left[i] if mine else b.left[j]), 0
            count = _put(out, count, time, energy, left, right)
        if mine:
            i += 1
        else:
            j += 1
    return count


@compiled
def beside(a: Fronts, b: Fronts, whole: bool) -> Fronts:
    """Two side by side on disjoint sets: the slower one's cycles, the energies' sum.

    Args:
        a, b: closed tables.
        whole: only the set of all chiplets is wanted; the other fronts are empty.

    Returns:
        left, right: points of a and of b.
    """
    sets = len(a.ends) - 1
    ends = np.zeros(sets + 1, dtype=np.int64)
    out, spare, count = _room(1024), _room(1024), 0
    for mask in range(sets):
        ends[mask] = count
        if whole and mask < sets - 1:
            continue
        own = 0
        part = mask
        while True:
            most = a.ends[part + 1] - a.ends[part]
            most += b.ends[mask - part + 1] - b.ends[mask - part]
            while own + most > spare.shape[1] or count + own + most > out.shape[1]:
                spare, out = _larger(spare), _larger(out)
            merged = _sum(a, part, b, mask - part, out[:, count:], own, spare)
            own = merged
            for n in range(own):
                out[:, count + n] = spare[:, n]
            if part == 0:
                break
            part = (part - 1) & mask
        count += own
    ends[sets] = count
    return _packed(ends, out, count)


@compiled
def _larger(old: Ints) -> Ints:
    found = np.empty((4, 2 * old.shape[1]), dtype=np.int64)
    found[:, : old.shape[1]] = old
    return found


@compiled
def _sum(a: Fronts, one: int, b: Fronts, other: int, known: Ints, size: int, spare: Ints) -> int:
    """Write to `spare` the front of the first `size` points of `known` and of two sets' sums."""
    i, i_end = a.ends[one], a.ends[one + 1]
    j, j_end = b.ends[other], b.ends[other + 1]
    n, count = 0, 0
    if i == i_end or j == j_end:
        i, j = i_end, j_end
    while True:
        more = i < i_end and j < j_end
        time = max(a.time[i], b.time[j]) if more else 0
        energy = a.energy[i] + b.energy[j] if more else 0
        if not more and n == size:
            return count
        if more and (n == size or (time, energy) < (known[0, n], known[1, n])):
            count = _append(spare, count, time, energy, i, j)
            # The next point with less energy: whichever of both can be slower first.
            after_i = a.time[i + 1] if i + 1 < i_end else -1
            after_j = b.time[j + 1] if j + 1 < j_end else -1
            if after_i < 0 and after_j < 0:
                i = i_end
            elif after_j < 0 or (0 <= after_i <= after_j):
                i += 1
            else:
                j += 1
        else:
            count = _append(spare, count, known[0, n], known[1, n], known[2, n], known[3, n])
            n += 1


@compiled
def after(a: Fronts, b: Fronts, whole: bool) -> Fronts:
    """Two one after the other, each on any of the set's chiplets: sums of cycles and energies.

    Args:
        a, b: closed tables.
        whole: only the set of all chiplets is wanted; the other fronts are empty.

    Returns:
        left, right: points of a and of b.
    """
    sets = len(a.ends) - 1
    ends = np.zeros(sets + 1, dtype=np.int64)
    out, count = _room(1024), 0
    for mask in range(sets):
        ends[mask] = count
        if whole and mask < sets - 1:
            continue
        size = (a.ends[mask + 1] - a.ends[mask]) * (b.ends[mask + 1] - b.ends[mask])
        sums, n = _room(size), 0
        for i in range(a.ends[mask], a.ends[mask + 1]):
            for j in range(b.ends[mask], b.ends[mask + 1]):
                n = _put(sums, n, a.time[i] + b.time[j], a.energy[i] + b.energy[j], i, j)
        while count + size > out.shape[1]:
            out = _larger(out)
        begin = count
        by_energy = np.argsort(sums[1], kind="mergesort")
        for n in by_energy[np.argsort(sums[0][by_energy], kind="mergesort")]:
            if count == begin or sums[1, n] < out[1, count - 1]:
                out[:, count] = sums[:, n]
                count += 1
    ends[sets] = count
    return _packed(ends, out, count)


@compiled
def either(a: Fronts, b: Fronts) -> Fronts:
    """The points of two tables that none of the other's beats.

    Returns:
        left, right: point, and 0 if it is one of a, 1 of b.
    """
    sets = len(a.ends) - 1
    ends = np.zeros(sets + 1, dtype=np.int64)
    out, count = _room(len(a.time) + len(b.time)), 0
    for mask in range(sets):
        ends[mask] = count
        count = _union(a, mask, b, mask, out, count, True)
    ends[sets] = count
    return _packed(ends, out, count)
