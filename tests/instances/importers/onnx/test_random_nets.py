"""Random networks of convolutions, pools, sums and products, held against their run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.helper import make_node as node

import chipweave as cw
from instances.network import OUTSIDE, Network

Run = Callable[..., int]

SIZE = 12


@st.composite
def models(draw: st.DrawFn) -> Any:
    """A model whose tensors all have a few channels, rows and columns."""
    nodes: list[Any] = []
    weights: dict[str, Any] = {}
    made: list[tuple[str, int, int]] = [("x", 4, SIZE)]

    def weight(*shape: int) -> str:
        name = f"w{len(weights)}"
        weights[name] = np.ones(shape, np.float32)
        return name

    for step in range(draw(st.integers(1, 9))):
        source, channels, size = draw(st.sampled_from(made))
        output, kind = f"t{step}", draw(st.sampled_from(KINDS))
        same = [name for name, *shape in made if shape == [channels, size]]
        if kind == "conv" or not nodes:
            group = draw(st.sampled_from([own for own in (1, 2, channels) if channels % own == 0]))
            wide = group * draw(st.integers(1, 3))
            kernel, stride = draw(st.sampled_from([1, 3])), draw(st.sampled_from([1, 2]))
            w = weight(wide, channels // group, kernel, kernel)
            pads, strides = [kernel // 2] * 4, [stride] * 2
            nodes.append(
                node("Conv", [source, w], [output], group=group, pads=pads, strides=strides)
            )
            shape = (wide, (size - 1) // stride + 1)
        elif kind == "deconv" and size < SIZE:
            w = weight(channels, 2, 2, 2)
            nodes.append(node("ConvTranspose", [source, w], [output], strides=[2, 2]))
            shape = (2, 2 * size)
        elif kind == "pool" and size > 1:
            nodes.append(node("MaxPool", [source], [output], kernel_shape=[2, 2], strides=[2, 2]))
            shape = (channels, size // 2)
        elif kind == "sum":
            nodes.append(node("Add", [source, draw(st.sampled_from(same))], [output]))
            shape = (channels, size)
        elif kind == "concat":
            nodes.append(node("Concat", [source, draw(st.sampled_from(same))], [output], axis=1))
            shape = (2 * channels, size)
        elif kind == "heads":
            nodes.append(node("MatMul", [source, draw(st.sampled_from(same))], [output]))
            shape = (channels, size)
        elif kind == "gate":
            nodes.append(node("GlobalAveragePool", [source], [f"{output}m"]))
            nodes.append(node("Mul", [source, f"{output}m"], [output]))
            shape = (channels, size)
        else:
            nodes.append(node("Relu", [source], [output]))
            shape = (channels, size)
        made.append((output, *shape))
    return nodes, weights, [name for name, *_ in made[1:]]


KINDS = ("conv", "conv", "deconv", "pool", "sum", "concat", "heads", "gate", "relu")


def written(folder: str, nodes: list[Any], weights: dict[str, Any], names: list[str]) -> Path:
    read = {name for own in nodes for name in own.input}
    graph = helper.make_graph(
        nodes,
        "random",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 4, SIZE, SIZE))],
        [
            helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None)
            for name in names
            if name not in read
        ],
        [numpy_helper.from_array(own, name) for name, own in weights.items()],
    )
    path = Path(folder) / "random.onnx"
    imports = [helper.make_opsetid("", 21)]
    path.write_bytes(helper.make_model(graph, opset_imports=imports).SerializeToString())
    return path


@settings(max_examples=60)
@given(models())
def test_a_random_network_multiplies_as_often_as_when_it_runs(macs_of_run: Run, drawn: Any) -> None:
    with TemporaryDirectory() as folder:
        path = written(folder, *drawn)
        network = cw.from_onnx(path)
        assert network.macs == macs_of_run(path, {"x": (1, 4, SIZE, SIZE)}) > 0
    weights = sum(own.size for own in drawn[1].values())
    assert network.parameters == weights
    _check_reach(drawn[0], network)


def _check_reach(nodes: list[Any], network: Network) -> None:
    """Each layer depends, through others, on just those on which its node depends."""
    layers = [own for own in nodes if own.op_type in ("Conv", "ConvTranspose", "MatMul")]
    makers = {own.output[0]: own for own in nodes}
    above: dict[str, set[str]] = {"x": set()}
    for name, own in makers.items():
        above[name] = set().union(
            *(above[n] | ({n} if n in makers else set()) for n in own.input if n in above)
        )
    of_layers = {own.output[0] for own in layers}
    found: list[set[str]] = []
    for index, layer in enumerate(network.layers):
        before = [t.producer for t in network.tensors if index in t.consumers]
        reached = [found[own] | {network.layers[own].name} for own in before if own != OUTSIDE]
        found.append(set().union(*reached))
        direct = above[layer.name] & of_layers
        assert found[index] >= direct
