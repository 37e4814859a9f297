"""Blocks: what shares a device, which tensors cross, and what they have in sum."""

from __future__ import annotations

from collections.abc import Callable

import networkx as nx
import pytest

from instances.generate_graph import random_graph
from instances.graph import ORDERS, OperatorGraph, Order
from instances.graph_blocks import Blocks, Lists, blocks_of

MakeGraph = Callable[..., OperatorGraph]


def entries(lists: Lists) -> list[list[int]]:
    return [lists[k].tolist() for k in range(len(lists.starts) - 1)]


def tensors(blocks: Blocks) -> set[tuple[int, int, tuple[int, ...]]]:
    found = zip(blocks.cost.tolist(), blocks.owner.tolist(), entries(blocks.readers), strict=True)
    return {(cost, owner, tuple(readers)) for cost, owner, readers in found}


def test_lists_may_be_empty() -> None:
    assert entries(Lists.of([[], [3, 1], []])) == [[], [3, 1], []]
    assert entries(Lists.of([])) == []


def test_a_class_has_what_its_nodes_have_together(make_graph: MakeGraph) -> None:
    graph = make_graph(
        [3, 5, None, 11], cpu=[1, 2, 4, 8], size=[10, 20, 30, 40], color=[0, None, 1, 0]
    )
    blocks = blocks_of(graph, "free")
    assert blocks.members == ((0, 3), (1,), (2,))
    assert blocks.accelerator.tolist() == [14, 5, 0]
    assert blocks.cpu.tolist() == [9, 2, 4]
    assert blocks.size.tolist() == [50, 20, 30]
    assert blocks.supported.tolist() == [True, True, False]


def test_one_node_for_cpus_keeps_its_class_from_accelerators(make_graph: MakeGraph) -> None:
    blocks = blocks_of(make_graph([3, None], color=[5, 5]), "convex")
    assert blocks.supported.tolist() == [False]


def test_tensors_with_the_same_ends_are_one_and_inner_ones_are_none(
    make_graph: MakeGraph,
) -> None:
    # 0 and 1 share a device; both are read by 2, 0 also by 1. 2 costs nothing to move.
    graph = make_graph(
        [1] * 4,
        [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)],
        transfer=[5, 7, 0, 9],
        color=[4, 4, None, None],
    )
    assert tensors(blocks_of(graph, "free")) == {(5, 0, (1,)), (7, 0, (1, 2))}
    wider = make_graph([1] * 3, [(0, 2), (1, 2)], transfer=[5, 7, 0], color=[4, 4, None])
    blocks = blocks_of(wider, "free")
    assert tensors(blocks) == {(12, 0, (1,))}
    assert (entries(blocks.owned), entries(blocks.read)) == ([[0], []], [[], [0]])


def test_backward_edges_have_tensors_but_no_arcs(make_graph: MakeGraph) -> None:
    graph = make_graph([1, 1], [(0, 1)], transfer=[3, 0], backward=[False, True])
    blocks = blocks_of(graph, "ordered")
    assert blocks.arcs == ()
    assert tensors(blocks) == {(3, 0, (1,))}


@pytest.mark.parametrize(("order", "count"), [("ordered", 2), ("convex", 3), ("free", 3)])
def test_classes_on_a_cycle_share_a_device_only_where_devices_are_ordered(
    make_graph: MakeGraph, order: Order, count: int
) -> None:
    # Class 1 reads of class 2 and the other way round; node 4 hangs behind both.
    graph = make_graph([1] * 5, [(0, 1), (2, 3), (1, 4)], color=[1, 2, 2, 1, None])
    blocks = blocks_of(graph, order)
    assert blocks.count == count
    assert sorted(p for own in blocks.members for p in own) == list(range(5))


@pytest.mark.parametrize("seed", range(40))
def test_lists_by_block_say_what_arcs_and_tensors_say(seed: int) -> None:
    for order in ORDERS:
        graph = random_graph(seed)
        blocks = blocks_of(graph, order)
        block = {p: b for b, own in enumerate(blocks.members) for p in own}
        arcs = {(block[u], block[v]) for u, v in graph.forward_edges if block[u] != block[v]}
        assert sorted(blocks.arcs) == sorted(arcs)
        assert {(b, w) for b, own in enumerate(entries(blocks.after)) for w in own} == arcs
        assert {(b, w) for w, own in enumerate(entries(blocks.before)) for b in own} == arcs
        owned, read = entries(blocks.owned), entries(blocks.read)
        for number, (_, owner, readers) in enumerate(
            zip(blocks.cost, blocks.owner, entries(blocks.readers), strict=True)
        ):
            assert readers == sorted(set(readers) - {owner})
            assert [b for b, own in enumerate(owned) if number in own] == [owner]
            assert [b for b, own in enumerate(read) if number in own] == readers
        if order == "ordered":
            assert nx.is_directed_acyclic_graph(nx.DiGraph(blocks.arcs))
