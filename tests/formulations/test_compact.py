"""The compact model: each family binds, every schedule is a point, hints are complete.

What concerns the constraints is tested in both kinds, as a CP-SAT and as a MILP model.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pulp
import pytest
from ortools.sat.python.cp_model import INFEASIBLE, OPTIMAL, CpSolver

from formulations.formulation import formulate
from formulations.merged_pipeline.compact import FAMILIES, Compact
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller, MilpSolution
from instances.generate import random_instance
from instances.instance import Instance
from instances.tables import Skip
from schedules.evaluate import evaluate
from schedules.goal import Goal, Pin, Weights, breaches
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations
from solvers.enumeration import enumerate_all

MakeInstance = Callable[..., Instance]
RandomGoal = Callable[[Instance, int], Goal]
Kind = type[CpSatModeller] | type[MilpModeller]

KINDS = [CpSatModeller, MilpModeller]
CBC = pulp.PULP_CBC_CMD(msg=False, threads=1, options=["preprocess off"])
"""CBC 2.10.3's preprocessing cuts off the optimum of `test_one_beat_binds`."""

COMPLETE = "The solution hint is complete and is feasible"
ENERGY = Goal("energy")


@pytest.fixture(params=KINDS, ids=["cp-sat", "milp"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


def optimum(instance: Instance, kind: Kind, *left_out: str, **asked: Any) -> int | None:
    """The model's optimum without some families, None if it has no solution."""
    families = [family for family in FAMILIES if family not in left_out]
    return solve(Compact(instance, kind(), families=families, **asked))


def solve(formulation: Compact) -> int | None:
    return cp_sat(formulation) if in_cp_sat(formulation) else cbc(formulation)


def in_cp_sat(formulation: Compact) -> bool:
    return isinstance(formulation.modeller, CpSatModeller)


def cp_sat(formulation: Compact) -> int | None:
    solver = quiet_solver()
    status = solver.solve(formulation.modeller.model)
    assert status in (OPTIMAL, INFEASIBLE), formulation.modeller.model.validate()
    return round(solver.objective_value) if status == OPTIMAL else None


def cbc(formulation: Compact) -> int | None:
    problem = formulation.modeller.model
    status = problem.solve(CBC)
    assert status in (pulp.LpStatusOptimal, pulp.LpStatusInfeasible)
    return round(problem.objective.value()) if status == pulp.LpStatusOptimal else None


def quiet_solver() -> CpSolver:
    """One thread, and Ctrl-C left alone."""
    solver = CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.catch_sigint_signal = False
    return solver


def skip(
    producer: int,
    *consumers: int,
    enter: int = 0,
    leave: int = 0,
    hold: int = 0,
    enter_energy: int = 0,
    leave_energy: int = 0,
) -> Skip:
    """A skip tensor for one option and one chiplet."""
    shape = len(consumers), 1, 1
    return Skip(
        "t",
        producer,
        consumers,
        leaves=False,
        enter=np.full(shape, enter),
        leave=np.full(1, leave),
        hold=np.full(1, hold),
        enter_energy=np.full(shape, enter_energy),
        leave_energy=np.full(1, leave_energy),
    )


def with_energy(instance: Instance, leakage: int = 0, **given: Any) -> Instance:
    """The instance with energy tables, each a number or nested lists; zero if not given."""
    tables = instance.tables
    shaped = {
        name: np.broadcast_to(np.array(values), getattr(tables.energy, name).shape)
        for name, values in given.items()
    }
    energy = replace(tables.energy, leakage=leakage, **shaped)
    return replace(instance, tables=replace(tables, energy=energy))


# Each test builds an instance in which one family decides: with it the optimum is the expected one
# (None: infeasible), without it the model promises a faster schedule, or any.


class Flip:
    """Asserts a model's optimum with a family and without it, in one kind."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def __call__(
        self,
        instance: Instance,
        family: str,
        *,
        on: int | None,
        off: int,
        also: str = "",
        goal: Goal | None = None,
    ) -> None:
        """`also` names a family that is left out of both models."""
        assert optimum(instance, self.kind, also, goal=goal) == on
        assert optimum(instance, self.kind, also, family, goal=goal) == off


@pytest.fixture
def flips(kind: Kind) -> Flip:
    return Flip(kind)


def test_one_mode_binds(flips: Flip, make_instance: MakeInstance) -> None:
    # Without it, ISP on one chiplet and WSP on two at once count as less than either.
    sizes = {
        "resident": [[[60, 80, 80], [80, 60, 80]]],
        "working": [[[50, 60, 60], [60, 50, 60]]],
    }
    instance = make_instance([[[10, 10, 10]] * 2], **sizes)
    flips(instance, "one_mode", on=None, off=10, also="horizon")


def test_horizon_bounds_what_the_other_families_leave_open(
    flips: Flip, make_instance: MakeInstance
) -> None:
    instance = make_instance([[[10]]], resident=60, working=60)
    flips(instance, "horizon", on=None, off=10, also="momentary")


@pytest.mark.parametrize("family", ["marginals", "package"])
def test_regions_count_against_the_package(
    flips: Flip, make_instance: MakeInstance, family: str
) -> None:
    instance = make_instance([[[10]], [[10]]], resident=60, batch=10)
    flips(instance, family, on=200, off=110, also="area")


def test_boundaries_bind(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]]), "boundaries", on=10, off=0, also="area")


def test_one_region_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10, 90]], [[90, 90]]], [[[[90, 10]]]])
    flips(instance, "one_region", on=100, off=20)


def test_tiled_alone_binds_to_one_layer(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[50]], [[20]]], [[[[20]]]], alone=[5, -1])
    flips(instance, "tiled_alone", on=25, off=20)


def test_tiled_alone_binds_where_no_tile_fits(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], resident=101), "tiled_alone", on=None, off=10)


def test_windows_bind(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]] * 4, resident=60, skips=(skip(0, 3, enter=30),))
    flips(instance, "windows", on=70, off=40)


def test_receiving_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]] * 3, resident=60, skips=(skip(0, 2, enter=30),))
    flips(instance, "receiving", on=60, off=30)


def test_sending_binds(flips: Flip, make_instance: MakeInstance) -> None:
    residents = [[[10]], [[10]], [[95]]]
    tensor = skip(0, 2, leave=7)
    instance = make_instance([[[10]]] * 3, resident=residents, skips=(tensor,))
    flips(instance, "sending", on=27, off=20)


def test_stage_time_binds(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]], [[10]]], [[[[10]]]]), "stage_time", on=20, off=10, also="area")


def test_waiting_binds(flips: Flip, make_instance: MakeInstance) -> None:
    tensor = skip(0, 2, hold=50)
    instance = make_instance([[[100]]] * 3, [[[[1]]]] * 2, working=60, skips=(tensor,))
    flips(instance, "waiting", on=201, off=102)


def test_resident_binds(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]] * 2, resident=60), "resident", on=20, off=10)


def test_momentary_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]], resident=60, working=60)
    flips(instance, "momentary", on=None, off=10, also="horizon")


def test_momentary_binds_on_the_largest_layer_of_a_cluster(
    flips: Flip, make_instance: MakeInstance
) -> None:
    sizes = {"working": [[[60]], [[0]]], "resident": [[[0]], [[50]]]}
    flips(make_instance([[[10]]] * 2, **sizes), "momentary", on=20, off=10)


def test_capacity_binds(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], resident=60, working=60), "capacity", on=None, off=10)


def test_one_beat_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10, 10]], [[50, 50]]], [[[[50, 50]]]], batch=10)
    flips(instance, "one_beat", on=550, off=100, also="area")


def test_slowest_stage_binds(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], exit=5), "slowest_stage", on=15, off=10)


def test_dram_binds(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], io=50), "dram", on=50, off=10)


def test_batch_binds(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], exit=5, batch=3), "batch", on=45, off=30)


def test_area_bounds_what_the_other_families_leave_open(
    flips: Flip, make_instance: MakeInstance
) -> None:
    instance = make_instance([[[10]], [[10]]], [[[[10]]]])
    flips(instance, "area", on=20, off=10, also="stage_time")


def test_layer_energy_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = with_energy(make_instance([[[1, 1]]] * 2), entry=[[[70, 80]], [[9, 9]]], step=20)
    flips(instance, "layer_energy", on=79, off=0, also="least_energy", goal=ENERGY)


def test_layer_energy_binds_on_steps(flips: Flip, make_instance: MakeInstance) -> None:
    steps = [[[[0]] * 2] * 2, [[[70], [70]], [[60], [40]]]]
    instance = make_instance([[[1], [1]]] * 2)
    instance = with_energy(instance, entry=[[[5], [9]], [[99], [99]]], step=steps)
    flips(instance, "layer_energy", on=9 + 40, off=0, also="least_energy", goal=ENERGY)


def test_exit_energy_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = with_energy(make_instance([[[1]]] * 2, resident=60, batch=3), exit=7)
    flips(instance, "exit_energy", on=3 * (7 + 7), off=0, goal=ENERGY)


def test_skip_energy_binds_on_entering(flips: Flip, make_instance: MakeInstance) -> None:
    tensor = skip(0, 3, enter_energy=30)
    instance = make_instance([[[10]]] * 4, resident=[[[0]], [[60]], [[60]], [[0]]], skips=(tensor,))
    flips(instance, "skip_energy", on=30, off=0, goal=ENERGY)


def test_skip_energy_binds_on_leaving(flips: Flip, make_instance: MakeInstance) -> None:
    residents = [[[10]], [[10]], [[95]]]
    tensor = skip(0, 2, leave_energy=7)
    instance = make_instance([[[10]]] * 3, resident=residents, skips=(tensor,))
    instance = with_energy(instance, exit=[[[9]], [[0]], [[0]]])
    flips(instance, "skip_energy", on=7, off=0, goal=ENERGY)


def test_dram_energy_binds(flips: Flip, make_instance: MakeInstance) -> None:
    traffic = [[6, 50], [0, 8]]
    instance = with_energy(make_instance([[[1]]] * 2, batch=2), io=traffic)
    flips(instance, "dram_energy", on=2 * (6 + 8), off=0, goal=ENERGY)


def test_least_energy_bounds_what_layer_energy_leaves_open(
    flips: Flip, make_instance: MakeInstance
) -> None:
    instance = with_energy(make_instance([[[1]]] * 2), entry=[[[30]], [[40]]], step=20)
    flips(instance, "least_energy", on=50, off=0, also="layer_energy", goal=ENERGY)


def test_a_cap_on_latency_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = with_energy(make_instance([[[10, 8]]]), entry=[[[3, 5]]])
    flips(instance, "caps", on=5, off=3, goal=Goal("energy", latency_cap=9))
    flips(instance, "caps", on=None, off=8, goal=Goal(latency_cap=7))


def test_a_cap_on_energy_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = with_energy(make_instance([[[10, 8]]]), leakage=1, entry=[[[3, 7]]])
    flips(instance, "caps", on=10, off=8, goal=Goal(energy_cap=13))
    flips(instance, "caps", on=None, off=8, goal=Goal(energy_cap=12))


def test_a_limit_on_segments_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]] * 3, [[[[10]]], [[[90]]]], resident=[[[40]]] * 3)
    flips(instance, "limits", on=30, off=30, goal=Goal(segments=2))
    flips(instance, "limits", on=None, off=30, goal=Goal(segments=1))


def test_a_limit_on_clusters_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10, 10]]] * 2, batch=9, io=[[10, 10], [10, 10]], resident=60)
    flips(instance, "limits", on=180, off=100, goal=Goal(clusters=1))


def test_a_limit_on_chiplets_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[20, 10]]], alone=[5])
    flips(instance, "limits", on=20, off=5, goal=Goal(chiplets=1))


@pytest.mark.parametrize(
    ("pin", "on"),
    [
        (Pin(1, segment=True), 21 + 8 * (17 + 13)),
        (Pin(1, segment=False, cluster=True), 21 + 9 * 24),
        (Pin(0, chiplets=1), None),
        (Pin(1, option="ISP"), 0),
        (Pin(0, tiled=True), None),
        (Pin(0, cluster=False), None),
    ],
)
def test_pins_bind(kind: Kind, example: Instance, pin: Pin, on: int | None) -> None:
    goal = Goal(pins=(pin,))
    held = optimum(example, kind, goal=goal)
    assert held == enumerated(example, goal)
    assert held != 229
    assert optimum(example, kind, "held", goal=goal) == 229


def test_a_pin_on_all_chiplets_allows_a_tiled_layer(
    flips: Flip, make_instance: MakeInstance
) -> None:
    instance = make_instance([[[9, 20]]], alone=[15])
    flips(instance, "held", on=15, off=9, goal=Goal(pins=(Pin(0, chiplets=2),)))


# The model as a whole


def enumerated(instance: Instance, goal: Goal) -> int | None:
    """The best objective of all schedules."""
    progress = Progress(instance, goal=goal)
    enumerate_all(instance, progress, seed=0, workers=1)
    return progress.objective


@pytest.mark.parametrize("seed", range(100))
def test_cp_sat_finds_the_optimum_under_any_goal(seed: int, random_goal: RandomGoal) -> None:
    instance, goal = drawn(seed, random_goal)
    assert optimum(instance, CpSatModeller, goal=goal) == enumerated(instance, goal)


@pytest.mark.parametrize("seed", range(30))
def test_a_milp_engine_finds_the_optimum_under_any_goal(seed: int, random_goal: RandomGoal) -> None:
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
def test_implied_families_are_implied(seed: int) -> None:
    instance = random_instance(seed)
    weights = Weights(2, 3)
    implied = ("horizon", "area", "least_energy")
    assert optimum(instance, CpSatModeller, *implied, weights=weights) == optimum(
        instance, CpSatModeller, weights=weights
    )


@pytest.mark.parametrize("weights", [Weights(1, 0), Weights(0, 1), Weights(5, 2)])
@pytest.mark.parametrize("seed", range(12))
def test_a_limit_keeps_the_optimum(seed: int, weights: Weights, random_goal: RandomGoal) -> None:
    instance, goal = drawn(seed, random_goal)
    free = optimum(instance, CpSatModeller, goal=goal, weights=weights)
    assert free == optimum(instance, CpSatModeller, goal=goal, weights=weights, limit=free)


def test_example_of_the_problem_statement_takes_229_cycles(kind: Kind, example: Instance) -> None:
    assert optimum(example, kind) == 229


def test_a_limit_below_the_optimum_leaves_nothing(kind: Kind, example: Instance) -> None:
    assert optimum(example, kind, limit=150) is None


def test_a_tiled_layer_pays_neither_dram_nor_exit_nor_skips(
    kind: Kind, make_instance: MakeInstance
) -> None:
    costs = {"exit": 3, "io": 60, "alone": [20, -1, 20], "load": [1, 2, 3]}
    tensor = skip(0, 2, enter=9, enter_energy=900, leave_energy=700)
    instance = make_instance([[[50]]] * 3, resident=80, batch=2, skips=(tensor,), **costs)
    assert optimum(instance, kind) == 6 + 2 * (20 + 60 + 20)
    instance = with_energy(instance, exit=200, io=300, alone=[1, 0, 1], entry=5, load=10)
    assert optimum(instance, kind, goal=ENERGY) == 30 + 2 * (1 + 5 + 200 + 300 + 1)


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
            check = fixed_in_cp_sat if in_cp_sat(formulation) else fixed_in_milp
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


def test_users_can_add_constraints_of_their_own(kind: Kind, example: Instance) -> None:
    formulation = formulate("compact", example, kind())
    assert isinstance(formulation, Compact)
    v = formulation.variables
    assert v.mode[1][0][2].name in ("mode[b,ISP,3]", "mode(b,ISP,3)")
    formulation.modeller.require("mine", v.segment_begins[1] == 1)
    assert solve(formulation) == 21 + 8 * (17 + 13)


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


def test_numbers_that_would_overflow_are_refused_for_cp_sat_only(
    make_instance: MakeInstance,
) -> None:
    slow = make_instance([[[2**50]]], batch=2**12)
    large = make_instance([[[1]]], resident=2**61, capacity=2**61)
    costly = with_energy(make_instance([[[1]]]), entry=2**55)
    refused = "too large for CP-SAT's 64-bit integers: a sum of "
    with pytest.raises(ValueError, match=refused + "cycles"):
        Compact(slow, CpSatModeller())
    with pytest.raises(ValueError, match=refused + "bytes"):
        Compact(large, CpSatModeller())
    with pytest.raises(ValueError, match=refused + "picojoules"):
        Compact(replace(costly, batch=2**9), CpSatModeller(), ENERGY)
    with pytest.raises(ValueError, match="64-bit integers: the objective may reach"):
        Compact(costly, CpSatModeller(), weights=Weights(1, 2**9))
    assert cbc(Compact(slow, MilpModeller())) == pytest.approx(2**62)
    Compact(large, MilpModeller())
    Compact(costly, MilpModeller(), weights=Weights(1, 2**9))


def test_numbers_beyond_the_limit_or_the_buffer_do_not_overflow(
    kind: Kind, make_instance: MakeInstance
) -> None:
    instance = make_instance([[[7, 2**61]]], resident=[[[3, 2**61]]], batch=4)
    assert optimum(instance, kind, limit=28) == 28


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
