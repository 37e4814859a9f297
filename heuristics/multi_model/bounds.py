"""Lower bounds on what any schedule of several models costs, for every goal (ours).

They rest on under-estimates of all runs (`kinds`): of time and energy together by a linear program
(`prices`), which leaves out where chiplets are and that windows are whole, but knows how far
pipelining goes with given mini-batches, and what waits for what; and of single windows by sharing
out chiplets exactly.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np

from heuristics.multi_model.kinds import STEPS, kind_runs
from heuristics.multi_model.prices import Prices, entries_of
from heuristics.multi_model.tables import job_tables
from instances.cost.jobs import WorkloadCosts
from instances.jit import compiled
from instances.stages import FAR
from instances.tables import Ints
from schedules.windows.goal import WindowGoal

PACE, SHARE = 4_000_000_000, 0.2
"""Steps of dynamic programs in a second, roughly, and their part of a run's time."""

LINES = 6
"""How many bounds on a sum of time and energy lead to one on their product."""

ENOUGH = Fraction(10_001, 10_000)
"""A line that raises the bound by no more is the last one."""

Line = tuple[Fraction, Fraction]
"""(h, alpha): T + alpha e >= h for all schedules."""


def lower_bound(costs: WorkloadCosts, goal: WindowGoal, seconds: float | None = None) -> int:
    """A value that no schedule is below, if there is a schedule.

    Args:
        costs, goal: of the workload.
        seconds: as in `timely`.
    """
    return timely(costs, goal, seconds).bound()


def timely(costs: WorkloadCosts, goal: WindowGoal, seconds: float | None) -> Bounds:
    """The bounds that a run has time for: with little, they are weaker.

    Args:
        costs, goal: of the workload.
        seconds: that the whole run has; None for no limit.
    """
    steps = STEPS
    if seconds is not None:
        steps = min(steps, int(seconds * SHARE * PACE) // len(costs.jobs))
    return Bounds(costs, goal, steps)


class Bounds:
    """The bounds of a workload for one goal.

    Args:
        costs, goal: of the workload.
        steps: of the dynamic program of each model's runs, at most.

    Attributes:
        runs: the under-estimated runs of each model.
    """

    def __init__(self, costs: WorkloadCosts, goal: WindowGoal, steps: int) -> None:
        self._goal, self._leakage = goal, costs.package.leakage
        self.runs = [
            kind_runs(job_tables(own), costs.package, pipelined=goal.pipelined, steps=steps)
            for own in costs.jobs
        ]
        package = costs.package
        self._chiplets = np.bincount(package.kind, minlength=len(package.kinds))
        both = goal.objective in ("energy", "edp")
        entries = [entries_of(own, goal.windows, energy=both) for own in self.runs]
        self._prices = Prices(entries, self._chiplets)

    def bound(self) -> int:
        """A value of the objective that no schedule is below, if there is a schedule.

        For throughput, a schedule of several windows, or with shared chiplets, has its latency as
        its period; in a single window without sharing, each model's slowest stage is no faster than
        its chiplets allow.
        """
        objective = self._goal.objective
        if objective == "latency":
            return self._time()
        if objective == "throughput":
            period = self._packed([own.period for own in self.runs])
            time = self._time()
            return min(time, period) if self._goal.pipelined else time
        time, energy = self._time(), self._energy()
        return self._total(time, energy) if objective == "energy" else self._product(time, energy)

    def _time(self) -> int:
        """Of the latency."""
        found = ceil(self._prices.bound(Fraction(0))[0])
        if self._goal.windows == 1 and not self._goal.shared:
            alone = [own.latency[:, 0, -1].min(axis=0) for own in self.runs]
            found = max(found, self._packed(alone))
        return found

    def _energy(self) -> int:
        """Of the picojoules without leakage: each model's least, all alone."""
        return self._prices.least_energy()

    def _packed(self, times: list[Ints]) -> int:
        """The least maximum of the models' times, side by side in a single window.

        FAR if there are too few chiplets for that.
        """
        return int(_packed(np.array(times), *self.runs[0].counts))

    def _total(self, time: int, energy: int) -> int:
        """Of energy with leakage, l (T + e / l)."""
        found = energy + self._leakage * time
        if self._leakage:
            line, alpha = self._prices.bound(Fraction(1, self._leakage))
            # alpha is 1 / l rounded down: what is missing of e is put right.
            rest = (1 - alpha * self._leakage) * energy
            found = max(found, ceil(line * self._leakage + rest))
        return found

    def _product(self, time: int, energy: int) -> int:
        """Of T (e + l T), from T >= time, e >= energy and lines T + alpha e >= h.

        What these allow is a convex polygon without upper limits. The product rises with T and e.
        A line is, with E = e + l T, (1 - alpha l) T + alpha E = h. Where the factor of T is not
        negative, T E is least at one end; where it is, E rises with T, and the lower end is least.
        So the least product is at a corner. The next line is that which touches the product at the
        corner found last.
        """
        lines: list[Line] = []
        corner, least = self._corner(lines, time, energy)
        for _ in range(LINES):
            t, e = corner
            lines.append(self._prices.bound(t / ((e + 2 * self._leakage * t) or Fraction(1))))
            corner, higher = self._corner(lines, time, energy)
            if higher <= least * ENOUGH:
                return ceil(higher)
            least = higher
        return ceil(least)

    def _corner(
        self, lines: list[Line], time: int, energy: int
    ) -> tuple[tuple[Fraction, Fraction], Fraction]:
        """The corner of the polygon with the least product, and that."""
        sides = [
            (Fraction(1), Fraction(0), Fraction(time)),
            (Fraction(0), Fraction(1), Fraction(energy)),
        ]
        sides += [(Fraction(1), alpha, h) for h, alpha in lines]
        found = []
        for k, (a, b, h) in enumerate(sides):
            for c, d, g in sides[:k]:
                across = a * d - b * c
                if across:
                    t, e = (h * d - b * g) / across, (a * g - h * c) / across
                    if all(t * x + e * y >= z for x, y, z in sides):
                        found.append((t * (e + self._leakage * t), (t, e)))
        least, corner = min(found)
        return corner, least


@compiled
def _packed(times: Ints, many: Ints, stride: Ints) -> int:
    """The least maximum of one time of each model, of chiplets that sum to no more than all."""
    states = len(many)
    reached = np.zeros(states, np.int64)
    for job in range(len(times)):
        after = np.full(states, FAR)
        for used in range(states):
            if reached[used] == FAR:
                continue
            for own in range(states):
                if times[job, own] == FAR:
                    continue
                fits = True
                for kind in range(len(stride)):
                    fits = fits and many[used, kind] + many[own, kind] <= many[states - 1, kind]
                if fits:  # then the numbers of the choices add up, too
                    both = used + own
                    after[both] = min(after[both], max(reached[used], times[job, own]))
        reached = after
    return reached.min()
