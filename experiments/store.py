"""The store of runs: one SQLite file, a row a run; a run that is there is not run again.

    CREATE TABLE runs (
        key       TEXT PRIMARY KEY,  -- of content, method, options and version: what was run
        content   TEXT,     -- of the instance: experiments.fingerprint.content
        network   TEXT,     -- names, for people; null for a table instance
        package   TEXT,
        batch     INTEGER,
        method    TEXT,
        options   TEXT,     -- JSON: arguments of solve, and `repeat` where a run is measured again
        version   TEXT,     -- of the method: experiments.fingerprint.version_of
        result    TEXT,     -- JSON: solvers.result.Result.to_data; null if the run failed
        error     TEXT,     -- why it failed; null if it did not
        measures  TEXT,     -- JSON: what else was measured, by name
        finished  TEXT,     -- UTC
        stop, objective, bound, runtime_s  -- of the result, computed by SQLite
    )

For example `SELECT network, package, batch, objective FROM runs WHERE stop = 'optimal'`.

A row is one transaction in a write-ahead log: a process that is killed loses the run in flight and
nothing else, and others read and write meanwhile. Who runs what is told by locks on bytes of a
file beside the store; the system lifts them when their process ends, however it ends. The store
must lie on a local disk: neither the log nor the locks work on a network file system. A process
opens a store once: closing one of two lifts the locks of both.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from experiments.digest import digest
from experiments.stored import (
    COLUMNS,
    DAMAGED,
    TEXT,
    WHOLE,
    RowError,
    check,
    is_table_of_runs,
    measures_of,
    options_of,
    reason,
    result_of,
)

APPLICATION = 0x63777276
"""'cwrv', in the header of the file: what tells a store from other SQLite files."""

FORMAT = 1
"""Of the table; a store of another format is refused."""

WAIT_SECONDS = 60.0
"""For another process that is writing."""

SCHEMA = """
CREATE TABLE runs (
    key TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    network TEXT,
    package TEXT,
    batch INTEGER NOT NULL,
    method TEXT NOT NULL,
    options TEXT NOT NULL,
    version TEXT NOT NULL,
    result TEXT,
    error TEXT,
    measures TEXT NOT NULL,
    finished TEXT NOT NULL,
    stop TEXT AS (json_extract(result, '$.stop')),
    objective AS (json_extract(result, '$.objective')),
    bound AS (json_extract(result, '$.bound')),
    runtime_s REAL AS (json_extract(result, '$.runtime_s'))
)
"""

ASIDE = frozenset(
    {"seed", "repeat", "workers", "time_limit", "gap_limit", "memory_limit", "memory_limit_mb"}
    | {"objective", "goal"}
)
"""Options that do not make another method of it."""

try:
    import fcntl
except ImportError:  # a system without such locks: processes may do a run twice
    fcntl = None  # type: ignore[assignment]


class StoreError(ValueError):
    """A file that cannot be used as a store; the message names it and says why."""


def label(method: str, options: Mapping[str, Any]) -> str:
    """A method with the options that make another one of it: 'exact, segments 2'."""
    told = [
        value if isinstance(value, str) else f"{name} {json.dumps(value, sort_keys=True)}"
        for name, value in sorted(options.items())
        if name not in ASIDE and value is not None
    ]
    return ", ".join([method, *told])


@dataclass(frozen=True)
class Task:
    """What is to be run.

    Attributes:
        content: names what the instance says.
        batch, network, package: for people; the names are None for a table instance.
        method: its name.
        version: of the method.
        options: arguments of `solve` as plain data, and whatever else tells runs apart.
    """

    content: str
    batch: int
    method: str
    version: str
    options: Mapping[str, Any] = field(default_factory=dict)
    network: str | None = None
    package: str | None = None

    @cached_property
    def key(self) -> str:
        """Names the task; names of networks and packages have no part in it."""
        return digest(self.content, self.method, dict(self.options), self.version)

    @property
    def steps(self) -> str | None:
        """Of Scope's search; None if it takes its own."""
        return self.options.get("steps")

    @property
    def what(self) -> str:
        """The method, with its steps, for messages."""
        return self.method if self.steps is None else f"{self.method} with {self.steps}"

    @property
    def instance(self) -> str:
        """The instance, for messages and tables."""
        name = self.content if self.network is None else f"{self.network} on {self.package}"
        return f"{name}, batch {self.batch}"


@dataclass(frozen=True)
class Record:
    """What came of a task.

    Attributes:
        task: what was run.
        result: `Result.to_data()`; None if the run failed.
        error: why it failed; None if it did not.
        measures: what else was measured, by name.
        finished: UTC, ISO 8601.
    """

    task: Task
    result: dict[str, Any] | None
    error: str | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    finished: str = ""

    @property
    def objective(self) -> int | None:
        """Of the schedule; None without one."""
        return None if self.result is None else self.result.get("objective")

    @property
    def bound(self) -> float | None:
        """A valid lower bound on the objective; None if the run proved none."""
        return None if self.result is None else self.result.get("bound")

    @property
    def latency(self) -> int | None:
        """Cycles for the batch; None without a schedule."""
        return None if self.result is None else self.result.get("latency")

    @property
    def energy(self) -> int | None:
        """Picojoules for the batch; None without a schedule."""
        return None if self.result is None else self.result.get("energy")

    @property
    def stop(self) -> str | None:
        """Why the run ended; None if it failed."""
        return None if self.result is None else self.result.get("stop")

    @property
    def runtime_s(self) -> float | None:
        """Wall time of the run; None if it failed."""
        return None if self.result is None else self.result.get("runtime_s")


