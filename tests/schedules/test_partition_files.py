"""Divisions in files and pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from instances.files import FileError
from instances.graph import OperatorGraph
from schedules.partition.draw import MOST_EDGES, draw_loads, draw_nodes, draw_partition
from schedules.partition.evaluate import evaluate_partition
from schedules.partition.files import (
    partition_from_data,
    partition_to_data,
    read_partition,
    write_partition,
)
from schedules.partition.partition import Device, Partition

MakeGraph = Callable[..., OperatorGraph]

PARTITION = Partition((Device("accelerator", (-4, 30)), Device("cpu", (7,))))

DATA: dict[str, Any] = {
    "devices": [{"kind": "accelerator", "nodes": [-4, 30]}, {"kind": "cpu", "nodes": [7]}]
}


def test_the_documented_object_is_read_and_written() -> None:
    assert partition_to_data(PARTITION) == DATA
    assert partition_from_data(DATA, "x") == PARTITION
    assert partition_from_data({"kind": "partition", **DATA}, "x") == PARTITION


def test_the_division_of_a_result_is_read_too() -> None:
    assert partition_from_data({"method": "split", "schedule": DATA}, "x") == PARTITION


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"division.{suffix}"
    write_partition(PARTITION, path)
    assert read_partition(path) == PARTITION


@given(
    st.lists(
        st.builds(
            Device,
            st.sampled_from(["accelerator", "cpu"]),
            st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4).map(tuple),
        ),
        max_size=4,
    ).map(lambda devices: Partition(tuple(devices)))
)
def test_every_division_survives_as_data(partition: Partition) -> None:
    text = json.dumps(partition_to_data(partition))
    assert partition_from_data(json.loads(text), "x") == partition


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"devices": [{"kind": "gpu", "nodes": []}]},
            "devices[0].kind: found 'gpu', expected 'acc",
        ),
        ({"devices": [{"kind": "cpu"}]}, "devices[0].nodes: found nothing"),
        ({"devices": [{"kind": "cpu", "nodes": ["3"]}]}, "devices[0].nodes[0]: found '3', exp"),
        ({"devices": [{"kind": "cpu", "nodes": [1.5]}]}, "devices[0].nodes[0]: found 1.5, exp"),
        ({"devices": {}}, "devices: found a mapping, expected a list"),
        ({"schedule": {"devices": [{"kind": "cpu", "nodes": 3}]}}, "schedule.devices[0].nodes: f"),
        ({"devices": [], "loads": []}, "found unknown key 'loads'"),
    ],
)
def test_what_is_no_division_is_one_line_that_names_file_and_place(
    data: dict[str, Any], message: str
) -> None:
    with pytest.raises(FileError) as caught:
        partition_from_data(data, "d.json")
    assert str(caught.value).startswith(f"d.json: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [{"segments": []}, {"kind": "schedule"}, {"schedule": None}])
def test_files_of_other_kinds_are_refused(data: dict[str, Any]) -> None:
    with pytest.raises(FileError, match=r"^d\.json: "):
        partition_from_data(data, "d.json")


# Pictures


@pytest.fixture
def graph(make_graph: MakeGraph) -> OperatorGraph:
    return make_graph(
        [20, 30, 50],
        [(0, 1), (1, 2)],
        cpus=1,
        cpu=[0, 0, 90],
        transfer=[5, 7, 0],
        digits=1,
        backward=[False, False, True],
    )


SHOWN = Partition.of([("accelerator", [0]), ("accelerator", [1]), ("cpu", [2])])


def test_bars_are_as_long_as_the_loads_in_the_files_unit(graph: OperatorGraph) -> None:
    ax = Figure().subplots()
    draw_loads(evaluate_partition(graph, SHOWN), graph, ax)
    bars: Any = ax.patches
    widths = [round(bar.get_width(), 9) for bar in bars]
    assert widths == [2.0, 3.0, 9.0, 0.5, 0.7, 0.0, 0.0, 0.5, 0.0]
    assert [round(bar.get_x(), 9) for bar in bars][6:] == [2.5, 3.7, 9.0]
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert labels == ["accelerator 0", "accelerator 1", "cpu 0"]


def test_dots_are_nodes_and_lines_are_edges_between_devices(
    graph: OperatorGraph, make_graph: MakeGraph
) -> None:
    ax = Figure().subplots()
    draw_nodes(graph, SHOWN, ax)
    shown = [np.asarray(own.get_offsets()).tolist() for own in ax.collections]
    assert shown == [[[0, 0], [1, 1]], [[2, 2]]]
    assert len(ax.lines) == 2
    half = 70
    edges = [(u, half + v) for u in range(half) for v in range(half)]
    assert len(edges) > MOST_EDGES
    many = make_graph([1] * 2 * half, edges)
    ends = [("accelerator", range(half)), ("accelerator", range(half, 2 * half))]
    ax = Figure().subplots()
    draw_nodes(many, Partition.of(ends), ax)  # type: ignore[arg-type]
    assert len(ax.lines) == 0


def test_the_same_division_gives_the_same_picture(graph: OperatorGraph, tmp_path: Path) -> None:
    pictures = [tmp_path / f"{name}.svg" for name in "ab"]
    for path in pictures:
        draw_partition(graph, SHOWN, path)
    first, second = (path.read_bytes() for path in pictures)
    assert first == second
    assert first.startswith(b"<?xml")
    with pytest.raises(ValueError, match=r"a\.txt"):
        draw_partition(graph, SHOWN, tmp_path / "a.txt")
