"""Goals, engines and starts on the command line of solve, compare and verify."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chipweave as cw

Run = Callable[..., tuple[int, str, str]]
"""Arguments -> exit code, standard output, standard error."""


@pytest.fixture
def traded(tmp_path: Path) -> Path:
    """A table instance whose front of latency and energy has five points."""
    path = tmp_path / "traded.yaml"
    cw.write_tables(cw.random_instance(24, layers=3, chiplets=3, options=2, memory="loose"), path)
    return path


def result(run: Run, *arguments: object) -> dict[str, Any]:
    _, out, _ = run(*arguments, "--json", "-")
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.parametrize(
    ("objective", "unit"), [("latency", "cycles"), ("energy", "pJ"), ("edp", "pJ cycles")]
)
def test_the_objective_is_shown_with_its_unit_beside_all_costs(
    run: Run, traded: Path, objective: str, unit: str
) -> None:
    found = result(run, "solve", traded, "--objective", objective)
    code, out, _ = run("solve", traded, "--objective", objective)
    assert code == 0
    lines = {line.split("  ")[1]: line for line in out.splitlines() if line.startswith("  ")}
    assert f"{found['objective']:,} {unit} " in lines["objective"]
    assert f"{found['latency']:,} cycles" in lines["latency"]
    assert f"{found['energy']:,} pJ" in lines["energy"]
    assert f"{found['edp'] * 1e-12:.6g} J cycles" in lines["energy-delay product"]


def test_conditions_reach_the_method(run: Run, traded: Path) -> None:
    free = result(run, "solve", traded, "--objective", "energy")
    assert (free["latency"], free["energy"]) == (1024, 45481)
    batch = free["batch"]
    for condition in (("--latency-cap", 1023), ("--throughput-floor", f"{batch}/1023")):
        capped = result(run, "solve", traded, "--objective", "energy", *condition)
        assert (capped["latency"], capped["energy"]) == (1003, 45845)
    assert result(run, "solve", traded, "--energy-cap", 50829)["objective"] == 933
    limited = result(run, "solve", traded, "--max-segments", 1, "--max-chiplets", 2)
    (segment,) = limited["schedule"]["segments"]
    assert sum(cluster["chiplets"] for cluster in segment["clusters"]) <= 2
    merged = result(run, "solve", traded, "--max-clusters", 1)
    assert all(len(segment["clusters"]) == 1 for segment in merged["schedule"]["segments"])


def test_pins_reach_the_method(run: Run, tiny: Path) -> None:
    pins = ("--pin", "b:segment", "--pin", "0:chiplets=2,option=WSP")
    first, second = result(run, "solve", tiny, *pins)["schedule"]["segments"]
    assert first["clusters"][0]["chiplets"] == 2
    assert first["clusters"][0]["options"] == ["WSP"]
    assert second["clusters"][0]["first"] == 1


def test_a_schedule_that_is_held_comes_out_again(run: Run, tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    run("solve", tiny, "--method", "pipeline", "--out", path)
    assert result(run, "solve", tiny, "--hold", path)["objective"] == 318
    assert result(run, "solve", tiny, "--hold", f"{path}:a")["objective"] == 318


@pytest.mark.parametrize("method", ["exact", "cpsat", "enumerate"])
def test_infeasible_goals_are_exit_3_and_explained(run: Run, tiny: Path, method: str) -> None:
    arguments = ("solve", tiny, "--method", method, "--latency-cap", 228)
    code, out, err = run(*arguments)
    assert (code, err) == (3, "")
    assert "latency of at most 228 cycles" in out
    assert "229 cycles would do" in out
    code, out, _ = run(*arguments, "--json", "-")
    found = json.loads(out)
    assert (code, found["stop"], found["bound"]) == (3, "infeasible", None)
    assert any("229 cycles would do" in line for line in found["why"])


def test_a_buffer_that_is_too_small_is_explained_by_layer(run: Run, too_small: Path) -> None:
    _, out, _ = run("solve", too_small)
    assert "layer a" in out
    assert "28 bytes" in out  # a on all three chiplets: 20 resident, 8 working


def test_a_schedule_has_no_reasons(run: Run, tiny: Path) -> None:
    assert "why" not in result(run, "solve", tiny)


def test_a_proof_without_an_explanation_stays_a_proof(
    run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no idea")

    monkeypatch.setattr(cw, "explain", fail, raising=False)
    code, out, err = run("solve", tiny, "--latency-cap", 1, "--json", "-")
    assert (code, json.loads(out)["why"]) == (3, [])
    assert err == "warning: no explanation: no idea\n"


@pytest.mark.parametrize(
    ("method", "formulation", "engine"),
    [("cpsat", "compact", "cp-sat"), ("milp", "interval", "mathopt-scip")],
)
def test_formulation_and_engine_are_used_and_recorded(
    run: Run, tiny: Path, method: str, formulation: str, engine: str
) -> None:
    arguments = ("--method", method, "--formulation", formulation, "--engine", engine)
    found = result(run, "solve", tiny, *arguments)
    assert (found["stop"], found["objective"]) == ("optimal", 229)
    assert (found["method"], found["formulation"], found["engine"]) == (method, formulation, engine)
    _, out, _ = run("solve", tiny, *arguments)
    assert f"{method}, {formulation}, {engine}" in out


def test_limits_are_recorded(run: Run, tiny: Path) -> None:
    limits = ("--gap-limit", "50%", "--memory-limit", 100_000, "--time-limit", 60)
    found = result(run, "solve", tiny, "--method", "cpsat", *limits)
    assert (found["gap_limit"], found["memory_limit"], found["time_limit"]) == (0.5, 100_000, 60)
    assert found["objective"] is not None


def test_a_start_is_the_first_incumbent(run: Run, tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    run("solve", tiny, "--method", "pipeline", "--out", path)
    arguments = ("solve", tiny, "--method", "cpsat", "--formulation", "compact")
    assert result(run, *arguments, "--start", path)["trace"][0][1] == 318
    # Without a start the engine has to find all by itself.
    assert result(run, *arguments, "--no-start")["objective"] == 229


def test_the_log_of_the_engine_is_written(run: Run, tiny: Path, tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    arguments = ("--method", "cpsat", "--formulation", "compact", "--log", log)
    assert run("solve", tiny, *arguments)[0] == 0
    assert "CP-SAT" in log.read_text()


def test_compare_takes_goals_and_shows_their_unit(run: Run, traded: Path) -> None:
    arguments = ("--methods", "scope,exact,cpsat", "--objective", "energy", "--gap-limit", 0.001)
    code, out, _ = run("compare", traded, *arguments)
    assert code == 0
    assert "objective (pJ)" in out
    assert "takes no conditions" in out
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "45,481" in lines["exact"]
    assert "45,481" in lines["cpsat"]


def test_compare_explains_what_is_infeasible(run: Run, tiny: Path) -> None:
    code, out, _ = run("compare", tiny, "--methods", "exact,enumerate", "--latency-cap", 228)
    assert code == 3
    assert "229 cycles would do" in out


def test_verify_lists_breaches_beside_the_costs(run: Run, tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "best.yaml"
    run("solve", tiny, "--out", path)
    assert run("verify", tiny, path, "--latency-cap", 229, "--max-segments", 1)[0] == 0
    conditions = ("--latency-cap", 228, "--pin", "b:cluster")
    code, out, _ = run("verify", tiny, path, *conditions)
    assert code == 1
    assert "the latency of 229 cycles exceeds the cap of 228" in out
    assert "layer b is pinned to start a cluster, but does not" in out
    assert "no constraint is broken" not in out
    code, out, _ = run("verify", tiny, path, *conditions, "--json", "-", "--objective", "energy")
    found = json.loads(out)
    assert (code, found["violations"], len(found["breaches"])) == (1, [], 2)
    assert (found["latency"], found["objective"], found["energy"]) == (229, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--objective", "energie"), "Did you mean energy"),
        (("--pin", "c:segment"), "there is no layer 'c'"),
        (("--pin", "a:chiplets=9"), "the package has 3"),
        (("--hold", "nowhere.yaml:0-1"), "no such file"),
        (("--latency-cap", "soon"), "--latency-cap soon: is not a number"),
        (("--energy-cap", "inf"), "--energy-cap inf: is not a number"),
        (("--throughput-floor", "-1"), "is not a positive number"),
        (("--max-segments", "some"), "--max-segments"),
        (("--max-clusters", "0"), "a limit of 0 clusters: at least 1"),
        (("--gap-limit", "150%"), "--gap-limit 150%: a share from 0"),
        (("--gap-limit", "1%"), "'exact' has no model"),
        (("--memory-limit", "-5", "--method", "cpsat"), "memory limit -5"),
        (("--engine", "gurobbi", "--method", "milp"), "unknown engine 'gurobbi'"),
        (("--engine", "cp-sat", "--method", "milp"), "engine 'cp-sat' solves the models of"),
        (("--engine", "highs"), "'exact' has no model"),
        (("--formulation", "compat", "--method", "cpsat"), "unknown formulation 'compat'"),
        (("--objective", "energy", "--method", "scope"), "minimises the latency"),
        (("--start", "nowhere.yaml", "--method", "cpsat"), "no such file"),
        (("--start", "s.yaml", "--no-start"), "exclude each other"),
        (("--log", "-", "--method", "cpsat"), "a log goes into a file"),
        (("--log", "no/such/folder/a.log", "--method", "cpsat"), "there is no folder"),
    ],
)
def test_bad_options_are_one_clear_line_and_exit_2(
    run: Run, tiny: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = run("solve", tiny, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err


def test_a_start_that_may_not_run_is_refused(run: Run, tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("segments: [{clusters: [{first: 0, last: 1, chiplets: 9, options: [ISP]}]}]")
    code, _, err = run("solve", tiny, "--method", "cpsat", "--start", path)
    assert code == 2
    assert "the schedule may not run: " in err
