"""What solvers are known to do to those who trust them, and that it does not happen here.

Where a trap is a solver's own doing, the test springs it first: once a new version has mended it,
the test says so.
"""

import json
import pickle
import subprocess
import sys
import time
import tomllib
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulp
import pytest
from ortools.sat.python.cp_model import INFEASIBLE, CpModel, CpSolver

from formulations.formulation import FORMULATIONS, formulate
from formulations.modellers import Modeller
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller
from formulations.spatial_organization.model import SpatialOrganization
from formulations.spatial_organization.reduction import reduced
from instances.arrays import load_array
from instances.cost import make_instance
from instances.cost.array import ArrayCosts
from instances.generate import random_instance
from instances.instance import Instance
from instances.network import Network
from instances.networks import build_network
from instances.packages import load_package
from schedules.goal import Goal, Pin, Weights
from schedules.progress import Progress
from solvers.array import solve_array
from solvers.array.models import layer_by_layer
from solvers.engines import ENGINES, Settings, cbc, child, highs, running, table
from solvers.engines.engine import Outcome
from solvers.engines.lp import arrays_of
from solvers.models import ModelOptions, ModelSearch
from solvers.solve import solve

MakeInstance = Callable[..., Instance]
MakeKnapsack = Callable[..., Any]

ROOT = Path(__file__).parents[2]
SOLVERS = ("ortools", "pulp", "highspy", "pyscipopt", "gurobipy", "cplex", "mosek", "coptpy")


def within(seconds: float, **others: Any) -> Settings:
    """Settings with a time limit from now on."""
    return Settings(end=time.perf_counter() + seconds, **others)


def fresh(code: str) -> str:
    """What a new interpreter prints."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


# Versions


@pytest.mark.parametrize(
    ("package", "pin"),
    [
        ("highspy", ">=1.13,<1.14"),  # 1.14 ships ortools 9.15's library, and wrong results
        ("pulp", ">=3.3.2,<4"),  # 4 has other statuses
        ("ortools", ">=9.15,<9.16"),
    ],
)
def test_packages_stay_below_the_versions_that_break(package: str, pin: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = [*project["dependencies"]]
    listed += [name for extra in project["optional-dependencies"].values() for name in extra]
    ours = [name for name in listed if name.startswith(package)]
    assert ours
    assert set(ours) == {package + pin}


@pytest.mark.parametrize("version", ["1.14.0", "1.15.1", "2.0"])
def test_a_highspy_that_clashes_with_ortools_is_not_used(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "version", lambda package: version)
    assert ENGINES["highs"].find() is None
    with pytest.raises(ValueError, match=r"'highs' is not here: .*1\.13"):
        table.choose("milp", "highs")
    assert table.choose("milp")[0].name == "mathopt-highs"


@pytest.mark.parametrize(
    "order",
    [
        ("pulp", "ortools.sat.python.cp_model", "highspy"),
        ("ortools.sat.python.cp_model", "pulp", "highspy"),
        ("highspy", "ortools.sat.python.cp_model", "pulp"),
    ],
)
def test_solver_packages_can_be_imported_in_any_order(order: tuple[str, ...]) -> None:
    fresh(f"import {', '.join(order)}; import highspy; highspy.Highs().run()")


def test_both_kinds_of_highs_run_after_each_other_in_any_order() -> None:
    """In one process the second would crash it."""
    code = """
from instances.generate import random_instance
from solvers.solve import solve
for engine in {engines}:
    print(solve(random_instance(3), 'milp', formulation='compact', engine=engine).stop)
"""
    for engines in (["highs", "mathopt-highs"], ["mathopt-highs", "highs"]):
        assert fresh(code.format(engines=engines)).split() == ["optimal", "optimal"]


# Imports


def test_a_list_of_engines_imports_no_solver() -> None:
    code = f"""
