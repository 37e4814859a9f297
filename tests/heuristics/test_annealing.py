"""Simulated annealing: its costs are the evaluator's, its moves keep a schedule a schedule."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heuristics.annealing import annealing, search
from heuristics.annealing.chain import anneal, attempt, copy
from heuristics.annealing.moves import MOVES, change, extent, refit_stale
from heuristics.annealing.refit import refit
from heuristics.annealing.search import problem_of, rounds, schedule_of
from heuristics.annealing.state import (
    INSIDE,
    SEGMENT,
    STALE,
    Problem,
    State,
    blank,
    price,
    stage_time,
    start,
)
from instances.generate import random_instance
from instances.instance import Instance
from instances.stages import FAR
from schedules.evaluate import cluster_cost, latency, segment_cost
from schedules.progress import Progress
from schedules.verify import violations
from solvers.solve import solve

MakeInstance = Callable[..., Instance]

seeds = st.integers(0, 10**6)


def copied(state: State) -> State:
    return State(*(array.copy() for array in state))


def begun(instance: Instance) -> tuple[Problem, State] | None:
    """The state that annealing begins with; None if there is none."""
    problem = problem_of(instance)
    state = blank(len(instance.tables.layers))
    return (problem, state) if start(problem, state) else None


def unsettled(state: State) -> State:
    """A state of which nothing is priced yet."""
    copy = copied(state)
    copy.times[:] = copy.drams[:] = STALE
    copy.totals[:] = 0
    return copy


def wandered(seed: int) -> Instance:
    """Where memory is tight, few states have clusters beside clusters."""
    return random_instance(seed, layers=7, chiplets=6, memory="loose" if seed % 2 else None)


def wandering(seed: int, steps: int, kind: int | None = None) -> Iterator[tuple[int, bool, State]]:
    """(cost, whether there was a move to make, state) after each of some random moves.

    States that break a constraint are shown, and left again.
    """
    found = begun(wandered(seed))
    if found is None:
        return
    problem, state = found
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        before = copied(state)
        layer, forward = int(rng.integers(0, 7)), bool(rng.random() < 0.5)
        own = int(rng.integers(0, len(MOVES))) if kind is None or rng.random() < 0.5 else kind
        first, after = extent(state, layer, own, forward)
        made = change(problem, state, layer, own, forward, rng)
        if made and rng.random() < 0.3:
            refit_stale(problem, state, first, after, rng)
        cost = price(problem, state, first, after, FAR) if made else 0
        yield cost, made and own == kind, state
        if not made or cost == FAR:
            copy(before, state, 0, 7)


@settings(max_examples=40)
@given(seed=seeds)
def test_after_any_move_the_touched_segments_make_the_cost_of_the_evaluator(seed: int) -> None:
    """Also: a state whose price is FAR breaks a constraint, every other one none."""
    instance = wandered(seed)
    for cost, _, state in wandering(seed, 60):
        schedule = schedule_of(state, instance)
        assert (violations(instance, schedule) == []) == (cost < FAR)
        if cost < FAR:
            totals = state.totals[:7][state.begins[:7] >= SEGMENT]
            assert totals.sum() == latency(instance, schedule)
            for segment, total in zip(schedule.segments, totals, strict=True):
                assert segment_cost(instance, segment).time == total


@settings(max_examples=40)
@given(seed=seeds)
def test_what_is_not_marked_stale_is_still_true(seed: int) -> None:
    problem = problem_of(wandered(seed))
    for cost, _, state in wandering(seed, 60):
        if cost < FAR:
            afresh = unsettled(state)
            price(problem, afresh, 0, 7, FAR)
            settled = (state.begins[:7] > INSIDE) & (state.times != STALE) & (afresh.times != STALE)
            assert (state.times[settled] == afresh.times[settled]).all()
            begins = state.begins[:7] == SEGMENT
            assert (state.drams[begins] == afresh.drams[begins]).all()


@settings(max_examples=60)
@given(seed=seeds)
def test_a_move_touches_no_segment_beyond_its_extent(seed: int) -> None:
    found = begun(wandered(seed))
    if found is None:
        return
    problem, state = found
    rng = np.random.default_rng(seed)
    for _ in range(60):
        before = copied(state)
        layer, kind = int(rng.integers(0, 7)), int(rng.integers(0, len(MOVES)))
        forward = bool(rng.random() < 0.5)
        first, after = extent(state, layer, kind, forward)
        made = change(problem, state, layer, kind, forward, rng)
        for new, old in zip(state, before, strict=True):
            assert (new[:first] == old[:first]).all()
            assert (new[after:7] == old[after:7]).all()
        if not made or price(problem, state, first, after, FAR) == FAR:
            copy(before, state, first, after)
            assert all((new == old).all() for new, old in zip(state, before, strict=True))


@pytest.mark.parametrize("kind", MOVES)
def test_every_kind_of_move_is_made(kind: int) -> None:
    made = [
        made and cost < FAR for seed in range(20) for cost, made, _ in wandering(seed, 150, kind)
    ]
    assert sum(made) >= 5


@settings(max_examples=60)
@given(seed=seeds)
def test_refitting_finds_the_fastest_options_where_they_fit(seed: int) -> None:
    instance = random_instance(seed, layers=4, memory="loose")
    problem, state = problem_of(instance), blank(4)
    state.regions[0] = chiplets = instance.tables.chiplets
    refit(problem, state, 0, 4, np.random.default_rng(seed))
    state.begins[1:4] = INSIDE
    times = []
    for choice in np.ndindex((instance.tables.shape[1],) * 4):
        other = copied(state)
        other.options[:] = choice
        times.append(stage_time(problem.costs, other, 0, 3))
    (cluster,) = schedule_of(state, instance).segments[0].clusters
    assert cluster.chiplets == chiplets
    assert state.times[0] == min(times) == cluster_cost(instance.tables, cluster).time


def test_refitting_prices_memory_where_the_fastest_options_do_not_fit(
    make_instance: MakeInstance,
) -> None:
    resident, entry = [[[90], [40]]] * 2, [[[10], [20]]] * 2
    step = [[[[10], [20]], [[10], [20]]]]
    problem = problem_of(make_instance(entry, step, resident=resident))
    fitted = []
    for seed in range(20):
        state = blank(2)
        state.regions[0] = 1
        refit(problem, state, 0, 2, np.random.default_rng(seed))
        fitted.append(int(state.times[0]))
    assert set(fitted) <= {40, FAR}
    assert fitted.count(40) > 5


@settings(max_examples=40)
@given(seed=seeds)
def test_a_chain_knows_its_totals_and_keeps_its_best(seed: int) -> None:
    instance = random_instance(seed, layers=6, chiplets=6)
    found = begun(instance)
    if found is None:
        return
    problem, state = found
    best, saved = copied(state), copied(state)
    rng = np.random.default_rng(seed)
    current = least = int(state.totals.sum())
    for _ in range(5):
        current, least = anneal(problem, (state, best, saved), (current, least), 50, 40.0, rng)
        assert current == latency(instance, schedule_of(state, instance))
        assert least == latency(instance, schedule_of(best, instance))
        assert least <= current


def test_hot_chains_climb_and_cold_ones_do_not() -> None:
    found = begun(random_instance(3, layers=8, chiplets=6, memory="loose"))
    assert found is not None
    problem, state = found
    saved, rng = copied(state), np.random.default_rng(0)
    cold = [attempt(problem, state, saved, 1e-9, rng)[0] for _ in range(500)]
    assert max(cold) == 0 > min(cold)
    hot = [attempt(problem, state, saved, 1e9, rng)[0] for _ in range(500)]
    assert max(hot) > 0


def test_of_100_tiny_instances_nearly_all_are_solved_to_the_optimum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a tenth of the moves."""
    monkeypatch.setattr(search, "MOVES_A_LAYER", search.MOVES_A_LAYER // 10)
    monkeypatch.setattr(search, "ROUNDS", 25)
    hits, solved = 0, 0
    for seed in range(100):
        instance = random_instance(seed)
        optimum, found = solve(instance, "enumerate").objective, Progress(instance)
        assert annealing(instance, found, seed, 1) == "finished"
        assert (found.objective is None) == (optimum is None)
        if found.objective is not None and optimum is not None:
            assert optimum <= found.objective
            hits += found.objective == optimum
            solved += 1
    assert solved > 50
    assert hits >= 0.9 * solved


def test_a_seed_decides_the_run_and_workers_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOVES_A_LAYER", 100)
    instance = random_instance(3, layers=30, chiplets=9, memory="loose")
    runs = [
        solve(instance, "annealing", seed=seed, workers=workers).schedule
        for seed, workers in [(1, 1), (1, 1), (1, 3), (2, 1), (3, 1), (4, 1)]
    ]
    assert runs[0] == runs[1] == runs[2]
    assert len(set(map(str, runs))) > 1


def test_a_time_limit_is_used_up_and_heeded_and_ends_cold() -> None:
    instance = random_instance(1, layers=40, chiplets=16, memory="loose")
    result = solve(instance, "annealing", time_limit=0.5)
    assert result.stop == "time-limit"
    assert 0.4 < result.runtime_s < 1.5
    sequential = solve(instance, "sequential").objective
    assert result.objective is not None
    assert sequential is not None
    assert result.objective < 0.9 * sequential


def test_it_cools_down_and_freezes() -> None:
    heats = [search.temperature(share) for share in np.linspace(0, 1, 50)]
    assert heats[0] == search.HOTTEST
    assert heats == sorted(heats, reverse=True)
    assert min(heat for heat in heats if heat > 0) < 1.5 * search.COLDEST
    assert 3 <= heats.count(0.0) <= 7


def test_a_frozen_chain_goes_on_from_its_best_state() -> None:
    instance = random_instance(3, layers=8, chiplets=6, memory="loose")
    found = begun(instance)
    assert found is not None
    problem, state = found
    chain = search._Chain(state, np.random.default_rng(0))
    chain.draw(problem, 3000, 1e9)
    assert chain.total > chain.least
    least = chain.least
    chain.draw(problem, 1, 0.0)
    assert chain.total <= least
    assert chain.total == latency(instance, schedule_of(chain.state, instance))


def test_with_a_time_limit_the_clock_cools() -> None:
    """A move takes a tenth of a millisecond here; the first guess, 2 moves, is far too low."""
    progress = Progress(random_instance(1), time_limit=0.6)
    drawn = []
    for share, moves in rounds(progress, 2, 0.1):
        drawn.append((share, moves))
        time.sleep(moves * 1e-4)
    cooled = [share for share, _ in drawn]
    assert cooled[0] == 0
    assert cooled == sorted(cooled)
    assert 0.9 < cooled[-1] <= 1
    assert all(moves >= 1 for _, moves in drawn)
    assert search.ROUNDS / 4 < len(drawn) < 4 * search.ROUNDS
    assert progress.seconds < 0.9


def test_without_a_time_limit_the_budget_grows_with_the_layers() -> None:
    progress = Progress(random_instance(1))
    few, many = list(rounds(progress, 10, 0.0)), list(rounds(progress, 30, 0.0))
    assert [share for share, _ in few] == [share for share, _ in many]
    assert (few[0][0], few[-1][0]) == (0, 1)
    assert sum(moves for _, moves in few) == 10 * search.MOVES_A_LAYER
    assert sum(moves for _, moves in many) == 30 * search.MOVES_A_LAYER


def test_ctrl_c_leaves_the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(
        progress: Progress, layers: int, offering: float
    ) -> Iterator[tuple[float, int]]:
        yield 1.0, 100
        yield 1.0, 20_000
        raise KeyboardInterrupt

    monkeypatch.setattr(search, "rounds", interrupted)
    # Nothing is offered on the way: only the end can have kept what the round found.
    monkeypatch.setattr(search, "OFFERING", 1e-12)
    instance = random_instance(1, layers=12, chiplets=9, memory="loose")
    result = solve(instance, "annealing")
    sequential = solve(instance, "sequential").objective
    assert result.stop == "interrupted"
    assert result.objective is not None
    assert sequential is not None
    assert result.objective < sequential


def test_without_a_start_there_is_no_schedule(make_instance: MakeInstance) -> None:
    instance = make_instance([[[1]], [[1]]], resident=[[[50]], [[101]]])
    progress = Progress(instance)
    assert annealing(instance, progress, 0, 1) == "finished"
    assert progress.best is None


def test_it_starts_where_layers_fit_only_tiled_or_on_few_chiplets(
    make_instance: MakeInstance,
) -> None:
    """More chiplets may need more memory each; `sequential` has no schedule then."""
    resident = [[[50, 101]], [[101, 101]]]
    instance = make_instance([[[7, 5]], [[9, 9]]], resident=resident, alone=[-1, 30])
    assert solve(instance, "sequential").objective is None
    assert solve(instance, "annealing").objective == 7 + 30
