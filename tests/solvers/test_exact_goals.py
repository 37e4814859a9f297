"""The exact program with objectives and side constraints, against plain enumeration."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from instances.generate import random_instance
from instances.instance import Instance
from instances.tables import LIMIT, EnergyTables, Ints
from schedules.evaluate import cluster_cost, cluster_memory, evaluate, segment_cost
from schedules.goal import OBJECTIVES, Goal, Objective, Pin, breaches
from schedules.parallel import OutOfTimeError
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations
from solvers.enumeration import enumerate_all
from solvers.exact import choices, exact, frontier
from solvers.exact.choices import cluster_of, make_columns
from solvers.exact.trade import Horizon

RandomGoal = Callable[[Instance, int], Goal]
MakeInstance = Callable[..., Instance]
Cost = tuple[int, int]


def best(instance: Instance, goal: Goal) -> Progress:
    """What plain enumeration finds."""
    progress = Progress(instance, goal=goal)
    enumerate_all(instance, progress, 0, 1)
    return progress


def pipelined(seed: int, **sizes: Any) -> Instance:
    """A random instance on which large regions are slow, so that pipelines pay."""
    instance = random_instance(seed, **sizes)
    tables = instance.tables
    hops = 8 * np.arange(tables.chiplets)
    slow = replace(
        tables,
        entry=tables.entry + hops,
        step=tables.step + hops,
        alone=np.where(tables.alone < 0, -1, tables.alone + 15),
    )
    return replace(instance, tables=slow)


def traded(seed: int, **sizes: Any) -> Instance:
    """The same with energies that have nothing to do with the times, so that they disagree."""
    instance = pipelined(seed, **sizes)
    tables, random = instance.tables, np.random.default_rng(seed)

    def drawn(table: Ints) -> Ints:
        return random.integers(0, 100, table.shape)

    energy = EnergyTables(
        entry=drawn(tables.entry),
        step=drawn(tables.step),
        exit=drawn(tables.exit),
        load=drawn(tables.load),
        io=np.triu(drawn(tables.io)),
        alone=drawn(tables.alone),
        leakage=int(random.integers(0, 3)),
    )
    return replace(instance, tables=replace(tables, energy=energy))


@pytest.mark.parametrize("seed", range(400))
def test_every_goal_is_proved_as_enumeration_says(seed: int, random_goal: RandomGoal) -> None:
    instance = (random_instance, pipelined, traded)[seed % 3](seed)
    goal = random_goal(instance, seed)
    expected = best(instance, goal).objective
    progress = Progress(instance, goal=goal)
    stop = exact(instance, progress, 0, 1)
    assert stop == ("infeasible" if expected is None else "optimal")
    assert progress.objective == expected
    if expected is not None:
        assert progress.bound == expected
        assert all(point.bound is None or point.bound <= expected for point in progress.trace)


SIDE_CONSTRAINTS: dict[str, Callable[[Instance, Schedule], Goal]] = {
    "latency cap": lambda i, s: Goal("energy", latency_cap=evaluate(i, s).latency - 1),
    "energy cap": lambda i, s: Goal(energy_cap=evaluate(i, s).energy - 1),
    "segments": lambda i, s: Goal(segments=len(s.segments) - 1),
    "clusters": lambda i, s: Goal(clusters=max(len(part.clusters) for part in s.segments) - 1),
    "chiplets": lambda i, s: Goal(
        chiplets=max(sum(c.chiplets for c in part.clusters) for part in s.segments) - 1
    ),
    "a segment begins": lambda i, s: Goal(pins=(Pin(s.segments[0].last, segment=True),)),
    "no segment begins": lambda i, s: Goal(pins=(Pin(s.segments[-1].first, segment=False),)),
    "a cluster begins": lambda i, s: Goal(
        pins=(Pin(s.segments[0].clusters[0].last, cluster=True),)
    ),
    "no cluster begins": lambda i, s: Goal(
        pins=(Pin(s.segments[-1].clusters[-1].first, cluster=False),)
    ),
    "tiled or not": lambda i, s: Goal(pins=(Pin(0, tiled=not s.segments[0].tiled),)),
    "region": lambda i, s: Goal(
        pins=(Pin(0, chiplets=first_cluster(s).chiplets % i.tables.chiplets + 1),)
    ),
    "option": lambda i, s: Goal(
        pins=(Pin(0, option=next(o for o in i.tables.options if o != first_cluster(s).options[0])),)
    ),
}
"""Goals that the given schedule breaks, wherever there is anything to break."""


def first_cluster(schedule: Schedule) -> Cluster:
    return schedule.segments[0].clusters[0]


@pytest.mark.parametrize("what", SIDE_CONSTRAINTS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_each_side_constraint_is_kept_where_it_costs_something(
    what: str, objective: Objective
) -> None:
    dearer = 0
    for seed in range(25):
        instance = pipelined(seed, layers=4, chiplets=3, options=2)
        free = best(instance, Goal(objective))
        if free.best is None or free.objective is None:
            continue
        goal = replace(SIDE_CONSTRAINTS[what](instance, free.best), objective=objective)
        if 0 in (goal.segments, goal.clusters, goal.chiplets):
            continue
        if not breaches(instance, free.best, goal):
            continue
        expected = best(instance, goal)
        progress = Progress(instance, goal=goal)
        stop = exact(instance, progress, 0, 1)
        assert progress.objective == expected.objective
        assert stop == ("infeasible" if expected.objective is None else "optimal")
        dearer += progress.objective is not None and progress.objective > free.objective
    never = (what, objective) in {("latency cap", "latency"), ("energy cap", "energy")}
    assert (dearer == 0) if never else (dearer >= 2)


def front_by_caps(instance: Instance, goal: Goal) -> list[Cost]:
    """The Pareto front, point by point, each by two enumerations."""
    points: list[Cost] = []
    cap = goal.latency_cap
    while True:
        frugal = best(instance, replace(goal, objective="energy", latency_cap=cap))
        if frugal.objective is None:
            return points[::-1]
        fast = best(
            instance,
            replace(goal, objective="latency", latency_cap=cap, energy_cap=frugal.objective),
        )
        assert fast.objective is not None
        points.append((fast.objective, frugal.objective))
        cap = fast.objective - 1


def costs(instance: Instance, schedules: list[Schedule]) -> list[Cost]:
    evaluations = [evaluate(instance, schedule) for schedule in schedules]
    return [(evaluation.latency, evaluation.energy) for evaluation in evaluations]


@pytest.mark.parametrize("seed", range(60))
def test_the_frontier_is_the_front_of_all_schedules(seed: int, random_goal: RandomGoal) -> None:
    instance = traded(seed, layers=seed % 4 + 1, chiplets=3)
    for goal in (Goal(), random_goal(instance, seed)):
        schedules = frontier(instance, goal)
        assert costs(instance, schedules) == front_by_caps(instance, goal)
        for schedule in schedules:
            assert violations(instance, schedule) == []
            assert breaches(instance, schedule, goal) == []


def test_the_compared_fronts_have_many_points() -> None:
    instances = [traded(seed, layers=4, chiplets=3) for seed in range(3, 60, 4)]
    sizes = [len(frontier(instance, Goal())) for instance in instances]
    assert max(sizes) >= 8
    assert sum(size > 2 for size in sizes) >= len(sizes) / 2


@pytest.mark.parametrize("seed", range(6))
def test_on_larger_instances_front_and_objectives_agree(seed: int) -> None:
    instance = traded(seed, layers=10, chiplets=8, memory="tight")
    front = costs(instance, frontier(instance, Goal()))
    values: dict[Objective, list[int]] = {
        "latency": [latency for latency, _ in front],
        "energy": [energy for _, energy in front],
        "edp": [latency * energy for latency, energy in front],
    }
    for objective in OBJECTIVES:
        progress = Progress(instance, goal=Goal(objective))
        exact(instance, progress, 0, 2)
        assert progress.objective == min(values[objective], default=None)


@pytest.mark.parametrize("seed", range(20))
def test_columns_are_the_undominated_choices_of_every_cluster(seed: int) -> None:
    instance = traded(seed, layers=4, chiplets=3)
    tables = instance.tables
    allowed = Goal().allowed_clusters(4)
    nothing = np.empty(0, dtype=np.int64)
    anything = Horizon(LIMIT, LIMIT, math.inf, nothing, nothing)
    columns = make_columns(instance, allowed, anything, Progress(instance), 1)
    for first, last in itertools.combinations_with_replacement(range(4), 2):
        begin, end = columns.ends[first, last : last + 2]
        found = [tuple(row) for row in columns.table[begin:end, :3].tolist()]
        assert sorted(found) == undominated(all_choices(instance, first, last))
        for row in columns.table[begin:end]:
            cluster = cluster_of(tables, row)
            cost = cluster_cost(tables, cluster)
            assert (cluster.chiplets, cost.time, cost.energy) == tuple(row[:3].tolist())
            assert cost.memory <= tables.capacity


def all_choices(instance: Instance, first: int, last: int) -> set[tuple[int, int, int]]:
    """(chiplets, time, energy) of every cluster first..last that fits."""
    tables = instance.tables
    found = set()
    for chiplets in range(1, tables.chiplets + 1):
        for options in itertools.product(tables.options, repeat=last - first + 1):
            cluster = Cluster(first, last, chiplets, options)
            if cluster_memory(tables, cluster) <= tables.capacity:
                cost = cluster_cost(tables, cluster)
                found.add((chiplets, cost.time, cost.energy))
    return found


def undominated(points: set[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    def worse(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
        return a != b and all(x >= y for x, y in zip(a, b, strict=True))

    return sorted(a for a in points if not any(worse(a, b) for b in points))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_time_limit_keeps_a_schedule_and_claims_nothing(objective: Objective) -> None:
    instance = random_instance(7, layers=20, chiplets=20, options=3, memory="loose")
    goal = Goal(objective, energy_cap=10**9)
    progress = Progress(instance, time_limit=1e-9, goal=goal)
    assert exact(instance, progress, 0, 1) == "time-limit"
    assert progress.objective is not None
    assert progress.bound is not None
    assert 0 < progress.bound < progress.objective
    with pytest.raises(OutOfTimeError):
        frontier(instance, goal, time_limit=1e-9)


def test_labels_stop_growing_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them would take half a minute."""
    monkeypatch.setattr(choices, "_refuse_large", lambda *_: None)
    instance = traded(7, layers=40, chiplets=24, options=3, memory="loose")
    progress = Progress(instance, time_limit=0.5, goal=Goal("edp"))
    assert exact(instance, progress, 0, 2) == "time-limit"
    assert progress.seconds < 5