import json, sys
from solvers.engines import engines
found = [info.name for info in engines() if info.version]
print(json.dumps([found, [name for name in {SOLVERS} if name in sys.modules]]))
"""
    found, imported = json.loads(fresh(code))
    assert "cbc" in found
    assert imported == []


@pytest.mark.parametrize(
    "code",
    [
        "import chipweave",
        "from chipweave.cli import main; assert main(['--help']) == 0",
        "from solvers.solve import METHODS, solve, toy; solve(toy(), 'sequential')",
    ],
)
def test_no_solver_is_imported_before_it_is_used(code: str) -> None:
    loaded = f"import sys; print([name for name in {SOLVERS} if name in sys.modules])"
    assert fresh(f"{code}\n{loaded}").splitlines()[-1] == "[]"


# What PuLP says


def pulps_cbc(seconds: float) -> Any:
    return pulp.COIN_CMD(path=pulp.PULP_CBC_CMD.pulp_cbc_path, msg=False, timeLimit=seconds)


def pulps_highs(seconds: float) -> Any:
    return pulp.HiGHS(msg=False, timeLimit=seconds)


@pytest.mark.parametrize(("name", "api"), [("cbc", pulps_cbc), ("highs", pulps_highs)])
def test_pulp_calls_a_time_limited_incumbent_optimal(
    name: str, api: Callable[[float], Any], knapsack: MakeKnapsack, heard: Any
) -> None:
    model = knapsack(140, 8).model
    assert pulp.LpStatus[model.solve(api(0.5))] == "Optimal"
    outcome: Any = ENGINES[name].run(knapsack(140, 8).model, within(0.5), heard)
    assert outcome.stop == "time-limit"
    assert outcome.objective > outcome.bound + 1


def test_nothing_that_pulp_means_to_drop_is_used(knapsack: MakeKnapsack, heard: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for engine in ("cbc", "highs"):
            outcome = ENGINES[engine].run(knapsack(hinted=True).model, Settings(), heard)
            assert outcome.stop == "optimal"
        formulate("compact", random_instance(0), MilpModeller())


# CBC


def test_cbc_with_its_preprocessing_would_call_a_feasible_model_infeasible() -> None:
    instance, goal = random_instance(13), Goal("energy", pins=(Pin(3, tiled=True),))
    model = formulate("compact", instance, MilpModeller(), goal).modeller.model
    told = pulp.LpStatus[model.solve(pulps_cbc(60))]
    result = solve(instance, "milp", goal=goal, formulation="compact", engine="cbc", start=False)
    expected = solve(instance, "enumerate", goal=goal)
    assert (result.stop, result.objective) == (expected.stop, expected.objective)
    assert told in ("Infeasible", "Optimal")  # a change of the model may hide the defect


def test_cbc_crashes_on_a_contradiction_when_asked_for_its_solution(
    tmp_path: Path, heard: Any
) -> None:
    modeller = MilpModeller()
    modeller.require("half", modeller.sum([modeller.binary("x")], [2]) == 1)
    modeller.model.writeMPS(str(tmp_path / "model.mps"))
    command = [str(cbc.program()), "model.mps", "-preprocess", "off", "-solve"]
    asked = subprocess.run([*command, "-solution", "told"], cwd=tmp_path, check=False)
    assert asked.returncode != 0
    assert cbc.run("cbc", modeller.model, within(60), heard).stop == "infeasible"


# MathOpt


def test_mathopt_trips_over_its_own_errors_and_the_true_one_is_told(
    knapsack: MakeKnapsack, heard: Any
) -> None:
    request = {
        "arrays": arrays_of(knapsack().model)[0],
        "start": None,
        "solver": "HIGHS",
        "parameters": {"seconds": 5, "threads": 2},
    }
    with pytest.raises(RuntimeError, match="threads not supported for HiGHS"):
        child.ask("mathopt", request, [], 1.0, Settings(), heard)


@pytest.mark.parametrize("engine", ["mathopt-highs", "mathopt-scip"])
def test_solvers_of_mathopt_that_hang_with_threads_get_one(
    engine: str, example: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    result = solve(example, "milp", engine=engine, formulation="compact", workers=2)
    assert (result.stop, result.objective, result.workers) == ("optimal", 229, 1)
    assert "workers=2 is not used" in caplog.text


def test_an_engine_that_overlooks_its_limits_is_killed(
    knapsack: MakeKnapsack, heard: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """HiGHS does so while it presolves, a solver of MathOpt may hang."""
    deaf = tmp_path / "deaf.py"
    deaf.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(child, "PROGRAM", deaf)
    monkeypatch.setattr(child, "_idle", {})
    monkeypatch.setattr(running, "GRACE_SECONDS", 0.3)
    monkeypatch.setattr(running, "OVERRUN_SECONDS", 0.1)
    began = time.perf_counter()
    outcome = ENGINES["highs"].run(knapsack().model, within(0.2), heard)
    assert time.perf_counter() - began < 5
    assert (outcome.stop, outcome.solution, outcome.bound) == ("time-limit", None, None)


def test_an_engine_that_crashes_is_an_error_and_the_next_run_has_a_new_one(
    knapsack: MakeKnapsack, heard: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import os, sys\nsys.stdin.buffer.read(1)\nos._exit(7)\n")
    with monkeypatch.context() as patch:
        patch.setattr(child, "PROGRAM", broken)
        patch.setattr(child, "_idle", {})
        with pytest.raises(RuntimeError, match="highs ended with code 7"):
            ENGINES["highs"].run(knapsack().model, Settings(), heard)
    assert ENGINES["highs"].run(knapsack().model, Settings(), heard).stop == "optimal"


# CP-SAT


def test_cp_sat_has_numbers_for_models_without_solution(make_instance: MakeInstance) -> None:
    model = CpModel()
    x = model.new_bool_var("x")
    model.add(x >= 2)
    model.minimize(5 + x)
    solver = CpSolver()
    assert solver.solve(model) == INFEASIBLE
    assert (solver.objective_value, solver.best_objective_bound) == (0.0, 0.0)  # looks proved
    instance = make_instance([[[10]], [[10]]], resident=[[[10]], [[101]]])
    result = solve(instance, "cpsat", formulation="compact")
    assert (result.stop, result.objective, result.bound) == ("infeasible", None, None)


def test_a_part_of_cp_sats_presolve_would_lose_the_optimum(heard: Any) -> None:
    """A model with a limit that the optimum keeps: as released, 9.15 'proves' something worse."""
    instance = make_instance(build_network("vgg16"), load_package("simba-4x4"), 64)
    weights, limit = Weights(85_189, 46), 11_563_313_264_829
    best = solve(instance, "exact", goal=Goal("edp")).evaluation
    assert best is not None
    kinds: list[tuple[Modeller, tuple[str, ...]]] = [
        (CpSatModeller(), ("cp-sat",)),
        (MilpModeller(), ("mathopt-cpsat", "highs")),
    ]
    for modeller, names in kinds:
        formulate("interval", instance, modeller, Goal("edp"), weights, limit)
        for name in names:
            outcome = ENGINES[name].run(modeller.model, Settings(), heard)
            assert outcome.stop == "optimal", name
            assert outcome.objective is not None
            assert round(outcome.objective) == weights.cost(best), name
    as_released = CpSolver()
    as_released.parameters.num_workers = 1
    as_released.solve(kinds[0][0].model)
    assert as_released.best_objective_bound > weights.cost(best)


def test_a_part_of_highs_presolve_would_lose_the_optimum(
    heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model of a part of a network: as released, 1.13.1 finds no solution."""
    whole = build_network("hand-tracking")
    network = Network("part", whole.inputs, whole.layers[:20])
    costs = ArrayCosts(network, load_array("16x16"))
    given = reduced(costs, layer_by_layer(costs))
    model = SpatialOrganization(costs, MilpModeller(), given).modeller.model
    for name in ("highs", "mathopt-highs"):
        outcome = ENGINES[name].run(model, Settings(), heard)
        assert outcome.objective is not None, name
        assert round(outcome.objective) == solve_array(costs).objective, name
    monkeypatch.setattr(highs, "LEFT_OUT", 0)
    assert ENGINES["highs"].run(model, Settings(), heard).stop == "infeasible"


