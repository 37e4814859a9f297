"""From the facts of a model to a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from instances.files.errors import fail, quoted
from instances.files.network_file import MAX_PRODUCT
from instances.files.schema import MAX_LAYERS, MAX_SIZE
from instances.importers.graph import ImportedGraph, Reading
from instances.importers.onnx import attention, foreign
from instances.importers.onnx.contraction import einsum
from instances.importers.onnx.convolutions import convolution
from instances.importers.onnx.facts import Facts, Operation
from instances.importers.onnx.foreign import MICROSOFT
from instances.importers.onnx.fused import fuse
from instances.importers.onnx.products import matmul, n_bits
from instances.importers.onnx.recurrent import recurrence
from instances.importers.onnx.walk import Walk, laid_out
from instances.network import Layer, Network, NetworkError, Shape
from instances.networks.builder import Values

Handler = Callable[[Walk, Operation], None]

LAYERS: Mapping[str, Handler] = {
    "Attention": attention.standard,
    "Conv": convolution,
    "ConvTranspose": convolution,
    "DeformConv": convolution,
    "Einsum": einsum,
    "GRU": recurrence,
    "Gemm": matmul,
    "LSTM": recurrence,
    "MatMul": matmul,
    "RNN": recurrence,
    f"{MICROSOFT}Attention": attention.with_weights,
    f"{MICROSOFT}DynamicQuantizeLSTM": recurrence,
    f"{MICROSOFT}GroupQueryAttention": attention.multi_head,
    f"{MICROSOFT}MatMulBnb4": n_bits,
    f"{MICROSOFT}MatMulNBits": n_bits,
    f"{MICROSOFT}MultiHeadAttention": attention.multi_head,
    f"{MICROSOFT}QAttention": attention.with_weights,
}
"""Operators that are compute layers; others that stand for one of them are in `foreign`."""


MAX_TENSORS = 200_000
"""Tensors that layers make, before those that nothing reads are left out."""


class LimitedGraph(ImportedGraph):
    """A graph whose layers are no larger than those of a network file.

    Raises:
        FileError: a layer is, or there are too many.
    """

    def __init__(self, name: str, source: str) -> None:
        super().__init__(name)
        self._source, self._count, self._tensors = source, 0, 0

    def layer(self, spec: Layer, reads: Reading, shape: Shape, **more: Any) -> Values:
        """Append a compute layer, as the base class does, if it is not too large."""
        self._count += 1
        if self._count > MAX_LAYERS:
            fail(self._source, f"more than {MAX_LAYERS:,} layers, the most of a network")
        sizes = (spec.channels, spec.depth, *spec.positions, *spec.kernel, *spec.stride, *shape)
        if max(spec.macs, spec.weights, prod(shape)) > MAX_PRODUCT or max(sizes) > MAX_SIZE:
            fail(self._source, f"layer {quoted(spec.name)} is too large: {spec.macs:,} MACs")
        return super().layer(spec, reads, shape, **more)

    def _make(self, name: str, shape: Shape, producer: int) -> Values:
        self._tensors += 1
        if self._tensors > MAX_TENSORS:
            fail(self._source, f"more than {MAX_TENSORS:,} tensors between layers")
        return super()._make(name, shape, producer)


def convert(facts: Facts, source: str, name: str) -> tuple[Network, Mapping[str, list[str]]]:
    """The network, and what it does not say exactly, with the names of the operations.

    Raises:
        FileError: there is no layer, or its size is not known or not possible.
    """
    walk = Walk(facts, source, LimitedGraph(name, source))
    for own in facts.inputs:
        shape = facts.shapes.get(own, ())
        if prod(shape):
            walk.values[own] = walk.graph.input(walk.claim(own), laid_out(shape, 0))
    for operation in facts.operations:
        _step(walk, operation)
    if not walk.graph.has_layers:
        fail(
            source,
            "it has no compute layer: no convolution, matrix product, attention or recurrent layer"
            " of what its inputs hold",
        )
    try:
        return walk.graph.network(*(walk.of(own) for own in facts.results)), walk.warnings
    except NetworkError as error:
        fail(source, str(error))


def _step(walk: Walk, operation: Operation) -> None:
    own = foreign.standard(operation)
    handler = LAYERS.get(own.kind) or LAYERS.get(MICROSOFT + own.kind)
    if handler is None:
        fuse(walk, operation)
    elif any(walk.of(name) for name in own.inputs):
        handler(walk, own)
