"""Messages of onnx as plain values, and the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from instances.importers.onnx.facts import Array, Dims, Operation

if TYPE_CHECKING:
    from onnx import NodeProto, TypeProto

LISTS: dict[str, type] = {
    "value_float": np.float32,
    "value_floats": np.float32,
    "value_int": np.int64,
    "value_ints": np.int64,
}
"""Attributes of `Constant` that are no tensors."""


def number(value: int, kind: int, shape: Dims) -> Array:
    """A tensor of a single number, of a type of onnx."""
    from onnx import helper

    return np.full(shape, value, np.int64).astype(helper.tensor_dtype_to_np_dtype(kind))


def measured(node: NodeProto, shape: Dims) -> Array:
    """What `Shape` or `Size` say of a shape."""
    if node.op_type == "Size":
        return np.array(prod(shape), np.int64)
    bounds = {own.name: own.i for own in node.attribute}
    return np.array(shape[bounds.get("start") : bounds.get("end")], np.int64)


def renamed(node: NodeProto, scope: Mapping[str, str]) -> NodeProto:
    """The node with names that are unique in the model."""
    from onnx import NodeProto

    inputs = [scope[name] if name else "" for name in node.input]
    outputs = [scope[name] if name else "" for name in node.output]
    if inputs == list(node.input) and outputs == list(node.output):
        return node
    own = NodeProto()
    own.CopyFrom(node)
    own.input[:], own.output[:] = inputs, outputs
    return own


def operation_of(node: NodeProto) -> Operation:
    """A node without graphs inside."""
    domain = "" if node.domain in ("", "ai.onnx") else f"{node.domain}."
    name = node.name or next((own for own in node.output if own), "")
    attributes = {own.name: value_of(own) for own in node.attribute}
    return Operation(name, domain + node.op_type, tuple(node.input), tuple(node.output), attributes)


def value_of(attribute: Any) -> Any:
    """An attribute as a plain value; None for graphs and tensors."""
    from onnx import AttributeProto

    kind = attribute.type
    if kind == AttributeProto.STRING:
        return attribute.s.decode(errors="replace")
    plain = {
        AttributeProto.FLOAT: "f",
        AttributeProto.INT: "i",
        AttributeProto.FLOATS: "floats",
        AttributeProto.INTS: "ints",
    }
    if kind not in plain:
        return None
    found = getattr(attribute, plain[kind])
    return tuple(found) if plain[kind].endswith("s") else found


def tensor_type(kind: int, shape: Dims) -> TypeProto:
    """The type of a tensor of this shape."""
    from onnx import helper

    return helper.make_tensor_type_proto(kind, shape)


def type_of(value: Array) -> TypeProto:
    """The type of an array."""
    from onnx import helper

    return tensor_type(helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)


def shape_of(kind: TypeProto) -> Dims | None:
    """The shape in a type if it is known to the last axis."""
    if not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
        return None
    dims = kind.tensor_type.shape.dim
    if not all(dim.HasField("dim_value") for dim in dims):
        return None
    return tuple(dim.dim_value for dim in dims)
