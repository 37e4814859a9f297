"""The merged pipeline as a compact model: boundaries, regions, options, running sums.

Sets: layers l in 0..L-1, options o, region sizes c in 1..C. Every schedule that obeys the goal is a
point of the model, and every optimal point of the model is a schedule of the same cost;
docs/problem.md states the problem that is modelled. `Compact.modeller.model` and
`Compact.variables` are open: add constraints of your own before you solve.

The families stand in several files: `compact_stages` (regions, stages, memory, beats),
`compact_energy`, `compact_conditions` (what the user asks beside the objective), and, for what is
compressed, `compact_ratios` and `ratio_families`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from formulations.formulation import Report, unheard
from formulations.merged_pipeline.compact_conditions import Conditions
from formulations.merged_pipeline.compact_energy import Energies
from formulations.merged_pipeline.compact_horizon import Scope
from formulations.merged_pipeline.compact_points import point_of, schedule_of
from formulations.merged_pipeline.compact_ratios import CODING_FAMILIES, Coding
from formulations.merged_pipeline.compact_stages import Stages
from formulations.merged_pipeline.ratios import ratios_that_cross
from formulations.modellers import Modeller, Solution
from instances.instance import Instance
from schedules.evaluate import evaluate
from schedules.goal import Goal, Weights, breaches
from schedules.schedule import Schedule
from schedules.verify import violations

FAMILIES = (
    "one_mode",
    "horizon",
    "marginals",
    "boundaries",
    "one_region",
    "tiled_alone",
    "package",
    "windows",
    "receiving",
    "sending",
    "stage_time",
    "waiting",
    "resident",
    "momentary",
    "capacity",
    "one_beat",
    "slowest_stage",
    "dram",
    "batch",
    "area",
    "layer_energy",
    "exit_energy",
    "skip_energy",
    "dram_energy",
    "least_energy",
    "caps",
    "limits",
    "held",
    *CODING_FAMILIES,
)
"""The constraint families in the order in which they are built; each is a method of `Compact`."""


class Compact(Stages, Energies, Conditions, Coding):
    """The compact model of an instance.

    Attributes:
        modeller: has the native model, `modeller.model`.
        variables: its variables.
        latency: cycles of the schedule, as an expression.
        energy: picojoules, likewise; None unless the goal or the weights ask for energy.
        bound: None: the model brings no bound of its own.

    Args:
        modeller: of the kind of engine that shall solve the model; a new one.
        goal: conditions on the schedule, and the objective unless `weights` are given.
        weights: the linear objective; those of the goal by default.
        limit: a weighted cost that some schedule is known to reach that obeys the goal: domains
            shrink to it. Leave it out if you add constraints that this schedule may break.
        families: the constraint families to build, all by default; tests leave some out. What
            `capacity` and `caps` would forbid stays within the domains if they are left out.
        report: hears now and then while the model is built.

    Raises:
        ValueError: the costs are too large for the modeller, or the objective is a product.
    """

    bound: int | None = None

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
        goal = Goal() if goal is None else goal
        weights = goal.weights if weights is None else weights
        super().__init__(instance, modeller, Scope(goal, weights, limit, families))
        for family in families:
            report(self.bound)
            getattr(self, family)()
        self._minimize()

    def hint(self, schedule: Schedule) -> None:
        """Suggest a schedule: a value for every variable. Replaces an older hint.

        Raises:
            ValueError: the schedule is no point of the model: it does not fit, breaks the goal, or
                costs more than the model's `limit`.
        """
        wrong = violations(self._instance, schedule)
        wrong = wrong or breaches(self._instance, schedule, self._goal)
        limit = self._scope.limit
        if not wrong and limit is not None:
            cost = self._scope.weights.cost(evaluate(self._instance, schedule))
            if cost > limit:
                wrong = [f"it costs {cost}, the model is limited to {limit}"]
        if wrong:
            raise ValueError(f"the schedule is no point of the model: {'; '.join(wrong)}")
        choices = () if self._given is None else self._given.choices(schedule.ratios)
        self.modeller.hint(
            [
                *point_of(schedule, self._instance, self._crossings, self.variables, self.charged),
                *self._ratio_values(choices),
            ]
        )

    def extract(self, solution: Solution) -> Schedule:
        """The schedule of a solution; ask only a solver that has one."""
        schedule = schedule_of(solution, self._tables.options, self.variables)
        if self._given is None:
            return schedule
        found = {layer: k for (layer, k), u in self.ratio.items() if solution.value(u)}
        choices = [found.get(layer, 0) for layer in range(self._layers)]
        return replace(schedule, ratios=ratios_that_cross(self._given, schedule, choices))

    def _minimize(self) -> None:
        """Minimise the weighted sum of latency and energy."""
        weights = self._scope.weights
        cost = weights.latency * self.latency if weights.latency else 0
        if self.energy is not None and weights.energy:
            cost = cost + weights.energy * self.energy
        self.modeller.minimize(cost)
