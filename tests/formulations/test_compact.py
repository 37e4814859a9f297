"""The compact model: each family binds, every schedule is a point, hints are complete."""

import random
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from ortools.sat.python.cp_model import INFEASIBLE, OPTIMAL, CpSolver

from formulations.merged_pipeline.compact import FAMILIES, Compact
from instances.generate import random_instance
from instances.instance import Instance
from instances.tables import Skip
from schedules.evaluate import latency
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations
from solvers.enumeration import enumerate_all

MakeInstance = Callable[..., Instance]

COMPLETE = "The solution hint is complete and is feasible"


def optimum(instance: Instance, *left_out: str, upper: int | None = None) -> int | None:
    """The model's optimum without some families, None if it has no solution."""
    families = [family for family in FAMILIES if family not in left_out]
    return solve(Compact(instance, upper, families))


def solve(formulation: Compact) -> int | None:
    solver = quiet_solver()
    status = solver.solve(formulation.model)
    assert status in (OPTIMAL, INFEASIBLE), formulation.model.validate()
    return round(solver.objective_value) if status == OPTIMAL else None


def quiet_solver() -> CpSolver:
    """One thread, and Ctrl-C left alone."""
    solver = CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.catch_sigint_signal = False
    return solver


def skip(producer: int, *consumers: int, enter: int = 0, leave: int = 0, hold: int = 0) -> Skip:
    """A skip tensor for one option and one chiplet."""
    enters = np.full((len(consumers), 1, 1), enter)
    leaves, holds = np.full(1, leave), np.full(1, hold)
    no = np.zeros_like
    return Skip("t", producer, consumers, False, enters, leaves, holds, no(enters), no(leaves))


# Each test builds an instance in which one family decides: with it the optimum is the expected one
# (None: infeasible), without it the model promises a faster schedule, or any.


def flips(instance: Instance, family: str, *, on: int | None, off: int, also: str = "") -> None:
    """Assert both optima; `also` names a family that is left out of both models."""
    assert optimum(instance, also) == on
    assert optimum(instance, also, family) == off


def test_one_mode_binds(make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], resident=101), "one_mode", on=None, off=10)


@pytest.mark.parametrize("family", ["marginals", "package"])
def test_regions_count_against_the_package(make_instance: MakeInstance, family: str) -> None:
    instance = make_instance([[[10]], [[10]]], resident=60, batch=10)
    flips(instance, family, on=200, off=110, also="area")


def test_boundaries_bind(make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]]), "boundaries", on=10, off=0, also="area")


def test_one_region_binds(make_instance: MakeInstance) -> None:
    instance = make_instance([[[10, 90]], [[90, 90]]], [[[[90, 10]]]])
    flips(instance, "one_region", on=100, off=20)


def test_tiled_alone_binds_to_one_layer(make_instance: MakeInstance) -> None:
    instance = make_instance([[[50]], [[20]]], [[[[20]]]], alone=[5, -1])
    flips(instance, "tiled_alone", on=25, off=20)


def test_tiled_alone_binds_where_no_tile_fits(make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], resident=101), "tiled_alone", on=None, off=10)


def test_windows_bind(make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]] * 4, resident=60, skips=(skip(0, 3, enter=30),))
    flips(instance, "windows", on=70, off=40)


def test_receiving_binds(make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]] * 3, resident=60, skips=(skip(0, 2, enter=30),))
    flips(instance, "receiving", on=60, off=30)


def test_sending_binds(make_instance: MakeInstance) -> None:
    residents = [[[10]], [[10]], [[95]]]
    tensor = skip(0, 2, leave=7)
    instance = make_instance([[[10]]] * 3, resident=residents, skips=(tensor,))
    flips(instance, "sending", on=27, off=20)


def test_stage_time_binds(make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]], [[10]]], [[[[10]]]]), "stage_time", on=20, off=10, also="area")


def test_waiting_binds(make_instance: MakeInstance) -> None:
    tensor = skip(0, 2, hold=50)
    instance = make_instance([[[100]]] * 3, [[[[1]]]] * 2, working=60, skips=(tensor,))
    flips(instance, "waiting", on=201, off=102)


def test_resident_binds(make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]] * 2, resident=60), "resident", on=20, off=10)


def test_momentary_binds(make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]], resident=60, working=60)
    flips(instance, "momentary", on=None, off=10)


def test_momentary_binds_on_the_largest_layer_of_a_cluster(make_instance: MakeInstance) -> None:
    sizes = {"working": [[[60]], [[0]]], "resident": [[[0]], [[50]]]}
    flips(make_instance([[[10]]] * 2, **sizes), "momentary", on=20, off=10)


