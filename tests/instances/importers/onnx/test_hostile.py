"""Broken, truncated and hostile files end in one clear line, soon and in little memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.helper import make_node as node

import chipweave as cw
from instances.importers.onnx import model_file

Save = Callable[..., Path]

SECONDS, BYTES = 5, 500_000_000
"""What no small file may take."""


def message(path: Path, **given: Any) -> str:
    """The error of a file, after checks that hold for every error."""
    began = monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(cw.FileError) as caught:
            cw.from_onnx(path, **given)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert monotonic() - began < SECONDS
    assert peak < BYTES
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    assert len(text.removeprefix(f"{path}: ")) < 400
    assert text.isprintable()
    return text


X = {"x": (1, 3, 8, 8)}
W: dict[str, Any] = {"w": (4, 3, 3, 3)}
CONV = node("Conv", ["a", "w"], ["y"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"\0", "not an ONNX model"),
        (b"kind: network\n", "not an ONNX model"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not an ONNX model"),
        (np.random.default_rng(0).bytes(1000), "not an ONNX model"),
        (b"\x08\x08", "not an ONNX model: it has no nodes"),
        (b"\x3a" + b"\xff" * 9 + b"\x01", "not an ONNX model"),
    ],
)
def test_a_file_that_is_no_model_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert said in message(path)


def test_every_truncation_of_a_model_is_refused_or_read(save: Save) -> None:
    path = save([node("Relu", ["x"], ["a"]), CONV], X, ["y"], W)
    whole = path.read_bytes()
    expected = cw.from_onnx(path)
    refused = 0
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        try:
            assert cw.from_onnx(path).layers == expected.layers
        except cw.FileError:
            refused += 1
    assert refused > 50


def test_a_directory_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    assert "is a directory" in message(tmp_path)
    assert "no such file" in message(tmp_path / "none.onnx")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate(2**31)
    assert "larger than 2 GB" in message(path)


def nested(depth: int) -> Any:
    """An If inside an If inside ..."""
    name = "x"
    inner = helper.make_graph(
        [node("Identity", [name], ["deep"])],
        "inner",
        [],
        [helper.make_tensor_value_info("deep", TensorProto.FLOAT, None)],
    )
    for level in range(depth):
        made = f"made{level}"
        own = node("If", ["c"], [made], then_branch=inner, else_branch=inner)
        value = helper.make_tensor_value_info(made, TensorProto.FLOAT, None)
        inner = helper.make_graph([own], "outer", [], [value])
    return inner


def layered() -> Any:
    """A branch with a layer."""
    value = helper.make_tensor_value_info("b", TensorProto.FLOAT, None)
    return helper.make_graph([node("Conv", ["x", "w"], ["b"])], "layered", [], [value])


def computed(*nodes: Any, name: str = "a") -> list[Any]:
    """Nodes that make a tensor, and a product that reads it as its data."""
    return [*nodes, node("MatMul", [name, "v"], ["b"]), node("Conv", ["x", "w"], ["y"])]


def big(value: int) -> Any:
    return np.array([value, value], np.int64)


HOSTILE: dict[str, tuple[list[Any], dict[str, Any], dict[str, Any], str]] = {
    "cycle": (
        [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), CONV],
        X,
        W,
        "waits for itself: the graph has a cycle",
    ),
    "own output": ([node("Add", ["x", "a"], ["a"]), CONV], X, W, "waits for itself"),
    "undefined": ([CONV], X, W, "reads tensor 'a', which nothing makes"),
    "misspelt": (
        [node("Relu", ["x"], ["hidden"]), node("Conv", ["hiden", "w"], ["y"])],
        X,
        W,
        "(did you mean 'hidden'?)",
    ),
    "made twice": (
        [node("Relu", ["x"], ["a"]), node("Relu", ["x"], ["a"]), CONV],
        X,
        W,
        "tensor 'a' is made twice",
    ),
    "makes an input": ([node("Relu", ["x"], ["x"]), CONV], X, W, "tensor 'x' is made twice"),
    "no maker of a result": ([node("Relu", ["x"], ["a"])], X, W, "output 'y' is a tensor that"),
    "no layers": ([node("Relu", ["x"], ["y"])], X, W, "no compute layer"),
    "wrong channels": (
        [node("Conv", ["x", "w"], ["y"])],
        {"x": (1, 5, 8, 8)},
        W,
        "found 5 channels of data, but 1 groups of a kernel of 4x3x3x3",
    ),
    "no groups": (
        [node("Conv", ["x", "w"], ["y"], group=0)],
        X,
        W,
        "node 'y' (Conv): found group below 1",
    ),
    "no stride": ([node("Conv", ["x", "w"], ["y"], strides=[0, 0])], X, W, "found strides below 1"),
    "kernel too large": (
        [node("Conv", ["x", "w"], ["y"])],
        {"x": (1, 3, 2, 2)},
        W,
        "its kernel is larger than what it reads",
    ),
    "two axes": ([node("Conv", ["x", "w"], ["y"])], {"x": (1, 3)}, W, "node 'y' (Conv)"),
    "wrong product": (
        [node("MatMul", ["x", "v"], ["y"])],
        {"x": (5, 6)},
        {"v": (7, 4)},
        "node 'y' (MatMul)",
    ),
    "too large a layer": (
        [node("Conv", ["x", "w"], ["y"])],
        {"x": (2**24, 3, 2**10, 2**10)},
        W,
        "layer 'y' is too large: ",
    ),
    "negative size": ([node("Conv", ["x", "w"], ["y"])], {"x": (1, 3, -8, 8)}, W, "not bound"),
    "a loop around a layer": (
        [
            node(
                "Loop",
                ["n", "c", "x"],
                ["a"],
                body=helper.make_graph(
                    [node("Conv", ["i", "w"], ["o"]), node("Identity", ["k"], ["k2"])],
                    "body",
                    [
                        helper.make_tensor_value_info("step", TensorProto.INT64, ()),
                        helper.make_tensor_value_info("k", TensorProto.BOOL, ()),
                        helper.make_tensor_value_info("i", TensorProto.FLOAT, None),
                    ],
                    [
                        helper.make_tensor_value_info("k2", TensorProto.BOOL, ()),
                        helper.make_tensor_value_info("o", TensorProto.FLOAT, None),
                    ],
                ),
            ),
            CONV,
        ],
        X,
        {**W, "n": np.array(2**60), "c": np.array(True)},
        "holds a layer (Conv), which runs as often as the data say",
    ),
    "an undecided branch": (
        [
            node("ReduceMax", ["x"], ["m"], keepdims=0),
            node("Cast", ["m"], ["c"], to=TensorProto.BOOL),
            node("If", ["c"], ["a"], then_branch=layered(), else_branch=layered()),
            CONV,
        ],
        X,
        W,
        "its condition 'c' depends on data",
    ),
    "a long name": (
        [node("Conv", ["x" * 10_000, "w"], ["y"])],
        X,
        W,
        "which nothing makes",
    ),
    "a name with line ends": ([node("Conv", ["x\n\x1b[31m", "w"], ["y"])], X, W, "which nothing"),
    # What folding them would take: gigabytes.
    "ConstantOfShape": (
        computed(node("ConstantOfShape", ["n"], ["a"]), node("Add", ["a", "x"], ["c"]), name="c"),
        X,
        {**W, "n": big(2**40), "v": (2, 2)},
        "found a shape of 1099511627776 x 1099511627776",
    ),
    "Expand": (
        computed(node("Expand", ["one", "n"], ["c"]), node("Mul", ["c", "x"], ["a"])),
        X,
        {**W, "n": big(2**30), "one": (1, 1), "v": (2, 2)},
        "found a shape of 1073741824 x 1073741824",
    ),
    "Tile": (
        computed(node("Tile", ["one", "n"], ["c"]), node("Mul", ["c", "x"], ["a"])),
        X,
        {**W, "n": big(2**30), "one": (1, 1), "v": (2, 2)},
        "found a shape of 1073741824 x 1073741824",
    ),
    "Pad": (
        computed(node("Pad", ["one", "n4"], ["c"]), node("Mul", ["c", "x"], ["a"])),
        X,
        {**W, "n4": np.array([0, 0, 2**40, 2**40]), "one": (1, 1), "v": (2, 2)},
        "found a shape of",
    ),
    "Range": (
        computed(node("Range", ["o", "n0", "i"], ["c"]), node("Mul", ["c", "x"], ["a"])),
        X,
        {**W, "o": np.array(0), "n0": np.array(2**62), "i": np.array(1), "v": (2, 2)},
        "found a shape of 4611686018427387904",
    ),
    "Resize": (
        computed(node("Resize", ["x", "", "s"], ["a"])),
        X,
        {**W, "s": np.array([1, 1, 1e9, 1e9], np.float32), "v": (2, 2)},
        "found a shape of",
    ),
    "sizes that double": (
        [
            node("Concat", ["x", "x"], ["d0"], axis=1),
            *(node("Concat", [f"d{i}", f"d{i}"], [f"d{i + 1}"], axis=1) for i in range(60)),
            node("Conv", ["d60", "w"], ["y"]),
        ],
        X,
        W,
        "found a shape of",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_model_is_refused(name: str, save: Save) -> None:
    nodes, inputs, weights, said = HOSTILE[name]
    assert said in message(save(nodes, inputs, ["y"], weights))


FINE: dict[str, tuple[list[Any], dict[str, Any]]] = {
    # Large constants that nothing needs to know are not computed.
    "a large constant": (
        [node("ConstantOfShape", ["n"], ["a"]), node("Conv", ["x", "w"], ["y"])],
        {"n": big(2**24)},
    ),
    "deep branches": (
        [node("If", ["c"], ["a"], then_branch=nested(12), else_branch=nested(12)), CONV],
        {"c": np.array(True)},
    ),
    "parts that double": (
        [
            node("Concat", ["x", "x"], ["d0"], axis=0),
            *(node("Concat", [f"d{i}", f"d{i}"], [f"d{i + 1}"], axis=0) for i in range(18)),
            node("ReduceMax", ["d18", "zero"], ["a"]),
            CONV,
        ],
        {"zero": np.array([0])},
    ),
    "many nodes": (
        [
            node("Relu", ["x"], ["r0"]),
            *(node("Relu", [f"r{i}"], [f"r{i + 1}"]) for i in range(9000)),
            node("Conv", ["r9000", "w"], ["y"]),
        ],
        {},
    ),
}


@pytest.mark.parametrize("name", FINE)
def test_a_strange_model_is_read_soon(name: str, save: Save) -> None:
    nodes, more = FINE[name]
    path = save(nodes, X, ["y"], {**W, **more})
    began = monotonic()
    assert cw.from_onnx(path).macs == 4 * 27 * 36
    assert monotonic() - began < SECONDS


def test_more_nodes_than_are_read_are_refused(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "MAX_NODES", 10)
    nodes = [node("Relu", ["x"], ["r0"])]
    nodes += [node("Relu", [f"r{i}"], [f"r{i + 1}"]) for i in range(10)]
    assert "found 11 nodes, expected at most 10" in message(save(nodes, X, ["r10"], W))


def function(name: str, *calls: str) -> Any:
    """A function that calls others, one after the other."""
    body = [node("Relu", ["a"], ["t0"])]
    for place, call in enumerate(calls):
        body.append(node(call, [f"t{place}"], [f"t{place + 1}"], domain="custom"))
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("custom", 1)]
    return helper.make_function("custom", name, ["a"], [f"t{len(calls)}"], body, imports)


@pytest.mark.parametrize(
    ("functions", "said"),
    [
        ([function("F", "F")], "function 'F' calls itself"),
        ([function("F", "G"), function("G", "F")], "calls itself"),
        (
            [function("F", *["F1"] * 10)]
            + [function(f"F{i}", *[f"F{i + 1}"] * 10) for i in range(1, 12)]
            + [function("F12")],
            "its functions become more than 25,000 nodes",
        ),
        (
            [function("F", "F1")]
            + [function(f"F{i}", f"F{i + 1}") for i in range(1, 200)]
            + [function("F200")],
            "functions call each other more than 50 deep",
        ),
    ],
)
def test_functions_without_end_are_refused(functions: list[Any], said: str, save: Save) -> None:
    nodes = [node("F", ["x"], ["a"], domain="custom"), CONV]
    assert said in message(save(nodes, X, ["y"], W, functions=functions))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dims": [4, 3, 3, 4]}, "found 432 bytes of data, its shape needs 576"),
        ({"dims": [4, 3, -3, -3]}, "tensor 'w': found a shape"),
        ({"dims": [2**40, 3, 3, 3]}, "bytes of data, its shape needs"),
        ({"dims": [2**62, 2**62]}, "tensor 'w': found a shape"),
        ({"dims": [1] * 10_000}, "found 10000 axes, expected at most 32"),
    ],
)
def test_a_weight_whose_size_is_not_that_of_its_data_is_refused(
    change: dict[str, Any], said: str, save: Save
) -> None:
    import onnx

    path = save([node("Conv", ["x", "w"], ["y"])], X, ["y"], W)
    loaded = onnx.load(path)
    (weight,) = loaded.graph.initializer
    del weight.dims[:]
    weight.dims.extend(change["dims"])
    path.write_bytes(loaded.SerializeToString())
    assert said in message(path)


@pytest.mark.parametrize("opset", [0, -1, 10**6])
def test_an_opset_that_is_not_known_is_refused(opset: int, save: Save) -> None:
    path = save([node("Conv", ["x", "w"], ["y"])], X, ["y"], W, opset=opset)
    assert f"found opset {opset}, expected 1 to" in message(path)
