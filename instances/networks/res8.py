"""A small keyword spotter: res8-narrow (Tang and Lin 2017, arXiv 1710.10361)."""

from __future__ import annotations

from instances.network import Network
from instances.networks.builder import Graph

WIDTH, RESIDUALS, WORDS = 19, 3, 12
"""Feature maps of all convolutions, residual blocks of two convolutions, classes."""


def res8_narrow() -> Network:
    """res8-narrow: 12 classes of one second of speech, 101 frames of 40 coefficients.

    Sizes are the paper's and those of `RES8_NARROW` in github.com/castorini/honk, whose padded
    convolutions keep the size. No convolution has a bias and no normalisation has parameters. The
    paper's parameters are ours, 19.9 K; it counts fewer multiplies, 5.65 M instead of 7.03 M.
    """
    graph = Graph("res8-narrow")
    x = graph.input("mfcc", (1, 101, 40))
    x = graph.pool(graph.conv("conv0", x, WIDTH, 3, extra="none"), (4, 3), (4, 3))
    for block in range(RESIDUALS):
        y = graph.conv(f"block{block}.conv1", x, WIDTH, 3, extra="none")
        x = graph.combine(graph.conv(f"block{block}.conv2", y, WIDTH, 3, extra="none"), x)
    return graph.network(graph.fc("output", graph.mean(x), WORDS))
