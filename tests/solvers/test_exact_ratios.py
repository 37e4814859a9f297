"""The exact search with ratios, against plain enumeration of all schedules and all ratios."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heuristics.baselines import sequential
from instances.compression import Compression
from instances.cost import make_instance
from instances.cost.coders import compress
from instances.generate import Shape, random_instance
from instances.generate_ratios import Budget, random_ratios
from instances.instance import Instance
from instances.losses import LossTable
from instances.network import Layer, Network
from instances.packages import load_package
from schedules.goal import Goal, Objective
from schedules.progress import Progress, Stop
from schedules.schedule import Schedule
from schedules.verify import violations
from solvers.enumeration import enumerate_all
from solvers.exact import exact
from solvers.exact.ratios import clusters, exact_with_ratios, states
from solvers.solve import solve

seeds = st.integers(0, 10**6)


def optimum(instance: Instance) -> int | None:
    """What plain enumeration finds; None if there is no schedule."""
    progress = Progress(instance)
    enumerate_all(instance, progress, 0, 1)
    return progress.objective


def given_of(instance: Instance) -> Compression:
    assert instance.compression is not None
    return instance.compression


def searched(instance: Instance, progress: Progress) -> Stop:
    """The search alone, from the schedule that the progress has."""
    given = given_of(instance)
    return exact_with_ratios(instance, given, states.States(given, instance.layers), progress, 1)


def from_weak(instance: Instance, progress: Progress) -> Stop:
    """The search itself, from a schedule so weak that it has to find the best one alone."""
    begin = Progress(instance)
    sequential(instance, begin, 0, 1)
    assert begin.best is not None
    progress.offer(begin.best)
    return searched(instance, progress)


def proved(instance: Instance) -> tuple[int, Schedule]:
    """What the search proves from a weak schedule."""
    progress = Progress(instance)
    assert from_weak(instance, progress) == "optimal"
    assert progress.best is not None
    assert progress.objective is not None
    assert progress.bound == progress.objective
    assert violations(instance, progress.best) == []
    return progress.objective, progress.best


def small(seed: int, budget: Budget = "tight", shape: Shape | None = None) -> Instance:
    """Loose in memory, so that there is always a schedule."""
    plain = random_instance(
        seed, layers=2 + seed % 4, chiplets=2 + seed % 2, options=2, shape=shape, memory="loose"
    )
    return random_ratios(plain, seed, ratios=1 + seed % 2, budget=budget)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("shape", ["chain", "dag"])
@pytest.mark.parametrize("budget", ["zero", "tight", "loose"])
def test_it_finds_the_optimum_from_a_weak_schedule(seed: int, shape: Shape, budget: Budget) -> None:
    instance = small(seed, budget, shape)
    assert proved(instance)[0] == optimum(instance)


@pytest.mark.parametrize("seed", range(20))
def test_it_answers_as_enumeration_does_where_memory_is_tight(seed: int) -> None:
    plain = random_instance(seed, layers=2 + seed % 3, chiplets=3, options=2, memory="tight")
    instance = random_ratios(plain, seed, ratios=2, budget="tight")
    progress = Progress(instance)
    stop = exact(instance, progress, 0, 1)
    expected = optimum(instance)
    assert stop == ("infeasible" if expected is None else "optimal")
    assert progress.objective == expected


def test_bounds_of_clusters_are_sharpened_where_labels_were_merged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missed = []
    reaches = clusters.Clusters.reaches

    def noted(self: clusters.Clusters, arc: int, chiplets: int, beat: int) -> bool:
        met = reaches(self, arc, chiplets, beat)
        missed.append(not met)
        return met

    monkeypatch.setattr(clusters, "CAP", 2)
    monkeypatch.setattr(clusters.Clusters, "reaches", noted)
    for seed in (55, 164, 363):
        plain = random_instance(seed, layers=5, chiplets=2, options=3, memory="tight")
        instance = random_ratios(plain, seed, ratios=1, budget="loose")
        assert proved(instance)[0] == optimum(instance)
    assert sum(missed) > 0


def test_a_beat_is_found_whose_bound_lies_below_that_of_the_segment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A merged label says less of the only cluster than what is known of the segment's beat."""
    monkeypatch.setattr(clusters, "CAP", 2)
    plain = random_instance(20643, layers=5, chiplets=3, options=2, memory="tight")
    instance = random_ratios(plain, 20643, ratios=2, budget="tight")
    assert proved(instance)[0] == optimum(instance)


class Stopping(Progress):
    """Its time is over when it was asked so many times."""

    def __init__(self, instance: Instance, most: int) -> None:
        super().__init__(instance)
        self.most = most

    @property
    def expired(self) -> bool:
        """Whether that many questions were asked."""
        self.most -= 1
        return self.most < 0


