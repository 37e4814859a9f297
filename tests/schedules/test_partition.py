"""Divisions of a graph: what they cost, and which may run, against plain definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.generate_graph import random_graph
from instances.graph import ORDERS, Kind, OperatorGraph, Order
from schedules.partition.evaluate import evaluate_partition
from schedules.partition.labels import device_labels
from schedules.partition.partition import Device, Partition
from schedules.partition.progress import PartitionProgress
from schedules.partition.verify import in_order, partition_violations
from schedules.progress import WrongBoundError, WrongScheduleError

MakeGraph = Callable[..., OperatorGraph]

FAST: Kind = "accelerator"
CPU: Kind = "cpu"


def divided(*devices: tuple[Kind, list[int]]) -> Partition:
    return Partition.of(devices)


def parts(graph: OperatorGraph, partition: Partition) -> list[tuple[int, int, int]]:
    """Work, sent and received of each device."""
    loads = evaluate_partition(graph, partition).loads
    return [(own.work, own.sent, own.received) for own in loads]


# What a division costs


def test_devices_without_nodes_are_left_out_and_ids_are_sorted() -> None:
    found = divided((FAST, [3, 1]), (CPU, []), (FAST, [2]))
    assert found == Partition((Device(FAST, (1, 3)), Device(FAST, (2,))))


def test_a_tensor_counts_once_a_device_and_not_once_an_edge(make_graph: MakeGraph) -> None:
    # Node 0 is read by 1 and 2 on one device, and by 3 on another.
    graph = make_graph(
        [2, 3, 5, 7],
        [(0, 1), (0, 2), (0, 3)],
        accelerators=3,
        transfer=[100, 10, 10, 10],
        size=[1, 2, 4, 8],
    )
    found = divided((FAST, [0]), (FAST, [1, 2]), (FAST, [3]))
    assert parts(graph, found) == [(2, 100, 0), (8, 0, 100), (7, 0, 100)]
    evaluation = evaluate_partition(graph, found)
    assert [own.load for own in evaluation.loads] == [102, 108, 107]
    assert [own.size for own in evaluation.loads] == [1, 6, 8]
    assert evaluation.objective == 108


def test_a_tensor_that_stays_is_not_paid_for_but_one_reader_elsewhere_is_enough(
    make_graph: MakeGraph,
) -> None:
    graph = make_graph([1, 1, 1], [(0, 1), (0, 2)], transfer=[50, 0, 0])
    assert parts(graph, divided((FAST, [0, 1, 2]))) == [(3, 0, 0)]
    assert parts(graph, divided((FAST, [0, 1]), (FAST, [2]))) == [(2, 50, 0), (1, 0, 50)]


def test_a_device_receives_each_tensor_of_one_sender(make_graph: MakeGraph) -> None:
    graph = make_graph([1, 1, 1], [(0, 2), (1, 2)], transfer=[20, 30, 0])
    assert parts(graph, divided((FAST, [0, 1]), (FAST, [2]))) == [(2, 50, 0), (1, 0, 50)]


def test_a_cpu_takes_its_own_time_and_pays_no_transfer_but_its_partner_does(
    make_graph: MakeGraph,
) -> None:
    graph = make_graph(
        [1, 2, 3],
        [(0, 1), (1, 2)],
        cpus=1,
        cpu=[10, 20, 30],
        transfer=[5, 7, 0],
        size=[0, 10**6, 0],
    )
    found = divided((FAST, [0]), (CPU, [1]), (FAST, [2]))
    assert parts(graph, found) == [(1, 5, 0), (20, 0, 0), (3, 0, 7)]
    assert evaluate_partition(graph, found).objective == 20
    # No memory limit holds for a CPU.
    assert partition_violations(graph, found) == []


def test_backward_work_and_edges_count_as_forward_ones_do(make_graph: MakeGraph) -> None:
    # 0 -> 1 forward, 2 and 3 their backward nodes: 1 -> 3 -> 2, and 0 -> 2.
    graph = make_graph(
        [1, 2, 40, 80],
        [(0, 1), (1, 3), (3, 2), (0, 2)],
        transfer=[100, 200, 0, 400],
        backward=[False, False, True, True],
        color=[0, 1, 0, 1],
    )
    found = divided((FAST, [0, 2]), (FAST, [1, 3]))
    assert parts(graph, found) == [(41, 100, 400), (82, 400, 100)]
    assert partition_violations(graph, found) == []


def test_nothing_costs_nothing(make_graph: MakeGraph) -> None:
    assert evaluate_partition(make_graph([4]), Partition(())).objective == 0


def test_labels_number_devices_of_each_kind(make_graph: MakeGraph) -> None:
    graph = make_graph([1] * 4, accelerators=2, cpus=2)
    found = divided((CPU, [0]), (FAST, [1]), (CPU, [2]), (FAST, [3]))
    labels = device_labels(evaluate_partition(graph, found).loads)
    assert labels == ["cpu 0", "accelerator 0", "cpu 1", "accelerator 1"]


# What may run


def test_each_violation_is_a_sentence_of_its_own(make_graph: MakeGraph) -> None:
    graph = make_graph([1, 1, 1, 1], accelerators=1, cpus=0)
    found = divided((FAST, [0, 1, 9]), (FAST, [1]), (CPU, [2]))
    assert partition_violations(graph, found) == [
        "node 1 is on 2 devices, expected one",
        "there is no node 9",
        "node 3 is on no device",
        "devices of kind accelerator: found 2, expected at most 1",
        "devices of kind cpu: found 1, expected at most 0",
    ]


def test_memory_and_kinds_of_nodes_bind_accelerators_alone(make_graph: MakeGraph) -> None:
    graph = make_graph([1, None, 1], cpus=1, memory=1000, size=[600, 300, 101])
    assert partition_violations(graph, divided((FAST, [0, 1, 2]))) == [
        "device 0: node 1 does not run on an accelerator",
        "device 0: its nodes take 1,001 bytes of 1,000",
    ]
    assert partition_violations(graph, divided((CPU, [0, 1, 2]))) == []
    assert partition_violations(graph, divided((FAST, [0, 2]), (CPU, [1]))) == []


def test_a_class_on_two_devices_is_named_once(make_graph: MakeGraph) -> None:
    graph = make_graph([1] * 4, color=[5, 5, 5, None])
    found = divided((FAST, [0, 3]), (FAST, [1, 2]))
    for order in ORDERS:
        assert partition_violations(graph, found, order) == [
            "nodes of class 5 are on devices 0 and 1, expected one"
        ]


def test_two_chains_make_a_division_that_is_convex_but_not_ordered(
    make_graph: MakeGraph,
) -> None:
    graph = make_graph([1] * 4, [(0, 1), (2, 3)])
    found = divided((FAST, [0, 3]), (FAST, [1, 2]))
    assert partition_violations(graph, found, "free") == []
    assert partition_violations(graph, found, "convex") == []
    assert partition_violations(graph, found, "ordered") == [
        "devices 0, 1: edges go to and fro between them, expected an order"
    ]


def test_a_path_that_leaves_and_comes_back_makes_a_division_free_but_not_convex(
    make_graph: MakeGraph,
) -> None:
    graph = make_graph([1] * 4, [(0, 1), (1, 2), (2, 3)], cpus=1)
    found = divided((FAST, [0, 3]), (CPU, [1, 2]))
    assert partition_violations(graph, found, "free") == []
    assert partition_violations(graph, found, "convex") == [
        "device 0: the path 0 -> 1 -> 2 -> 3 leaves it and comes back"
    ]
    assert len(partition_violations(graph, found, "ordered")) == 1


@pytest.mark.parametrize("order", ORDERS)
def test_backward_edges_bind_no_order(make_graph: MakeGraph, order: Order) -> None:
    graph = make_graph(
        [1] * 4,
        [(0, 1), (1, 2), (2, 3)],
        backward=[False, False, True, True],
        color=[0, 1, 1, 0],
    )
    found = divided((FAST, [0, 3]), (FAST, [1, 2]))
    assert partition_violations(graph, found, order) == []


def test_a_way_round_through_the_backward_part_does_not_count(make_graph: MakeGraph) -> None:
    # 0 -> 1 -> 2 with a backward node between: no path of forward edges comes back.
    graph = make_graph([1] * 3, [(0, 1), (1, 2)], backward=[False, True, False])
    assert partition_violations(graph, divided((FAST, [0, 2]), (FAST, [1])), "convex") == []


def test_devices_need_not_be_listed_in_their_order(make_graph: MakeGraph) -> None:
    graph = make_graph([1] * 3, [(0, 1), (1, 2)], accelerators=3)
    mixed = divided((FAST, [2]), (FAST, [0]), (FAST, [1]))
    assert partition_violations(graph, mixed) == []
    assert in_order(graph, mixed) == divided((FAST, [0]), (FAST, [1]), (FAST, [2]))


# Against plain definitions


def plain_load(graph: OperatorGraph, kind: Kind, inside: set[int]) -> int:
    """By the problem's statement: tensor by tensor."""
    ids = {node.id: node for node in graph.nodes}
    own = [ids[k] for k in inside]
    if kind == "cpu":
        return sum(node.cpu for node in own)
    total = sum(node.accelerator or 0 for node in own)
    for place, node in enumerate(graph.nodes):
        readers = {graph.nodes[v].id for u, v in graph.edges if u == place}
        sends = node.id in inside and not readers <= inside
        receives = node.id not in inside and readers & inside
        total += node.transfer * bool(sends or receives)
    return total


