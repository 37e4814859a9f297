"""`calibrate` at its edges: empty outputs, dead tensors, numbers whose squares are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chipweave as cw
from experiments.calibrate.autoencoder import Moments
from experiments.calibrate.measures import Change, check_measure, default_measure
from experiments.calibrate.samples import Samples
from instances.files import FileError

Model = Callable[..., Path]

DRAW = np.random.default_rng(2)
X = DRAW.normal(size=(8, 4))


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """Write a model of two products, in 64 bits: x [N, 4] -> f [N, 6] -> y [N, 3]."""
    pytest.importorskip("onnxruntime", reason="the extra calibrate is not installed")
    onnx = pytest.importorskip("onnx", reason="the extra calibrate is not installed")
    helper, kind = onnx.helper, onnx.TensorProto.DOUBLE
    draw = np.random.default_rng(0)
    weights = {"a": draw.normal(size=(4, 6)), "b": draw.normal(size=(6, 3))}

    def write(change: Callable[[Any], None] | None = None) -> Path:
        graph = helper.make_graph(
            [
                helper.make_node("MatMul", ["x", "a"], ["f"]),
                helper.make_node("MatMul", ["f", "b"], ["y"]),
            ],
            "products",
            [helper.make_tensor_value_info("x", kind, ["N", 4])],
            [helper.make_tensor_value_info("y", kind, ["N", 3])],
            [onnx.numpy_helper.from_array(own, name) for name, own in weights.items()],
        )
        if change is not None:
            change(graph)
        opset = helper.make_opsetid("", 13)
        made = helper.make_model(graph, opset_imports=[opset], ir_version=8)
        path = tmp_path / "model.onnx"
        path.write_bytes(made.SerializeToString())
        return path

    return write


def samples(folder: Path, x: np.ndarray[Any, Any]) -> Path:
    np.savez(folder / "x.npz", x=x)
    return folder / "x.npz"


# Numbers whose squares are none


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1e160, 1e307])
def test_losses_do_not_depend_on_the_size_of_the_numbers(
    model: Model, tmp_path: Path, scale: float
) -> None:
    path = model()
    usual, other = (
        cw.calibrate(path, samples(tmp_path, X * by), ratios=[2, 3]).rows for by in (1.0, scale)
    )
    assert [row.loss for row in other] == pytest.approx([row.loss for row in usual], rel=1e-9)
    assert [row.error for row in other] == pytest.approx([row.error for row in usual], rel=1e-9)
    assert usual[-1].loss > 0.1


def test_an_empty_or_dead_part_leaves_the_fit_as_it_is() -> None:
    plain, mixed = Moments(), Moments()
    plain.add(1e200 * X)
    for part in (np.zeros((0, 4)), 1e200 * X):
        mixed.add(part)
    assert (mixed.fit().encoder == plain.fit().encoder).all()
    dead_first, dead_last = Moments(), Moments()
    for part in (np.zeros((3, 4)), 1e-200 * X):
        dead_first.add(part)
    for part in (1e-200 * X, np.zeros((3, 4))):
        dead_last.add(part)
    one, other = dead_first.fit(), dead_last.fit()
    assert np.abs(one.encoder.T @ other.encoder) == pytest.approx(np.eye(4), abs=1e-6)
    assert 1e200 * one.mean == pytest.approx(1e200 * other.mean)


def test_parts_too_far_apart_for_64_bits_are_refused() -> None:
    moments = Moments()
    moments.add(1e-200 * X)
    moments.add(1e200 * X)
    with pytest.raises(ValueError, match="infinite, no numbers, or too far apart"):
        moments.fit()


def test_a_change_beyond_all_numbers_is_refused() -> None:
    change = Change("relative")
    with pytest.raises(ValueError, match="too large for a number of 64 bits"):
        change.add([np.array([1.7e308])], [np.array([-1.7e308])])


# Dead tensors


def test_a_tensor_that_is_always_zero_loses_nothing(model: Model, tmp_path: Path) -> None:
    def dead(graph: Any) -> None:
        """The tensor f becomes h, f is 0; h is an output, so that not all of them are 0."""
        last = type(graph.node[1]).FromString(graph.node[1].SerializeToString())
        del graph.node[1]
        graph.node[0].output[0] = "h"
        graph.node.add(op_type="Sub", input=["h", "h"], output=["f"])
        graph.node.append(last)
        graph.output.add(name="h")

    rows = cw.calibrate(model(dead), samples(tmp_path, X), ratios=[2], tensors=["f"]).rows
    assert [(row.error, row.loss) for row in rows] == [(0, 0), (0, 0)]


def test_a_tensor_that_is_zero_only_where_it_is_measured_is_told(
    model: Model, tmp_path: Path
) -> None:
    def shown(graph: Any) -> None:
        """The input plus one is an output, too, so that outputs are never all 0."""
        graph.node.add(op_type="Cos", input=["x"], output=["cosine"])
        graph.output.add(name="cosine")

    _, measured = Samples({}, len(X), 16).halves(0)
    x = X + 5
    x[measured] = 0
    with pytest.raises(FileError, match=r"tensor 'f': it is 0 wherever it is measured, but not"):
        cw.calibrate(model(shown), samples(tmp_path, x), ratios=[6], tensors=["f"])


def test_nothing_but_zeros_before_and_after_is_no_change() -> None:
    change = Change("relative")
    change.add([np.zeros((2, 3))], [np.zeros((2, 3))])
    assert change.value() == 0
    change.add([np.zeros((2, 3))], [np.ones((2, 3))])
    with pytest.raises(ValueError, match="no relative error"):
        change.value()


# Empty outputs, no inputs


@pytest.mark.parametrize("shape", [(0, 5), (2, 0), (2, 3, 0, 5)])
def test_an_empty_first_output_is_no_probabilities(shape: tuple[int, ...]) -> None:
    empty: np.ndarray[Any, Any] = np.zeros(shape, dtype=np.float32)
    outputs = [[empty, np.ones((2, 2))]]
    assert default_measure(outputs) == "relative"
    check_measure("relative", outputs)
    with pytest.raises(ValueError, match="the first output"):
        check_measure("top1", outputs)


def test_a_model_without_inputs_or_outputs_is_told(model: Model, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra calibrate is not installed")

    def no_inputs(graph: Any) -> None:
        del graph.input[:]
        graph.initializer.append(onnx.numpy_helper.from_array(X, "x"))

    def no_outputs(graph: Any) -> None:
        del graph.output[:]

    for change, what in ((no_inputs, "inputs"), (no_outputs, "outputs")):
        with pytest.raises(FileError, match=rf"model\.onnx: the model has no {what}, expected"):
            cw.calibrate(model(change), samples(tmp_path, X))
