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
from formulations.merged_pipeline.interval import Intervals
from formulations.modellers import Modeller, Solution
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller, MilpSolution
from heuristics.scope import scope
from instances.cost import make_instance as build_instance
from instances.generate import random_instance
from instances.instance import Instance
from instances.networks import build_network
from instances.packages import load_package
from schedules.evaluate import evaluate
from schedules.goal import Goal, Pin, Weights, breaches
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
both_kinds = pytest.mark.parametrize("kind", KINDS, ids=["cp", "milp"])


def optimum(kind: Any, instance: Instance, **arguments: Any) -> int | None:
    """The model's optimum, None if it has no solution."""
    make, solve = kind
    found = solve(Intervals(instance, make(), **arguments))
    return None if found is None else found[0]


def best_of_all(instance: Instance, goal: Goal | None = None) -> Progress:
    progress = Progress(instance, goal=goal)
    enumerate_all(instance, progress, seed=0, workers=1)
    return progress


def reach(instance: Instance, goal: Goal | None = None) -> int:
    """The best of all schedules' objective; there is one."""
    objective = best_of_all(instance, goal).objective
    assert objective is not None
    return objective


def weighted(instance: Instance, weights: Weights) -> Instance:
    """An instance whose energy is the weighted cost of the given one."""
    tables, by = instance.tables, weights.energy
    energy = tables.energy
    tables = replace(
        tables,
        energy=replace(
            energy,
            **{
                name: by * getattr(energy, name)
                for name in ("entry", "step", "exit", "load", "io", "alone")
            },
            leakage=by * energy.leakage + weights.latency,
        ),
        skips=tuple(
            replace(s, enter_energy=by * s.enter_energy, leave_energy=by * s.leave_energy)
            for s in tables.skips
        ),
    )
    return replace(instance, tables=tables)


# Agreement with the best of all schedules.


def assert_solves(
    kind: Any, instance: Instance, best: int | None, limit: int | None, **given: Any
) -> None:
    """The model has the optimum `best`; its schedule has that cost and obeys the goal."""
    make, solve = kind
    formulation = Intervals(instance, make(), limit=limit, **given)
    found = solve(formulation)
    assert (None if found is None else found[0]) == best
    if found is None:
        return
    assert formulation.bound is not None
    assert best is not None
    assert formulation.bound <= best
    schedule = formulation.extract(found[1])
    goal: Goal = given["goal"]
    weights: Weights = given.get("weights", goal.weights)
    assert not violations(instance, schedule)
    assert not breaches(instance, schedule, goal)
    assert weights.cost(evaluate(instance, schedule)) == best


@both_kinds
@pytest.mark.parametrize("seed", range(60))
def test_the_optimum_is_that_of_all_schedules(
    kind: Any, seed: int, random_goal: RandomGoal
) -> None:
    instance = random_instance(seed)
    goal = random_goal(instance, seed)
    if goal.objective == "edp":
        goal = replace(goal, objective=("latency", "energy")[seed % 2])
    best = best_of_all(instance, goal).objective
    assert_solves(kind, instance, best, None, goal=goal)
    if best is not None:
        assert_solves(kind, instance, best, best, goal=goal)


@both_kinds
def test_a_pin_on_clusters_holds_for_tiled_layers(kind: Any, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]], [[10]]], [[[[10]]]], alone=[1, -1])
    assert optimum(kind, instance) == 1 + 10
    for pin in (Pin(1, cluster=False), Pin(1, segment=False)):
        assert optimum(kind, instance, goal=Goal(pins=(pin,))) == 20


@pytest.mark.parametrize("seed", range(10))
def test_energy_may_be_bounded_by_hand_while_latency_is_minimised(seed: int) -> None:
    instance = random_instance(seed, layers=3, chiplets=3, options=3, memory="loose")
    most = reach(instance, Goal("energy")) * 101 // 100
    formulation = Intervals(instance, CpSatModeller(), Goal("energy"), Weights(1, 0))
    formulation.modeller.model.add(formulation.energy <= most)
    found = by_cp_sat(formulation)
    assert found is not None
    assert found[0] == reach(instance, Goal(energy_cap=most))


@both_kinds
@pytest.mark.parametrize("seed", range(25))
def test_weights_mix_latency_and_energy(kind: Any, seed: int) -> None:
    instance, weights = random_instance(seed), Weights(Random(seed).randint(0, 40), 1 + seed % 3)
    best = best_of_all(weighted(instance, weights), Goal("energy")).objective
    limit = None if best is None else best + best // 20
    assert_solves(kind, instance, best, limit, goal=Goal(), weights=weights)


def test_example_of_the_problem_statement_takes_229_cycles(example: Instance) -> None:
    for kind in KINDS:
        assert optimum(kind, example) == 229


# Hints


@pytest.mark.parametrize("seed", range(25))
def test_every_schedule_is_a_point_that_costs_no_more(seed: int, random_goal: RandomGoal) -> None:
    instance = random_instance(seed)
    goal = replace(random_goal(instance, seed), objective=("latency", "energy")[seed % 2])
    found = best_of_all(instance, goal)
    if found.best is None:
        return
    for schedule in (found.best, spread(instance, found.best)):
        if violations(instance, schedule) or breaches(instance, schedule, goal):
            continue
        cost = goal.weights.cost(evaluate(instance, schedule))
        formulation = Intervals(instance, CpSatModeller(), goal, limit=cost)
        formulation.hint(schedule)
        solver = quiet_solver()
        solver.parameters.fix_variables_to_their_hinted_value = True
        assert solver.solve(formulation.modeller.model) == OPTIMAL
        assert round(solver.objective_value) <= cost