def test_too_many_option_choices_are_refused_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instance = traded(7, layers=9, chiplets=6, options=3, memory="loose")
    monkeypatch.setattr(choices, "LABELS", 1000)
    sentence = (
        r"with energy, 'exact' is for smaller instances: 9 layers with 3 options on 6 chiplets"
        r" .* at most 1e\+03 are allowed; use 'cpsat' or 'milp'$"
    )
    with pytest.raises(ValueError, match=sentence):
        exact(instance, Progress(instance, goal=Goal("energy")), 0, 1)
    with pytest.raises(ValueError, match=sentence):
        frontier(instance, Goal())
    assert exact(instance, Progress(instance), 0, 1) == "optimal"


def test_an_interrupt_after_the_bounds_leaves_schedule_and_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    instance = pipelined(3, layers=5, chiplets=4, options=3, memory="loose")
    progress = Progress(instance, goal=Goal("edp"))
    with monkeypatch.context() as patch:
        patch.setattr("solvers.exact.bicriteria.Paths", interrupt)
        with pytest.raises(KeyboardInterrupt):
            exact(instance, progress, 0, 1)
    optimum = best(instance, Goal("edp")).objective
    assert optimum is not None
    assert progress.objective is not None
    assert progress.bound is not None
    assert progress.bound <= optimum <= progress.objective


def test_a_start_that_breaks_the_goal_is_no_answer(make_instance: MakeInstance) -> None:
    """Scope merges nothing here; the pin wants both layers in one cluster all the same."""
    instance = make_instance([[[5, 9]], [[5, 9]]], [[[[30, 30]]]], resident=40)
    progress = Progress(instance, goal=Goal(pins=(Pin(1, cluster=False),)))
    assert exact(instance, progress, 0, 1) == "optimal"
    assert progress.objective == 35


def test_a_tiled_segment_pays_its_energy_and_leakage(make_instance: MakeInstance) -> None:
    instance = make_instance([[[5]]], resident=101, alone=[7], load=[3], batch=4)
    energy = replace(instance.tables.energy, alone=np.array([11]), load=np.array([13]), leakage=2)
    instance = replace(instance, tables=replace(instance.tables, energy=energy))
    progress = Progress(instance, goal=Goal("edp"))
    assert exact(instance, progress, 0, 1) == "optimal"
    whole = Segment((Cluster(0, 0, 1, ("ISP",)),), tiled=True)
    assert progress.best == Schedule((whole,))
    time = 3 + 4 * 7
    assert segment_cost(instance, whole).time == time
    assert progress.objective == time * (13 + 4 * 11 + 2 * time)
