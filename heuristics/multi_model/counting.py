"""Annealing over how many chiplets of each kind a model has in each window, places left out (ours).

The costs are the under-estimates of `kinds`, read from tables, so that a move takes microseconds.
What is found is where the fuller search begins.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.cost.jobs import Floats
from instances.jit import compiled
from instances.tables import Ints

GUIDE = 0.03
"""As `state.GUIDE`."""


class Tables(NamedTuple):
    """What the kernels read.

    Attributes:
        latency, energy: the tables of all models, one after the other: [N,U,U+1,S] of each.
        base: [J] where each model's begin.
        units, sizes: [J] U and N of each.
        many, stride: as `kinds.Counts`.
        leakage: picojoules a cycle.
        timed, powered: whether time, and energy, are factors of the objective.
    """

    latency: Ints
    energy: Ints
    base: Ints
    units: Ints
    sizes: Ints
    many: Ints
    stride: Ints
    leakage: int
    timed: bool
    powered: bool


class Plan(NamedTuple):
    """Windows; the first `number[0]` of W rows count.

    Attributes:
        number: [1] windows.
        cuts: [W+1,J] first unit of each model in each window, and its units after the last one.
        states: [W,J] numbers of chiplets of each model, by their number; 0 if absent.
    """

    number: Ints
    cuts: Ints
    states: Ints


@compiled
def _value(tables: Tables, time: float, energy: float) -> float:
    """The objective of cycles and picojoules without leakage."""
    total = 1.0 * energy + tables.leakage * time
    found = 1.0
    if tables.timed:
        found *= time
    if tables.powered:
        found *= total
    return found


@compiled
def _window(
    tables: Tables, plan: Plan, at: int, time: float, energy: float
) -> tuple[float, float, float]:
    """Cycles, picojoules, and mean cycles of a window, its mini-batches the best beside the rest.

    Args:
        tables, plan: whose.
        at: number of the window.
        time, energy: of the other windows.
    """
    jobs, states = len(tables.units), len(tables.many)
    most = tables.sizes.max()
    times, energies = np.full((jobs, most), np.inf), np.full((jobs, most), np.inf)
    least, floor, running = 0.0, 0.0, 0
    for job in range(jobs):
        a, b = plan.cuts[at, job], plan.cuts[at + 1, job]
        if a == b:
            continue
        running += 1
        units = tables.units[job]
        for n in range(tables.sizes[job]):
            entry = ((n * units + a) * (units + 1) + b) * states + plan.states[at, job]
            times[job, n] = tables.latency[tables.base[job] + entry]
            energies[job, n] = tables.energy[tables.base[job] + entry]
        least = max(least, times[job].min())
        floor += energies[job].min()
    best, best_time, best_energy, best_mean = np.inf, 0.0, 0.0, 0.0
    for job in range(jobs):
        for n in range(most):
            length = times[job, n]
            if length < least or length == np.inf:
                continue
            if _value(tables, time + length, energy + floor) >= best:
                continue
            total, mean = 0.0, 0.0
            for other in range(jobs):
                if plan.cuts[at, other] == plan.cuts[at + 1, other]:
                    continue
                spent, cycles = np.inf, 0.0
                for k in range(tables.sizes[other]):
                    if times[other, k] <= length and energies[other, k] < spent:
                        spent, cycles = energies[other, k], times[other, k]
                total += spent
                mean += cycles / running
            found = _value(tables, time + length, energy + total)
            if found < best:
                best, best_time, best_energy, best_mean = found, length, total, mean
    return best_time, best_energy, best_mean


@compiled
def _total(tables: Tables, plan: Plan, known: Floats, changed: int) -> tuple[float, float]:
    """The objective and the guide; windows from `changed` to the next one are priced, or all.

    Args:
        tables, plan: whose.
        known: [W,3] what `_window` says of each; filled.
        changed: the first of two windows to price; less than 0 for all.
    """
    count = plan.number[0]
    first, last = (changed, min(changed + 2, count)) if changed >= 0 else (0, count)
    known[first:last] = 0
    for at in range(first, last):
        time, energy = known[:count, 0].sum(), known[:count, 1].sum()
        known[at, 0], known[at, 1], known[at, 2] = _window(tables, plan, at, time, energy)
    time, energy = known[:count, 0].sum(), known[:count, 1].sum()
    mean = known[:count, 2].sum()
    return _value(tables, time, energy), _value(tables, time + GUIDE * mean, energy)


@compiled
def _room(tables: Tables, plan: Plan, at: int, kind: int) -> int:
    """Free chiplets of a kind in a window."""
    used = 0
    for job in range(len(tables.units)):
        used += tables.many[plan.states[at, job], kind]
    return tables.many[len(tables.many) - 1, kind] - used


@compiled
def _give(
    tables: Tables, plan: Plan, at: int, job: int, rng: np.random.Generator, keep: int
) -> bool:
    """A model gets a chiplet, a free one or of a model that has more than `keep`."""
    jobs, kinds = len(tables.units), len(tables.stride)
    for _ in range(4):
        kind, giver = int(rng.integers(0, kinds)), int(rng.integers(-1, jobs))
        if giver < 0:
            if _room(tables, plan, at, kind) == 0:
                continue
        else:
            own = tables.many[plan.states[at, giver]]
            if giver == job or own[kind] == 0 or own.sum() <= keep:
                continue
            plan.states[at, giver] -= tables.stride[kind]
        plan.states[at, job] += tables.stride[kind]
        return True
    return False


@compiled
def _span(tables: Tables, plan: Plan, at: int, job: int, rng: np.random.Generator) -> bool:
    """Chiplets of a model after its units in a window have changed; False if there are none."""
    present = plan.cuts[at, job] < plan.cuts[at + 1, job]
    if not present and plan.states[at, job]:
        heir = rng.integers(0, len(tables.units))
        if plan.cuts[at, heir] < plan.cuts[at + 1, heir]:
            plan.states[at, heir] += plan.states[at, job]
        plan.states[at, job] = 0
    if present and plan.states[at, job] == 0:
        return _give(tables, plan, at, job, rng, 1)
    return True


@compiled
def _tidy(plan: Plan) -> None:
    """Windows in which nothing runs go."""
    at = 0
    while at < plan.number[0]:
        if (plan.cuts[at] == plan.cuts[at + 1]).all():
            for k in range(at, plan.number[0] - 1):
                plan.cuts[k + 1] = plan.cuts[k + 2]
                plan.states[k] = plan.states[k + 1]
            plan.number[0] -= 1
        else:
            at += 1


@compiled
def _move(tables: Tables, plan: Plan, rng: np.random.Generator) -> tuple[bool, int]:
    """Make a random move; whether it could be, and the first window that changed, -1 for all."""
    jobs, count, most = len(tables.units), plan.number[0], len(plan.states)
    drawn, at, job = rng.random(), int(rng.integers(0, count)), int(rng.integers(0, jobs))
    present = plan.cuts[at, job] < plan.cuts[at + 1, job]
    if drawn < 0.4:  # a chiplet for a model
        return present and _give(tables, plan, at, job, rng, 1), at
    if drawn < 0.5:  # two models exchange chiplets
        other = rng.integers(0, jobs)
        if other == job or not present or plan.states[at, other] == 0:
            return False, at
        mine, yours = tables.many[plan.states[at, job]], tables.many[plan.states[at, other]]
        a, b = rng.integers(0, len(tables.stride)), rng.integers(0, len(tables.stride))
        if a == b or mine[a] == 0 or yours[b] == 0:
            return False, at
        step = tables.stride[b] - tables.stride[a]
        plan.states[at, job] += step
        plan.states[at, other] -= step
        return True, at
    if drawn < 0.55:  # a model gives up a chiplet
        kind = rng.integers(0, len(tables.stride))
        own = tables.many[plan.states[at, job]]
        if own[kind] == 0 or own.sum() == 1:
            return False, at
        plan.states[at, job] -= tables.stride[kind]
        return True, at
    if drawn < 0.9:  # a cut moves
        if at + 1 >= count:
            return False, at
        begin, end = plan.cuts[at, job], plan.cuts[at + 2, job]
        cut = plan.cuts[at + 1, job] + rng.integers(-1, 2)
        if rng.random() < 0.4:
            cut = rng.integers(begin, end + 1) if rng.random() < 0.5 else begin
            cut = end if cut == begin and rng.random() < 0.5 else cut
        if not begin <= cut <= end or cut == plan.cuts[at + 1, job]:
            return False, at
        plan.cuts[at + 1, job] = cut
        done = _span(tables, plan, at, job, rng) and _span(tables, plan, at + 1, job, rng)
        _tidy(plan)
        return done, -1 if plan.number[0] < count else at
    if drawn < 0.95:  # two windows become one
        if at + 1 >= count:
            return False, at
        if rng.random() < 0.5:
            plan.states[at] = plan.states[at + 1]
        for k in range(at + 1, count):
            plan.cuts[k] = plan.cuts[k + 1]
        for k in range(at + 1, count - 1):
            plan.states[k] = plan.states[k + 1]
        plan.number[0] -= 1
        for own in range(jobs):
            if not _span(tables, plan, at, own, rng):
                return False, -1
        return True, -1
    if count == most:
        return False, at
    for k in range(count, at, -1):  # a window becomes two
        plan.cuts[k + 1] = plan.cuts[k]
        if k < most:
            plan.states[k] = plan.states[k - 1]
    plan.number[0] += 1
    for own in range(jobs):
        begin, end = plan.cuts[at, own], plan.cuts[at + 2, own]
        cut = rng.integers(begin, end + 1)
        if rng.random() < 0.5:
            cut = begin if rng.random() < 0.5 else end
        plan.cuts[at + 1, own] = cut
    for own in range(jobs):
        if not (_span(tables, plan, at, own, rng) and _span(tables, plan, at + 1, own, rng)):
            return False, -1
    _tidy(plan)
    return True, -1


@compiled
def needed(tables: Tables, plan: Plan) -> tuple[Ints, Floats]:
    """The chiplets without which a model's run would be slower, and what windows cost.

    Of each model, its most sparing mini-batch counts that is no slower than its window.

    Returns:
        [W,J] numbers of chiplets, by their number; [W,3] what `_window` says.
    """
    found = plan.states.copy()
    count, states = plan.number[0], len(tables.many)
    known = np.zeros((len(plan.states), 3))
    _total(tables, plan, known, -1)
    for at in range(count):
        for job in range(len(tables.units)):
            a, b, units = plan.cuts[at, job], plan.cuts[at + 1, job], tables.units[job]
            if a == b:
                continue
            entry, least = 0, np.inf
            for n in range(tables.sizes[job]):
                own = tables.base[job] + ((n * units + a) * (units + 1) + b) * states
                state = plan.states[at, job]
                in_time = tables.latency[own + state] <= known[at, 0]
                if in_time and tables.energy[own + state] < least:
                    entry, least = own, tables.energy[own + state]
            for kind in range(len(tables.stride) - 1, -1, -1):
                step = tables.stride[kind]
                while tables.many[found[at, job], kind] and (
                    tables.latency[entry + found[at, job] - step]
                    == tables.latency[entry + found[at, job]]
                ):
                    found[at, job] -= step
    return found, known


@compiled
def _copy(source: Plan, target: Plan) -> None:
    target.number[:] = source.number
    target.cuts[:] = source.cuts
    target.states[:] = source.states


@compiled
def anneal_counts(
    tables: Tables,
    plans: tuple[Plan, Plan, Plan],
    moves: int,
    heats: tuple[float, float],
    rng: np.random.Generator,
) -> float:
    """One chain; the best plan is left in the second one.

    Args:
        tables: what plans cost.
        plans: where the chain begins; room for the best one, and for one more.
        moves: how many are drawn.
        heats: by which part the objective may rise, at the beginning and at the end.
        rng: of all draws.

    Returns:
        The best plan's objective, with under-estimated costs.
    """
    plan, best, saved = plans
    known = np.zeros((len(plan.states), 3))
    least, guide = _total(tables, plan, known, -1)
    _copy(plan, best)
    for move in range(moves):
        heat = heats[0] * (heats[1] / heats[0]) ** (move / moves)
        _copy(plan, saved)
        before = known.copy()
        made, changed = _move(tables, plan, rng)
        if made:
            value, guided = _total(tables, plan, known, changed)
            rise = np.log(guided / guide) if guide > 0 and guided > guide else 0.0
            if rise > 0 and rng.random() >= np.exp(-rise / heat):
                made = False
        if not made:
            _copy(saved, plan)
            known[:] = before
            continue
        guide = guided
        if value < least:
            least = value
            _copy(plan, best)
    return least
