"""Scope's search as a whole: its segments, what its steps may do, and how near it comes."""

import itertools
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heuristics.scope import SCOPE, WIDE, Steps, scope, scope_plus, search
from heuristics.scope.candidates import UNKNOWN, Candidates, ends_from
from heuristics.scope.path import KNOWN_ONLY, from_start, path_to_end, promising, to_end
from instances.generate import random_instance
from instances.instance import Instance
from instances.stages import FAR
from schedules.progress import Progress
from schedules.schedule import Schedule
from solvers.solve import solve

seeds = st.integers(0, 10**6)


@given(layers=st.integers(1, 300), resolution=st.sampled_from([1, 2, 16, 128]))
def test_every_layer_can_be_a_segment_and_any_segment_can_end_the_network(
    layers: int, resolution: int
) -> None:
    for first in range(layers):
        ends = ends_from(first, layers, resolution).tolist()
        assert ends == sorted(set(ends))
        assert (ends[0], ends[-1]) == (first + 1, layers)


def test_resolution_0_leaves_the_whole_network() -> None:
    assert [ends_from(first, 4, 0).tolist() for first in range(4)] == [[4], [], [], []]


@pytest.mark.parametrize("resolution", [8, 128])
def test_segments_up_to_the_resolution_may_begin_and_end_anywhere(resolution: int) -> None:
    for first in range(0, 1000 - resolution, 7):
        ends = ends_from(first, 1000, resolution).tolist()
        assert ends[:resolution] == list(range(first + 1, first + resolution + 1))


def test_the_number_of_candidates_grows_about_linearly() -> None:
    numbers = [
        sum(len(ends_from(first, layers, 16)) for first in range(layers))
        for layers in (1024, 2048, 4096)
    ]
    assert numbers[1] < 2.3 * numbers[0]
    assert numbers[2] < 2.3 * numbers[1]


def some_candidates(layers: int, seed: int) -> Candidates:
    """All segments of a few layers with random costs and guesses, some of them unknown."""
    draw = Random(seed)
    pairs = [(s, e) for s in range(layers) for e in range(s, layers)]
    first, last = (np.array(column) for column in zip(*pairs, strict=True))
    begin = np.searchsorted(first, np.arange(layers + 1))
    guesses = np.array([draw.choice([FAR, *range(5, 60)]) for _ in pairs])
    costs = np.array([draw.choice([UNKNOWN, FAR, draw.randrange(1, 90)]) for _ in pairs])
    zeros = np.zeros(len(pairs), dtype=np.int64)
    return Candidates(begin, first, last, zeros, guesses, costs, zeros, zeros)


def paths(layers: int) -> list[list[tuple[int, int]]]:
    """All ways to cut the layers into segments."""
    found = []
    for cuts in itertools.product([False, True], repeat=layers - 1):
        edges = [0, *(k + 1 for k, cut in enumerate(cuts) if cut), layers]
        found.append([(a, b - 1) for a, b in itertools.pairwise(edges)])
    return found


@settings(max_examples=60)
@given(seed=seeds, percent=st.sampled_from([KNOWN_ONLY, 90, 100]))
def test_the_path_is_the_cheapest_of_all(seed: int, percent: int) -> None:
    found = some_candidates(5, seed)
    loads = np.array([0, 3, 3, 10, 11, 20])
    price = {}
    for at, pair in enumerate(zip(found.first.tolist(), found.last.tolist(), strict=True)):
        price[pair] = int(found.costs[at])
        if price[pair] == UNKNOWN:
            guess = int(found.guesses[at])
            known = percent != KNOWN_ONLY and guess < FAR
            price[pair] = guess * percent // 100 if known else FAR
    totals = [
        sum(price[pair] for pair in path) + 20
        for path in paths(5)
        if all(price[pair] < FAR for pair in path)
    ]
    distance, by = from_start(found, loads, percent)
    assert distance[-1] == min(totals, default=FAR)
    assert to_end(found, loads, percent)[0] == distance[-1]
    if totals:
        chosen = path_to_end(found, by)
        pairs = [(int(found.first[at]), int(found.last[at])) for at in chosen]
        assert sum(price[pair] for pair in pairs) + 20 == distance[-1]


