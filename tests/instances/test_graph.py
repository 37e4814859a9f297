"""Graphs of operators: what is refused, what is read off them, and random ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from instances.generate_graph import random_graph
from instances.graph import LIMIT, OperatorGraph, shown_path

MakeGraph = Callable[..., OperatorGraph]

DIAMOND = [(0, 1), (0, 2), (1, 3), (2, 3)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"accelerators": 0}, "no device to run on"),
        ({"accelerators": -1, "cpus": 2}, "no device to run on"),
        ({"accelerators": 2, "cpus": -1}, "no device to run on"),
        ({"nodes": (), "edges": ()}, "no node"),
        ({"edges": ((0, 1), (1, 2), (0, 1))}, "two edges join the same nodes"),
        ({"edges": ((0, 4),)}, r"edge \(0, 4\) joins no two nodes"),
        ({"edges": ((-1, 0),)}, r"edge \(-1, 0\) joins no two nodes"),
        ({"edges": ((2, 2),)}, "a cycle of edges: 2 -> 2"),
        ({"edges": ((0, 1), (1, 2), (2, 1))}, "a cycle of edges: 1 -> 2 -> 1"),
        ({"memory": -1}, "a memory is negative"),
        ({"memory": LIMIT}, r"beyond 9\.0e\+15"),
    ],
)
def test_what_is_no_graph_is_refused(
    make_graph: MakeGraph, changes: dict[str, Any], message: str
) -> None:
    graph = make_graph([1, 1, 1, 1], DIAMOND)
    with pytest.raises(ValueError, match=rf"^graph 'made': .*{message}"):
        replace(graph, **changes)


@pytest.mark.parametrize("key", ["accelerator", "cpu", "transfer", "size"])
def test_numbers_of_nodes_are_neither_negative_nor_without_end(
    make_graph: MakeGraph, key: str
) -> None:
    graph = make_graph([1, 1])

    def changed(value: Any) -> tuple[Any, ...]:
        return replace(graph.nodes[0], **{key: value}), graph.nodes[1]

    with pytest.raises(ValueError, match="node 0: a negative number"):
        replace(graph, nodes=changed(-1))
    with pytest.raises(ValueError, match="beyond"):
        replace(graph, nodes=changed(LIMIT))
    assert replace(graph, nodes=changed(2**50))


def test_two_nodes_of_one_id_are_refused(make_graph: MakeGraph) -> None:
    with pytest.raises(ValueError, match="two nodes have the same id"):
        make_graph([1, 1], id=[7, 7])


def test_a_cycle_through_backward_nodes_is_refused(make_graph: MakeGraph) -> None:
    with pytest.raises(ValueError, match="a cycle of edges: 0 -> 1 -> 0"):
        make_graph([1, 1], [(0, 1), (1, 0)], backward=[False, True])


def test_neighbours_are_those_of_edges_and_come_in_topological_order(
    make_graph: MakeGraph,
) -> None:
    graph = make_graph([1] * 4, [(3, 1), (3, 2), (1, 0), (2, 0)])
    assert graph.successors == ((), (0,), (0,), (1, 2))
    assert graph.predecessors == ((1, 2), (3,), (3,), ())
    assert graph.topological == (3, 1, 2, 0)
    assert graph.devices == 2


def test_kinds_are_accelerators_before_cpus(make_graph: MakeGraph) -> None:
    graph = make_graph([1], accelerators=2, cpus=1)
    assert graph.kinds == ("accelerator", "accelerator", "cpu")


def test_an_edge_that_touches_the_backward_part_is_no_forward_edge(
    make_graph: MakeGraph,
) -> None:
    edges = [(0, 1), (1, 2), (2, 3), (0, 3)]
    graph = make_graph([1] * 4, edges, backward=[False, False, True, True])
    assert graph.forward_edges == ((0, 1),)


def test_classes_are_colours_and_nodes_without_one_stand_alone(make_graph: MakeGraph) -> None:
    # Colour 1 is not mixed up with the node at place 1, nor 0 with no colour.
    graph = make_graph([1] * 5, color=[1, None, 0, 1, None])
    assert graph.classes == ((0, 3), (1,), (2,), (4,))


def test_ticks_become_the_time_that_the_file_means(make_graph: MakeGraph) -> None:
    assert make_graph([1], digits=3).time(1234) == 1.234
    assert make_graph([1], digits=-3).time(7) == 7000.0
    # 10^23 is no double, so that a division of doubles would be off.
    assert make_graph([1], digits=23).time(3) == 3e-23


def test_long_paths_are_shown_by_their_ends() -> None:
    assert shown_path(range(8)) == "0 -> 1 -> 2 -> 3 -> 4 -> 5 -> 6 -> 7"
    assert shown_path(range(20)) == "0 -> 1 -> 2 -> 3 -> ... -> 17 -> 18 -> 19"


# Random graphs

SAMPLE = [random_graph(seed) for seed in range(200)]


def test_the_same_seed_gives_the_same_graph_and_sizes_are_kept() -> None:
    assert random_graph(5) == SAMPLE[5]
    assert len(set(SAMPLE)) == len(SAMPLE)
    for seed in range(50):
        small = random_graph(seed, classes=3, devices=2)
        assert small.devices <= 2
        assert sum(not node.backward for node in small.nodes) <= 2 * 3


@pytest.mark.parametrize(
    "has",
    [
        lambda g: any(node.backward for node in g.nodes),
        lambda g: any(node.accelerator is None for node in g.nodes),
        lambda g: any(node.backward and node.color is None for node in g.nodes),
        lambda g: any(sum(not g.nodes[p].backward for p in own) > 1 for own in g.classes),
        lambda g: not g.accelerators,
        lambda g: not g.cpus,
        lambda g: g.memory < sum(node.size for node in g.nodes),
        lambda g: not g.edges and len(g.nodes) > 1,
    ],
    ids=[
        "backward",
        "cpu-only-nodes",
        "backward-alone",
        "forward-classes",
        "no-accelerator",
        "no-cpu",
        "scarce-memory",
        "no-edges",
    ],
)
def test_all_that_a_graph_may_have_occurs_now_and_then(has: Callable[[Any], bool]) -> None:
    assert 2 <= sum(map(has, SAMPLE)) < len(SAMPLE)
