"""Networks in files.

    kind: network
    name: two-layers                    # by default the file's name
    inputs: {image: [3, 32, 32]}        # tensor: [channels, height, width]
    layers:                             # in execution order
      - name: conv                      # unique
        kind: conv                      # conv, deconv, fc or matmul
        inputs: [image]                 # tensors read as activations
        channels: 16                    # output channels
        depth: 3                        # input channels
        positions: [32, 32]             # where the kernel is applied: rows, columns
        kernel: [3, 3]                  # default [1, 1]
        stride: [1, 1]                  # default
        groups: 1                       # default
        operands: []                    # default; a matmul's second operand
        addends: []                     # default; tensors added to the output
        output: [16, 16, 16]            # one tensor with the layer's name, after fused pooling;
                                        #   or outputs: {tensor: [C, H, W], ...}
        extra_parameters: 0             # default; bias and normalisation
        tied: false                     # default; weights are counted elsewhere
      - {name: fc, kind: fc, inputs: [conv], channels: 10, depth: 4096, positions: [1, 1],
         output: [10, 1, 1]}
    results: [fc]                       # by default the tensors that no layer reads
    tables: {words: 1000}               # look-up tables and their parameters; default none

The meaning of every key is that of the attribute of `instances.network.Layer` and `Network`.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import Field

from instances.files.errors import Place, Problems, fail
from instances.files.schema import Count, FileModel, Name, Names, Pair, Size, Triple, validate
from instances.files.text import kind_of, read_data, write_data
from instances.network import Layer, LayerKind, Network, NetworkError, Shape

MAX_PRODUCT = 2**50
"""Multiply-accumulates and weights of a layer, elements of a tensor, parameters of a table."""


class LayerModel(FileModel):
    """One entry of `layers`."""

    name: Name
    kind: LayerKind
    channels: Size
    depth: Size
    positions: Pair
    kernel: Pair = Field([1, 1])
    stride: Pair = Field([1, 1])
    groups: Size = 1
    inputs: Names
    operands: Names = Field([])
    addends: Names = Field([])
    output: Triple | None = None
    outputs: dict[str, Triple] | None = None
    extra_parameters: Count = 0
    tied: bool = False


class NetworkModel(FileModel):
    """A network file, or the network inside an instance file."""

    kind: Literal["network"] = "network"
    name: Name | None = None
    inputs: dict[str, Triple]
    layers: list[LayerModel]
    results: Names = Field([])
    tables: dict[str, Count] = Field({})


def read_network(path: str | Path) -> Network:
    """Read a network file (kind: network).

    Raises:
        FileError: the file is not one.
    """
    data = read_data(path)
    kind_of(data, str(path), ("network",))
    return network_from_data(data, Problems(str(path), data), default_name=Path(path).stem)


def write_network(network: Network, path: str | Path) -> None:
    """Write a network file, YAML or JSON by suffix.

    Raises:
        FileError: unknown suffix, or the file system refuses.
    """
    write_data(network_to_data(network), path)


def network_from_data(
    data: object, problems: Problems, *, default_name: str, place: Place = ()
) -> Network:
    """A network from plain data; `place` is where in the file the data stand.

    Raises:
        FileError: the data are not a network.
    """
    model = validate(NetworkModel, data, problems, place)
    for index, layer in enumerate(model.layers):
        here = (*place, "layers", index)
        if (layer.output is None) == (layer.outputs is None):
            problems.add(here, "expected either 'output' or 'outputs'")
    problems.stop_if_any()
    try:
        network = Network(
            name=model.name or default_name,
            inputs=_shapes(model.inputs),
            layers=tuple(_layer(layer) for layer in model.layers),
            results=tuple(model.results),
            tables=tuple(model.tables.items()),
        )
    except NetworkError as error:
        fail(problems.source, str(error), place)
    _check_products(network, problems, place)
    problems.stop_if_any()
    return network


def _layer(model: LayerModel) -> Layer:
    outputs = model.outputs if model.output is None else {model.name: model.output}
    return Layer(
        name=model.name,
        kind=model.kind,
        channels=model.channels,
        depth=model.depth,
        positions=_pair(model.positions),
        kernel=_pair(model.kernel),
        stride=_pair(model.stride),
        groups=model.groups,
        inputs=tuple(model.inputs),
        operands=tuple(model.operands),
        addends=tuple(model.addends),
        outputs=_shapes(outputs or {}),
        extra_parameters=model.extra_parameters,
        tied=model.tied,
    )


def _pair(values: list[int]) -> tuple[int, int]:
    return values[0], values[1]


def _shapes(tensors: dict[str, list[int]]) -> tuple[tuple[str, Shape], ...]:
    return tuple((name, cast(Shape, tuple(shape))) for name, shape in tensors.items())


def _check_products(network: Network, problems: Problems, place: Place) -> None:
    """Sizes that are fine each can still multiply beyond what 64-bit costs bear."""
    for name, shape in network.inputs:
        _check_product(prod(shape), "elements", problems, (*place, "inputs", name))
    for index, layer in enumerate(network.layers):
        here = (*place, "layers", index, "name")
        _check_product(layer.macs, "multiply-accumulates", problems, here)
        _check_product(layer.weights, "weights", problems, here)
        for name, shape in layer.outputs:
            _check_product(prod(shape), f"elements in tensor {name!r}", problems, here)


def _check_product(value: int, what: str, problems: Problems, place: Place) -> None:
    if value > MAX_PRODUCT:
        problems.mismatch(place, f"{value} {what}", f"at most {MAX_PRODUCT}")


def network_to_data(network: Network) -> dict[str, object]:
    """The network as plain data; what equals its default is left out."""
    data: dict[str, object] = {
        "kind": "network",
        "name": network.name,
        "inputs": {name: list(shape) for name, shape in network.inputs},
        "layers": [_layer_to_data(layer) for layer in network.layers],
    }
    if network.results:
        data["results"] = list(network.results)
    if network.tables:
        data["tables"] = dict(network.tables)
    return data


def _layer_to_data(layer: Layer) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, field in LayerModel.model_fields.items():
        if key in ("output", "outputs"):
            continue
        value = getattr(layer, key)
        plain = list(value) if isinstance(value, tuple) else value
        if plain != field.default:
            data[key] = plain
    shapes = {name: list(shape) for name, shape in layer.outputs}
    if list(shapes) == [layer.name]:
        data["output"] = shapes[layer.name]
    else:
        data["outputs"] = shapes
    return data
