"""Segmentation of eyes: RITnet (Chaudhary et al. 2019, arXiv 1910.00694)."""

from __future__ import annotations

from instances.network import Network
from instances.networks.builder import Graph, Values

WIDTH, DOWN_BLOCKS, CLASSES = 32, 5, 4
"""Channels of all convolutions but the last; there is an up block less than down blocks."""

SIZE = (640, 400)
"""Rows and columns of an image of OpenEDS."""


def ritnet() -> Network:
    """RITnet: background, sclera, iris or pupil for each pixel of a grey 640x400 image.

    After the paper and `densenet.py` of github.com/AayushKrChaudhary/RITnet: each
    block concatenates what comes in with what it has made, as DenseNet does, and each up block
    begins with the map that the down block of its size made.
    """
    graph = Graph("ritnet")
    x = graph.input("image", (1, *SIZE))
    skips = []
    for block in range(DOWN_BLOCKS):
        x = _down_block(graph, f"down{block}", graph.pool(x, 2, 2) if block else x)
        skips.append(x)
    for block in reversed(range(DOWN_BLOCKS - 1)):
        x = _up_block(graph, f"up{block}", graph.upsample(x, 2) + skips[block])
    return graph.network(graph.conv("out", x, CLASSES, extra="bias"))


def _down_block(graph: Graph, name: str, x: Values) -> Values:
    """A 3x3, then twice a 1x1 and a 3x3 on all that came before; the last is normalised."""
    x = x + graph.conv(f"{name}.conv1", x, WIDTH, 3, extra="bias")
    x = x + _squeezed(graph, f"{name}.conv2", x)
    return graph.norm(_squeezed(graph, f"{name}.conv3", x))


def _up_block(graph: Graph, name: str, x: Values) -> Values:
    """Twice a 1x1 and a 3x3 on all that came before."""
    x = x + _squeezed(graph, f"{name}.conv1", x)
    return _squeezed(graph, f"{name}.conv2", x)


def _squeezed(graph: Graph, name: str, x: Values) -> Values:
    x = graph.conv(f"{name}1", x, WIDTH, extra="bias")
    return graph.conv(f"{name}2", x, WIDTH, 3, extra="bias")
