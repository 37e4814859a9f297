"""The other commands: compare, verify, and what there is to work with."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from instances.networks import NETWORKS
from instances.packages import package_names

Run = Callable[..., tuple[int, str, str]]
"""Arguments -> exit code, standard output, standard error."""


def test_compare_prints_a_row_for_each_method_with_ratios(
    run: Run, tiny: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "best.png"
    code, out, err = run(
        "compare", tiny, "--methods", "pipeline,enumerate", "--plot", picture, "--batch", 8
    )
    assert (code, err) == (0, "")
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "1.0000" in lines["enumerate"]
    assert "229" in lines["enumerate"]
    assert "finished" in lines["pipeline"]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_compare_shows_why_a_method_did_not_run(run: Run) -> None:
    code, out, _ = run("compare", "vgg16", "--methods", "enumerate,sequential")
    assert code == 0
    assert "tiny instances" in out
    assert "finished" in out


def test_compare_with_nothing_but_refusals_is_exit_2(run: Run) -> None:
    code, out, _ = run("compare", "vgg16", "--methods", "enumerate")
    assert code == 2
    assert "tiny instances" in out


def test_compare_tells_infeasible_from_not_found(run: Run, too_small: Path) -> None:
    assert run("compare", too_small, "--methods", "pipeline,enumerate")[0] == 3
    assert run("compare", too_small, "--methods", "pipeline")[0] == 4


def test_compare_refuses_an_unknown_method_before_it_runs_any(run: Run, tiny: Path) -> None:
    code, out, err = run("compare", tiny, "--methods", "enumerate,exat")
    assert (code, out) == (2, "")
    assert "Did you mean exact" in err


def test_markdown_on_standard_output_is_the_table_and_nothing_else(run: Run, tiny: Path) -> None:
    _, out, _ = run("compare", tiny, "--methods", "enumerate, pipeline", "--markdown", "-")
    head, rule, *rows = out.splitlines()
    assert head.startswith("| method | objective")
    assert set(rule) <= set("|-: ")
    assert [row.split("|")[1].strip() for row in rows] == ["enumerate", "pipeline"]
    assert len({line.count("|") for line in (head, rule, *rows)}) == 1


def test_compare_writes_json_and_markdown_files(run: Run, tiny: Path, tmp_path: Path) -> None:
    files = ("--json", tmp_path / "c.json", "--markdown", tmp_path / "c.md")
    assert run("compare", tiny, "--methods", "enumerate", *files)[0] == 0
    data = json.loads((tmp_path / "c.json").read_text())
    assert data["rows"][0]["objective"] == 229
    assert "| 229 |" in (tmp_path / "c.md").read_text()


def test_compare_cannot_print_two_things_at_once(run: Run, tiny: Path) -> None:
    code, out, err = run("compare", tiny, "--json", "-", "--markdown", "-")
    assert (code, out) == (2, "")
    assert "both" in err


def schedule_file(folder: Path, *chiplets: int) -> Path:
    """One layer a cluster of the tiny instance, on regions of these sizes."""
    clusters = [
        {"first": k, "last": k, "chiplets": c, "options": ["WSP"]} for k, c in enumerate(chiplets)
    ]
    path = folder / "schedule.yaml"
    path.write_text(yaml.safe_dump({"segments": [{"clusters": clusters}]}))
    return path


def test_verify_accepts_and_prints_the_cost(run: Run, tiny: Path, tmp_path: Path) -> None:
    code, out, _ = run("verify", tiny, schedule_file(tmp_path, 2, 1))
    assert code == 0
    assert "cycles" in out
    assert "no constraint is broken" in out


def test_verify_lists_every_violation(run: Run, tiny: Path, tmp_path: Path) -> None:
    path = schedule_file(tmp_path, 3, 2)
    path.write_text(path.read_text().replace("- WSP", "- XSP", 1))
    code, out, _ = run("verify", tiny, path)
    assert code == 1
    assert "5 chiplets, the package has 3" in out
    assert "XSP" in out
    assert "cycles" not in out


def test_verify_json_holds_the_violations(run: Run, tiny: Path, tmp_path: Path) -> None:
    _, out, _ = run("verify", tiny, schedule_file(tmp_path, 2, 1), "--json", "-")
    good = json.loads(out)
    assert good["violations"] == []
    assert good["objective"] > 229
    _, out, _ = run("verify", tiny, schedule_file(tmp_path, 3, 2), "--json", "-")
    bad = json.loads(out)
    assert len(bad["violations"]) == 1
    assert bad["objective"] is None


def test_verify_takes_a_built_in_network(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    arguments = ("alexnet", "--batch", 2, "--package", "simba-6x6")
    run("solve", *arguments, "--method", "sequential", "--out", path)
    assert run("verify", arguments[0], path, *arguments[1:])[0] == 0


def test_every_built_in_network_is_listed_with_its_sizes(run: Run) -> None:
    code, out, _ = run("networks")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert set(NETWORKS) <= set(lines)
    assert "61,100,840" in lines["alexnet"]
    assert "general, AR/VR" in lines["unet"]


def test_every_built_in_package_is_listed(run: Run) -> None:
    code, out, _ = run("packages")
    assert code == 0
    assert set(package_names()) <= {line.split()[0] for line in out.splitlines() if line.strip()}
    assert "500 MHz" in out


def test_every_method_is_listed_with_what_it_does(run: Run) -> None:
    from solvers.solve import METHODS

    code, out, _ = run("methods")
    assert code == 0
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line.strip()}
    assert set(METHODS) <= set(lines)
    assert all(len(lines[name]) > 4 for name in METHODS)


def test_every_engine_is_listed_with_version_and_features(run: Run) -> None:
    from solvers.engines import ENGINES

    code, out, _ = run("engines")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert set(ENGINES) <= set(lines)
    assert "9.15" in lines["cp-sat"]
    assert "all but threads" in lines["mathopt-scip"]
    _, out, _ = run("engines", "--json", "-")
    listed = {engine["name"]: engine for engine in json.loads(out)}
    assert list(listed) == list(ENGINES)
    assert listed["cp-sat"]["version"].startswith("9.15")
    assert listed["cp-sat"]["method"] == "cpsat"
    for name, engine in ENGINES.items():
        assert listed[name]["features"] == sorted(engine.features)


def test_an_engine_that_is_not_here_is_listed_with_how_to_get_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from solvers.engines import ENGINES, Engine

    monkeypatch.setattr(Engine, "find", lambda self: None)
    _, out, _ = run("engines")
    (line,) = (line for line in out.splitlines() if line.strip().startswith("gurobi"))
    assert "–" in line
    assert ENGINES["gurobi"].install in line


def test_show_prints_layers_and_totals_of_a_network(run: Run) -> None:
    code, out, _ = run("show", "alexnet")
    assert code == 0
    assert "8 layers; 61,100,840 parameters; 714,188,480 MACs a sample" in out
    assert sum(" conv " in line for line in out.splitlines()) == 5


def test_show_prints_a_table_instance(run: Run, tiny: Path) -> None:
    code, out, _ = run("show", tiny)
    assert code == 0
    assert "2 layers; options ISP, WSP; 3 chiplets of 100 bytes" in out


def test_without_a_command_the_help_is_shown(run: Run) -> None:
    code, out, _ = run()
    assert code == 2
    assert "compare" in out


def test_every_command_has_help_and_the_long_ones_examples(run: Run) -> None:
    for command in (
        "solve",
        "compare",
        "pareto",
        "verify",
        "export",
        "strength",
        "engines",
        "show",
    ):
        code, out, _ = run(command, "--help")
        assert code == 0
        assert f"\n    chipweave {command}" in out


def test_a_large_generated_instance_is_solved_and_its_table_shortened(run: Run) -> None:
    large = ("gpt-stack-1200", "--package", "simba-40x40", "--method", "sequential")
    code, out, _ = run("solve", *large)
    assert code == 0
    assert "… 800 more" in out
    shown = [line for line in out.splitlines() if line.strip().startswith("segment ")]
    assert len(shown) == 400
    assert shown[-1].split()[1] == "1199"


def test_a_method_that_needs_tables_refuses_what_is_too_large_for_them(run: Run) -> None:
    code, _, err = run("solve", "chain-9000", "--package", "simba-64x64", "--method", "enumerate")
    assert code == 2
    assert "cost tables" in err
    assert len(err.strip().splitlines()) == 1
