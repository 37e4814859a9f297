"""The methods cpsat and milp for arrays: held against enumeration, and their endings."""

from typing import Any

import pytest

from formulations.modellers.cpsat import CpSatModeller
from formulations.spatial_organization.model import SpatialOrganization
from formulations.spatial_organization.reduction import reduced
from instances.cost.array import ArrayCosts
from instances.generate_array import random_array_costs
from schedules.array.progress import ArrayProgress
from schedules.array.schedule import ArraySchedule
from solvers.array import ArrayResult, models, solve_array
from solvers.array.models import layer_by_layer, solve_models
from solvers.array.solve import ArrayOptions
from solvers.engines import Settings, choose
from solvers.engines.engine import Kind, Outcome
from solvers.engines.table import ENGINES

of = pytest.mark.parametrize

KINDS: tuple[Kind, ...] = ("cpsat", "milp")


def costs_of(seed: int, **given: Any) -> ArrayCosts:
    return random_array_costs(seed, chain=seed % 2 == 0, **given)


def hard() -> ArrayCosts:
    """Costs for which layer by layer is not the best, so that a model has to find what is."""
    return costs_of(29)


def run(kind: Kind, costs: ArrayCosts, **given: Any) -> ArrayResult:
    given = {"start": layer_by_layer(costs), "workers": 1, **given}
    return solve_array(costs, kind, **given)


@of("seed", range(60))
def test_models_agree_with_enumeration(seed: int) -> None:
    costs = costs_of(seed)
    best = solve_array(costs, "enumerate")
    for kind in KINDS:
        found = run(kind, costs, seed=seed)
        assert (found.stop, found.objective, found.bound) == ("optimal", best.objective, best.bound)


@of("seed", range(30))
def test_both_kinds_agree_with_exact_on_larger_arrays(seed: int) -> None:
    costs = costs_of(seed, layers=8, side=10)
    best = solve_array(costs, "exact")
    for kind in KINDS:
        found = run(kind, costs)
        assert (found.stop, found.objective, found.bound) == ("optimal", best.objective, best.bound)


@of("kind", KINDS)
def test_the_own_start_leads_to_the_same_optimum(kind: Kind) -> None:
    costs = hard()
    found = solve_array(costs, kind, workers=1)
    assert found.objective == run(kind, costs).objective


@of("kind", KINDS)
def test_without_time_the_start_is_the_answer(kind: Kind) -> None:
    costs = hard()
    start = layer_by_layer(costs)
    found = run(kind, costs, time_limit=0)
    assert found.stop == "time-limit"
    assert found.schedule == start
    assert found.bound is None


@of("kind", KINDS)
def test_time_that_runs_out_before_the_model_is_built_ends_the_run(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = hard()
    progress = ArrayProgress(costs, time_limit=60)
    calls = []

    def late(self: ArrayProgress) -> bool:
        calls.append(1)
        return len(calls) > 1

    monkeypatch.setattr(ArrayProgress, "expired", property(late))
    options = ArrayOptions(choose(kind, None)[0], start=layer_by_layer(costs))
    assert solve_models(progress, options) == "time-limit"
    assert progress.best == layer_by_layer(costs)


@of("kind", KINDS)
def test_a_start_that_may_not_run_is_refused(kind: Kind) -> None:
    costs = hard()
    short = ArraySchedule(layer_by_layer(costs).segments[:1])
    with pytest.raises(ValueError, match=r"start cannot be used: the schedule ends after 1 layers"):
        run(kind, costs, start=short)


@of("kind", KINDS)
def test_a_model_that_would_be_too_large_is_refused(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "MOST_VARIABLES", 3)
    with pytest.raises(ValueError, match="too large for the models: they would have"):
        run(kind, hard())


@of("kind", KINDS)
def test_a_proof_of_something_worse_than_is_known_is_not_believed(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = hard()
    engine = choose(kind, None)[0]

    def lie(self: Any, *ignored: Any) -> Outcome:
        return Outcome("infeasible")

    monkeypatch.setattr(type(engine), "run", lie)
    if kind == "cpsat":
        with pytest.raises(RuntimeError, match="finds no solution"):
            run(kind, costs)
    else:
        assert run(kind, costs).stop == "finished"


def test_cp_sat_finds_the_hint_complete_and_feasible(heard: Any) -> None:
    costs = hard()
    built = SpatialOrganization(costs, CpSatModeller(), reduced(costs, layer_by_layer(costs)))
    built.hint(layer_by_layer(costs))
    lines: list[str] = []
    ENGINES["cp-sat"].run(built.modeller.model, Settings(log=lines.append), heard)
    assert "The solution hint is complete and is feasible." in "\n".join(lines)


@of("engine", ["cbc", "mathopt-scip", "mathopt-highs", "mathopt-cpsat"])
def test_other_engines_prove_the_same(engine: str) -> None:
    costs = hard()
    found = run("milp", costs, engine=engine)
    assert found.engine == engine
    assert (found.stop, found.objective) == ("optimal", run("cpsat", costs).objective)
    assert found.counts["variables"] > 0


def test_an_unproved_run_has_a_valid_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = hard()
    engine = choose("milp", None)[0]
    monkeypatch.setattr(type(engine), "run", lambda *ignored: Outcome("time-limit"))
    found, best = run("milp", costs), solve_array(costs, "exact")
    assert found.stop == "time-limit"
    assert found.bound is not None
    assert found.objective is not None
    assert best.objective is not None
    assert 0 < found.bound <= best.objective <= found.objective
