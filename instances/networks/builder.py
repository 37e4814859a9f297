"""A graph builder that applies the fusion rules, so that a family reads like its paper's table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal

from instances.network import OUTSIDE, Layer, Network, Shape


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor under construction; two values are the same only if they are one object.

    Attributes:
        name: its name, unless it turns out to be the only tensor that its layer makes, which is
            named like the layer.
        shape: channels, height, width.
        producer: index of the layer that makes it, or OUTSIDE.
    """

    name: str
    shape: Shape
    producer: int


Values = tuple[Value, ...]
"""What a layer reads: tensors concatenated along channels, so concatenation is a plain `+`."""

Pair = int | tuple[int, int]
"""Rows and columns, or one number for both."""

Extra = Literal["none", "bias", "norm"]
"""Parameters of an output channel besides the weights: 0; a bias; a scale and a shift."""

_PER_CHANNEL = {"none": 0, "bias": 1, "norm": 2}


@dataclass
class Draft:
    """A layer whose tensors have no final names yet; its fields are those of `Layer`."""

    layer: Layer
    inputs: Values
    operands: Values
    extra_parameters: int
    addends: list[Value] = field(default_factory=list)

    @property
    def reads(self) -> Values:
        """Every tensor that it reads."""
        return (*self.inputs, *self.operands, *self.addends)

    def finish(self, names: dict[Value, str], outputs: Sequence[Value]) -> Layer:
        """The layer, with the names that its tensors have in the end."""
        return replace(
            self.layer,
            inputs=tuple(names[value] for value in self.inputs),
            operands=tuple(names[value] for value in self.operands),
            addends=tuple(names[value] for value in self.addends),
            outputs=tuple((names[value], value.shape) for value in outputs),
            extra_parameters=self.extra_parameters,
        )


