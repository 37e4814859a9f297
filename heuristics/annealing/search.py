"""Chains of simulated annealing, cooled down geometrically."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from heuristics.annealing.chain import anneal, copy
from heuristics.annealing.state import CLUSTER, TILED, Problem, State, blank, layer_work, start
from instances.instance import Instance
from instances.stages import loading, stage_costs
from schedules.progress import Progress, Stop
from schedules.schedule import Cluster, Schedule, Segment

HOTTEST, COLDEST = 1.0, 1e-2
"""The first and the last temperature: parts of what a layer takes on average in the beginning."""

FREEZING = 0.9
"""The part of a run after which no rise is accepted any more, from the best state so far."""

ROUNDS = 100
"""Temperatures between them; with a time limit, about as many."""

MOVES_A_LAYER = 10_000
"""Moves that a chain draws for each layer, unless there is a time limit."""

LEAST_CHAINS, LAYERS_OF_CHAINS = 2, 16
"""Chains: as many as have so many layers together, at least two."""

OFFERING = 0.1
"""Most of the time that may go into verifying schedules on the way."""


def annealing(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """Simulated annealing over segments, clusters, regions and options, as SET and Gemini search.

    It begins with one layer a segment. Chains that differ in their random numbers run side by side;
    the seed decides the result, whatever the number of workers. With a time limit, the time that
    has passed decides how far the temperature has fallen, so that the search uses all of it.
    """
    problem = problem_of(instance)
    first = blank(len(problem.work) - 1)
    if not start(problem, first):
        return "finished"
    begun = progress.seconds
    progress.offer(schedule_of(first, instance))
    offering = progress.seconds - begun
    search = _Search(instance, problem, first, seed)
    try:
        with ThreadPoolExecutor(workers) as pool:
            for cooled, moves in rounds(progress, len(first.options), offering):
                search.draw(pool, moves, cooled)
                progress.count("moves", moves * len(search.chains))
                search.offer(progress, pressing=False)
    finally:
        search.offer(progress, pressing=True)
    return "finished" if progress.remaining is None else "time-limit"


def rounds(progress: Progress, layers: int, offering: float) -> Iterator[tuple[float, int]]:
    """Of each round, the part of the run that is over, from 0 to 1, and how many moves to draw.

    With a time limit, the pace of a round decides the moves of the next one, and the seconds that
    it takes to offer a schedule are left over at the end.
    """
    begun, remaining = progress.seconds, progress.remaining
    if remaining is None:
        for done in range(ROUNDS):
            yield done / (ROUNDS - 1), layers * MOVES_A_LAYER // ROUNDS
        return
    planned = remaining - offering
    moves, now = layers, begun
    while now - begun < planned:
        yield (now - begun) / planned, moves
        before, now = now, progress.seconds
        target = min(planned / ROUNDS, planned - (now - begun))
        moves = max(1, int(moves * target / max(now - before, 1e-9)))


def temperature(cooled: float) -> float:
    """The temperature after a part of the run, in units of what a layer takes at first."""
    fallen = cooled / FREEZING
    return HOTTEST * (COLDEST / HOTTEST) ** fallen if fallen < 1 else 0.0


class _Chain:
    """A state, the best one that it has been, and its own random numbers."""

    def __init__(self, first: State, rng: np.random.Generator) -> None:
        self.state, self.best, self.saved = (
            State(*(array.copy() for array in first)) for _ in range(3)
        )
        self.total = self.least = int(first.totals.sum())
        self.rng = rng

    def draw(self, problem: Problem, moves: int, temperature: float) -> None:
        if temperature == 0 and self.total > self.least:
            copy(self.best, self.state, 0, len(self.state.options))
            self.total = self.least
        states, totals = (self.state, self.best, self.saved), (self.total, self.least)
        self.total, self.least = anneal(problem, states, totals, moves, temperature, self.rng)


class _Search:
    """The chains of a run."""

    def __init__(self, instance: Instance, problem: Problem, first: State, seed: int) -> None:
        count = len(first.options)
        number = max(LEAST_CHAINS, LAYERS_OF_CHAINS // count)
        seeds = np.random.SeedSequence(seed).spawn(number)
        self.instance, self.problem = instance, problem
        self.chains = [_Chain(first, np.random.default_rng(own)) for own in seeds]
        # Whatever the schedule, all weights are loaded once: temperatures leave that out.
        loads = loading(problem.costs, 0, count - 1)
        self.unit = max(1.0, (int(first.totals.sum()) - loads) / count)
        self.next_offer = 0.0

    def draw(self, pool: ThreadPoolExecutor, moves: int, cooled: float) -> None:
        """Draw moves in every chain, the temperature having fallen by so much of its way."""
        heat = temperature(cooled) * self.unit
        list(pool.map(lambda chain: chain.draw(self.problem, moves, heat), self.chains))

    def offer(self, progress: Progress, pressing: bool) -> None:
        """Offer the best schedule if it is new; unless it presses, only if that is quick."""
        best = min(self.chains, key=lambda chain: chain.least)
        if progress.objective is not None and best.least >= progress.objective:
            return
        begun = progress.seconds
        if pressing or begun >= self.next_offer:
            progress.offer(schedule_of(best.best, self.instance))
            self.next_offer = progress.seconds + (progress.seconds - begun) / OFFERING


def problem_of(instance: Instance) -> Problem:
    """An instance, as the kernels need it."""
    costs, options = stage_costs(instance.costs), len(instance.options)
    work = layer_work(costs, len(instance.layers), options)
    return Problem(costs, work, instance.batch, options, instance.chiplets)


def schedule_of(state: State, instance: Instance) -> Schedule:
    """A state as a schedule."""
    names = instance.options
    segments = []
    clusters: list[Cluster] = []
    for first, after in pairwise(np.flatnonzero(state.begins).tolist()):
        options = tuple(names[option] for option in state.options[first:after])
        clusters.append(Cluster(first, after - 1, int(state.regions[first]), options))
        if state.begins[after] != CLUSTER:
            tiled = bool(state.begins[first] == TILED)
            segments.append(Segment(tuple(clusters), tiled=tiled))
            clusters = []
    return Schedule(tuple(segments))