def spread(instance: Instance, schedule: Schedule) -> Schedule:
    """The schedule with every cluster that is not tiled a segment of its own on all chiplets."""
    chiplets, segments = instance.tables.chiplets, []
    for segment in schedule.segments:
        for own in segment.clusters:
            alone = replace(own, chiplets=chiplets)
            segments.append(segment if segment.tiled else Segment((alone,)))
    return Schedule(tuple(segments))


@pytest.mark.parametrize("objective", ["latency", "energy"])
def test_the_solver_calls_a_hint_complete(objective: Any) -> None:
    instance, goal = random_instance(1, options=2, memory="loose"), Goal(objective)
    best = best_of_all(instance, goal).best
    assert best is not None
    formulation = Intervals(instance, CpSatModeller(), goal)
    formulation.hint(spread(instance, best))
    formulation.hint(best)  # replaces the hint before
    lines: list[str] = []
    solver = quiet_solver()
    solver.parameters.log_search_progress = True
    solver.parameters.log_to_stdout = False
    solver.log_callback = lines.append
    assert solver.solve(formulation.modeller.model) == OPTIMAL
    assert any(COMPLETE in line for line in lines)


def test_a_milp_hint_has_a_value_for_every_variable_and_fulfils_every_row() -> None:
    instance = random_instance(4, options=1, layers=4, chiplets=4)
    best = best_of_all(instance)
    assert best.best is not None
    formulation = Intervals(instance, MilpModeller())
    formulation.hint(best.best)
    model = formulation.modeller.model
    assert all(variable.varValue is not None for variable in model.variables())
    assert all(constraint.valid() for constraint in model.constraints())
    assert round(pulp.value(model.objective)) == best.objective


def test_a_schedule_that_is_no_point_is_refused(make_instance: MakeInstance) -> None:
    def whole(chiplets: int) -> Schedule:
        return Schedule((Segment((Cluster(0, 1, chiplets, ("ISP", "ISP")),)),))

    instance = make_instance([[[10, 10]], [[10, 10]]], resident=[[[60, 40]], [[60, 40]]])
    with pytest.raises(ValueError, match=r"no point of the model: .* bytes"):
        Intervals(instance, CpSatModeller()).hint(whole(1))
    with pytest.raises(ValueError, match="uses 2 chiplets"):
        Intervals(instance, CpSatModeller(), Goal(chiplets=1)).hint(whole(2))
    with pytest.raises(ValueError, match="costs 10, the model's limit is 9"):
        Intervals(instance, CpSatModeller(), limit=9).hint(whole(2))


# The model


def test_users_can_add_constraints_of_their_own(example: Instance) -> None:
    formulation = formulate("interval", example, CpSatModeller())
    assert isinstance(formulation, Intervals)
    assert formulation.variables.begins[1].name == "segment_begins[b]"
    formulation.modeller.model.add(formulation.variables.begins[1] == 1)
    found = by_cp_sat(formulation)
    assert found is not None
    assert found[0] == 21 + 8 * (17 + 13)


def test_constraints_are_named_after_their_layers(example: Instance) -> None:
    model = Intervals(example, CpSatModeller()).modeller.model
    names = {constraint.name for constraint in model.proto.constraints}
    assert {"cover[a]", "package[b]", "slowest_stage[b]", "chosen[a,b]"} <= names


@pytest.mark.parametrize("network", ["alexnet", "vgg16", "resnet18"])
def test_the_bound_is_near_the_optimum_of_real_networks(network: str) -> None:
    instance = build_instance(build_network(network), load_package("simba-4x4"), batch=64)
    known = Progress(instance)
    scope(instance, known, 0, 1)
    formulation = Intervals(instance, CpSatModeller(), limit=known.objective)
    found = by_cp_sat(formulation)
    assert found is not None
    assert formulation.bound is not None
    assert 0.97 * found[0] <= formulation.bound <= found[0]


def test_there_is_no_bound_where_there_is_no_schedule(make_instance: MakeInstance) -> None:
    formulation = Intervals(make_instance([[[10]]], resident=101), CpSatModeller())
    assert formulation.bound is None
    assert by_cp_sat(formulation) is None


@pytest.mark.parametrize("traffic", range(8))
def test_a_limit_that_floats_cannot_tell_from_the_optimum_keeps_it(
    make_instance: MakeInstance, traffic: int
) -> None:
    """Costs beyond 2^53, as weights of a product make them: the cycles are lost in rounding."""
    instance = make_instance([[[1]]], batch=3)
    energy = replace(instance.tables.energy, io=np.array([[1]]))
    instance = replace(instance, tables=replace(instance.tables, energy=energy))
    weights = Weights(1, 2**52 + traffic)
    best = 3 * (weights.energy + 1)
    formulation = Intervals(instance, CpSatModeller(), weights=weights, limit=best)
    assert formulation.bound is not None
    assert formulation.bound <= best
    assert by_cp_sat(formulation) is not None


def test_numbers_that_would_overflow_are_refused_by_cp_sat_only(
    make_instance: MakeInstance,
) -> None:
    instance = make_instance([[[2**40]]], batch=2**20)
    with pytest.raises(ValueError, match="too large for CP-SAT's 64-bit integers"):
        Intervals(instance, CpSatModeller())
    assert by_highs(Intervals(instance, MilpModeller())) is not None
