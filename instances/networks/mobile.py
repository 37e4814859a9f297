"""Inverted residuals with depthwise convolutions: MobileNetV2 and EfficientNet-B0."""

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


def mobilenet_v2() -> Network:
    """MobileNetV2 of width 1.0, 224x224."""
    return _inverted_residual_network("mobilenet_v2", MOBILENET_V2, gated=False)


def efficientnet_b0() -> Network:
    """EfficientNet-B0, 224x224, with squeeze-and-excitation gates."""
    return _inverted_residual_network("efficientnet_b0", EFFICIENTNET_B0, gated=True)


def _inverted_residual_network(name: str, stages: tuple[Stage, ...], *, gated: bool) -> Network:
    graph = Graph(name)
    x = graph.input("image", (3, 224, 224))
    x = graph.conv("stem", x, 32, 3, stride=2)
    for number, stage in enumerate(stages, start=1):
        for unit in range(stage.repeats):
            stride = stage.stride if unit == 0 else 1
            x = _inverted_residual(graph, f"stage{number}.{unit}", x, stage, stride, gated)
    x = graph.conv("head", x, 1280)
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
