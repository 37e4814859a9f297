"""What a model of several models is asked."""

from __future__ import annotations

from dataclasses import dataclass

from instances.cost.jobs import WorkloadCosts
from schedules.goal import Weights
from schedules.windows.evaluate import WindowEvaluation
from schedules.windows.goal import WindowGoal


@dataclass(frozen=True)
class Question:
    """What a model of a workload minimises, and what it may leave out.

    Attributes:
        costs: of the workload.
        goal: what a schedule may do; its objective does not matter here.
        weights: of latency and energy.
        period: the period of a single window is minimised instead.
        limit: what only costlier schedules use is left out; None if all shall be there.
    """

    costs: WorkloadCosts
    goal: WindowGoal
    weights: Weights
    period: bool = False
    limit: int | None = None

    @property
    def windows(self) -> int:
        """As many as there may be; more than there are units are of no use."""
        units = sum(own.job.units for own in self.costs.jobs)
        return 1 if self.period else min(self.goal.windows, units)

    @property
    def shared(self) -> bool:
        """Whether models take turns."""
        return self.goal.shared and not self.period and len(self.costs.jobs) > 1

    @property
    def prices(self) -> tuple[int, int]:
        """What a cycle of a window and a picojoule of a run cost."""
        if self.period:
            return 1, 0
        alpha, beta = self.weights
        return alpha + beta * self.costs.package.leakage, beta

    def cost(self, found: WindowEvaluation) -> int | None:
        """What is minimised; None for schedules that are not asked for.

        For the period these are all but a single window whose chiplets have one stage each.
        """
        if not self.period:
            return self.weights.cost(found)
        tiles = [s.tile for runs in found.windows for own in runs for s in own.run.stages]
        single = len(found.windows) == 1 and len(set(tiles)) == len(tiles)
        return found.period if single else None
