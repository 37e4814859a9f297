"""Densely connected networks (Huang et al. 2017, table 1)."""

from __future__ import annotations

from instances.network import Network
from instances.networks.builder import Graph, Values

REPEATS = {121: (6, 12, 24, 16)}
"""Dense layers of each of the four blocks."""

GROWTH = 32


def densenet(depth: int) -> Network:
    """DenseNet, growth 32, 224x224.

    Every dense layer normalises all earlier tensors of its block with parameters of its own. The
    tensors are kept once; the parameters count for the layers that make them.
    """
    graph = Graph(f"densenet{depth}")
    x = graph.input("image", (3, 224, 224))
    x = graph.conv("conv0", x, 64, 7, stride=2)
    x = graph.pool(x, 3, 2, 1)
    for number, repeats in enumerate(REPEATS[depth], start=1):
        if number > 1:
            x = _transition(graph, f"transition{number - 1}", x)
        for unit in range(1, repeats + 1):
            x = x + _dense_layer(graph, f"block{number}.layer{unit}", x)
    return graph.network(graph.fc("classifier", graph.mean(graph.norm(x)), 1000))


def _dense_layer(graph: Graph, name: str, x: Values) -> Values:
    y = graph.conv(f"{name}.conv1", graph.norm(x), 4 * GROWTH)
    return graph.conv(f"{name}.conv2", y, GROWTH, 3, extra="none")


def _transition(graph: Graph, name: str, x: Values) -> Values:
    """Half the channels and half the size."""
    channels = sum(value.shape[0] for value in x) // 2
    return graph.pool(graph.conv(f"{name}.conv", graph.norm(x), channels, extra="none"), 2, 2)
