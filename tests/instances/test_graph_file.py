"""Files of graphs: what the format allows, what is refused and how, and what is written."""

from __future__ import annotations

import json
from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instances.files import FileError
from instances.files.graph_file import graph_from_data, graph_to_data, read_graph, write_graph
from instances.generate_graph import random_graph
from instances.graph import LIMIT, OperatorGraph
from instances.graph_of_network import graph_of
from instances.networks import build_network

DATA: dict[str, Any] = {
    "maxSizePerFPGA": 1000.0,
    "maxFPGAs": 2,
    "maxCPUs": 1,
    "nodes": [
        {
            "id": 30,
            "name": "matmul",
            "supportedOnFpga": True,
            "cpuLatency": 12.5,
            "fpgaLatency": 1.25,
            "isBackwardNode": False,
            "colorClass": 3,
            "size": 4096.0,
        },
        {
            "id": -4,
            "supportedOnFpga": 0,
            "cpuLatency": 2,
            "isBackwardNode": 0,
            "colorClass": None,
            "size": 0.25,
        },
        {
            "id": 7,
            "supportedOnFpga": 1,
            "cpuLatency": 3.0,
            "fpgaLatency": 0.5,
            "isBackwardNode": 1,
            "size": 10,
        },
    ],
    "edges": [
        {"sourceId": 30, "destId": -4, "cost": 0.5},
        {"sourceId": -4, "destId": 7, "cost": 0.125},
        {"sourceId": 30, "destId": 7, "cost": 0.5},
    ],
}


def read(data: object) -> OperatorGraph:
    return graph_from_data(data, "g.json", "g")


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    """The data with one value changed; `...` takes the key away."""
    data = deepcopy(DATA)
    at: Any = data
    for key in path[:-1]:
        at = at[key]
    if to is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return data


def times(graph: OperatorGraph, key: str) -> list[float]:
    return [graph.time(getattr(node, key) or 0) for node in graph.nodes]


# What the format says


def test_a_file_is_read_as_it_says(tmp_path: Path) -> None:
    path = tmp_path / "bert_l-3.json"
    path.write_text(json.dumps(DATA))
    graph = read_graph(path)
    assert graph.name == "bert_l-3"
    assert (graph.accelerators, graph.cpus, graph.memory) == (2, 1, 1000)
    assert [node.id for node in graph.nodes] == [30, -4, 7]
    assert [node.name for node in graph.nodes] == ["matmul", "-4", "7"]
    assert times(graph, "cpu") == [12.5, 2, 3]
    assert times(graph, "accelerator") == [1.25, 0, 0.5]
    assert times(graph, "transfer") == [0.5, 0.125, 0]
    assert [node.accelerator is None for node in graph.nodes] == [False, True, False]
    assert [node.backward for node in graph.nodes] == [False, False, True]
    assert [node.color for node in graph.nodes] == [3, None, None]
    assert graph.edges == ((0, 1), (1, 2), (0, 2))


def test_yaml_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "g.yaml"
    path.write_text(json.dumps(DATA))
    assert read_graph(path) == read(DATA)


def test_sizes_are_rounded_up_and_the_memory_down() -> None:
    assert [node.size for node in read(DATA).nodes] == [4096, 1, 10]
    assert read(changed("maxSizePerFPGA", to=4096.9)).memory == 4096


def test_a_time_on_an_accelerator_does_not_count_where_there_is_none() -> None:
    graph = read(changed("nodes", 0, "supportedOnFpga", to=False))
    assert graph.nodes[0].accelerator is None


def test_other_keys_are_not_read() -> None:
    data = changed("debug", to={"nodes": 7})
    data["nodes"][0]["shape"], data["edges"][0]["note"] = [1, 2], None
    assert read(data) == read(DATA)


def test_edges_that_join_the_same_nodes_count_once() -> None:
    data = deepcopy(DATA)
    data["edges"] += [*data["edges"], {**data["edges"][0], "cost": 0.5 + 1e-12}]
    graph = read(data)
    assert graph.edges == read(DATA).edges
    assert times(graph, "transfer")[0] == pytest.approx(0.5, rel=1e-9)


def test_a_graph_may_have_no_edges_and_no_times() -> None:
    data = changed("edges", to=[])
    for node in data["nodes"]:
        node.update(cpuLatency=0, fpgaLatency=0.0)
    graph = read(data)
    assert graph.edges == ()
    assert {node.cpu for node in graph.nodes} == {0}


# Ticks


def test_decimal_times_become_whole_ticks_without_a_rest() -> None:
    # 0.1 + 0.2 is not 0.3 as doubles.
    data = changed("nodes", 0, "cpuLatency", to=0.1)
    data["nodes"][1]["cpuLatency"], data["nodes"][2]["cpuLatency"] = 0.2, 0.3
    first, second, third = (node.cpu for node in read(data).nodes)
    assert first + second == third


