"""The methods `cpsat` and `milp` around their engines: starts, limits, goals, and disbelief."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from formulations.formulation import FORMULATIONS
from instances.generate import random_instance
from instances.generate_ratios import random_ratios
from instances.instance import Instance
from schedules.evaluate import evaluate
from schedules.goal import Goal, Objective, Pin, Weights, breaches
from schedules.progress import Progress, TracePoint, WrongBoundError
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations
from solvers.engines import ENGINES, engines
from solvers.engines.engine import Engine, Listener, Outcome, Settings
from solvers.models import ModelOptions, ModelSearch, solve_model
from solvers.solve import solve

MakeInstance = Callable[..., Instance]
RandomGoal = Callable[[Instance, int], Goal]

HERE = [info for info in engines() if info.version is not None]
QUICK = [("cpsat", "cp-sat"), ("milp", "highs")]
ALL = [(info.method, info.name) for info in HERE]

TWO_SEGMENTS = Schedule(
    (Segment((Cluster(0, 0, 3, ("WSP",)),)), Segment((Cluster(1, 1, 3, ("WSP",)),)))
)


@pytest.mark.parametrize("formulation", FORMULATIONS)
@pytest.mark.parametrize(("method", "engine"), ALL)
def test_every_formulation_on_every_engine_finds_229_cycles(
    example: Instance, formulation: str, method: str, engine: str
) -> None:
    result = solve(example, method, formulation=formulation, engine=engine, workers=1)
    assert (result.stop, result.objective, result.bound) == ("optimal", 229, 229)
    assert (result.formulation, result.engine) == (formulation, engine)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("method", "engine"), QUICK)
def test_goals_are_met_as_enumeration_meets_them(
    seed: int, method: str, engine: str, random_goal: RandomGoal
) -> None:
    instance = random_instance(seed)
    goal = random_goal(instance, seed)
    expected = solve(instance, "enumerate", goal=goal)
    result = solve(
        instance, method, goal=goal, formulation="compact", engine=engine, workers=1, time_limit=60
    )
    assert (result.stop, result.objective) == (expected.stop, expected.objective)
    assert result.bound == expected.bound
    if result.schedule is not None:
        assert breaches(instance, result.schedule, goal) == []


@pytest.mark.parametrize("seed", range(20, 36))
@pytest.mark.parametrize(("method", "engine"), QUICK)
def test_the_least_product_is_that_of_enumeration(seed: int, method: str, engine: str) -> None:
    instance, goal = random_instance(seed), Goal("edp")
    expected = solve(instance, "enumerate", goal=goal)
    result = solve(
        instance, method, goal=goal, formulation="compact", engine=engine, workers=1, time_limit=60
    )
    assert (result.stop, result.objective) == (expected.stop, expected.objective)
    assert result.bound == expected.bound


@pytest.mark.parametrize("objective", ["latency", "edp"])
@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_the_time_limit_ends_the_building_of_a_model(
    formulation: str, objective: Objective, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock stops a while after the fast methods have left their schedule."""
    instance, asked = random_instance(8, layers=6, chiplets=6), []

    def soon(progress: Progress) -> bool:
        asked.append(progress)
        return len(asked) > 8

    monkeypatch.setattr(Progress, "expired", property(soon))
    monkeypatch.setattr(Engine, "run", lambda *_: pytest.fail("the model was built to its end"))
    options = ModelOptions(ENGINES["cp-sat"], formulation)
    progress = Progress(instance, goal=Goal(objective))
    ModelSearch(instance, progress, options).start()
    optimum = solve(instance, "exact", goal=Goal(objective)).objective
    asked.clear()
    assert solve_model(instance, progress, replace(options, start=False)) == "time-limit"
    assert progress.objective is not None
    assert optimum is not None
    assert (progress.bound or 0) <= optimum
    if formulation == "segment" and objective == "latency":
        assert progress.bound


