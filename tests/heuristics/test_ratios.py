"""Ratios for schedules, and for methods that know of none."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from heuristics.baselines import pipeline, sequential
from heuristics.ratios import best_ratios, with_ratios
from heuristics.ratios.prices import at_budget, at_price, crossing
from heuristics.ratios.raising import best_choices
from heuristics.ratios.search import Run
from heuristics.ratios.terms import Terms, terms_of
from heuristics.scope import scope, scope_plus
from instances.compression import Compression
from instances.generate import random_instance
from instances.generate_ratios import Budget, random_ratios
from instances.instance import Instance
from instances.tables import Ints
from schedules.evaluate import latency
from schedules.progress import Progress, Stop
from schedules.schedule import Schedule
from schedules.verify import violations
from solvers.enumeration import enumerate_all


def small(seed: int, budget: Budget = "tight", layers: int = 4) -> Instance:
    instance = random_instance(
        seed, layers=layers, chiplets=2 + seed % 3, options=2, memory="loose"
    )
    return random_ratios(instance, seed, budget=budget)


def given_of(instance: Instance) -> Compression:
    assert instance.compression is not None
    return instance.compression


def plain_best(instance: Instance, run: Run = scope) -> Schedule:
    progress = Progress(replace(instance, tables=instance.costs, compression=None))
    run(progress.instance, progress, 0, 1)
    assert progress.best is not None
    return progress.best


def found(run: Run, instance: Instance, time_limit: float | None = None) -> tuple[Stop, Progress]:
    progress = Progress(instance, time_limit)
    return with_ratios(run, instance, progress, 0, 1), progress


def all_ratios(instance: Instance, schedule: Schedule) -> list[int]:
    """Latencies with all ratios that may be."""
    given = given_of(instance)
    own = [np.flatnonzero(row >= 0).tolist() for row in given.losses]
    tried = [replace(schedule, ratios=given.ratios_of(k)) for k in product(*own)]
    return [latency(instance, one) for one in tried if not violations(instance, one)]


@pytest.mark.parametrize("seed", range(30))
def test_a_schedule_gets_the_best_of_all_ratios(seed: int) -> None:
    instance = small(seed, "tight" if seed % 3 else "loose", layers=3 + seed % 2)
    schedule = plain_best(instance, pipeline if seed % 4 == 0 and seed % 3 else scope)
    assert latency(instance, best_ratios(instance, schedule)) == min(all_ratios(instance, schedule))


@pytest.mark.parametrize("seed", range(30))
def test_the_latency_is_the_evaluators(seed: int) -> None:
    instance = small(seed, layers=8)
    given = given_of(instance)
    for schedule in (plain_best(instance), plain_best(instance, sequential)):
        choices, cycles = best_choices(terms_of(instance, given, schedule), given.budget)
        own = replace(schedule, ratios=given.ratios_of(choices.tolist()))
        assert violations(instance, own) == []
        assert latency(instance, own) == cycles <= latency(instance, schedule)


def ints(*values: object) -> Ints:
    return np.array(values, dtype=np.int64)


def terms(
    times: tuple[int, ...],
    saved: tuple[tuple[int, ...], ...],
    losses: tuple[int, ...],
    held: int = 0,
) -> Terms:
    """One segment of one beat; layer l saves saved[l][t] cycles of term t if it is compressed.

    Its coders need so many of the 5 bytes that each stage has left.
    """
    count, parts = len(saved), len(saved) * len(times)
    less = ints(*(cycles for row in saved for cycles in row))
    return Terms(
        losses=np.stack([np.zeros(count, dtype=np.int64), ints(*losses)], axis=1),
        load=np.zeros((count, 2), dtype=np.int64),
        beats=ints(1),
        begins=ints(0, len(times)),
        segment=np.zeros(len(times), dtype=np.int64),
        base=ints(*times),
        numerator=np.ones(len(times), dtype=np.int64),
        denominator=np.ones(len(times), dtype=np.int64),
        spare=np.full(len(times), 5),
        part_at=np.arange(0, parts + 1, len(times)),
        term=np.tile(np.arange(len(times)), count),
        amount=np.stack([np.zeros(parts, dtype=np.int64), -less], axis=1),
        bytes=np.stack([np.zeros(parts, dtype=np.int64), np.full(parts, held)], axis=1),
        layer_at=np.arange(0, parts + 1, count),
        layer=np.tile(np.arange(count), len(times)),
        constant=0,
    )


def chosen(given: Terms, budget: int) -> tuple[list[int], int]:
    choices, cycles = best_choices(given, budget)
    return choices.tolist(), cycles


def test_changes_that_gain_only_together_are_found() -> None:
    equal = terms((10, 10), ((4, 0), (0, 4)), (1, 1))
    assert chosen(equal, 2) == ([1, 1], 6)
    assert chosen(equal, 1) == ([0, 0], 10)


def test_the_best_gain_per_loss_is_not_all_that_counts() -> None:
    # The first gains 3 a loss, and leaves too little for the second, which gains 5 for 2.
    assert chosen(terms((10,), ((3,), (5,)), (1, 2)), 2) == ([0, 1], 5)


def test_loss_that_buys_nothing_is_not_spent() -> None:
    # The second stage stays at 9, so that the first need not fall below it.
    assert chosen(terms((12, 9), ((3, 0), (5, 0)), (1, 2)), 3) == ([1, 0], 9)
    assert chosen(terms((9, 9), ((3, 0),), (0,)), 3) == ([0], 9)


def test_what_loses_nothing_is_compressed_wherever_that_gains() -> None:
    assert chosen(terms((10,), ((3,), (2,)), (0, 0)), 0) == ([1, 1], 5)


def test_what_takes_longer_with_coders_is_not_compressed() -> None:
    assert chosen(terms((10, 9), ((3, -2),), (0,)), 1) == ([0], 10)


def test_coders_have_to_fit() -> None:
    assert chosen(terms((10,), ((3,),), (1,), held=5), 1) == ([1], 7)
    assert chosen(terms((10,), ((3,),), (1,), held=6), 1) == ([0], 10)
    assert chosen(terms((10,), ((3,), (3,)), (1, 1), held=3), 2)[1] == 7


@pytest.mark.parametrize("seed", range(20))
def test_choices_at_a_budget_keep_it_and_are_the_fastest_without_one(seed: int) -> None:
    instance = small(seed, layers=8)
    given = given_of(instance)
    cycles = crossing(instance.tables, given, plain_best(instance))
    fastest = at_price(cycles, given.losses, 0.0)
    assert given.loss(at_budget(cycles, given.losses, given.budget)) <= given.budget
    assert at_budget(cycles, given.losses, given.loss(fastest)) == fastest
    at = np.where(given.losses < 0, np.inf, cycles)
    assert [row[k] for row, k in zip(at, fastest, strict=True)] == at.min(axis=1).tolist()


@pytest.mark.parametrize("run", [scope, scope_plus])
def test_methods_lose_little_of_what_compression_can_gain(run: Run) -> None:
    """They are themselves not exact: what counts is how much nearer to the optimum they come."""
    before, after = [], []
    for seed in range(25):
        instance = small(seed, layers=3)
        exact = Progress(instance)
        enumerate_all(instance, exact, 0, 1)
        _, progress = found(run, instance)
        assert exact.objective is not None
        assert progress.objective is not None
        assert progress.objective >= exact.objective
        before.append(latency(instance, plain_best(instance, run)) / exact.objective)
        after.append(progress.objective / exact.objective)
    assert max(np.array(after) - before) <= 0
    assert np.mean(after) - 1 < 0.65 * (np.mean(before) - 1)


def test_no_bound_of_the_method_is_taken_for_one_of_the_compressed_problem() -> None:
    instance = small(3, "loose")
    proved = Progress(replace(instance, tables=instance.costs, compression=None))
    scope_plus(proved.instance, proved, 0, 1)
    assert proved.bound is not None
    stop, progress = found(scope_plus, instance)
    assert (stop, progress.bound) == ("finished", None)


def test_no_time_goes_into_bounds_that_would_be_thrown_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def rising_bounds(*_: object) -> None:
        raise AssertionError("bounds of the plain problem")

    monkeypatch.setattr(sys.modules["heuristics.scope.search"], "rising_bounds", rising_bounds)
    assert found(scope_plus, small(3))[1].best is not None
    with pytest.raises(AssertionError, match="bounds of the plain problem"):
        plain_best(small(3), scope_plus)


def test_nothing_is_compressed_without_a_budget() -> None:
    instance = small(3, "zero")
    _, progress = found(scope, instance)
    assert progress.best is not None
    assert progress.best == plain_best(instance)


def test_what_a_method_proves_impossible_is_so_with_coders_too() -> None:
    def hopeless(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
        return "infeasible"

    stop, progress = found(hopeless, small(3))
    assert (stop, progress.best, progress.counts) == ("infeasible", None, {"runs": 1})


def test_time_is_shared_and_the_first_schedule_kept() -> None:
    limits = []

    def slow(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
        limits.append(progress.remaining)
        while not progress.expired:
            pass
        return sequential(instance, progress, seed, workers)

    stop, progress = found(slow, small(3), time_limit=0.1)
    assert progress.best is not None
    assert 1 < progress.counts["runs"] == len(limits)
    first, *others = [limit for limit in limits if limit is not None]
    assert 0.05 < first <= 0.075
    assert all(limit <= 0.025 for limit in others)
    assert stop in ("finished", "time-limit")


def test_what_the_first_run_has_found_is_kept_when_it_is_interrupted() -> None:
    instance = small(3)

    def pressed(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
        sequential(instance, progress, seed, workers)
        raise KeyboardInterrupt

    progress = Progress(instance)
    with pytest.raises(KeyboardInterrupt):
        with_ratios(pressed, instance, progress, 0, 1)
    assert progress.best == plain_best(instance, sequential)


def test_an_instance_without_compression_is_refused(example: Instance) -> None:
    with pytest.raises(ValueError, match="'small' has no compression, expected one"):
        with_ratios(scope, example, Progress(example), 0, 1)
    with pytest.raises(ValueError, match="has no compression"):
        best_ratios(example, plain_best(example))
