"""The method `cpsat`: what it claims in each of the ways in which a run can end."""

import os
import signal
from collections.abc import Callable

import pytest

from formulations.merged_pipeline.compact import FAMILIES, Compact
from instances.generate import random_instance
from instances.instance import Instance
from schedules.evaluate import latency
from schedules.progress import Progress, TracePoint, WrongScheduleError
from schedules.schedule import Cluster, Schedule, Segment
from solvers.cpsat import cpsat, run_formulation

MakeInstance = Callable[..., Instance]


def hard_instance() -> Instance:
    """First bounds come within a tenth of a second, a proof not within a minute."""
    return random_instance(1, layers=16, chiplets=12, options=2, memory="loose")


def test_example_of_the_problem_statement_takes_229_cycles(example: Instance) -> None:
    progress = Progress(example)
    assert cpsat(example, progress, seed=0, workers=1) == "optimal"
    assert progress.objective == progress.bound == 229


def test_an_infeasible_instance_has_neither_schedule_nor_bound(
    make_instance: MakeInstance,
) -> None:
    instance = make_instance([[[10]], [[10]]], resident=[[[10]], [[101]]])
    progress = Progress(instance)
    assert cpsat(instance, progress, seed=0, workers=1) == "infeasible"
    assert progress.best is None
    assert progress.bound is None


def test_a_layer_that_fits_only_on_few_chiplets_is_no_reason_to_give_up(
    make_instance: MakeInstance,
) -> None:
    instance = make_instance([[[10, 5]]], resident=[[[90, 110]]])
    progress = Progress(instance)
    assert cpsat(instance, progress, seed=0, workers=1) == "optimal"
    assert progress.objective == 10


@pytest.mark.parametrize("workers", [1, 4])
def test_the_time_limit_leaves_a_schedule_and_a_valid_bound(workers: int) -> None:
    instance = hard_instance()
    progress = Progress(instance, time_limit=1.5)
    assert cpsat(instance, progress, seed=0, workers=workers) == "time-limit"
    assert progress.seconds < 4
    assert progress.best is not None
    assert progress.objective == latency(instance, progress.best)
    assert progress.bound is not None
    assert 0 < progress.bound < progress.objective


def test_a_search_without_time_proves_nothing() -> None:
    instance = hard_instance()
    progress = Progress(instance, time_limit=1e-9)
    assert cpsat(instance, progress, seed=0, workers=1) == "time-limit"
    assert progress.objective is not None
    assert progress.bound is None or progress.bound < progress.objective


def test_ctrl_c_ends_the_search_with_the_best_schedule_so_far() -> None:
    instance = hard_instance()

    def press(point: TracePoint) -> None:
        if point.bound is not None and not pressed:
            pressed.append(point)
            os.kill(os.getpid(), signal.SIGINT)

    pressed: list[TracePoint] = []
    # Whoever ran CP-SAT before, with its own handling of Ctrl-C, left this process without one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    progress = Progress(instance, time_limit=60, listener=press)
    assert cpsat(instance, progress, seed=0, workers=2) == "interrupted"
    assert progress.seconds < 30
    assert progress.best is not None
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_a_schedule_that_is_known_already_starts_the_search(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("solvers.cpsat.sequential")  # not needed then
    progress = Progress(example)
    known = progress.offer(Schedule((Segment((Cluster(0, 1, 3, ("WSP", "WSP")),)),)))
    assert cpsat(example, progress, seed=0, workers=1) == "optimal"
    assert progress.objective == 229 <= known


@pytest.mark.parametrize("what", ["schedule", "bound"])
def test_what_goes_wrong_inside_the_search_is_not_lost(what: str) -> None:
    instance = hard_instance()

    def fail(point: TracePoint) -> None:
        if (point.bound if what == "bound" else point.objective) is not None:
            raise ZeroDivisionError(what)

    progress = Progress(instance, listener=fail)
    with pytest.raises(ZeroDivisionError, match=what):
        run_formulation(Compact(instance), progress, seed=0, workers=2)


def test_a_model_that_forgets_a_constraint_is_found_out(make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]], resident=60, working=60)
    families = [family for family in FAMILIES if family != "capacity"]
    with pytest.raises(WrongScheduleError, match="needs 120 bytes"):
        run_formulation(Compact(instance, families=families), Progress(instance), 0, 1)


def test_a_model_that_forgets_a_cost_is_found_out(make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]], io=50)
    families = [family for family in FAMILIES if family != "dram"]
    with pytest.raises(RuntimeError, match="optimum is 10 cycles, but its schedule takes 50"):
        run_formulation(Compact(instance, families=families), Progress(instance), 0, 1)


def test_infeasible_is_not_believed_when_there_is_a_schedule(example: Instance) -> None:
    progress = Progress(example)
    cpsat(example, progress, seed=0, workers=1)
    formulation = Compact(example)
    formulation.model.add(formulation.variables.beat[0] == 1)
    with pytest.raises(RuntimeError, match="no solution of the model, but there is a schedule"):
        run_formulation(formulation, progress, seed=0, workers=1)


def test_a_model_that_cp_sat_rejects_is_reported_with_its_reason(example: Instance) -> None:
    formulation = Compact(example)
    mode = formulation.variables.mode[0][0][0]
    formulation.model.add_hint(mode, 1)
    formulation.model.add_hint(mode, 1)
    with pytest.raises(RuntimeError, match=r"rejects the model: .*hint"):
        run_formulation(formulation, Progress(example), seed=0, workers=1)
