"""Relaxations of one segment: dynamic programs over its stages that share no region.

A linear form weighs a stage by `area * chiplets * time + energy * picojoules`, the time being at
least the segment's least beat. Its least sum over the stages of a segment is a shortest path over
clusterings; a form that may not exceed some number also rules out stages.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from formulations.merged_pipeline.columns import FAR
from instances.jit import compiled
from instances.tables import Ints

Flags = NDArray[np.bool_]

AREA, ENERGY, MOST = range(3)
"""The entries of a linear form: its two weights, and what its sum may be at most."""


class Stages(NamedTuple):
    """The cluster columns by interval, by kind, then chiplets, then energy; FAR fills up.

    Attributes:
        times, chiplets, energies: [L,L,N] cycles, count and picojoules a sample.
        kinds: [L,L,N] columns of different kinds do not replace each other; all 0 without
            compression.
    """

    times: Ints
    chiplets: Ints
    energies: Ints
    kinds: Ints


@compiled
def least_sums(values: Ints, most: int) -> Ints:
    """[L,L,K+1] the least sum of the clusters' values of segment s..e in k <= `most` clusters.

    Args:
        values: [L,L] of a cluster, FAR if there is none.
    """
    count = values.shape[0]
    sums = np.full((count, count, most + 1), FAR, dtype=np.int64)
    sums[:, :, 1] = values
    for first in range(count):
        for last in range(first + 1, count):
            for i in range(first + 1, last + 1):
                if values[i, last] < FAR:
                    for k in range(2, min(most, i - first + 1) + 1):
                        total = sums[first, i - 1, k - 1] + values[i, last]
                        sums[first, last, k] = min(sums[first, last, k], total)
    return sums


@compiled
def least_slowest(fastest: Ints, most: int) -> Ints:
    """[L,L,K+1] the least slowest stage of segment s..e in k clusters, on regions that may overlap.

    The k-th cluster has at most C-k+1 chiplets, as each one before it needs one.

    Args:
        fastest: [L,L,C] the time of a cluster on at most c+1 chiplets.
    """
    count, _, chiplets = fastest.shape
    slowest = np.full((count, count, most + 1), FAR, dtype=np.int64)
    slowest[:, :, 1] = fastest[:, :, chiplets - 1]
    for first in range(count):
        for last in range(first + 1, count):
            for i in range(first + 1, last + 1):
                for k in range(2, min(most, i - first + 1) + 1):
                    before, own = slowest[first, i - 1, k - 1], fastest[i, last, chiplets - k]
                    slowest[first, last, k] = min(slowest[first, last, k], max(before, own))
    return slowest


@compiled
def tightened(
    stages: Stages, first: int, last: int, clusters: int, chiplets: int, least: int, forms: Ints
) -> tuple[int, Ints, Flags]:
    """A better bound on the beat of one segment, FAR if no stages meet all the forms.

    Each stage keeps its chiplets for the least beat, however fast it is. Whatever stage makes a
    form too large goes, and so on until nothing changes.

    Args:
        forms: [F,3] linear forms; row 0 is the area alone, at most C times the longest beat.

    Returns:
        The bound, the forms' least sums [F], and [n,n,N] the stages that may be of use.
    """
    useful = within(stages, first, last, chiplets - clusters + 1, forms[0, MOST] // chiplets)
    sums = np.zeros(forms.shape[0], dtype=np.int64)
    while True:
        drop_idle(stages, first, least, useful)
        changed = False
        for f in range(forms.shape[0]):
            values = least_values(stages, first, least, useful, forms[f])
            before, after = sums_around(values, clusters)
            sums[f] = before[-1, clusters]
            if sums[f] > forms[f, MOST]:
                return FAR, sums, useful
            if drop_heavy(stages, first, least, useful, forms[f], before, after):
                changed = True
        bound = max(least, -(-sums[0] // chiplets))
        if bound * chiplets > forms[0, MOST]:
            return FAR, sums, useful
        if bound == least and not changed:
            return least, sums, useful
        least = bound


@compiled
def within(stages: Stages, first: int, last: int, widest: int, longest: int) -> Flags:
    """[n,n,N] the stages of a segment that are neither too wide nor too slow."""
    count, slots = last - first + 1, stages.times.shape[2]
    useful = np.zeros((count, count, slots), dtype=np.bool_)
    for i in range(count):
        for j in range(i, count):
            for n in range(slots):
                if stages.times[first + i, first + j, n] <= longest:
                    useful[i, j, n] = stages.chiplets[first + i, first + j, n] <= widest
    return useful


@compiled
def drop_idle(stages: Stages, first: int, least: int, useful: Flags) -> None:
    """Of an interval's stages that do not exceed the least beat, keep the undominated ones by kind.

    In chiplets and energy; with the energies all alike that is just the smallest.
    """
    count, _, slots = useful.shape
    for i in range(count):
        for j in range(i, count):
            cheapest, kind = FAR, 0
            for n in range(slots):
                if stages.kinds[first + i, first + j, n] != kind:
                    cheapest, kind = FAR, stages.kinds[first + i, first + j, n]
                if useful[i, j, n] and stages.times[first + i, first + j, n] <= least:
                    energy = stages.energies[first + i, first + j, n]
                    useful[i, j, n] = energy < cheapest
                    cheapest = min(cheapest, energy)


@compiled
def value(stages: Stages, i: int, j: int, n: int, least: int, form: Ints) -> int:
    """The form's value of stage n of the cluster i..j."""
    area = stages.chiplets[i, j, n] * max(stages.times[i, j, n], least)
    return form[AREA] * area + form[ENERGY] * stages.energies[i, j, n]