@pytest.mark.parametrize("seed", range(2, 8))
def test_a_bound_is_valid_whenever_time_runs_out(seed: int) -> None:
    instance = small(seed)
    best = optimum(instance)
    assert best is not None
    stops = set()
    for most in (1, 2, 4, 8, 16, 32, 64, 10**6):
        progress = Stopping(instance, most)
        stops.add(from_weak(instance, progress))
        assert progress.objective is not None
        assert progress.objective >= best
        assert progress.bound is None or progress.bound <= best
    assert stops == {"time-limit", "optimal"}


def test_a_time_limit_leaves_a_schedule_and_a_valid_bound() -> None:
    instance = small(3)
    progress = Progress(instance, 1e-9)
    sequential(instance, progress, 0, 1)
    assert searched(instance, progress) == "time-limit"
    assert progress.best is not None


def test_what_lies_beyond_its_limits_is_refused_before_the_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instance = small(3, "loose", "dag")
    with monkeypatch.context() as patch:
        patch.setattr(states, "MOST", 1)
        with pytest.raises(
            ValueError, match=r"combinations of ratios where .* at most 1 are"
        ) as at:
            solve(instance, "exact")
        assert "let fewer tensors be compressed, or by fewer ratios" in str(at.value)
    monkeypatch.setattr(clusters, "MOST", 3)
    with pytest.raises(ValueError, match=r"more than 3 clusters .*: let fewer tensors"):
        solve(instance, "exact")


@pytest.mark.parametrize("objective", ["energy", "edp"])
def test_other_goals_are_refused_and_it_is_said_who_takes_them(objective: Objective) -> None:
    for goal in (Goal(objective), Goal(segments=1)):
        with pytest.raises(ValueError, match=r"'exact' chooses .* use cpsat or milp for other"):
            solve(small(3), "exact", goal=goal)


@settings(max_examples=12)
@given(seeds)
def test_more_budget_and_more_ratios_are_never_worse(seed: int) -> None:
    instance = random_ratios(
        random_instance(seed, layers=4, chiplets=3, options=2, memory="loose"),
        seed,
        ratios=2,
        budget="loose",
    )
    own = given_of(instance)
    less = replace(instance, compression=own.within(own.budget // 3))
    losses = own.losses.copy()
    losses[:, -1] = -1
    fewer = replace(instance, compression=replace(own, losses=losses))
    best = proved(instance)[0]
    assert best <= proved(less)[0]
    assert best <= proved(fewer)[0]


@pytest.mark.parametrize("seed", [1, 6, 7, 13, 14, 18])
def test_what_a_tiled_layer_reads_and_makes_is_not_compressed(seed: int) -> None:
    plain = random_instance(seed, layers=5, chiplets=3, options=2, memory="tight")
    instance = random_ratios(plain, seed, ratios=1, budget="loose")
    value, schedule = proved(instance)
    assert value == optimum(instance)
    tiled = {segment.first for segment in schedule.segments if segment.tiled}
    assert tiled
    assert schedule.ratios
    for producer, readers in enumerate(given_of(instance).readers):
        if tiled & {producer, *readers}:
            assert schedule.ratios[producer] == 1


@settings(max_examples=6)
@given(st.lists(st.integers(1, 40), min_size=2, max_size=3, unique=True))
def test_more_bandwidth_between_chiplets_is_never_worse(bandwidths: list[int]) -> None:
    values = [proved(on_package(gigabytes))[0] for gigabytes in sorted(bandwidths)]
    assert values == sorted(values, reverse=True)


def test_compression_pays_where_bandwidth_is_low_and_not_where_it_is_high() -> None:
    found = [proved(on_package(gigabytes))[1].ratios for gigabytes in (1, 2, 32)]
    assert [max(ratios, default=1) for ratios in found] == [8, 8, 1]


def on_package(gigabytes: int) -> Instance:
    """Four convolutions, too large for one stage, on two chiplets; the bandwidth is a second's."""
    shape = (64, 16, 16)
    layers = tuple(
        Layer(name, "conv", 64, 64, (16, 16), (3, 3), inputs=(before,), outputs=((name, shape),))
        for before, name in pairwise(("in", "a", "b", "c", "d"))
    )
    simba = load_package("simba-4x4")
    package = replace(
        simba,
        mesh=(2, 1),
        overlap=False,
        chiplet=replace(simba.chiplet, buffer_bytes=120_000),
        nop=replace(simba.nop, bandwidth=gigabytes * 10**9),
        dram=replace(simba.dram, bandwidth=10**9),
    )
    plain = make_instance(Network("wide", (("in", shape),), layers), package, 8)
    return compress(plain, LossTable({"*": {4: 0.01, 8: 0.02}}), 0.03)
