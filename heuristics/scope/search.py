"""Scope's search in its four steps (Huang et al., arXiv 2602.14393; the details are ours).

1. Segments: the shortest path over candidate segments, priced lazily (`path`).
2. Clusters: the fewest that keep a beat on the package (`cover`).
3. Regions: the smallest that keep the beat (`cover`).
4. Partitions: one switch from WSP to ISP in a cluster (`sweep`).
"""

from __future__ import annotations

import numpy as np

from heuristics.baselines import sequential
from heuristics.bounds import rising_bounds
from heuristics.scope.areas import areas_of
from heuristics.scope.candidates import Candidates, candidates, guess_again
from heuristics.scope.cover import (
    COUNTED,
    Rules,
    Task,
    best_cover,
    clusters_of,
    cover,
    new_cover,
)
from heuristics.scope.needs import Needs, guess_by_needs, needs_of
from heuristics.scope.path import (
    KNOWN_ONLY,
    beat_limits,
    from_start,
    path_to_end,
    promising,
)
from heuristics.scope.steps import SCOPE, WIDE, Steps
from heuristics.scope.sweep import best_options
from heuristics.scope.times import (
    StageTimes,
    even_sizes,
    region_sizes,
    stage_times,
    time_of,
)
from instances.instance import Instance
from instances.jit import compiled
from instances.stages import FAR, StageCosts, stage_costs
from instances.tables import Ints
from schedules.parallel import OutOfTimeError, in_parallel
from schedules.progress import Progress, Stop
from schedules.schedule import Cluster, Schedule, Segment


def scope(
    instance: Instance, progress: Progress, seed: int, workers: int, steps: Steps | None = None
) -> Stop:
    """Scope's search: segments, merged clusters, regions, one switch from WSP to ISP.

    It begins with the sequential schedule, so that it has something to return whenever it is
    stopped; unless it is given other steps, which that schedule may not follow.
    """
    if steps is None:
        sequential(instance, progress, seed, workers)
    return search(instance, progress, workers, steps or SCOPE)


