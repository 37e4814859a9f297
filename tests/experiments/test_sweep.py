"""Sweeps: every run once, kept though anything is killed, the same wherever it is done."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments import sweep as home
from experiments.cases import run
from experiments.definition import Experiment
from experiments.endurance import overhead, plain_rows, survival
from experiments.rows import COLUMNS, csv_text, rows, write_parquet
from experiments.state import state
from experiments.store import Store
from experiments.sweep import Advance, fitting_workers, sweep

distributed = pytest.importorskip("distributed", reason="Dask is not installed")

SMALL = Experiment(
    ["chain-4", "chain-64"],
    ["datacentre-2x2", "datacentre-2x2?nop.hop_ns=70"],
    ["sequential", {"method": "scope", "steps": "clusters=single"}, "enumerate"],
    (4, 8),
)
"""Enumerating chain-64 fails."""


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, list[Advance]]]:
    """The store of a sweep, and what was told of its advance."""
    advances: list[Advance] = []
    with Store(tmp_path_factory.mktemp("swept") / "runs.db") as store:
        sweep(SMALL, store, workers=2, watch=advances.append)
        yield store, advances


Swept = tuple[Store, list[Advance]]


def test_a_sweep_keeps_what_the_runs_alone_say(swept: Swept) -> None:
    alone = [run(task, case.instance()) for case, task in SMALL.tasks()]
    assert plain_rows(swept[0]) == plain_rows(alone)


def test_a_run_that_fails_is_a_row_and_the_others_go_on(swept: Swept) -> None:
    failed = [record for record in swept[0] if record.error is not None]
    assert len(swept[0]) == len(SMALL.tasks()) == 24
    assert len(failed) == 4
    assert all((r.task.method, r.task.network) == ("enumerate", "chain-64") for r in failed)


def test_the_advance_is_told_after_every_run(swept: Swept) -> None:
    advances = swept[1]
    assert [advance.done for advance in advances] == list(range(25))
    assert advances[-1].failed == 4
    assert advances[0].dashboard.startswith("http://127.0.0.1:")
    assert str(advances[0]) == "0 of 24 runs done"
    assert str(advances[-1]).startswith("24 of 24 runs done, 4 failed, ")


def test_runs_that_are_there_are_not_run_again(
    swept: Swept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "_client", None)
    assert [record.task.key for record in sweep(SMALL, swept[0])] == [
        task.key for _, task in SMALL.tasks()
    ]


def test_a_cluster_of_the_user_does_the_same_runs(swept: Swept, tmp_path: Path) -> None:
    part = Experiment(["chain-4"], ["datacentre-2x2"], ["sequential", "enumerate"], (4, 8))
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, dashboard_address=None
        ) as cluster,
        Store(tmp_path / "runs.db") as store,
    ):
        found = plain_rows(sweep(part, store, scheduler=cluster.scheduler_address))
    assert found.items() <= plain_rows(swept[0]).items()
    assert len(found) == 4


def test_a_cluster_with_another_chipweave_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "cost_model", lambda: "of another version")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        Store(tmp_path / "runs.db") as store,
        pytest.raises(ValueError, match="has another chipweave, or other packages, than here"),
    ):
        sweep(SMALL, store, scheduler=cluster.scheduler_address)


def test_a_scheduler_that_does_not_answer_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "CONNECT_SECONDS", 0.5)
    address = "tcp://127.0.0.1:9"
    with (
        Store(tmp_path / "runs.db") as store,
        pytest.raises(ValueError, match=f"scheduler {address}: cannot be used") as error,
    ):
        sweep(SMALL, store, scheduler=address)
    assert "\n" not in str(error.value)


def test_a_run_that_dask_gives_up_is_a_row_with_the_error() -> None:
    class Given:
        def cancelled(self) -> bool:
            return False

        def exception(self) -> BaseException:
            return distributed.KilledWorker("run", None, 10)

    record = home._failure(SMALL.tasks()[0][1], Given())
    assert (record.result, record.error) == (
        None,
        "the worker of the run was killed again and again",
    )


def test_without_dask_the_message_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dask", None)
    with (
        Store(tmp_path / "runs.db") as store,
        pytest.raises(ImportError, match=r"pip install 'chipweave\[experiments\]'"),
    ):
        sweep(SMALL, store)


def test_two_sweeps_share_a_store_and_its_work(tmp_path: Path) -> None:
    wanted = Experiment(["resnet34"], ["simba-6x6"], ["exact"], tuple(range(1, 25)))
    file, path = tmp_path / "shared.yaml", tmp_path / "runs.db"
    data = {"networks": ["resnet34"], "packages": ["simba-6x6"], "methods": ["exact"]}
    file.write_text(yaml.safe_dump({"kind": "experiment", **data, "batches": [*range(1, 25)]}))
    command = [sys.executable, "-m", "chipweave", "experiment", "run", str(file)]
    other = subprocess.Popen(
        [*command, "--store", str(path), "--workers", "1"], stdout=subprocess.DEVNULL
    )
    wait_for_a_row(path)
    alone: list[Advance] = []
    with Store(path) as store:
        sweep(wanted, store, workers=1, watch=alone.append)
        assert other.wait(60) == 0
        assert len(store) == 24
    assert alone[-1].done == 24


def wait_for_a_row(path: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if path.exists():
            with Store(path) as store:
                if len(store):
                    return
        time.sleep(0.05)
    raise AssertionError("no run was done")


def test_workers_fit_cores_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dask.system.CPU_COUNT", 8)
    monkeypatch.setattr("distributed.system.MEMORY_LIMIT", 6 * 2**30)

    def fitting(**given: Any) -> int:
        return fitting_workers(Experiment(["alexnet"], ["simba-4x4"], ["scope"], **given))

    assert fitting() == 6  # a GiB each
    assert fitting(memory_limit_mb=100) == 8
    assert fitting(memory_limit_mb=2048) == 3
    assert fitting(memory_limit_mb=9999) == 1
    assert fitting(workers=3) == 2


# What sweeps survive


def test_no_row_is_lost_or_changed_by_kills(tmp_path: Path) -> None:
    measures = survival(2, 2, tmp_path, runs=16, seed=1)
    assert [measure.value for measure in measures] == [0, 0]
    for measure in measures:
        assert measure.note == "2 kills, 16 rows"


def test_overhead_is_wall_time_less_run_time(tmp_path: Path) -> None:
    measure = overhead(20, 1, tmp_path)
    assert measure.note.startswith("20 runs in ")
    assert measure.value is not None
    assert 0 < measure.value < 5  # the start of the processes, on few runs


def test_ctrl_c_keeps_what_is_done_and_ends_quietly(tmp_path: Path) -> None:
    file, path = tmp_path / "long.yaml", tmp_path / "runs.db"
    data = {"networks": ["resnet34"], "packages": ["simba-6x6"], "methods": ["exact"]}
    file.write_text(yaml.safe_dump({"kind": "experiment", **data, "batches": [*range(1, 999)]}))
    process = subprocess.Popen(
        [sys.executable, "-m", "chipweave", "experiment", "run", str(file), "--store", str(path)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for_a_row(path)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: all processes get it
    said = process.communicate(timeout=60)[1].splitlines()
    assert process.returncode == 4
    assert said[-1] == f"interrupted: {path} has what is done, the same command goes on"
    assert len(said) == 2  # the dashboard's address before
    with Store(path) as store:
        assert 0 < len(store) < 998


# What is made of a store


def test_the_state_counts_by_method(swept: Swept) -> None:
    more = Experiment(SMALL.networks, SMALL.packages, [*SMALL.methods, "exact"], SMALL.batches)
    found = state(more, swept[0])
    assert [(t.what, t.total, t.done, t.failed, t.missing) for t in found.tallies] == [
        ("sequential", 8, 8, 0, 0),
        ("scope, clusters=single", 8, 8, 0, 0),
        ("enumerate", 8, 8, 4, 0),
        ("exact", 8, 0, 0, 8),
    ]
    assert found.whole.missing == 8
    assert found.rate is not None
    assert found.seconds_left == pytest.approx(8 / found.rate)


def test_the_rows_say_what_the_records_say(swept: Swept) -> None:
    for row, record in zip(rows(swept[0]), swept[0], strict=True):
        assert list(row) == list(COLUMNS)
        assert (row["key"], row["network"]) == (record.task.key, record.task.network)
        assert (row["objective"], row["error"]) == (record.objective, record.error)
        assert row["goal"] == "latency"
        if record.result is not None:
            segments = record.result["schedule"]["segments"]
            assert row["segments"] == len(segments)
            assert row["clusters"] == sum(len(segment["clusters"]) for segment in segments)


def test_csv_has_a_line_a_run(swept: Swept) -> None:
    import csv
    import io

    found = list(csv.DictReader(io.StringIO(csv_text(swept[0]))))
    expected = [
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in rows(swept[0])
    ]
    assert found == expected


def test_parquet_has_the_same_values_and_types(swept: Swept, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    path = tmp_path / "runs.parquet"
    write_parquet(swept[0], path)
    table = parquet.read_table(path)
    expected = list(rows(swept[0]))
    for row in expected:
        row["edp"] = float(row["edp"]) if row["edp"] is not None else None
    assert table.to_pylist() == expected
    assert {field.name: str(field.type).replace("double", "float64") for field in table.schema} == (
        dict(COLUMNS)
    )
