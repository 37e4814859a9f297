"""The segment model: each family binds, hints are complete, the optimum is that of all methods."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from ortools.sat.python.cp_model import INFEASIBLE, OPTIMAL, CpSolver

from formulations.merged_pipeline.segment_cpsat import FAMILIES, Segments
from instances.generate import random_instance
from instances.instance import Instance
from schedules.evaluate import latency
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations
from solvers.cpsat import cpsat_segment
from solvers.enumeration import enumerate_all

MakeInstance = Callable[..., Instance]

COMPLETE = "The solution hint is complete and is feasible"


def quiet_solver() -> CpSolver:
    """One thread, and Ctrl-C left alone."""
    solver = CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.catch_sigint_signal = False
    return solver


def optimum(instance: Instance, *left_out: str, upper: int | None = None) -> int | None:
    """The model's optimum without some families, None if it has no solution."""
    families = [family for family in FAMILIES if family not in left_out]
    formulation = Segments(instance, upper, families)
    solver = quiet_solver()
    status = solver.solve(formulation.model)
    assert status in (OPTIMAL, INFEASIBLE), formulation.model.validate()
    return round(solver.objective_value) if status == OPTIMAL else None


def best_of_all(instance: Instance) -> Progress:
    progress = Progress(instance)
    enumerate_all(instance, progress, seed=0, workers=1)
    return progress


@pytest.fixture
def gap(make_instance: MakeInstance) -> Instance:
    """Two stages on three chiplets: one is alone on its chiplet, but the area bound shares.

    Together they take 21 beats of 10 cycles, and never fewer than 7 by their area. Alone, one after
    the other, 20 beats of 4 cycles each.
    """
    return make_instance([[[10, 4, 4]]] * 2, resident=60, batch=20)


# In each test one family decides: with it the optimum is the expected one, without it the model
# promises a faster schedule. Others that would do the same work are left out of both models.


@pytest.mark.parametrize(
    ("family", "also"),
    [
        ("cover", ("count", "area")),
        ("count", ("cover", "area")),
        ("beat", ("area",)),
        ("package", ("area",)),
        ("area", ("package",)),
    ],
)
def test_a_family_binds(gap: Instance, family: str, also: tuple[str, ...]) -> None:
    assert optimum(gap, *also) == 2 * 20 * 4
    assert optimum(gap, *also, family) == 21 * 7


def test_path_binds(gap: Instance) -> None:
    assert optimum(gap) == 2 * 20 * 4
    assert optimum(gap, "path") == 0


@pytest.mark.parametrize("seed", range(150))
def test_the_optimum_is_the_best_of_all_schedules(seed: int) -> None:
    instance = random_instance(seed)
    progress = best_of_all(instance)
    assert optimum(instance) == progress.objective
    if progress.objective is not None:
        assert optimum(instance, upper=progress.objective) == progress.objective
        assert optimum(instance, upper=progress.objective + 20) == progress.objective
        assert optimum(instance, upper=progress.objective - 1) is None


@pytest.mark.parametrize("seed", range(40))
def test_the_root_bound_never_exceeds_the_optimum(seed: int) -> None:
    instance = random_instance(seed)
    objective = best_of_all(instance).objective
    for upper in (None, objective):
        bound = Segments(instance, upper).bound
        assert objective is None or (bound is not None and bound <= objective)


def test_the_time_limit_leaves_a_schedule_and_a_valid_bound() -> None:
    instance = random_instance(1, layers=16, chiplets=12, options=2, memory="loose")
    progress = Progress(instance, time_limit=0.001)
    assert cpsat_segment(instance, progress, seed=0, workers=1) == "time-limit"
    assert progress.objective is not None
    assert progress.bound is not None
    assert 0 < progress.bound < progress.objective


@pytest.mark.parametrize("seed", range(10))
def test_area_is_implied(seed: int) -> None:
    instance = random_instance(seed)
    assert optimum(instance, "area") == optimum(instance)


def test_example_of_the_problem_statement_takes_229_cycles(example: Instance) -> None:
    progress = Progress(example)
    assert cpsat_segment(example, progress, seed=0, workers=1) == "optimal"
    assert progress.objective == progress.bound == 229


def test_an_infeasible_instance_has_neither_schedule_nor_bound(
    make_instance: MakeInstance,
) -> None:
    instance = make_instance([[[10]], [[10]]], resident=[[[10]], [[101]]])
    progress = Progress(instance)
    assert cpsat_segment(instance, progress, seed=0, workers=1) == "infeasible"
    assert progress.best is None
    assert progress.bound is None


