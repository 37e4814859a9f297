"""Files as plain data: YAML and JSON, chosen by suffix, read with care and written at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from instances.files.errors import closest, fail, listed, quoted, show
from instances.files.whole import write_whole
from instances.files.yaml_text import MAX_COLLECTIONS, MAX_DEPTH, MAX_KEYS, dump_yaml, load_yaml

MAX_BYTES = 64 * 2**20
"""Size of a file."""

SUFFIXES = (".yaml", ".yml", ".json")


def read_data(path: str | Path) -> dict[str, object]:
    """The mapping that a YAML or JSON file holds.

    Raises:
        FileError: no such file, not readable, not text, too large, wrong syntax, no mapping.
    """
    source = str(path)
    suffix = _suffix(path)
    return parse_data(read_text(path), suffix, source)


def read_text(path: str | Path) -> str:
    """The text of a file.

    Raises:
        FileError: no such file, not readable, not UTF-8, too large.
    """
    source, file = str(path), Path(path)
    try:
        if file.exists() and not file.is_file():
            fail(source, "is a directory, not a file" if file.is_dir() else "is not a plain file")
        with file.open("rb") as handle:
            content = handle.read(MAX_BYTES + 1)
    except FileNotFoundError:
        fail(source, "no such file")
    except OSError as error:
        fail(source, f"cannot be read: {error.strerror}")
    if len(content) > MAX_BYTES:
        fail(source, f"larger than {MAX_BYTES // 2**20} MB, the most that is read")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fail(source, f"not UTF-8 text: byte {error.start} is {content[error.start]:#04x}")


def parse_data(text: str, suffix: str, source: str) -> dict[str, object]:
    """The mapping that a YAML or JSON text holds; `source` stands in messages.

    Raises:
        FileError: wrong syntax, or no mapping at the top.
    """
    if not text.strip():
        fail(source, "the file is empty")
    data = _load_json(text, source) if suffix == ".json" else load_yaml(text, source)
    if not isinstance(data, dict):
        fail(source, f"found {show(data)}, expected a mapping (key: value) at the top")
    return data


def kind_of(data: Mapping[str, object], source: str, allowed: tuple[str, ...]) -> str:
    """The value of the key `kind`.

    Raises:
        FileError: it is absent or not one of those allowed.
    """
    kind = data.get("kind")
    if kind in allowed:
        return str(kind)
    near = closest(kind, allowed) if isinstance(kind, str) else ""
    expected = f"expected {' or '.join(allowed)}{near}"
    if "kind" not in data:
        fail(source, f"the key 'kind' is missing, {expected}")
    fail(source, f"found {show(kind)}, {expected}", ("kind",))


def write_data(data: Mapping[str, object], path: str | Path) -> None:
    """Write plain data as YAML or JSON; a reader sees the old file or the new one, whole.

    Raises:
        FileError: unknown suffix, or the file system refuses.
    """
    source = str(path)
    suffix = _suffix(path)
    text = _dump_json(data, "") + "\n" if suffix == ".json" else dump_yaml(data)
    try:
        write_whole(path, text.encode())
    except OSError as error:
        fail(source, f"cannot be written: {error.strerror}")


def _suffix(path: str | Path) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        found = quoted(suffix) if suffix else "no suffix"
        fail(str(path), f"found {found}, expected a file name that ends in {listed(SUFFIXES)}")
    return suffix


def _load_json(text: str, source: str) -> object:
    if text.count("[") + text.count("{") > MAX_COLLECTIONS:
        fail(source, f"more than {MAX_COLLECTIONS:,} lists and objects")
    if text.count(":") > MAX_KEYS:
        fail(source, f"more than {MAX_KEYS:,} keys (colons)")
    try:
        data: object = json.loads(text, object_pairs_hook=_unique)
        if "\\ud" in text.lower():
            json.dumps(data, ensure_ascii=False).encode()
    except _DuplicateKeyError as error:
        fail(source, f"key {quoted(str(error))} appears twice in one object")
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        fail(source, f"{place}: not JSON: {error.msg}")
    except RecursionError:
        fail(source, "lists and objects nested too deep")
    except UnicodeEncodeError:
        fail(source, "a text holds half of a surrogate pair (\\ud800 to \\udfff)")
    except ValueError:  # Python refuses integers of thousands of digits
        fail(source, "a number has thousands of digits")
    if isinstance(data, dict) and _is_deep(data):
        fail(source, f"lists and objects nested more than {MAX_DEPTH} deep")
    return data


def _is_deep(data: object) -> bool:
    """Whether lists and mappings stand deeper inside one another than a file needs."""
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH):
        inner = [one.values() if isinstance(one, dict) else one for one in level if one]
        # Most lists hold numbers only, and there may be millions of those.
        inner = [values for values in inner if not _NESTS.isdisjoint(map(type, values))]
        level = [one for values in inner for one in values if isinstance(one, dict | list)]
    return bool(level)


_NESTS = frozenset({dict, list})


class _DuplicateKeyError(Exception):
    """A key stands twice in one JSON object."""


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result: dict[str, object] = {}
    for key, value in pairs:
        if key in result:
            raise _DuplicateKeyError(key)
        result[key] = value
    return result


def _dump_json(value: Any, indent: str) -> str:
    """JSON with one line for each plain value and each list of plain values."""
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        lines = [f"{json.dumps(key)}: {_dump_json(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(deeper + line for line in lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        lines = [_dump_json(item, deeper) for item in value]
        return "[\n" + ",\n".join(deeper + line for line in lines) + f"\n{indent}]"
    return json.dumps(value, allow_nan=False)
