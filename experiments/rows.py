"""A store as a table: a row a run, for CSV, Parquet and data frames."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from experiments.store import Record, Store
from instances.files.whole import write_whole

COLUMNS: Mapping[str, str] = {
    "network": "string",
    "package": "string",
    "batch": "int64",
    "method": "string",
    "formulation": "string",
    "engine": "string",
    "steps": "string",  # as they were asked for
    "seed": "int64",
    "time_limit": "float64",
    "goal": "string",  # what was minimised
    "stop": "string",
    "objective": "int64",
    "bound": "float64",
    "gap": "float64",
    "runtime_s": "float64",
    "latency": "int64",
    "energy": "int64",
    "edp": "float64",
    "throughput": "float64",
    "segments": "int64",
    "clusters": "int64",
    "error": "string",
    "finished": "string",
    "version": "string",
    "content": "string",
    "key": "string",
    "options": "string",  # JSON
    "measures": "string",  # JSON
    "schedule": "string",  # JSON
}
"""Name of a column -> type in Parquet; `docs/experiments.md` says what they mean."""

OF_THE_RESULT = (
    *("formulation", "engine", "seed", "time_limit", "stop", "objective", "bound", "gap"),
    *("runtime_s", "latency", "energy", "edp", "throughput"),
)


def rows(store: Store) -> Iterator[dict[str, Any]]:
    """All runs of a store, as they are in COLUMNS; None where there is nothing to say.

    Raises:
        StoreError: a store that cannot be used.
    """
    return map(row, store)


def row(record: Record) -> dict[str, Any]:
    """A run, as it is in COLUMNS."""
    task, result = record.task, record.result or {}
    schedule = result.get("schedule")
    segments = None if schedule is None else schedule["segments"]
    given = {
        **{name: result.get(name, task.options.get(name)) for name in OF_THE_RESULT},
        "network": task.network,
        "package": task.package,
        "batch": task.batch,
        "method": task.method,
        "steps": task.steps,
        "goal": task.options.get("objective", "latency"),
        "segments": None if segments is None else len(segments),
        "clusters": None if segments is None else sum(len(s["clusters"]) for s in segments),
        "error": record.error,
        "finished": record.finished,
        "version": task.version,
        "content": task.content,
        "key": task.key,
        "options": _json(dict(task.options)),
        "measures": _json(dict(record.measures)),
        "schedule": None if schedule is None else _json(schedule),
    }
    if record.result is None:
        given["objective"] = None  # the option of this name says what was minimised
    return {name: given[name] for name in COLUMNS}


def csv_text(store: Store) -> str:
    """The table as CSV; nothing in a cell is None.

    Raises:
        StoreError: a store that cannot be used.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(store))
    return text.getvalue()


def write_parquet(store: Store, path: str | Path) -> None:
    """Write the table as Parquet; a reader sees the old file or the new one, whole.

    A column of whole numbers, one of which needs more than 64 bits, becomes one of floats.

    Raises:
        ImportError: pyarrow is not installed.
        StoreError: a store that cannot be used.
        OSError: the file system refuses.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ImportError(
            "Parquet needs pyarrow, which is not installed: pip install 'chipweave[experiments]'"
        ) from None
    found = list(rows(store))
    columns = {name: _column([row[name] for row in found], kind) for name, kind in COLUMNS.items()}
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), buffer)
    write_whole(path, buffer.getvalue())


def _column(values: list[Any], kind: str) -> Any:
    import pyarrow

    if kind == "float64" or any(isinstance(v, int) and v >= 2**63 for v in values):
        values = [None if value is None else float(value) for value in values]
        kind = "float64"
    return pyarrow.array(values, kind)


def _json(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))
