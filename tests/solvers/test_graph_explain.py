"""Why a graph has no division: who is too large for what, with numbers."""

from dataclasses import replace

from instances.generate_graph import random_graph
from instances.graph import Node, OperatorGraph
from solvers.graph_partition import solve_graph
from solvers.graph_partition.explain import why_impossible


def graph(*sizes: int, memory: int, accelerators: int = 2) -> OperatorGraph:
    """Nodes of these sizes, without edges and CPUs."""
    nodes = tuple(Node(own, str(own), 1, 1, size=size) for own, size in enumerate(sizes))
    return OperatorGraph("g", nodes, (), accelerators, 0, memory)


def test_a_node_that_is_too_large_is_named_with_its_size_and_the_limit() -> None:
    assert why_impossible(graph(3, 40, memory=10), "ordered") == [
        "node 1: 40 bytes, and an accelerator has 10"
    ]


def test_nodes_that_share_a_device_are_named_together() -> None:
    own = graph(4, 4, 4, 4, memory=10)
    nodes = tuple(replace(node, color=7) for node in own.nodes)
    (reason,) = why_impossible(replace(own, nodes=nodes), "free")
    assert reason.startswith("nodes 0, 1, 2 and 1 more, which share a device: 16 bytes")


def test_a_node_for_cpus_only_is_named() -> None:
    own = graph(1, 1, memory=10)
    nodes = (own.nodes[0], replace(own.nodes[1], accelerator=None))
    assert why_impossible(replace(own, nodes=nodes), "convex") == [
        "node 1 runs on CPUs only, and there is none"
    ]


def test_too_little_memory_in_all_is_told_and_so_is_what_cannot_be_packed() -> None:
    assert why_impossible(graph(8, 8, 8, memory=10), "free") == [
        "all nodes: 24 bytes, and all accelerators together have 20"
    ]
    assert why_impossible(graph(6, 6, 6, memory=10), "free") == [
        "no way to put blocks of up to 6 bytes on 2 accelerators of 10 each"
    ]


def test_only_graphs_without_cpus_are_impossible_and_each_has_a_reason() -> None:
    impossible = 0
    for seed in range(200):
        own = random_graph(seed)
        if solve_graph(own, "exact", workers=1).stop == "infeasible":
            impossible += 1
            assert own.cpus == 0
            assert why_impossible(own, "ordered")
    assert impossible > 20
