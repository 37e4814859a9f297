"""Each sentence that the checker of window schedules can say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from instances.cost.jobs import WorkloadCosts
from instances.workload import Workload
from schedules.windows.evaluate import evaluate_run
from schedules.windows.goal import WindowGoal
from schedules.windows.schedule import Run, Stage, Window, WindowSchedule
from schedules.windows.verify import window_violations

MakeWorkload = Callable[..., Workload]

LEFT, MIDDLE, RIGHT = (0, 0), (1, 0), (2, 0)

SPLIT = Run(0, 2, (Stage(0, 0, LEFT), Stage(1, 1, MIDDLE)))
OTHER = Run(1, 4, (Stage(0, 1, RIGHT),))


@pytest.fixture
def costs(make_workload: MakeWorkload) -> WorkloadCosts:
    return WorkloadCosts(make_workload(jobs=2))


def wrong(
    costs: WorkloadCosts, *windows: tuple[Run, ...], goal: WindowGoal | None = None
) -> list[str]:
    return window_violations(costs, WindowSchedule(tuple(map(Window, windows))), goal)


def test_schedules_that_may_run_have_no_violations(costs: WorkloadCosts) -> None:
    assert wrong(costs, (SPLIT, OTHER)) == []
    assert wrong(costs, (SPLIT,), (OTHER,)) == []
    parts = [Run(0, 1, (Stage(k, k, LEFT),)) for k in (0, 1)]
    assert wrong(costs, (parts[0], OTHER), (parts[1],)) == []


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (Run(2, 2, SPLIT.stages), "window 0, model 2: there are models 0 to 1"),
        (Run(-1, 2, SPLIT.stages), "window 0, model -1: there are models 0 to 1"),
        (
            Run(0, 3, SPLIT.stages),
            "window 0, model 0 (two:4): mini-batch 3 does not divide the batch of 4",
        ),
        (
            Run(0, 2, SPLIT.stages, start=-5),
            "window 0, model 0 (two:4): begins at -5, before its window",
        ),
        (Run(0, 2, ()), "window 0, model 0 (two:4): has no stage"),
        (
            Run(0, 2, (Stage(0, 2, LEFT),)),
            "window 0, model 0 (two:4), stage 0: units 0 to 2, expected some of 0 to 1",
        ),
        (
            Run(0, 2, (Stage(0, 0, LEFT), Stage(1, 0, MIDDLE))),
            "window 0, model 0 (two:4), stage 1: units 1 to 0, expected some of 0 to 1",
        ),
        (
            Run(0, 2, (Stage(0, 0, LEFT), Stage(1, 1, (3, 0)))),
            "window 0, model 0 (two:4), stage 1: no chiplet computes at [3, 0]",
        ),
        (
            Run(0, 2, (Stage(0, 1, LEFT), Stage(1, 1, MIDDLE))),
            "window 0, model 0 (two:4), stage 1: begins at unit 1, after unit 1",
        ),
        (
            Run(0, 2, (Stage(0, 0, LEFT), Stage(1, 1, LEFT))),
            "window 0, model 0 (two:4): 2 stages on chiplet [0, 0], expected each on its own",
        ),
        (
            Run(0, 2, (Stage(0, 0, LEFT),)),
            "model 0 (two:4): ends after 1 units of 2",
        ),
        (
            Run(0, 2, (Stage(1, 1, LEFT),)),
            "model 0 (two:4): unit 1 follows, expected unit 0",
        ),
    ],
)
def test_a_wrong_run_is_named(run: Run, said: str, costs: WorkloadCosts) -> None:
    assert said in wrong(costs, (run, OTHER))


def test_more_windows_than_asked_for_are_wrong(costs: WorkloadCosts) -> None:
    found = wrong(costs, (SPLIT,), (OTHER,), goal=WindowGoal(windows=1))
    assert found == ["2 windows, expected at most 1"]


def test_an_empty_window_is_wrong(costs: WorkloadCosts) -> None:
    assert wrong(costs, (SPLIT, OTHER), ()) == ["window 1 is empty"]


def test_a_model_runs_once_in_a_window(costs: WorkloadCosts) -> None:
    parts = [Run(0, 2, (Stage(k, k, (k, 0)),)) for k in (0, 1)]
    assert wrong(costs, (*parts, OTHER)) == ["window 0 has model 0 more than once"]


def test_a_model_that_never_runs_is_named(costs: WorkloadCosts) -> None:
    assert wrong(costs, (SPLIT,)) == ["model 1 (two:4): ends after 0 units of 2"]


def test_units_that_run_twice_are_named(costs: WorkloadCosts) -> None:
    found = wrong(costs, (SPLIT, OTHER), (OTHER,))
    assert found == ["model 1 (two:4): unit 0 follows, expected unit 2"]


def test_chiplets_of_a_window_are_not_shared_unless_asked_for(costs: WorkloadCosts) -> None:
    other = Run(1, 4, (Stage(0, 0, MIDDLE), Stage(1, 1, LEFT)))
    assert wrong(costs, (SPLIT, other)) == [
        "window 0: models 0 and 1 are both on chiplets [0, 0], [1, 0], but chiplets are not shared"
    ]


def test_models_that_share_a_chiplet_take_turns(costs: WorkloadCosts) -> None:
    goal = WindowGoal(shared=True)
    end = evaluate_run(costs, SPLIT).end
    stages = (Stage(0, 1, MIDDLE),)
    assert wrong(costs, (SPLIT, Run(1, 4, stages, start=end)), goal=goal) == []
    assert wrong(costs, (SPLIT, Run(1, 4, stages, start=end - 1)), goal=goal) == [
        "window 0: models 0 and 1 are on chiplets [1, 0] at the same time"
    ]
    assert wrong(costs, (SPLIT, Run(1, 4, (Stage(0, 1, RIGHT),), start=1)), goal=goal) == []


def test_without_pipelining_turns_are_longer(costs: WorkloadCosts) -> None:
    end = evaluate_run(costs, SPLIT).end
    later = Run(1, 4, (Stage(0, 1, MIDDLE),), start=end)
    goal = WindowGoal(shared=True, pipelined=False)
    assert wrong(costs, (SPLIT, later), goal=goal) == [
        "window 0: models 0 and 1 are on chiplets [1, 0] at the same time"
    ]