@pytest.mark.parametrize("seed", range(20))
def test_hints_are_feasible_and_never_slower_than_their_schedule(seed: int) -> None:
    instance = random_instance(seed, memory="loose", shape="dag" if seed % 2 else "chain")
    tables = instance.tables
    options = tables.options[:1]
    halves = max(1, tables.chiplets // 2)
    sizes = [halves, tables.chiplets - halves] if tables.chiplets > 1 else []
    segments, layer, count = [], 0, len(tables.layers)
    while layer < count:
        parts = sizes[: count - layer] if layer % 2 == 0 and sizes else [tables.chiplets]
        clusters = [Cluster(layer + k, layer + k, c, options) for k, c in enumerate(parts)]
        segments.append(Segment(tuple(clusters)))
        layer += len(clusters)
    schedule = Schedule(tuple(segments))
    assert violations(instance, schedule) == []
    for upper in (None, latency(instance, schedule)):
        formulation = Segments(instance, upper)
        formulation.hint(schedule)
        solver = quiet_solver()
        solver.parameters.fix_variables_to_their_hinted_value = True
        assert solver.solve(formulation.model) == OPTIMAL
        found = formulation.extract(solver)
        assert violations(instance, found) == []
        assert latency(instance, found) == round(solver.objective_value)
        assert latency(instance, found) <= latency(instance, schedule)


@pytest.mark.parametrize("seed", [1, 3, 8])
def test_the_solver_calls_the_hint_of_an_optimum_complete(seed: int) -> None:
    instance = random_instance(seed, layers=5, memory="loose", shape="dag")
    progress = best_of_all(instance)
    assert progress.best is not None
    formulation = Segments(instance)
    formulation.hint(Schedule((Segment((Cluster(0, 4, 1, ("ISP",) * 5),)),)))
    formulation.hint(progress.best)  # replaces the hint before
    lines: list[str] = []
    solver = quiet_solver()
    solver.parameters.log_search_progress = True
    solver.parameters.log_to_stdout = False
    solver.log_callback = lines.append
    assert solver.solve(formulation.model) == OPTIMAL
    assert any(COMPLETE in line for line in lines)


def test_a_schedule_that_is_no_point_of_the_model_is_refused(make_instance: MakeInstance) -> None:
    whole = Schedule((Segment((Cluster(0, 1, 1, ("ISP", "ISP")),)),))
    with pytest.raises(ValueError, match="does not fit the buffers, or is slower"):
        Segments(make_instance([[[10]]] * 2, resident=60)).hint(whole)
    apart = Schedule(tuple(Segment((Cluster(at, at, 1, ("ISP",)),)) for at in (0, 1)))
    with pytest.raises(ValueError, match="with a larger `upper`"):
        Segments(make_instance([[[10]]] * 2), upper=15).hint(apart)


def test_users_can_add_constraints_of_their_own(example: Instance) -> None:
    formulation = Segments(example)
    chosen = dict(zip(formulation.columns, formulation.variables.segment, strict=True))
    apart = [y for q, y in chosen.items() if q.first == q.last]
    formulation.model.add_bool_or(apart)
    solver = quiet_solver()
    assert solver.solve(formulation.model) == OPTIMAL
    assert round(solver.objective_value) == 21 + 8 * (17 + 13)


def test_variables_and_constraints_are_named_after_their_layers(example: Instance) -> None:
    formulation = Segments(example)
    constraints = {constraint.name for constraint in formulation.model.proto.constraints}
    assert {"path[a]", "cover[a,b,2,b]", "count[a,b,1]", "package[a,b,2]"} <= constraints
    variables = {variable.name for variable in formulation.model.proto.variables}
    assert {"segment[a,b,2]", "excess[a,b,2]"} <= variables


def test_numbers_that_would_overflow_are_refused() -> None:
    instance = random_instance(1, layers=14, chiplets=4, memory="loose")
    entry = instance.tables.entry.copy()
    entry[:, :, 0] = 2**49
    large = replace(instance, tables=replace(instance.tables, entry=entry), batch=8)
    with pytest.raises(ValueError, match="too large for CP-SAT's 64-bit integers"):
        Segments(large)


def test_numbers_beyond_the_known_latency_or_the_buffer_do_not_overflow(
    make_instance: MakeInstance,
) -> None:
    instance = make_instance([[[7, 2**61]]], resident=[[[3, 2**61]]], io=[[2]], batch=4)
    assert optimum(instance, upper=28) == 28
    assert optimum(instance) == 28
