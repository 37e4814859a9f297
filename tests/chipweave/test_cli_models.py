"""`chipweave pareto`, `export` and `strength`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulp
import pytest

import chipweave as cw
import experiments.pareto
from experiments.strength import Model, Strength
from schedules.files import read_schedule

Run = Callable[..., tuple[int, str, str]]
"""Arguments -> exit code, standard output, standard error."""

FRONT = [(835, 57381), (933, 50829), (940, 49961), (1003, 45845), (1024, 45481)]


@pytest.fixture
def traded(tmp_path: Path) -> Path:
    """A table instance whose front is FRONT."""
    path = tmp_path / "traded.yaml"
    cw.write_tables(cw.random_instance(24, layers=3, chiplets=3, options=2, memory="loose"), path)
    return path


def result(run: Run, *arguments: object) -> dict[str, Any]:
    _, out, _ = run(*arguments, "--json", "-")
    found: dict[str, Any] = json.loads(out)
    return found


# pareto


def test_pareto_prints_every_point_and_marks_the_lowest_product(run: Run, traded: Path) -> None:
    code, out, err = run("pareto", traded)
    assert (code, err) == (0, "")
    lines = [line for line in out.splitlines() if line.split()[:1] and line.split()[0].isdigit()]
    assert [tuple(line.split()[1:3]) for line in lines] == [
        (f"{latency:,}", f"{energy:,}") for latency, energy in FRONT
    ]
    assert ["lowest EDP" in line for line in lines] == [
        cost == min(FRONT, key=lambda cost: cost[0] * cost[1]) for cost in FRONT
    ]
    assert "optimal" in out


def test_pareto_writes_table_data_picture_and_schedules(
    run: Run, traded: Path, tmp_path: Path
) -> None:
    files = ("--json", tmp_path / "f.json", "--markdown", tmp_path / "f.md")
    pictures = ("--plot", tmp_path / "f.png", "--out", tmp_path / "points")
    assert run("pareto", traded, "--method", "enumerate", *files, *pictures)[0] == 0
    data = json.loads((tmp_path / "f.json").read_text())
    assert [(point["latency"], point["energy"]) for point in data["points"]] == FRONT
    assert len((tmp_path / "f.md").read_text().splitlines()) == 2 + len(FRONT)
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
    instance = cw.instance(traded)
    written = sorted((tmp_path / "points").iterdir())
    assert [path.name for path in written] == [f"point-{k}.yaml" for k in range(1, 6)]
    found = [cw.evaluate(instance, read_schedule(path)) for path in written]
    assert [(cost.latency, cost.energy) for cost in found] == FRONT


def test_pareto_takes_conditions_methods_and_a_number_of_points(run: Run, traded: Path) -> None:
    arguments = ("--method", "milp", "--formulation", "compact", "--engine", "mathopt-scip")
    _, out, _ = run(
        "pareto", traded, *arguments, "--points", 2, "--energy-cap", 50829, "--json", "-"
    )
    data = json.loads(out)
    assert [(point["latency"], point["energy"]) for point in data["points"]] == [FRONT[1], FRONT[4]]
    assert data["stop"] == "finished"


def test_an_empty_front_is_exit_3_and_explained(run: Run, tiny: Path, tmp_path: Path) -> None:
    picture = tmp_path / "none.png"
    code, out, _ = run("pareto", tiny, "--latency-cap", 228, "--plot", picture)
    assert code == 3
    assert "229 cycles would do" in out
    assert not picture.exists()
    code, out, _ = run("pareto", tiny, "--latency-cap", 228, "--json", "-")
    assert json.loads(out)["why"]


def test_ctrl_c_before_a_point_is_exit_4(
    run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(self: object) -> str:
        return "interrupted"

    monkeypatch.setattr(experiments.pareto._Search, "run", stopped)
    assert run("pareto", tiny, "--method", "enumerate")[0] == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "scope"), "proves no front"),
        (("--method", "exat"), "Did you mean exact"),
        (("--points", "1"), "at least 2"),
        (("--out", "{tiny}"), "is a file, not a folder"),
        (("--out", "no/such/folder"), "there is no folder"),
        (("--plot", "front.gif"), ".png or .svg"),
        (("--json", "-", "--markdown", "-"), "both"),
        (("--engine", "highs"), "'exact' has no model"),
        (("--time-limit", "0"), "time limit 0"),
    ],
)
def test_pareto_refuses_what_cannot_be(
    run: Run, tiny: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = run("pareto", tiny, *(text.format(tiny=tiny) for text in arguments))
    assert (code, out) == (2, "")
    assert message in err


# export


@pytest.mark.parametrize("name", ["model.lp", "model.mps", "model.txt", "model.pb"])
def test_export_writes_the_model_and_tells_its_size(
    run: Run, tiny: Path, tmp_path: Path, name: str
) -> None:
    code, out, err = run("export", tiny, "--out", tmp_path / name)
    assert (code, err) == (0, "")
    assert (tmp_path / name).stat().st_size > 500
    assert f"{name}: compact model with " in out
    assert " variables, " in out


@pytest.mark.parametrize("name", ["m.lp", "m.txt"])
def test_a_reduced_model_is_smaller(run: Run, traded: Path, tmp_path: Path, name: str) -> None:
    sizes = []
    for reduced in ((), ("--reduced",)):
        arguments = ("--formulation", "interval", "--out", tmp_path / name, *reduced)
        _, out, _ = run("export", traded, *arguments)
        sizes.append(int(out.split(" with ")[1].split()[0]))
    assert sizes[0] > sizes[1] > 0
    assert ("solution_hint" in (tmp_path / name).read_text()) == (name == "m.txt")


def test_an_exported_model_has_the_goal(run: Run, traded: Path, tmp_path: Path) -> None:
    goal = ("--objective", "energy", "--latency-cap", 1003, "--max-segments", 2)
    run("export", traded, "--out", tmp_path / "m.mps", *goal)
    _, problem = pulp.LpProblem.fromMPS(str(tmp_path / "m.mps"))
    problem.solve(pulp.PULP_CBC_CMD(msg=False, threads=1, gapAbs=0.1))
    optimum = result(run, "solve", traded, *goal)["objective"]
    assert round(pulp.value(problem.objective)) == optimum


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", "a.gms"), "ends in .lp, .mps"),
        (("--out", "a.lp", "--format", "cp"), "format cp ends in .txt"),
        (("--out", "-"), "a model goes into a file"),
        (("--out", "no/such/folder/a.lp"), "there is no folder"),
        (("--out", "a.lp", "--formulation", "compat"), "unknown formulation 'compat'"),
        (("--out", "a.lp", "--objective", "edp"), "a product is no linear objective"),
        (("--out", "a.lp", "--formulation", "compat", "--reduced"), "unknown formulation 'compat'"),
        ((), "--out"),
    ],
)
def test_export_refuses_what_cannot_be(
    run: Run,
    tiny: Path,
    arguments: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tiny.parent)
    code, out, err = run("export", tiny, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert [path.name for path in tiny.parent.iterdir()] == [tiny.name]


# strength


def test_strength_prints_a_line_for_each_run(run: Run, traded: Path) -> None:
    arguments = ("--formulations", "interval,compact", "--engines", "cp-sat", "--with-limit-only")
    code, out, err = run("strength", "--instances", traded, *arguments, "--markdown", "-")
    assert (code, err) == (0, "")
    _, _, *rows = out.splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[1:3] for row in cells] == [["interval", "cp-sat"], ["compact", "cp-sat"]]
    for row in cells:
        assert int(row[3].replace(",", "")) > 0
        assert 0 < float(row[7].removesuffix("%")) <= 100
        assert row[-1] == "optimal"


def test_strength_takes_networks_on_packages_and_hands_all_options_on(
    run: Run, traded: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: dict[str, Any] = {}

    def strength(instances: list[cw.Instance], *names: object, **named: object) -> list[Strength]:
        given.update(instances=[instance.name for instance in instances], names=names, **named)
        return [
            Strength("i", "segment", "highs", 100, Model(3, 4, 0.1, 97), None, None, None, "no")
        ]

    monkeypatch.setattr(cw, "strength", strength, raising=False)
    code, _, _ = run(
        *("strength", "--instances", f"alexnet@simba-6x6,vgg16,{traded}", "--batch", 2),
        *("--engines", "cp-sat,cbc", "--objective", "energy", "--time-limit", 7, "--no-start"),
        *("--json", tmp_path / "s.json"),
    )
    assert code == 0
    (row,) = json.loads((tmp_path / "s.json").read_text())
    assert row["model"]["root_bound_over_optimum"] == 0.97
    assert row["reason"] == "no"
    assert given["instances"][:2] == ["alexnet on simba-6x6", "vgg16 on simba-4x4"]
    assert given["names"] == (["segment", "interval", "compact"], ["cp-sat", "cbc"])
    assert (given["time_limit"], given["start"], given["goal"]) == (7, False, cw.Goal("energy"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--instances", "alexnot"), "Did you mean alexnet"),
        (("--instances", "alexnet@simba4x4"), "Did you mean simba-4x4"),
        (("--formulations", "compat"), "unknown formulation 'compat'"),
        (("--engines", "hihgs"), "unknown engine 'hihgs'"),
        (("--objective", "edp"), "no weighted sum"),
        (("--markdown", "no/such/folder/a.md"), "there is no folder"),
    ],
)
def test_strength_refuses_what_cannot_be(
    run: Run, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = run("strength", *arguments)
    assert (code, out) == (2, "")
    assert message in err
