"""The interval columns against all choices of options."""

from itertools import product

import numpy as np
import pytest

from formulations.merged_pipeline.columns import FAR, Column, Columns
from instances.generate import random_instance
from instances.instance import Instance
from schedules.evaluate import cluster_cost
from schedules.goal import Goal, Pin, restricted
from schedules.schedule import Cluster


def fastest(instance: Instance, first: int, last: int, chiplets: int) -> int:
    """The stage time of the best of all options that fit, by the evaluator; FAR if none fits."""
    tables = instance.tables
    costs = (
        cluster_cost(tables, Cluster(first, last, chiplets, options))
        for options in product(tables.options, repeat=last - first + 1)
    )
    return min((cost.time for cost in costs if cost.memory <= tables.capacity), default=FAR)


Costs = tuple[int, int, int]
"""Chiplets, time, energy."""


def every_choice(instance: Instance, first: int, last: int) -> set[Costs]:
    """What a cluster costs, by the evaluator, on each region and with all options that fit."""
    tables = instance.tables
    found = set()
    for c in range(1, tables.chiplets + 1):
        for options in product(tables.options, repeat=last - first + 1):
            cost = cluster_cost(tables, Cluster(first, last, c, options))
            if cost.memory <= tables.capacity:
                found.add((c, cost.time, cost.energy))
    return found


def no_worse(one: Costs, other: Costs) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True))


def undominated(choices: set[Costs]) -> set[Costs]:
    return {
        choice
        for choice in choices
        if not any(other != choice and no_worse(other, choice) for other in choices)
    }


def assert_columns_cost_what_they_say(instance: Instance, columns: list[Column]) -> None:
    for column in columns:
        cluster = Cluster(column.first, column.last, column.chiplets, column.options)
        cost = cluster_cost(instance.tables, cluster)
        assert (cost.time, cost.energy) == (column.time, column.energy)
        assert cost.memory <= instance.tables.capacity


def clusters_of(instance: Instance) -> list[tuple[int, int, int]]:
    count, _, chiplets = instance.tables.shape
    return [
        (first, last, c)
        for first in range(count)
        for last in range(first, count)
        for c in range(1, chiplets + 1)
    ]


def intervals_of(instance: Instance) -> list[tuple[int, int]]:
    return [(first, last) for first, last, c in clusters_of(instance) if c == 1]


@pytest.mark.parametrize("seed", range(40))
def test_columns_are_the_fastest_choices_where_more_chiplets_help(seed: int) -> None:
    instance = random_instance(seed)
    times = Columns(instance.tables).times
    best = np.full_like(times, FAR)
    for first, last, c in clusters_of(instance):
        time = fastest(instance, first, last, c)
        fewer = best[first, last, : c - 1].min(initial=FAR)
        best[first, last, c - 1] = time if time < fewer else FAR
    assert np.array_equal(times, best)


@pytest.mark.parametrize("seed", range(20))
def test_the_options_of_a_column_fit_and_reach_its_time(seed: int) -> None:
    instance = random_instance(seed, shape="dag", memory="tight")
    columns = Columns(instance.tables)
    for first, last, c in clusters_of(instance):
        time = columns.times[first, last, c - 1]
        if time < FAR:
            options = columns.options(first, last, c)
            cost = cluster_cost(instance.tables, Cluster(first, last, c, options))
            assert cost.memory <= instance.tables.capacity
            assert cost.time == time


@pytest.mark.parametrize("seed", range(40))
def test_with_energy_the_columns_are_all_undominated_choices(seed: int) -> None:
    instance = random_instance(seed)
    columns = Columns(instance.tables, energy=True)
    for first, last in intervals_of(instance):
        found = columns.of(first, last)
        costs = [(column.chiplets, column.time, column.energy) for column in found]
        assert costs == sorted(undominated(every_choice(instance, first, last)))
        assert_columns_cost_what_they_say(instance, found)


@pytest.mark.parametrize("seed", range(20))
def test_without_energy_the_columns_are_undominated_in_chiplets_and_time(seed: int) -> None:
    instance = random_instance(seed)
    columns = Columns(instance.tables)
    for first, last in intervals_of(instance):
        found = columns.of(first, last)
        times = {(c, time, 0) for c, time, _ in every_choice(instance, first, last)}
        assert [(column.chiplets, column.time, 0) for column in found] == sorted(undominated(times))
        assert_columns_cost_what_they_say(instance, found)


@pytest.mark.parametrize("seed", range(20))
def test_the_least_energies_are_those_of_all_choices_on_so_many_chiplets(seed: int) -> None:
    instance = random_instance(seed)
    energies = Columns(instance.tables, energy=True).energies
    for first, last in intervals_of(instance):
        choices = every_choice(instance, first, last)
        for c in range(1, instance.tables.chiplets + 1):
            least = min((energy for own, _, energy in choices if own == c), default=FAR)
            assert energies[first, last, c - 1] == least


def test_least_energies_ask_for_columns_made_with_energy(example: Instance) -> None:
    with pytest.raises(ValueError, match="energy=True"):
        _ = Columns(example.tables).energies


@pytest.mark.parametrize("energy", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_a_limit_leaves_out_slower_columns_of_both_kinds(seed: int, energy: bool) -> None:
    instance = random_instance(seed, layers=4)
    everything = Columns(instance.tables, energy=energy)
    longest = int(np.median(everything.times[everything.times < FAR]))
    columns = Columns(instance.tables, longest, energy)
    for place in intervals_of(instance):
        expected = [column for column in everything.of(*place) if column.time <= longest]
        assert columns.of(*place) == expected


@pytest.mark.parametrize("energy", [False, True])
def test_columns_obey_what_the_goal_pins_and_limits(energy: bool) -> None:
    instance = random_instance(5, layers=3, chiplets=4, options=2, memory="loose")
    goal = Goal(chiplets=3, pins=(Pin(0, chiplets=2), Pin(2, option="WSP")))
    columns = Columns(restricted(instance, goal).tables, energy=energy)
    found = [column for place in intervals_of(instance) for column in columns.of(*place)]
    assert {c.chiplets for c in found if c.first == 0} == {2}
    assert {c.chiplets for c in found if c.first > 0} <= {1, 2, 3}
    assert {c.options[2 - c.first] for c in found if c.last == 2} == {"WSP"}
    assert_columns_cost_what_they_say(instance, found)


@pytest.mark.parametrize("seed", range(10))
def test_a_limit_leaves_out_slower_columns_and_no_others(seed: int) -> None:
    tables = random_instance(seed, layers=4).tables
    everything = Columns(tables).times
    longest = int(np.median(everything[everything < FAR]))
    expected = np.where(everything <= longest, everything, FAR)
    assert np.array_equal(Columns(tables, longest).times, expected)


def test_a_cluster_that_does_not_fit_has_no_options() -> None:
    instance = random_instance(3, layers=5, memory="tight")
    places = [p for p in clusters_of(instance) if fastest(instance, *p) == FAR]
    assert places
    with pytest.raises(KeyError):
        Columns(instance.tables).options(*places[0])
