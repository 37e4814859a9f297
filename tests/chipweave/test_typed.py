"""What type checkers are told: every package says that it is typed, and a user's script agrees."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SCRIPT = """
import chipweave as cw

instance = cw.instance("resnet18", "simba-4x4", batch=64)
result: cw.Result = cw.solve(instance, "scope", time_limit=1)
if result.schedule is not None:
    places: list[str] = cw.violations(instance, result.schedule)
reveal_type(result.objective)
wrong: str = result.objective
"""


def test_every_package_says_that_it_is_typed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = [
        name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]
    ]
    assert packages
    assert all((ROOT / name / "py.typed").is_file() for name in packages)
    assert "py.typed" in project["tool"]["setuptools"]["package-data"]["*"]
    others = {path.parent.name for path in ROOT.glob("*/__init__.py")} - set(packages)
    assert not others, "a package that is not in the wheel"


def test_the_licence_is_the_one_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"version: {project['version']}\n" in citation
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_script_of_a_user_is_checked_against_the_types(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is not installed")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(script)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert 'Revealed type is "int | None"' in done.stdout, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if " error: " in line] == [
        f"{script}:9: error: Incompatible types in assignment (expression has type"
        ' "int | None", variable has type "str")  [assignment]'
    ]
