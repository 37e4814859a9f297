"""What `solve` adds to the methods: checked arguments, kernels, and what a result records."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from heuristics.scope import Steps
from instances.generate import random_instance
from instances.instance import Instance
from schedules.goal import Goal, Pin
from schedules.schedule import Cluster, Schedule, Segment
from solvers import arguments
from solvers.solve import METHODS, solve, toy

CAPPED = Goal(latency_cap=10**6)


def test_the_toy_makes_every_search_improve_on_its_start() -> None:
    """Else some kernel would first be compiled within a user's run, and counted."""
    latency = {
        method: solve(toy(), method, workers=1).objective or 0
        for method in ("sequential", "segmented", "scope", "exact")
    }
    assert latency["exact"] < latency["scope"] < latency["segmented"] < latency["sequential"]


def test_the_methods_are_those_of_the_command_line() -> None:
    heuristics = ["sequential", "pipeline", "segmented", "tangram", "scope", "scope+", "annealing"]
    assert list(METHODS) == [*heuristics, "exact", "cpsat", "milp", "decompose", "enumerate"]


@pytest.mark.parametrize(
    ("method", "given", "message"),
    [
        ("cpsat-segment", {}, "unknown method 'cpsat-segment': choose one of sequential, "),
        ("exact", {"time_limit": float("inf")}, "time limit inf is not a positive number"),
        ("cpsat", {"time_limit": 1e300}, "leave it out for no limit"),
        ("cpsat", {"workers": 10**6}, "workers 1000000 is not between 1 and 10000"),
        ("exact", {"time_limit": 0}, "time limit 0 is not a positive number of seconds"),
        ("exact", {"time_limit": math.nan}, "time limit nan is not"),
        ("exact", {"workers": 0}, "workers 0 is not between 1 and 10000"),
        ("exact", {"seed": -1}, "seed -1 is not between 0 and 2147483647"),
        ("cpsat", {"seed": 2**31}, "seed 2147483648 is not between"),
        ("cpsat", {"gap_limit": 1.0}, "gap limit 1.0 is not at least 0 and below 1"),
        ("cpsat", {"gap_limit": math.nan}, "gap limit nan is not"),
        ("milp", {"memory_limit": 0}, "memory limit 0 is not a positive number of MiB"),
        ("cpsat", {"formulation": "big"}, "formulation 'big': choose one of segment, interval"),
        ("cpsat", {"engine": "highs"}, "'highs' solves the models of method 'milp': .* cp-sat"),
        ("milp", {"engine": "cp-sat"}, "'cp-sat' solves the models of method 'cpsat': .* highs"),
        ("milp", {"engine": "clp"}, "unknown engine 'clp': method 'milp' runs highs, cbc, scip"),
        ("milp", {"engine": "xpress"}, "'xpress' is not here: install the package xpress"),
        ("exact", {"engine": "highs"}, "engine is for the methods cpsat and milp: 'exact' has no"),
        ("exact", {"formulation": "compact"}, "formulation is for the methods cpsat and milp"),
        ("scope", {"gap_limit": 0.1}, "gap limit is for the methods cpsat and milp: 'scope'"),
        ("exact", {"memory_limit": 9}, "memory limit is for the methods cpsat and milp"),
        ("enumerate", {"log": "x.log"}, "log is for the methods cpsat and milp"),
        ("scope+", {"steps": "segments=one"}, "steps are for the method scope: 'scope.' does not"),
        ("scope", {"steps": "segments=two"}, "segments cannot be 'two': expected one of any, one"),
        ("scope", {"steps": Steps(only="OSP")}, "option 'OSP' is none of ISP, WSP"),
        ("sequential", {"goal": Goal("energy")}, "'sequential' minimises the latency and takes"),
        ("pipeline", {"goal": CAPPED}, "'pipeline' minimises the latency and takes no conditions"),
        ("segmented", {"goal": CAPPED}, "use exact, cpsat or milp for other goals"),
        ("scope", {"goal": Goal(pins=(Pin(0, cluster=True),))}, "'scope' minimises the latency"),
        ("cpsat", {"goal": Goal(segments=0)}, "a limit of 0 segments: at least 1 is needed"),
        ("scope", {"goal": Goal(pins=(Pin(9, cluster=True),))}, "a pin on layer 9: there are"),
    ],
)
def test_an_argument_that_cannot_be_heeded_is_refused_in_one_sentence(
    example: Instance, method: str, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        solve(example, method, **given)
    assert "\n" not in str(refusal.value)


def test_a_start_is_refused_by_a_method_that_could_not_use_it(example: Instance) -> None:
    start = Schedule((Segment((Cluster(0, 1, 3, ("WSP", "WSP")),)),))
    with pytest.raises(ValueError, match="start is for the methods cpsat and milp: 'exact'"):
        solve(example, "exact", start=start)


def test_a_memory_limit_is_refused_where_memory_cannot_be_watched(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arguments, "resident_bytes", lambda process: None)
    with pytest.raises(ValueError, match="no memory limit here"):
        solve(example, "cpsat", memory_limit=1000)


def test_a_refusal_leaves_an_old_log_alone(example: Instance, tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_text("precious")
    with pytest.raises(ValueError, match="gap limit"):
        solve(example, "cpsat", gap_limit=-1, log=log)
    assert log.read_text() == "precious"


@pytest.mark.parametrize(
    "method", ["sequential", "pipeline", "segmented", "tangram", "scope", "scope+"]
)
def test_the_default_goal_may_be_spelt_out(example: Instance, method: str) -> None:
    assert solve(example, method, goal=Goal()).objective == solve(example, method).objective


@pytest.mark.parametrize(
    ("goal", "unit"),
    [(Goal(), "cycles"), (Goal("energy"), "pJ"), (Goal("edp"), "pJ cycles")],
)
def test_the_objective_is_the_goals_value_and_has_its_unit(goal: Goal, unit: str) -> None:
    instance = random_instance(6)
    result = solve(instance, "enumerate", goal=goal)
    data = result.to_data()
    assert data["objective"] == result.objective == data[goal.objective]
    assert data["unit"] == result.unit == unit
    assert data["edp"] == data["latency"] * data["energy"]
    assert data["throughput"] == pytest.approx(instance.batch / data["latency"])


def test_a_result_records_what_was_asked_for(example: Instance) -> None:
    goal = Goal(latency_cap=400, segments=2, pins=(Pin(1, option="WSP"),))
    result = solve(
        example,
        "milp",
        goal=goal,
        formulation="compact",
        engine="cbc",
        time_limit=50,
        gap_limit=0.0,
        memory_limit=5000,
        seed=7,
        workers=1,
    )
    data = json.loads(json.dumps(result.to_data()))
    assert data["goal"] == {
        "objective": "latency",
        "latency_cap": 400,
        "segments": 2,
        "pins": [{"layer": 1, "option": "WSP"}],
    }
    asked = ("formulation", "engine", "time_limit", "gap_limit", "memory_limit", "seed", "workers")
    assert [data[name] for name in asked] == ["compact", "cbc", 50, 0.0, 5000, 7, 1]
    assert data["versions"]["pulp"] == version("pulp")
    assert data["versions"]["cbc"] == "2.10.3"


def test_a_method_without_models_records_none(example: Instance) -> None:
    data = solve(example, "exact").to_data()
    assert (data["formulation"], data["engine"], data["gap_limit"]) == (None, None, None)
    assert set(data["versions"]) == {"chipweave", "numpy", "numba"}


def test_a_result_records_the_steps_that_scope_was_held_to(example: Instance) -> None:
    result = solve(example, "scope", steps="clusters=single,partitions=WSP")
    assert result.steps == Steps(longest=1, only="WSP")
    data = json.loads(json.dumps(result.to_data()))["steps"]
    assert (data["longest"], data["only"], data["even"]) == (1, "WSP", False)
    assert result == replace(
        solve(example, "scope", steps=result.steps),
        runtime_s=result.runtime_s,
        trace=result.trace,
    )
    assert result.schedule is not None
    assert all(c.first == c.last for s in result.schedule.segments for c in s.clusters)
    assert solve(example, "scope").to_data()["steps"] is None


@pytest.mark.parametrize(
    ("method", "names"),
    [
        ("scope", ["candidates", "stage times", "segments priced"]),
        ("annealing", ["moves"]),
        ("exact", ["segments settled"]),
        ("sequential", []),
    ],
)
def test_a_result_has_the_counts_of_its_run_alone(
    example: Instance, method: str, names: list[str]
) -> None:
    first, second = (solve(example, method, workers=1) for _ in range(2))
    assert list(first.counts) == names
    assert all(count > 0 for count in first.counts.values())
    assert json.loads(json.dumps(first.to_data()))["counts"] == first.counts == second.counts


def test_an_infeasible_result_has_no_bound(example: Instance) -> None:
    goal = Goal(latency_cap=228)
    for method in ("cpsat", "milp"):
        result = solve(example, method, goal=goal, formulation="compact")
        assert (result.stop, result.objective, result.bound) == ("infeasible", None, None)


COLD = """
import solvers.solve
from instances.cost import make_instance
from instances.networks import build_network
from instances.packages import load_package
from numba.core.dispatcher import Dispatcher

begun, late = [], []
load, warm_up = Dispatcher.compile, solvers.solve._warm_up
def compile(kernel, signature):
    late.extend([kernel.py_func.__name__] if begun else [])
    return load(kernel, signature)
def warm(*arguments):
    warm_up(*arguments)
    begun.append(True)
Dispatcher.compile, solvers.solve._warm_up = compile, warm
instance = make_instance(build_network("resnet18"), load_package("simba-4x4"), 4)
solvers.solve.solve(instance, "exact", workers=1)
print(late)
"""


def test_no_kernel_is_loaded_within_a_run_on_a_network() -> None:
    done = subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
