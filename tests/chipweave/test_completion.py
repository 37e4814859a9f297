"""Names that the shell completes: all there are, for the option at hand, without heavy imports."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import chipweave as cw
from chipweave import completion
from instances.packages.mixed import MIXED_NAMES
from schedules.goal import OBJECTIVES
from solvers.engines import ENGINES

ROOT = Path(__file__).parents[2]
HEAVY = {"numpy", "matplotlib", "ortools", "pulp", "numba", "rich", "yaml"}

SHELL = """
chipweave() { "$PYTHON" -m chipweave "$@"; }
eval "$(chipweave --show-completion bash)"
COMP_WORDS=(chipweave solve resnet18 --array 32x32 --method pipe) COMP_CWORD=6
_chipweave_completion chipweave
echo "${COMPREPLY[*]}"
"""


def completed(line: str, folder: Path | None = None) -> list[str]:
    """What bash is offered for the last word of a line."""
    words = line.split(" ")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "_CHIPWEAVE_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    code = (
        "import sys; from chipweave.cli import main\n"
        "try: main([])\n"
        "finally: print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        check=True,
    )
    assert not set(done.stderr.split()) & HEAVY
    return done.stdout.split()


def test_what_completion_knows_by_heart_is_what_there_is() -> None:
    assert cw.package_names() == completion.PACKAGES
    assert completion.MIXED_PACKAGES == MIXED_NAMES
    assert list(completion.METHODS) == list(cw.METHODS)
    assert list(completion.WINDOW_METHODS) == list(cw.WINDOW_METHODS)
    assert list(completion.ARRAY_METHODS) == list(cw.ARRAY_METHODS)
    assert list(completion.ENGINES) == list(ENGINES)
    assert set(completion.FORMULATIONS) == set(cw.FORMULATIONS)
    assert completion.OBJECTIVES == OBJECTIVES


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("chipweave ver", ["verify"]),
        ("chipweave solve resnet15", ["resnet152", "resnet152-v1"]),
        ("chipweave solve resnet18 --package datacentre-2", ["datacentre-2x2"]),
        ("chipweave solve resnet18 --method sc", ["scope", "scope+"]),
        ("chipweave solve --models gpt2:8 --method s", ["scar", "search"]),
        ("chipweave solve resnet18 --array 8x8 --method pi", ["pipeorgan", "pipeorgan+"]),
        ("chipweave compare vgg16 --methods scope,ex", ["scope,exact"]),
        ("chipweave compare vgg16 --methods exact,ex", []),
        ("chipweave bench gap --networks alexnet,vgg1", ["alexnet,vgg16", "alexnet,vgg19"]),
        ("chipweave solve vgg16 --engine mathopt-h", ["mathopt-highs"]),
        ("chipweave solve vgg16 --formulation c", ["compact"]),
        ("chipweave schema arr", ["array", "array-schedule"]),
    ],
)
def test_a_name_is_completed_for_what_the_line_asks(line: str, offered: list[str]) -> None:
    assert completed(line) == offered


def test_files_that_can_be_read_are_offered_beside_names(tmp_path: Path) -> None:
    for name in ("resnet-own.yaml", "resnet.onnx", "resnet.txt"):
        (tmp_path / name).touch()
    (tmp_path / "nets").mkdir()
    offered = completed("chipweave show resnet", tmp_path)
    assert {"resnet18", "resnet-own.yaml", "resnet.onnx"} <= set(offered)
    assert "resnet.txt" not in offered
    assert completed("chipweave show ne", tmp_path) == ["nets/"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_script_for_bash_completes() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHON": sys.executable}
    # The script runs `env ... chipweave`, so a command of that name has to be on the path.
    folder = Path(sys.executable).parent
    environment["PATH"] = f"{folder}{os.pathsep}{environment['PATH']}"
    if shutil.which("chipweave", path=environment["PATH"]) is None:
        pytest.skip("chipweave is not installed as a command")
    done = subprocess.run(
        ["bash", "-c", SHELL], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.split() == ["pipeorgan", "pipeorgan+"]


def test_every_command_stands_in_one_panel_of_the_help() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-m", "chipweave", "--help"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    import typer

    from chipweave.cli import app
    from chipweave.help import EXAMPLES, FILES, JUDGE, LOOK, MEASURE, PLACE, SCHEDULE

    command = typer.main.get_command(app)
    shown = done.stdout.splitlines()
    for name in getattr(command, "commands", {}):
        assert sum(line.startswith(f"  {name} ") for line in shown) == 1, name
    panels = [line.rstrip(":") for line in shown if line.endswith(":") and line[:1].isalpha()]
    assert panels == ["Examples", SCHEDULE, JUDGE, PLACE, MEASURE, LOOK, FILES, "Options"]
    assert all(line in done.stdout for line, _ in EXAMPLES)
    assert all(len(line) <= 80 for line in shown)
