"""The store keeps every finished run once, whatever happens to the processes that share it."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.store import FORMAT, Record, Store, StoreError, Task
from experiments.stored import reason

RESULT = {"stop": "optimal", "objective": 229, "bound": 228.5, "runtime_s": 0.25}


def task(seed: int = 0, **changes: Any) -> Task:
    facts = {"content": "c0ffee", "batch": 8, "method": "scope", "version": "1"}
    return Task(**{**facts, "options": {"seed": seed}, **changes})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as opened:
        yield opened


# What is kept


def test_a_key_is_that_of_what_was_run_and_never_changes() -> None:
    assert task().key == "bcdbbd09125adf8a96a2ef0d76b83336"
    named = task(network="tiny", package="four", batch=9)
    assert named.key == task().key, "names are for people"


def test_a_task_is_called_by_the_names_of_its_instance_or_else_by_its_content() -> None:
    assert task(network="tiny", package="four").instance == "tiny on four, batch 8"
    assert task().instance == "c0ffee, batch 8"


@pytest.mark.parametrize(
    "other",
    [
        task(1),
        task(content="tea"),
        task(method="exact"),
        task(version="2"),
        task(options={}),
        task(options={"seed": 0, "time_limit": 1.0}),
    ],
)
def test_runs_that_may_differ_have_keys_that_do(other: Task) -> None:
    assert other.key != task().key


def test_what_is_kept_comes_back_after_the_file_was_closed(path: Path) -> None:
    kept = Record(task(network="tiny", package="four"), RESULT, measures={"cpu_s": 0.5})
    failed = Record(task(1), None, "no memory")
    with Store(path) as store:
        store.add(kept)
        store.add(failed)
    with Store(path) as store:
        found = store.get(kept.task)
        assert found is not None
        assert (found.task, found.result, found.error) == (kept.task, RESULT, None)
        assert (found.objective, found.bound, found.stop, found.runtime_s) == (
            229,
            228.5,
            "optimal",
            0.25,
        )
        assert found.measures == {"cpu_s": 0.5}
        missing = store.get(failed.task)
        assert missing is not None
        assert (missing.objective, missing.error) == (None, "no memory")
        assert [record.task for record in store] == [kept.task, failed.task]
        assert store.get(task(2)) is None


def test_the_first_of_two_records_of_a_run_stays(store: Store) -> None:
    store.add(Record(task(), RESULT))
    store.add(Record(task(), {**RESULT, "objective": 1}))
    assert len(store) == 1
    assert [record.objective for record in store] == [229]


def test_the_runs_of_an_instance_are_found_by_its_content(store: Store) -> None:
    for each in (task(), task(method="exact"), task(content="tea")):
        store.add(Record(each, RESULT))
    assert [record.task.method for record in store.of("c0ffee")] == ["scope", "exact"]
    assert [record.task.method for record in store.of("c0ffee", "exact")] == ["exact"]
    assert store.of("milk") == []


def test_the_columns_that_people_read_are_those_of_the_result(store: Store, path: Path) -> None:
    huge = {**RESULT, "objective": 10**30}
    store.add(Record(task(), RESULT))
    store.add(Record(task(1), None, "failed"))
    store.add(Record(task(2), huge))
    with sqlite3.connect(path) as base:
        rows = base.execute("SELECT stop, objective, bound, runtime_s FROM runs").fetchall()
    assert rows == [
        ("optimal", 229, 228.5, 0.25),
        (None, None, None, None),
        ("optimal", 1e30, 228.5, 0.25),
    ]
    found = store.get(task(2))
    assert found is not None
    assert found.objective == 10**30


# Files that are no stores


def refusal(path: Path) -> str:
    with pytest.raises(StoreError) as caught:
        Store(path)
    return str(caught.value)


def test_a_file_of_another_kind_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("kind: network\n" * 100)
    assert refusal(path) == f"{path}: is no store of runs: name another file"
    assert path.read_text().startswith("kind: network")


def test_a_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE songs (name)")
    base.close()
    before = path.read_bytes()
    assert refusal(path) == f"{path}: is a database of another program: name another file"
    assert path.read_bytes() == before


def test_a_store_of_a_later_format_is_refused(path: Path) -> None:
    Store(path).close()
    with sqlite3.connect(path) as base:
        base.execute(f"PRAGMA user_version = {FORMAT + 1}")
    base.close()
    assert f"is a store of format {FORMAT + 1}, this chipweave reads format {FORMAT}" in refusal(
        path
    )


def test_a_damaged_store_says_so_in_one_line(path: Path) -> None:
    with Store(path) as store:
        for seed in range(200):
            store.add(Record(task(seed), RESULT))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(StoreError) as caught, Store(path) as store:
        list(store)
    assert str(caught.value) == f"{path}: is damaged: name another file, or restore a copy"


@pytest.mark.parametrize("name", ["missing/runs.db", "."])
def test_a_place_where_no_file_can_be_made_is_named(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path / name).startswith(f"{tmp_path / name}: cannot be written")


def test_an_error_within_a_block_keeps_its_own_words(store: Store) -> None:
    with pytest.raises(KeyError, match="mine"), store.claim(task()):
        raise KeyError("mine")
    with store.claim(task()) as mine:
        assert mine


# Several processes

WORKER = """
import sys, time
from pathlib import Path
from experiments.store import Record, Store, Task

