"""The compact model as a whole: every schedule is a point, hints are complete, optima are true.

What concerns the constraints is tested in both kinds, as a CP-SAT and as a MILP model.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from ortools.sat.python.cp_model import OPTIMAL, CpSolver

from formulations.formulation import Formulation, formulate
from formulations.merged_pipeline.compact import FAMILIES, Compact
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller, MilpSolution
from instances.generate import random_instance
from instances.instance import Instance
from schedules.evaluate import evaluate
from schedules.goal import Goal, Pin, Weights, breaches
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations
from solvers.enumeration import enumerate_all

RandomGoal = Callable[[Instance, int], Goal]
Kind = type[CpSatModeller] | type[MilpModeller]
Solved = Callable[[Formulation], int | None]

COMPLETE = "The solution hint is complete and is feasible"


def quiet_solver() -> CpSolver:
    """One thread, and Ctrl-C left alone."""
    solver = CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.catch_sigint_signal = False
    return solver


class Optimum:
    """The optimum of a model without some families, None if it has no solution."""

    def __init__(self, solved: Solved) -> None:
        self.solved = solved

    def __call__(self, instance: Instance, kind: Kind, *left_out: str, **asked: Any) -> int | None:
        families = [family for family in FAMILIES if family not in left_out]
        return self.solved(Compact(instance, kind(), families=families, **asked))


@pytest.fixture
def optimum(solved: Solved) -> Optimum:
    return Optimum(solved)


def enumerated(instance: Instance, goal: Goal) -> int | None:
    """The best objective of all schedules."""
    progress = Progress(instance, goal=goal)
    enumerate_all(instance, progress, seed=0, workers=1)
    return progress.objective


@pytest.mark.parametrize("seed", range(100))
def test_cp_sat_finds_the_optimum_under_any_goal(
    optimum: Optimum, seed: int, random_goal: RandomGoal
) -> None:
    instance, goal = drawn(seed, random_goal)
    assert optimum(instance, CpSatModeller, goal=goal) == enumerated(instance, goal)


@pytest.mark.parametrize("seed", range(30))
def test_a_milp_engine_finds_the_optimum_under_any_goal(
    optimum: Optimum, seed: int, random_goal: RandomGoal
) -> None:
    instance, goal = drawn(seed, random_goal, layers=seed % 3 + 1)
    assert optimum(instance, MilpModeller, goal=goal) == enumerated(instance, goal)


def drawn(seed: int, random_goal: RandomGoal, **sizes: Any) -> tuple[Instance, Goal]:
    """A random instance with leakage in one of two, and a random goal with a linear objective."""
    instance = random_instance(seed, **sizes)
    if seed % 2:
        energy = replace(instance.tables.energy, leakage=3)
        instance = replace(instance, tables=replace(instance.tables, energy=energy))
    goal = random_goal(instance, seed)
    return instance, replace(goal, objective="energy") if goal.objective == "edp" else goal


@pytest.mark.parametrize("seed", range(10))
def test_implied_families_are_implied(optimum: Optimum, seed: int) -> None:
    instance = random_instance(seed)
    weights = Weights(2, 3)
    implied = ("horizon", "area", "least_energy")
    assert optimum(instance, CpSatModeller, *implied, weights=weights) == optimum(
        instance, CpSatModeller, weights=weights
    )


@pytest.mark.parametrize("weights", [Weights(1, 0), Weights(0, 1), Weights(5, 2)])
@pytest.mark.parametrize("seed", range(12))
def test_a_limit_keeps_the_optimum(
    optimum: Optimum, seed: int, weights: Weights, random_goal: RandomGoal
) -> None:
    instance, goal = drawn(seed, random_goal)
    free = optimum(instance, CpSatModeller, goal=goal, weights=weights)
    assert free == optimum(instance, CpSatModeller, goal=goal, weights=weights, limit=free)


def test_example_of_the_problem_statement_takes_229_cycles(
    optimum: Optimum, kind: Kind, example: Instance
) -> None:
    assert optimum(example, kind) == 229


def test_a_limit_below_the_optimum_leaves_nothing(
    optimum: Optimum, kind: Kind, example: Instance
) -> None:
    assert optimum(example, kind, limit=150) is None


@pytest.mark.parametrize("seed", range(40))
def test_every_schedule_is_a_point_of_its_cost_and_hints_are_complete(
    kind: Kind, seed: int, random_goal: RandomGoal
) -> None:
    instance, goal = drawn(seed, random_goal)
    instance = random_instance(seed, memory="loose") if seed % 2 else instance
    schedule = random_schedule(instance, random.Random(seed))
    weights = Weights(2, 5)
    for asked in (Goal(), goal, Goal(clusters=4, energy_cap=10**9)):
        formulation = Compact(instance, kind(), asked, weights)
        wrong = violations(instance, schedule) or breaches(instance, schedule, asked)
        if wrong:
            with pytest.raises(ValueError, match="is no point of the model: "):
                formulation.hint(schedule)
        else:
            formulation.hint(schedule)
            check = fixed_in_cp_sat if kind is CpSatModeller else fixed_in_milp
            cost, found = check(formulation)
            assert cost == weights.cost(evaluate(instance, schedule))
            assert found == schedule


def fixed_in_cp_sat(formulation: Compact) -> tuple[int, Schedule]:
    """The hint taken as the solution: its objective and schedule."""
    solver = quiet_solver()
    solver.parameters.fix_variables_to_their_hinted_value = True
    model = formulation.modeller.model
    assert len(model.proto.solution_hint.vars) == len(model.proto.variables)
    assert solver.solve(model) == OPTIMAL
    return round(solver.objective_value), formulation.extract(solver)


def fixed_in_milp(formulation: Compact) -> tuple[int, Schedule]:
    """The same for a MILP, whose rows are checked one by one."""
    problem = formulation.modeller.model
    for variable in problem.variables():
        assert variable.varValue is not None, variable.name
        assert variable.lowBound <= variable.varValue <= variable.upBound, variable.name
    broken = [name for name, rule in problem.constraints.items() if not rule.valid()]
    assert broken == []
    return round(problem.objective.value()), formulation.extract(MilpSolution())


@pytest.mark.parametrize("objective", ["latency", "energy"])
@pytest.mark.parametrize("seed", [1, 3, 8])
def test_the_solver_calls_the_hint_of_an_optimum_complete(seed: int, objective: Any) -> None:
    instance = random_instance(seed, layers=5, memory="loose", shape="dag")
    goal = Goal(objective, clusters=3, latency_cap=10**6)
    progress = Progress(instance, goal=goal)
    enumerate_all(instance, progress, seed=0, workers=1)
    assert progress.best is not None
    formulation = Compact(instance, CpSatModeller(), goal)
    formulation.hint(Schedule((Segment((Cluster(0, 4, 1, ("ISP",) * 5),)),)))
    formulation.hint(progress.best)  # replaces the hint before
    lines: list[str] = []
    solver = quiet_solver()
    solver.parameters.log_search_progress = True
    solver.parameters.log_to_stdout = False
    solver.log_callback = lines.append
    assert solver.solve(formulation.modeller.model) == OPTIMAL
    assert any(COMPLETE in line for line in lines)


def test_a_hint_beyond_the_limit_is_refused(kind: Kind, example: Instance) -> None:
    schedule = Schedule((Segment((Cluster(0, 1, 3, ("ISP", "ISP")),)),))
    cost = evaluate(example, schedule).latency
    Compact(example, kind(), limit=cost).hint(schedule)
    with pytest.raises(ValueError, match=f"it costs {cost}, the model is limited to {cost - 1}"):
        Compact(example, kind(), limit=cost - 1).hint(schedule)


def test_users_can_add_constraints_of_their_own(
    kind: Kind, solved: Solved, example: Instance
) -> None:
    formulation = formulate("compact", example, kind())
    assert isinstance(formulation, Compact)
    v = formulation.variables
    assert v.mode[1][0][2].name in ("mode[b,ISP,3]", "mode(b,ISP,3)")
    formulation.modeller.require("mine", v.segment_begins[1] == 1)
    assert solved(formulation) == 21 + 8 * (17 + 13)


def test_constraints_are_named_after_their_layers(example: Instance) -> None:
    goal = Goal(segments=1, clusters=2, chiplets=2, energy_cap=9, pins=(Pin(1, option="WSP"),))
    model = Compact(example, CpSatModeller(), goal).modeller.model
    names = {constraint.name for constraint in model.proto.constraints}
    assert {"capacity[a]", "stage_time[b]", "dram[a,b]", "one_mode[b]", "layer_energy[b]"} <= names
    assert {"segments", "clusters[a]", "chiplets[a]", "energy_cap", "held[b,option=WSP]"} <= names


def test_energy_costs_no_variable_where_it_decides_nothing(kind: Kind, example: Instance) -> None:
    formulation = Compact(example, kind())
    assert formulation.energy is None
    assert formulation.variables.energy is None
    assert Compact(example, kind(), weights=Weights(1, 1)).energy is not None


def random_schedule(instance: Instance, rng: random.Random) -> Schedule:
    """Any segments, clusters, sizes and options; the memory may not suffice."""
    tables = instance.tables
    layers, chiplets = len(tables.layers), tables.chiplets
    segments = []
    for first, after in cut(0, layers, layers, rng):
        if after == first + 1 and tables.alone[first] >= 0 and rng.random() < 0.5:
            whole = Cluster(first, first, chiplets, tables.options[:1])
            segments.append(Segment((whole,), tiled=True))
            continue
        parts = cut(first, after, chiplets, rng)
        sizes = [end - begin for begin, end in cut(0, chiplets, len(parts), rng)]
        sizes += [1] * (len(parts) - len(sizes))
        segments.append(
            Segment(
                tuple(
                    Cluster(begin, end - 1, size, tuple(rng.choices(tables.options, k=end - begin)))
                    for (begin, end), size in zip(parts, sizes, strict=False)
                )
            )
        )
    return Schedule(tuple(segments))


def cut(first: int, after: int, most: int, rng: random.Random) -> list[tuple[int, int]]:
    """first..after-1 in at most `most` intervals."""
    places = range(first + 1, after)
    count = rng.randint(0, min(len(places), most - 1))
    return list(pairwise([first, *sorted(rng.sample(places, count)), after]))
