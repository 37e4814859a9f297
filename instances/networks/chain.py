"""Random chains of convolutions, of any length."""

from __future__ import annotations

from random import Random

from instances.network import Network
from instances.networks.builder import Graph

STAGE_CHANNELS = (32, 64, 128, 256, 512)
"""The middle of the channels of each fifth of the layers; every fifth halves rows and columns."""


def random_chain(layers: int, seed: int = 0) -> Network:
    """A chain of convolutions, 224x224, the same for the same arguments.

    Kernels are 1x1, 3x3 or 5x5; channels lie between half and twice those of the stage, in steps
    of 8, log-uniform. With fewer than five layers some stages are left out.
    """
    draw = Random(seed)
    graph = Graph(f"chain-{layers}")
    x, size = graph.input("image", (3, 224, 224)), 224
    for index in range(layers):
        stage = index * len(STAGE_CHANNELS) // layers
        channels = 8 * round(STAGE_CHANNELS[stage] * 2 ** draw.uniform(-1, 1) / 8)
        wanted = 224 >> stage + 1
        kernel, stride = draw.choice((1, 3, 5)), size // wanted
        x = graph.conv(f"conv{index}", x, channels, kernel, stride=stride)
        size = wanted
    return graph.network(x)
