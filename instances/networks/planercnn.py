"""Planes in a picture of a room: the convolutions of PlaneRCNN (Liu et al. 2019, arXiv 1812.04072).

PlaneRCNN is Mask R-CNN on a feature pyramid (Lin et al. 2017, arXiv 1612.03144).
"""

from __future__ import annotations

from instances.network import Network
from instances.networks.builder import Graph, Values
from instances.networks.resnet import resnet_stages

SIZE = (640, 640)
"""Rows and columns: 640x480 frames of ScanNet, padded to a square as Mask R-CNN does."""

WIDTH, PROPOSAL_WIDTH = 256, 512
"""Channels of the pyramid and of the hidden layer of the proposal network."""

ANCHORS = 3
"""Boxes at each position: three ratios, one scale a level."""


def planercnn() -> Network:
    """PlaneRCNN's ResNet-50, feature pyramid and region proposals, 640x640.

    After `models/model.py` of github.com/NVlabs/planercnn, which strides on the first 1x1 of a
    bottleneck; ResNet-50 is the smaller of the two that it takes. Biases in front of normalisations
    are folded into these. Not here: the heads that run on regions (boxes, masks, planes), the
    depth decoder, refinement. The proposal network is one set of weights on all five levels.

    Results: the levels P2 to P5 of the pyramid, then scores and boxes of each level.
    """
    graph = Graph("planercnn")
    stages = resnet_stages(graph, graph.input("image", (3, *SIZE)), 50, "v1")
    levels = _pyramid(graph, stages)
    proposals = [
        _proposals(graph, f"rpn{number}", level, first=number == 2)
        for number, level in enumerate((*levels, graph.pool(levels[-1], 1, 2)), start=2)
    ]
    return graph.network(*levels, *(result for both in proposals for result in both))


def _pyramid(graph: Graph, stages: tuple[Values, ...]) -> tuple[Values, ...]:
    """P2 to P5: each stage by a 1x1, plus the enlarged level above, smoothed by a 3x3."""
    merged: list[Values] = []
    for number, stage in reversed(list(enumerate(stages, start=2))):
        lateral = graph.conv(f"lateral{number}", stage, WIDTH, extra="bias")
        above = graph.upsample(merged[-1], 2) if merged else None
        merged.append(lateral if above is None else graph.combine(lateral, above))
    return tuple(
        graph.conv(f"smooth{number}", x, WIDTH, 3, extra="bias")
        for number, x in enumerate(reversed(merged), start=2)
    )


def _proposals(graph: Graph, name: str, x: Values, *, first: bool) -> tuple[Values, Values]:
    """Two scores and four coordinates of each anchor at each position of a level."""
    x = graph.conv(f"{name}.shared", x, PROPOSAL_WIDTH, 3, extra="bias")
    scores = graph.conv(f"{name}.scores", x, 2 * ANCHORS, extra="bias")
    boxes = graph.conv(f"{name}.boxes", x, 4 * ANCHORS, extra="bias")
    if not first:
        graph.tie(x + scores + boxes)
    return scores, boxes