def test_a_second_hint_does_not_spoil_the_model(example: Instance) -> None:
    """Two hints for one variable would make it invalid."""
    search = ModelSearch(example, Progress(example), ModelOptions(ENGINES["cp-sat"], "compact"))
    search.start()
    for formulation in FORMULATIONS:
        built = formulate(formulation, example, CpSatModeller())
        for _ in range(2):
            built.hint(search.known[0].schedule)
        assert built.modeller.model.validate() == ""


@pytest.mark.parametrize("formulation", FORMULATIONS)
@pytest.mark.parametrize("goal", [Goal(), Goal("energy", latency_cap=10**9, segments=3)])
def test_cp_sat_finds_every_hint_complete_and_feasible(
    formulation: str, goal: Goal, heard: Any
) -> None:
    instance = random_instance(4, layers=5, chiplets=4, memory="loose")
    options = ModelOptions(ENGINES["cp-sat"], formulation)
    search = ModelSearch(instance, Progress(instance, goal=goal), options)
    search.start()
    assert search.known
    model = search.formulate(goal.weights).modeller.model
    lines: list[str] = []
    ENGINES["cp-sat"].run(model, Settings(log=lines.append), heard)
    assert "The solution hint is complete and is feasible." in "\n".join(lines)


def test_models_do_not_pickle_but_what_they_are_made_of_does(example: Instance) -> None:
    model = formulate("compact", example, CpSatModeller()).modeller.model
    with pytest.raises((TypeError, pickle.PicklingError)):
        pickle.dumps(model)
    goal, result = Goal(segments=1), solve(example, "cpsat", formulation="compact")
    sent = pickle.loads(pickle.dumps((example, goal, result.schedule, result)))
    assert sent[1:3] == (goal, result.schedule)
    assert solve(sent[0], "exact", start=True).objective == 229


def test_costs_beyond_cp_sats_integers_are_refused_before_it_is_run(example: Instance) -> None:
    huge = replace(example, batch=2**58)
    with pytest.raises(ValueError, match="too large"):
        solve(huge, "cpsat", formulation="compact", start=False)


def test_ctrl_c_still_works_after_cp_sat(example: Instance) -> None:
    code = """
import os, signal
from instances.generate import random_instance
from solvers.solve import solve
solve(random_instance(0), 'cpsat', formulation='compact')
try:
    os.kill(os.getpid(), signal.SIGINT)
    print('lost')
except KeyboardInterrupt:
    print('heard')
"""
    assert fresh(code) == "heard"


def test_bounds_do_not_come_from_engines_that_have_none(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PuLP alone has none; 0 would look like one."""
    monkeypatch.setattr("solvers.engines.highs.run", lambda *_: Outcome("time-limit"))
    search = ModelSearch(example, Progress(example), ModelOptions(ENGINES["highs"], "compact"))
    search.start()
    solved = search.minimise(Weights(1, 0), lambda bound: None)
    assert (solved.stop, solved.bound) == ("time-limit", None)
