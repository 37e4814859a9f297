"""The cheapest placed segment of an interval of layers, proved by CP-SAT."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.protocol import Modeller
from formulations.placement.joint import Candidate, JointModel, Rule
from instances.tables import Ints
from schedules.parallel import OutOfTimeError
from schedules.schedule import Segment
from solvers.engines.engine import Outcome, Settings
from solvers.joint.linked import Linked, Place, Solve
from solvers.joint.placed_options import Trial, best_options
from solvers.joint.times import Times


@dataclass(frozen=True)
class Settled:
    """What is known of an interval.

    Attributes:
        cost: load left out; more than what was allowed if there is no such segment.
        segment: the cheapest, None if there is none of use.
        rounds: models solved.
    """

    cost: int
    segment: Segment | None
    rounds: int


class _Quiet:
    """Hears of nothing."""

    def solution(self, solution: object) -> bool:
        return True

    def bound(self, value: float) -> bool:
        return True


def solver(end: float | None, seed: int, workers: int) -> Solve:
    """What runs CP-SAT on a model until a moment of `time.perf_counter`."""
    from solvers.engines.cpsat import run

    def solve(modeller: Modeller) -> Outcome:
        if end is not None and time.perf_counter() >= end:
            raise OutOfTimeError
        settings = Settings(end=end, seed=seed, workers=workers)
        outcome = run("cp-sat", modeller.model, settings, _Quiet())
        if outcome.stop == "interrupted":
            raise KeyboardInterrupt
        return outcome

    return solve


def settle(
    times: Times,
    least: Ints,
    interval: tuple[int, int],
    most: int,
    solve: Solve,
) -> Settled:
    """The cheapest segment of an interval that costs at most `most`, load left out.

    Rounds of: the best choice of candidates by all rules so far; what it really costs; the rules
    that it broke. When the model has nothing that costs less than the best segment, that is proved.

    Args:
        least: [L,L,C] lower bounds on the times of clusters, as `least_times` tells them.

    Raises:
        OutOfTimeError: before the proof.
    """
    best, rounds = Settled(most + 1, None, 0), 0
    broken: list[_Broken] = []
    while True:
        candidates = list(_candidates(times, least, interval, best.cost - 1))
        model = _model(times, candidates, interval, best.cost - 1, broken)
        if model is None:
            return best
        rounds += 1
        outcome = solve(model.modeller)
        if outcome.stop == "infeasible":
            return Settled(best.cost, best.segment, rounds)
        if outcome.stop != "optimal" or outcome.solution is None:
            raise OutOfTimeError
        picked = [candidates[c] for c in model.picked(outcome.solution)]
        beat = outcome.solution.value(model.beat)
        trial = best_options(times, [(c.first, c.last, c.region) for c in picked], solve)
        cost = trial.cost.time - trial.cost.load
        if cost < best.cost:
            best = Settled(cost, trial.segment, rounds)
        broken += _broken(times, picked, trial, beat)
        if trial.linked is not None and trial.cost.beat > beat:
            broken.append(_overloaded(trial.linked, trial.cost.beat, best.cost))


@dataclass(frozen=True)
class _Far:
    """The cluster that has a layer lies so many hops or more from a region."""

    layer: int
    region: int
    hops: int


@dataclass(frozen=True)
class _Broken:
    """A beat that a model has to learn: where these clusters are chosen, and these are far."""

    places: tuple[Place, ...]
    far: tuple[_Far, ...]
    beat: int

    def rule(self, times: Times, candidates: Sequence[Candidate]) -> Rule:
        """In the numbers of candidates."""
        ways = times.regions.ways
        groups = [
            tuple(c for c, own in enumerate(candidates) if _place(own) == place)
            for place in self.places
        ]
        groups += [
            tuple(
                c
                for c, own in enumerate(candidates)
                if own.first <= far.layer <= own.last and ways[own.region, far.region] >= far.hops
            )
            for far in self.far
        ]
        return Rule(tuple(groups), self.beat)


def _place(candidate: Candidate) -> Place:
    return candidate.first, candidate.last, candidate.region


def _broken(
    times: Times, picked: Sequence[Candidate], trial: Trial, beat: int
) -> Iterator[_Broken]:
    """Clusters that take longer than the model's beat, because others are far."""
    begin = picked[0].first
    for own, hops, cycles in zip(picked, trial.hops, trial.times, strict=True):
        if cycles > beat:
            nearest = times.least_hops(*_place(own), begin)
            far = tuple(
                _Far(source, own.region, way)
                for source, way, least in zip(
                    times.sources(own.first, own.last), hops, nearest, strict=True
                )
                if way > least
            )
            yield _Broken((_place(own),), far, cycles)


def _overloaded(linked: Linked, beat: int, best: int) -> _Broken:
    """A few clusters whose links alone keep a segment from costing less than the best one."""
    batch = linked.times.instance.batch
    culprits, least = linked.culprits(beat, lambda clusters: -(-best // (batch + clusters - 1)))
    return _Broken(tuple(linked.places[k] for k in culprits), (), least)


def _model(
    times: Times,
    candidates: Sequence[Candidate],
    interval: tuple[int, int],
    most: int,
    broken: Sequence[_Broken],
) -> JointModel | None:
    """The model of an interval; None if no beat is short enough."""
    instance = times.instance
    least = max(1, int(instance.tables.io[interval]))
    if least * instance.batch > most:
        return None
    return JointModel(
        CpSatModeller(),
        candidates,
        range(interval[0], interval[1] + 1),
        instance.chiplets,
        instance.batch,
        least,
        most,
        [own.rule(times, candidates) for own in broken],
    )


def _candidates(
    times: Times, least: Ints, interval: tuple[int, int], most: int
) -> Iterator[Candidate]:
    """Clusters on regions that leave the others chiplets enough, by their bounds."""
    begin, end = interval
    batch, chiplets = times.instance.batch, times.instance.chiplets
    limit = most // batch
    before, after = _needed(least, begin, end, limit)
    for first in range(begin, end + 1):
        for last in range(first, end + 1):
            whole = (first, last) == interval
            slowest = limit if whole else most // (batch + 1)
            room = chiplets - int(before[first] + after[last + 1])
            for region, size in enumerate(times.regions.sizes.tolist()):
                if size <= room and times.allowed(first, last, size):
                    hops = times.least_hops(first, last, region, begin)
                    time, _ = times.fastest(first, last, region, hops)
                    if time <= slowest:
                        tiles = tuple(np.flatnonzero(times.regions.members[region]).tolist())
                        yield Candidate(first, last, region, tiles, time)


def _needed(least: Ints, begin: int, end: int, beat: int) -> tuple[Ints, Ints]:
    """[L+1] the fewest chiplets that the layers before, and from each one on, need for a beat."""
    count, _, chiplets = least.shape
    none = chiplets + 1
    fits = least <= beat
    own = np.where(fits.any(axis=2), fits.argmax(axis=2) + 1, none)
    before, after = np.full(count + 1, none), np.full(count + 1, none)
    before[begin] = after[end + 1] = 0
    for layer in range(begin + 1, end + 2):
        before[layer] = min(before[i] + own[i, layer - 1] for i in range(begin, layer))
    for layer in range(end, begin - 1, -1):
        after[layer] = min(own[layer, j] + after[j + 1] for j in range(layer, end + 1))
    return before, after
