"""Chains of convolutions: AlexNet, VGG and DarkNet-19."""

from __future__ import annotations

from instances.network import Network
from instances.networks.builder import Graph

VGG_REPEATS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Convolutions of each of the five stages (Simonyan and Zisserman 2015, table 1, D and E)."""

VGG_CHANNELS = (64, 128, 256, 512, 512)

DARKNET19_STAGES = (
    (32,),
    (64,),
    (128, 64, 128),
    (256, 128, 256),
    (512, 256, 512, 256, 512),
    (1024, 512, 1024, 512, 1024),
)
"""Channels of each stage; kernels alternate 3x3 and 1x1 (Redmon and Farhadi 2017, table 6)."""


def alexnet() -> Network:
    """AlexNet on one device, 224x224 (Krizhevsky 2014, 'One weird trick', section 5)."""
    graph = Graph("alexnet")
    x = graph.input("image", (3, 224, 224))
    x = graph.conv("conv1", x, 64, 11, stride=4, padding=2, extra="bias")
    x = graph.pool(x, 3, 2)
    x = graph.conv("conv2", x, 192, 5, extra="bias")
    x = graph.pool(x, 3, 2)
    for name, channels in (("conv3", 384), ("conv4", 256), ("conv5", 256)):
        x = graph.conv(name, x, channels, 3, extra="bias")
    x = graph.pool(x, 3, 2)
    for name, channels in (("fc6", 4096), ("fc7", 4096), ("fc8", 1000)):
        x = graph.fc(name, x, channels)
    return graph.network(x)


def vgg(depth: int) -> Network:
    """VGG with 16 or 19 weight layers and no normalisation, 224x224."""
    graph = Graph(f"vgg{depth}")
    x = graph.input("image", (3, 224, 224))
    for stage, (channels, repeats) in enumerate(zip(VGG_CHANNELS, VGG_REPEATS[depth], strict=True)):
        for unit in range(repeats):
            x = graph.conv(f"conv{stage + 1}_{unit + 1}", x, channels, 3, extra="bias")
        x = graph.pool(x, 2, 2)
    for name, channels in (("fc6", 4096), ("fc7", 4096), ("fc8", 1000)):
        x = graph.fc(name, x, channels)
    return graph.network(x)


def darknet19() -> Network:
    """DarkNet-19, the classifier of YOLO9000, 224x224."""
    graph = Graph("darknet19")
    x = graph.input("image", (3, 224, 224))
    for stage, widths in enumerate(DARKNET19_STAGES):
        if stage > 0:
            x = graph.pool(x, 2, 2)
        for unit, channels in enumerate(widths):
            kernel = 3 if unit % 2 == 0 else 1
            x = graph.conv(f"conv{stage + 1}_{unit + 1}", x, channels, kernel)
    x = graph.conv("classifier", x, 1000, extra="bias")
    return graph.network(graph.mean(x))
