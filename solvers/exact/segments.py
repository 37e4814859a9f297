"""How a segment's clusters share the chiplets, for one beat and for the best.

All kernels take `times` [L,L,C]: the time of cluster i..j on at most c+1 chiplets,
non-increasing in c, FAR where none fits (see solvers.exact.stages). For a given beat each cluster
needs a certain number of chiplets, and the question is which cuts need few clusters and few
chiplets. Both counts are kept, undominated pairs only: in practice a handful a layer.
"""

from __future__ import annotations

import numpy as np

from instances.jit import compiled
from instances.tables import Ints

NEVER = 2**30
"""More chiplets, or clusters, than any package has."""


@compiled
def chiplets_needed(first: int, last: int, times: Ints, beat: int) -> Ints:
    """[n,n] chiplets that the cluster first+i..first+j needs to meet the beat, at [j,i].

    NEVER where the package is too small or the cluster is out of the question.
    """
    size = last - first + 1
    chiplets = times.shape[2]
    needed = np.full((size, size), NEVER, dtype=np.int64)
    for j in range(size):
        for i in range(j, -1, -1):
            own = times[first + i, first + j]
            if own[chiplets - 1] > beat:
                continue
            low, high = 0, chiplets
            while low < high:
                middle = (low + high) // 2
                if own[middle] <= beat:
                    high = middle
                else:
                    low = middle + 1
            needed[j, i] = low + 1
    return needed


@compiled
def share(begin: int, needed: Ints, chiplets: int) -> tuple[Ints, Ints, Ints]:
    """Chiplets that begin..j needs in k clusters, for every j and every k worth having.

    Returns:
        fewest: [n+1, n+2] chiplets for layers begin..j-1 in k clusters at [j, k]; NEVER where the
            package is too small, or fewer clusters need no more chiplets.
        low, high: [n+1] the least and the most clusters with an entry; high is -1 if none has.
    """
    size = needed.shape[0]
    fewest = np.full((size + 1, size + 2), NEVER, dtype=np.int64)
    low = np.full(size + 1, size + 2, dtype=np.int64)
    high = np.full(size + 1, -1, dtype=np.int64)
    fewest[begin, 0] = low[begin] = high[begin] = 0
    for j in range(begin, size):
        row = fewest[j + 1]
        for i in range(j, begin - 1, -1):
            own = needed[j, i]
            if own < NEVER and high[i] >= 0:
                for k in range(low[i], high[i] + 1):
                    row[k + 1] = min(row[k + 1], fewest[i, k] + own)
                low[j + 1] = min(low[j + 1], low[i] + 1)
                high[j + 1] = max(high[j + 1], high[i] + 1)
        keep_useful(row, j + 1, low, high, chiplets)
    return fewest, low, high


@compiled
def keep_useful(row: Ints, j: int, low: Ints, high: Ints, chiplets: int) -> None:
    """Drop entries that do not fit or save no chiplets; narrow low[j] and high[j] to the rest."""
    best, least, most = chiplets + 1, row.shape[0], -1
    for k in range(low[j], high[j] + 1):
        if row[k] < best:
            best, most = row[k], k
            least = min(least, k)
        else:
            row[k] = NEVER
    low[j], high[j] = least, most


@compiled
def fewest_clusters(times: Ints, beat: int) -> Ints:
    """[L,L] the fewest clusters in which segment s..e meets the beat; NEVER if in none."""
    count, _, chiplets = times.shape
    counts = np.full((count, count), NEVER, dtype=np.int64)
    needed = chiplets_needed(0, count - 1, times, beat)
    for first in range(count):
        _, low, high = share(first, needed, chiplets)
        for last in range(first, count):
            if high[last + 1] >= 0:
                counts[first, last] = low[last + 1]
    return counts


@compiled
def fewest_in(first: int, last: int, times: Ints, beat: int) -> int:
    """The fewest clusters in which one segment meets the beat; NEVER if in none."""
    needed = chiplets_needed(first, last, times, beat)
    _, low, high = share(0, needed, times.shape[2])
    return low[-1] if high[-1] >= 0 else NEVER


@compiled
def settle(
    first: int, last: int, times: Ints, batch: int, least: int, most: int, depth: int
) -> tuple[int, int, int]:
    """The cheapest segment first..last whose beats cost at most `most` cycles.

    The cost is (batch + K - 1) * beat. With K clusters only beats up to most // (batch + K - 1)
    matter: if meeting that needs more clusters, K grows; if not, the smallest beat that K clusters
    reach is found by bisection, `most` falls below its cost, and K grows.

    Args:
        least: a lower bound on the beat, DRAM traffic included.
        depth: most clusters.

    Returns:
        (cost, clusters, beat); clusters is 0 if no segment costs at most `most`.
    """
    best_cost, best_clusters, best_beat = most + 1, 0, 0
    clusters = 1
    while clusters <= depth:
        limit = (best_cost - 1) // (batch + clusters - 1)
        if limit < least:
            break
        fewest = fewest_in(first, last, times, limit)
        if fewest > clusters:
            clusters = fewest
            continue
        low, high = least, limit
        while low < high:
            middle = (low + high) // 2
            if fewest_in(first, last, times, middle) <= clusters:
                high = middle
            else:
                low = middle + 1
        best_cost, best_clusters, best_beat = (batch + clusters - 1) * low, clusters, low
        clusters += 1
    return best_cost, best_clusters, best_beat


@compiled
def clusters_at(first: int, last: int, times: Ints, beat: int, clusters: int) -> Ints:
    """[clusters, 3] first layer, last layer, chiplets of each cluster of a segment at that beat."""
    needed = chiplets_needed(first, last, times, beat)
    fewest, _, _ = share(0, needed, times.shape[2])
    parts = np.empty((clusters, 3), dtype=np.int64)
    end = last - first + 1
    for k in range(clusters, 0, -1):
        i = end - 1
        while fewest[i, k - 1] + needed[end - 1, i] != fewest[end, k]:
            i -= 1
        parts[k - 1] = first + i, first + end - 1, needed[end - 1, i]
        end = i
    return parts