def test_capacity_binds(make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], resident=60, working=60), "capacity", on=None, off=10)


def test_one_beat_binds(make_instance: MakeInstance) -> None:
    instance = make_instance([[[10, 10]], [[50, 50]]], [[[[50, 50]]]], batch=10)
    flips(instance, "one_beat", on=550, off=100, also="area")


def test_slowest_stage_binds(make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], exit=5), "slowest_stage", on=15, off=10)


def test_dram_binds(make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], io=50), "dram", on=50, off=10)


def test_batch_binds(make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], exit=5, batch=3), "batch", on=45, off=30)


def test_area_bounds_what_the_other_families_leave_open(make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]], [[10]]], [[[[10]]]])
    flips(instance, "area", on=20, off=10, also="stage_time")


@pytest.mark.parametrize("seed", range(10))
def test_area_is_implied(seed: int) -> None:
    instance = random_instance(seed)
    assert optimum(instance, "area") == optimum(instance)


def test_example_of_the_problem_statement_takes_229_cycles(example: Instance) -> None:
    assert optimum(example) == 229


def test_a_known_latency_keeps_the_optimum_and_cuts_below_it(example: Instance) -> None:
    assert optimum(example, upper=229) == 229
    assert optimum(example, upper=150) is None


def test_a_tiled_layer_pays_neither_dram_nor_exit_nor_skips(make_instance: MakeInstance) -> None:
    costs = {"exit": 3, "io": 60, "alone": [20, -1, 20], "load": [1, 2, 3]}
    tensor = skip(0, 2, enter=9)
    instance = make_instance([[[50]]] * 3, resident=80, batch=2, skips=(tensor,), **costs)
    assert optimum(instance) == 6 + 2 * (20 + 60 + 20)


@pytest.mark.parametrize("seed", range(30))
def test_every_schedule_is_a_point_of_its_latency_and_hints_are_complete(seed: int) -> None:
    instance = random_instance(seed, memory="loose" if seed % 2 else "tight")
    schedule = random_schedule(instance, random.Random(seed))
    formulation = Compact(instance)
    formulation.hint(schedule)
    solver = quiet_solver()
    solver.parameters.fix_variables_to_their_hinted_value = True
    status = solver.solve(formulation.model)
    if violations(instance, schedule):
        assert status == INFEASIBLE
    else:
        assert status == OPTIMAL
        assert round(solver.objective_value) == latency(instance, schedule)
        assert formulation.extract(solver) == schedule


@pytest.mark.parametrize("seed", [1, 3, 8])
def test_the_solver_calls_the_hint_of_an_optimum_complete(seed: int) -> None:
    instance = random_instance(seed, layers=5, memory="loose", shape="dag")
    progress = Progress(instance)
    enumerate_all(instance, progress, seed=0, workers=1)
    assert progress.best is not None
    formulation = Compact(instance, upper=progress.objective)
    formulation.hint(Schedule((Segment((Cluster(0, 4, 1, ("ISP",) * 5),)),)))
    formulation.hint(progress.best)  # replaces the hint before
    lines: list[str] = []
    solver = quiet_solver()
    solver.parameters.log_search_progress = True
    solver.parameters.log_to_stdout = False
    solver.log_callback = lines.append
    assert solver.solve(formulation.model) == OPTIMAL
    assert any(COMPLETE in line for line in lines)


def test_users_can_add_constraints_of_their_own(example: Instance) -> None:
    formulation = Compact(example)
    v = formulation.variables
    assert v.mode[1][0][2].name == "mode[b,ISP,3]"
    formulation.model.add(v.segment_begins[1] == 1)
    assert solve(formulation) == 21 + 8 * (17 + 13)


def test_constraints_are_named_after_their_layers(example: Instance) -> None:
    names = {constraint.name for constraint in Compact(example).model.proto.constraints}
    assert {"capacity[a]", "stage_time[b]", "dram[a,b]", "one_mode[b]"} <= names


def test_numbers_that_would_overflow_are_refused(make_instance: MakeInstance) -> None:
    with pytest.raises(ValueError, match="too large for CP-SAT's 64-bit integers: sums of cycles"):
        Compact(make_instance([[[2**50]]], batch=2**12))
    with pytest.raises(ValueError, match="sums of bytes"):
        Compact(make_instance([[[1]]], resident=2**61, capacity=2**61))


def test_numbers_beyond_the_known_latency_or_the_buffer_do_not_overflow(
    make_instance: MakeInstance,
) -> None:
    instance = make_instance([[[7, 2**61]]], resident=[[[3, 2**61]]], batch=4)
    assert optimum(instance, upper=28) == 28


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
