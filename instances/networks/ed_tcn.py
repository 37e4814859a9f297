"""Temporal convolutions that segment actions: ED-TCN (Lea et al. 2017, arXiv 1611.05267)."""

from __future__ import annotations

from instances.network import Network
from instances.networks.builder import Graph

WIDTHS, KERNEL = (64, 96), 25
"""Filters of the encoder's convolutions, and their length in frames."""

FEATURES, ACTIONS = 128, 18
"""Of a frame, made by a spatial network; 17 actions of 50 Salads (mid) and the background."""

LONGEST = 65_536


def ed_tcn(sequence: int) -> Network:
    """ED-TCN for 50 Salads: the action in each of `sequence` frames; a chain without skips.

    Sizes are those of github.com/colincsl/TemporalConvolutionalNetworks, for 50 Salads and for
    GTEA, which has fewer classes. A tensor of frames is (features, frames, 1). Pooling halves the
    frames after each convolution of the encoder; in front of each of the decoder they are doubled.

    Raises:
        ValueError: the number of frames is not a multiple of 4, or too large.
    """
    grain = 2 ** len(WIDTHS)
    if not isinstance(sequence, int) or sequence % grain or not grain <= sequence <= LONGEST:
        raise ValueError(
            f"ed-tcn: sequence is {sequence!r}, expected a whole number of frames from {grain} to"
            f" {LONGEST}, a multiple of {grain}"
        )
    graph = Graph("ed-tcn")
    x = graph.input("features", (FEATURES, sequence, 1))
    for level, width in enumerate(WIDTHS):
        x = graph.conv(f"encode{level}", x, width, (KERNEL, 1), extra="bias")
        x = graph.pool(x, (2, 1), (2, 1))
    for level, width in reversed(list(enumerate(WIDTHS))):
        x = graph.upsample(x, (2, 1))
        x = graph.conv(f"decode{level}", x, width, (KERNEL, 1), extra="bias")
    return graph.network(graph.project("actions", x, ACTIONS))
