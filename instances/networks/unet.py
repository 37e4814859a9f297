"""U-Net (Ronneberger et al. 2015, figure 1) with same padding."""

from __future__ import annotations

from instances.network import Network
from instances.networks.builder import Graph, Values

WIDTHS = (64, 128, 256, 512)
"""Channels of the four levels with a skip; the bottom has twice the last."""


def unet() -> Network:
    """U-Net, 3 to 2 channels, 256x256, no normalisation; padding keeps every level's size."""
    graph = Graph("unet")
    x = graph.input("image", (3, 256, 256))
    skips = []
    for level, width in enumerate(WIDTHS):
        x = _double_conv(graph, f"down{level}", x, width)
        skips.append(x)
        x = graph.pool(x, 2, 2)
    x = _double_conv(graph, "bottom", x, 2 * WIDTHS[-1])
    for level, width in reversed(list(enumerate(WIDTHS))):
        x = skips[level] + graph.deconv(f"up{level}.deconv", x, width, 2)
        x = _double_conv(graph, f"up{level}", x, width)
    return graph.network(graph.conv("out", x, 2, extra="bias"))


def _double_conv(graph: Graph, name: str, x: Values, width: int) -> Values:
    x = graph.conv(f"{name}.conv1", x, width, 3, extra="bias")
    return graph.conv(f"{name}.conv2", x, width, 3, extra="bias")
