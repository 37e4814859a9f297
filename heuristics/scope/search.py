"""Scope's search in its four steps (Huang et al., arXiv 2602.14393; the details are ours).

1. Segments: the shortest path over candidate segments (`search`, here).
2. Clusters: layers merge, from one layer a cluster downwards (`clusters.merge_layers`).
3. Regions: in proportion to load, then chiplets move to the bottleneck (`regions`).
4. Partitions: one switch from WSP to ISP (`stage.best_switch`).
"""

from __future__ import annotations

from heuristics.baselines import sequential
from heuristics.scope.clusters import merge_layers
from heuristics.scope.stage import best_switch, loads_on_one_chiplet
from instances.instance import Instance
from instances.stages import FAR, StageCosts, dram, loading, stage_costs
from instances.tables import Ints
from schedules.parallel import OutOfTimeError, in_parallel
from schedules.progress import Progress, Stop
from schedules.schedule import Cluster, Schedule, Segment

GROWTH = 1.2
"""Ratio of neighbouring candidate lengths of a segment."""


def scope(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    """Scope's search: segments, merged clusters, regions, one switch from WSP to ISP.

    It begins with the sequential schedule, which its own never exceeds, so that it has something
    to return whenever it is stopped.
    """
    sequential(instance, progress, seed, workers)
    search = _Search(instance)
    try:
        path = search.segments(progress, workers)
    except OutOfTimeError:
        return "time-limit"
    if path:
        progress.offer(Schedule(tuple(search.segment(first, last) for first, last in path)))
    return "finished"


def candidate_lengths(count: int) -> list[int]:
    """Lengths of segments to try: each GROWTH times the one before, O(log L) of them."""
    lengths, length = [], 1.0
    while length < count:
        lengths.append(int(length))
        length = max(length + 1, length * GROWTH)
    return [*lengths, count]


class _Search:
    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.costs: StageCosts = stage_costs(instance.costs)
        self.loads: Ints = loads_on_one_chiplet(self.costs)

    def segments(self, progress: Progress, workers: int) -> list[tuple[int, int]]:
        """Step 1: the cheapest path over O(L log L) candidate segments, tiled layers among them.

        Returns (first, last) pairs; none if no path fits.

        Raises:
            OutOfTimeError: the time limit passed.
        """
        count = len(self.instance.layers)
        cheapest = [0] + [FAR] * count
        begins = [0] * (count + 1)
        for first, costs in in_parallel(self._costs_from, count, progress, workers):
            for last, cost in costs.items():
                if cheapest[first] < FAR and cheapest[first] + cost < cheapest[last + 1]:
                    cheapest[last + 1] = cheapest[first] + cost
                    begins[last + 1] = first
        path = []
        end = count if cheapest[count] < FAR else 0
        while end > 0:
            path.append((begins[end], end - 1))
            end = begins[end]
        return path[::-1]

    def _costs_from(self, first: int) -> dict[int, int]:
        """Cost of each candidate segment from a layer, by its last layer, while they fit."""
        count = len(self.instance.layers)
        costs = {}
        for length in candidate_lengths(count):
            last = min(first + length, count) - 1
            if last not in costs:
                cost = self._cost(first, last)
                if cost < FAR:
                    costs[last] = cost
                elif last > first:
                    break
        return costs

    def _cost(self, first: int, last: int) -> int:
        """Cycles of a segment, weights included; FAR if it does not fit."""
        cost = self._merged(first, last)[0]
        if first == last and self.costs.alone[first] >= 0:
            cost = min(cost, self.instance.batch * int(self.costs.alone[first]))
        return FAR if cost == FAR else cost + int(loading(self.costs, first, last))

    def _merged(self, first: int, last: int) -> tuple[int, Ints, Ints]:
        chiplets = self.instance.chiplets
        merged: tuple[int, Ints, Ints] = merge_layers(
            self.costs,
            first,
            last,
            self.loads,
            chiplets,
            self.instance.batch,
            int(dram(self.costs, first, last)),
            chiplets,
        )
        return merged

    def segment(self, first: int, last: int) -> Segment:
        """The segment that steps 2 to 4 make of layers first..last."""
        cost, begins, regions = self._merged(first, last)
        alone = int(self.costs.alone[first]) if first == last else -1
        if alone >= 0 and self.instance.batch * alone <= cost:
            whole = Cluster(first, last, self.instance.chiplets, self.instance.options[:1])
            return Segment((whole,), tiled=True)
        ends = [*(begins[1:] - 1).tolist(), last]
        return Segment(
            tuple(
                self._cluster(begin, end, region)
                for begin, end, region in zip(begins.tolist(), ends, regions.tolist(), strict=True)
            )
        )

    def _cluster(self, first: int, last: int, chiplets: int) -> Cluster:
        options = self.instance.options
        _, switch, option = best_switch(self.costs, first, last, chiplets)
        early = (options[option],) * (switch - first)
        return Cluster(first, last, chiplets, early + options[:1] * (last + 1 - switch))
