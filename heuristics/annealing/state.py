"""A schedule as arrays over the layers, and what its segments cost.

A change marks what it touches as STALE; pricing computes only that anew.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.jit import compiled, lean
from instances.stages import (
    FAR,
    StageCosts,
    arrival,
    departure,
    dram,
    entry,
    loading,
    momentary,
    resident,
    sending,
    step,
)
from instances.tables import Ints

INSIDE, CLUSTER, SEGMENT, TILED = range(4)
"""What begins at a layer: nothing, a cluster, a segment, or a segment of one tiled layer."""

STALE = -1
"""A time that has to be computed anew."""


class Problem(NamedTuple):
    """An instance, for the kernels.

    Attributes:
        costs: of stages and segments.
        work: [L+1] prefix sums of the layers' cycles on one chiplet.
        batch: samples.
        options, chiplets: how many there are.
    """

    costs: StageCosts
    work: Ints
    batch: int
    options: int
    chiplets: int


class State(NamedTuple):
    """A schedule.

    Attributes:
        begins: [L+1] what begins at each layer; SEGMENT after the last.
        regions: [L] chiplets of the cluster that begins there; meaningless elsewhere.
        options: [L] option of each layer.
        times: [L] cycles a sample of the cluster that begins there, or STALE.
        drams: [L] cycles of DRAM traffic a sample of the segment that begins there, or STALE.
        totals: [L] cycles of the segment that begins there, all samples.
    """

    begins: Ints
    regions: Ints
    options: Ints
    times: Ints
    drams: Ints
    totals: Ints


def blank(count: int) -> State:
    """Every layer a segment of its own, nothing else settled."""
    zeros = [np.zeros(count, dtype=np.int64) for _ in range(5)]
    state = State(np.full(count + 1, SEGMENT, dtype=np.int64), *zeros)
    state.times[:] = state.drams[:] = STALE
    return state


@compiled
def start(problem: Problem, state: State) -> bool:
    """Fill a blank state with one layer a segment; whether every layer fits somehow.

    A layer takes the whole package, or weight tiles if they are faster. Where it fits in neither
    way it gets the most chiplets with which it fits: one that never does is in no schedule.
    """
    total = 0
    for layer in range(len(state.options)):
        alone, chiplets = problem.costs.alone[layer], problem.chiplets
        fastest = choose_option(problem, state, layer, chiplets)
        while fastest == FAR and alone < 0 and chiplets > 1:
            chiplets -= 1
            fastest = choose_option(problem, state, layer, chiplets)
        if fastest == FAR and alone < 0:
            return False
        if 0 <= alone < fastest:
            state.begins[layer], state.regions[layer] = TILED, problem.chiplets
        total += price(problem, state, layer, layer + 1, FAR)
    return total < FAR


@lean
def choose_option(problem: Problem, state: State, layer: int, chiplets: int) -> int:
    """Give a layer that is a segment a region and its fastest option; the beat, FAR if none."""
    fastest, best = FAR, 0
    state.regions[layer] = chiplets
    for option in range(problem.options):
        state.options[layer] = option
        time = stage_time(problem.costs, state, layer, layer)
        if time < fastest:
            fastest, best = time, option
    state.options[layer], state.times[layer] = best, STALE
    return fastest if fastest == FAR else max(fastest, dram(problem.costs, layer, layer))


@lean
def stage_time(costs: StageCosts, state: State, first: int, last: int) -> int:
    """Cycles a sample of the cluster first..last; FAR if it does not fit the buffer."""
    chiplets, own = state.regions[first], state.options[first]
    time = entry(costs, first, own, chiplets) + arrival(costs, first, first, own, chiplets)
    kept = resident(costs, first, own, chiplets)
    peak = momentary(costs, first, first, own, chiplets)
    for layer in range(first + 1, last + 1):
        before, own = own, state.options[layer]
        kept += resident(costs, layer, own, chiplets)
        peak = max(peak, momentary(costs, first, layer, own, chiplets))
        if kept + peak > costs.capacity:
            return FAR
        time += step(costs, layer, before, own, chiplets)
        time += arrival(costs, first, layer, own, chiplets)
    if kept + peak > costs.capacity:
        return FAR
    return time + sending(costs, last, own, chiplets) + departure(costs, first, last, chiplets)


@lean
def price(problem: Problem, state: State, first: int, after: int, limit: int) -> int:
    """Settle the totals of the segments within first..after-1.

    Returns:
        Their sum; FAR if one does not fit, or as soon as they are known to exceed the limit.
    """
    total = 0
    begin = first
    while begin < after:
        end = begin + 1
        while state.begins[end] < SEGMENT:
            end += 1
        cost = segment_total(problem, state, begin, end - 1, limit - total)
        if cost == FAR:
            return FAR
        state.totals[begin] = cost
        total += cost
        begin = end
    return total


@lean
def segment_total(problem: Problem, state: State, first: int, last: int, limit: int) -> int:
    """Cycles of a segment, loads included; FAR if it does not fit or exceeds the limit."""
    load = loading(problem.costs, first, last)
    if state.begins[first] == TILED:
        cost = load + problem.batch * problem.costs.alone[first]
        return cost if problem.costs.alone[first] >= 0 and cost <= limit else FAR
    clusters = 1
    for layer in range(first + 1, last + 1):
        if state.begins[layer] == CLUSTER:
            clusters += 1
    beats = problem.batch + clusters - 1
    slowest = (limit - load) // beats
    if state.drams[first] == STALE:
        state.drams[first] = dram(problem.costs, first, last)
    beat = state.drams[first]
    begin = first
    while begin <= last and beat <= slowest:
        end = begin
        while end < last and state.begins[end + 1] == INSIDE:
            end += 1
        if state.times[begin] == STALE:
            state.times[begin] = stage_time(problem.costs, state, begin, end)
        beat = max(beat, state.times[begin])
        begin = end + 1
    return load + beats * beat if beat <= slowest else FAR


@compiled
def layer_work(costs: StageCosts, count: int, options: int) -> Ints:
    """[L+1] prefix sums of the layers' cycles on one chiplet, each with its fastest option."""
    work = np.zeros(count + 1, dtype=np.int64)
    for layer in range(count):
        least = entry(costs, layer, 0, 1)
        for option in range(1, options):
            least = min(least, entry(costs, layer, option, 1))
        work[layer + 1] = work[layer] + least
    return work
