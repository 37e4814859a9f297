"""The decomposition: the optimum of all schedules, by models of single segments."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from instances.generate import random_instance
from instances.instance import Instance
from schedules.goal import Goal, Objective
from schedules.progress import Progress
from solvers.decompose import decompose
from solvers.engines import Settings
from solvers.engines.engine import Engine, Outcome
from solvers.enumeration import enumerate_all
from solvers.solve import solve

MakeInstance = Callable[..., Instance]
RandomGoal = Callable[[Instance, int], Goal]


def run(
    instance: Instance, goal: Goal | None = None, time_limit: float | None = None
) -> tuple[str, Progress]:
    progress = Progress(instance, time_limit, goal=goal)
    return decompose(instance, progress, seed=0, workers=1), progress


def check(instance: Instance, goal: Goal) -> None:
    """The decomposition agrees with enumeration."""
    expected = Progress(instance, goal=goal)
    enumerate_all(instance, expected, seed=0, workers=1)
    stop, found = run(instance, goal)
    assert found.objective == expected.objective
    assert stop == ("infeasible" if expected.objective is None else "optimal")
    assert found.bound == expected.objective or stop == "infeasible"


@pytest.mark.parametrize("objective", ["latency", "energy"])
@pytest.mark.parametrize("seed", range(60))
def test_the_optimum_is_the_best_of_all_schedules(seed: int, objective: Objective) -> None:
    check(random_instance(seed), Goal(objective))


@pytest.mark.parametrize("seed", range(80))
def test_the_optimum_obeys_limits_and_pins(seed: int, random_goal: RandomGoal) -> None:
    instance = random_instance(seed)
    goal = random_goal(instance, seed)
    objective: Objective = "latency" if goal.objective == "edp" else goal.objective
    check(instance, replace(goal, objective=objective, latency_cap=None, energy_cap=None))


def without_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solvers.decompose.ModelSearch.start", lambda self: None)


@pytest.mark.parametrize("seed", range(30))
def test_the_proof_needs_no_start(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    without_start(monkeypatch)
    check(random_instance(seed), Goal())


@pytest.mark.parametrize(
    "goal", [Goal("edp"), Goal(latency_cap=10**9), Goal("energy", energy_cap=10**9)]
)
def test_what_no_single_segment_can_tell_is_refused(example: Instance, goal: Goal) -> None:
    with pytest.raises(ValueError, match="'decompose' takes segments one by one"):
        solve(example, "decompose", goal=goal)


def test_a_segment_that_needs_more_time_gets_it(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that is out of time at first, in the room of a bound that it has raised a bit."""
    without_start(monkeypatch)
    seconds: list[float] = []

    def lazy(engine: Any, model: Any, settings: Settings, listener: Any) -> Outcome:
        assert settings.seconds is not None
        seconds.append(settings.seconds)
        if len(seconds) % 3:
            return Outcome("time-limit", bound=1.0)
        return run_engine(engine, model, settings, listener)

    run_engine = Engine.run
    monkeypatch.setattr(Engine, "run", lazy)
    stop, found = run(example)
    assert stop == "optimal"
    assert found.objective == found.bound == 229
    assert seconds[0] < seconds[1] < seconds[2]


def test_the_time_limit_leaves_a_valid_bound(
    make_instance: MakeInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock stops the run between the models of two layers that do not fit together."""
    without_start(monkeypatch)
    instance = make_instance([[[9]]] * 2, resident=60)
    progress = Progress(instance, time_limit=100.0)

    def slow(*arguments: Any) -> Outcome:
        progress._time_limit = 0.0
        return run_engine(*arguments)

    run_engine = Engine.run
    monkeypatch.setattr(Engine, "run", slow)
    assert decompose(instance, progress, seed=0, workers=1) == "time-limit"
    assert progress.best is None
    assert progress.bound == 18


def test_a_time_limit_that_is_over_at_once_leaves_the_start() -> None:
    instance = random_instance(1, layers=16, chiplets=12, options=2, memory="loose")
    stop, found = run(instance, time_limit=1e-6)
    assert stop == "time-limit"
    assert found.best is not None


def test_an_interrupted_model_ends_the_run(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_start(monkeypatch)
    monkeypatch.setattr(Engine, "run", lambda *_: Outcome("interrupted"))
    stop, found = run(example)
    assert stop == "interrupted"
    assert found.best is None
    assert found.bound is not None
    assert 0 < found.bound <= 229


def test_models_that_contradict_the_evaluator_are_found_out(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_start(monkeypatch)

    def pessimist(*arguments: Any) -> Outcome:
        outcome = run_engine(*arguments)
        if outcome.objective is None:
            return outcome
        return replace(outcome, objective=outcome.objective + 1)

    run_engine = Engine.run
    monkeypatch.setattr(Engine, "run", pessimist)
    with pytest.raises(RuntimeError, match="the models are wrong: together they promise 230"):
        run(example)