@compiled
def least_values(stages: Stages, first: int, least: int, useful: Flags, form: Ints) -> Ints:
    """[n,n] the form's least value of the useful stages of each interval."""
    count, _, slots = useful.shape
    values = np.full((count, count), FAR, dtype=np.int64)
    for i in range(count):
        for j in range(i, count):
            for n in range(slots):
                if useful[i, j, n]:
                    own = value(stages, first + i, first + j, n, least, form)
                    values[i, j] = min(values[i, j], own)
    return values


@compiled
def sums_around(values: Ints, clusters: int) -> tuple[Ints, Ints]:
    """[n+1,K+1] the least sum of the layers before, and from, each one, in k clusters."""
    count = values.shape[0]
    before = np.full((count + 1, clusters + 1), FAR, dtype=np.int64)
    after = np.full((count + 1, clusters + 1), FAR, dtype=np.int64)
    before[0, 0] = after[count, 0] = 0
    for size in range(count):
        for i in range(size + 1):
            own, mirrored = values[i, size], values[count - 1 - size, count - 1 - i]
            for k in range(min(i, clusters - 1) + 1):
                if own < FAR and before[i, k] < FAR:
                    before[size + 1, k + 1] = min(before[size + 1, k + 1], before[i, k] + own)
                if mirrored < FAR and after[count - i, k] < FAR:
                    total = after[count - i, k] + mirrored
                    after[count - 1 - size, k + 1] = min(after[count - 1 - size, k + 1], total)
    return before, after


@compiled
def drop_heavy(
    stages: Stages, first: int, least: int, useful: Flags, form: Ints, before: Ints, after: Ints
) -> bool:
    """Drop stages with which the form's sum is too large; whether there are any."""
    count, _, slots = useful.shape
    clusters = before.shape[1] - 1
    changed = False
    for i in range(count):
        for j in range(i, count):
            around = FAR
            for k in range(clusters):
                if before[i, k] < FAR and after[j + 1, clusters - 1 - k] < FAR:
                    around = min(around, before[i, k] + after[j + 1, clusters - 1 - k])
            for n in range(slots):
                if useful[i, j, n]:
                    own = value(stages, first + i, first + j, n, least, form)
                    if around == FAR or around + own > form[MOST]:
                        useful[i, j, n] = False
                        changed = True
    return changed


@compiled
def path_costs(costs: Ints, segments: int) -> tuple[Ints, Ints]:
    """[L+1,S+1] the least cost of the layers before, and from, each one, in at most S segments.

    Args:
        costs: [L,L] of a segment, FAR if there is none.
        segments: S; 0 if there may be any number.
    """
    count, used = costs.shape[0], min(segments, 1)
    before = np.full((count + 1, segments + 1), FAR, dtype=np.int64)
    after = np.full((count + 1, segments + 1), FAR, dtype=np.int64)
    before[0] = after[count] = 0
    for last in range(count):
        for first in range(last + 1):
            if costs[first, last] < FAR:
                for s in range(used, segments + 1):
                    total = before[first, s - used] + costs[first, last]
                    before[last + 1, s] = min(before[last + 1, s], total)
    for first in range(count - 1, -1, -1):
        for last in range(first, count):
            if costs[first, last] < FAR:
                for s in range(used, segments + 1):
                    total = after[last + 1, s - used] + costs[first, last]
                    after[first, s] = min(after[first, s], total)
    return before, after


@compiled
def other_costs(before: Ints, after: Ints, first: int, last: int) -> int:
    """The least cost of all layers outside first..last; FAR if no segments cover them."""
    segments = before.shape[1] - 1
    used = min(segments, 1)
    others = FAR
    for s in range(segments + 1 - used):
        if before[first, s] < FAR and after[last + 1, segments - used - s] < FAR:
            others = min(others, before[first, s] + after[last + 1, segments - used - s])
    return others


@compiled
def all_other_costs(before: Ints, after: Ints) -> Ints:
    """[L,L] `other_costs` of every segment."""
    count = before.shape[0] - 1
    others = np.full((count, count), FAR, dtype=np.int64)
    for first in range(count):
        for last in range(first, count):
            others[first, last] = other_costs(before, after, first, last)
    return others


@compiled
def path_of(costs: Ints, before: Ints) -> Ints:
    """[.,2] first and last layers of the segments of a cheapest path; there must be one."""
    count, segments = before.shape[0] - 1, before.shape[1] - 1
    used = min(segments, 1)
    path = np.empty((count, 2), dtype=np.int64)
    end, last, s = 0, count - 1, segments
    while last >= 0:
        for first in range(last + 1):
            total = before[first, s - used] + costs[first, last]
            if total == before[last + 1, s]:
                path[end] = first, last
                break
        end, last, s = end + 1, path[end, 0] - 1, s - used
    return path[:end][::-1]
