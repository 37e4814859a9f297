"""Shape inference of onnx, node by node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from instances.files.errors import fail
from instances.importers.onnx.facts import Array, words
from instances.importers.onnx.order import shown

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TypeProto

MESSAGE_CHARACTERS = 200
"""Of what onnx says."""

SIZES = words("blocksize dilations group kernel_shape num_groups strides")
"""Attributes that are sizes."""

KEEPING = frozenset({"GroupNormalization", "MeanVarianceNormalization"})
"""Operators that keep a shape, which onnx infers in whole models only: it takes them apart."""


class Inference:
    """Infers what nodes make."""

    def __init__(self, model: ModelProto, source: str) -> None:
        self._source = source
        self._opsets = list(model.opset_import)
        self._versions = {
            "" if own.domain == "ai.onnx" else own.domain: own.version for own in self._opsets
        }
        self._ir_version = model.ir_version

    def node(
        self, node: NodeProto, types: Mapping[str, TypeProto], known: Mapping[str, Array]
    ) -> Mapping[str, TypeProto] | None:
        """Types of what a node makes, as far as they are known; None if onnx knows no such node.

        Raises:
            FileError: what the node reads does not fit together.
        """
        from onnx import defs, numpy_helper, shape_inference

        domain = "" if node.domain == "ai.onnx" else node.domain
        try:
            schema = defs.get_schema(node.op_type, self._versions.get(domain, 1), domain)
        except Exception:  # onnx knows no such operator, or not yet in that version
            return None
        given = {name: types[name] for name in node.input if name and name in types}
        if any(name and name not in types for name in node.input):
            return {}
        self._check_sizes(node)
        data = {name: numpy_helper.from_array(known[name], name) for name in given if name in known}
        try:
            found = shape_inference.infer_node_outputs(
                schema,
                node,
                given,
                data,
                opset_imports=self._opsets,
                ir_version=self._ir_version,
            )
        except Exception as error:  # of onnx and of protobuf
            fail(self._source, f"{shown(node)}: what it reads does not fit: {_told(error)}")
        if node.op_type in KEEPING and node.input[0] in given:
            found[node.output[0]] = given[node.input[0]]
        return found

    def _check_sizes(self, node: NodeProto) -> None:
        """Refuse sizes below 1, by some of which onnx divides."""
        for own in node.attribute:
            sizes = own.ints or [own.i]
            if own.name in SIZES and min(sizes) < 1:
                fail(self._source, f"{shown(node)}: found {own.name} below 1")


def _told(error: Exception) -> str:
    """An exception's message on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    short = text[:MESSAGE_CHARACTERS]
    return short if len(text) == len(short) else f"{short}..."
