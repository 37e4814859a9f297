"""How sizes are found: bound dimensions, arithmetic on shapes, branches, functions."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.helper import make_node as node

import chipweave as cw

Save = Callable[..., Path]
Run = Callable[..., int]

CONV = [node("Conv", ["x", "w"], ["y"])]
WEIGHTS = {"w": (4, 3, 3, 3)}


def open_conv(save: Save) -> Path:
    return save(CONV, {"x": ["batch", 3, "rows", "rows"]}, ["y"], WEIGHTS)


@pytest.mark.parametrize(
    "given",
    [
        {"dims": {"batch": 1, "rows": 8}},
        {"shapes": {"x": (1, 3, 8, 8)}},
        {"dims": {"batch": 1}, "shapes": {"x": (1, 3, 8, 8)}},
    ],
)
def test_a_dimension_is_bound_by_its_name_or_with_the_whole_shape(
    given: dict[str, Any], save: Save
) -> None:
    assert cw.from_onnx(open_conv(save), **given).macs == 4 * 27 * 36


def test_a_size_of_one_input_holds_for_the_dimension_in_other_inputs(save: Save) -> None:
    nodes = [node("Add", ["x", "z"], ["a"]), node("MatMul", ["a", "w"], ["y"])]
    path = save(nodes, {"x": ["n", 6], "z": ["n", 6]}, ["y"], {"w": (6, 4)})
    assert cw.from_onnx(path, shapes={"x": (5, 6)}).macs == 5 * 6 * 4


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "input 'x': its dimension 'batch' is not bound, say how large it is: --dim batch=1"),
        ({"dims": {"batch": 1}}, "'rows' is not bound, give its shape: --shape x=1,3,N,N"),
        ({"dims": {"bach": 1}}, "no dimension of this name, it has 'batch', 'rows' (did you mean"),
        ({"dims": {"batch": 0}}, "--dim batch=0: expected a size from 1"),
        ({"dims": {"batch": 2**40}}, "expected a size from 1"),
        ({"shapes": {"z": (1,)}}, "--shape z: the model has no such input, it has 'x'"),
        ({"shapes": {"x": (1, 3)}}, "--shape x: found 2 sizes, expected 4, as in x=1,3,N,N"),
        ({"shapes": {"x": (1, 4, 8, 8)}}, "--shape x: axis 1 is 3 in the file, not 4"),
        ({"shapes": {"x": (1, 3, -8, 8)}}, "--shape x: found -8, expected sizes from 0"),
        ({"shapes": {"x": (1, 3, 2, 2)}}, "node 'y' (Conv)"),
    ],
)
def test_what_is_not_bound_or_bound_wrongly_is_named(
    given: dict[str, Any], said: str, save: Save
) -> None:
    path = open_conv(save)
    with pytest.raises(cw.FileError) as caught:
        cw.from_onnx(path, **given)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    assert said in text


def test_a_shape_that_is_computed_from_another_is_known(save: Save, macs_of_run: Run) -> None:
    nodes = [
        node("Conv", ["x", "w"], ["a"]),
        node("Shape", ["a"], ["s"]),
        node("Gather", ["s", "zero"], ["n"]),
        node("Slice", ["s", "two", "four"], ["hw"]),
        node("ReduceProd", ["hw", "zero1"], ["pixels"], keepdims=1),
        node("Unsqueeze", ["n", "zero1"], ["n1"]),
        node("Cast", ["pixels"], ["real"], to=TensorProto.FLOAT),
        node("Div", ["real", "half"], ["twice"]),
        node("Cast", ["twice"], ["whole"], to=TensorProto.INT64),
        node("Concat", ["n1", "whole", "minus"], ["t"], axis=0),
        node("Reshape", ["a", "t"], ["b"]),
        node("Shape", ["b"], ["s2"]),
        node("ConstantOfShape", ["last"], ["ones"]),
        node("Gather", ["s2", "two0"], ["inner"]),
        node("Range", ["zero", "inner", "one"], ["places"]),
        node("Cast", ["places"], ["p"], to=TensorProto.FLOAT),
        node("Mul", ["b", "p"], ["c"]),
        node("MatMul", ["c", "v"], ["y"]),
    ]
    whole: dict[str, Any] = {
        "zero": np.array(0),
        "one": np.array(1),
        "zero1": np.array([0]),
        "two": np.array([2]),
        "two0": np.array(2),
        "four": np.array([4]),
        "minus": np.array([-1]),
        "last": np.array([3]),
        "half": np.array([0.5], np.float32),
    }
    # 4 channels of 6 x 6: rows of 72, so 2 features.
    weights = {**WEIGHTS, **whole, "v": (2, 5)}
    path = save(nodes, {"x": ["batch", 3, "h", "h"]}, ["y"], weights)
    inputs = {"x": (1, 3, 8, 8)}
    expected = macs_of_run(path, inputs)
    assert (
        cw.from_onnx(path, dims={"batch": 1, "h": 8}).macs == expected == 4 * 27 * 36 + 72 * 2 * 5
    )


def branch(name: str, nodes: list[Any], output: str) -> Any:
    made = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
    return helper.make_graph(nodes, name, [], [made])


def chosen(condition: str) -> Any:
    """Two convolutions, of which one is wider; both branches use the same names inside."""
    wide = branch("wide", [node("Conv", ["x", "w"], ["a"]), node("Relu", ["a"], ["b"])], "b")
    thin = branch("thin", [node("Conv", ["x", "v"], ["a"]), node("Relu", ["a"], ["b"])], "b")
    return node("If", [condition], ["y"], then_branch=wide, else_branch=thin)


@pytest.mark.parametrize("size", [8, 9])
def test_the_branch_that_a_shape_decides_on_is_taken(
    size: int, save: Save, macs_of_run: Run
) -> None:
    nodes = [
        node("Shape", ["x"], ["s"], start=2, end=3),
        node("Equal", ["s", "eight"], ["is"]),
        node("Squeeze", ["is"], ["is0"]),
        chosen("is0"),
        node("Relu", ["y"], ["z"]),
    ]
    weights = {**WEIGHTS, "v": (2, 3, 1, 1), "eight": np.array([8])}
    path = save(nodes, {"x": [1, 3, "h", "h"]}, ["z"], weights)
    network = cw.from_onnx(path, shapes={"x": (1, 3, size, size)})
    assert len(network.layers) == 1
    assert network.macs == macs_of_run(path, {"x": (1, 3, size, size)})
    assert network.layers[0].channels == (4 if size == 8 else 2)


@pytest.mark.parametrize("rate", [16000, 8000])
def test_the_value_of_an_input_decides_on_a_branch(rate: int, save: Save, macs_of_run: Run) -> None:
    nodes = [node("Equal", ["rate", "high"], ["is"]), chosen("is")]
    weights = {**WEIGHTS, "v": (2, 3, 1, 1), "high": np.array(16000)}
    path = save(nodes, {"x": (1, 3, 8, 8), "rate": ()}, ["y"], weights, types={"rate": 7})
    expected = macs_of_run(path, {"x": (1, 3, 8, 8), "rate": np.array(rate)})
    assert cw.from_onnx(path, dims={"rate": rate}).macs == expected
    with pytest.raises(cw.FileError, match="give the value of input 'rate', --dim rate=N"):
        cw.from_onnx(path)


def test_a_function_of_the_model_is_put_in_place_of_its_calls(save: Save, macs_of_run: Run) -> None:
    body = [node("MatMul", ["a", "b"], ["m"]), node("Relu", ["m"], ["c"])]
    imports = [helper.make_opsetid("", 21)]
    function = helper.make_function("custom", "Dense", ["a", "b"], ["c"], body, imports)
    nodes = [
        node("Dense", ["x", "w"], ["h"], domain="custom"),
        node("Dense", ["h", "v"], ["y"], domain="custom"),
    ]
    weights = {"w": (6, 4), "v": (4, 3)}
    path = save(nodes, {"x": (5, 6)}, ["y"], weights, functions=[function])
    network = cw.from_onnx(path)
    assert len(network.layers) == 2
    assert network.macs == 5 * (6 * 4 + 4 * 3)


def test_initializers_of_an_old_file_that_are_no_inputs_count(tmp_path: Path, save: Save) -> None:
    import onnx

    nodes = [node("Reshape", ["x", "s"], ["a"]), node("MatMul", ["a", "w"], ["y"])]
    path = save(nodes, {"x": (2, 12)}, ["y"], {"s": np.array([-1, 6]), "w": (6, 4)}, opset=9)
    old = onnx.load(path)
    old.ir_version = 3
    path.write_bytes(old.SerializeToString())
    assert cw.from_onnx(path).macs == 4 * 6 * 4


def test_weights_in_a_file_beside_the_model_are_not_needed(tmp_path: Path, save: Save) -> None:
    import onnx

    path = save(CONV, {"x": (1, 3, 8, 8)}, ["y"], WEIGHTS)
    loaded = onnx.load(path)
    expected = cw.from_onnx(path)
    (weight,) = loaded.graph.initializer
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../../etc/passwd")
    path.write_bytes(loaded.SerializeToString())
    assert cw.from_onnx(path) == expected


def test_an_operator_of_another_domain_passes_its_shape_on_with_a_warning(
    save: Save, caplog: pytest.LogCaptureFixture
) -> None:
    nodes = [
        node("Conv", ["x", "w"], ["a"]),
        node("Swish", ["a"], ["b"], domain="custom"),
        node("Conv", ["b", "v"], ["y"]),
    ]
    path = save(nodes, {"x": (1, 3, 8, 8)}, ["y"], {**WEIGHTS, "v": (2, 4, 1, 1)})
    with caplog.at_level(logging.WARNING, "chipweave"):
        network = cw.from_onnx(path)
    assert network.macs == 4 * 27 * 36 + 2 * 4 * 36
    assert "operators custom.Swish are taken to keep the shape" in caplog.text


def test_a_layer_whose_size_depends_on_data_is_refused(save: Save) -> None:
    nodes = [
        node("NonZero", ["x"], ["places"]),
        node("Cast", ["places"], ["p"], to=TensorProto.FLOAT),
        node("MatMul", ["w", "p"], ["y"]),
    ]
    path = save(nodes, {"x": (2, 12)}, ["y"], {"w": (3, 2)})
    with pytest.raises(
        cw.FileError, match=r"node 'y' \(MatMul\): the shape of 'p' depends on data"
    ):
        cw.from_onnx(path)


def test_nodes_that_are_out_of_order_are_sorted(save: Save) -> None:
    nodes = [node("MatMul", ["a", "w"], ["y"]), node("Relu", ["x"], ["a"])]
    assert cw.from_onnx(save(nodes, {"x": (5, 6)}, ["y"], {"w": (6, 4)})).macs == 120


def test_a_normalisation_that_onnx_takes_apart_keeps_the_shape(save: Save) -> None:
    nodes = [
        node("Conv", ["x", "w"], ["a"]),
        node("GroupNormalization", ["a", "g", "b"], ["n"], num_groups=2),
        node("Conv", ["n", "v"], ["y"]),
    ]
    weights = {**WEIGHTS, "g": 4, "b": 4, "v": (2, 4, 1, 1)}
    network = cw.from_onnx(save(nodes, {"x": (1, 3, 8, 8)}, ["y"], weights))
    assert network.macs == 4 * 27 * 36 + 2 * 4 * 36
    assert network.layers[0].extra_parameters == 8


def test_a_weight_that_two_layers_share_counts_once(save: Save) -> None:
    nodes = [
        node("Gather", ["words", "ids"], ["e"]),
        node("Transpose", ["words"], ["t"], perm=[1, 0]),
        node("MatMul", ["e", "t"], ["y"]),
    ]
    network = cw.from_onnx(
        save(nodes, {"ids": (1, 5)}, ["y"], {"words": (100, 8)}, types={"ids": 7})
    )
    assert network.macs == 5 * 8 * 100
    assert network.parameters == 800


@pytest.mark.parametrize("declared", [True, False])
def test_a_loop_without_layers_is_fused_and_makes_what_the_file_declares(
    declared: bool, save: Save
) -> None:
    import onnx

    body = helper.make_graph(
        [
            node("Identity", ["go"], ["on"]),
            node("Add", ["v", "x"], ["sum"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("step", TensorProto.INT64, ()),
            helper.make_tensor_value_info("go", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, None),
        ],
    )
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node("Loop", ["times", "", "c"], ["d"], body=body),
        node("Conv", ["d", "u"], ["y"]),
    ]
    weights = {"w": (3, 3, 1, 1), "u": (2, 3, 1, 1), "times": np.array(3)}
    path = save(nodes, {"x": ("n", 3, 8, 8)}, ["y"], weights)
    if declared:
        loaded = onnx.load(path)
        loaded.graph.value_info.append(
            helper.make_tensor_value_info("d", TensorProto.FLOAT, ("n", 3, 8, 8))
        )
        path.write_bytes(loaded.SerializeToString())
        network = cw.from_onnx(path, dims={"n": 1})
        assert network.macs == 64 * 9 + 64 * 6
        assert network.edges == ((0, 1),)
    else:
        with pytest.raises(cw.FileError, match="the shape of 'd' depends on data"):
            cw.from_onnx(path, dims={"n": 1})


def test_a_branch_without_layers_that_depends_on_data_is_fused(save: Save) -> None:
    value = helper.make_tensor_value_info("b", TensorProto.FLOAT, None)
    same, twice = (
        helper.make_graph([node(kind, read, ["b"])], kind, [], [value])
        for kind, read in (("Identity", ["c"]), ("Add", ["c", "c"]))
    )
    nodes = [
        node("MatMul", ["x", "w"], ["c"]),
        node("ReduceMax", ["x"], ["m"], keepdims=0),
        node("Cast", ["m"], ["is"], to=TensorProto.BOOL),
        node("If", ["is"], ["y"], then_branch=same, else_branch=twice),
    ]
    assert cw.from_onnx(save(nodes, {"x": (5, 6)}, ["y"], {"w": (6, 4)})).macs == 120
