"""The method `cpsat`: what it claims in each of the ways in which a run can end."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from formulations.formulation import formulate
from formulations.merged_pipeline.compact import FAMILIES
from formulations.modellers.cpsat import CpSatModeller
from instances.generate import random_instance
from instances.instance import Instance
from schedules.evaluate import latency
from schedules.goal import Weights
from schedules.progress import Progress, TracePoint, WrongScheduleError
from schedules.schedule import Cluster, Schedule, Segment
from solvers.engines import ENGINES
from solvers.models import ModelOptions, ModelSearch, solve_model
from solvers.reports import Solved

MakeInstance = Callable[..., Instance]

CPSAT = ModelOptions(ENGINES["cp-sat"], "compact", workers=1)
LATENCY = Weights(1, 0)


def hard_instance() -> Instance:
    """First bounds come within a tenth of a second, a proof not within a minute."""
    return random_instance(1, layers=16, chiplets=12, options=2, memory="loose")


def cpsat(instance: Instance, progress: Progress, workers: int = 1, **given: Any) -> str:
    options = ModelOptions(ENGINES["cp-sat"], "compact", workers=workers, **given)
    return solve_model(instance, progress, options)


def run_without(family: str, instance: Instance) -> Solved:
    """Run the model without one of its constraint families."""
    families = [name for name in FAMILIES if name != family]
    model = formulate("compact", instance, CpSatModeller(), families=families)
    progress = Progress(instance)
    search = ModelSearch(instance, progress, CPSAT)
    return search.run(model, LATENCY, progress.raise_bound)


def test_example_of_the_problem_statement_takes_229_cycles(example: Instance) -> None:
    progress = Progress(example)
    assert cpsat(example, progress) == "optimal"
    assert progress.objective == progress.bound == 229


def test_an_infeasible_instance_has_no_schedule(make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]], [[10]]], resident=[[[10]], [[101]]])
    progress = Progress(instance)
    assert cpsat(instance, progress) == "infeasible"
    assert progress.best is None


def test_a_layer_that_fits_only_on_few_chiplets_is_no_reason_to_give_up(
    make_instance: MakeInstance,
) -> None:
    instance = make_instance([[[10, 5]]], resident=[[[90, 110]]])
    progress = Progress(instance)
    assert cpsat(instance, progress) == "optimal"
    assert progress.objective == 10


@pytest.mark.parametrize("workers", [1, 4])
def test_the_time_limit_leaves_a_schedule_and_a_valid_bound(workers: int) -> None:
    instance = hard_instance()
    progress = Progress(instance, time_limit=1.5)
    assert cpsat(instance, progress, workers) == "time-limit"
    assert progress.seconds < 4
    assert progress.best is not None
    assert progress.objective == latency(instance, progress.best)
    assert progress.bound is not None
    assert 0 < progress.bound < progress.objective


def test_a_search_without_time_proves_nothing() -> None:
    instance = hard_instance()
    progress = Progress(instance, time_limit=1e-9)
    assert cpsat(instance, progress, start=False) == "time-limit"
    assert progress.objective is None
    assert progress.bound is None or progress.bound < 10**9


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
    assert cpsat(instance, progress, 2) == "interrupted"
    assert progress.seconds < 30
    assert progress.best is not None
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_a_schedule_that_is_known_already_starts_the_search(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("solvers.models.sequential")  # not needed then
    known = Schedule((Segment((Cluster(0, 1, 3, ("WSP", "WSP")),)),))
    points: list[TracePoint] = []
    progress = Progress(example, listener=points.append)
    assert cpsat(example, progress, start=known) == "optimal"
    assert points[0].objective == latency(example, known)
    assert progress.objective == 229


@pytest.mark.parametrize("what", ["schedule", "bound"])
def test_what_goes_wrong_inside_the_search_is_not_lost(what: str) -> None:
    instance = hard_instance()

    def fail(point: TracePoint) -> None:
        if (point.bound if what == "bound" else point.objective) is not None:
            raise ZeroDivisionError(what)

    progress = Progress(instance, listener=fail)
    with pytest.raises(ZeroDivisionError, match=what):
        cpsat(instance, progress, 2, start=False)


def test_a_model_that_forgets_a_constraint_is_found_out(make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]], resident=60, working=60)
    with pytest.raises(WrongScheduleError, match="needs 120 bytes"):
        run_without("capacity", instance)


def test_a_model_that_forgets_a_cost_is_found_out(make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]], io=50)
    with pytest.raises(RuntimeError, match="optimum is 10, but its schedule costs 50"):
        run_without("dram", instance)


def test_infeasible_is_not_believed_when_there_is_a_schedule(example: Instance) -> None:
    progress = Progress(example)
    search = ModelSearch(example, progress, CPSAT)
    search.start()
    formulation = search.formulate(LATENCY)
    formulation.modeller.require("wrong", formulation.latency <= 5)
    with pytest.raises(RuntimeError, match="no solution of the model, but there is a schedule"):
        search.run(formulation, LATENCY, progress.raise_bound)


def test_a_model_that_cp_sat_rejects_is_reported_with_its_reason(example: Instance) -> None:
    progress = Progress(example)
    search = ModelSearch(example, progress, CPSAT)
    search.start()
    formulation = search.formulate(LATENCY)
    model = formulation.modeller.model
    for _ in range(2):
        model.add_hint(model.get_bool_var_from_proto_index(0), 1)
    with pytest.raises(RuntimeError, match=r"rejects the model: .*hint"):
        search.run(formulation, LATENCY, progress.raise_bound)
