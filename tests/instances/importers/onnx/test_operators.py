"""Every operator that is a layer, held against a run of the reference evaluator or a count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx.helper import make_node as node

import chipweave as cw

Save = Callable[..., Path]
Run = Callable[..., int]
Case = tuple[list[Any], dict[str, tuple[int, ...]], dict[str, Any]]

RUN: dict[str, tuple[Any, dict[str, tuple[int, ...]], dict[str, Any]]] = {
    "conv": (
        node("Conv", ["x", "w", "b"], ["y"]),
        {"x": (1, 3, 9, 8)},
        {"w": (6, 3, 3, 2), "b": 6},
    ),
    "strided": (
        node("Conv", ["x", "w"], ["y"], strides=[2, 3], pads=[1, 0, 2, 1]),
        {"x": (1, 3, 9, 8)},
        {"w": (6, 3, 3, 2)},
    ),
    "grouped": (node("Conv", ["x", "w"], ["y"], group=3), {"x": (1, 6, 5, 5)}, {"w": (9, 2, 3, 3)}),
    "depthwise": (
        node("Conv", ["x", "w"], ["y"], group=4, auto_pad="SAME_UPPER"),
        {"x": (1, 4, 5, 5)},
        {"w": (4, 1, 3, 3)},
    ),
    "dilated": (
        node("Conv", ["x", "w"], ["y"], dilations=[2, 2]),
        {"x": (1, 3, 9, 9)},
        {"w": (4, 3, 3, 3)},
    ),
    "series": (node("Conv", ["x", "w"], ["y"], strides=[2]), {"x": (1, 3, 20)}, {"w": (4, 3, 5)}),
    "volumes": (node("Conv", ["x", "w"], ["y"]), {"x": (1, 2, 5, 6, 7)}, {"w": (4, 2, 3, 2, 1)}),
    "several samples": (node("Conv", ["x", "w"], ["y"]), {"x": (4, 3, 6, 6)}, {"w": (5, 3, 3, 3)}),
    "transposed": (
        node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2]),
        {"x": (1, 3, 4, 5)},
        {"w": (3, 6, 2, 2)},
    ),
    "gemm": (node("Gemm", ["x", "w", "b"], ["y"]), {"x": (1, 12)}, {"w": (12, 7), "b": 7}),
    "gemm turned": (
        node("Gemm", ["x", "w"], ["y"], transA=1, transB=1),
        {"x": (12, 3)},
        {"w": (7, 12)},
    ),
    "gemm of a weight in front": (node("Gemm", ["w", "x"], ["y"]), {"x": (12, 3)}, {"w": (7, 12)}),
    "gemm of activations": (
        node("Gemm", ["x", "z"], ["y"], transB=1),
        {"x": (3, 12), "z": (5, 12)},
        {},
    ),
    "matmul": (node("MatMul", ["x", "w"], ["y"]), {"x": (1, 5, 12)}, {"w": (12, 7)}),
    "matmul of vectors": (node("MatMul", ["x", "w"], ["y"]), {"x": (12,)}, {"w": (12,)}),
    "matmul with a weight in front": (
        node("MatMul", ["w", "x"], ["y"]),
        {"x": (1, 5, 6)},
        {"w": (4, 5)},
    ),
    "matmul of stacked weights": (
        node("MatMul", ["x", "w"], ["y"]),
        {"x": (1, 4, 5, 6)},
        {"w": (4, 6, 3)},
    ),
    "matmul of one stack of weights": (
        node("MatMul", ["x", "w"], ["y"]),
        {"x": (5, 6)},
        {"w": (4, 6, 3)},
    ),
    "heads": (
        node("MatMul", ["x", "z"], ["y"]),
        {"x": (1, 4, 5, 6), "z": (1, 4, 6, 7)},
        {},
    ),
    "heads of several samples": (
        node("MatMul", ["x", "z"], ["y"]),
        {"x": (3, 4, 5, 6), "z": (3, 4, 6, 7)},
        {},
    ),
    "one matrix for all heads": (
        node("MatMul", ["x", "z"], ["y"]),
        {"x": (2, 4, 5, 6), "z": (6, 7)},
        {},
    ),
    "one head for many matrices": (
        node("MatMul", ["x", "z"], ["y"]),
        {"x": (5, 6), "z": (2, 4, 6, 7)},
        {},
    ),
    "broadcast both ways": (
        node("MatMul", ["x", "z"], ["y"]),
        {"x": (2, 1, 5, 6), "z": (1, 4, 6, 7)},
        {},
    ),
    "lstm": (
        node("LSTM", ["x", "w", "r", "b"], ["y"], hidden_size=5),
        {"x": (7, 1, 3)},
        {"w": (1, 20, 3), "r": (1, 20, 5), "b": (1, 40)},
    ),
    "gru": (
        node("GRU", ["x", "w", "r"], ["", "y"], hidden_size=5),
        {"x": (7, 2, 3)},
        {"w": (1, 15, 3), "r": (1, 15, 5)},
    ),
    "rnn": (
        node("RNN", ["x", "w", "r"], ["y"], hidden_size=5),
        {"x": (7, 1, 3)},
        {"w": (1, 5, 3), "r": (1, 5, 5)},
    ),
    "whole-number conv": (
        node("ConvInteger", ["x", "w"], ["y"]),
        {"x": (1, 3, 6, 6)},
        {"w": np.ones((4, 3, 3, 3), np.uint8)},
    ),
    "whole-number matmul": (
        node("MatMulInteger", ["x", "w"], ["y"]),
        {"x": (5, 6)},
        {"w": np.ones((6, 4), np.uint8)},
    ),
}


@pytest.mark.parametrize("name", RUN)
def test_an_operator_multiplies_as_often_as_when_it_runs(
    name: str, save: Save, macs_of_run: Run
) -> None:
    own, inputs, weights = RUN[name]
    whole = "Integer" in own.op_type
    path = save([own], inputs, ["y"], weights, types=dict.fromkeys(inputs, 2) if whole else None)
    given: dict[str, Any] = {key: np.ones(shape, np.uint8) for key, shape in inputs.items()}
    network = cw.from_onnx(path)
    assert network.macs == macs_of_run(path, given if whole else inputs) > 0
    learned = sum(
        np.prod(own.shape if isinstance(own, np.ndarray) else own) for own in weights.values()
    )
    assert network.parameters == learned


def scale(name: str) -> dict[str, Any]:
    """A scale and a zero point."""
    return {f"{name}s": np.float32(0.1), f"{name}z": np.uint8(3)}


QUANTISED: dict[str, Case] = {
    "conv": (
        [node("QLinearConv", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["y"])],
        {"x": (1, 3, 6, 6)},
        {"w": np.ones((4, 3, 3, 3), np.uint8), **scale("x"), **scale("w"), **scale("y")},
    ),
    "matmul": (
        [node("QLinearMatMul", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["y"])],
        {"x": (5, 6)},
        {"w": np.ones((6, 4), np.uint8), **scale("x"), **scale("w"), **scale("y")},
    ),
}


@pytest.mark.parametrize("name", QUANTISED)
def test_a_quantised_operator_multiplies_as_often_as_when_it_runs(
    name: str, save: Save, macs_of_run: Run
) -> None:
    nodes, inputs, weights = QUANTISED[name]
    weights = {key: np.asarray(own) for key, own in weights.items()}
    path = save(nodes, inputs, ["y"], weights, types={"x": 2})
    given = {key: np.ones(shape, np.uint8) for key, shape in inputs.items()}
    assert cw.from_onnx(path).macs == macs_of_run(path, given) > 0


MS = "com.microsoft"

COUNTED: dict[str, tuple[Any, dict[str, tuple[int, ...]], dict[str, Any], int]] = {
    "FusedConv": (
        node("FusedConv", ["x", "w", "b", "z"], ["y"], domain=MS, activation="Relu", pads=[1] * 4),
        {"x": (1, 3, 8, 8), "z": (1, 6, 8, 8)},
        {"w": (6, 3, 3, 3), "b": 6},
        6 * 3 * 9 * 64,
    ),
    "FusedMatMul": (
        node("FusedMatMul", ["x", "w"], ["y"], domain=MS, transA=1, transB=1, alpha=0.5),
        {"x": (1, 6, 5)},
        {"w": (4, 6)},
        5 * 6 * 4,
    ),
    "FusedMatMul without its domain": (
        node("FusedMatMul", ["x", "w"], ["y"], transB=1),
        {"x": (1, 5, 6)},
        {"w": (4, 6)},
        5 * 6 * 4,
    ),
    "FusedGemm": (
        node("FusedGemm", ["x", "w", "b"], ["y"], domain=MS, activation="Relu", transB=1),
        {"x": (2, 6)},
        {"w": (4, 6), "b": 4},
        2 * 6 * 4,
    ),
    "QGemm": (
        node("QGemm", ["x", "s", "zero", "w", "s", "zero", "b"], ["y"], domain=MS, transB=1),
        {"x": (2, 6)},
        {"w": (4, 6), "b": 4, "s": np.array(0.1, np.float32), "zero": np.array(0, np.uint8)},
        2 * 6 * 4,
    ),
    "MatMulNBits": (
        node("MatMulNBits", ["x", "w", "s"], ["y"], domain=MS, K=64, N=10, bits=4, block_size=32),
        {"x": (1, 3, 64)},
        {"w": np.ones((10, 2, 16), np.uint8), "s": np.ones(20, np.float32)},
        3 * 64 * 10,
    ),
    "MatMulIntegerToFloat": (
        node("MatMulIntegerToFloat", ["x", "w", "s", "s"], ["y"], domain=MS),
        {"x": (1, 3, 6)},
        {"w": np.ones((6, 4), np.uint8), "s": np.array(0.1, np.float32)},
        3 * 6 * 4,
    ),
    "DynamicQuantizeMatMul": (
        node("DynamicQuantizeMatMul", ["x", "w", "s"], ["y"], domain=MS),
        {"x": (1, 3, 6)},
        {"w": np.ones((6, 4), np.uint8), "s": np.array(0.1, np.float32)},
        3 * 6 * 4,
    ),
    # Projection to 3 x 8, then queries times keys and scores times values.
    "Attention": (
        node("Attention", ["x", "w", "b"], ["y"], domain=MS, num_heads=2),
        {"x": (1, 5, 8)},
        {"w": (8, 24), "b": 24},
        5 * 8 * 24 + 2 * 5 * 5 * 8,
    ),
    "Attention with a past": (
        node("Attention", ["x", "w", "b", "", "past"], ["y", "now"], domain=MS, num_heads=2),
        {"x": (1, 5, 8), "past": (2, 1, 2, 3, 4)},
        {"w": (8, 24), "b": 24},
        5 * 8 * 24 + 2 * 5 * (5 + 3) * 8,
    ),
    "QAttention": (
        node("QAttention", ["x", "w", "b", "s", "s"], ["y"], domain=MS, num_heads=2),
        {"x": (1, 5, 8)},
        {"w": np.ones((8, 24), np.uint8), "b": 24, "s": np.array(0.1, np.float32)},
        5 * 8 * 24 + 2 * 5 * 5 * 8,
    ),
    "MultiHeadAttention": (
        node("MultiHeadAttention", ["x", "k", "v"], ["y"], domain=MS, num_heads=2),
        {"x": (1, 5, 8), "k": (1, 7, 8), "v": (1, 7, 6)},
        {},
        5 * 7 * 8 + 5 * 7 * 6,
    ),
    "MultiHeadAttention of one tensor": (
        node("MultiHeadAttention", ["x"], ["y"], domain=MS, num_heads=2),
        {"x": (1, 5, 2, 3, 4)},
        {},
        2 * 5 * 5 * 8,
    ),
    "GroupQueryAttention": (
        node(
            "GroupQueryAttention",
            ["x", "k", "v", "pk", "pv", "n", "total"],
            ["y", "nk", "nv"],
            domain=MS,
            num_heads=4,
            kv_num_heads=2,
        ),
        {"x": (1, 1, 16), "k": (1, 1, 8), "v": (1, 1, 8), "pk": (1, 2, 9, 4), "pv": (1, 2, 9, 4)},
        {"n": np.array([9], np.int32), "total": np.array(10, np.int32)},
        2 * 10 * 16,
    ),
    "attention of ONNX": (
        node("Attention", ["x", "k", "v"], ["y"], q_num_heads=4, kv_num_heads=2),
        {"x": (1, 5, 16), "k": (1, 7, 8), "v": (1, 7, 8)},
        {},
        2 * 4 * 5 * 7 * 4,
    ),
    "attention of four axes": (
        node("Attention", ["x", "k", "v"], ["y"]),
        {"x": (2, 4, 5, 3), "k": (2, 4, 7, 3), "v": (2, 4, 7, 6)},
        {},
        2 * 4 * 5 * 7 * (3 + 6),
    ),
    "DynamicQuantizeLSTM": (
        node(
            "DynamicQuantizeLSTM",
            ["x", "w", "r", "b", "", "", "", "", "s", "zero", "s", "zero"],
            ["y", "h"],
            domain=MS,
            hidden_size=5,
        ),
        {"x": (7, 1, 3)},
        {
            "w": np.ones((1, 3, 20), np.uint8),
            "r": np.ones((1, 5, 20), np.uint8),
            "b": (1, 40),
            "s": np.ones(1, np.float32),
            "zero": np.zeros(1, np.uint8),
        },
        7 * 20 * (3 + 5),
    ),
    # Two directions: as many again, and the reference evaluator does not run them.
    # Each number of the data meets each of its group's 2 kernels of 3 x 3.
    "transposed, grouped": (
        node("ConvTranspose", ["x", "w"], ["y"], group=3, strides=[2, 2], output_padding=[1, 1]),
        {"x": (1, 6, 4, 5)},
        {"w": (6, 2, 3, 3)},
        6 * 4 * 5 * 2 * 9,
    ),
    "an LSTM in both directions": (
        node("LSTM", ["x", "w", "r"], ["y"], hidden_size=5, direction="bidirectional"),
        {"x": (7, 1, 3)},
        {"w": (2, 20, 3), "r": (2, 20, 5)},
        2 * 7 * 20 * (3 + 5),
    ),
    "Einsum of heads": (
        node("Einsum", ["x", "k"], ["y"], equation="bqhd,bkhd->bhqk"),
        {"x": (1, 5, 2, 4), "k": (1, 7, 2, 4)},
        {},
        2 * 5 * 7 * 4,
    ),
    "Einsum with dots": (
        node("Einsum", ["x", "w"], ["y"], equation="...i, ij"),
        {"x": (2, 3, 6)},
        {"w": (6, 4)},
        6 * 6 * 4,
    ),
    "DeformConv": (
        node("DeformConv", ["x", "w", "o"], ["y"]),
        {"x": (1, 3, 6, 6), "o": (1, 18, 4, 4)},
        {"w": (5, 3, 3, 3)},
        5 * 3 * 9 * 16,
    ),
}


@pytest.mark.parametrize("name", COUNTED)
def test_an_operator_that_the_evaluator_lacks_multiplies_as_its_definition_says(
    name: str, save: Save
) -> None:
    own, inputs, weights, expected = COUNTED[name]
    outputs = [made for made in own.output if made]
    assert cw.from_onnx(save([own], inputs, outputs, weights, opset=23)).macs == expected


def test_attention_reads_queries_keys_and_values_of_one_projection(save: Save) -> None:
    own, inputs, weights, _ = COUNTED["Attention"]
    network = cw.from_onnx(save([own], inputs, ["y"], weights))
    qkv, qk, av = network.layers
    assert (qkv.kind, qk.kind, av.kind) == ("fc", "matmul", "matmul")
    assert [shape for _, shape in qkv.outputs] == [(8, 5, 1)] * 3
    assert (qk.groups, qk.channels, qk.depth, qk.positions) == (2, 10, 8, (5, 1))
    assert (av.groups, av.channels, av.depth, av.positions) == (2, 8, 10, (5, 1))
    assert av.inputs == tuple(name for name, _ in qk.outputs)
    read = {*qk.inputs, *qk.operands, *av.operands}
    assert read == {name for name, _ in qkv.outputs}
    assert network.parameters == 8 * 24 + 24


def test_a_residual_is_an_addend_and_a_pooled_tensor_is_made_pooled(save: Save) -> None:
    nodes = [
        node("Conv", ["x", "w1"], ["a"], pads=[1] * 4),
        node("Relu", ["a"], ["b"]),
        node("Conv", ["b", "w2"], ["c"], pads=[1] * 4),
        node("Add", ["c", "b"], ["d"]),
        node("MaxPool", ["d"], ["y"], kernel_shape=[2, 2], strides=[2, 2]),
    ]
    network = cw.from_onnx(
        save(nodes, {"x": (1, 3, 8, 8)}, ["y"], {"w1": (4, 3, 3, 3), "w2": (4, 4, 3, 3)})
    )
    first, second = network.layers
    assert first.outputs == ((first.name, (4, 8, 8)),)
    assert second.addends == (first.name,)
    assert second.outputs == ((second.name, (4, 4, 4)),)


def test_a_weight_that_is_computed_from_constants_is_a_weight(save: Save) -> None:
    nodes = [
        node("Transpose", ["w"], ["t"], perm=[1, 0]),
        node("Mul", ["t", "s"], ["u"]),
        node("MatMul", ["x", "u"], ["y"]),
    ]
    network = cw.from_onnx(save(nodes, {"x": (5, 6)}, ["y"], {"w": (4, 6), "s": (6, 1)}))
    (layer,) = network.layers
    assert (layer.kind, layer.weights) == ("fc", 24)


def test_a_scale_and_a_shift_after_normalisation_fold_into_it(save: Save) -> None:
    nodes = [
        node("Conv", ["x", "w"], ["a"]),
        node("BatchNormalization", ["a", "g", "b", "m", "v"], ["c"]),
        node("Mul", ["c", "s"], ["d"]),
        node("Add", ["d", "t"], ["e"]),
        node("Relu", ["e"], ["f"]),
        node("Mul", ["f", "s"], ["y"]),
    ]
    weights = {"w": (6, 3, 1, 1), "g": 6, "b": 6, "m": 6, "v": np.ones(6, np.float32)}
    shapes: dict[str, Any] = {"s": (6, 1, 1), "t": (6, 1, 1)}
    network = cw.from_onnx(save(nodes, {"x": (1, 3, 4, 4)}, ["y"], {**weights, **shapes}))
    assert network.layers[0].extra_parameters == 2 * 6 + 6


def test_an_embedding_is_a_table_and_enters_from_outside(save: Save) -> None:
    nodes = [
        node("Gather", ["words", "ids"], ["e"]),
        node("Add", ["e", "places"], ["f"]),
        node("MatMul", ["f", "w"], ["y"]),
    ]
    weights = {"words": (100, 8), "places": (5, 8), "w": (8, 4)}
    network = cw.from_onnx(save(nodes, {"ids": (1, 5)}, ["y"], weights, types={"ids": 7}))
    assert dict(network.tables) == {"words": 800, "places": 40}
    assert [shape for _, shape in network.inputs] == [(8, 5, 1)]