@settings(max_examples=60)
@given(seed=seeds)
def test_nothing_promises_only_if_every_better_path_is_known(seed: int) -> None:
    found = some_candidates(5, seed)
    loads = np.zeros(6, dtype=np.int64)
    incumbent = int(from_start(found, loads, KNOWN_ONLY)[0][-1])
    chosen, below = promising(found, loads, 100, incumbent)
    assert (len(chosen) == 0) == (int(from_start(found, loads, 100)[0][-1]) >= incumbent)
    assert (found.costs[chosen] == UNKNOWN).all()
    assert (found.guesses[chosen] < below).all()


def found_by(instance: Instance, steps: Steps) -> Schedule | None:
    """What a search with these steps offers."""
    progress = Progress(instance)
    assert search(instance, progress, 1, steps) == "finished"
    return progress.best


@pytest.mark.parametrize("seed", range(20))
def test_scope_finds_a_schedule_wherever_there_is_one(seed: int) -> None:
    instance = random_instance(seed, layers=6, chiplets=5, memory="tight")
    progress = Progress(instance)
    assert scope(instance, progress, 0, 1) == "finished"
    assert (progress.best is None) == (solve(instance, "exact").stop == "infeasible")


def test_scope_and_scope_plus_come_near_the_optimum_of_random_instances() -> None:
    gaps: dict[str, list[float]] = {"scope": [], "scope+": []}
    for seed in range(60):
        instance = random_instance(seed, layers=8, chiplets=8, memory="tight")
        optimum = solve(instance, "exact").objective
        for method, own in gaps.items():
            objective = solve(instance, method).objective
            assert (objective is None) == (optimum is None)
            if optimum is not None and objective is not None:
                assert objective >= optimum
                own.append(objective / optimum - 1)
    assert len(gaps["scope"]) > 20
    assert np.mean(gaps["scope"]) < 0.03
    assert np.mean(gaps["scope+"]) < 0.01
    assert np.mean(gaps["scope+"]) <= np.mean(gaps["scope"])


@pytest.mark.parametrize("seed", range(10))
def test_scope_plus_is_never_worse_than_scope(seed: int) -> None:
    instance = random_instance(seed, layers=12, chiplets=9, memory="loose")
    narrow, wide = solve(instance, "scope").objective, solve(instance, "scope+").objective
    assert narrow is not None
    assert wide is not None
    assert wide <= narrow


def test_each_step_can_be_held_back() -> None:
    instance = random_instance(5, layers=9, chiplets=12, options=3, memory="loose")
    single = found_by(instance, Steps(longest=1))
    assert single is not None
    assert {c.last - c.first for s in single.segments for c in s.clusters} == {0}
    even = found_by(instance, Steps(even=True))
    assert even is not None
    assert all(len({c.chiplets for c in s.clusters}) == 1 for s in even.segments)
    whole = found_by(instance, Steps(resolution=0))
    assert whole is not None
    assert len(whole.segments) == 1
    only = found_by(instance, Steps(only="WSP"))
    assert only is not None
    options = {o for s in only.segments if not s.tiled for c in s.clusters for o in c.options}
    assert options == {"WSP"}


@pytest.mark.parametrize("steps", [SCOPE, WIDE])
def test_workers_do_not_change_the_schedule(steps: Steps) -> None:
    instance = random_instance(8, layers=40, chiplets=9)
    one, three = Progress(instance), Progress(instance)
    search(instance, one, 1, steps)
    search(instance, three, 3, steps)
    assert one.best == three.best


@pytest.mark.parametrize("method", [scope, scope_plus])
def test_scope_stops_at_its_time_limit_with_a_schedule(method: object) -> None:
    instance = random_instance(1, layers=40, chiplets=9, memory="loose")
    progress = Progress(instance, time_limit=1e-9)
    assert callable(method)
    assert method(instance, progress, 0, 1) == "time-limit"
    assert progress.best is not None
