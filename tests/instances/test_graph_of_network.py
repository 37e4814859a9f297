"""Graphs made of networks: what depends on what, and that each kind of graph is sound."""

from __future__ import annotations

from typing import get_args

import networkx as nx
import pytest

from instances.graph import OperatorGraph
from instances.graph_of_network import ELEMENT, Detail, Machine, graph_of
from instances.network import OUTSIDE, Layer, Network
from instances.networks import build_network

NETWORKS = ("alexnet", "resnet18", "googlenet", "bert-base")


def named(graph: OperatorGraph) -> dict[str, int]:
    return {node.name: place for place, node in enumerate(graph.nodes)}


def producers(network: Network, layer: Layer) -> set[int]:
    """Layers whose outputs a layer reads."""
    of = {tensor.name: tensor.producer for tensor in network.tensors}
    return {of[tensor] for tensor in layer.reads} - {OUTSIDE}


def reaches(graph: OperatorGraph, first: str, last: str) -> bool:
    places = named(graph)
    return bool(nx.has_path(nx.DiGraph(graph.edges), places[first], places[last]))


@pytest.mark.parametrize("network", NETWORKS)
def test_layers_are_nodes_and_what_they_read_are_edges(network: str) -> None:
    net = build_network(network)
    graph = graph_of(net, detail="layers")
    assert [node.name for node in graph.nodes] == [layer.name for layer in net.layers]
    assert set(graph.edges) == {
        (producer, reader)
        for reader, layer in enumerate(net.layers)
        for producer in producers(net, layer)
    }


def test_times_are_those_of_the_slower_of_arithmetic_and_memory() -> None:
    net = build_network("alexnet")
    slow_arithmetic = Machine(macs=10**7, bytes=10**12, link=10**6, slower=7)
    slow_memory = Machine(macs=10**15, bytes=10**7, link=10**6, slower=7)
    for samples in (1, 3):
        first = graph_of(net, detail="layers", machine=slow_arithmetic, samples=samples)
        second = graph_of(net, detail="layers", machine=slow_memory, samples=samples)
        for layer, a, b in zip(net.layers, first.nodes, second.nodes, strict=True):
            assert a.accelerator == pytest.approx(samples * layer.macs / 10**7 * 10**9)
            assert b.accelerator == pytest.approx(b.size / 10**7 * 10**9)
            assert (a.cpu, b.cpu) == (7 * (a.accelerator or 0), 7 * (b.accelerator or 0))
            assert a.size == b.size >= ELEMENT * layer.weights


@pytest.mark.parametrize("network", NETWORKS)
def test_operators_keep_the_dependencies_and_the_weights_of_layers(network: str) -> None:
    net = build_network(network)
    graph = graph_of(net)
    for layer in net.layers[:12]:
        for producer in producers(net, layer):
            assert reaches(graph, f"{net.layers[producer].name}.act", f"{layer.name}.act")
        if layer.weights:
            places = named(graph)
            own = {places[layer.name], places[f"{layer.name}.weight"]}
            assert own in map(set, graph.classes)
    assert len(graph.nodes) > 2 * len(net.layers)


@pytest.mark.parametrize("detail", get_args(Detail))
def test_training_has_a_backward_node_for_each_forward_one(detail: Detail) -> None:
    net = build_network("resnet18")
    forward = graph_of(net, detail=detail)
    graph = graph_of(net, detail=detail, training=True)
    count = len(forward.nodes)
    assert [node.backward for node in graph.nodes] == [False] * count + [True] * count
    for place, node in enumerate(graph.nodes[:count]):
        back = graph.nodes[count + place]
        assert back.accelerator == 2 * (node.accelerator or 0)
        assert node.color is not None
        assert back.color == node.color
    mirrored = {(count + v, count + u) for u, v in forward.edges}
    assert {*forward.edges, *mirrored, *((k, count + k) for k in range(count))} == set(graph.edges)
    assert graph.forward_edges == forward.edges


@pytest.mark.parametrize("room", [0.0, 1.0, 3.0])
def test_every_class_has_room_on_an_accelerator(room: float) -> None:
    graph = graph_of(build_network("bert-base"), training=True, accelerators=6, room=room)
    sizes = [sum(graph.nodes[p].size for p in own) for own in graph.classes]
    assert max(sizes) <= graph.memory
    assert graph.memory * 6 >= int(room * sum(sizes)) - 6
