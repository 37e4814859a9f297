"""Mutants of a file: its values, its text or its bytes changed in a few places."""

from __future__ import annotations

import io
import json
import math
import re
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import yaml

HOSTILE_TEXTS = (
    "",
    " ",
    "\0",
    "\x1b[31mred\x1b[0m",
    "[red]x[/red]",
    "[/]",
    "<script>alert(1)</script>",
    "two\nlines",
    "\u202eback",
    "\ufeff",
    "x" * 5000,
    "../../etc/passwd",
    "/dev/zero",
    "resnet50",
    "chain-1000000",
    "all",
    "simba-1000x1000",
    "|",
    "=1+1",
    "1e5",
    "1_000",
    "0x10",
    "{}",
    "%s%n",
    "\u0661\u0662",
)

HOSTILE_NUMBERS: tuple[float, ...] = (
    *(-1, 0, 1, 2, 3, 7, 100, 1000, 65_535, 65_536, 10**6, 10**9, 10**12, 10**15),
    *(2**31 - 1, 2**31, 2**32, 2**52, 2**53 - 1, 2**53, 2**62, 2**63 - 1, 2**63, 2**64, 10**40),
    *(-(2**63), 0.5, 1e-9, 1e-320, 1e15, 1e300, -0.0, math.nan, math.inf, -math.inf),
)

HOSTILE_VALUES: tuple[Any, ...] = (
    *(None, True, False, [], {}, [[]], [None], {"": 0}, [0] * 1000, [[0, 1]] * 500),
    *HOSTILE_TEXTS,
    *HOSTILE_NUMBERS,
)

HOSTILE_BYTES = (
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xc0\x80",
    b"\r",
    b"\x85",
    b"\t",
    b"\x1b[2J",
    b"'",
    b'"',
    b"&a ",
    b"*a",
    b"<<: *a",
    b"!!python/object/apply:os.system ['true'] ",
    b"!!binary ",
    b"!!set ",
    b"!x ",
    b"---\n",
    b"...\n",
    b"%YAML 1.1\n",
    b"? ",
    b": ",
    b"- ",
    b"# ",
    b"{",
    b"}",
    b"]",
    b"[" * 50,
    b"|",
    b">",
    b"NaN",
    b"Infinity",
    b"1e999",
    b"9" * 5000,
    b"-",
    b".",
    b",",
    b",,",
    b"\\ud800",
    b"\\u0000",
    b"x" * 10_000,
)


def mutate(content: bytes, suffix: str, draw: Random, others: Sequence[bytes] = ()) -> bytes:
    """A mutant of a valid file.

    Args:
        content: of the file.
        suffix: of its name, which tells its format.
        draw: what is changed.
        others: files whose parts may get into the mutant.
    """
    known = _BY_FORMAT.get(suffix)
    if known is not None and draw.random() < 0.75:
        content = known(content, suffix, draw)
        if draw.random() < 0.9:
            return content
    way = _of_bytes if suffix in _BINARY or draw.random() < 0.4 else _of_lines
    for _ in range(1 + int(draw.expovariate(1))):
        content = way(content, draw, others)
    return content


def mutate_text(text: str, draw: Random) -> str:
    """A mutant of an argument of the command line, which can hold no NUL."""
    content = text.encode()
    for _ in range(1 + int(draw.expovariate(1))):
        way = draw.choice((_of_bytes, _numbers, _parts))
        content = way(content, draw, ())
    return content.replace(b"\0", b"0").decode(errors="surrogateescape")


def _of_bytes(content: bytes, draw: Random, others: Sequence[bytes]) -> bytes:
    """One change of bytes."""
    start = draw.randint(0, len(content))
    end = min(len(content), start + int(draw.expovariate(0.1)))
    way = draw.randrange(7)
    if way == 0 and start < len(content):
        changed = content[start] ^ (1 << draw.randrange(8))
        return content[:start] + bytes([changed]) + content[start + 1 :]
    if way == 1:
        return content[:start] + content[end:]
    if way == 2:
        return content[:start] + content[start:end] * draw.choice((2, 3, 50)) + content[end:]
    if way == 3:
        return content[:start] if draw.random() < 0.5 else content[start:]
    if way == 4 and others:
        other = draw.choice(others)
        return content[:start] + other[draw.randint(0, len(other)) :]
    if way == 5 and draw.random() < 0.1:
        return content.decode("latin-1").encode(draw.choice(("utf-16", "utf-32", "utf-8-sig")))
    if way == 6:
        return content[:start] + draw.randbytes(draw.randint(1, 8)) + content[end:]
    return content[:start] + draw.choice(HOSTILE_BYTES) + content[end:]


