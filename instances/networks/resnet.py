"""Residual networks (He et al. 2016, table 1), in the first and the strided-3x3 version."""

from __future__ import annotations

from typing import Literal

from instances.network import Network
from instances.networks.builder import Graph, Values

REPEATS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
"""Blocks of each of the four stages."""

WIDTHS = (64, 128, 256, 512)

BOTTLENECKS_FROM = 50
"""Layers: shallower networks have basic blocks."""

Version = Literal["v1", "v1.5"]
"""Where a bottleneck strides: on its first 1x1 (the paper) or on its 3x3 (most libraries)."""


def resnet(depth: int, version: Version = "v1.5") -> Network:
    """ResNet-18/34 (two 3x3 a block) or -50/101/152 (bottlenecks), 224x224.

    The two versions differ only in bottlenecks; v1 networks carry the suffix in their name.
    """
    suffix = "-v1" if depth >= BOTTLENECKS_FROM and version == "v1" else ""
    graph = Graph(f"resnet{depth}{suffix}")
    *_, x = resnet_stages(graph, graph.input("image", (3, 224, 224)), depth, version)
    return graph.network(graph.fc("fc", graph.mean(x), 1000))


def resnet_stages(
    graph: Graph, image: Values, depth: int, version: Version = "v1.5"
) -> tuple[Values, ...]:
    """What each of the four stages of a ResNet makes: 1/4, 1/8, 1/16 and 1/32 of the size."""
    x = graph.conv("conv1", image, 64, 7, stride=2)
    x = graph.pool(x, 3, 2, 1)
    made = []
    for stage, (width, repeats) in enumerate(zip(WIDTHS, REPEATS[depth], strict=True)):
        for unit in range(repeats):
            name = f"layer{stage + 1}.{unit}"
            stride = 2 if stage > 0 and unit == 0 else 1
            if depth >= BOTTLENECKS_FROM:
                x = _bottleneck(graph, name, x, width, stride, version)
            else:
                x = _basic_block(graph, name, x, width, stride)
        made.append(x)
    return tuple(made)


def _basic_block(graph: Graph, name: str, x: Values, width: int, stride: int) -> Values:
    y = graph.conv(f"{name}.conv1", x, width, 3, stride=stride)
    y = graph.conv(f"{name}.conv2", y, width, 3)
    return graph.combine(y, _shortcut(graph, name, x, width, stride))


def _bottleneck(
    graph: Graph, name: str, x: Values, width: int, stride: int, version: Version
) -> Values:
    first, second = (stride, 1) if version == "v1" else (1, stride)
    y = graph.conv(f"{name}.conv1", x, width, stride=first)
    y = graph.conv(f"{name}.conv2", y, width, 3, stride=second)
    y = graph.conv(f"{name}.conv3", y, 4 * width)
    return graph.combine(y, _shortcut(graph, name, x, 4 * width, stride))


def _shortcut(graph: Graph, name: str, x: Values, channels: int, stride: int) -> Values:
    """The block's input itself, or its projection where the shape changes."""
    if stride == 1 and x[0].shape[0] == channels:
        return x
    return graph.conv(f"{name}.downsample", x, channels, stride=stride)
