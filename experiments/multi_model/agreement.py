"""How often methods that prove disagree with plain enumeration on random workloads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

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
        found: by method, its objective if it is proved; None if it proves that there is none, and
            'open' if it proves nothing.
    """

    workload: str
    way: str
    objective: Objective
    optimum: int | None
    found: dict[str, int | str | None]


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
        found: dict[str, int | str | None] = {}
        for method in methods:
            own = solve_workload(workload, method, goal=goal, workers=1, time_limit=60)
            proved = own.stop in ("optimal", "infeasible")
            found[method] = own.objective if proved else "open"
        yield Comparison(workload.name, way, objective, truth.objective, found)


def agreement_measures(found: Sequence[Comparison]) -> list[Measure]:
    """By method: how many comparisons are wrong, and how many it left open."""
    measures = []
    for method in found[0].found if found else ():
        own = [(c.found[method], c.optimum) for c in found]
        wrong = sum(value not in ("open", optimum) for value, optimum in own)
        open_ = sum(value == "open" for value, _ in own)
        note = f"{len(own)} comparisons"
        measures.append(Measure(f"{method}: not as enumeration says", wrong, 0, "", note))
        measures.append(Measure(f"{method}: not proved", open_, 0, "", note))
    return measures
