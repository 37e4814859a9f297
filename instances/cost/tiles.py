"""Tiles: into how many a pipeline may cut a sample, and how far a consumer is behind.

A segment of an array works in tiles: every layer computes the same fraction of a sample at a time.
Which tiles there can be follows from the layers' loop orders by Tangram's rule *(Tangram; that
PipeOrgan has it, too, is our reading)*: a tile is what is left inside of the outermost loops that
producer and consumer have in common.

    tiling      loop order, outermost first                        tiles at most
    positions   every layer: rows, columns, then channels          its positions
    channels    first layer: output channels, then the rest        its output channels
                between: channel groups (depthwise), the rest      its groups
                last layer: input channels, then the rest          its input channels

With other orders, or the last one followed by any, there is no common loop: one tile, the sample.
"""

from __future__ import annotations

from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from instances.network import Layer, Tensor

Tiling = Literal["positions", "channels"]

Role = Literal["outputs", "groups", "inputs"]
"""The loop that is cut into tiles where the tiling is by channels."""

Roles = tuple[Role | None, Role | None]
"""Of a producer and a consumer; None where the tiling is by positions."""

Ints = NDArray[np.int64]


def is_depthwise(layer: Layer) -> bool:
    """Whether every output channel depends on one input channel."""
    return layer.groups == layer.channels == layer.depth


def role(layer: Layer, consumes: bool, produces: bool) -> Role | None:
    """The loop of a layer that is cut by channels; None where that cannot be.

    Args:
        layer: one of a segment.
        consumes: it reads a tensor that the segment makes.
        produces: the segment reads what it makes.
    """
    if is_depthwise(layer):
        return "groups"
    if consumes and produces:
        return None
    return "inputs" if consumes else "outputs"


def loop(layer: Layer, own: Role | None) -> int:
    """Iterations of the loop that is cut into tiles; without a role, positions."""
    if own is None:
        return prod(layer.positions)
    return layer.depth // layer.groups if own == "inputs" else layer.channels


def delay(producer: Layer, consumer: Layer, tensor: Tensor, tiles: int, roles: Roles) -> int:
    """How many tiles a consumer is behind its producer, so that each finds its inputs made.

    Outputs come in the order of the loop that is cut; a fused pooling makes its share of the
    tensor as its share of the loop is done *(ours)*.

    Args:
        producer, consumer: layers of a segment.
        tensor: what is handed on.
        tiles: of a sample.
        roles: of both; None for tiling by positions.

    Returns:
        At least 1: a consumer works on what was finished before.
    """
    made_by, used_by = loop(producer, roles[0]), loop(consumer, roles[1])
    size = prod(tensor.shape[1:]) if roles[1] is None else tensor.shape[0]
    own, other = -(-used_by // tiles), -(-made_by // tiles)
    tile = np.arange(-(-used_by // own), dtype=np.int64)
    done = np.minimum((tile + 1) * own, used_by)
    need = _needed(consumer, tensor, size, done, used_by, roles[1])
    iterations = -(-need * made_by // size)
    return int((-(-iterations // other) - tile).max())


def _needed(layer: Layer, tensor: Tensor, size: int, done: Ints, of: int, own: Role | None) -> Ints:
    """How many of a tensor's `size` positions or channels `done` iterations of `of` need."""
    if tensor.name in layer.operands or (own is None and of == 1):
        return np.full_like(done, size)
    if own is None and _slides(layer, tensor):
        return _window(layer, tensor, done)
    return -(-done * size // of)


def _slides(layer: Layer, tensor: Tensor) -> bool:
    """Whether a kernel moves over the tensor's rows and columns."""
    return layer.kind == "conv" and tensor.name in layer.inputs and prod(tensor.shape[1:]) > 1


def _window(layer: Layer, tensor: Tensor, done: Ints) -> Ints:
    """Positions of a tensor, row by row, up to the last one under the kernel so far."""
    _, height, width = tensor.shape
    rows, columns = layer.positions
    row, column = (done - 1) // columns, (done - 1) % columns
    y = _reach(row, rows, height, layer.kernel[0], layer.stride[0])
    x = _reach(column, columns, width, layer.kernel[1], layer.stride[1])
    before = _reach(row - 1, rows, height, layer.kernel[0], layer.stride[0])
    end = _reach(np.full_like(row, columns - 1), columns, width, layer.kernel[1], layer.stride[1])
    return np.maximum(y * width + x + 1, np.where(row > 0, before * width + end + 1, 0))


def _reach(at: Ints, windows: int, length: int, kernel: int, stride: int) -> Ints:
    """The last row or column under the kernel; its padding is the same on both sides."""
    padding = max(0, -(-((windows - 1) * stride + kernel - length) // 2))
    return np.clip(at * stride + kernel - 1 - padding, 0, length - 1)
