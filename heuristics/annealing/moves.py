"""The moves of simulated annealing: small changes of one segment or of two neighbours.

SET's code (Cai et al., ISCA 2023; its src/sa.cpp) has seven moves on a tree of layers: two exchange
neighbours, two dissolve a group into its parent or make a range a group, two halve or double the
samples of a group, and one carries a layer into the group beside it. Gemini's (Cai et al., HPCA
2024; its src/spatial_mapping/light_placement.cpp) draws a layer's partition anew, gives a core from
one layer to another, whose partitions it then finds anew, exchanges two cores, and changes where
tensors are stored. Here the order of the layers is given, all samples of the batch take the same
way, and chiplets of a region are alike. So groups that come and go are what is left of SET's moves,
borders that shift stand for its carried layer, and options and chiplets are Gemini's. That there
are clusters inside segments, balancing, tiles, and all the details are ours.
"""

from __future__ import annotations

import numpy as np

from heuristics.annealing.refit import refit
from heuristics.annealing.state import CLUSTER, INSIDE, SEGMENT, STALE, TILED, Problem, State
from instances.jit import compiled, lean
from instances.stages import loading

(
    OPTIONS,
    REFIT,
    CHIPLETS,
    BALANCE,
    TOGGLE_CLUSTER,
    SHIFT_CLUSTER,
    TOGGLE_SEGMENT,
    SHIFT_SEGMENT,
    TOGGLE_TILES,
) = MOVES = range(9)
"""Kinds of moves."""

ODDS = np.array([20, 4, 20, 4, 14, 14, 10, 10, 2])
"""How often each kind is drawn, in proportion."""

SCALE = 2**12
"""Weights of regions are multiples of chiplets by this."""


@lean
def segment_at(state: State, layer: int) -> tuple[int, int]:
    """First layer of the segment around a layer, and the layer after its last."""
    first, after = layer, layer + 1
    while state.begins[first] < SEGMENT:
        first -= 1
    while state.begins[after] < SEGMENT:
        after += 1
    return first, after


@lean
def cluster_at(state: State, layer: int) -> tuple[int, int]:
    """First layer of the cluster around a layer, and the layer after its last."""
    first, after = layer, layer + 1
    while state.begins[first] == INSIDE:
        first -= 1
    while state.begins[after] == INSIDE:
        after += 1
    return first, after


@lean
def extent(state: State, layer: int, kind: int, forward: bool) -> tuple[int, int]:
    """The segments that a move can touch: first layer, and the layer after the last."""
    first, after = segment_at(state, layer)
    joins = kind == TOGGLE_SEGMENT and layer == first
    shifts = kind == SHIFT_SEGMENT
    if first > 0 and (joins or (shifts and not forward)):
        first, _ = segment_at(state, first - 1)
    if after < len(state.options) and shifts and forward:
        _, after = segment_at(state, after)
    return first, after


@compiled
def change(
    problem: Problem,
    state: State,
    layer: int,
    kind: int,
    forward: bool,
    rng: np.random.Generator,
) -> bool:
    """Make a move of some kind at a layer; whether there was one to make."""
    if kind == TOGGLE_SEGMENT:
        return toggle_segment(problem, state, layer, rng)
    if kind == SHIFT_SEGMENT:
        return shift_segment(state, layer, forward, rng)
    if kind == TOGGLE_TILES:
        return toggle_tiles(problem, state, layer)
    if state.begins[layer] == TILED:
        return False
    if kind == OPTIONS:
        return change_options(problem, state, layer, forward, rng)
    if kind == REFIT:
        return refit_cluster(problem, state, layer, rng)
    if kind == CHIPLETS:
        return move_chiplets(problem, state, layer, rng)
    if kind == BALANCE:
        return balance(problem, state, layer, rng)
    if kind == TOGGLE_CLUSTER:
        return toggle_cluster(problem, state, layer, rng)
    return shift_cluster(problem, state, layer, forward, rng)


@compiled
def change_options(
    problem: Problem, state: State, layer: int, forward: bool, rng: np.random.Generator
) -> bool:
    """One layer, or all from it to an end of its cluster, get some option."""
    first, after = cluster_at(state, layer)
    state.times[first] = STALE
    if rng.random() < 0.5:
        first, after = layer, layer + 1
    elif forward:
        first = layer
    else:
        after = layer + 1
    before = state.options[layer]
    option = rng.integers(0, problem.options)
    state.options[first:after] = option
    return option != before or after - first > 1


