"""Networks: a DAG of compute layers and the tensors that they exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Literal

Shape = tuple[int, int, int]
"""Channels, height, width of one sample's tensor; a token tensor is (features, tokens, 1)."""

LayerKind = Literal["conv", "deconv", "fc", "matmul"]

OUTSIDE = -1
"""The 'producer' of a tensor that enters the network from outside."""


@dataclass(frozen=True)
class Layer:
    """One compute layer with everything that is fused into it.

    Pooling, normalisation, activations and element-wise operations belong to the layer that
    produces their (last) input and show only in the shapes of `outputs`.

    Attributes:
        name: unique in the network.
        kind: conv, deconv (transposed convolution; `positions` are those of its input), fc,
            or matmul (of two activations, as in attention).
        channels: K, output channels over all groups.
        depth: D, input channels over all groups.
        positions: (P, Q), where the kernel is applied, before fused pooling.
        kernel: (R, S).
        stride: of the kernel, rows and columns.
        groups: independent channel groups; attention heads for a matmul.
        inputs: tensors read as the activation operand, concatenated along channels.
        operands: tensors that stand where a weight would (a matmul's second operand).
        addends: tensors combined element by element with the output (residuals, gates).
        outputs: (tensor name, shape) of each tensor made; one named like the layer by default.
        extra_parameters: bias and normalisation parameters folded into the layer.
        tied: weights are another layer's or table's: used here, counted there.
    """

    name: str
    kind: LayerKind
    channels: int
    depth: int
    positions: tuple[int, int]
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    groups: int = 1
    inputs: tuple[str, ...] = ()
    operands: tuple[str, ...] = ()
    addends: tuple[str, ...] = ()
    outputs: tuple[tuple[str, Shape], ...] = ()
    extra_parameters: int = 0
    tied: bool = False

    @property
    def weights(self) -> int:
        """Weight elements that the layer brings along: K * D/g * R * S, none for a matmul."""
        if self.kind == "matmul":
            return 0
        return self.channels * (self.depth // self.groups) * prod(self.kernel)

    @property
    def parameters(self) -> int:
        """Parameters counted for this layer: weights unless tied, bias and normalisation."""
        return self.extra_parameters + (0 if self.tied else self.weights)

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one sample: K * D/g * R * S * P * Q."""
        per_position = self.channels * (self.depth // self.groups) * prod(self.kernel)
        return per_position * prod(self.positions)

    @property
    def reads(self) -> tuple[str, ...]:
        """Every tensor that the layer reads, each once, in the order it names them."""
        return tuple(dict.fromkeys((*self.inputs, *self.operands, *self.addends)))


@dataclass(frozen=True)
class Tensor:
    """A tensor of one sample, where it is made and where it is used.

    Attributes:
        name: unique in the network.
        shape: channels, height, width.
        producer: index of the layer that makes it, or OUTSIDE.
        consumers: indices of the layers that read it, ascending.
        leaves: the tensor is also a result of the network.
    """

    name: str
    shape: Shape
    producer: int
    consumers: tuple[int, ...]
    leaves: bool

    @property
    def elements(self) -> int:
        """Numbers in one sample's tensor."""
        return prod(self.shape)


class NetworkError(ValueError):
    """The network contradicts itself; the message names the layer or tensor."""


@dataclass(frozen=True)
class Network:
    """A DAG of layers in execution order.

    Attributes:
        name: for tables and files.
        inputs: (tensor name, shape) of the tensors that come from outside.
        layers: in a topological order, which is the execution order.
        results: tensors that leave the network; by default those that no layer reads.
        tables: (name, parameters) of look-up tables that no compute layer holds (embeddings).

    Raises:
        NetworkError: an unknown or duplicate name, a layer that reads a later layer's tensor,
            or sizes that do not fit together.
    """

    name: str
    inputs: tuple[tuple[str, Shape], ...]
    layers: tuple[Layer, ...]
    results: tuple[str, ...] = ()
    tables: tuple[tuple[str, int], ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.layers:
            raise NetworkError("a network has at least one layer")
        self._check_names()
        for layer in self.layers:
            _check_layer(layer, self._shapes)

    def _check_names(self) -> None:
        layers: set[str] = set()
        tensors: set[str] = set()
        for name, _ in self.inputs:
            _claim(name, tensors, "tensor")
        later = {name for layer in self.layers for name, _ in layer.outputs}
        for layer in self.layers:
            _claim(layer.name, layers, "layer")
            for name in layer.reads:
                if name not in tensors:
                    if name in later:
                        raise NetworkError(
                            f"layer {layer.name!r} reads tensor {name!r}, which it makes itself or"
                            " a later layer makes: the layers form a cycle or are out of order"
                        )
                    raise NetworkError(f"layer {layer.name!r} reads unknown tensor {name!r}")
            for name, _ in layer.outputs:
                _claim(name, tensors, "tensor")
        for name in self.results:
            if name not in later:
                raise NetworkError(f"result {name!r} is not a tensor that a layer makes")

    @cached_property
    def _shapes(self) -> Mapping[str, Shape]:
        made = (output for layer in self.layers for output in layer.outputs)
        return dict([*self.inputs, *made])

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """Every tensor that a layer reads or that leaves the network, in order of production."""
        consumers: dict[str, list[int]] = {name: [] for name in self._shapes}
        for index, layer in enumerate(self.layers):
            for name in layer.reads:
                consumers[name].append(index)
        producers = {name: OUTSIDE for name, _ in self.inputs}
        for index, layer in enumerate(self.layers):
            producers.update((name, index) for name, _ in layer.outputs)
        found, results = [], set(self.results)
        for name, shape in self._shapes.items():
            unread = not consumers[name] and producers[name] != OUTSIDE
            leaves = name in results or (unread and not results)
            used = tuple(consumers[name])
            found.append(Tensor(name, shape, producers[name], used, leaves))
        return tuple(tensor for tensor in found if tensor.consumers or tensor.leaves)

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """(producer, consumer) pairs of layer indices, each once, sorted."""
        return tuple(
            sorted(
                {
                    (tensor.producer, consumer)
                    for tensor in self.tensors
                    for consumer in tensor.consumers
                    if tensor.producer != OUTSIDE
                }
            )
        )

    @property
    def parameters(self) -> int:
        """All parameters: layers and look-up tables."""
        return sum(layer.parameters for layer in self.layers) + sum(n for _, n in self.tables)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one sample."""
        return sum(layer.macs for layer in self.layers)

    def shape(self, tensor: str) -> Shape:
        """Shape of a tensor by name."""
        return self._shapes[tensor]


def _claim(name: str, taken: set[str], what: str) -> None:
    if name in taken:
        raise NetworkError(f"two {what}s are named {name!r}")
    taken.add(name)


def _check_layer(layer: Layer, shapes: Mapping[str, Shape]) -> None:
    where = f"layer {layer.name!r}"
    sizes = (layer.channels, layer.depth, layer.groups)
    if min(*sizes, *layer.positions, *layer.kernel, *layer.stride) < 1:
        raise NetworkError(f"{where}: every size is at least 1")
    if layer.channels % layer.groups or layer.depth % layer.groups:
        raise NetworkError(
            f"{where}: {layer.groups} groups divide neither or only one of"
            f" {layer.channels} output and {layer.depth} input channels"
        )
    if not layer.inputs:
        raise NetworkError(f"{where} reads no input tensor")
    if not layer.outputs:
        raise NetworkError(f"{where} makes no tensor")
    if (layer.kind == "matmul") != bool(layer.operands):
        raise NetworkError(f"{where}: a matmul, and only a matmul, has operands")
    for name, shape in layer.outputs:
        if min(shape) < 1:
            raise NetworkError(f"{where}: tensor {name!r} has an empty shape {list(shape)}")
    _check_depth(layer, shapes)


def _check_depth(layer: Layer, shapes: Mapping[str, Shape]) -> None:
    """The inputs together must supply `depth` channels, or that many elements when flattened."""
    channels = sum(shapes[name][0] for name in layer.inputs)
    flattened = sum(prod(shapes[name]) for name in layer.inputs)
    if layer.depth not in (channels, flattened):
        raise NetworkError(
            f"layer {layer.name!r}: depth {layer.depth}, but its inputs supply"
            f" {channels} channels ({flattened} elements)"
        )