def plainly_placed(graph: OperatorGraph, partition: Partition) -> bool:
    """Nodes run where they are, have room, and share a device with their colour."""
    ids = {node.id: node for node in graph.nodes}
    for device in partition.devices:
        own = [ids[k] for k in device.nodes]
        runs = all(node.accelerator is not None for node in own)
        if device.kind == "accelerator" and not runs:
            return False
        if device.kind == "accelerator" and sum(node.size for node in own) > graph.memory:
            return False
    of = {own: number for number, device in enumerate(partition.devices) for own in device.nodes}
    pairs = {(node.color, of[node.id]) for node in graph.nodes if node.color is not None}
    return len(pairs) == len({color for color, _ in pairs})


def plainly_in(graph: OperatorGraph, partition: Partition, order: Order) -> bool:
    """A quotient without cycles, or sets that no path leaves and enters again."""
    of = {own: number for number, device in enumerate(partition.devices) for own in device.nodes}
    all_nodes = nx.DiGraph()
    all_nodes.add_nodes_from(node.id for node in graph.nodes)
    all_nodes.add_edges_from((graph.nodes[u].id, graph.nodes[v].id) for u, v in graph.edges)
    forward = all_nodes.subgraph(node.id for node in graph.nodes if not node.backward)
    if order == "ordered":
        quotient = nx.DiGraph((of[u], of[v]) for u, v in forward.edges if of[u] != of[v])
        return bool(nx.is_directed_acyclic_graph(quotient))
    if order == "free":
        return True
    return not any(
        set(device.nodes) & nx.ancestors(forward, outside)
        and set(device.nodes) & nx.descendants(forward, outside)
        for device in partition.devices
        for outside in set(forward) - set(device.nodes)
    )


