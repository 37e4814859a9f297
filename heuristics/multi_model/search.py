"""A wider search than SCAR's: annealing over windows and chiplets, exact in the stages (ours)."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, log
from random import Random

from heuristics.multi_model.bounds import timely
from heuristics.multi_model.moves import Mover
from heuristics.multi_model.packing import even, one_by_one
from heuristics.multi_model.problem import Problem
from heuristics.multi_model.scar import Steps, compose, scar
from heuristics.multi_model.simple import Seeded
from heuristics.multi_model.sketch import sketch
from heuristics.multi_model.state import Judge, Layout, State, build, layouts_of, settled
from schedules.progress import Stop
from schedules.windows.progress import WindowProgress

CHAINS = ((0.05, 0.5), (0.5, 0.1), (0.2, 0.1), (0.02, 0.3))
"""Chains of annealing, one after the other: by which part the objective may rise, about, at the
beginning, and the chain's part of the moves, or of the time."""

COLDEST = 0.0003
"""By which part the objective may rise, about, at the end of a chain."""

MOVES, LEAST, MOST = 600, 40_000, 600_000
"""Moves of all chains for each unit and chiplet, at least, and at most."""

OTHER = Steps(pack=even, provide=one_by_one)
"""SCAR's steps as another start takes them."""


def search(progress: WindowProgress, options: Seeded) -> Stop:
    """Annealing from SCAR's schedule on, and a bound.

    What is drawn is where windows are cut, which chiplets each model has in each, and in which
    order; the best stages and mini-batches follow exactly. First only the chiplets of each kind are
    counted, with under-estimated costs. Then chains follow each other: from the best so
    far, and hotter from others like SCAR's. The seed decides the result
    if there is no time limit; with one, the time that has passed cools a chain if its moves do not.

    For throughput, single windows are searched by their period, and others, whose period is their
    latency, by that. Models do not take turns on chiplets, even if they may.

    Returns:
        'optimal' if the bound proves it, 'infeasible' as `scar`.
    """
    if scar(progress, options) == "infeasible":
        return "infeasible"
    if progress.expired:
        return "time-limit"
    bounds = timely(progress.costs, progress.goal, progress.remaining)
    progress.raise_bound(bounds.bound())
    chains = list(_chains(progress))
    if not progress.proved and not progress.expired:
        start = _start(progress, chains[-1], 0, options.seed)
        if start is not None:
            layouts = [side.layout for side in start.sides]
            sketch(progress, chains[-1], bounds.runs, layouts, options.seed)
    for number, judge in enumerate(chains):
        if progress.expired or progress.proved:
            break
        rng = Random(f"{options.seed}.{number}")
        start = _start(progress, judge, number, options.seed)
        if start is not None:
            hottest, part = CHAINS[number]
            share = part / sum(own for _, own in CHAINS[number : len(chains)])
            _anneal(progress, start, rng, hottest, part, share)
    if progress.proved:
        return "optimal"
    return "time-limit" if progress.expired else "finished"


def _chains(progress: WindowProgress) -> Iterator[Judge]:
    """What each chain minimises."""
    goal = progress.goal
    latency = Judge(Problem(progress.costs, goal))
    if goal.objective != "throughput" or not goal.pipelined:
        yield from [latency] * len(CHAINS)
        return
    if len(latency.problem.units) <= latency.problem.chiplets:
        yield from [Judge(Problem(progress.costs, goal, period=True))] * (len(CHAINS) - 1)
    yield latency


def _start(progress: WindowProgress, judge: Judge, number: int, seed: int) -> State | None:
    """Where a chain begins: chains 1 and 2 elsewhere than at the best so far, if they can."""
    problem, best = judge.problem, progress.best
    assert best is not None  # scar has found one
    found: list[Layout] | None = None
    if number in (1, 2):
        splits = 0 if number == 1 or problem.period else min(2, problem.goal.windows - 1)
        runs = compose(problem, splits, seed, OTHER)
        found = None if runs is None else layouts_of(problem, problem.schedule(runs))
    if found is None:
        found = layouts_of(problem, best)
        if problem.period and len(found) > 1:
            runs = compose(problem, 0, seed)
            found = None if runs is None else layouts_of(problem, problem.schedule(runs))
    if found is None or any(len(set(used)) < len(used) for used in map(_tiles, found)):
        return None
    return build(judge, found)


def _tiles(layout: Layout) -> list[int]:
    return [tile for _, _, tiles in layout for tile in tiles]


def _anneal(
    progress: WindowProgress,
    start: State,
    rng: Random,
    hottest: float,
    part: float,
    share: float,
) -> None:
    """One chain, of a part of all moves, and of a share of the time that is left."""
    problem = start.judge.problem
    mover = Mover(start.judge, 1 if problem.period else problem.goal.windows, rng)
    all_moves = min(MOST, max(LEAST, MOVES * sum(problem.units) * problem.chiplets))
    moves = int(all_moves * part)
    begun, left = progress.seconds, progress.remaining
    state, best = start, start
    progress.offer(start.schedule())
    try:
        for move in range(moves):
            if move % 64 == 0:
                over = move / moves
                if left is not None:
                    over = max(over, (progress.seconds - begun) / max(left * share, 1e-9))
                if over >= 1 or progress.expired:
                    break
                heat = hottest * (COLDEST / hottest) ** over
            progress.count("moves")
            layouts = mover.draw([side.layout for side in state.sides])
            if layouts is None:
                continue
            found = build(state.judge, layouts, state)
            if not _accepted(state, found, heat, rng):
                continue
            state = found
            if state.value < best.value:
                state = best = settled(state)
                if progress.bound is not None and best.value <= progress.bound:
                    break
    finally:  # an interrupted run keeps what it has found
        progress.offer(best.schedule())


def _accepted(state: State, found: State, heat: float, rng: Random) -> bool:
    """Whether a move is made: always if it is no worse, otherwise with exp(-rise / heat)."""
    if found.guide <= state.guide:
        return True
    rise = log(found.guide / state.guide) if state.guide else 1.0
    return rng.random() < exp(-rise / heat)
