"""What every formulation offers, whatever engine its model is for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from formulations.modellers import Expression, Modeller, Solution
from instances.instance import Instance
from schedules.goal import Goal, Weights
from schedules.schedule import Schedule

FORMULATIONS = {
    "segment": "formulations.merged_pipeline.segment:Segments",
    "interval": "formulations.merged_pipeline.interval:Intervals",
    "compact": "formulations.merged_pipeline.compact:Compact",
}
"""Formulation -> where it lives; the strongest first."""


Report = Callable[[int | None], object]
"""Hears now and then, while a model is built, of a lower bound on its objective; None as long as
there is none. What it raises ends the building."""


def unheard(bound: int | None) -> None:
    """The report that nobody hears."""


class Formulation(Protocol):
    """A model that knows its schedules.

    Attributes:
        modeller: has the native model, `modeller.model`.
        variables: the model's variables, for constraints of one's own.
        latency: cycles of the schedule, as an expression; may exceed what the schedule takes
            where nothing presses it down.
        energy: picojoules, likewise; None unless the goal or the weights ask for energy.
        bound: a lower bound on the objective, from relaxations that the model rests on; None if
            there is none, or no schedule at all.
    """

    modeller: Modeller
    variables: Any
    latency: Expression
    energy: Expression | None
    bound: int | None

    def hint(self, schedule: Schedule) -> None:
        """Suggest a schedule: a value for every variable.

        Raises:
            ValueError: the schedule is no point of the model: it does not fit, breaks the goal, or
                costs more than the model's `limit`.
        """
        ...

    def extract(self, solution: Solution) -> Schedule:
        """The schedule of a solution."""
        ...


def formulate(  # noqa: PLR0913 - all that a model is built from
    name: str,
    instance: Instance,
    modeller: Modeller,
    goal: Goal | None = None,
    weights: Weights | None = None,
    limit: int | None = None,
    families: Sequence[str] | None = None,
    report: Report = unheard,
) -> Formulation:
    """Build the model of an instance.

    Args:
        name: one of FORMULATIONS.
        modeller: of the kind of engine that shall solve the model; a new one.
        goal: conditions on the schedule, and the objective unless `weights` are given.
        weights: the linear objective; those of the goal by default.
        limit: a weighted cost that some schedule is known to reach that obeys the goal: what only
            costlier schedules use is left out. Leave it out if you add constraints that this
            schedule may break.
        families: the constraint families to build, all by default; tests leave some out.
        report: hears of the bound while the model is built.

    Raises:
        ValueError: an unknown formulation, a goal without meaning, an objective that is no
            weighted sum, or costs too large for the modeller.
    """
    if name not in FORMULATIONS:
        raise ValueError(f"unknown formulation {name!r}: choose one of {', '.join(FORMULATIONS)}")
    module, kind = FORMULATIONS[name].split(":")
    goal = Goal() if goal is None else goal
    goal.check(instance)
    arguments = {} if families is None else {"families": families}
    build = getattr(importlib.import_module(module), kind)
    built: Formulation = build(
        instance,
        modeller,
        goal,
        goal.weights if weights is None else weights,
        limit,
        report=report,
        **arguments,
    )
    return built