def _of_lines(content: bytes, draw: Random, others: Sequence[bytes]) -> bytes:
    """One change of lines or numbers."""
    lines = content.splitlines(keepends=True) or [b""]
    place, way = draw.randrange(len(lines)), draw.randrange(6)
    if way == 0:
        del lines[place]
    elif way == 1:
        lines[place] *= draw.choice((2, 3, 200))
    elif way == 2:
        lines.insert(draw.randrange(len(lines)), lines[place])
    elif way == 3 and others:
        lines.insert(place, draw.choice(draw.choice(others).splitlines(keepends=True) or [b""]))
    elif way == 4:
        return _numbers(content, draw, others)
    else:
        indent = b" " * draw.randrange(5)
        lines[place] = indent + draw.choice(HOSTILE_BYTES) + lines[place]
    return b"".join(lines)


def _numbers(content: bytes, draw: Random, _: Sequence[bytes]) -> bytes:
    """Another number in the place of one."""
    found = list(re.finditer(rb"[0-9]+", content))
    if not found:
        return content
    place, value = draw.choice(found), draw.choice(HOSTILE_NUMBERS)
    return content[: place.start()] + str(value).encode() + content[place.end() :]


def _parts(content: bytes, draw: Random, _: Sequence[bytes]) -> bytes:
    """Another text in the place of what stands between signs."""
    parts = re.split(rb"([=:,&?@.%/-])", content)
    text = draw.choice(HOSTILE_TEXTS).encode()
    parts[draw.randrange(len(parts))] = draw.choice((text, b"", draw.choice(parts)))
    return b"".join(parts)


def _of_data(content: bytes, suffix: str, draw: Random) -> bytes:
    """Changes of the values that a YAML or JSON file holds."""
    data = yaml.safe_load(content)
    for _ in range(1 + int(draw.expovariate(1.5))):
        data = _changed(data, draw)
    if draw.random() < 0.01:
        data = json.loads("[" * 60 + "]" * 60)
    if suffix == ".json" or draw.random() < 0.5:
        return json.dumps(data).encode()
    return str(yaml.safe_dump(data, allow_unicode=True, sort_keys=False)).encode()


def _changed(data: Any, draw: Random) -> Any:
    """The data with one value changed, somewhere."""
    if isinstance(data, dict | list) and data and draw.random() < 0.92:
        copy: Any = dict(data) if isinstance(data, dict) else list(data)
        key = draw.choice(list(data)) if isinstance(data, dict) else draw.randrange(len(data))
        copy[key] = _changed(data[key], draw)
        return copy
    if isinstance(data, dict) and data:
        return _other_mapping(data, draw)
    if isinstance(data, list) and data and draw.random() < 0.7:
        return _other_list(data, draw)
    if isinstance(data, int | float) and draw.random() < 0.9:
        near = (0, 1, 2, 3, data + 1, data - 1, data * 2, data * 10, data * 1000, data * 10**6)
        return draw.choice(near if draw.random() < 0.8 else HOSTILE_NUMBERS)
    return draw.choice(HOSTILE_VALUES)


def _other_mapping(data: dict[str, Any], draw: Random) -> dict[str, Any]:
    """A key less, one more, one renamed, or two values exchanged."""
    entries = list(data.items())
    place, other = draw.randrange(len(entries)), draw.randrange(len(entries))
    key, value = entries[place]
    way = draw.randrange(4)
    if way == 0:
        del entries[place]
    elif way == 1:
        entries[place] = (draw.choice((key.upper(), key + "s", *HOSTILE_TEXTS)), value)
    elif way == 2:
        entries[place] = (key, entries[other][1])
    else:
        entries.append((draw.choice(HOSTILE_TEXTS), draw.choice(HOSTILE_VALUES)))
    return dict(entries)