class Graph:
    """Appends layers one by one and follows every tensor and its shape.

    Pooling, enlarging, normalisation and element-wise operations never become layers: they change
    what an earlier layer makes. Tensors that nothing reads in the end are not part of the network.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._drafts: list[Draft] = []
        self._values: list[Value] = []
        self._tables: list[tuple[str, int]] = []

    def input(self, name: str, shape: Shape) -> Values:
        """A tensor that enters the network from outside."""
        return self._make(name, shape, OUTSIDE)

    def table(self, name: str, parameters: int) -> None:
        """Parameters that no compute layer holds, such as an embedding table."""
        self._tables.append((name, parameters))

    def conv(
        self,
        name: str,
        x: Values,
        channels: int,
        kernel: Pair = 1,
        *,
        stride: int = 1,
        padding: int | None = None,
        extra: Extra = "norm",
    ) -> Values:
        """A convolution; without `padding`, an odd kernel at stride 1 keeps the size."""
        layer = Layer(name, "conv", channels, _channels(x), (1, 1), stride=(stride, stride))
        return self._convolve(layer, x, kernel, padding, extra)

    def depthwise(self, name: str, x: Values, kernel: int, stride: int) -> Values:
        """A convolution of each channel by itself, normalised; stride 1 keeps the size."""
        channels = _channels(x)
        square = (stride, stride)
        layer = Layer(name, "conv", channels, channels, (1, 1), stride=square, groups=channels)
        return self._convolve(layer, x, kernel, None, "norm")

    def deconv(
        self,
        name: str,
        x: Values,
        channels: int,
        factor: int,
        kernel: int | None = None,
        *,
        extra: Extra = "bias",
    ) -> Values:
        """A transposed convolution; rows and columns become `factor` times as many.

        Without `kernel`, its windows do not overlap. The rims of overlapping ones are cut off.
        """
        _, height, width = x[0].shape
        layer = Layer(
            name,
            "deconv",
            channels,
            _channels(x),
            (height, width),
            kernel=_pair(kernel or factor),
            stride=_pair(factor),
        )
        return self._append(layer, x, (channels, height * factor, width * factor), extra)

    def fc(self, name: str, x: Values, channels: int) -> Values:
        """A fully connected layer with bias on all elements of `x`, flattened."""
        layer = Layer(name, "fc", channels, sum(prod(value.shape) for value in x), (1, 1))
        return self._append(layer, x, (channels, 1, 1), "bias")

    def project(self, name: str, x: Values, channels: int, extra: Extra = "bias") -> Values:
        """A fully connected layer on the features of each token of `x`."""
        tokens = x[0].shape[1]
        layer = Layer(name, "fc", channels, _channels(x), (tokens, 1))
        return self._append(layer, x, (channels, tokens, 1), extra)

    def matmul(self, name: str, x: Values, operands: Values, channels: int, groups: int) -> Values:
        """Each token of `x` times another activation, group by group (head by head)."""
        tokens = x[0].shape[1]
        layer = Layer(name, "matmul", channels, _channels(x), (tokens, 1), groups=groups)
        return self._append(layer, x, (channels, tokens, 1), "none", operands)

    def norm(self, x: Values) -> Values:
        """Scale and shift of every channel of `x`: parameters of its producers, or a table."""
        for value in x:
            parameters = _PER_CHANNEL["norm"] * value.shape[0]
            if value.producer == OUTSIDE:
                self.table(f"{value.name}:norm", parameters)
            else:
                self._drafts[value.producer].extra_parameters += parameters
        return x

    def tie(self, x: Values) -> Values:
        """The producers of `x` use other layers' parameters, which are counted there."""
        for value in x:
            draft = self._drafts[value.producer]
            draft.layer, draft.extra_parameters = replace(draft.layer, tied=True), 0
        return x

    def pool(
        self, x: Values, kernel: Pair, stride: Pair, padding: int = 0, *, round_up: bool = False
    ) -> Values:
        """Max or average pooling, fused into the producers of `x`; `round_up` keeps a rest."""
        windows = tuple(zip(_pair(kernel), _pair(stride), strict=True))

        def pooled(shape: Shape) -> Shape:
            channels, *lengths = shape
            rows, columns = (
                _windows(length + (step - 1 if round_up else 0), wide, step, padding)
                for length, (wide, step) in zip(lengths, windows, strict=True)
            )
            return channels, rows, columns

        return self._each(x, "pooled", pooled)

    def upsample(self, x: Values, factor: Pair) -> Values:
        """Nearest or bilinear enlargement, fused into the producers of `x`, which write it all."""
        down, across = _pair(factor)
        return self._each(x, "upsampled", lambda s: (s[0], s[1] * down, s[2] * across))

    def mean(self, x: Values) -> Values:
        """Global average pooling, fused into the producers of `x`."""
        return self._each(x, "mean", lambda shape: (shape[0], 1, 1))

    def part(self, x: Values, label: str, shape: Shape) -> Values:
        """Another tensor that the producer of the tensor `x` makes: a slice or a reshape of it."""
        (value,) = x
        return self._each((value,), label, lambda _: shape)

    def combine(self, one: Values, other: Values) -> Values:
        """An element-wise sum or product of two tensors, fused into the later producer.

        The earlier tensor becomes an addend there; a tensor of one position is broadcast.
        """
        (first,), (last,) = sorted((one, other), key=lambda x: x[0].producer)
        self._drafts[last.producer].addends.append(first)
        channels, height, width = map(max, first.shape, last.shape)
        return self._make(last.name, (channels, height, width), last.producer)

    def network(self, *results: Values) -> Network:
        """The finished network, whose `results` leave to the outside.

        Raises:
            NetworkError: the graph contradicts itself.
        """
        leaving = [value for group in results for value in group]
        used = {*leaving, *(value for draft in self._drafts for value in draft.reads)}
        made: dict[int, list[Value]] = defaultdict(list)
        for value in self._values:
            if value in used:
                made[value.producer].append(value)
        names = {value: value.name for value in used}
        for index, draft in enumerate(self._drafts):
            if len(made[index]) == 1:
                names[made[index][0]] = draft.layer.name
        return Network(
            name=self._name,
            inputs=tuple((value.name, value.shape) for value in made[OUTSIDE]),
            layers=tuple(
                draft.finish(names, made[index]) for index, draft in enumerate(self._drafts)
            ),
            results=tuple(names[value] for value in leaving),
            tables=tuple(self._tables),
        )

    def _convolve(
        self, layer: Layer, x: Values, kernel: Pair, padding: int | None, extra: Extra
    ) -> Values:
        """Append `layer` with the positions that the kernel takes on `x`."""
        rows, columns = _pair(kernel)
        _, height, width = x[0].shape
        stride = layer.stride[0]
        positions = (
            _windows(height, rows, stride, rows // 2 if padding is None else padding),
            _windows(width, columns, stride, columns // 2 if padding is None else padding),
        )
        layer = replace(layer, kernel=(rows, columns), positions=positions)
        return self._append(layer, x, (layer.channels, *positions), extra)

    def _append(
        self, layer: Layer, x: Values, shape: Shape, extra: Extra, operands: Values = ()
    ) -> Values:
        parameters = _PER_CHANNEL[extra] * layer.channels
        self._drafts.append(Draft(layer, x, operands, parameters))
        return self._make(layer.name, shape, len(self._drafts) - 1)

    def _make(self, name: str, shape: Shape, producer: int) -> Values:
        value = Value(name, shape, producer)
        self._values.append(value)
        return (value,)

    def _each(self, x: Values, label: str, reshape: Callable[[Shape], Shape]) -> Values:
        made = (self._make(f"{v.name}:{label}", reshape(v.shape), v.producer) for v in x)
        return tuple(value for group in made for value in group)


def _channels(x: Values) -> int:
    return sum(value.shape[0] for value in x)


def _pair(sizes: Pair) -> tuple[int, int]:
    """Rows and columns."""
    return (sizes, sizes) if isinstance(sizes, int) else sizes


def _windows(length: int, kernel: int, stride: int, padding: int) -> int:
    """How often a kernel fits along one dimension."""
    return (length + 2 * padding - kernel) // stride + 1
