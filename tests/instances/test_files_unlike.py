"""Package files with chiplets of several kinds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from instances.files import FileError, read_package, write_package
from instances.files.package_file import package_to_data
from instances.files.text import write_data
from instances.packages import load_package
from instances.packages.mixed import MIXED_NAMES

BASE = load_package("datacentre-2x2")


def read(tmp_path: Path, unlike: Any) -> Any:
    path = tmp_path / "package.yaml"
    write_data({**package_to_data(BASE), "unlike": unlike}, path)
    return read_package(path)


@pytest.mark.parametrize("suffix", ["yaml", "json"])
@pytest.mark.parametrize("name", MIXED_NAMES)
def test_a_package_of_unlike_chiplets_reads_back_the_same(
    name: str, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"other.{suffix}"
    write_package(load_package(name), path)
    assert read_package(path) == load_package(name)


def test_keys_that_are_absent_are_those_of_the_usual_chiplet(tmp_path: Path) -> None:
    items = [
        {"places": [[1, 1], [0, 1]], "dataflow": "output-stationary", "array": [8, 4]},
        {"places": [[1, 0]], "buffer_bytes": 7, "leakage_w": 0.5},
    ]
    found = read(tmp_path, items)
    first = replace(BASE.chiplet, dataflow="output-stationary", array=(8, 4))
    second = replace(BASE.chiplet, buffer_bytes=7, leakage_w=0.5)
    assert found.unlike == (((0, 1), first), ((1, 0), second), ((1, 1), first)), "in order"
    assert found.chiplet_at((0, 0)) == BASE.chiplet
    assert found.chiplet_at((1, 0)) == second
    path = tmp_path / "again.json"
    write_package(found, path)
    assert read_package(path) == replace(found, name=found.name)


def test_chiplets_equal_to_the_usual_one_are_dropped(tmp_path: Path) -> None:
    items = [{"places": [[0, 0], [1, 0]], "dataflow": "weight-stationary"}]
    assert read(tmp_path, items) == BASE
    assert "unlike" not in package_to_data(BASE)


def test_all_places_may_have_another_kind(tmp_path: Path) -> None:
    places = [[x, y] for x in range(2) for y in range(2)]
    found = read(tmp_path, [{"places": places, "dataflow": "output-stationary"}])
    assert {chiplet.dataflow for _, chiplet in found.unlike} == {"output-stationary"}
    assert len(found.unlike) == 4


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (
            {"places": [[0, 0], [2, 0]], "array": [1, 1]},
            "unlike[0].places[1]: found [2, 0], expected a place on the 2 x 2 mesh",
        ),
        (
            {"places": [[0, 1], [0, 1]], "array": [1, 1]},
            "unlike[0].places[1]: found [0, 1], expected each place once",
        ),
        ({"places": [], "array": [1, 1]}, "unlike[0].places: found 0 entries, expected 1"),
        ({"array": [1, 1]}, "unlike[0].places: found nothing, expected a value for this key"),
        (
            {"places": [[0, 0]], "clock_hz": 3},
            "unlike[0]: found unknown key 'clock_hz', expected one of places, dataflow,",
        ),
        (
            {"places": [[0, 0]], "dataflow": "row-stationary"},
            "unlike[0].dataflow: found 'row-stationary', expected 'weight-stationary' or",
        ),
    ],
)
def test_what_is_wrong_is_one_clear_line(item: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        read(tmp_path, [item])
    assert str(caught.value).startswith(f"{tmp_path / 'package.yaml'}: {said}")
    assert "\n" not in str(caught.value)


def test_a_place_in_two_items_is_named_twice(tmp_path: Path) -> None:
    items = [{"places": [[0, 0]], "array": [n, 1]} for n in (1, 2)]
    with pytest.raises(FileError, match=r"unlike\[1\].places\[0\]: found \[0, 0\], expected each"):
        read(tmp_path, items)
