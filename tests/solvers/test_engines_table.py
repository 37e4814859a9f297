"""The list of engines: what is here, what is not, and what each is asked in vain."""

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from instances.instance import Instance
from solvers.engines import ENGINES, FEATURES, cbc, choose, engines, table
from solvers.engines.engine import Engine, Found
from solvers.solve import solve


def test_the_list_has_every_engine_with_its_method_and_features() -> None:
    infos = {info.name: info for info in engines()}
    assert list(infos) == list(ENGINES)
    assert {"gurobi", "cplex", "xpress", "mosek", "copt", "scip"} <= set(infos)
    assert infos["cp-sat"].method == "cpsat"
    assert {info.method for name, info in infos.items() if name != "cp-sat"} == {"milp"}
    for info in infos.values():
        assert {"bound", "time-limit", "gap-limit"} <= info.features <= set(FEATURES), info.name
        assert info.note


def test_an_engine_that_is_not_here_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(table, "version", missing)
    infos = {info.name: info for info in engines()}
    assert infos["gurobi"].version is None
    assert infos["gurobi"].note == "install the package gurobipy"
    assert infos["cbc"].version is not None
    assert choose("milp")[0].name == "cbc"
    with pytest.raises(ValueError, match="no engine for method 'cpsat' is here: install the"):
        choose("cpsat")


def test_an_engine_that_is_installed_is_found_without_its_licence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A package that would take a licence when imported; only its metadata is read."""
    (tmp_path / "gurobipy").mkdir()
    (tmp_path / "gurobipy" / "__init__.py").write_text("raise RuntimeError('licence taken')\n")
    metadata = tmp_path / "gurobipy-13.0.3.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: gurobipy\nVersion: 13.0.3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert ENGINES["gurobi"].find() == Found("13.0.3")


def test_cbc_is_the_program_that_pulp_would_run() -> None:
    import pulp

    path = cbc.program()
    assert path is not None
    assert path.resolve() == Path(pulp.PULP_CBC_CMD.pulp_cbc_path).resolve()
    told = subprocess.run([path, "-quit"], capture_output=True, text=True, check=True).stdout
    found = ENGINES["cbc"].find()
    assert found is not None
    assert f"Version: {found.version}" in told


@pytest.mark.parametrize("system", ["sunos5", "linux", "darwin", "win32"])
def test_cbc_is_not_expected_where_pulp_has_none(
    system: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: "riscv")
    expected = {"linux": "linux/i64/cbc", "darwin": "osx/i64/cbc", "win32": "win/i64/cbc.exe"}
    path = cbc.program()
    if system in expected and path is not None:
        assert path.as_posix().endswith(expected[system])
    assert (path is None) == (system == "sunos5") or system == "win32"


@pytest.mark.parametrize(
    ("feature", "argument", "value"),
    [
        ("memory-limit", "memory_limit", 1000),
        ("log", "log", "engine.log"),
        ("gap-limit", "gap_limit", 0.1),
        ("time-limit", "time_limit", 5.0),
    ],
)
def test_a_feature_that_an_engine_lacks_is_refused_before_it_runs(
    feature: str,
    argument: str,
    value: object,
    example: Instance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    poor = Engine(
        "poor",
        "milp",
        "solvers.engines.nowhere:run",
        lambda: Found("1"),
        (),
        "",
        frozenset(name for name in FEATURES if name != feature),
    )
    monkeypatch.setitem(ENGINES, "poor", poor)
    with pytest.raises(ValueError, match=f"engine 'poor' cannot heed {argument}: .* leave it out"):
        solve(example, "milp", engine="poor", **{argument: value})  # type: ignore[arg-type]
