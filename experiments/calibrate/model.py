"""ONNX models: read, given further outputs or an autoencoder, and run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.calibrate.autoencoder import Autoencoder
from instances.files.errors import fail

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

MIN_OPSET = 7
"""Before it, subtraction did not broadcast."""

MAX_BYTES = 2**31 - 1
"""Of a model: what its format can hold."""

MESSAGE_CHARACTERS = 200
"""Of what the runtime says."""

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int8)": np.int8,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(uint16)": np.uint16,
    "tensor(uint32)": np.uint32,
    "tensor(uint64)": np.uint64,
    "tensor(bool)": np.bool_,
}
"""What the runtime calls the types of arrays."""


@dataclass(frozen=True)
class Input:
    """An input of a model.

    Attributes:
        name: of the input.
        dtype: of its numbers.
        shape: None where any length will do; the first axis is that of the samples.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Layout:
    """How a tensor is laid out.

    Attributes:
        axis: of the channels: 1, or -1 for the last.
        rank: how many axes there are.
        channels: how many there are.
        dtype: of the numbers.
    """

    axis: int
    rank: int
    channels: int
    dtype: np.dtype[Any]


class Session:
    """A model that can be run.

    Raises:
        FileError: the runtime refuses the model, or its inputs are no arrays of samples.
    """

    def __init__(self, model: ModelProto, source: str, workers: int | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what goes wrong is raised, too
        options.intra_op_num_threads = workers or 0
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._source = source
        try:
            self._session = onnxruntime.InferenceSession(
                model.SerializeToString(),
                options,
                providers=["CPUExecutionProvider"],
                enable_fallback=False,  # it would print, and try the same again
            )
        except Exception as error:  # the runtime's exceptions have no class in common
            fail(source, f"the model cannot be loaded: {told(error)}")
        self.outputs = [own.name for own in self._session.get_outputs()]

    @property
    def inputs(self) -> tuple[Input, ...]:
        """What the model takes.

        Raises:
            FileError: an input has another type than numbers, or no axis for samples.
        """
        return tuple(self._input(own) for own in self._session.get_inputs())

    def _input(self, own: Any) -> Input:
        if own.type not in DTYPES:
            fail(
                self._source, f"input {own.name!r}: found {own.type}, expected an array of numbers"
            )
        if not own.shape:
            fail(self._source, f"input {own.name!r} has no axis, expected one for the samples")
        shape = (size if isinstance(size, int) and size > 0 else None for size in own.shape)
        return Input(own.name, np.dtype(DTYPES[own.type]), tuple(shape))

    def run(
        self, arrays: Mapping[str, NDArray[Any]], outputs: Sequence[str] | None = None
    ) -> list[NDArray[Any]]:
        """What the model makes of some samples: all outputs, or those named.

        Raises:
            FileError: the runtime refuses, or an output is no array.
        """
        try:
            found = self._session.run(outputs, dict(arrays))
        except Exception as error:  # as above
            fail(self._source, f"the model does not run: {told(error)}")
        for name, value in zip(outputs or self.outputs, found, strict=True):
            if not isinstance(value, np.ndarray):
                fail(self._source, f"output {name!r} is no array")
        return list(found)


def read_model(path: str | Path) -> ModelProto:
    """Read a model, with weights in files beside it.

    Raises:
        FileError: the file is no model that this can work with.
        ImportError: onnx or onnxruntime is not installed.
    """
    try:
        import onnx
        import onnxruntime  # noqa: F401 - needed later, told now
    except ImportError:
        raise ImportError(
            "calibrate needs onnx and onnxruntime, which are not installed:"
            " pip install 'chipweave[calibrate]'"
        ) from None
    source, file = str(path), Path(path)
    if not file.exists():
        fail(source, "no such file")
    if not file.is_file():
        fail(source, "is a directory, not a file" if file.is_dir() else "is not a plain file")
    if file.stat().st_size > MAX_BYTES:
        fail(source, "larger than 2 GB, the most that an ONNX file may be")
    try:
        model = onnx.load(file)
    except Exception as error:  # protobuf's, onnx's and the file system's
        fail(source, f"not an ONNX model: {told(error)}")
    if not model.graph.node:
        fail(source, "not an ONNX model: it has no nodes")
    own = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    opset = max(own, default=0)
    if opset < MIN_OPSET:
        fail(source, f"found opset {opset}, expected {MIN_OPSET} or later")
    return model


def with_outputs(model: ModelProto, tensors: Iterable[str]) -> ModelProto:
    """The model with these tensors as outputs, too."""
    import onnx

    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    _add_outputs(changed.graph, tensors)
    return changed


def with_autoencoder(
    model: ModelProto, tensor: str, layout: Layout, autoencoder: Autoencoder
) -> tuple[ModelProto, str]:
    """The model with an autoencoder in the place where a tensor is made.

    What reads the tensor reads what arrives, which keeps its name; so does an output.

    Args:
        model: stays as it is.
        tensor: that is compressed; some node makes it.
        layout: of the tensor.
        autoencoder: with the code to be used.

    Returns:
        the new model, whose outputs have the tensor as sent and as it arrives behind them; and the
        name of what is sent.
    """
    import onnx

    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    taken = _names(graph)
    sent = _fresh(f"{tensor}/sent", taken)
    place, node = next((i, own) for i, own in enumerate(graph.node) if tensor in own.output)
    node.output[list(node.output).index(tensor)] = sent
    coder = _coder(sent, tensor, layout, autoencoder, taken)
    for offset, own in enumerate(coder, 1):
        graph.node.insert(place + offset, own)
    _add_outputs(graph, (sent, tensor))
    return changed, sent


def _coder(
    sent: str,
    arrives: str,
    layout: Layout,
    autoencoder: Autoencoder,
    taken: set[str],
) -> list[NodeProto]:
    """Nodes from what is sent to what arrives: a pair of 1 x 1 convolutions, or of products."""
    from onnx import helper, numpy_helper

    mean, encoder, decoder = autoencoder.mean, autoencoder.encoder, autoencoder.encoder.T
    operator = "MatMul"
    if layout.axis == 1:  # kernels are [out, in, 1, ...]
        ones = (1,) * (layout.rank - 2)
        mean = mean.reshape(-1, *ones)
        encoder, decoder = (w.T.reshape(*w.T.shape, *ones) for w in (encoder, decoder))
        operator = "Conv"
    names = {
        part: _fresh(f"{arrives}/{part}", taken)
        for part in ("mean", "encoder", "decoder", "centred", "code", "decoded")
    }

    def constant(part: str, value: NDArray[Any]) -> NodeProto:
        tensor = numpy_helper.from_array(
            np.ascontiguousarray(value, dtype=layout.dtype), names[part]
        )
        return helper.make_node("Constant", [], [names[part]], value=tensor)

    return [
        constant("mean", mean),
        constant("encoder", encoder),
        constant("decoder", decoder),
        helper.make_node("Sub", [sent, names["mean"]], [names["centred"]]),
        helper.make_node(operator, [names["centred"], names["encoder"]], [names["code"]]),
        helper.make_node(operator, [names["code"], names["decoder"]], [names["decoded"]]),
        helper.make_node("Add", [names["decoded"], names["mean"]], [arrives]),
    ]


def _add_outputs(graph: GraphProto, tensors: Iterable[str]) -> None:
    import onnx

    known = {own.name for own in graph.output}
    graph.output.extend(onnx.ValueInfoProto(name=name) for name in tensors if name not in known)


def _names(graph: GraphProto) -> set[str]:
    """Of all values of the graph."""
    nodes = {name for node in graph.node for name in (*node.input, *node.output)}
    return nodes | {own.name for own in (*graph.input, *graph.initializer)}


def _fresh(name: str, taken: set[str]) -> str:
    """A name that no value has yet; now one has."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def told(error: BaseException) -> str:
    """The first line of what a library says, cut."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    first = "".join(c if c.isprintable() else "?" for c in lines[0])
    return first if len(first) <= MESSAGE_CHARACTERS else first[:MESSAGE_CHARACTERS] + "..."
