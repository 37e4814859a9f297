"""The merged pipeline over columns: clusters and segments are intervals of layers.

Sets: layers l in 0..L-1; columns q, clusters i..j on c chiplets that take T cycles and E picojoules
a sample, all that are undominated; segments p, intervals s..e that are not tiled. `q over l` means
that column q contains layer l; likewise p. Variables: x[q], y[p], t[l], the column, the segment or
the tiled layer is in the schedule; b[l], a segment begins at l; beat[l] of the segment of l;
fill[l], that beat if a cluster begins at l. A segment of K clusters pays m+K-1 beats: m-1, and one
for each cluster. With least[p], a lower bound on the segment's beat, and

    D[p] = least[p] y[p] + excess[p],    excess[p] = 0 unless the segment is chosen,

    latency = loads + sum_p (m-1) D[p] + sum_l fill[l] + sum_l m alone[l] t[l]
    energy  = loads + leakage latency
              + m (sum_q E[q] x[q] + sum_p io[p] y[p] + sum_l alone[l] t[l]).

Columns and segments share nothing but sums over layers, so their numbers add up and do not
multiply. T'[q] is the larger of T[q] and the least beat of the segments that may use q. Bounds, and
what caps and a limit rule out, are those of interval_bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from formulations.formulation import Report, unheard
from formulations.merged_pipeline.interval_frame import Frame
from formulations.merged_pipeline.interval_points import point_of, refuse, schedule_of
from formulations.merged_pipeline.ratio_families import COLUMN_FAMILIES
from formulations.modellers import Modeller, Solution, Variable
from instances.instance import Instance
from schedules.goal import Goal, Weights
from schedules.schedule import Schedule

FAMILIES = (
    "path",
    "cover",
    "nested",
    "package",
    "depth",
    "segments",
    "chosen",
    "one_beat",
    "slowest_stage",
    "refill",
    "area",
    "useful",
    "price",
    "latency_cap",
    "energy_cap",
    "within_limit",
    *COLUMN_FAMILIES,
)
"""The constraint families in the order in which they are built; each is a method of `Intervals`."""


class Intervals(Frame):
    """The interval model of an instance: a `formulations.formulation.Formulation`.

    Attributes:
        modeller: has the native model, `modeller.model`.
        sets: the columns, segments and tiled layers.
        variables: the model's variables.
        latency: cycles; may exceed what the schedule takes where nothing presses it down.
        energy: picojoules, likewise; None unless the goal or the weights ask for energy.
        bound: no schedule that obeys the goal, and the limit, has an objective below; None if there
            is no such schedule.

    Args:
        limit: a weighted cost that some schedule is known to reach that obeys the goal: what only
            costlier schedules use is left out. Leave it out if you add constraints that this
            schedule may break; the model is then much larger.
        families: the constraint families to build, all by default; tests leave some out.

    Raises:
        ValueError: the costs are too large for the modeller.
    """

    def __init__(
        self,
        instance: Instance,
        modeller: Modeller,
        goal: Goal | None = None,
        weights: Weights | None = None,
        limit: int | None = None,
        families: Sequence[str] = FAMILIES,
        report: Report = unheard,
    ) -> None:
        super().__init__(instance, modeller, goal, weights, limit, report)
        for family in families:
            report(self.bound)
            getattr(self, family)()
        modeller.minimize(self._cost())

    def hint(self, schedule: Schedule) -> None:
        """Suggest a schedule: a value for every variable. Replaces an older hint.

        Raises:
            ValueError: the schedule is no point of the model: it does not fit, breaks the goal, or
                costs more than the model's `limit`.
        """
        refuse(self._instance, schedule, self._goal, self._weights, self._limit)
        if self._reduction is not None:
            schedule = self._reduction.settled(self._instance, schedule)
        values = [*point_of(schedule, self.sets, self.variables, self._own, self._depth)]
        self.modeller.hint([*values, *self._point_of_ratios(schedule)])

    def extract(self, solution: Solution) -> Schedule:
        """The schedule of a solution; ask only an engine that has one."""
        return schedule_of(solution, self.sets, self.variables, self._own)

    # Constraint families

    def path(self) -> None:
        """Segments are a path, b[0] = b[L] = 1.

        sum_{p from l} y[p] + t[l] = b[l]
        sum_{p to l} y[p] + t[l] = b[l+1]

        With it y[p] is 0 or 1 wherever b and t are.
        """
        for layer, name in enumerate(self._names):
            begin = self._segments(self._starting(layer)) + self._tiled(layer)
            end = self._segments(self._ending(layer)) + self._tiled(layer)
            self._require("path_from", name, begin == self._begins(layer))
            self._require("path_to", name, end == self._begins(layer + 1))

    def cover(self) -> None:
        """Each layer is in one cluster: sum_{q over l} x[q] + t[l] = 1."""
        for layer, name in enumerate(self._names):
            rule = self._columns(self._over(layer)) + self._tiled(layer) == 1
            self._require("cover", name, rule)

    def nested(self) -> None:
        """No cluster crosses into another segment: sum_{q over l-1 and l} x[q] <= 1 - b[l]."""
        for layer in range(1, len(self._names)):
            rule = self._columns(self._across(layer)) <= 1 - self._begins(layer)
            self._require("nested", self._names[layer], rule)

    def package(self) -> None:
        """A segment's regions are disjoint: `free` is an account of C for each segment.

        free[l] <= free[l-1] + C (b[l] - t[l]) - sum_{q from l} c x[q]
        free[l] <= C (1 - t[l]) - sum_{q over l} c x[q]

        What is free goes down with each cluster, and no segment begins with more than C.
        """
        sizes = [q.chiplets for q in self.sets.columns]
        self._account("package", self.variables.free, self._tables.chiplets, sizes)

    def depth(self) -> None:
        """At most D clusters a segment: `more` is an account of D of which each cluster takes 1."""
        if self._goal.clusters is not None:
            ones = [1] * len(self.sets.columns)
            self._account("depth", self.variables.more, self._depth, ones)

    def _account(
        self, family: str, account: Sequence[Variable], most: int, amounts: Sequence[int]
    ) -> None:
        for layer, name in enumerate(self._names):
            tiled = self._tiled(layer)
            left = most * (self._begins(layer) - tiled) - self._columns(self._from(layer), amounts)
            if layer > 0:
                left = left + account[layer - 1]
            self._require(family, name, account[layer] <= left)
            held = most * (1 - tiled) - self._columns(self._over(layer), amounts)
            self._require(f"{family}_own", name, account[layer] <= held)

    def segments(self) -> None:
        """At most N segments: 1 + sum_{l>0} b[l] <= N."""
        if self._goal.segments is not None:
            begins = list(self.variables.begins.values())
            rule = self.modeller.sum(begins) + 1 <= self._goal.segments
            self.modeller.require("segments", rule)

    def chosen(self) -> None:
        """excess[p] <= (most[p] - least[p]) y[p]."""
        for p, y, excess in zip(
            self.sets.segments, self.variables.segment, self.variables.excess, strict=True
        ):
            place = f"{self._names[p.first]},{self._names[p.last]}"
            self._require("chosen", place, excess <= (p.most - p.least) * y)

    def one_beat(self) -> None:
        """beat[l] = beat[l-1] + sum_{p from l} D[p] - sum_{p to l-1} D[p]: sum_{p over l} D[p]."""
        beat = self.variables.beat
        for layer, name in enumerate(self._names):
            total = self._beats(self._starting(layer))
            if layer > 0:
                total = total + beat[layer - 1] - self._beats(self._ending(layer - 1))
            self._require("one_beat", name, beat[layer] == total)

    def slowest_stage(self) -> None:
        """beat[l] >= sum_{q over l} T'[q] x[q]."""
        for layer, name in enumerate(self._names):
            slowest = self._columns(self._over(layer), self.sets.times)
            self._require("slowest_stage", name, self.variables.beat[layer] >= slowest)

    def refill(self) -> None:
        """A cluster that begins pays its segment's beat.

        fill[l] >= beat[l] - sum_{q over l-1 and l} most[q] x[q]
        fill[l] >= sum_{q from l} T'[q] x[q]

        most[q] is the longest beat of the segments that may use q. The second is implied.
        """
        most = np.zeros(len(self.sets.columns), dtype=np.int64)
        for p in self.sets.segments:
            most[p.useful] = np.maximum(most[p.useful], p.most)
        for layer, name in enumerate(self._names):
            fill = self.variables.fill[layer]
            running = self._columns(self._across(layer), most.tolist())
            self._require("refill", name, fill >= self.variables.beat[layer] - running)
            own = self._columns(self._from(layer), self.sets.times)
            self._require("refill_own", name, fill >= own)

    def area(self) -> None:
        """Chiplets times cycles of a segment: `spare` is an account of C D[p]. Implied.

        spare[l] <= spare[l-1] + sum_{p from l} C D[p] - sum_{q from l} c T'[q] x[q]
        spare[l] <= C beat[l] - sum_{q over l} c T'[q] x[q]
        """
        chiplets, spare = self._tables.chiplets, self.variables.spare
        areas = [q.chiplets * t for q, t in zip(self.sets.columns, self.sets.times, strict=True)]
        for layer, name in enumerate(self._names):
            left = chiplets * self._beats(self._starting(layer))
            left = left - self._columns(self._from(layer), areas)
            if layer > 0:
                left = left + spare[layer - 1]
            self._require("area", name, spare[layer] <= left)
            own = self._columns(self._over(layer), areas)
            held = chiplets * self.variables.beat[layer] - own
            self._require("area_own", name, spare[layer] <= held)

    def useful(self) -> None:
        """x[q] <= sum_p y[p] over the segments that may use q. Implied by limit and caps."""
        users: list[list[int]] = [[] for _ in self.sets.columns]
        around = np.zeros((len(self._names), len(self._names)), dtype=np.int64)
        for k, p in enumerate(self.sets.segments):
            around[p.first : p.last + 1, p.first : p.last + 1] += 1
            for q in p.useful.tolist():
                users[q].append(k)
        for k, q in enumerate(self.sets.columns):
            if len(users[k]) < around[q.first, q.last]:
                place = f"{self._names[q.first]},{self._names[q.last]},{q.chiplets}"
                self._require("useful", place, self.variables.stage[k] <= self._segments(users[k]))

    def price(self) -> None:
        """The objective is at least the sum of what its segments cost at least. Implied.

        Both sides without the loads, which every schedule pays.
        """
        sets, v = self.sets, self.variables
        costs = [ceil(p.cost) for p in sets.segments]
        tiled = [ceil(sets.tiled[layer]) for layer in v.tiled]
        least = self._segments(range(len(costs)), costs)
        least = least + self.modeller.sum(list(v.tiled.values()), tiled)
        self.modeller.require("price", self._cost() - sets.paid >= least)

    def latency_cap(self) -> None:
        """Latency <= its cap."""
        if self._goal.latency_cap is not None:
            self.modeller.require("latency_cap", self.latency <= self._goal.latency_cap)

    def energy_cap(self) -> None:
        """Energy <= its cap."""
        if self._goal.energy_cap is not None:
            self.modeller.require("energy_cap", self.energy <= self._goal.energy_cap)

    def within_limit(self) -> None:
        """The objective is at most the limit."""
        if self._limit is not None:
            self.modeller.require("within_limit", self._cost() <= self._limit)