def test_times_are_rounded_to_the_nearest_tick() -> None:
    data = changed("nodes", 0, "cpuLatency", to=0.1234567890126)
    data["nodes"][1]["cpuLatency"] = 0.1234567890124
    graph = read(data)
    assert graph.digits == 12
    assert [node.cpu for node in graph.nodes[:2]] == [123_456_789_013, 123_456_789_012]


@given(st.lists(st.floats(0, 1e14, allow_subnormal=False), min_size=1, max_size=6))
def test_every_time_is_kept_to_a_billionth_of_their_sum(latencies: list[float]) -> None:
    nodes = [
        {"id": k, "supportedOnFpga": False, "cpuLatency": own, "size": 0}
        for k, own in enumerate(latencies)
    ]
    graph = read({**DATA, "nodes": nodes, "edges": []})
    assert sum(node.cpu for node in graph.nodes) < LIMIT
    total = sum(map(Fraction, latencies))
    for own, kept in zip(latencies, graph.nodes, strict=True):
        error = abs(Fraction(kept.cpu) / Fraction(10) ** graph.digits - Fraction(own))
        assert error <= total / 10**9 + Fraction(1, 10**240)


@pytest.mark.parametrize("power", [-240, -15, -9, -6, 6, 12])
def test_the_unit_of_time_is_free(power: int) -> None:
    data = deepcopy(DATA)
    plain, unit = read(DATA), float(f"1e{power}")
    for node in data["nodes"]:
        node["cpuLatency"] *= unit
        node["fpgaLatency"] = node.get("fpgaLatency", 0) * unit
    for edge in data["edges"]:
        edge["cost"] *= unit
    scaled = read(data)
    for key in ("cpu", "accelerator", "transfer"):
        wanted = [own * unit for own in times(plain, key)]
        assert times(scaled, key) == pytest.approx(wanted, rel=1e-9, abs=0)


def test_the_largest_numbers_that_are_allowed_fit_together() -> None:
    most = 9.99e14
    nodes = [
        {
            "id": k,
            "supportedOnFpga": True,
            "cpuLatency": most,
            "fpgaLatency": most,
            "size": 1.0,
        }
        for k in range(1000)
    ]
    edges = [{"sourceId": k, "destId": k + 1, "cost": most} for k in range(999)]
    graph = read({**DATA, "nodes": nodes, "edges": edges})
    assert times(graph, "cpu") == pytest.approx([most] * 1000, rel=1e-9)


def test_tiny_times_beside_huge_ones_become_nothing_rather_than_break_the_sum() -> None:
    data = changed("nodes", 0, "cpuLatency", to=1e14)
    data["nodes"][1]["cpuLatency"] = 5e-324
    assert times(read(data), "cpu")[:2] == [1e14, 0.0]


# What is refused


