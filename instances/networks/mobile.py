"""Inverted residuals with depthwise convolutions: MobileNetV2, EfficientNet-B0, FBNet-C.

Also a tracker of the key points of a hand, which is MobileNetV2 with another head.
"""

from __future__ import annotations

from typing import NamedTuple

from instances.network import Network
from instances.networks.builder import Graph, Values


class Stage(NamedTuple):
    """Inverted residuals of one width; only the first of them strides."""

    expansion: int
    channels: int
    repeats: int
    stride: int
    kernel: int


MOBILENET_V2 = (
    Stage(1, 16, 1, 1, 3),
    Stage(6, 24, 2, 2, 3),
    Stage(6, 32, 3, 2, 3),
    Stage(6, 64, 4, 2, 3),
    Stage(6, 96, 3, 1, 3),
    Stage(6, 160, 3, 2, 3),
    Stage(6, 320, 1, 1, 3),
)
"""Sandler et al. 2018, table 2."""

EFFICIENTNET_B0 = (
    Stage(1, 16, 1, 1, 3),
    Stage(6, 24, 2, 2, 3),
    Stage(6, 40, 2, 2, 5),
    Stage(6, 80, 3, 2, 3),
    Stage(6, 112, 3, 1, 5),
    Stage(6, 192, 4, 2, 5),
    Stage(6, 320, 1, 1, 3),
)
"""Tan and Le 2019, table 1."""


FBNET_C = (
    Stage(1, 16, 1, 1, 3),
    Stage(6, 24, 1, 2, 3),
    Stage(1, 24, 2, 1, 3),
    Stage(6, 32, 1, 2, 5),
    Stage(3, 32, 1, 1, 5),
    Stage(6, 32, 1, 1, 5),
    Stage(6, 32, 1, 1, 3),
    Stage(6, 64, 1, 2, 5),
    Stage(3, 64, 1, 1, 5),
    Stage(6, 64, 2, 1, 5),
    Stage(6, 112, 3, 1, 5),
    Stage(3, 112, 1, 1, 5),
    Stage(6, 184, 4, 2, 5),
    Stage(6, 352, 1, 1, 3),
)
"""Wu et al. 2019, arXiv 1812.03443, as `fbnet_c` of github.com/facebookresearch/mobile-vision.

A block of the search space that the search left out (`skip`) is not here. Runs of one operator are
one stage, so these are not the seven stages of the paper's table 1. The repository's biases in
front of normalisations are folded into these.
"""

DECONVOLUTIONS, DECONVOLVED = 3, 256
"""Of a heatmap head and their channels: Xiao et al. 2018, arXiv 1804.06208, section 2."""


def mobilenet_v2() -> Network:
    """MobileNetV2 of width 1.0, 224x224."""
    graph, x = _backbone("mobilenet_v2", MOBILENET_V2)
    return _classified(graph, graph.conv("head", x, 1280))


def efficientnet_b0() -> Network:
    """EfficientNet-B0, 224x224, with squeeze-and-excitation gates."""
    graph, x = _backbone("efficientnet_b0", EFFICIENTNET_B0, gated=True)
    return _classified(graph, graph.conv("head", x, 1280))


def fbnet_c() -> Network:
    """FBNet-C, 224x224: kernels and expansions by a search over latency."""
    graph, x = _backbone("fbnet-c", FBNET_C, stem=16)
    return _classified(graph, graph.conv("head", x, 1984))


def mobilenet_v2_pose(name: str, points: int, size: tuple[int, int]) -> Network:
    """MobileNetV2 and a head that makes a heatmap of each key point, a quarter of `size` wide.

    This is `pose_mobilenet_v2` of github.com/open-mmlab/mmpose: all of MobileNetV2 but its
    classifier, then the head of Xiao et al. 2018 (three transposed convolutions of 4x4 with
    stride 2, normalised, and a 1x1). With 21 points at 256x256 it is its model for OneHand10K.

    Args:
        name: of the network.
        points: key points, 21 of a hand.
        size: rows and columns of the image, multiples of 32.
    """
    graph, x = _backbone(name, MOBILENET_V2, size)
    x = graph.conv("head", x, 1280)
    for number in range(1, DECONVOLUTIONS + 1):
        x = graph.deconv(f"deconv{number}", x, DECONVOLVED, 2, 4, extra="norm")
    return graph.network(graph.conv("heatmaps", x, points, extra="bias"))


def _backbone(
    name: str,
    stages: tuple[Stage, ...],
    size: tuple[int, int] = (224, 224),
    *,
    stem: int = 32,
    gated: bool = False,
) -> tuple[Graph, Values]:
    """A graph with a stem and all inverted residuals, and what the last of them makes."""
    graph = Graph(name)
    x = graph.input("image", (3, *size))
    x = graph.conv("stem", x, stem, 3, stride=2)
    for number, stage in enumerate(stages, start=1):
        for unit in range(stage.repeats):
            stride = stage.stride if unit == 0 else 1
            x = _inverted_residual(graph, f"stage{number}.{unit}", x, stage, stride, gated)
    return graph, x


def _classified(graph: Graph, x: Values) -> Network:
    """The network that ends in 1000 classes of `x`."""
    return graph.network(graph.fc("fc", graph.mean(x), 1000))


def _inverted_residual(
    graph: Graph, name: str, x: Values, stage: Stage, stride: int, gated: bool
) -> Values:
    narrow = x[0].shape[0]
    wide = stage.expansion * narrow
    y = graph.conv(f"{name}.expand", x, wide) if stage.expansion > 1 else x
    y = graph.depthwise(f"{name}.depthwise", y, stage.kernel, stride)
    if gated:
        y = _gate(graph, name, y, squeezed=narrow // 4)
    y = graph.conv(f"{name}.project", y, stage.channels)
    return graph.combine(y, x) if stride == 1 and narrow == stage.channels else y


def _gate(graph: Graph, name: str, x: Values, squeezed: int) -> Values:
    """Squeeze and excitation: two 1x1 on the mean give the factor of each channel of `x`."""
    factor = graph.conv(f"{name}.squeeze", graph.mean(x), squeezed, extra="bias")
    factor = graph.conv(f"{name}.excite", factor, x[0].shape[0], extra="bias")
    return graph.combine(factor, x)
