"""The interval model: each family binds, hints are complete, the optimum is that of all methods."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pulp
import pytest
from ortools.sat.python.cp_model import INFEASIBLE, OPTIMAL, CpSolver

from formulations.formulation import formulate
from formulations.merged_pipeline.interval import FAMILIES, Intervals
from formulations.modellers import Modeller, Solution
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller, MilpSolution
from instances.generate import random_instance
from instances.instance import Instance
from schedules.evaluate import evaluate
from schedules.goal import Goal, Weights, breaches
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations
from solvers.enumeration import enumerate_all

MakeInstance = Callable[..., Instance]
RandomGoal = Callable[[Instance, int], Goal]
Found = tuple[int, Solution]
Engine = Callable[[Intervals], Found | None]

COMPLETE = "The solution hint is complete and is feasible"


def quiet_solver() -> CpSolver:
    """One thread, and Ctrl-C left alone."""
    solver = CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.catch_sigint_signal = False
    return solver


def by_cp_sat(formulation: Intervals) -> Found | None:
    """Objective and solution; None if there is none."""
    solver = quiet_solver()
    status = solver.solve(formulation.modeller.model)
    assert status in (OPTIMAL, INFEASIBLE), formulation.modeller.model.validate()
    return None if status == INFEASIBLE else (round(solver.objective_value), solver)


def by_highs(formulation: Intervals) -> Found | None:
    model = formulation.modeller.model
    model.solve(pulp.HiGHS(msg=False, threads=1, gapRel=0))
    if model.status == pulp.LpStatusInfeasible:
        return None
    assert model.status == pulp.LpStatusOptimal
    return round(model.objective.value()), MilpSolution()


KINDS: list[tuple[Callable[[], Modeller], Engine]] = [
    (CpSatModeller, by_cp_sat),
    (MilpModeller, by_highs),
]
