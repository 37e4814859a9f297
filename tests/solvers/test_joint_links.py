"""The best options where links are busy: against trying all, and of some clusters alone."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import combinations, product
from random import Random

import pytest

from instances.cost import make_instance
from instances.networks import build_network
from instances.packages import load_package
from schedules.evaluate import cluster_memory
from schedules.parallel import OutOfTimeError
from schedules.placed import placed_segment
from schedules.schedule import Segment
from solvers.joint.linked import Linked, Place, segment_of
from solvers.joint.segment import solver
from solvers.joint.times import Times

BASE = load_package("datacentre-3x3")
SLOW = replace(BASE, nop=replace(BASE.nop, bandwidth=BASE.nop.bandwidth // 64))
TIMES = Times(make_instance(build_network("alexnet"), SLOW, 64))


def drawn(seed: int, *borders: int) -> list[Place]:
    """Clusters between layers on disjoint regions."""
    draw, regions = Random(seed), TIMES.regions
    while True:
        chosen = draw.choices(range(len(regions.tiles)), k=len(borders) - 1)
        if regions.members[chosen].sum(axis=0).max() == 1:
            return [
                (first, end - 1, region)
                for first, end, region in zip(borders, borders[1:], chosen, strict=False)
            ]


def fits(segment: Segment) -> bool:
    costs, capacity = TIMES.instance.costs, TIMES.instance.capacity
    return all(cluster_memory(costs, own) <= capacity for own in segment.clusters)


@pytest.mark.parametrize("seed", range(6))
def test_the_least_beat_of_all_options_is_found(seed: int) -> None:
    places = drawn(seed, 2, 4, 5)
    least = min(
        placed_segment(TIMES.instance, segment).beat
        for a, b, c in product(range(3), repeat=3)
        if fits(segment := segment_of(TIMES, places, [[a, b], [c]]))
    )
    dram = placed_segment(TIMES.instance, segment_of(TIMES, places, [[0, 0], [0]])).dram
    beat, options = Linked(TIMES, places, solver(None, 0, 1)).best(range(2), dram, 10**9)
    assert beat == least
    assert placed_segment(TIMES.instance, segment_of(TIMES, places, options)).beat == least


@pytest.mark.parametrize("seed", range(4))
def test_some_clusters_never_need_a_longer_beat_than_with_others(seed: int) -> None:
    places = drawn(seed, 1, 2, 3, 5)
    linked = Linked(TIMES, places, solver(None, 0, 1))
    beats = {
        among: linked.best(among, 0, 10**9)[0]
        for size in (1, 2, 3)
        for among in combinations(range(3), size)
    }
    for fewer, more in product(beats, repeat=2):
        if set(fewer) <= set(more):
            assert beats[fewer] <= beats[more]


def test_culprits_are_few_and_reach_what_is_enough() -> None:
    places = drawn(1, 1, 2, 3, 5)
    linked = Linked(TIMES, places, solver(None, 0, 1))
    whole, _ = linked.best(range(3), 0, 10**9)
    every, beat = linked.culprits(whole, lambda clusters: whole + 1)
    assert (every, beat) == ((0, 1, 2), whole)
    few, beat = linked.culprits(whole, lambda clusters: 1)
    assert len(few) == 1
    assert beat == linked.best(few, 0, 10**9)[0]


def test_an_end_that_has_passed_is_an_error_and_no_answer() -> None:
    places = drawn(1, 1, 2, 3)
    linked = Linked(TIMES, places, solver(time.perf_counter(), 0, 1))
    with pytest.raises(OutOfTimeError):
        linked.best(range(2), 0, 10**9)
