"""The exact program and its parts, against plain enumeration."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.generate import random_instance
from instances.instance import Instance
from instances.tables import Ints
from schedules.evaluate import cluster_cost, cluster_memory, latency
from schedules.goal import Goal
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations
from solvers.enumeration import enumerate_all
from solvers.exact import exact, segmented, stages
from solvers.exact.labels import FAR, Column, fastest
from solvers.exact.paths import shortest_paths, shortest_within
from solvers.exact.search import beat_grid
from solvers.exact.segments import NEVER, clusters_at, fewest_clusters, settle
from solvers.exact.stages import Stages

seeds = st.integers(0, 10**6)


def optimum(instance: Instance) -> int | None:
    """The latency that plain enumeration finds."""
    progress = Progress(instance)
    enumerate_all(instance, progress, 0, 1)
    return progress.objective


def true_time(instance: Instance, first: int, last: int, chiplets: int) -> int:
    """The fastest options of one cluster by trying them all; FAR if none fits."""
    tables = instance.tables
    times = [FAR]
    for options in itertools.product(tables.options, repeat=last - first + 1):
        cluster = Cluster(first, last, chiplets, options)
        if cluster_memory(tables, cluster) <= tables.capacity:
            times.append(cluster_cost(tables, cluster).time)
    return min(times)


def all_stages(instance: Instance) -> Stages:
    count = len(instance.tables.layers)
    everything = Goal().allowed_clusters(count)
    return Stages(instance, count, FAR - 1, everything, Progress(instance), 1)


def test_the_example_has_optimum_229(example: Instance) -> None:
    progress = Progress(example)
    assert exact(example, progress, 0, 1) == "optimal"
    assert progress.objective == progress.bound == 229


@settings(max_examples=60)
@given(seed=seeds, cap=st.sampled_from([2, 3]))
def test_merged_labels_never_cost_the_optimum(seed: int, cap: int) -> None:
    """With a tiny cap nearly all stage times are bounds that the search must sharpen."""
    instance = random_instance(seed, layers=5, memory="tight")
    progress = Progress(instance)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "CAP", cap)
        stop = exact(instance, progress, 0, 1)
    assert progress.objective == optimum(instance)
    assert stop == ("optimal" if progress.objective is not None else "infeasible")
    assert progress.objective is None or progress.bound == progress.objective


@settings(max_examples=40)
@given(seed=seeds, cap=st.sampled_from([2, 64]))
def test_stage_bounds_enclose_the_true_times(seed: int, cap: int) -> None:
    instance = random_instance(seed, layers=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "CAP", cap)
        found = all_stages(instance)
    for first, last in itertools.combinations_with_replacement(range(4), 2):
        best = FAR
        for c in range(instance.tables.chiplets):
            own = true_time(instance, first, last, c + 1)
            best = min(best, own)
            assert found.times[first, last, c] <= best
            assert found.reached[first, last, c] >= own
            if cap == 64:
                assert found.times[first, last, c] == best


@settings(max_examples=40)
@given(seed=seeds, slack=st.integers(-3, 3))
def test_a_cluster_is_said_to_reach_a_beat_exactly_when_it_does(seed: int, slack: int) -> None:
    instance = random_instance(seed, layers=4, memory="tight")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "CAP", 2)
        found = all_stages(instance)
    for first, last in itertools.combinations_with_replacement(range(4), 2):
        for c in range(1, instance.tables.chiplets + 1):
            own = true_time(instance, first, last, c)
            beat = 50 if own == FAR else max(0, own + slack)
            assert found.reaches(first, last, c, beat) == (own <= beat)
            if own <= beat:
                cluster = found.cluster(first, last, c)
                assert cluster_cost(instance.tables, cluster).time <= beat
                assert cluster_memory(instance.tables, cluster) <= instance.tables.capacity


def numbers(high: int) -> st.SearchStrategy[int]:
    return st.integers(0, high)


@settings(max_examples=200)
@given(data=st.data(), layers=st.integers(1, 5), options=st.integers(1, 3))
def test_label_setting_finds_the_fastest_choice_that_fits(
    data: st.DataObject, layers: int, options: int
) -> None:
    def draw(*shape: int) -> Ints:
        size = int(np.prod(shape))
        drawn = data.draw(st.lists(numbers(30), min_size=size, max_size=size))
        return np.array(drawn, dtype=np.int64).reshape(shape)

    entry, steps, exits = draw(options), draw(layers, options, options), draw(options)
    resident, momentary = draw(layers, options), draw(layers, options)
    capacity = data.draw(numbers(100))
    known = data.draw(st.one_of(st.just(FAR), numbers(150)))
    best = FAR
    for choice in itertools.product(range(options), repeat=layers):
        kept = sum(resident[k, o] for k, o in enumerate(choice))
        if kept + max(momentary[k, o] for k, o in enumerate(choice)) > capacity:
            continue
        time = entry[choice[0]] + exits[choice[-1]]
        time += sum(steps[k, choice[k - 1], choice[k]] for k in range(1, layers))
        best = min(best, int(time))
    time, chosen = fastest(Column(entry, steps, exits, resident, momentary, capacity), known)
    assert time == (best if best < known else FAR)
    assert len(chosen) == (layers if best < known else 0)


def falling_times(seed: int, layers: int, chiplets: int) -> Ints:
    """Random stage times, non-increasing in chiplets, some of them FAR."""
    random = np.random.default_rng(seed)
    times = random.integers(1, 60, size=(layers, layers, chiplets))
    times = np.minimum.accumulate(times, axis=2)
    return np.where(random.random(times.shape[:2])[:, :, None] < 0.1, FAR, times)


def ways(times: Ints, first: int, last: int, beat: int) -> dict[int, int]:
    """Fewest chiplets for each number of clusters, over all cuts of first..last."""
    found: dict[int, int] = {}
    inner = range(first + 1, last + 1)
    for size in range(len(inner) + 1):
        for cuts in itertools.combinations(inner, size):
            begins = [first, *cuts]
            ends = [*(cut - 1 for cut in cuts), last]
            needs = [int((times[i, j] > beat).sum()) + 1 for i, j in zip(begins, ends, strict=True)]
            if max(needs) <= times.shape[2]:
                found[size + 1] = min(found.get(size + 1, NEVER), sum(needs))
    return {clusters: need for clusters, need in found.items() if need <= times.shape[2]}


@settings(max_examples=60)
@given(seed=seeds, beat=st.integers(1, 60), chiplets=st.integers(1, 6))
def test_fewest_clusters_and_their_regions_match_all_cuts(
    seed: int, beat: int, chiplets: int
) -> None:
    times = falling_times(seed, 5, chiplets)
    counts = fewest_clusters(times, beat)
    for first, last in itertools.combinations_with_replacement(range(5), 2):
        possible = ways(times, first, last, beat)
        assert counts[first, last] == min(possible, default=NEVER)
        if possible:
            parts = clusters_at(first, last, times, beat, min(possible)).tolist()
            assert [i for i, _, _ in parts] == [first, *(j + 1 for _, j, _ in parts[:-1])]
            assert parts[-1][1] == last
            assert sum(c for _, _, c in parts) <= chiplets
            assert all(times[i, j, c - 1] <= beat for i, j, c in parts)


@settings(max_examples=60)
@given(
    seed=seeds,
    batch=st.integers(1, 9),
    most=st.sampled_from([60, 200, 10**6]),
    depth=st.integers(1, 5),
)
def test_settling_a_segment_finds_its_cheapest_beat_and_clusters(
    seed: int, batch: int, most: int, depth: int
) -> None:
    times = falling_times(seed, 5, 4)
    costs = [
        (batch + clusters - 1) * beat
        for beat in range(61)
        for clusters in ways(times, 0, 4, beat)
        if clusters <= depth
    ]
    best = min(costs, default=FAR)
    cost, clusters, beat = settle(0, 4, times, batch, 0, most, depth)
    assert (clusters > 0) == (best <= most)
    if clusters:
        assert clusters <= depth
        assert cost == best == (batch + clusters - 1) * beat


def test_the_grid_of_beats_ends_at_the_largest_stage_time() -> None:
    times = np.array([[[70, 30, 7]], [[FAR, FAR, 12]]], dtype=np.int64)
    grid = beat_grid(times)
    assert grid[0] == 7
    assert grid[-1] == 70
    assert np.all(np.diff(grid) > 0)


def test_the_shortest_path_takes_the_cheapest_segments() -> None:
    costs = np.array([[5, 7, 20], [FAR, 6, 6], [FAR, FAR, 4]], dtype=np.int64)
    reach, onward, starts = shortest_paths(costs)
    assert reach.tolist() == [0, 5, 7, 11]
    assert onward.tolist() == [11, 6, 4, 0]
    assert starts.tolist() in ([0, 0, 1], [0, 0, 2])


def test_layers_that_no_segment_holds_are_out_of_reach() -> None:
    reach, onward, starts = shortest_paths(np.array([[5, FAR], [FAR, FAR]], dtype=np.int64))
    assert (reach[2], onward[0], starts[1]) == (FAR, FAR, -1)


@settings(max_examples=60)
@given(seed=seeds, most=st.integers(1, 6))
def test_the_shortest_path_of_few_segments_is_the_best_of_all_cuts(seed: int, most: int) -> None:
    random = np.random.default_rng(seed)
    costs = random.integers(0, 50, size=(6, 6))
    costs[random.random((6, 6)) < 0.3] = FAR
    totals = [FAR]
    for size in range(most):
        for cuts in itertools.combinations(range(1, 6), size):
            parts = zip([0, *cuts], [*(cut - 1 for cut in cuts), 5], strict=True)
            totals.append(min(FAR, sum(int(costs[part]) for part in parts)))
    length, path = shortest_within(costs, most)
    assert length == min(totals)
    assert len(path) <= most
    if length < FAR:
        assert sum(int(costs[first, last]) for first, last in path) == length
        assert [layer for i, j in path.tolist() for layer in range(i, j + 1)] == list(range(6))


def single_layer_schedules(instance: Instance) -> list[Schedule]:
    """Every schedule without merged layers."""
    tables = instance.tables
    count, chiplets = len(tables.layers), tables.chiplets
    pieces: dict[int, list[tuple[int, Segment]]] = {first: [] for first in range(count)}
    for first in range(count):
        for last in range(first, count):
            size = last - first + 1
            for regions in itertools.product(range(1, chiplets + 1), repeat=size):
                if sum(regions) <= chiplets:
                    for options in itertools.product(tables.options, repeat=size):
                        clusters = tuple(
                            Cluster(layer, layer, c, (option,))
                            for layer, c, option in zip(
                                range(first, last + 1), regions, options, strict=True
                            )
                        )
                        pieces[first].append((last + 1, Segment(clusters)))
        whole = Cluster(first, first, chiplets, tables.options[:1])
        pieces[first].append((first + 1, Segment((whole,), tiled=True)))
    done: list[Schedule] = []
    todo: list[tuple[int, tuple[Segment, ...]]] = [(0, ())]
    while todo:
        begin, segments = todo.pop()
        if begin == count:
            done.append(Schedule(segments))
        else:
            todo += [(end, (*segments, segment)) for end, segment in pieces[begin]]
    return done


@pytest.mark.parametrize("seed", range(25))
def test_segmented_is_the_best_schedule_without_merged_layers(seed: int) -> None:
    instance = random_instance(seed, layers=3, chiplets=3, options=2)
    valid = [s for s in single_layer_schedules(instance) if not violations(instance, s)]
    progress = Progress(instance)
    stop = segmented(instance, progress, 0, 1)
    assert stop == ("finished" if valid else "infeasible")
    assert progress.objective == min((latency(instance, s) for s in valid), default=None)
    assert progress.bound is None
    assert all(point.bound is None for point in progress.trace)


def test_a_time_limit_keeps_a_schedule_and_a_bound_below_it() -> None:
    instance = random_instance(7, layers=30, chiplets=40, options=3, memory="loose")
    progress = Progress(instance, time_limit=1e-9)
    assert exact(instance, progress, 0, 1) == "time-limit"
    assert progress.objective is not None
    assert progress.bound is None or progress.bound <= progress.objective


@pytest.mark.parametrize("seed", range(6))
def test_larger_instances_have_one_optimum_whatever_the_cap(seed: int) -> None:
    instance = random_instance(seed, layers=16, chiplets=12, memory="tight")
    answers = set()
    for cap in (4, 512):
        progress = Progress(instance)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stages, "CAP", cap)
            exact(instance, progress, 0, 2)
        answers.add(progress.objective)
    assert len(answers) == 1
