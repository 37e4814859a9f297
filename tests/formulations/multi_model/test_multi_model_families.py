"""The models of several models: each constraint family binds, and hints are complete."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from formulations.modellers import Modeller
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller
from formulations.multi_model.frame import Frame
from formulations.multi_model.listing import Asked, list_runs
from formulations.multi_model.question import Question
from formulations.multi_model.runs import CONSTRAINTS as BY_RUNS
from formulations.multi_model.runs import ByRuns
from formulations.multi_model.stages import CONSTRAINTS as BY_STAGES
from formulations.multi_model.stages import ByStages
from instances.cost.jobs import MiniBatchCosts, WorkloadCosts
from instances.networks import build_network
from instances.packages import load_package
from instances.workload import Job, Workload
from schedules.goal import Weights
from schedules.windows.evaluate import evaluate_windows
from schedules.windows.goal import Objective, WindowGoal
from schedules.windows.progress import WindowProgress
from schedules.windows.schedule import Run, Stage, Window, WindowSchedule
from solvers.multi_model.enumeration import enumerate_windows
from solvers.multi_model.solve import WindowOptions

Solve = Callable[[Any], tuple[int, Any] | None]
AtHint = Callable[[Any], tuple[int, Any]]
Kind = Callable[[], Modeller]
Tables = dict[int, MiniBatchCosts]
Make = Callable[..., WorkloadCosts]

of = pytest.mark.parametrize


def tables(rounds: int, units: Sequence[Sequence[int]], **given: Any) -> MiniBatchCosts:
    """Stages whose times and energies are sums of units'.

    Args:
        units: [C][U] cycles of a unit for a mini-batch.
        given: energies [C][U]; load [C,U,U], dram and hop by cut, and theirs of energy.
    """
    own = np.array(units)
    chiplets, count = own.shape
    shapes = {
        "load": (chiplets, count, count),
        "dram": (chiplets, count + 1),
        "dram_energy": (chiplets, count + 1),
        "hop": (chiplets, chiplets, count + 1),
        "hop_energy": (chiplets, chiplets, count + 1),
    }
    energies = np.array(given.pop("energies", np.zeros_like(own)))
    others = {
        name: np.array(np.broadcast_to(given.get(name, 0), shape), dtype=np.int64)
        for name, shape in shapes.items()
    }
    return MiniBatchCosts(rounds=rounds, time=_sums(own), energy=_sums(energies), **others)


def _sums(units: Any) -> Any:
    return np.array(
        [
            [[sum(row[i : j + 1]) for j in range(len(row))] for i in range(len(row))]
            for row in units.tolist()
        ]
    )


@pytest.fixture
def make() -> Make:
    """Costs of models given as tables by mini-batch, on a row of the chiplets that these have."""

    def build(*models: Tables, leakage: int = 0) -> WorkloadCosts:
        network = build_network("gpt-stack-4")
        chiplets = len(next(iter(models[0].values())).dram)
        package = replace(load_package(f"het-{chiplets}x1"), name="row")
        jobs = []
        for own in models:
            batch, units = max(own) * own[max(own)].rounds, len(own[max(own)].time[0])
            jobs.append(Job(network, batch, tuple(range(units))))
        costs = WorkloadCosts(Workload("tables", package, tuple(jobs)))
        costs.package.leakage = leakage
        for job, own in zip(costs.jobs, models, strict=True):
            assert sorted(own) == list(job.job.mini_batches)
            job._known = own
        return costs

    return build


class Model:
    """A model of one formulation, whose families can be left out."""

    def __init__(self, build: type[ByRuns] | type[ByStages], kind: Kind) -> None:
        self.build, self._kind = build, kind
        self.families = BY_RUNS if build is ByRuns else BY_STAGES

    def __call__(self, question: Question, *left_out: str) -> Frame:
        assert set(left_out) <= set(self.families)
        built = [name for name in self.families if name not in left_out]
        if self.build is ByStages:
            return ByStages(question, self._kind(), built)
        asked = Asked(question.goal.pipelined, question.period)
        return ByRuns(question, list_runs(question.costs, asked), self._kind(), built)


@pytest.fixture(params=[ByRuns, ByStages], ids=["runs", "stages"])
def model(request: pytest.FixtureRequest, kind: Kind) -> Model:
    """Both formulations, for both kinds of engines."""
    return Model(request.param, kind)


@pytest.fixture
def stages(kind: Kind) -> Model:
    """The formulation by stages."""
    return Model(ByStages, kind)


LATENCY, ENERGY = Weights(1, 0), Weights(0, 1)


def best_of_all(question: Question) -> int | None:
    """The least weighted cost of all schedules, for weights of one objective."""
    objective: Objective = "latency" if question.weights == LATENCY else "energy"
    progress = WindowProgress(question.costs, replace(question.goal, objective=objective))
    enumerate_windows(progress, WindowOptions())
    return progress.objective


def asked(costs: WorkloadCosts, weights: Weights = LATENCY, **goal: Any) -> Question:
    return Question(costs, WindowGoal(**{"windows": 1, **goal}), weights)


def flips(
    model: Model,
    solve: Solve,
    question: Question,
    family: str,
    *also: str,
    on: int | None,
    off: int,
) -> None:
    """The optimum is `on`; without the family, and others that imply it, it is `off`."""
    assert on == best_of_all(question)
    for left_out, wanted in ((also, on), ((*also, family), off)):
        found = solve(model(question, *left_out))
        assert (None if found is None else found[0]) == wanted, left_out


# Each family in turn


@of("family", ["path"])
def test_all_units_run(model: Model, solve: Solve, make: Make, family: str) -> None:
    costs = make({1: tables(1, [[3, 4]])})
    flips(model, solve, asked(costs), family, on=7, off=0)


@of("family", ["alone"])
def test_models_are_on_chiplets_of_their_own(
    model: Model, solve: Solve, make: Make, family: str
) -> None:
    one = {1: tables(1, [[3], [5]])}
    flips(model, solve, asked(make(one, one)), family, "busy", on=5, off=3)


@of("family", ["length"])
def test_a_window_is_as_long_as_its_longest_run(
    model: Model, solve: Solve, make: Make, family: str
) -> None:
    # Two rounds of two stages of 5 take 15 cycles; a chiplet is busy for 10 of them at least.
    costs = make({1: tables(2, [[5, 9], [9, 5]]), 2: tables(1, [[90, 90], [90, 90]])})
    off = 0
    flips(model, solve, asked(costs), family, "busy", on=15, off=off)


@of("family", ["turns"])
def test_runs_that_share_a_chiplet_do_not_overlap(
    model: Model, solve: Solve, make: Make, family: str
) -> None:
    one = {1: tables(1, [[3], [9]])}
    question = asked(make(one, one), shared=True)
    flips(model, solve, question, family, "busy", on=6, off=3)


@of("family", ["busy"])
def test_an_implied_family_counts_what_a_chiplet_does(
    model: Model, solve: Solve, make: Make, family: str
) -> None:
    one = {1: tables(1, [[3], [9]])}
    flips(model, solve, asked(make(one, one), shared=True), family, "turns", on=6, off=3)


@of("family", ["empty_last"])
def test_empty_windows_come_last(model: Model, solve: Solve, make: Make, family: str) -> None:
    question = asked(make({1: tables(1, [[3, 4]])}), windows=2)
    for left_out, possible in (((), False), ((family,), True)):
        built = model(question, *left_out)
        built.modeller.require("first is empty", built.positions.stays[0, 0, 0] == 1)
        assert (solve(built) is not None) == possible


@of("family", ["within_limit"])
def test_nothing_costs_more_than_the_limit(
    stages: Model, solve: Solve, make: Make, family: str
) -> None:
    # Each stage fits, both together do not.
    question = asked(make({1: tables(1, [[3, 4]], energies=[[5, 6]])}), Weights(1, 1), windows=2)
    for limit, left_out, wanted in ((17, (), None), (18, (), 18), (17, (family,), 18)):
        found = solve(stages(replace(question, limit=limit), *left_out))
        assert (None if found is None else found[0]) == wanted


@of("family", ["entered"])
def test_what_a_stage_gets_comes_from_somewhere(
    stages: Model, solve: Solve, make: Make, family: str
) -> None:
    # The first stage would otherwise begin on the other chiplet, which is near the DRAM.
    costs = make({1: tables(1, [[3], [9]], dram=[[4, 0], [0, 0]])})
    flips(stages, solve, asked(costs), family, on=7, off=3)


@of("family", ["left"])
def test_what_a_stage_makes_goes_somewhere(
    stages: Model, solve: Solve, make: Make, family: str
) -> None:
    costs = make({1: tables(1, [[3], [9]], dram=[[0, 4], [0, 0]])})
    flips(stages, solve, asked(costs), family, on=7, off=3)


@of("family", ["once"])
def test_a_chiplet_has_one_stage_of_a_model(
    stages: Model, solve: Solve, make: Make, family: str
) -> None:
    # The middle unit is for the second chiplet, the others for the first one.
    costs = make({1: tables(1, [[1, 9, 1], [5, 1, 5]])})
    flips(stages, solve, asked(costs, shared=True), family, "alone", on=7, off=3)


@of("family", ["slowest"])
def test_mini_batches_wait_for_the_slowest_stage(
    stages: Model, solve: Solve, make: Make, family: str
) -> None:
    costs = make({1: tables(3, [[4]]), 3: tables(1, [[20]])})
    flips(stages, solve, asked(costs), family, "covered", "busy", on=12, off=4)


@of("family", ["covered"])
def test_an_implied_family_sees_the_slowest_stage_by_units(
    stages: Model, solve: Solve, make: Make, family: str
) -> None:
    costs = make({1: tables(3, [[4]]), 3: tables(1, [[20]])})
    flips(stages, solve, asked(costs), family, "slowest", "busy", on=12, off=4)


def test_every_family_has_a_flip_test() -> None:
    flipped = {
        value
        for test in list(globals().values())
        for mark in getattr(test, "pytestmark", [])
        if "family" in mark.args[0]
        for value in mark.args[1]
    }
    assert flipped == {*BY_RUNS, *BY_STAGES}


# Hints


PLAN = WindowSchedule(
    (
        Window((Run(0, 1, (Stage(0, 0, (1, 0)), Stage(1, 1, (0, 0)))),)),
        Window((Run(0, 2, (Stage(2, 2, (1, 0)),)), Run(1, 1, (Stage(0, 0, (0, 0)),)))),
    )
)


@of("build", [ByRuns, ByStages])
@of("weights", [LATENCY, ENERGY, Weights(3, 2)])
@of(("shared", "windows"), [(False, 2), (True, 2), (True, 3)])
def test_a_hint_gives_every_variable_a_value_that_fits(
    build: Any, weights: Weights, shared: bool, windows: int, at_hint: AtHint, make: Make
) -> None:
    rows = [[5, 4, 6], [3, 7, 2]]
    given: dict[str, Any] = {
        "energies": [[1, 2, 3], [2, 1, 4]],
        "dram": [[1, 2, 1, 0], [0, 3, 1, 1]],
    }
    given |= {"hop": 2, "hop_energy": 5, "dram_energy": 3, "load": 1}
    first = {1: tables(2, rows, **given), 2: tables(1, (2 * np.array(rows)).tolist(), **given)}
    costs = make(first, {1: tables(1, [[4], [8]])}, leakage=1)
    question = asked(costs, weights, windows=windows, shared=shared)
    known = WindowProgress(costs, question.goal)
    known.offer(PLAN)
    limited = Model(build, CpSatModeller)(replace(question, limit=10**6))
    limited.hint(PLAN)
    value, solution = at_hint(limited)
    found = limited.extract(solution)
    known.offer(found)
    assert value == cost(question, found) <= cost(question, PLAN)
    if build is ByStages:
        assert found == PLAN


def cost(question: Question, schedule: WindowSchedule) -> int:
    """By the evaluator."""
    value = question.cost(evaluate_windows(question.costs, schedule, question.goal.pipelined))
    assert value is not None
    return value


def test_a_hint_for_turns_keeps_their_order(
    model: Model, solve: Solve, make: Make, kind: Kind
) -> None:
    one = {1: tables(1, [[3], [9]])}
    costs = make(one, one)
    question = asked(costs, shared=True)
    late = Run(0, 1, (Stage(0, 0, (0, 0)),), start=3)
    schedule = WindowSchedule((Window((late, replace(late, job=1, start=0))),))
    built = model(question)
    built.hint(schedule)
    found = solve(built)
    assert found is not None
    assert cost(question, built.extract(found[1])) == found[0] == 6


def test_a_hint_that_is_no_point_of_the_model_is_refused(make: Make) -> None:
    one = {1: tables(1, [[3], [9]])}
    costs = make(one, one)
    run = Run(0, 1, (Stage(0, 0, (0, 0)),))
    both = WindowSchedule((Window((run,)), Window((replace(run, job=1),))))
    question = asked(costs, windows=2)
    for build in (ByRuns, ByStages):
        with pytest.raises(ValueError, match="ends after 0 units"):
            Model(build, MilpModeller)(question).hint(WindowSchedule(both.windows[:1]))
        with pytest.raises(ValueError, match="costs 6, more than the limit of 5"):
            Model(build, MilpModeller)(replace(question, limit=5)).hint(both)
        with pytest.raises(ValueError, match="2 windows are too many"):
            Model(build, MilpModeller)(replace(question, period=True)).hint(both)
