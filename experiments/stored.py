"""What a store of runs holds, read with care: another program may have written it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NoReturn

from instances.files.errors import show

COLUMNS = (
    *("key", "content", "network", "package", "batch", "method", "options", "version", "result"),
    *("error", "measures", "finished"),
)
"""Of the table, but for those that SQLite computes."""

DAMAGED = "is damaged: name another file, or restore a copy"

WHOLE, NUMBER, TEXT, MAPPING = "a whole number", "a number", "text", "a mapping"

MOST_SAID = 200
"""Characters of what SQLite says."""

LARGEST = 10**300
"""Every number: floats can hold it, and some more."""

FACTS = {
    **dict.fromkeys(("objective", "latency", "energy", "seed"), WHOLE),
    **dict.fromkeys(("bound", "edp", "gap", "throughput", "time_limit", "runtime_s"), NUMBER),
    **dict.fromkeys(("stop", "unit", "instance", "formulation", "engine"), TEXT),
    **dict.fromkeys(("goal", "schedule"), MAPPING),
}
"""What reports read of a result, where it has it."""


class RowError(ValueError):
    """A row that no run has left; the message says which column, and what is wrong."""


def json_of(text: object, column: str) -> dict[str, Any]:
    """The mapping that a column holds as JSON.

    Raises:
        RowError: it holds something else.
    """
    try:
        data = json.loads(str(text), parse_constant=_refused)
    except (ValueError, RecursionError):
        _fail(column, text, "JSON")
    if not isinstance(data, dict):
        _fail(column, data, "a mapping as JSON")
    return data


def result_of(text: object) -> dict[str, Any]:
    """A result, whose facts have the types that reports count on.

    Raises:
        RowError: they have not.
    """
    data = json_of(text, "result")
    for name, kind in FACTS.items():
        check(data.get(name), kind, f"result.{name}", null=True)
    goal = data.get("goal") or {}
    check(goal.get("objective"), TEXT, "result.goal.objective", null=True)
    _check_segments(data.get("schedule"))
    return data


def measures_of(text: object) -> dict[str, float]:
    """What was measured, by name.

    Raises:
        RowError: something that is no number.
    """
    data = json_of(text, "measures")
    for name, value in data.items():
        check(value, NUMBER, f"measures.{name}", null=True)
    return data


def options_of(text: object) -> dict[str, Any]:
    """Arguments of `solve`, of which reports read some.

    Raises:
        RowError: those have other types.
    """
    data = json_of(text, "options")
    for name in ("steps", "formulation", "engine"):
        check(data.get(name), TEXT, f"options.{name}", null=True)
    for name, kind in {"seed": WHOLE, "time_limit": NUMBER}.items():
        check(data.get(name), kind, f"options.{name}", null=True)
    goal = data.get("goal")
    if isinstance(goal, dict):
        check(goal.get("objective"), TEXT, "options.goal.objective", null=True)
    return data


def check(value: object, kind: str, column: str, *, null: bool = False) -> None:
    """Refuse a value of another kind.

    Raises:
        RowError: it is one.
    """
    if value is None and null:
        return
    if kind in (TEXT, MAPPING):
        good = isinstance(value, str if kind == TEXT else Mapping)
    else:
        good = isinstance(value, int if kind == WHOLE else int | float)
        good = good and not isinstance(value, bool) and _is_moderate(value)
    if not good:
        _fail(column, value, kind)


def _check_segments(schedule: Mapping[str, Any] | None) -> None:
    """A schedule has segments and these have clusters; `schedules.files` reads the rest."""
    if schedule is None:
        return
    segments = schedule.get("segments")
    if not isinstance(segments, list) or not all(
        isinstance(segment, dict) and isinstance(segment.get("clusters"), list)
        for segment in segments
    ):
        raise RowError("result.schedule has no segments with clusters")


def _is_moderate(value: object) -> bool:
    return isinstance(value, int | float) and -LARGEST < value < LARGEST


def _refused(_: str) -> NoReturn:
    raise ValueError


def _fail(column: str, found: object, expected: str) -> NoReturn:
    raise RowError(f"{column}: found {show(found)}, expected {expected}")


def is_table_of_runs(base: sqlite3.Connection) -> bool:
    """Whether there is the table and nothing that would run as it is read: a view, a trigger."""
    found = base.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    kinds = {kind for kind, *_ in found}
    plain = [name for kind, name, sql in found if kind == "table" and _has_rows(sql)]
    columns = [row[1] for row in base.execute("PRAGMA table_info(runs)")]
    return kinds <= {"table", "index"} and plain == ["runs"] and columns == list(COLUMNS)


def _has_rows(sql: str | None) -> bool:
    """Whether a table has rows; a virtual one runs a module."""
    return (sql or "").upper().startswith("CREATE TABLE")


def reason(error: sqlite3.Error, waited: float) -> str:
    """What is wrong with a file, in words; `waited` is seconds for another process."""
    said = " ".join(str(error).split())  # it may quote the whole table
    if said == "file is not a database":
        return "is no store of runs: name another file"
    if "locked" in said:
        return f"another process has been writing for {waited:.0f} s: try again"
    if "malformed" in said:
        return DAMAGED
    if "readonly" in said or "unable to open" in said:
        return f"cannot be written ({said}): name a file in a folder that can be written to"
    return f"cannot be used: {said[:MOST_SAID]}"