def test_a_bound_that_proves_the_start_ends_the_building(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare = "formulations.merged_pipeline.segment.Segments._declare"
    monkeypatch.setattr(declare, lambda _: pytest.fail("the model was built"))
    progress = Progress(example)
    assert solve_model(example, progress, ModelOptions(ENGINES["cp-sat"], "segment")) == "optimal"
    assert (progress.objective, progress.bound) == (229, 229)


def test_a_product_of_nothing_needs_no_energy(example: Instance) -> None:
    """A table instance need not have energies: every schedule's product is 0."""
    result = solve(example, "cpsat", goal=Goal("edp"), formulation="compact", workers=1)
    assert (result.stop, result.objective, result.bound) == ("optimal", 0, 0)


def test_a_product_under_conditions_that_none_meets_is_infeasible(example: Instance) -> None:
    goal = Goal("edp", latency_cap=228)
    result = solve(example, "cpsat", goal=goal, formulation="compact", workers=1)
    assert (result.stop, result.objective, result.bound) == ("infeasible", None, None)


@pytest.mark.parametrize("start", [True, False, TWO_SEGMENTS])
@pytest.mark.parametrize(("method", "engine"), QUICK)
def test_the_start_changes_the_way_and_not_the_end(
    example: Instance, method: str, engine: str, start: bool | Schedule
) -> None:
    result = solve(example, method, formulation="compact", engine=engine, start=start, workers=1)
    assert (result.stop, result.objective) == ("optimal", 229)
    first = next(point.objective for point in result.trace if point.objective is not None)
    if start is TWO_SEGMENTS:
        assert first == evaluate(example, TWO_SEGMENTS).latency > 229


def test_scope_starts_the_search_on_what_the_goal_leaves_of_the_instance() -> None:
    """Pins on options are in the tables that scope sees, so that its schedule obeys them."""
    instance = random_instance(5, layers=5, chiplets=4, options=2, memory="loose")
    option = instance.tables.options[1]
    goal = Goal(pins=tuple(Pin(layer, option=option) for layer in range(5)))
    progress = Progress(instance, goal=goal)
    ModelSearch(instance, progress, ModelOptions(ENGINES["cp-sat"], "compact")).start()
    assert progress.best is not None
    assert breaches(instance, progress.best, goal) == []


def test_a_start_that_may_not_run_is_refused(example: Instance) -> None:
    too_many = Schedule((Segment((Cluster(0, 1, 4, ("WSP", "WSP")),)),))
    with pytest.raises(ValueError, match=r"start cannot be used: .*4 chiplets.*leave it out"):
        solve(example, "cpsat", start=too_many)


def test_a_start_against_the_goal_is_refused(example: Instance) -> None:
    with pytest.raises(ValueError, match=r"start cannot be used: .*2 segments.*leave it out"):
        solve(example, "cpsat", start=TWO_SEGMENTS, goal=Goal(segments=1))


def hard_instance() -> Instance:
    """The compact model of it takes minutes."""
    return random_instance(1, layers=16, chiplets=12, options=2, memory="loose")


@pytest.mark.parametrize(("method", "engine"), QUICK)
def test_a_gap_limit_ends_the_run_within_the_gap(method: str, engine: str) -> None:
    result = solve(
        hard_instance(), method, formulation="compact", engine=engine, gap_limit=0.95, time_limit=30
    )
    assert result.stop == "gap-limit"
    assert result.gap is not None
    assert 0 < result.gap <= 0.95
    assert result.gap_limit == 0.95


def test_a_gap_limit_counts_for_the_product_itself() -> None:
    instance = random_instance(22)
    goal = Goal("edp")
    result = solve(instance, "cpsat", goal=goal, formulation="compact", workers=1, gap_limit=0.5)
    proved = solve(instance, "enumerate", goal=goal)
    assert result.stop in ("gap-limit", "optimal")
    assert result.gap is not None
    assert result.gap <= 0.5
    assert result.bound is not None
    assert proved.objective is not None
    assert result.bound <= proved.objective


@pytest.mark.parametrize(("method", "engine"), QUICK)
def test_a_memory_limit_leaves_the_schedule_of_the_start(method: str, engine: str) -> None:
    instance = hard_instance()
    result = solve(
        instance, method, formulation="compact", engine=engine, memory_limit=20, time_limit=30
    )
    assert result.stop == "memory-limit"
    assert result.schedule is not None
    assert violations(instance, result.schedule) == []
    assert result.memory_limit == 20


@pytest.mark.parametrize(("method", "engine"), [pair for pair in ALL if pair[1] != "cp-sat"])
def test_a_time_limit_leaves_a_schedule_and_a_valid_bound(method: str, engine: str) -> None:
    instance = hard_instance()
    result = solve(
        instance, method, formulation="compact", engine=engine, time_limit=1.0, workers=1
    )
    assert result.stop == "time-limit"
    assert result.runtime_s < 7
    assert result.objective is not None
    assert result.bound is None or result.bound < result.objective


def test_the_log_goes_to_a_file(example: Instance, tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    solve(example, "cpsat", formulation="compact", log=log, workers=1)
    assert "CpSolverResponse" in log.read_text()


def test_the_log_goes_to_a_logger(example: Instance, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="mine")
    solve(example, "milp", formulation="compact", engine="highs", log=logging.getLogger("mine"))
    assert any("Solving report" in record.getMessage() for record in caplog.records)


def test_the_trace_tells_incumbents_and_bounds_while_an_engine_runs() -> None:
    points: list[TracePoint] = []
    solve(hard_instance(), "milp", formulation="compact", time_limit=3, listener=points.append)
    assert any(point.bound is not None for point in points)
    assert any(point.objective is not None for point in points)
    assert [point.seconds for point in points] == sorted(point.seconds for point in points)


class Claims:
    """An engine that claims what it is told to, whatever the model."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def __call__(self, name: str, model: Any, settings: Settings, listener: Listener) -> Outcome:
        return self.outcome


def claiming(monkeypatch: pytest.MonkeyPatch, outcome: Outcome, engine: str = "highs") -> Engine:
    monkeypatch.setattr(f"solvers.engines.{engine.replace('-', '')}.run", Claims(outcome))
    return ENGINES[engine]


def run(example: Instance, engine: Engine, **goal: Any) -> tuple[str, Progress]:
    progress = Progress(example, goal=Goal(**goal))
    options = ModelOptions(engine, "compact")
    return solve_model(example, progress, options), progress


def test_a_bound_just_below_an_integer_is_that_integer(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scope's schedule takes 229 cycles: the bound alone proves it."""
    engine = claiming(monkeypatch, Outcome("time-limit", bound=228.9999))
    stop, progress = run(example, engine)
    assert (progress.objective, progress.bound, stop) == (229, 229, "optimal")


def test_a_bound_beyond_the_incumbent_by_rounding_is_cut_to_it(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, progress = run(example, claiming(monkeypatch, Outcome("time-limit", bound=229.0001)))
    assert (progress.bound, stop) == (229, "optimal")


def test_a_bound_far_beyond_the_incumbent_proves_nothing(
    example: Instance, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = Outcome("time-limit", bound=1000.25)
    stop, progress = run(example, claiming(monkeypatch, wrong))
    assert (progress.objective, progress.bound, stop) == (229, None, "time-limit")
    assert "proves a bound of 1001, but a schedule costs 229" in caplog.text
    with pytest.raises(WrongBoundError, match="cp-sat proves a bound of 1001, but"):
        run(example, claiming(monkeypatch, wrong, "cp-sat"))


def test_an_engine_without_bound_leaves_none(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, progress = run(example, claiming(monkeypatch, Outcome("time-limit")))
    assert (progress.objective, progress.bound, stop) == (229, None, "time-limit")


def test_a_milp_engine_that_calls_a_feasible_model_infeasible_is_not_believed(
    example: Instance, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop, progress = run(example, claiming(monkeypatch, Outcome("infeasible")))
    assert (progress.objective, progress.bound, stop) == (229, None, "finished")
    assert "too coarse" in caplog.text


def test_a_claim_that_is_off_by_rounding_is_no_proof(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = replace(example, batch=10**7)
    least = solve(instance, "exact").objective
    assert least is not None
    claim = Outcome("optimal", None, least - 7.0, least - 7.0)
    stop, progress = run(instance, claiming(monkeypatch, claim))
    assert stop == "finished"
    assert progress.objective == least
    assert progress.bound == least - 7


@pytest.mark.parametrize("claimed", [150.0, 300.0])
def test_a_claim_that_is_off_by_more_is_an_error(
    example: Instance, monkeypatch: pytest.MonkeyPatch, claimed: float
) -> None:
    engine = claiming(monkeypatch, Outcome("optimal", None, claimed, claimed))
    with pytest.raises(RuntimeError, match=f"optimum is {claimed:.0f}, but .* costs 229"):
        run(example, engine)


@pytest.mark.parametrize(("method", "engine"), QUICK)
def test_guesses_too_low_are_refuted_and_the_optimum_is_still_found(
    method: str, engine: str, random_goal: RandomGoal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a start, optima are first looked for just above the model's own bound; here below."""
    endings: list[tuple[str, bool]] = []
    run = ModelSearch.run

    def watched(self: ModelSearch, *given: Any) -> Any:
        solved = run(self, *given)
        endings.append((solved.stop, len(given) > 3))
        return solved

    monkeypatch.setattr(ModelSearch, "run", watched)
    for seed in range(40, 64):
        low = (-0.5, -0.01) if seed % 2 else (-0.01, 0.0, 0.02)
        monkeypatch.setattr("solvers.models.GUESSES", low)
        instance = random_instance(seed)
        goal = random_goal(instance, seed)
        expected = solve(instance, "enumerate", goal=goal)
        found = solve(instance, method, goal=goal, engine=engine, start=False, workers=1)
        assert (found.stop, found.objective) == (expected.stop, expected.objective), seed
        assert found.bound == expected.bound, seed
    assert {("optimal", True), ("infeasible", True), ("optimal", False)} <= set(endings)


def test_a_guess_ends_with_a_bound_and_not_with_a_claim_that_nothing_is_feasible(
    example: Instance,
) -> None:
    progress = Progress(example)
    search = ModelSearch(example, progress, ModelOptions(ENGINES["cp-sat"], "compact"))
    weights = Weights(1, 0)
    bounds: list[int] = []
    solved = search.run(search.formulate(weights, 220), weights, bounds.append, 220)
    assert (solved.stop, solved.bound) == ("infeasible", 221)
    solved = search.run(search.formulate(weights, 240), weights, bounds.append, 240)
    assert (solved.stop, solved.bound) == ("optimal", 229)
    assert max(bounds) == 229


# Compression: the models choose the ratios themselves.


@pytest.fixture(scope="module")
def compressible() -> Instance:
    """Four layers whose best schedules compress something."""
    return random_ratios(random_instance(19, layers=4, chiplets=3, shape="dag"), 19)


@pytest.mark.parametrize("objective", ["latency", "energy", "edp"])
@pytest.mark.parametrize(("method", "engine"), QUICK)
def test_ratios_are_chosen_for_every_objective(
    compressible: Instance, method: str, engine: str, objective: Objective
) -> None:
    goal = Goal(objective)
    expected = solve(compressible, "enumerate", goal=goal)
    result = solve(compressible, method, engine=engine, goal=goal, workers=1)
    assert (result.stop, result.objective) == ("optimal", expected.objective)
    assert result.schedule is not None
    assert any(result.schedule.ratios)


@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_a_start_may_have_ratios(compressible: Instance, formulation: str) -> None:
    best = solve(compressible, "enumerate")
    assert best.schedule is not None
    assert best.schedule.ratios
    result = solve(compressible, "cpsat", formulation=formulation, start=best.schedule, workers=1)
    assert (result.stop, result.objective) == ("optimal", best.objective)
    assert result.trace[0].objective == best.objective