path, log, count, pause = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
with Store(path) as store:
    tasks = [Task("c0ffee", 8, "scope", "1", {"seed": seed}) for seed in range(count)]
    while missing := [task for task in tasks if store.get(task) is None]:
        for task in missing:
            with store.claim(task) as mine:
                if mine and store.get(task) is None:
                    with log.open("a") as file:
                        file.write(f"{task.options['seed']}\\n")
                    time.sleep(pause)
                    objective = 10 + task.options["seed"]
                    result = {"stop": "finished", "objective": objective, "bound": None}
                    store.add(Record(task, result))
        time.sleep(0.01)
"""


def worker(path: Path, log: Path, count: int, pause: float) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", WORKER, path, log, str(count), str(pause)])


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def until(lines_wanted: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while len(lines(log)) < lines_wanted and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(lines(log)) >= lines_wanted


def test_processes_that_make_and_share_a_store_do_every_run_once(
    path: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    workers = [worker(path, log, 60, 0.001) for _ in range(3)]
    assert [process.wait(timeout=120) for process in workers] == [0, 0, 0]
    assert sorted(map(int, lines(log))) == list(range(60))
    with Store(path) as store:
        assert sorted(record.objective or 0 for record in store) == list(range(10, 70))


@pytest.mark.skipif(os.name != "posix", reason="needs signals that cannot be caught")
def test_a_process_that_is_killed_loses_the_run_in_flight_only(path: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    kills = 4
    for kill in range(1, kills + 1):
        process = worker(path, log, 40, 0.02)
        until(len(lines(log)) + 3, log)
        time.sleep(0.007 * kill)  # now in a run, now between two
        process.send_signal(signal.SIGKILL)
        process.wait()
        begun = lines(log)
        with Store(path) as store:
            assert len(store) >= len(set(begun)) - 1
            assert all(record.objective for record in store)
    assert worker(path, log, 40, 0.0).wait(timeout=60) == 0
    assert len(lines(log)) <= 40 + kills, "a run that was kept was run again"
    with Store(path) as store:
        assert sorted(record.objective or 0 for record in store) == list(range(10, 50))
    with sqlite3.connect(path) as base:
        assert base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.skipif(os.name != "posix", reason="claims need locks that this system lacks")
def test_a_claim_holds_between_processes_until_its_process_ends(
    path: Path, tmp_path: Path, store: Store
) -> None:
    log = tmp_path / "log"
    process = worker(path, log, 1, 60.0)
    until(1, log)
    with store.claim(task(0)) as mine:
        assert not mine
    with store.claim(task(1)) as mine:
        assert mine
    process.kill()
    process.wait()
    with store.claim(task(0)) as mine:
        assert mine


def spoil(path: Path, statement: str) -> None:
    """Make a store of one run, and let another program change it."""
    with Store(path) as store:
        store.add(Record(task(), RESULT))
    base = sqlite3.connect(path, isolation_level=None)
    base.execute(statement)
    base.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE runs SET result = '[]'", "result: found a list of 0 entries, expected a mapping"),
        ("UPDATE runs SET options = '{'", "options: found '{', expected JSON"),
        ('UPDATE runs SET result = \'{"objective": "x"}\'', "result.objective: found 'x'"),
        ("UPDATE runs SET options = '{\"seed\": NaN}'", "expected JSON"),
        ("UPDATE runs SET result = '{\"schedule\": {}}'", "result.schedule has no segments"),
        ("UPDATE runs SET options = '5'", "options: found 5, expected a mapping"),
        ("UPDATE runs SET measures = '{\"s\": true}'", "measures.s: found true, expected a number"),
        ("UPDATE runs SET batch = 'many'", "batch: found 'many', expected a whole number"),
        ("UPDATE runs SET method = 5", None),
        ("UPDATE runs SET error = x'ff'", "error: found"),
    ],
)
def test_a_row_that_no_run_has_left_is_named(path: Path, statement: str, said: str | None) -> None:
    spoil(path, statement)
    with Store(path) as store:
        if said is None:  # SQLite makes a text of it
            assert [record.task.method for record in store] == ["5"]
            return
        with pytest.raises(StoreError) as caught:
            list(store)
    assert str(caught.value).startswith(f"{path}: the row 1 was not left by a run: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW walks AS SELECT * FROM runs",
        "CREATE TRIGGER more AFTER INSERT ON runs BEGIN DELETE FROM runs; END",
        "ALTER TABLE runs RENAME COLUMN method TO way",
        "DROP TABLE runs",
    ],
)
def test_a_store_that_would_run_something_or_has_another_table_is_refused(
    path: Path, statement: str
) -> None:
    spoil(path, statement)
    assert "has no table of runs as this chipweave makes it" in refusal(path)


def test_a_pipe_is_refused_instead_of_waited_for(path: Path) -> None:
    os.mkfifo(path)
    assert refusal(path) == f"{path}: is no plain file: name another one"


def test_what_sqlite_says_is_one_line_of_moderate_length() -> None:
    said = reason(sqlite3.OperationalError("odd\n  table\n" + "x" * 1000), 60)
    assert said.startswith("cannot be used: odd table x")
    assert len(said) < 300
