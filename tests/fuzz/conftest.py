"""Seeds for the tests of the readers, made once."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from tests.fuzz.seeds import write_seeds


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with valid files of every kind."""
    folder = tmp_path_factory.mktemp("seeds")
    with redirect_stdout(io.StringIO()):
        write_seeds(folder)
    return folder


@pytest.fixture(autouse=True)
def no_given_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are as wide as in a pipe, whatever the terminal or test runner says."""
    monkeypatch.delenv("COLUMNS", raising=False)
