"""What a segment costs in every state of its two cuts, and what it loses.

For a beat T, a segment is a chain of clusters that each meet T: labels are set from cut to cut,
each with the chiplets and clusters used, the cycles to load coders, and the loss. Only the times of
clusters, and the DRAM traffic, can be a beat; between two of them nothing changes, and often
nothing that matters changes between many. So the beats are split as by bisection: an interval of
them is left as soon as its longest beat, paid as if it were its shortest, is too dear.

Costs are *priced*: `scale` times cycles plus `price` times millionths (a Lagrangian of the budget).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.jit import compiled
from instances.tables import Ints
from solvers.exact.ratios.clusters import Graph

USED, CLUSTERS, LOAD, LOSS, BEAT, BASE, PARENT, ARC = range(8)
FIELDS = 8


NEVER = 2**30
"""More clusters than there can be."""

UNBOUND = 2**62
"""Stands for 'no way' among priced costs."""


class Price(NamedTuple):
    """How cycles and losses are added up: `scale` a cycle, `price` a millionth."""

    scale: int
    price: int

    def of(self, time: int, loss: int) -> int:
        """The priced cost."""
        return self.scale * time + self.price * loss


class Range(NamedTuple):
    """A segment's cuts and nodes.

    Attributes:
        begin: the first node of the cut where it begins.
        inner, end, last: its nodes are inner to end - 1 inside of it, end to last - 1 at its end.
        cuts: [n+2] the first node of each of its cuts, and of the one after.
    """

    begin: int
    inner: int
    end: int
    last: int
    cuts: Ints


@compiled
def chains(
    graph: Graph,
    where: Range,
    bases: Ints,
    to_go: Ints,
    beat: int,
    paid: int,
    batch: int,
    price: Price,
    limit: int,
    budget: int,
    exact: bool,
) -> tuple[Ints, Ints]:
    """The ways to cut a segment into clusters that meet a beat, undominated and within the limit.

    Args:
        bases: [S] the priced cost with which each node of the first cut begins; UNBOUND for none.
        to_go: [n+1,C+1] as `clusters_to_go` says.
        paid: cycles that are charged for a beat, at most `beat`.
        limit: of the priced cost, the segment's own load left out.
        exact: whether a way is kept for each trade of loss against cost; else the cheapest alone.

    Returns:
        labels: [N, FIELDS]; chiplets, clusters, cycles to load coders, millionths, the slowest
            cluster, base, label and arc before. The first S are those of the first cut; their
            parent is -1, their arc the node.
        at: [nodes+1] the labels of node where.inner + n are at[n] to at[n+1].
    """
    chiplets = graph.times.shape[1]
    end = where.inner - where.begin
    labels = np.empty((256 + end, FIELDS), dtype=np.int64)
    labels[:end] = 0
    for n in range(end):
        labels[n, BASE], labels[n, PARENT], labels[n, ARC] = bases[n], -1, where.begin + n
    nodes, cut = where.last - where.inner, 0
    at = np.empty(nodes + 1, dtype=np.int64)
    fresh = np.empty((256, FIELDS), dtype=np.int64)
    for n in range(nodes):
        at[n] = end
        node = where.inner + n
        while node >= where.cuts[cut + 1]:
            cut += 1
        found = 0
        for arc in range(graph.into[node + 1] - 1, graph.into[node] - 1, -1):
            source = graph.source[arc]
            if source < where.begin:
                break
            if source < where.inner and bases[source - where.begin] >= UNBOUND:
                continue
            own = chiplets_for(graph.times[arc], beat)
            if own > chiplets:
                continue
            low, high = source - where.begin, source - where.begin + 1
            if source >= where.inner:
                low, high = at[source - where.inner], at[source - where.inner + 1]
            for parent in range(low, high):
                used = labels[parent, USED] + own
                loss = labels[parent, LOSS] + graph.loss[arc]
                if used > chiplets or loss > budget:
                    continue
                ahead = to_go[cut, chiplets - used]
                if ahead == NEVER:
                    continue
                clusters = labels[parent, CLUSTERS] + 1
                load = labels[parent, LOAD] + graph.load[arc]
                time = (batch - 1 + clusters + ahead) * paid + load
                base = labels[parent, BASE]
                if base + price.scale * time + price.price * loss > limit:
                    continue
                if found == fresh.shape[0]:
                    fresh = longer(fresh, found)
                fresh[found, USED], fresh[found, CLUSTERS] = used, clusters
                fresh[found, LOAD], fresh[found, LOSS] = load, loss
                slowest = max(labels[parent, BEAT], graph.times[arc, own - 1])
                fresh[found, BEAT], fresh[found, BASE] = slowest, base
                fresh[found, PARENT], fresh[found, ARC] = parent, arc
                found = keep(fresh, found, paid, price, exact, node >= where.end)
        if end + found > labels.shape[0]:
            labels = longer(labels, end + found)
        labels[end : end + found] = fresh[:found]
        end += found
    at[nodes] = end
    return labels[:end], at


@compiled
def clusters_to_go(first: int, last: int, times: Ints, beat: int) -> Ints:
    """[n+1,C+1] the fewest clusters for the layers from first+p on with at most c chiplets.

    NEVER where there is no way; `times` [L,L,C] are lower bounds on those of clusters in any state.
    """
    size, chiplets = last - first + 1, times.shape[2]
    fewest = np.full((size + 1, chiplets + 1), NEVER, dtype=np.int64)
    fewest[size] = 0
    for p in range(size - 1, -1, -1):
        for j in range(p, size):
            own = chiplets_for(times[first + p, first + j], beat)
            for c in range(own, chiplets + 1):
                fewest[p, c] = min(fewest[p, c], fewest[j + 1, c - own] + 1)
    return np.minimum(fewest, NEVER)


@compiled
def chiplets_for(times: Ints, beat: int) -> int:
    """Chiplets with which a cluster meets the beat; more than there are if with none."""
    low, high = 0, times.shape[0]
    while low < high:
        middle = (low + high) // 2
        if times[middle] <= beat:
            high = middle
        else:
            low = middle + 1
    return low + 1


@compiled
def longer(rows: Ints, needed: int) -> Ints:
    """The same rows with room for more."""
    larger = np.empty((2 * max(needed, rows.shape[0]), rows.shape[1]), dtype=np.int64)
    larger[: rows.shape[0]] = rows
    return larger


@compiled
def keep(fresh: Ints, number: int, paid: int, price: Price, exact: bool, final: bool) -> int:
    """Compare label `number` with those before it; drop what is dominated; return how many remain.

    Bases are heeded if the cheapest alone is kept. Where a segment ends (`final`), it does not
    matter how many chiplets were used.
    """
    for other in range(number):
        if replaces(fresh[other], fresh[number], paid, price, exact, final):
            return number
    end = 0
    for other in range(number):
        if not replaces(fresh[number], fresh[other], paid, price, exact, final):
            if end < other:
                fresh[end] = fresh[other]
            end += 1
    fresh[end] = fresh[number]
    return end + 1


@compiled
def replaces(a: Ints, b: Ints, paid: int, price: Price, exact: bool, final: bool) -> bool:
    """Whether a label is no worse than another."""
    if not final and a[USED] > b[USED]:
        return False
    if exact:
        return a[CLUSTERS] <= b[CLUSTERS] and a[LOAD] <= b[LOAD] and a[LOSS] <= b[LOSS]
    cycles = (a[CLUSTERS] - b[CLUSTERS]) * paid + a[LOAD] - b[LOAD]
    base = a[BASE] - b[BASE]
    return base + price.scale * cycles + price.price * (a[LOSS] - b[LOSS]) <= 0