@st.composite
def divisions(draw: st.DrawFn) -> tuple[OperatorGraph, Partition]:
    """A random graph, and its classes, now and then only its nodes, on random devices.

    Half of them have room and no colours, so that only the class of divisions matters.
    """
    graph = random_graph(draw(st.integers(0, 10**6)), classes=6, devices=4)
    if draw(st.booleans()):
        plain = [replace(node, accelerator=node.cpu, color=None) for node in graph.nodes]
        graph = replace(graph, nodes=tuple(plain), memory=10**6)
    whole = draw(st.booleans()) or draw(st.booleans())
    groups = graph.classes if whole else tuple((k,) for k in range(len(graph.nodes)))
    found: list[tuple[Kind, list[int]]] = [(kind, []) for kind in graph.kinds]
    for places in groups:
        found[draw(st.integers(0, graph.devices - 1))][1].extend(graph.nodes[p].id for p in places)
    return graph, Partition.of(draw(st.permutations(found)))


@settings(max_examples=400)
@given(divisions())
def test_loads_and_classes_are_those_of_the_plain_definitions(
    given: tuple[OperatorGraph, Partition],
) -> None:
    graph, partition = given
    loads = evaluate_partition(graph, partition).loads
    assert [own.load for own in loads] == [
        plain_load(graph, device.kind, set(device.nodes)) for device in partition.devices
    ]
    allowed = [not partition_violations(graph, partition, order) for order in ORDERS]
    placed = plainly_placed(graph, partition)
    assert allowed == [placed and plainly_in(graph, partition, order) for order in ORDERS]
    # Ordered divisions are convex, and convex ones free.
    assert all(loose or not tight for tight, loose in pairwise(allowed))
    if allowed[0]:
        sorted_devices = in_order(graph, partition).devices
        assert set(sorted_devices) == set(partition.devices)
        at = {own: k for k, device in enumerate(sorted_devices) for own in device.nodes}
        for u, v in graph.forward_edges:
            assert at[graph.nodes[u].id] <= at[graph.nodes[v].id]


# What keeps the best


def test_the_best_division_is_kept_and_none_that_may_not_run(make_graph: MakeGraph) -> None:
    graph = make_graph([3, 4], [(0, 1)])
    progress = PartitionProgress(graph)
    assert progress.offer(divided((FAST, [0, 1]))) == 7
    assert progress.offer(divided((FAST, [0]), (FAST, [1]))) == 4
    assert progress.offer(divided((FAST, [0, 1]))) == 7
    assert (progress.objective, progress.best) == (4, divided((FAST, [0]), (FAST, [1])))
    with pytest.raises(WrongScheduleError, match="node 1 is on no device"):
        progress.offer(divided((FAST, [0])))
    progress.raise_bound(4)
    assert progress.proved
    with pytest.raises(WrongBoundError):
        progress.raise_bound(5)
    assert [(point.objective, point.bound) for point in progress.trace[:3]] == [
        (7, None),
        (4, None),
        (4, 4),
    ]
