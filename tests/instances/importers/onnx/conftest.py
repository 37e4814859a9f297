"""Small models, and multiply-accumulates counted from a run, without the importer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Shape = tuple[int, ...]
Save = Callable[..., Path]
Run = Callable[..., int]


@pytest.fixture(scope="session", autouse=True)
def _onnx() -> None:
    pytest.importorskip("onnx", reason="the extra onnx is not installed")


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write a model of nodes, inputs and initializers; say where it is."""

    def save(
        nodes: Sequence[Any],
        inputs: Mapping[str, Sequence[int | str]],
        outputs: Sequence[str],
        weights: Mapping[str, Any] | None = None,
        *,
        opset: int = 21,
        types: Mapping[str, int] | None = None,
        functions: Sequence[Any] = (),
    ) -> Path:
        path = tmp_path / "model.onnx"
        made = model(nodes, inputs, outputs, weights, opset, types or {}, functions)
        path.write_bytes(made.SerializeToString())
        return path

    return save


def model(
    nodes: Sequence[Any],
    inputs: Mapping[str, Sequence[int | str]],
    outputs: Sequence[str],
    weights: Mapping[str, Any] | None,
    opset: int,
    types: Mapping[str, int],
    functions: Sequence[Any],
) -> Any:
    """A model; weights are arrays, or shapes of normal numbers."""
    from onnx import TensorProto, helper, numpy_helper

    draw = np.random.default_rng(3)
    arrays = {
        name: own if isinstance(own, np.ndarray) else draw.normal(size=own).astype(np.float32)
        for name, own in (weights or {}).items()
    }
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [
            helper.make_tensor_value_info(name, types.get(name, TensorProto.FLOAT), shape)
            for name, shape in inputs.items()
        ],
        [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    imports += [helper.make_opsetid("custom", 1)]
    return helper.make_model(graph, opset_imports=imports, functions=list(functions), ir_version=8)


@pytest.fixture(scope="session")
def macs_of_run() -> Run:
    """Multiply-accumulates of a model as the reference evaluator runs it."""
    return _macs_of_run


def _macs_of_run(path: Path, inputs: Mapping[str, Any]) -> int:
    from onnx.reference import ReferenceEvaluator

    draw = np.random.default_rng(4)
    given = {
        name: own if isinstance(own, np.ndarray) else draw.normal(size=own).astype(np.float32)
        for name, own in inputs.items()
    }
    with _recorded() as seen:
        ReferenceEvaluator(str(path)).run(None, given)
    return sum(node_macs(*call) for call in seen)


@contextmanager
def _recorded() -> Iterator[list[tuple[str, dict[str, Any], list[Shape], list[Shape]]]]:
    """Operator, attributes, shapes read and shapes made of every node that runs meanwhile.

    Also of nodes in branches: each of those has an evaluator of its own.
    """
    from onnx.reference import ReferenceEvaluator

    plain, seen = ReferenceEvaluator.__init__, []

    def watched(node: Any) -> Any:
        run, attributes = node.run, {own.name: own for own in node.onnx_node.attribute}

        def recorded(*given: Any, **more: Any) -> Any:
            found = run(*given, **more)
            read = [() if own is None else np.shape(own) for own in given]
            seen.append((node.onnx_node.op_type, attributes, read, [np.shape(found[0])]))
            return found

        return recorded

    def begun(self: Any, *given: Any, **more: Any) -> None:
        plain(self, *given, **more)
        for node in self.rt_nodes_:
            node.run = watched(node)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ReferenceEvaluator, "__init__", begun)
        yield seen


def node_macs(
    kind: str, attributes: Mapping[str, Any], read: Sequence[Shape], made: Sequence[Shape]
) -> int:
    """Multiply-accumulates of one node from the shapes of a run; 0 if it is no layer."""
    if kind in ("Conv", "ConvInteger"):
        return prod(made[0]) * prod(read[1][1:])
    if kind == "QLinearConv":
        return prod(made[0]) * prod(read[3][1:])
    if kind == "ConvTranspose":
        return prod(read[0]) * prod(read[1][1:])
    if kind in ("MatMul", "MatMulInteger", "QLinearMatMul"):
        return prod(made[0]) * read[0][-1]
    if kind == "Gemm":
        turned = "transA" in attributes and attributes["transA"].i
        return prod(made[0]) * read[0][0 if turned else 1]
    if kind in ("LSTM", "GRU", "RNN"):
        steps, samples, _ = read[0]
        return steps * samples * (prod(read[1]) + prod(read[2]))
    return 0


@pytest.fixture(scope="session")
def macs_of_session() -> Run:
    """Multiply-accumulates of a model as ONNX Runtime runs it, node by node as the file has it."""
    return _macs_of_session


def _macs_of_session(path: Path, inputs: Mapping[str, Any]) -> int:
    import onnx

    runtime = pytest.importorskip("onnxruntime", reason="the extra calibrate is not installed")
    loaded = onnx.load(path)
    graph = loaded.graph
    known = {own.name for own in graph.output}
    shapes = {own.name: tuple(own.dims) for own in graph.initializer}
    made = [name for node in graph.node for name in node.output if name and name not in known]
    graph.output.extend(onnx.ValueInfoProto(name=name) for name in made)
    options = runtime.SessionOptions()
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = runtime.InferenceSession(
        loaded.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [own.name for own in session.get_outputs()]
    found = session.run(names, dict(inputs))
    shapes |= {name: np.shape(own) for name, own in zip(names, found, strict=True)}
    shapes |= {name: np.shape(own) for name, own in inputs.items()}
    return sum(
        node_macs(
            node.op_type,
            {own.name: own for own in node.attribute},
            [shapes[name] if name else () for name in node.input],
            [shapes[name] for name in node.output if name],
        )
        for node in graph.node
    )
