"""Hostile files: unreadable, oversized, exploding or random content never gets past FileError."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.files import FileError, read_instance
from instances.files import text as text_module
from instances.files.network_file import network_to_data
from instances.files.package_file import package_to_data
from instances.files.table_file import tables_to_data
from instances.files.text import MAX_BYTES
from instances.generate import random_instance
from instances.networks import build_network
from instances.packages import load_package


def message(path: Path) -> str:
    """The error that reading the file gives, after checks that hold for every error."""
    with pytest.raises(FileError) as caught:
        read_instance(path)
    text = str(caught.value)
    for line in text.splitlines():
        assert line.startswith(f"{path}: ")
        assert "pydantic" not in line
        assert "Traceback" not in line
        assert len(line) < 600
    return text.replace(f"{path}: ", "")


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"{old!r} must occur once"
    return text.replace(old, new)


RAW_CASES = {
    "empty.yaml": (b"", "the file is empty"),
    "blank.json": (b" \n", "the file is empty"),
    "comment.yaml": (b"# nothing\n", "found nothing, expected a mapping (key: value) at the top"),
    "binary.yaml": (b"\x80\x81\x82", "not UTF-8 text: byte 0 is 0x80"),
    "wide.yaml": ("kind: tables".encode("utf-16"), "not UTF-8 text: byte 0 is 0xff"),
    "zeros.json": (b"\0\0", "line 1, column 1: not JSON"),
    "list.yaml": (b"[1, 2]", "found a list of 2 entries, expected a mapping"),
    "text.json": (b'"tables"', "found 'tables', expected a mapping"),
    "no_kind.yaml": (b"batch: 1", "the key 'kind' is missing, expected instance or tables or net"),
    "kind.yaml": (
        b"kind: table",
        "kind: found 'table', expected instance or tables or network (di",
    ),
    "schedule.json": (b'{"kind": "schedule"}', "kind: found 'schedule', expected instance or tab"),
    "number.yaml": (b"kind: 5", "kind: found 5, expected instance"),
    "cut.json": (b'{"kind": "tables", "layers": [', "line 1, column 31: not JSON: Expecting value"),
    "nan.json": (b'{"kind": "instance", "batch": NaN, "network": 1}', "batch: found NaN, expected"),
    "inf.json": (b'{"kind": "instance", "batch": 1e999, "network": 1}', "batch: found inf, expec"),
    "twice.json": (b'{"kind": "tables", "kind": "tables"}', "key 'kind' appears twice in one obj"),
    "deep.json": (b'{"kind": ' + b"[" * 200_000, "lists and objects nested too deep"),
    "deep.yaml": (b"kind: " + b"[" * 200_000, "nested more than 32 deep"),
    "digits.json": (b'{"kind": ' + b"9" * 5000 + b"}", "a number has thousands of digits"),
    "half.json": (b'{"kind": "\\ud800"}', "half of a surrogate pair"),
    "laughs.yaml": (
        b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nkind: *c",
        "line 1, column 4: YAML anchors and aliases are not allowed",
    ),
    "file.txt": (
        b"kind: tables",
        "found '.txt', expected a file name that ends in .yaml, .yml, .j",
    ),
    "file": (b"kind: tables", "found no suffix, expected a file name"),
}


@pytest.mark.parametrize(("content", "expected"), RAW_CASES.values(), ids=RAW_CASES)
def test_broken_content_is_one_clear_line(
    tmp_path: Path, request: pytest.FixtureRequest, content: bytes, expected: str
) -> None:
    path = tmp_path / request.node.callspec.id
    path.write_bytes(content)
    text = message(path)
    assert expected in text
    assert "\n" not in text


def test_missing_file_and_directory_are_named(tmp_path: Path) -> None:
    assert message(tmp_path / "none.yaml") == "no such file"
    (tmp_path / "folder.yaml").mkdir()
    assert message(tmp_path / "folder.yaml") == "is a directory, not a file"


def test_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert message(tmp_path / "pipe.yaml") == "is not a plain file"


def test_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated, because a superuser may read every file."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "secret.yaml"
    path.write_text("kind: tables")
    monkeypatch.setattr(Path, "open", refuse)
    assert message(path) == "cannot be read: Permission denied"


def test_too_large_file_is_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as handle:
        handle.truncate(MAX_BYTES + 1)
    assert message(path) == "larger than 64 MB, the most that is read"


def test_number_of_collections_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "MAX_COLLECTIONS", 10)
    monkeypatch.setattr("instances.files.yaml_text.MAX_COLLECTIONS", 10)
    for name in ("many.json", "many.yaml"):
        path = tmp_path / name
        path.write_text('{"kind": [' + "[], " * 20 + "[]]}")
        assert "more than 10 lists" in message(path)


def test_number_of_keys_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "MAX_KEYS", 10)
    monkeypatch.setattr("instances.files.yaml_text.MAX_KEYS", 10)
    for name in ("many.json", "many.yaml"):
        path = tmp_path / name
        path.write_text(json.dumps({str(key): key for key in range(11)}))
        assert "more than 10 keys" in message(path)


def test_claim_of_many_layers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "many.json"
    path.write_text('{"kind": "network", "layers": [' + "{}," * 100_000 + "{}]}")
    assert message(path) == "found 100001 layers, expected at most 20000"


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([2**52, 2**63, 10**40, 1e300, float("nan"), "", "a", "b", "ISP", "alexnet"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["ISP", "WSP", "a", "name", "layer", ""]), inner)
    ),
    max_leaves=6,
)


def spoil(draw: st.DrawFn, data: Any) -> Any:
    """The data with junk in one random place, a value missing, or a stray key."""
    if isinstance(data, (dict, list)) and data and draw(st.integers(0, 4)):
        copy = dict(data) if isinstance(data, dict) else list(data)
        key = draw(st.sampled_from(list(data) if isinstance(data, dict) else range(len(data))))
        copy[key] = spoil(draw, data[key])
        return copy
    if isinstance(data, dict) and draw(st.booleans()):
        return {**dict(list(data.items())[1:]), "stray": 1}
    return draw(JUNK)


@settings(max_examples=200)
@given(st.data())
def test_whatever_a_file_holds_the_only_error_is_a_file_error(data: st.DataObject) -> None:
    tables = tables_to_data(random_instance(1, layers=5, options=2, shape="dag"))
    run = {
        "kind": "instance",
        "batch": 2,
        "network": network_to_data(build_network("alexnet")),
        "package": package_to_data(load_package("simba-4x4")),
    }
    content = data.draw(st.composite(spoil)(data.draw(st.sampled_from([tables, run]))))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "spoilt.json"
        path.write_text(json.dumps(content))
        try:
            read_instance(path)
        except FileError as error:
            lines = str(error).splitlines()
            assert all(line.startswith(f"{path}: ") for line in lines)


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_both_formats_take_the_same_depth(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"deep.{suffix}"
    path.write_text('{"kind": "network", "inputs": ' + "[" * 31 + "]" * 31 + "}")
    assert "nested" not in message(path)
    path.write_text('{"kind": "network", "inputs": ' + "[" * 32 + "]" * 32 + "}")
    assert "nested more than 32 deep" in message(path)


def test_names_in_a_list_of_names_end_no_line(tmp_path: Path) -> None:
    tables = tables_to_data(random_instance(1, layers=2, options=2))
    tables["options"] = ["ISP", "two\nlines"]
    path = tmp_path / "names.json"
    path.write_text(json.dumps(tables))
    for line in message(path).splitlines():
        assert line.startswith(("layers[", "and "))
