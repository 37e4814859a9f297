"""The segment model: each family binds, hints are complete, the optimum is that of all methods."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pulp
import pytest
from ortools.sat.python.cp_model import INFEASIBLE, OPTIMAL, CpSolver

from formulations.formulation import formulate
from formulations.merged_pipeline.segment import FAMILIES, Segments
from formulations.modellers import Modeller, Solution
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

MakeInstance = Callable[..., Instance]
RandomGoal = Callable[[Instance, int], Goal]

COMPLETE = "The solution hint is complete and is feasible"


@dataclass(frozen=True)
class Optimum:
    """What a solver found."""

    cost: int
    solution: Solution


def quiet_solver() -> CpSolver:
    """One thread, and Ctrl-C left alone."""
    solver = CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.catch_sigint_signal = False
    return solver


def by_cp_sat(modeller: Modeller) -> Optimum | None:
    """None if there is no solution."""
    solver = quiet_solver()
    status = solver.solve(modeller.model)
    assert status in (OPTIMAL, INFEASIBLE), modeller.model.validate()
    return None if status == INFEASIBLE else Optimum(round(solver.objective_value), solver)


def by_highs(modeller: Modeller) -> Optimum | None:
    modeller.model.solve(pulp.HiGHS(msg=False, threads=1, gapRel=0))
    if modeller.model.status == pulp.LpStatusInfeasible:
        return None
    assert modeller.model.status == pulp.LpStatusOptimal
    return Optimum(round(pulp.value(modeller.model.objective)), MilpSolution())


Kind = tuple[Callable[[], Modeller], Callable[[Modeller], Optimum | None]]
KINDS: list[Kind] = [(CpSatModeller, by_cp_sat), (MilpModeller, by_highs)]
both_kinds = pytest.mark.parametrize("kind", KINDS, ids=["cp", "milp"])


def optimum(kind: Kind, instance: Instance, *left_out: str, **arguments: Any) -> int | None:
    """The model's optimum without some families, None if it has no solution."""
    families = [family for family in FAMILIES if family not in left_out]
    modeller = kind[0]()
    Segments(instance, modeller, families=families, **arguments)
    found = kind[1](modeller)
    return None if found is None else found.cost


def best_of_all(instance: Instance, goal: Goal | None = None) -> Progress:
    progress = Progress(instance, goal=goal)
    enumerate_all(instance, progress, seed=0, workers=1)
    return progress


def with_energy(instance: Instance, **tables: Any) -> Instance:
    """The instance with some of its energy tables replaced; numbers broadcast."""
    energy = instance.tables.energy
    fresh: dict[str, Any] = {
        name: np.broadcast_to(np.array(value), np.shape(getattr(energy, name))).copy()
        for name, value in tables.items()
    }
    if "leakage" in fresh:
        fresh["leakage"] = int(fresh["leakage"])
    return replace(instance, tables=replace(instance.tables, energy=replace(energy, **fresh)))


def check_optimum(kind: Kind, instance: Instance, goal: Goal) -> None:
    """The model has the optimum of enumeration, whatever the limit, and its bound is below it."""
    progress = best_of_all(instance, goal)
    best = progress.objective
    limits = [None] if best is None else [None, best, best + 20]
    for limit in limits:
        modeller = kind[0]()
        formulation = Segments(instance, modeller, goal, limit=limit)
        found = kind[1](modeller)
        assert (found and found.cost) == best
        if found is None or progress.best is None:
            continue
        assert formulation.bound is not None
        assert formulation.bound <= found.cost
        schedule = formulation.extract(found.solution)
        assert not violations(instance, schedule)
        assert not breaches(instance, schedule, goal)
        assert goal.value(evaluate(instance, schedule)) == best
        formulation.hint(progress.best)
    if best is not None:
        assert optimum(kind, instance, goal=goal, limit=best - 1) is None


@both_kinds
@pytest.mark.parametrize("seed", range(80))
def test_the_optimum_is_the_fastest_of_all_schedules(seed: int, kind: Kind) -> None:
    check_optimum(kind, random_instance(seed), Goal())


@both_kinds
@pytest.mark.parametrize("seed", range(80, 140))
def test_the_optimum_is_the_least_energy_of_all_schedules(seed: int, kind: Kind) -> None:
    check_optimum(kind, random_instance(seed), Goal("energy"))


@both_kinds
@pytest.mark.parametrize("seed", range(150))
def test_the_optimum_is_the_best_that_obeys_the_goal(
    seed: int, kind: Kind, random_goal: RandomGoal
) -> None:
    instance = random_instance(seed)
    goal = random_goal(instance, seed)
    objective = "latency" if goal.objective == "edp" else goal.objective
    check_optimum(kind, instance, replace(goal, objective=objective))


@both_kinds
@pytest.mark.parametrize("pin", [Pin(0, cluster=False), Pin(0, segment=False)])
def test_a_pinned_start_holds_for_tiled_layers_too(
    make_instance: MakeInstance, kind: Kind, pin: Pin
) -> None:
    instance = make_instance([[[9]]], alone=[5])
    assert optimum(kind, instance) == 5
    assert optimum(kind, instance, goal=Goal(pins=(pin,))) is None


