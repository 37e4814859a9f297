"""Layouts found by counting chiplets only, then put in place (ours)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from random import Random

import numpy as np

from heuristics.multi_model.counting import Plan, Tables, anneal_counts, needed
from heuristics.multi_model.kinds import KindRuns
from heuristics.multi_model.prices import worth_keeping
from heuristics.multi_model.state import Judge, Layout, Place, build
from instances.cost.jobs import PackageCosts
from instances.stages import FAR
from schedules.windows.progress import WindowProgress

HEATS = (0.3, 0.0003)
"""By which part the objective may rise, at the beginning and at the end of a chain."""

CHAINS, MOVES, MOST = 10, 500, 200_000
"""Chains from the same start; moves of each for each unit and chiplet, and at most."""

SHARE = 0.25
"""Of the time that is left, after which no other chain begins."""

ORDERS = 12
"""Orders of kinds that are tried for a pipeline."""


def sketch(
    progress: WindowProgress,
    judge: Judge,
    runs: Sequence[KindRuns],
    start: Sequence[Layout],
    seed: int,
) -> None:
    """Offer schedules in which only chiplets of each kind were counted, put in place.

    Args:
        progress: of the run.
        judge: of the search; not for periods.
        runs: under-estimates of each model's runs.
        start: where the chains begin; no chiplet twice in a window.
        seed: of all draws.
    """
    tables = tables_of(judge, runs)
    rng, order = np.random.default_rng(seed), Random(seed)
    moves = min(MOST, MOVES * sum(judge.problem.units) * judge.problem.chiplets)
    begun, left = progress.seconds, progress.remaining
    for _ in range(CHAINS):
        if left is not None and progress.seconds - begun > SHARE * left:
            break
        plans = (
            plan_of(judge, tables, start),
            plan_of(judge, tables, start),
            plan_of(judge, tables, start),
        )
        anneal_counts(tables, plans, moves, HEATS, rng)
        progress.count("counted moves", moves)
        progress.offer(build(judge, placed(judge, tables, plans[1], order)).schedule())


def tables_of(judge: Judge, runs: Sequence[KindRuns]) -> Tables:
    """The runs of all models, with given chiplets or fewer."""
    latencies, energies = [], []
    for own in runs:
        latency, energy = own.latency.copy(), np.where(own.latency < FAR, own.energy, FAR)
        worth_keeping(latency, energy, *own.counts)
        latencies.append(latency)
        energies.append(energy)
    objective = judge.problem.goal.objective
    return Tables(
        latency=np.concatenate([own.ravel() for own in latencies]),
        energy=np.concatenate([own.ravel() for own in energies]),
        base=np.cumsum([0, *(own.size for own in latencies)])[:-1],
        units=np.array(judge.problem.units),
        sizes=np.array([len(own) for own in latencies]),
        many=runs[0].counts.many,
        stride=runs[0].counts.stride,
        leakage=judge.problem.costs.package.leakage,
        timed=objective != "energy",
        powered=objective in ("energy", "edp"),
    )


def plan_of(judge: Judge, tables: Tables, layouts: Sequence[Layout]) -> Plan:
    """The plan of layouts."""
    windows, jobs = max(judge.problem.goal.windows, len(layouts)), len(layouts[0])
    plan = Plan(
        np.array([len(layouts)]),
        np.zeros((windows + 1, jobs), np.int64),
        np.zeros((windows, jobs), np.int64),
    )
    kind = judge.problem.costs.package.kind
    for at, layout in enumerate(layouts):
        for job, (begin, end, tiles) in enumerate(layout):
            plan.cuts[at, job], plan.cuts[at + 1, job] = begin, end
            plan.states[at, job] = sum(int(tables.stride[kind[tile]]) for tile in tiles)
    return plan


def placed(judge: Judge, tables: Tables, plan: Plan, rng: Random) -> list[Layout]:
    """A plan's layouts: models with many chiplets choose first."""
    states, known = needed(tables, plan)
    total, energy = known[:, 0].sum(), known[:, 1].sum()
    found = []
    for at in range(int(plan.number[0])):
        free = list(range(judge.problem.chiplets))
        spans = [(int(a), int(b)) for a, b in zip(plan.cuts[at], plan.cuts[at + 1], strict=True)]
        window: list[Place] = [(a, b, ()) for a, b in spans]
        length = float(known[at, 0])

        def value(time: int, spent: int, own: float = length) -> float:
            return judge.value(total - own + max(own, time), energy + spent)

        many = [tables.many[state].tolist() for state in states[at]]
        for job in sorted(range(len(window)), key=lambda job: -sum(many[job])):
            if spans[job][0] < spans[job][1]:
                tiles = _path(judge, (job, *spans[job]), many[job], free, value, rng)
                window[job] = (*spans[job], tiles)
                free = [tile for tile in free if tile not in tiles]
        found.append(tuple(window))
    return found


def _path(
    judge: Judge,
    units: tuple[int, int, int],
    many: list[int],
    free: list[int],
    value: Callable[[int, int], float],
    rng: Random,
) -> tuple[int, ...]:
    """Free chiplets for a model, so many of each kind: the best of some orders of the kinds.

    Args:
        judge: of the search.
        units: the model, its first unit, and the one after the last.
        many: chiplets of each kind.
        free: chiplets to choose from.
        value: of a run's cycles and picojoules.
        rng: of the orders.
    """
    kinds = [kind for kind, count in enumerate(many) for _ in range(count)]
    best: tuple[int, ...] = ()
    best_value = inf
    tried: set[tuple[int, ...]] = set()
    for _ in range(ORDERS):
        order = tuple(kinds[: units[2] - units[1]])
        if order not in tried:
            tried.add(order)
            tiles = _nearest(judge.problem.costs.package, order, free)
            least = min(value(own.time, own.energy) for own in judge.problem.runs(*units, tiles))
            if least < best_value:
                best, best_value = tiles, least
        rng.shuffle(kinds)
    return best


def _nearest(package: PackageCosts, kinds: tuple[int, ...], free: list[int]) -> tuple[int, ...]:
    """For each kind, the free chiplet nearest to the one before it, or to DRAM."""
    found: tuple[int, ...] = ()
    for kind in kinds:
        away = package.hops[found[-1]] if found else package.port_hops
        own = [tile for tile in free if tile not in found and package.kind[tile] == kind]
        found = (*found, min(own, key=lambda tile: (int(away[tile]), tile)))
    return found
