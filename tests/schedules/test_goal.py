"""What a user asks of a schedule: each condition, kept and broken."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from instances.generate import random_instance
from instances.instance import Instance
from schedules.evaluate import evaluate
from schedules.goal import (
    Goal,
    Pin,
    Weights,
    breaches,
    hold,
    latency_cap_for,
    restricted,
)
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations

RandomGoal = Callable[[Instance, int], Goal]

I, W = "ISP", "WSP"  # noqa: E741

APART = Schedule((Segment((Cluster(0, 0, 2, (W,)),)), Segment((Cluster(1, 1, 3, (I,)),))))
PIPELINE = Schedule((Segment((Cluster(0, 0, 1, (W,)), Cluster(1, 1, 2, (I,)))),))
MERGED = Schedule((Segment((Cluster(0, 1, 3, (W, I)),)),))
TILED = Schedule(
    (Segment((Cluster(0, 0, 3, (I,)),), tiled=True), Segment((Cluster(1, 1, 1, (I,)),)))
)
"""Ways to run the two layers of the example, the first of which can be tiled."""


@pytest.fixture
def pair(example: Instance) -> Instance:
    """The example with energies, and with a tile of its first layer that fits."""
    tables = example.tables
    energy = replace(tables.energy, entry=np.full_like(tables.entry, 5), leakage=2)
    return replace(example, tables=replace(tables, alone=np.array([30, -1]), energy=energy))


def sentence(instance: Instance, schedule: Schedule, goal: Goal) -> str:
    """The only breach."""
    (found,) = breaches(instance, schedule, goal)
    return found


# --- conditions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", [APART, PIPELINE, MERGED, TILED])
def test_caps_hold_to_the_last_cycle_and_picojoule(pair: Instance, schedule: Schedule) -> None:
    costs = evaluate(pair, schedule)
    cycles, energy = costs.latency, costs.energy
    assert breaches(pair, schedule, Goal(latency_cap=cycles, energy_cap=energy)) == []
    assert (
        sentence(pair, schedule, Goal(latency_cap=cycles - 1))
        == f"the latency of {cycles:,} cycles exceeds the cap of {cycles - 1:,}"
    )
    assert (
        sentence(pair, schedule, Goal(energy_cap=energy - 1))
        == f"the energy of {energy:,} pJ exceeds the cap of {energy - 1:,}"
    )


@pytest.mark.parametrize(
    ("schedule", "kept", "broken", "text"),
    [
        (APART, Goal(segments=2), Goal(segments=1), "the schedule has 2 segments, at most 1 may"),
        (PIPELINE, Goal(clusters=2), Goal(clusters=1), "segment 0 has 2 clusters, at most 1 may"),
        (PIPELINE, Goal(chiplets=3), Goal(chiplets=2), "segment 0 uses 3 chiplets, at most 2 may"),
        (APART, Goal(chiplets=3), Goal(chiplets=2), "segment 1 uses 3 chiplets, at most 2 may"),
        (TILED, Goal(chiplets=3), Goal(chiplets=2), "segment 0 uses 3 chiplets, at most 2 may"),
    ],
)
def test_limits_say_where_and_by_how_much_they_are_broken(
    pair: Instance, schedule: Schedule, kept: Goal, broken: Goal, text: str
) -> None:
    assert breaches(pair, schedule, kept) == []
    assert text in sentence(pair, schedule, broken)


@pytest.mark.parametrize(
    ("schedule", "kept", "broken", "text"),
    [
        (APART, Pin(1, segment=True), Pin(1, segment=False), "not to start a segment, but does"),
        (PIPELINE, Pin(1, segment=False), Pin(1, segment=True), "to start a segment, but does not"),
        (PIPELINE, Pin(1, cluster=True), Pin(1, cluster=False), "not to start a cluster, but does"),
        (MERGED, Pin(1, cluster=False), Pin(1, cluster=True), "to start a cluster, but does not"),
        (APART, Pin(0, tiled=False), Pin(0, tiled=True), "to be tiled, but is not"),
        (TILED, Pin(0, tiled=True), Pin(0, tiled=False), "not to be tiled, but is"),
        (TILED, Pin(0, chiplets=3), Pin(0, chiplets=1), "to 1 chiplet, but runs on 3"),
        (PIPELINE, Pin(1, chiplets=2), Pin(1, chiplets=1), "to 1 chiplet, but runs on 2"),
        (MERGED, Pin(1, option=I), Pin(1, option=W), "to option WSP, but runs with ISP"),
    ],
)
def test_pins_are_kept_or_broken(
    pair: Instance, schedule: Schedule, kept: Pin, broken: Pin, text: str
) -> None:
    assert breaches(pair, schedule, Goal(pins=(kept,))) == []
    name = "ab"[broken.layer]
    assert sentence(pair, schedule, Goal(pins=(broken,))) == f"layer {name} is pinned {text}"


def test_a_tiled_layer_has_no_option(pair: Instance) -> None:
    """Not even the one that its cluster names."""
    found = sentence(pair, TILED, Goal(pins=(Pin(0, option=I),)))
    assert found == "layer a is pinned to option ISP, but is tiled, which has no option"


def test_one_of_a_thing_is_no_plural(pair: Instance) -> None:
    """A limit below 1 is refused by `check`, and breached in words that still read well."""
    assert "has 1 segment, at most 0 may be" in sentence(pair, MERGED, Goal(segments=0))
    assert "has 1 cluster, at most 0 may be" in sentence(pair, MERGED, Goal(clusters=0))


# --- part held fixed -----------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", [APART, PIPELINE, MERGED, TILED])
def test_what_is_held_allows_the_schedule_itself(pair: Instance, schedule: Schedule) -> None:
    for first, last in [(0, 0), (0, 1), (1, 1)]:
        assert breaches(pair, schedule, Goal(pins=hold(schedule, first, last))) == []


@pytest.mark.parametrize(
    ("held", "other"), list(itertools.permutations([APART, PIPELINE, MERGED, TILED], 2))
)
def test_a_whole_schedule_held_allows_no_other(
    pair: Instance, held: Schedule, other: Schedule
) -> None:
    assert breaches(pair, other, Goal(pins=hold(held, 0, 1)))


def test_a_part_held_leaves_the_rest_free_but_for_the_border(pair: Instance) -> None:
    goal = Goal(pins=hold(PIPELINE, 0, 0))
    wider = Schedule((Segment((Cluster(0, 0, 1, (W,)), Cluster(1, 1, 1, (W,)))),))
    assert breaches(pair, wider, goal) == []
    cut = Schedule((Segment((Cluster(0, 0, 1, (W,)),)), Segment((Cluster(1, 1, 1, (W,)),))))
    assert breaches(pair, cut, goal)


# --- the masks and the restricted instance, against breaches -------------------------------------


def all_schedules(instance: Instance) -> Iterator[Schedule]:
    """Every schedule of a tiny instance that may run."""
    tables = instance.tables
    count = len(tables.layers)
    for cuts in itertools.product((0, 1, 2), repeat=count - 1):
        clusters = _clusters(count, cuts)
        sizes = range(1, tables.chiplets + 1)
        for regions in itertools.product(sizes, repeat=len(clusters)):
            for options in itertools.product(tables.options, repeat=count):
                for tiled in itertools.product((False, True), repeat=cuts.count(2) + 1):
                    made = (
                        (Cluster(i, j, c, options[i : j + 1]), starts)
                        for (i, j, starts), c in zip(clusters, regions, strict=True)
                    )
                    schedule = _joined(made, tiled)
                    if not violations(instance, schedule):
                        yield schedule


def _clusters(count: int, cuts: tuple[int, ...]) -> list[tuple[int, int, bool]]:
    """(first, last, whether a segment begins); cut 1 separates clusters, cut 2 segments."""
    begins = [0, *(layer + 1 for layer, cut in enumerate(cuts) if cut)]
    kinds = [True, *(cut == 2 for cut in cuts if cut)]
    ends = [*(begin - 1 for begin in begins[1:]), count - 1]
    return list(zip(begins, ends, kinds, strict=True))


def _joined(clusters: Iterator[tuple[Cluster, bool]], tiled: tuple[bool, ...]) -> Schedule:
    parts: list[list[Cluster]] = []
    for cluster, starts in clusters:
        if starts:
            parts.append([])
        parts[-1].append(cluster)
    pairs = zip(parts, tiled, strict=True)
    return Schedule(tuple(Segment(tuple(part), is_tiled) for part, is_tiled in pairs))


def without_caps(goal: Goal) -> Goal:
    return replace(goal, latency_cap=None, energy_cap=None)


@pytest.mark.parametrize("seed", range(60))
def test_masks_limits_and_restricted_instance_together_are_the_goal(
    seed: int, random_goal: RandomGoal
) -> None:
    """A schedule obeys the goal exactly if it may run on what the method is left with."""
    instance = random_instance(seed % 12, layers=seed % 3 + 1, chiplets=2, options=2)
    goal = without_caps(random_goal(instance, seed))
    allowed = restricted(instance, goal)
    count = len(instance.tables.layers)
    clusters, segments = goal.allowed_clusters(count), goal.allowed_segments(count)
    for schedule in all_schedules(instance):
        left = (
            all(segments[s.first, s.last] for s in schedule.segments)
            and all(clusters[c.first, c.last] for s in schedule.segments for c in s.clusters)
            and len(schedule.segments) <= (goal.segments or count)
            and all(len(s.clusters) <= (goal.clusters or count) for s in schedule.segments)
            and violations(allowed, schedule) == []
        )
        assert left == (breaches(instance, schedule, goal) == []), (goal, schedule)
        if left:
            assert evaluate(allowed, schedule).edp == evaluate(instance, schedule).edp


def test_without_conditions_the_instance_itself_is_returned(pair: Instance) -> None:
    assert restricted(pair, Goal("energy", latency_cap=1, segments=1, clusters=1)) is pair
    assert restricted(pair, Goal(chiplets=3)) is pair


def test_fewer_chiplets_leave_no_tiled_segment(pair: Instance) -> None:
    tables = restricted(pair, Goal(chiplets=2)).tables
    assert tables.chiplets == 2
    assert tables.alone.tolist() == [-1, -1]


# --- objectives, checks, throughput --------------------------------------------------------------


def test_objectives_are_latency_energy_and_their_product(pair: Instance) -> None:
    costs = evaluate(pair, MERGED)
    assert Goal().value(costs) == costs.latency
    assert Goal("energy").value(costs) == costs.energy
    assert Goal("edp").value(costs) == costs.energy * costs.latency
    assert Goal().weights == Weights(1, 0)
    assert Goal("energy").weights.cost(costs) == costs.energy
    with pytest.raises(ValueError, match="no weighted sum"):
        _ = Goal("edp").weights


@pytest.mark.parametrize(
    ("goal", "constrained", "needs_energy"),
    [
        (Goal(), False, False),
        (Goal("energy"), False, True),
        (Goal("edp"), False, True),
        (Goal(energy_cap=9), True, True),
        (Goal(latency_cap=9), True, False),
        (Goal(pins=(Pin(0, segment=True),)), True, False),
    ],
)
def test_a_goal_knows_whether_it_has_conditions_and_asks_for_energy(
    goal: Goal, constrained: bool, needs_energy: bool
) -> None:
    assert goal.constrained is constrained
    assert goal.needs_energy is needs_energy


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"objective": "speed"}, "unknown objective 'speed': choose one of latency, energy, edp"),
        ({"segments": 0}, "a limit of 0 segments: at least 1"),
        ({"clusters": -1}, "a limit of -1 clusters"),
        ({"chiplets": 0}, "a limit of 0 chiplets"),
        ({"latency_cap": -1}, "latency cap -1 is negative"),
        ({"energy_cap": -5}, "energy cap -5 is negative"),
        ({"pins": (Pin(2, tiled=True),)}, "a pin on layer 2: there are layers 0 to 1"),
        ({"pins": (Pin(-1),)}, "a pin on layer -1"),
        ({"pins": (Pin(1, chiplets=4),)}, "layer b is pinned to 4 chiplets: the package has 3"),
        ({"pins": (Pin(0, chiplets=0),)}, "layer a is pinned to 0 chiplets"),
        ({"pins": (Pin(0, option="XSP"),)}, "pinned to option 'XSP': there are ISP, WSP"),
    ],
)
def test_what_has_no_meaning_is_refused(pair: Instance, asked: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        Goal(**asked).check(pair)


def test_what_has_a_meaning_passes_even_if_nothing_can_obey_it(pair: Instance) -> None:
    pins = (Pin(0, segment=False, tiled=True), Pin(1, chiplets=3, option=W))
    Goal("edp", latency_cap=0, energy_cap=0, segments=9, clusters=9, chiplets=9, pins=pins).check(
        pair
    )


@pytest.mark.parametrize("floor", [0.001, 1 / 3, 0.1, 7, Fraction(3, 7), Fraction(8, 229)])
def test_a_throughput_floor_is_the_largest_latency_that_reaches_it(
    example: Instance, floor: float | Fraction
) -> None:
    cap = latency_cap_for(example, floor)
    assert cap == 0 or Fraction(example.batch, cap) >= Fraction(floor)
    assert Fraction(example.batch, cap + 1) < Fraction(floor)


@pytest.mark.parametrize("floor", [0, -1, float("nan"), float("inf")])
def test_a_throughput_floor_must_be_a_positive_number(example: Instance, floor: float) -> None:
    with pytest.raises(ValueError, match="is not a positive number"):
        latency_cap_for(example, floor)


def test_a_suggestion_that_breaks_the_goal_is_left_out(pair: Instance) -> None:
    progress = Progress(pair, goal=Goal(segments=1))
    assert progress.suggest(APART) is False
    assert progress.best is None
    assert progress.suggest(MERGED) is True
    assert progress.best == MERGED