@both_kinds
@pytest.mark.parametrize("seed", range(30))
def test_the_optimum_of_a_weighted_sum_is_that_of_more_leakage(seed: int, kind: Kind) -> None:
    """w cycles and one picojoule cost what energy costs if w more picojoules leak in a cycle."""
    instance = random_instance(seed)
    leaking = with_energy(instance, leakage=instance.tables.energy.leakage + 7)
    best = best_of_all(leaking, Goal("energy")).objective
    for limit in (None, None if best is None else 3 * best):
        found = optimum(kind, instance, weights=Weights(21, 3), limit=limit)
        assert found == (None if best is None else 3 * best)


@pytest.mark.parametrize("seed", range(10))
def test_latency_and_energy_are_those_of_the_schedule(seed: int) -> None:
    instance = random_instance(seed, memory="loose")
    formulation = Segments(instance, CpSatModeller(), weights=Weights(5, 3))
    found = by_cp_sat(formulation.modeller)
    assert found is not None
    costs = evaluate(instance, formulation.extract(found.solution))
    assert isinstance(found.solution, CpSolver)
    assert formulation.energy is not None
    assert found.solution.value(formulation.latency) == costs.latency
    assert found.solution.value(formulation.energy) == costs.energy


def test_energy_is_in_the_model_only_if_asked_for(example: Instance) -> None:
    assert Segments(example, CpSatModeller()).energy is None
    assert Segments(example, CpSatModeller(), Goal(energy_cap=9)).energy is not None
    assert Segments(example, CpSatModeller(), weights=Weights(1, 1)).energy is not None


@pytest.mark.parametrize("objective", ["latency", "energy"])
@pytest.mark.parametrize("seed", range(10))
def test_no_bound_is_missing_or_trivial(seed: int, objective: Any) -> None:
    instance = random_instance(seed, memory="loose")
    goal = Goal(objective)
    best = best_of_all(instance, goal).objective
    assert best is not None
    for limit in (None, best):
        bound = Segments(instance, CpSatModeller(), goal, limit=limit).bound
        assert bound is not None
        assert best / 2 < bound <= best


def test_the_bound_is_settled_where_the_relaxed_path_is_not_enough(
    make_instance: MakeInstance,
) -> None:
    """By its area the pair takes 21 beats of 7, by the refuted limits as much as alone: 160."""
    instance = make_instance([[[10, 4, 4]]] * 2, resident=60, batch=20)
    assert Segments(instance, CpSatModeller()).bound == 160


@both_kinds
@pytest.mark.parametrize("seed", range(10))
def test_area_is_implied(seed: int, kind: Kind) -> None:
    instance = random_instance(seed)
    assert optimum(kind, instance, "area") == optimum(kind, instance)


