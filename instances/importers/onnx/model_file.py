"""ONNX files: read with care, without the data of large tensors."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from instances.files.errors import fail, quoted
from instances.importers.onnx.functions import inline_functions

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto

MAX_BYTES = 2**31 - 1
"""Of a file: what protobuf can hold."""

MAX_NODES = 25_000
"""Of a model, with those of its branches and of its functions as often as they are called."""

MAX_TENSORS = 50_000
"""Inputs and initializers of a model, those of its branches included."""

MAX_RANK = 32
"""Axes of a tensor."""

MAX_ELEMENTS = 2**50
"""Of one tensor."""

SMALL = 4096
"""Elements up to which the numbers of a tensor are kept: shapes are made of such tensors."""

EXTERNAL = 1
"""Where a tensor says that its data are in another file (TensorProto.EXTERNAL)."""

OLDEST_IR = 4
"""From here on, an initializer need not be an input as well."""

RAISED_IR = 8
"""What older files are raised to: with less, shape inference ignores initializers."""


def read_model(path: str | Path) -> ModelProto:
    """Read a model; weights in files beside it are not, and large tensors come without data.

    Raises:
        FileError: the file is no model that this can work with.
        ImportError: onnx is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise ImportError(
            f"{path}: ONNX files need onnx, which is not installed: pip install 'chipweave[onnx]'"
        ) from None
    source = str(path)
    content = _content(Path(path), source)
    try:
        model = onnx.ModelProto.FromString(content)
    except Exception:  # protobuf's, of which there are several implementations
        fail(source, "not an ONNX model: it is cut off, damaged or of another format")
    del content
    _check(model, source)
    if model.ir_version < OLDEST_IR:
        model.ir_version = RAISED_IR
    inline_functions(model, source, MAX_NODES)
    nodes = tensors = 0
    for graph in graphs(model.graph):
        _check_texts(graph, source)
        nodes += len(graph.node)
        tensors += len(graph.input) + len(graph.initializer) + len(graph.sparse_initializer)
    if nodes > MAX_NODES:
        fail(source, f"found {nodes:,} nodes, expected at most {MAX_NODES:,}")
    if tensors > MAX_TENSORS:
        fail(source, f"found {tensors:,} inputs and weights, expected at most {MAX_TENSORS:,}")
    for tensor in _tensors(model.graph):
        _lighten(tensor, source)
    return model


def opset(model: ModelProto) -> int:
    """The version of the operators of ONNX itself."""
    return max(own.version for own in model.opset_import if own.domain in ("", "ai.onnx"))


def _content(file: Path, source: str) -> bytes:
    try:
        if file.exists() and not file.is_file():
            fail(source, "is a directory, not a file" if file.is_dir() else "is not a plain file")
        if file.stat().st_size > MAX_BYTES:
            fail(
                source,
                "larger than 2 GB, the most that an ONNX file may be: save the weights as external"
                " data, which are not read",
            )
        content = file.read_bytes()
    except FileNotFoundError:
        fail(source, "no such file")
    except OSError as error:
        fail(source, f"cannot be read: {error.strerror}")
    if not content:
        fail(source, "the file is empty")
    return content


def _check(model: ModelProto, source: str) -> None:
    """What every model has, and what else would make it something that is not known here."""
    from onnx.defs import onnx_opset_version

    if not model.graph.node:
        fail(source, "not an ONNX model: it has no nodes")
    own = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if not own:
        # Files of the first version of the format (IR 1) need not name one.
        model.opset_import.add(domain="", version=1)
        own = [1]
    if not 1 <= max(own) <= onnx_opset_version():
        fail(
            source,
            f"found opset {max(own)}, expected 1 to {onnx_opset_version()}, which the installed"
            " onnx knows: export with an older opset, or pip install -U onnx",
        )


def graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """A graph and those inside its nodes."""
    waiting = [graph]
    while waiting:
        own = waiting.pop()
        yield own
        for node in own.node:
            for attribute in node.attribute:
                waiting += [attribute.g] if attribute.HasField("g") else []
                waiting += attribute.graphs


def _check_texts(graph: GraphProto, source: str) -> None:
    """Protobuf hands over texts that are not UTF-8 as bytes."""
    texts = [own.name for own in (*graph.input, *graph.output, *graph.initializer)]
    for node in graph.node:
        texts += [node.name, node.op_type, node.domain, *node.input, *node.output]
        texts += [own.name for own in node.attribute]
    for own in graph.input:
        texts += [dim.dim_param for dim in own.type.tensor_type.shape.dim]
    if not all(isinstance(text, str) for text in texts):
        fail(source, "not an ONNX model: a name in it is not UTF-8 text")


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    for own in graphs(graph):
        yield from own.initializer
        for node in own.node:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t


def _lighten(tensor: TensorProto, source: str) -> None:
    """Check a tensor's size, and drop its data if they are many, elsewhere or missing."""
    from onnx import numpy_helper

    name = f"tensor {quoted(tensor.name)}"
    elements = prod(tensor.dims)
    if len(tensor.dims) > MAX_RANK:
        fail(source, f"{name}: found {len(tensor.dims)} axes, expected at most {MAX_RANK}")
    if min(tensor.dims, default=0) < 0 or elements > MAX_ELEMENTS:
        fail(source, f"{name}: found a shape of {elements:,} elements")
    stored = _stored(tensor)
    elsewhere = tensor.data_location == EXTERNAL
    if not elsewhere and tensor.raw_data and _raw_bytes(tensor) not in (None, len(tensor.raw_data)):
        fail(
            source,
            f"{name}: found {len(tensor.raw_data):,} bytes of data, its shape needs"
            f" {_raw_bytes(tensor):,}",
        )
    if elements <= SMALL and stored and not elsewhere:
        try:
            numpy_helper.to_array(tensor)
        except Exception:  # of numpy and onnx, for want of data or of a type
            fail(source, f"{name}: its data do not fit its shape or type")
        return
    for field in (*_DATA, "external_data", "data_location"):
        tensor.ClearField(field)


_DATA = (
    "raw_data",
    "float_data",
    "int32_data",
    "int64_data",
    "double_data",
    "uint64_data",
    "string_data",
)


def _stored(tensor: TensorProto) -> bool:
    """Whether a tensor has data, or needs none."""
    return not prod(tensor.dims) or any(getattr(tensor, field) for field in _DATA)


def _raw_bytes(tensor: TensorProto) -> int | None:
    """Bytes that the data of a tensor need if they are raw; None where that is not known."""
    from onnx import helper

    try:
        size = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    except (KeyError, TypeError):
        return None
    bits = {4: 4, 2: 2}.get(_narrow(tensor.data_type), size.itemsize * 8)
    return (prod(tensor.dims) * bits + 7) // 8


def _narrow(data_type: int) -> int:
    """Bits of the types that are narrower than a byte, otherwise 0."""
    from onnx import TensorProto

    name = TensorProto.DataType.Name(data_type)
    return 4 if "INT4" in name or "FLOAT4" in name else 2 if "INT2" in name else 0
