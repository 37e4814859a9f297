"""Networks of parallel branches: GoogLeNet and Inception-v3."""

from __future__ import annotations

from instances.network import Network
from instances.networks.builder import Graph, Pair, Values

GOOGLENET_BLOCKS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; pool projection (Szegedy et al. 2015, table 1)."""


def googlenet() -> Network:
    """GoogLeNet, 224x224, with batch normalisation and without auxiliary heads.

    As in torchvision, the branch that the paper calls 5x5 has a 3x3 kernel.
    """
    graph = Graph("googlenet")
    x = graph.input("image", (3, 224, 224))
    x = graph.conv("conv1", x, 64, 7, stride=2)
    x = graph.pool(x, 3, 2, round_up=True)
    x = graph.conv("conv2", x, 64)
    x = graph.conv("conv3", x, 192, 3)
    x = graph.pool(x, 3, 2, round_up=True)
    for block, widths in GOOGLENET_BLOCKS.items():
        x = _googlenet_block(graph, f"inception{block}", x, widths)
        if block == "3b":
            x = graph.pool(x, 3, 2, round_up=True)
        elif block == "4e":
            x = graph.pool(x, 2, 2)
    return graph.network(graph.fc("fc", graph.mean(x), 1000))


def _googlenet_block(
    graph: Graph, name: str, x: Values, widths: tuple[int, int, int, int, int, int]
) -> Values:
    single, reduce3, conv3, reduce5, conv5, projection = widths
    # The pool branch pools at stride 1: the tensor keeps its shape and needs no copy.
    return (
        _branch(graph, f"{name}.branch1", x, (single, 1))
        + _branch(graph, f"{name}.branch2", x, (reduce3, 1), (conv3, 3))
        + _branch(graph, f"{name}.branch3", x, (reduce5, 1), (conv5, 3))
        + _branch(graph, f"{name}.branch4", x, (projection, 1))
    )


def inception_v3() -> Network:
    """Inception-v3, 299x299, without the auxiliary head (Szegedy et al. 2016, table 1)."""
    graph = Graph("inception_v3")
    x = graph.input("image", (3, 299, 299))
    x = graph.conv("conv1a", x, 32, 3, stride=2, padding=0)
    x = graph.conv("conv2a", x, 32, 3, padding=0)
    x = graph.conv("conv2b", x, 64, 3)
    x = graph.pool(x, 3, 2)
    x = graph.conv("conv3b", x, 80)
    x = graph.conv("conv4a", x, 192, 3, padding=0)
    x = graph.pool(x, 3, 2)
    for block, projection in (("5b", 32), ("5c", 64), ("5d", 64)):
        x = _block_35(graph, f"mixed{block}", x, projection)
    x = _reduction_17(graph, "mixed6a", x)
    for block, width in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        x = _block_17(graph, f"mixed{block}", x, width)
    x = _reduction_8(graph, "mixed7a", x)
    for block in ("7b", "7c"):
        x = _block_8(graph, f"mixed{block}", x)
    return graph.network(graph.fc("fc", graph.mean(x), 1000))


def _block_35(graph: Graph, name: str, x: Values, projection: int) -> Values:
    """Factorised 5x5 (the paper's figure 5)."""
    return (
        _branch(graph, f"{name}.1x1", x, (64, 1))
        + _branch(graph, f"{name}.5x5", x, (48, 1), (64, 5))
        + _branch(graph, f"{name}.3x3double", x, (64, 1), (96, 3), (96, 3))
        + _branch(graph, f"{name}.pool", x, (projection, 1))
    )


def _reduction_17(graph: Graph, name: str, x: Values) -> Values:
    """From 35x35 to 17x17: two strided branches beside a pooled copy (the paper's figure 10)."""
    single = graph.conv(f"{name}.3x3", x, 384, 3, stride=2, padding=0)
    double = _branch(graph, f"{name}.3x3double", x, (64, 1), (96, 3))
    double = graph.conv(f"{name}.3x3double_3", double, 96, 3, stride=2, padding=0)
    return single + double + graph.pool(x, 3, 2)


def _block_17(graph: Graph, name: str, x: Values, width: int) -> Values:
    """7x7 as 1x7 and 7x1 (the paper's figure 6)."""
    row, column = (1, 7), (7, 1)
    return (
        _branch(graph, f"{name}.1x1", x, (192, 1))
        + _branch(graph, f"{name}.7x7", x, (width, 1), (width, row), (192, column))
        + _branch(
            graph,
            f"{name}.7x7double",
            x,
            (width, 1),
            (width, column),
            (width, row),
            (width, column),
            (192, row),
        )
        + _branch(graph, f"{name}.pool", x, (192, 1))
    )


def _reduction_8(graph: Graph, name: str, x: Values) -> Values:
    """From 17x17 to 8x8: two strided branches beside a pooled copy."""
    single = graph.conv(f"{name}.3x3_1", x, 192)
    single = graph.conv(f"{name}.3x3_2", single, 320, 3, stride=2, padding=0)
    seven = _branch(graph, f"{name}.7x7x3", x, (192, 1), (192, (1, 7)), (192, (7, 1)))
    seven = graph.conv(f"{name}.7x7x3_4", seven, 192, 3, stride=2, padding=0)
    return single + seven + graph.pool(x, 3, 2)


def _block_8(graph: Graph, name: str, x: Values) -> Values:
    """3x3 as a 1x3 beside a 3x1 (the paper's figure 7)."""
    return (
        _branch(graph, f"{name}.1x1", x, (320, 1))
        + _fork(graph, f"{name}.3x3", _branch(graph, f"{name}.3x3", x, (384, 1)))
        + _fork(
            graph,
            f"{name}.3x3double",
            _branch(graph, f"{name}.3x3double", x, (448, 1), (384, 3)),
        )
        + _branch(graph, f"{name}.pool", x, (192, 1))
    )


def _fork(graph: Graph, name: str, x: Values) -> Values:
    return graph.conv(f"{name}_a", x, 384, (1, 3)) + graph.conv(f"{name}_b", x, 384, (3, 1))


def _branch(graph: Graph, name: str, x: Values, *convs: tuple[int, Pair]) -> Values:
    """A chain of convolutions, (channels, kernel) each, that keeps the size."""
    for number, (channels, kernel) in enumerate(convs, start=1):
        label = name if len(convs) == 1 else f"{name}_{number}"
        x = graph.conv(label, x, channels, kernel)
    return x
