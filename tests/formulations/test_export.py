"""Exported models: read back and solved, they have the optimum; names lead back to layers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pulp
import pytest
from google.protobuf import text_format  # type: ignore[import-untyped]
from ortools.sat import cp_model_pb2
from ortools.sat.python.cp_model import OPTIMAL, CpModel, CpSolver

from formulations.export import SUFFIXES, export, format_of, modeller_for, size
from formulations.formulation import FORMULATIONS, formulate
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller
from instances.generate import random_instance
from schedules.goal import Goal, Weights
from solvers.solve import solve


def by_highs(path: Path) -> int:
    highspy = pytest.importorskip("highspy")
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", 0.0)
    assert solver.readModel(str(path)) == highspy.HighsStatus.kOk
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return round(solver.getObjectiveValue())


def by_pulp(path: Path) -> int:
    _, problem = pulp.LpProblem.fromMPS(str(path))
    assert problem.solve(pulp.PULP_CBC_CMD(msg=False, threads=1, gapAbs=0.1)) == 1
    return round(pulp.value(problem.objective))


def by_cp_sat(path: Path) -> int:
    text = path.read_bytes().decode() if path.suffix != ".pb" else _text(path.read_bytes())
    model = CpModel()
    assert model.proto.parse_text_format(text)
    solver = CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == OPTIMAL
    return round(solver.objective_value)


def _text(binary: bytes) -> str:
    message = cp_model_pb2.CpModelProto()
    message.ParseFromString(binary)
    return text_format.MessageToString(message)


READERS: list[tuple[str, Callable[[Path], int]]] = [
    ("model.lp", by_highs),
    ("model.mps", by_highs),
    ("model.mps", by_pulp),
    ("model.txt", by_cp_sat),
    ("model.pbtxt", by_cp_sat),
    ("model.pb", by_cp_sat),
]

INSTANCE = random_instance(24, layers=3, chiplets=3, options=2, memory="loose")
"""Latencies from 835 cycles on; less energy takes more of them."""

GOALS = [Goal(), Goal("energy"), Goal("energy", latency_cap=940, segments=2)]


@pytest.mark.parametrize("formulation", FORMULATIONS)
@pytest.mark.parametrize(("name", "read"), READERS)
def test_a_model_that_is_read_back_has_the_optimum(
    name: str, read: Callable[[Path], int], formulation: str, tmp_path: Path
) -> None:
    for goal in GOALS:
        optimum = solve(INSTANCE, "enumerate", goal=goal).objective
        assert optimum is not None
        model = formulate(formulation, INSTANCE, modeller_for(format_of(name)), goal)
        export(model, tmp_path / name)
        assert read(tmp_path / name) == optimum, goal
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["model.lp", "model.mps", "model.txt"])
def test_names_in_the_file_lead_back_to_layers(name: str, tmp_path: Path) -> None:
    export(formulate("compact", INSTANCE, modeller_for(format_of(name))), tmp_path / name)
    text = (tmp_path / name).read_text()
    for layer in INSTANCE.tables.layers:
        assert layer in text


def test_constraints_of_ones_own_are_in_the_file(tmp_path: Path) -> None:
    free, capped = (
        solve(INSTANCE, "enumerate", goal=Goal("energy", latency_cap=cap)).objective
        for cap in (None, 940)
    )
    model = formulate("compact", INSTANCE, MilpModeller(), Goal("energy"), Weights(0, 1))
    model.modeller.require("own_cap", model.latency <= 940)
    export(model, tmp_path / "model.lp")
    assert by_highs(tmp_path / "model.lp") == capped
    assert capped != free
    assert "own_cap" in (tmp_path / "model.lp").read_text()


def test_the_size_is_that_of_the_file(tmp_path: Path) -> None:
    milp = formulate("compact", INSTANCE, MilpModeller())
    export(milp, tmp_path / "model.mps")
    variables, problem = pulp.LpProblem.fromMPS(str(tmp_path / "model.mps"))
    assert size(milp) == (len(variables), len(problem.constraints()))
    cp = formulate("compact", INSTANCE, CpSatModeller())
    export(cp, tmp_path / "model.pb")
    message = cp_model_pb2.CpModelProto()
    message.ParseFromString((tmp_path / "model.pb").read_bytes())
    assert size(cp) == (len(message.variables), len(message.constraints))


@pytest.mark.parametrize(
    ("path", "chosen", "expected"),
    [
        ("a.lp", None, "lp"),
        ("a.MPS", None, "mps"),
        ("a.textproto", None, "cp"),
        ("a.pb", "cp", "cp"),
    ],
)
def test_the_ending_tells_the_format(path: str, chosen: str | None, expected: str) -> None:
    assert format_of(path, chosen) == expected
    assert set(SUFFIXES) == {"lp", "mps", "cp"}


@pytest.mark.parametrize(
    ("path", "chosen", "message"),
    [
        ("a.gms", None, r"a\.gms: the file of a model ends in \.lp, \.mps"),
        ("a", None, "not 'nothing'"),
        ("a.lp", "mps", r"format mps ends in \.mps, not '\.lp'"),
        ("a.lp", "gams", "unknown format 'gams': choose one of lp, mps, cp"),
    ],
)
def test_another_ending_is_refused(path: str, chosen: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        format_of(path, chosen)


def test_a_model_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="format cp needs a model that was built with CpSat"):
        export(formulate("compact", INSTANCE, MilpModeller()), tmp_path / "a.txt")
    with pytest.raises(ValueError, match="format lp needs a model that was built with Milp"):
        export(formulate("compact", INSTANCE, CpSatModeller()), tmp_path / "a.lp")


@pytest.mark.parametrize("name", ["a.lp", "a.mps", "a.txt"])
def test_a_failed_write_leaves_the_old_file_and_no_scraps(name: str, tmp_path: Path) -> None:
    model = formulate("compact", INSTANCE, modeller_for(format_of(name)))
    with pytest.raises(OSError, match="No such file"):
        export(model, tmp_path / "missing" / name)
    (tmp_path / name).mkdir()
    with pytest.raises(OSError, match="directory"):
        export(model, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_names_too_long_for_an_lp_file_are_refused_in_a_sentence(tmp_path: Path) -> None:
    names = ("x" * 300, *INSTANCE.tables.layers[1:])
    named = replace(INSTANCE, tables=replace(INSTANCE.tables, layers=names))
    model = formulate("compact", named, MilpModeller())
    with pytest.raises(ValueError, match="write an mps file"):
        export(model, tmp_path / "a.lp")
    assert list(tmp_path.iterdir()) == []
    export(model, tmp_path / "a.mps")
