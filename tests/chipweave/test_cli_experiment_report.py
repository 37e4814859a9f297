"""`chipweave experiment report`: what it writes, says and refuses."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.cases import Case, run
from experiments.store import Store

Run = Callable[..., tuple[int, str, str]]
"""Arguments -> exit code, standard output, standard error."""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    case = Case("alexnet", "datacentre-2x2", 16)
    path = tmp_path / "runs.db"
    with Store(path) as opened:
        for method in ("segmented", "scope"):
            opened.add(run(case.task(method), case.instance()))
    return path


def test_a_report_is_written_and_told(store: Path, tmp_path: Path, run: Run) -> None:
    pytest.importorskip("plotly", reason="plotly is not installed")
    out = tmp_path / "new" / "report"
    code, said, err = run("experiment", "report", store, "--out", out)
    assert (code, err) == (0, "")
    page = out / "index.html"
    assert said == (f"{page}: 2 runs, 2 of them with a schedule to look at; 5 figures beside it\n")
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert len(list(out.glob("*.svg"))) == 5, "there is no bound, so no figure of gaps"


def test_what_cannot_be_read_or_written_is_refused(store: Path, tmp_path: Path, run: Run) -> None:
    missing, text = tmp_path / "missing.db", tmp_path / "text.db"
    text.write_text("no store\n" * 200)
    out = tmp_path / "out"
    code, _, err = run("experiment", "report", missing, "--out", out)
    assert (code, err) == (2, f"error: {missing}: there is no such store\n")
    assert not missing.exists()
    code, _, err = run("experiment", "report", text, "--out", out)
    assert (code, err) == (2, f"error: {text}: is no store of runs: name another file\n")
    code, _, err = run("experiment", "report", store, "--out", text)
    assert code == 2
    assert "is no folder" in err
    assert not out.exists()


def test_without_plotly_the_extra_is_named(
    store: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("plotly", "plotly.offline"):
        monkeypatch.setitem(sys.modules, name, None)
    code, _, err = run("experiment", "report", store, "--out", tmp_path / "out")
    assert (code, err) == (
        2,
        "error: the report needs plotly: pip install 'chipweave[experiments]'\n",
    )