@pytest.mark.parametrize(
    ("path", "to", "message"),
    [
        (("nodes",), ..., "nodes: found nothing, expected a value for this key"),
        (("edges",), ..., "edges: found nothing, expected a value for this key"),
        (("maxFPGAs",), ..., "maxFPGAs: found nothing, expected a value for this key"),
        (("maxCPUs",), ..., "maxCPUs: found nothing"),
        (("maxSizePerFPGA",), ..., "maxSizePerFPGA: found nothing"),
        (("nodes", 2, "id"), ..., "nodes[2].id: found nothing"),
        (("nodes", 1, "cpuLatency"), ..., "nodes[1].cpuLatency: found nothing"),
        (("nodes", 1, "supportedOnFpga"), ..., "nodes[1].supportedOnFpga: found nothing"),
        (("edges", 1, "sourceId"), ..., "edges[1].sourceId: found nothing"),
        (("edges", 1, "cost"), ..., "edges[1].cost: found nothing"),
        (("nodes",), [], "nodes: found 0 entries, expected 1"),
        (("nodes",), {}, "nodes: found a mapping, expected a list"),
        (("nodes", 1), 5, "nodes[1]: found 5, expected a mapping"),
        (("nodes", 2, "id"), 7.5, "nodes[2].id: found 7.5, expected a whole number"),
        (("nodes", 2, "id"), True, "nodes[2].id: found true, expected a whole number"),
        (("nodes", 0, "cpuLatency"), -1.0, "nodes[0].cpuLatency: found -1.0, expected at least 0"),
        (("nodes", 0, "size"), -1, "nodes[0].size: found -1, expected at least 0"),
        (("nodes", 0, "size"), float("nan"), "nodes[0].size: found NaN, expected a finite number"),
        (("nodes", 0, "cpuLatency"), float("inf"), "nodes[0].cpuLatency: found inf, expected a f"),
        (("nodes", 0, "cpuLatency"), "12", "nodes[0].cpuLatency: found '12', expected a number"),
        (("nodes", 0, "fpgaLatency"), ..., "nodes[0].fpgaLatency: found nothing, expected a time"),
        (("nodes", 0, "fpgaLatency"), None, "nodes[0].fpgaLatency: found nothing, expected a time"),
        (("nodes", 0, "supportedOnFpga"), 2, "nodes[0].supportedOnFpga: found 2, expected True"),
        (("nodes", 0, "isBackwardNode"), "no", "nodes[0].isBackwardNode: found 'no', expected"),
        (("nodes", 0, "colorClass"), "red", "nodes[0].colorClass: found 'red', expected a whole"),
        (("edges", 2, "cost"), 0.75, "edges[2].cost: found 0.75, expected 0.5, as on another edge"),
        (("edges", 0, "cost"), -0.5, "edges[0].cost: found -0.5, expected at least 0"),
        (("edges", 0, "sourceId"), 8, "edges[0].sourceId: found 8, expected the id of a node"),
        (("edges", 2, "destId"), 8, "edges[2].destId: found 8, expected the id of a node"),
        (("edges", 1, "destId"), 30, "a cycle of edges: 30 -> -4 -> 30"),
        (("edges", 1, "destId"), -4, "a cycle of edges: -4 -> -4"),
        (("maxFPGAs",), -1, "maxFPGAs: found -1, expected at least 0"),
        (("maxFPGAs",), 2.0, "maxFPGAs: found 2.0, expected a whole number"),
        (("maxCPUs",), 1001, "maxCPUs: found 1001, expected at most 1000"),
        (("maxSizePerFPGA",), 1e15, "maxSizePerFPGA: found 1000000000000000.0, expected less"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_file_and_place(
    path: tuple[str | int, ...], to: Any, message: str
) -> None:
    with pytest.raises(FileError) as caught:
        read(changed(*path, to=to))
    text = str(caught.value)
    assert text.startswith(f"g.json: {message}")
    assert "\n" not in text


def test_an_id_that_stands_twice_is_refused_with_both_places() -> None:
    data = {**changed("nodes", 2, "id", to=30), "edges": []}
    with pytest.raises(FileError) as caught:
        read(data)
    wanted = "g.json: nodes[2].id: found 30, expected an id of its own: nodes[0] has it, too"
    assert str(caught.value) == wanted


def test_a_graph_without_any_device_is_refused() -> None:
    data = {**DATA, "maxFPGAs": 0, "maxCPUs": 0}
    with pytest.raises(FileError, match=r"^g\.json: no device to run on$"):
        read(data)


def test_a_name_with_a_colon_does_not_spoil_the_message() -> None:
    with pytest.raises(FileError, match=r"^x: no device to run on$"):
        graph_from_data({**DATA, "maxFPGAs": 0, "maxCPUs": 0}, "x", "a: b")


def test_sizes_that_are_beyond_all_integers_of_a_solver_are_refused() -> None:
    nodes = [{**DATA["nodes"][0], "id": k, "size": 9e14} for k in range(12)]
    with pytest.raises(FileError, match=r"^g\.json: its times or sizes together are beyond"):
        read({**DATA, "nodes": nodes, "edges": []})


def test_several_problems_are_a_line_each() -> None:
    data = changed("nodes", 2, "id", to=30)
    data["edges"][0]["destId"] = 99
    with pytest.raises(FileError) as caught:
        read(data)
    lines = str(caught.value).splitlines()
    # Node 7 is gone, and two edges read it.
    assert len(lines) == 4
    assert all(line.startswith("g.json: ") for line in lines)


@pytest.mark.parametrize("text", ["", "[]", '{"nodes": [', '"nodes edges"', "\x00"])
def test_a_file_that_is_no_mapping_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "g.json"
    path.write_text(text)
    with pytest.raises(FileError, match=r"g\.json: "):
        read_graph(path)


# Writing


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"g.{suffix}"
    write_graph(read(DATA), path)
    assert read_graph(path) == read(DATA)


@pytest.mark.parametrize("seed", range(30))
def test_random_graphs_survive_their_file(seed: int) -> None:
    # The output of a node that nobody reads has no edge to say what moving it takes.
    graph = random_graph(seed)
    again = graph_from_data(graph_to_data(graph), "x", graph.name)
    assert graph_to_data(again) == graph_to_data(graph)
    assert (again.edges, again.classes) == (graph.edges, graph.classes)


def test_graphs_of_networks_survive_their_file() -> None:
    graph = graph_of(build_network("resnet50"), training=True)
    data = graph_to_data(graph)
    again = graph_from_data(data, "x", graph.name)
    assert graph_to_data(again) == data
    for key in ("cpu", "accelerator"):
        assert times(again, key) == times(graph, key)


def test_an_unknown_suffix_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "g.txt"
    with pytest.raises(FileError, match=r"found '\.txt', expected"):
        write_graph(read(DATA), path)
    assert not path.exists()
