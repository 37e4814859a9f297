"""Writing what the user asked for: all of it or nothing, and checked before the work begins."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

Found = TypeVar("Found")
"""A kind of schedule."""

STDOUT = "-"

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""A text for a terminal, which nothing in it steers: names may come from anybody's file.

    Control characters but for tabs and line ends, marks that turn the direction of writing, and
    what was no UTF-8 are written as Python writes them: \x1b.
    """
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def real_path(name: str) -> Path:
    """Where a name leads; unlike `Path.resolve` it takes a circle of links as it is."""
    return Path(os.path.realpath(name))


def check_writable(option: str, path: str | None) -> None:
    """Refuse a file that could not be written at the end of a long run.

    Raises:
        ValueError: its folder is missing or closed to us, or it is a folder itself.
    """
    if path is None or path == STDOUT:
        return
    if not path:
        raise ValueError(f"{option}: the name is empty, expected that of a file")
    if Path(path).is_dir():
        raise ValueError(f"{option} {path}: is a folder, not a file")
    if Path(path).exists() and not Path(path).is_file():
        return  # a device or a pipe
    folder = real_path(path).parent
    if not folder.is_dir():
        raise ValueError(f"{option} {path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"{option} {path}: the folder {folder} cannot be written to")


def write_text(path: str, text: str) -> None:
    """Write a whole file at once, or the standard output for '-'.

    Raises:
        ValueError: the file system refuses.
    """
    if path == STDOUT:
        sys.stdout.write(text)
        return
    from instances.files.whole import write_whole

    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise ValueError(f"{path}: cannot be written: {error.strerror}") from None


def attempt_all(writes: list[Callable[[], None]]) -> None:
    """Write everything that can be written, though one of the files cannot be.

    Raises:
        ValueError: some cannot be, a line for each.
    """
    problems = []
    for write in writes:
        try:
            write()
        except (OSError, ValueError) as error:
            problems.append(str(error))
    if problems:
        raise ValueError("\n".join(problems))


def schedule_writes(
    schedule: Found | None,
    write: Callable[[Found, Path], None],
    draw: Callable[[Found, str], None],
    *,
    out: str | None,
    plot: str | None,
) -> list[Callable[[], None]]:
    """What writes a schedule's file and its picture, where they are wanted and there is one."""
    writes: list[Callable[[], None]] = []
    if schedule is not None and out is not None:
        writes.append(lambda: write(schedule, Path(out)))
    if schedule is not None and plot is not None:
        writes.append(lambda: draw(schedule, plot))
    return writes


def deliver(
    json: str | None,
    data: Callable[[], Any],
    show: Callable[[], None],
    writes: Sequence[Callable[[], None]] = (),
) -> None:
    """Write a result to its files, and show it even where a file cannot be written.

    Args:
        json: a file for the data, or '-' for showing nothing but them; None for neither.
        data: the result as plain data.
        show: prints the result.
        writes: write other files.

    Raises:
        ValueError: some files cannot be written, a line for each.
    """
    files = list(writes)
    if json is not None and json != STDOUT:
        files.insert(0, lambda: write_json(json, data()))
    try:
        attempt_all(files)
    finally:
        if json == STDOUT:
            write_json(STDOUT, data())
        else:
            show()


def write_json(path: str, data: Any) -> None:
    """Write plain data as JSON, or print it for '-'; infinite numbers become null."""
    write_text(path, json.dumps(_finite(data), indent=2, allow_nan=False) + "\n")


def write_csv(path: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV, or print them for '-'; None becomes an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not isfinite(data) else data
