"""A small table instance and a way to run the command line in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from chipweave.cli import main

TINY = """\
kind: tables
name: tiny
batch: 8
chiplets: 3
capacity: 100
options: [ISP, WSP]
layers:
  - name: a
    load: 12
    resident: {ISP: [60, 30, 20], WSP: [60, 60, 60]}
    working: {ISP: [8, 8, 8], WSP: [8, 4, 3]}
    entry: {ISP: [40, 22, 16], WSP: [40, 21, 15]}
    exit: {ISP: [4, 2, 2], WSP: [4, 2, 2]}
  - name: b
    load: 9
    resident: {ISP: [30, 15, 10], WSP: [30, 30, 30]}
    working: {ISP: [6, 6, 6], WSP: [6, 3, 2]}
    entry: {ISP: [30, 18, 14], WSP: [30, 16, 12]}
    exit: {ISP: [3, 2, 1], WSP: [3, 2, 1]}
    step:
      ISP: {ISP: [28, 17, 13], WSP: [28, 15, 11]}
      WSP: {ISP: [28, 17, 13], WSP: [28, 14, 10]}
io:
  - [5, 7]
  - [0, 4]
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A table instance whose optimum is 229 cycles."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture
def too_small(tmp_path: Path) -> Path:
    """The same with buffers that hold no layer."""
    path = tmp_path / "too-small.yaml"
    path.write_text(TINY.replace("capacity: 100", "capacity: 9"))
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; return its exit code, standard output and standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture(autouse=True)
def no_given_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are as wide as in a pipe, whatever the terminal or test runner says."""
    monkeypatch.delenv("COLUMNS", raising=False)
