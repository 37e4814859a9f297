"""How often methods that prove disagree with plain enumeration on random workloads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from experiments.agreement import Answer, agreement_measures, answer
from experiments.bars import Measure
from instances.generate_workload import random_workload
from schedules.windows.goal import OBJECTIVES, Objective, WindowGoal
from solvers.multi_model import solve_workload

METHODS = ("exact", "cpsat", "milp")

INSTANCES = 300

WAYS: tuple[tuple[str, bool, bool], ...] = (
    ("plain", True, False),
    ("shared", True, True),
    ("not pipelined", False, False),
)
"""Name, whether stages are pipelined, whether chiplets are shared; workloads take turns."""


@dataclass(frozen=True)
class Comparison:
    """One workload, one objective.

    Attributes:
        workload: its name.
        way: one of WAYS.
        objective: what is minimised.
        optimum: what enumeration finds, None if it proves that there is no schedule.
        found: by method, what it says.
    """

    workload: str
    way: str
    objective: Objective
    optimum: int | None
    found: dict[str, Answer]


def comparisons(
    seeds: Sequence[int],
    methods: Sequence[str] = METHODS,
    watch: Callable[[str], object] | None = None,
) -> Iterator[Comparison]:
    """Random workloads of 2 models with up to 4 layers each on 2 x 2 chiplets, all objectives.

    Args:
        seeds: one a workload; up to three windows.
        methods: that prove.
        watch: called with what is compared.
    """
    for seed, objective in product(seeds, OBJECTIVES):
        way, pipelined, shared = WAYS[seed % len(WAYS)]
        goal = WindowGoal(objective, windows=3, pipelined=pipelined, shared=shared)
        workload = random_workload(seed)
        if watch is not None:
            watch(f"{workload.name}: {objective}, {way}")
        truth = solve_workload(workload, "enumerate", goal=goal, workers=1)
        found = {
            method: answer(solve_workload(workload, method, goal=goal, workers=1, time_limit=60))
            for method in methods
        }
        yield Comparison(workload.name, way, objective, truth.objective, found)


def workload_measures(found: Sequence[Comparison]) -> list[Measure]:
    """By method: how many comparisons are wrong, and how many it left open."""
    return agreement_measures(found, f"{len(found)} comparisons")