def _other_list(data: list[Any], draw: Random) -> list[Any]:
    """An entry less, entries again, in another order, or inside one another."""
    place, way = draw.randrange(len(data)), draw.randrange(5)
    if way == 0:
        return data[:place] + data[place + 1 :]
    if way == 1:
        return data[:place] + [data[place]] * draw.choice((2, 3, 2000)) + data[place + 1 :]
    if way == 2:
        return data[::-1]
    if way == 3 and isinstance(data[place], dict) and "name" in data[place]:
        many = draw.choice((10, 300, 3000))
        return data + [{**data[place], "name": f"{data[place]['name']}-{n}"} for n in range(many)]
    return [data]


def _of_archive(content: bytes, _: str, draw: Random) -> bytes:
    """A changed member in an archive that is whole, or a claim of another size or shape."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = draw.choice(list(members))
    members[name] = _of_array(members[name], ".npy", draw)
    if draw.random() < 0.2:
        members[draw.choice(("x.npy", "y.npy", "../x.npy", "\x1b[31m.npy", ""))] = members[name]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as z:
        for own, data in members.items():
            z.writestr(zipfile.ZipInfo(own), data)
    return packed.getvalue()


_TYPES = (
    *("<f8", "<f2", "<i8", "|O", "|S4", "<U7", "<c8", "|b1", "<M8[s]", ">f4", "|V4", "<f4", "4f4"),
    "a" * 9,
)
_SHAPES = (
    *("(8,)", "()", "(8, 4, 1)", "(2, 16)", "(1, 32)", "(0, 4)", "(32,)", "(-1, 4)", "(8, 5)"),
    *("(99999999999, 4)", "(4611686018427387904, 4)", "(8, 4.0)", "8", "(True, 4)", "None"),
)


def _of_array(content: bytes, _: str, draw: Random) -> bytes:
    """Another header, or numbers that are none, in an .npy file."""
    way = draw.randrange(4)
    if way == 0:
        kind = draw.choice(_TYPES).encode()
        return re.sub(rb"'descr': '[^']*'", b"'descr': '" + kind + b"'", content)
    if way == 1:
        shape = draw.choice(_SHAPES).encode()
        return re.sub(rb"'shape': \([^)]*\)", b"'shape': " + shape, content)
    if way == 2:
        return content[:-4] + draw.choice((b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff\xff\x7f\x7f"))
    return _of_bytes(content, draw, ())


def _of_store(content: bytes, _: str, draw: Random) -> bytes:
    """Another value in a row of a store of runs, or another table."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        path.write_bytes(content)
        base = sqlite3.connect(path, isolation_level=None)
        try:
            # What another program would write; our writer checks what it is given.
            base.execute("PRAGMA journal_mode = DELETE")
            for _again in range(draw.randint(1, 2)):
                _other_row(base, draw)
        except (sqlite3.Error, OverflowError, UnicodeEncodeError):
            pass  # SQLite itself refuses it
        finally:
            base.close()
        return path.read_bytes()


def _other_row(base: sqlite3.Connection, draw: Random) -> None:
    if draw.random() < 0.1:
        base.execute(
            draw.choice(
                (
                    "DROP TABLE runs",
                    "ALTER TABLE runs RENAME TO walks",
                    "ALTER TABLE runs RENAME COLUMN method TO way",
                    "PRAGMA user_version = 2",
                    "DELETE FROM runs",
                )
            )
        )
        return
    names = "content network package batch method options version result error measures finished"
    column, row = draw.choice(names.split()), draw.randint(1, 3)
    where = "FROM runs WHERE rowid = ?"
    (before,) = base.execute(f"SELECT {column} {where}", (row,)).fetchone() or (None,)
    if isinstance(before, str) and before.startswith("{") and draw.random() < 0.8:
        value: Any = json.dumps(_changed(json.loads(before), draw))
    else:
        value = draw.choice(HOSTILE_VALUES)
        value = json.dumps(value) if isinstance(value, dict | list) else value
    base.execute(f"UPDATE runs SET {column} = ? WHERE rowid = ?", (value, row))


_BINARY = (".npz", ".npy", ".onnx", ".db")

_BY_FORMAT: dict[str, Callable[[bytes, str, Random], bytes]] = {
    ".yaml": _of_data,
    ".json": _of_data,
    ".npz": _of_archive,
    ".npy": _of_array,
    ".db": _of_store,
}
