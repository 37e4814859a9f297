"""`chipweave experiment`: runs, tables, files and refusals."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.store import Store

Run = Callable[..., tuple[int, str, str]]

FILE = """\
kind: experiment
networks: [chain-4]
packages: [datacentre-2x2]
batches: [4, 8]
methods: [sequential, scope]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(FILE)
    return path


def test_an_experiment_is_run_told_and_exported(run: Run, file: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed")
    store, table = tmp_path / "runs.db", tmp_path / "runs.csv"
    code, out, err = run("experiment", "run", file, "--store", store, "--workers", 1)
    assert code == 0
    assert err.startswith("Dask's dashboard: http://127.0.0.1:")
    assert ["all", "4", "4", "0", "0"] in [line.split() for line in out.splitlines()]
    with Store(store) as runs:
        assert len(runs) == 4
    assert run("experiment", "status", file, "--store", store) == (0, out, "")
    assert run("experiment", "export", store, "--csv", table) == (0, "", "")
    with table.open() as lines:
        assert len(list(csv.DictReader(lines))) == 4


def test_the_status_before_the_end_tells_what_is_missing(
    run: Run, file: Path, tmp_path: Path
) -> None:
    store = tmp_path / "runs.db"
    Store(store).close()
    code, out, err = run("experiment", "status", file, "--store", store)
    assert (code, err) == (0, "")
    assert ["all", "4", "0", "0", "4"] in [line.split() for line in out.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "none.yaml"), "none.yaml: no such file"),
        (("status", "{file}", "--store", "none.db"), "none.db: there is no such store of runs"),
        (("export", "none.db", "--csv", "-"), "none.db: there is no such store of runs"),
        (("export", "none.db"), "name a file to write: --csv FILE or --parquet FILE"),
        (("export", "none.db", "--parquet", "-"), "--parquet -: a Parquet file is no text"),
        (("export", "none.db", "--csv", "no/where"), "--csv no/where: there is no folder"),
        (("run", "{file}", "--scheduler", "tcp://a:1", "--workers", "2"), "--workers is for a"),
    ],
)
def test_what_cannot_be_done_is_refused(
    run: Run, file: Path, arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = run("experiment", *(part.format(file=file) for part in arguments))
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {said}")
    assert len(err.splitlines()) == 1


def test_a_file_that_is_wrong_is_told_before_anything_runs(
    run: Run, file: Path, tmp_path: Path
) -> None:
    file.write_text(FILE.replace("scope", "scop"))
    store = tmp_path / "runs.db"
    code, _, err = run("experiment", "run", file, "--store", store)
    assert code == 2
    assert err.startswith(f"error: {file}: methods[1]: found 'scop', expected one of sequential")
    assert not store.exists()