def scope_plus(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """Scope's search, then a wider one with any partition of any layer, and a bound (ours)."""
    sequential(instance, progress, seed, workers)
    try:
        narrow = _Search(instance, progress, workers, SCOPE)
        narrow.run()
        _Search(instance, progress, workers, WIDE, narrow.needs).run()
    except OutOfTimeError:
        return "time-limit"
    if not progress.bounds:
        return "finished"
    for bound in rising_bounds(instance, progress.objective, lambda: progress.expired):
        progress.raise_bound(bound)
    if progress.proved:
        return "optimal"
    return "time-limit" if progress.expired else "finished"


def search(instance: Instance, progress: Progress, workers: int, steps: Steps) -> Stop:
    """Offer the best schedule that the steps lead to."""
    try:
        _Search(instance, progress, workers, steps).run()
    except OutOfTimeError:
        return "time-limit"
    return "finished"


class _Search:
    """One run: stage times and guesses first, then prices of candidates.

    Args:
        known: of a search before; they tell better which stages are of use.

    Raises:
        OutOfTimeError: the time limit passed.
    """

    def __init__(
        self,
        instance: Instance,
        progress: Progress,
        workers: int,
        steps: Steps,
        known: Needs | None = None,
    ) -> None:
        self.instance, self.progress, self.workers = instance, progress, workers
        self.steps = steps.for_depth(len(instance.layers))
        self.costs: StageCosts = stage_costs(instance.costs)
        self.changes = steps.allowed(instance.options)
        self.rules = Rules(instance.batch, instance.chiplets, steps.even, steps.precision)
        self.found: Candidates = candidates(
            self.costs, areas_of(self.costs), instance.batch, self.steps.resolution
        )
        progress.count("candidates", len(self.found.first))
        self.budget = steps.free + steps.budget * len(instance.layers)
        if known is not None:
            guess_again(self.found, known, instance.chiplets, instance.batch)
        self._look()

    def _look(self) -> None:
        """Stage times, and better guesses from them."""
        steps, chiplets, batch = self.steps, self.instance.chiplets, self.instance.batch
        limits = beat_limits(self.found, self.costs.loads, batch, steps.margin, steps.slack)
        self.stages: StageTimes = stage_times(
            self.costs,
            even_sizes(chiplets, COUNTED) if steps.even else region_sizes(chiplets, steps.fine),
            limits,
            self.changes,
            steps.ways,
            min(steps.longest, len(limits)),
            self.progress,
            self.workers,
        )
        self.progress.count("stage times", len(self.stages.times))
        self.needs: Needs = needs_of(
            self.stages, limits, chiplets, batch, self.progress, self.workers
        )
        guess_again(self.found, self.needs, chiplets, batch)

    def run(self) -> None:
        """Price what promises to be better, and offer the best each time it is settled."""
        singles = np.flatnonzero(self.found.first == self.found.last)
        try:
            self._price(singles, np.full(len(singles), FAR))
            for percent in self.steps.percents:
                self._settle(percent)
                self._offer()
        except OutOfTimeError:
            self._offer()
            raise

    def _settle(self, percent: int) -> None:
        """Price candidates until none promises a better path than the known ones.

        Or until the budget is spent, if there is a path.
        """
        while True:
            distance, _ = from_start(self.found, self.costs.loads, KNOWN_ONLY)
            chosen, below = promising(self.found, self.costs.loads, percent, int(distance[-1]))
            if distance[-1] < FAR:
                layers = self.found.last[chosen] - self.found.first[chosen] + 1
                chosen = chosen[: np.searchsorted(np.cumsum(layers), self.budget, "right")]
                self.budget -= int(layers[: len(chosen)].sum())
            if len(chosen) == 0:
                return
            self._price(chosen, below)

    def _offer(self) -> None:
        """The best path of known candidates, if there is one."""
        distance, by = from_start(self.found, self.costs.loads, KNOWN_ONLY)
        if distance[-1] < FAR:
            path = path_to_end(self.found, by).tolist()
            self.progress.offer(Schedule(tuple(self._segment(at) for at in path)))

    def _price(self, chosen: Ints, below: Ints) -> None:
        """Settle the costs of candidates as far as they are below what is of use."""
        self.progress.count("segments priced", len(chosen))
        parts = np.array_split(np.arange(len(chosen)), self.workers)

        def part(index: int) -> None:
            own = parts[index]
            _price(
                self.costs, self.stages, self.needs, self.rules, self.found, chosen[own], below[own]
            )

        for _ in in_parallel(part, len(parts), self.progress, self.workers):
            pass

    def _segment(self, at: int) -> Segment:
        """The segment of a priced candidate."""
        first, last = int(self.found.first[at]), int(self.found.last[at])
        names = self.instance.options
        if self.found.clusters[at] == 0:
            whole = Cluster(first, last, self.instance.chiplets, names[:1])
            return Segment((whole,), tiled=True)
        number, beat = int(self.found.clusters[at]), int(self.found.beats[at])
        task, room = (
            Task(first, last, 0, beat, beat, FAR),
            new_cover(last - first + 1, self.stages.longest),
        )
        number = cover(self.stages, task, self.rules, beat, number, room)
        begins, regions = clusters_of(task, number, room)
        ends = [*(begins[1:] - 1).tolist(), last]
        return Segment(
            tuple(
                self._cluster(begin, end, region)
                for begin, end, region in zip(begins.tolist(), ends, regions.tolist(), strict=True)
            )
        )

    def _cluster(self, first: int, last: int, chiplets: int) -> Cluster:
        _, chosen = best_options(self.costs, self.changes, self.steps.ways, first, last, chiplets)
        names = self.instance.options
        return Cluster(first, last, chiplets, tuple(names[option] for option in chosen))


@compiled
def _price(
    costs: StageCosts,
    stages: StageTimes,
    needs: Needs,
    rules: Rules,
    found: Candidates,
    chosen: Ints,
    below: Ints,
) -> None:
    """Fill in costs, clusters and beats of the chosen candidates."""
    longest = 1
    for at in chosen:
        longest = max(longest, found.last[at] - found.first[at] + 1)
    room = new_cover(longest, stages.longest)
    for k in range(chosen.shape[0]):
        at = chosen[k]
        first, last, dram = found.first[at], found.last[at], found.dram[at]
        if first == last:
            cost, clusters, beat = _single(costs, stages, rules, first, dram)
        else:
            _, beat, least = guess_by_needs(needs, first, last, rules.chiplets, rules.batch, dram)
            # The guess of the least beat is no bound; a little below it there may be a cover.
            task = Task(first, last, dram, beat, min(least, FAR // 100) * 95 // 100, below[k])
            cost, clusters, beat = best_cover(stages, task, rules, room)
        found.costs[at], found.clusters[at], found.beats[at] = cost, clusters, beat


@compiled
def _single(
    costs: StageCosts, stages: StageTimes, rules: Rules, layer: int, dram: int
) -> tuple[int, int, int]:
    """Cost, clusters and beat of a segment of one layer, no clusters if tiled is faster."""
    beat = FAR
    for g in range(stages.sizes.shape[0]):
        beat = min(beat, time_of(stages, layer, layer, g))
    alone = costs.alone[layer]
    if alone >= 0 and alone <= max(beat, dram):
        return rules.batch * alone, 0, alone
    if beat == FAR:
        return FAR, 0, 0
    return rules.batch * max(beat, dram), 1, max(beat, dram)