@compiled
def refit_cluster(problem: Problem, state: State, layer: int, rng: np.random.Generator) -> bool:
    """A cluster gets the fastest options that fit, as `refit` finds them."""
    first, after = cluster_at(state, layer)
    refit(problem, state, first, after, rng)
    return True


@compiled
def refit_stale(
    problem: Problem, state: State, first: int, after: int, rng: np.random.Generator
) -> None:
    """Refit the clusters within first..after-1 whose border, region or options have changed."""
    begin = first
    while begin < after:
        _, end = cluster_at(state, begin)
        if state.times[begin] == STALE and state.begins[begin] != TILED:
            refit(problem, state, begin, end, rng)
        begin = end


@compiled
def move_chiplets(problem: Problem, state: State, layer: int, rng: np.random.Generator) -> bool:
    """A cluster takes chiplets from another of its segment, or from those that idle.

    The taker is the slowest cluster or the one around the layer.
    """
    first, after = segment_at(state, layer)
    taker, _ = cluster_at(state, layer)
    if rng.random() < 0.5:
        for begin in range(first, after):
            if state.begins[begin] != INSIDE and state.times[begin] > state.times[taker]:
                taker = begin
    giver, _ = cluster_at(state, int(rng.integers(first, after)))
    if giver == taker:
        idle = problem.chiplets
        for begin in range(first, after):
            if state.begins[begin] != INSIDE:
                idle -= state.regions[begin]
        if idle > 0 and rng.random() < 0.5:
            state.regions[taker] += 1 + int(idle * rng.random() ** 2)
        elif state.regions[giver] > 1:
            state.regions[giver] -= 1
        else:
            return False
    else:
        most = state.regions[giver] - 1
        if most == 0:
            return False
        amount = int(most ** rng.random())
        state.regions[giver] -= amount
        state.regions[taker] += amount
        state.times[giver] = STALE
    state.times[taker] = STALE
    return True


@compiled
def share(problem: Problem, state: State, first: int, after: int, rng: np.random.Generator) -> bool:
    """Turn the weights that stand in `regions` into regions of the whole package, in proportion.

    Whether the package has a chiplet for each cluster.
    """
    number, weight = 0, 0
    for begin in range(first, after):
        if state.begins[begin] != INSIDE:
            number += 1
            weight += state.regions[begin]
    spare = problem.chiplets - number
    if spare < 0:
        return False
    total = 0
    for begin in range(first, after):
        if state.begins[begin] != INSIDE:
            total += max(0, state.regions[begin] * problem.chiplets - weight)
    if total == 0:
        total = 1
    given, passed, phase = 0, 0, rng.random()
    for begin in range(first, after):
        if state.begins[begin] != INSIDE:
            passed += max(0, state.regions[begin] * problem.chiplets - weight)
            until = int(passed / total * spare + phase)
            state.regions[begin] = 1 + until - given
            state.times[begin] = STALE
            given = until
    return True


@compiled
def balance(problem: Problem, state: State, layer: int, rng: np.random.Generator) -> bool:
    """A segment's clusters get regions in proportion to chiplets times cycles."""
    first, after = segment_at(state, layer)
    longest, number = 1, 0
    for begin in range(first, after):
        if state.begins[begin] != INSIDE:
            number += 1
            longest = max(longest, state.times[begin])
    if number == 1:
        return False
    for begin in range(first, after):
        if state.begins[begin] != INSIDE:
            part = SCALE * state.times[begin] / longest
            state.regions[begin] = max(1, int(state.regions[begin] * part))
    return share(problem, state, first, after, rng)


@lean
def part_of_work(problem: Problem, first: int, middle: int, after: int) -> float:
    """The part of the work of first..after-1 that lies before `middle`."""
    whole = problem.work[after] - problem.work[first]
    return (problem.work[middle] - problem.work[first]) / max(1, whole)


@compiled
def toggle_cluster(problem: Problem, state: State, layer: int, rng: np.random.Generator) -> bool:
    """The border of two clusters goes, or one cluster becomes two that share its chiplets."""
    if state.begins[layer] == CLUSTER:
        first, _ = cluster_at(state, layer - 1)
        state.regions[first] += state.regions[layer]
        state.begins[layer] = INSIDE
        state.times[first] = STALE
        return True
    first, after = cluster_at(state, layer)
    chiplets = state.regions[first]
    if layer == first or chiplets == 1:
        return False
    part = part_of_work(problem, first, layer, after)
    if rng.random() < 0.5:
        part = rng.random()
    state.regions[first] = min(chiplets - 1, max(1, int(chiplets * part + rng.random())))
    state.regions[layer] = chiplets - state.regions[first]
    state.begins[layer] = CLUSTER
    state.times[first] = state.times[layer] = STALE
    return True


