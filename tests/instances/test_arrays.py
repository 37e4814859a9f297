"""Arrays: names, files that read back the same, and what is refused."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instances.array import ORGANISATIONS, Array
from instances.arrays import MAX_SIDE, is_array_name, load_array
from instances.files import FileError
from instances.files.array_file import (
    array_from_data,
    array_to_data,
    read_array,
    write_array,
)
from instances.files.errors import Problems
from instances.files.text import write_data

DATA: dict[str, Any] = array_to_data(load_array("8x4+2"))


# Names


@pytest.mark.parametrize(
    ("name", "mesh", "express", "depth"),
    [
        ("32x32", (32, 32), 0, 32),
        ("32x32+4", (32, 32), 4, 32),
        ("4x2", (4, 2), 0, 2),
        ("1x1", (1, 1), 0, 1),
        ("3x100+99", (3, 100), 99, 17),
        ("256x256", (MAX_SIDE, MAX_SIDE), 0, 256),
    ],
)
def test_a_name_says_columns_rows_and_express_links(
    name: str, mesh: tuple[int, int], express: int, depth: int
) -> None:
    array = load_array(name)
    assert is_array_name(name)
    assert (array.name, array.mesh, array.express, array.depth) == (name, mesh, express, depth)
    assert array.pes == mesh[0] * mesh[1]
    assert array.organisations == ORGANISATIONS


def test_arrays_of_all_sizes_have_the_same_pes() -> None:
    one, other = asdict(load_array("4x4")), asdict(load_array("32x16+4"))
    differ = {key for key in one if one[key] != other[key]}
    assert differ == {"name", "mesh", "express", "depth"}


@pytest.mark.parametrize("name", ["32", "32x", "x32", "32x32+", "32x32x4", "-4x4", "4 x 4", "", 32])
def test_what_is_no_name_is_none(name: object) -> None:
    assert not is_array_name(name)


def test_another_name_is_refused_with_the_form() -> None:
    with pytest.raises(ValueError, match=r"no array 'big': expected COLUMNSxROWS or .*32x32\+4"):
        load_array("big")


@pytest.mark.parametrize("name", ["0x4", "4x0", "257x4", "4x257", "999999x1"])
def test_sides_out_of_range_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"array {name}: expected 1 to 256 columns and rows"):
        load_array(name)


@pytest.mark.parametrize("name", ["4x4+1", "4x4+4", "1x1+2", "4x3+9"])
def test_express_links_that_have_no_room_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="express links of length"):
        load_array(name)


def test_an_array_always_runs_layers_by_themselves() -> None:
    with pytest.raises(ValueError, match="organisations without 'sequential'"):
        replace(load_array("4x4"), organisations=("striped",))


# Files


@pytest.mark.parametrize("suffix", ["yaml", "json"])
@pytest.mark.parametrize("name", ["1x1", "8x4", "32x32+4"])
def test_an_array_reads_back_the_same(name: str, suffix: str, tmp_path: Path) -> None:
    array, path = load_array(name), tmp_path / f"array.{suffix}"
    write_array(array, path)
    assert read_array(path) == array
    fewer = replace(array, organisations=("sequential", "striped"), mac_pj=0.125)
    write_array(fewer, path)
    assert read_array(path) == fewer


def test_what_may_be_absent_has_its_default(tmp_path: Path) -> None:
    path = tmp_path / "eyes.yaml"
    optional = ("kind", "name", "express", "organisations")
    write_data({"kind": "array", **{k: v for k, v in DATA.items() if k not in optional}}, path)
    array = read_array(path)
    assert (array.name, array.express, array.organisations) == ("eyes", 0, ORGANISATIONS)


REQUIRED = [key for key in DATA if key not in ("kind", "name", "express", "organisations")]


@pytest.mark.parametrize("key", REQUIRED)
def test_a_missing_key_is_named(key: str, tmp_path: Path) -> None:
    path = tmp_path / "array.yaml"
    write_data({name: value for name, value in DATA.items() if name != key}, path)
    with pytest.raises(FileError) as caught:
        read_array(path)
    assert str(caught.value) == f"{path}: {key}: found nothing, expected a value for this key"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "package"}, "kind: found 'package', expected array"),
        ({"mesh": [8]}, "mesh: found 1 entry, expected 2"),
        ({"mesh": [0, 4]}, "mesh[0]: found 0, expected at least 1"),
        ({"mesh": 32}, "mesh: found 32, expected a list"),
        ({"mesh": [8, 4], "buses": 1}, "found unknown key 'buses', expected one of kind, name"),
        ({"macs": 0}, "macs: found 0, expected at least 1"),
        ({"macs": "8"}, "macs: found '8', expected a whole number"),
        ({"bus_bytes": 2**21}, "bus_bytes: found 2097152, expected at most 1048576"),
        ({"element_bytes": 65}, "element_bytes: found 65, expected at most 64"),
        ({"bands": 0}, "bands: found 0, expected at least 1"),
        ({"depth": 0}, "depth: found 0, expected at least 1"),
        ({"hop_pj": -1}, "hop_pj: found -1, expected at least 0"),
        ({"express": 1}, "express: found 1, expected 0 (no express links), or a length of 2 to 7"),
        ({"express": 8}, "express: found 8, expected 0 (no express links), or a length of 2 to 7"),
        ({"organisations": ["stripes"]}, "organisations[0]: found 'stripes', expected "),
        ({"organisations": []}, "organisations: found none, expected 'sequential' among them"),
        (
            {"organisations": ["striped"]},
            "organisations: found striped, expected 'sequential' among them",
        ),
    ],
)
def test_a_wrong_file_is_one_clear_line(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / "array.yaml"
    write_data({**DATA, **changes}, path)
    with pytest.raises(FileError) as caught:
        read_array(path)
    assert str(caught.value).startswith(f"{path}: {said}")
    assert "\n" not in str(caught.value)


def test_too_many_pes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "array.yaml"
    write_data({**DATA, "mesh": [2**15, 2**15], "express": 0}, path)
    with pytest.raises(FileError, match="mesh"):
        read_array(path)


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 70)
    | st.sampled_from([2**52, 2**63, 10**40, 1e300, float("nan"), "", "8", "striped", "array"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "x"]), inner),
    max_leaves=4,
)


@given(
    st.dictionaries(st.sampled_from([*DATA, "stray"]), JUNK, max_size=4),
    st.sets(st.sampled_from(list(DATA)), max_size=2),
)
def test_whatever_a_file_holds_the_only_error_is_a_file_error(
    changes: dict[str, Any], missing: set[str]
) -> None:
    data = {key: value for key, value in {**DATA, **changes}.items() if key not in missing}
    try:
        array = array_from_data(data, Problems("junk.yaml", data), default_name="junk")
    except FileError as error:
        for line in str(error).splitlines():
            assert line.startswith("junk.yaml: ")
            assert "pydantic" not in line
    else:
        assert isinstance(array, Array)
        assert array_from_data(array_to_data(array), Problems("", {}), default_name="") == array
