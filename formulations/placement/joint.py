"""One segment, scheduled and placed at once: clusters with regions, and the beat.

A candidate is a cluster of neighbouring layers on one region of the mesh, with the least time that
any options and any places of the others leave it. What a choice of candidates costs beyond that,
because others are farther away or links are busy, is added as rules when it comes up: each rule
holds for every schedule, so that the model's optimum is a lower bound at all times (logic-based
Benders decomposition: Hooker, Ottosson, Mathematical Programming 96, 2003).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from formulations.modellers.protocol import Modeller, Solution, Variable, label


@dataclass(frozen=True)
class Candidate:
    """A cluster on a region.

    Attributes:
        first, last: its layers.
        region: its number.
        tiles: numbers of its tiles.
        time: a lower bound on its cycles a sample.
    """

    first: int
    last: int
    region: int
    tiles: tuple[int, ...]
    time: int


@dataclass(frozen=True)
class Rule:
    """What must be true of the beat if candidates of all groups are chosen.

    Attributes:
        groups: numbers of candidates, of which no schedule has two of the same group.
        beat: cycles.
    """

    groups: tuple[tuple[int, ...], ...]
    beat: int


class JointModel:
    """The cheapest segment of given candidates.

    Attributes:
        chosen: of each candidate, 1 if it is in the schedule.
        counts: of each number of clusters k = 1.., 1 if there are so many.
        beat: cycles between two samples.
        cost: (batch + clusters - 1) * beat.
    """

    def __init__(  # noqa: PLR0913 - what a segment is
        self,
        modeller: Modeller,
        candidates: Sequence[Candidate],
        layers: range,
        tiles: int,
        batch: int,
        least: int,
        most: int,
        rules: Sequence[Rule] = (),
    ) -> None:
        """Build the model.

        Args:
            layers: of the segment.
            tiles: chiplets that compute.
            batch: samples of a run.
            least: the least beat that there can be.
            most: no segment that costs more matters.
        """
        self.modeller, self.candidates, self.batch = modeller, candidates, batch
        self.layers, self.tiles = layers, tiles
        deepest = min(len(layers), tiles)
        self.chosen = [
            modeller.binary(label("chosen", c.first, c.last, c.region)) for c in candidates
        ]
        self.counts = [modeller.binary(label("clusters", k)) for k in range(1, deepest + 1)]
        self.beat = modeller.quantity(least, most // batch, "beat")
        self.cost = modeller.quantity(batch * least, most, "cost")
        modeller.expect("the cost of a segment", (batch + deepest) * (most // batch))
        self.each_layer_is_in_one_cluster()
        self.clusters_follow_one_another()
        self.each_tile_has_one_owner()
        self.clusters_are_counted()
        self.the_beat_is_no_shorter_than_a_stage()
        self.each_beat_costs()
        for number, rule in enumerate(rules):
            self.add(number, rule)
        modeller.minimize(self.cost)

    def _sum(self, numbers: Sequence[int]) -> Variable:
        return self.modeller.sum([self.chosen[c] for c in numbers])

    def _where(self, **facts: int) -> list[int]:
        return [
            c
            for c, own in enumerate(self.candidates)
            if all(getattr(own, name) == value for name, value in facts.items())
        ]

    def _over(self, layer: int) -> list[int]:
        return [c for c, own in enumerate(self.candidates) if own.first <= layer <= own.last]

    def each_layer_is_in_one_cluster(self) -> None:
        """The sum over the candidates that hold layer l of x_c is 1."""
        for layer in self.layers:
            rule = self._sum(self._over(layer)) == 1
            self.modeller.require(label("covered", layer), rule)

    def clusters_follow_one_another(self) -> None:
        """As many candidates end with layer l-1 as begin with l: implied, but it propagates."""
        for layer in self.layers[1:]:
            ending, beginning = self._where(last=layer - 1), self._where(first=layer)
            rule = self._sum(ending) == self._sum(beginning)
            self.modeller.require(label("joined", layer), rule)

    def each_tile_has_one_owner(self) -> None:
        """The sum over the candidates whose region has tile t of x_c is at most 1."""
        for tile in range(self.tiles):
            own = [c for c, candidate in enumerate(self.candidates) if tile in candidate.tiles]
            self.modeller.require(label("owner", tile), self._sum(own) <= 1)

    def clusters_are_counted(self) -> None:
        """The sum of all x_c is k where counts_k = 1."""
        numbers = list(range(1, len(self.counts) + 1))
        self.modeller.require("one count", self.modeller.sum(self.counts) == 1)
        rule = self._sum(range(len(self.chosen))) == self.modeller.sum(self.counts, numbers)
        self.modeller.require("count", rule)

    def the_beat_is_no_shorter_than_a_stage(self) -> None:
        """For each layer l, beat >= the sum over the candidates that hold l of time_c * x_c."""
        for layer in self.layers:
            own = self._over(layer)
            times = [self.candidates[c].time for c in own]
            slowest = self.modeller.sum([self.chosen[c] for c in own], times)
            self.modeller.require(label("beat", layer), self.beat >= slowest)

    def each_beat_costs(self) -> None:
        """The cost is at least (batch + k - 1) * beat where counts_k = 1."""
        for k, count in enumerate(self.counts):
            rule = self.cost >= (self.batch + k) * self.beat
            self.modeller.require(label("cost", k + 1), rule, when=[count])

    def add(self, number: int, rule: Rule) -> None:
        """Beat >= rule.beat if each group has a chosen candidate."""
        active = self.modeller.binary(label("active", number))
        sums = [self._sum(group) for group in rule.groups]
        total = sum(sums[1:], sums[0])
        self.modeller.require(label("rule", number), total <= len(sums) - 1 + active)
        self.modeller.require(label("slower", number), self.beat >= rule.beat, when=[active])

    def picked(self, solution: Solution) -> Iterator[int]:
        """The chosen candidates, by layer."""
        found = [c for c, variable in enumerate(self.chosen) if solution.value(variable)]
        return iter(sorted(found, key=lambda c: self.candidates[c].first))