@compiled
def shift_cluster(
    problem: Problem, state: State, layer: int, forward: bool, rng: np.random.Generator
) -> bool:
    """The border before or after a cluster moves to a layer inside it.

    With or without chiplets in proportion to the work that changes sides.
    """
    first, after = cluster_at(state, layer)
    border = after if forward else first
    if layer == first or state.begins[border] != CLUSTER:
        return False
    other = border if forward else cluster_at(state, border - 1)[0]
    part = part_of_work(problem, first, layer, after)
    part = 1 - part if forward else part
    amount = int(state.regions[first] * part + rng.random()) if rng.random() < 0.5 else 0
    amount = min(amount, state.regions[first] - 1)
    kept, grown = state.regions[first] - amount, state.regions[other] + amount
    state.begins[border], state.begins[layer] = INSIDE, CLUSTER
    if forward:
        state.regions[first], state.regions[layer] = kept, grown
        state.times[first] = state.times[layer] = STALE
    else:
        state.regions[other], state.regions[layer] = grown, kept
        state.times[other] = state.times[layer] = STALE
    return True


@lean
def weigh(state: State, first: int, after: int, factor: float) -> None:
    """Put weights in the place of regions: chiplets times a factor."""
    for begin in range(first, after):
        if state.begins[begin] != INSIDE:
            state.regions[begin] = max(1, int(SCALE * factor * state.regions[begin]))


@compiled
def toggle_segment(problem: Problem, state: State, layer: int, rng: np.random.Generator) -> bool:
    """Two segments become one, or one becomes two; clusters keep their proportions.

    Where two segments join, the clusters that meet may become one.
    """
    if layer == 0:
        return False
    if state.begins[layer] >= SEGMENT:
        first, _ = segment_at(state, layer - 1)
        _, after = segment_at(state, layer)
        early = state.totals[first] - loading(problem.costs, first, layer - 1)
        late = state.totals[layer] - loading(problem.costs, layer, after - 1)
        part = early / max(1, early + late)
        weigh(state, first, layer, part)
        weigh(state, layer, after, 1 - part)
        state.begins[first], state.begins[layer] = SEGMENT, CLUSTER
        if rng.random() < 0.5:
            last, _ = cluster_at(state, layer - 1)
            state.begins[layer] = INSIDE
            state.regions[last] += state.regions[layer]
        state.drams[first] = STALE
        return share(problem, state, first, after, rng)
    first, after = segment_at(state, layer)
    if state.begins[layer] == INSIDE:
        begin, _ = cluster_at(state, layer)
        state.regions[layer] = state.regions[begin]
    state.begins[layer] = SEGMENT
    state.drams[first] = state.drams[layer] = STALE
    return share(problem, state, first, layer, rng) and share(problem, state, layer, after, rng)


@compiled
def shift_segment(state: State, layer: int, forward: bool, rng: np.random.Generator) -> bool:
    """The border before or after a segment moves to a layer inside it.

    The layers that change sides join the cluster next to them.
    """
    first, after = segment_at(state, layer)
    border = after if forward else first
    if layer == first or border in (0, len(state.options)):
        return False
    begin, _ = cluster_at(state, layer)
    if forward:
        state.regions[layer] = state.regions[border]
        state.begins[border] = SEGMENT
        state.begins[layer : border + 1] = INSIDE
        other = layer
        if begin < layer:
            state.times[begin] = STALE
    else:
        other, _ = cluster_at(state, border - 1)
        state.regions[layer] = state.regions[begin]
        state.begins[border:layer] = INSIDE
        if state.begins[other] == TILED:
            state.begins[other] = SEGMENT
    state.begins[layer] = SEGMENT
    state.times[other] = state.times[layer] = STALE
    previous, _ = segment_at(state, layer - 1)
    state.drams[previous] = state.drams[layer] = STALE
    return True


@compiled
def toggle_tiles(problem: Problem, state: State, layer: int) -> bool:
    """A segment of one layer runs in weight tiles, or no longer."""
    if state.begins[layer] < SEGMENT or state.begins[layer + 1] < SEGMENT:
        return False
    state.begins[layer] = TILED if state.begins[layer] == SEGMENT else SEGMENT
    state.regions[layer] = problem.chiplets
    state.times[layer] = state.drams[layer] = STALE
    return True