class Store:
    """An open store; a context.

    Raises:
        StoreError: the file cannot be opened or made, or is something else. Every method raises it
            where the file turns out to be broken, full or held by another process.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.exists() and not (self.path.is_file() or self.path.is_dir()):
            raise StoreError(f"{self.path}: is no plain file: name another one")  # a pipe: waits
        with self._told():
            self._base = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            with self._told():
                self._ready()
            self._locks = None if fcntl is None else open(f"{self.path}-locks", "ab")  # noqa: SIM115
        except OSError as error:
            self._base.close()
            raise StoreError(f"{error.filename}: cannot be written: {error.strerror}") from None
        except BaseException:
            self._base.close()
            raise

    def _ready(self) -> None:
        """Make the table in a new file; refuse a file of another kind."""
        if self._number("application_id") != APPLICATION:
            self._make()
        found = self._number("user_version")
        if found != FORMAT:
            raise StoreError(
                f"{self.path}: is a store of format {found}, this chipweave reads format {FORMAT}:"
                " use the chipweave that made it, or another file"
            )
        if not is_table_of_runs(self._base):
            raise StoreError(
                f"{self.path}: has no table of runs as this chipweave makes it: restore a copy, or"
                " name another file"
            )
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = NORMAL")

    def _make(self) -> None:
        with self._writing():
            if self._number("application_id") == APPLICATION:
                return  # another process was faster
            if self._base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise StoreError(
                    f"{self.path}: is a database of another program: name another file"
                )
            self._base.execute(SCHEMA)
            self._base.execute("CREATE INDEX runs_of_content ON runs (content, method)")
            self._base.execute(f"PRAGMA application_id = {APPLICATION}")
            self._base.execute(f"PRAGMA user_version = {FORMAT}")

    def _number(self, pragma: str) -> int:
        return int(self._base.execute(f"PRAGMA {pragma}").fetchone()[0])

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file, and of all claims of this process on its runs."""
        self._base.close()
        if self._locks is not None:
            self._locks.close()

    def add(self, record: Record) -> None:
        """Keep what came of a task, unless another process was faster."""
        task = record.task
        values = (
            task.key,
            task.content,
            task.network,
            task.package,
            task.batch,
            task.method,
            _json(dict(task.options)),
            task.version,
            None if record.result is None else _json(record.result),
            record.error,
            _json(dict(record.measures)),
            datetime.now(UTC).isoformat(timespec="seconds"),
        )
        marks = ", ".join("?" * len(values))
        with self._told(), self._writing():
            self._base.execute(f"INSERT OR IGNORE INTO runs VALUES ({marks})", values)

    def get(self, task: Task) -> Record | None:
        """What came of a task; None if it is not there."""
        return next(self._records("WHERE key = ?", task.key), None)

    def of(self, content: str, method: str | None = None) -> list[Record]:
        """All runs of an instance, perhaps of one method only; the latest last."""
        if method is None:
            return list(self._records("WHERE content = ?", content))
        return list(self._records("WHERE content = ? AND method = ?", content, method))

    def __iter__(self) -> Iterator[Record]:
        """All runs, the latest last."""
        return self._records("")

    def __len__(self) -> int:
        """How many runs there are."""
        with self._told():
            return int(self._base.execute("SELECT count(*) FROM runs").fetchone()[0])

    def _records(self, which: str, *values: str) -> Iterator[Record]:
        columns = ", ".join(COLUMNS[1:])
        with self._told():
            found = self._base.execute(
                f"SELECT rowid, {columns} FROM runs {which} ORDER BY rowid", values
            ).fetchall()
        for number, *row in found:
            try:
                yield _record(row)
            except RowError as error:
                raise StoreError(
                    f"{self.path}: the row {number} was not left by a run: {error}"
                ) from None

    @contextmanager
    def claim(self, task: Task) -> Iterator[bool]:
        """Hold a task while the block runs; False if another process holds it.

        Claims are between processes: within one, a task can be claimed again.
        """
        byte = int(task.key[:15], 16)
        if self._locks is None:
            yield True
            return
        try:
            fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except OSError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, byte)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction: all of the block or nothing."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What is wrong with the file, in one line."""
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {reason(error, WAIT_SECONDS)}") from None
        except UnicodeDecodeError:  # of the names in a damaged file, by Python's module
            raise StoreError(f"{self.path}: {DAMAGED}") from None


def _json(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _record(row: Sequence[Any]) -> Record:
    """A row without its key.

    Raises:
        RowError: a run has not left it.
    """
    own = dict(zip(COLUMNS[1:], row, strict=True))
    for name in ("content", "method", "version", "finished"):
        check(own[name], TEXT, name)
    for name in ("network", "package", "error"):
        check(own[name], TEXT, name, null=True)
    check(own["batch"], WHOLE, "batch")
    options, measures = options_of(own["options"]), measures_of(own["measures"])
    result = None if own["result"] is None else result_of(own["result"])
    names = own["network"], own["package"]
    task = Task(own["content"], own["batch"], own["method"], own["version"], options, *names)
    return Record(task, result, own["error"], measures, own["finished"])