@pytest.mark.parametrize("seed", range(10))
def test_no_segment_is_left_below_the_optimum(seed: int) -> None:
    instance = random_instance(seed, memory="loose")
    best = best_of_all(instance).objective
    assert best is not None
    formulation = Segments(instance, CpSatModeller(), limit=best // 2)
    assert formulation.columns == []
    assert formulation.bound is None


@both_kinds
def test_an_infeasible_instance_has_neither_schedule_nor_bound(
    make_instance: MakeInstance, kind: Kind
) -> None:
    instance = make_instance([[[10]], [[10]]], resident=[[[10]], [[101]]])
    assert optimum(kind, instance) is None
    assert Segments(instance, kind[0]()).bound is None


def some_schedule(instance: Instance) -> Schedule:
    """Segments of one and two clusters by turns, all layers ISP."""
    tables = instance.tables
    options, count = tables.options[:1], len(tables.layers)
    halves = max(1, tables.chiplets // 2)
    sizes = [halves, tables.chiplets - halves] if tables.chiplets > 1 else []
    segments, layer = [], 0
    while layer < count:
        parts = sizes[: count - layer] if layer % 2 == 0 and sizes else [tables.chiplets]
        clusters = [Cluster(layer + k, layer + k, c, options) for k, c in enumerate(parts)]
        segments.append(Segment(tuple(clusters)))
        layer += len(clusters)
    return Schedule(tuple(segments))


@pytest.mark.parametrize("weights", [Weights(1, 0), Weights(0, 1), Weights(2, 3)])
@pytest.mark.parametrize("seed", range(20))
def test_hints_are_feasible_and_never_dearer_than_their_schedule(
    seed: int, weights: Weights
) -> None:
    instance = random_instance(seed, memory="loose", shape="dag" if seed % 2 else "chain")
    schedule = some_schedule(instance)
    assert violations(instance, schedule) == []
    cost = weights.cost(evaluate(instance, schedule))
    for limit in (None, cost):
        formulation = Segments(instance, CpSatModeller(), weights=weights, limit=limit)
        formulation.hint(schedule)
        solver = quiet_solver()
        solver.parameters.fix_variables_to_their_hinted_value = True
        assert solver.solve(formulation.modeller.model) == OPTIMAL
        found = formulation.extract(solver)
        assert violations(instance, found) == []
        assert weights.cost(evaluate(instance, found)) <= round(solver.objective_value) <= cost


@both_kinds
@pytest.mark.parametrize("seed", [1, 3, 8])
def test_a_hint_gives_every_variable_a_value(seed: int, kind: Kind) -> None:
    instance = random_instance(seed, layers=5, memory="loose", shape="dag")
    formulation = Segments(instance, kind[0](), weights=Weights(1, 1))
    formulation.hint(some_schedule(instance))
    if isinstance(formulation.modeller, CpSatModeller):
        proto = formulation.modeller.model.proto
        assert sorted(proto.solution_hint.vars) == list(range(len(proto.variables)))
    else:
        model = formulation.modeller.model
        assert all(variable.varValue is not None for variable in model.variables())
        assert all(rule.valid(1e-6) for rule in model.constraints())


@pytest.mark.parametrize("seed", [1, 3, 8])
def test_the_solver_calls_the_hint_of_an_optimum_complete(seed: int) -> None:
    instance = random_instance(seed, layers=5, memory="loose", shape="dag")
    progress = best_of_all(instance)
    assert progress.best is not None
    formulation = Segments(instance, CpSatModeller())
    formulation.hint(Schedule((Segment((Cluster(0, 4, 1, ("ISP",) * 5),)),)))
    formulation.hint(progress.best)  # replaces the hint before
    lines: list[str] = []
    solver = quiet_solver()
    solver.parameters.log_search_progress = True
    solver.parameters.log_to_stdout = False
    solver.log_callback = lines.append
    assert solver.solve(formulation.modeller.model) == OPTIMAL
    assert any(COMPLETE in line for line in lines)


def test_a_schedule_that_is_no_point_of_the_model_is_refused(make_instance: MakeInstance) -> None:
    whole = Schedule((Segment((Cluster(0, 1, 1, ("ISP", "ISP")),)),))
    with pytest.raises(ValueError, match="does not fit the buffers, breaks the goal, or costs"):
        Segments(make_instance([[[10]]] * 2, resident=60), CpSatModeller()).hint(whole)
    apart = Schedule(tuple(Segment((Cluster(at, at, 1, ("ISP",)),)) for at in (0, 1)))
    with pytest.raises(ValueError, match="with a larger `limit`"):
        Segments(make_instance([[[10]]] * 2), CpSatModeller(), limit=15).hint(apart)
    pinned = Goal(pins=(Pin(1, segment=False),))
    with pytest.raises(ValueError, match="breaks the goal"):
        Segments(make_instance([[[10]]] * 2), CpSatModeller(), pinned).hint(apart)


@both_kinds
def test_users_can_add_constraints_of_their_own(example: Instance, kind: Kind) -> None:
    formulation = Segments(example, kind[0]())
    chosen = dict(zip(formulation.columns, formulation.variables.segment, strict=True))
    apart = [y for q, y in chosen.items() if q.first == q.last]
    formulation.modeller.require("apart", formulation.modeller.sum(apart) >= 1)
    found = kind[1](formulation.modeller)
    assert found is not None
    assert found.cost == 21 + 8 * (17 + 13)


def test_variables_and_constraints_are_named_after_their_layers(example: Instance) -> None:
    model = Segments(example, CpSatModeller()).modeller.model
    constraints = {constraint.name for constraint in model.proto.constraints}
    assert {"path[a]", "cover[a,b,2,b]", "count[a,b,1]", "package[a,b,2]"} <= constraints
    variables = {variable.name for variable in model.proto.variables}
    assert {"segment[a,b,2]", "excess[a,b,2]", "stage[a,b,2,a,a,1,44]"} <= variables


def test_the_model_is_made_by_its_name(example: Instance) -> None:
    formulation = formulate("segment", example, CpSatModeller(), limit=229)
    found = by_cp_sat(formulation.modeller)
    assert found is not None
    assert found.cost == formulation.bound == 229


def test_numbers_that_would_overflow_are_refused() -> None:
    instance = random_instance(1, layers=14, chiplets=4, memory="loose")
    entry = instance.tables.entry.copy()
    entry[:, :, 0] = 2**49
    large = replace(instance, tables=replace(instance.tables, entry=entry), batch=8)
    with pytest.raises(ValueError, match="too large for CP-SAT's 64-bit integers"):
        Segments(large, CpSatModeller())
    with pytest.raises(ValueError, match="too large for 64-bit integers"):
        Segments(large, MilpModeller(), weights=Weights(10**9, 0))
    with pytest.raises(ValueError, match=r"a cluster may take .* cycles, the limit is"):
        Segments(replace(large, batch=2**44), MilpModeller())


def test_numbers_beyond_the_known_latency_or_the_buffer_do_not_overflow(
    make_instance: MakeInstance,
) -> None:
    instance = make_instance([[[7, 2**61]]], resident=[[[3, 2**61]]], io=[[2]], batch=4)
    assert optimum(KINDS[0], instance, limit=28) == 28
    assert optimum(KINDS[0], instance) == 28
