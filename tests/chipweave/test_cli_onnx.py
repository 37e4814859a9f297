"""ONNX models on the command line and in Python, wherever a network is named."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chipweave as cw

Run = Callable[..., tuple[int, str, str]]

MACS = 8 * 27 * 64 + 16 * 8 * 9 * 64 + 16 * 10
"""Of the model below for 8 x 8 pixels."""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Two convolutions and a product, of images of any size."""
    onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
    helper, draw = onnx.helper, np.random.default_rng(1)
    shapes = {"w1": (8, 3, 3, 3), "w2": (16, 8, 3, 3), "w3": (16, 10)}
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], pads=[1] * 4, name="first"),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w2"], ["c"], pads=[1] * 4, dilations=[1, 1], name="second"),
        helper.make_node("GlobalAveragePool", ["c"], ["d"]),
        helper.make_node("Flatten", ["d"], ["e"]),
        helper.make_node("Gemm", ["e", "w3"], ["y"], name="last"),
    ]
    weights = [
        onnx.numpy_helper.from_array(draw.normal(size=shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    image = helper.make_tensor_value_info("x", 1, ["batch", 3, "rows", "columns"])
    result = helper.make_tensor_value_info("y", 1, ["batch", 10])
    graph = helper.make_graph(nodes, "small", [image], [result], weights)
    path = tmp_path / "small.onnx"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(made.SerializeToString())
    return path


SIZES = ("--dim", "batch=1", "--shape", "x=1,3,8,8")


def test_show_lists_the_layers_of_a_model_and_their_multiply_accumulates(
    run: Run, model: Path
) -> None:
    code, out, err = run("show", model, *SIZES)
    assert (code, err) == (0, "")
    assert "first" in out
    assert "16 x 8" in out
    assert f"{MACS:,} MACs a sample" in out


def test_a_model_is_solved_drawn_and_verified(run: Run, model: Path, tmp_path: Path) -> None:
    schedule, picture = tmp_path / "schedule.yaml", tmp_path / "plot.png"
    found = run("solve", model, *SIZES, "--json", "-", "--out", schedule, "--plot", picture)
    assert found[0] == 0
    result = json.loads(found[1])
    assert result["stop"] == "optimal"
    assert picture.stat().st_size > 1000
    code, out, _ = run("verify", model, schedule, *SIZES)
    assert code == 0
    assert f"{result['objective']:,}" in out


def test_the_commands_that_take_a_network_take_a_model(run: Run, model: Path) -> None:
    assert run("compare", model, *SIZES, "--methods", "scope,sequential")[0] == 0
    assert run("solve", model, *SIZES, "--array", "8x8")[0] == 0
    several = f"{model}?batch=1&rows=8&columns=8:4,alexnet:2"
    code, out, _ = run("solve", "--models", several, "--method", "scar")
    assert code == 0
    assert "small:4" in out


def test_a_model_in_python_is_the_network_that_a_file_of_it_holds(
    model: Path, tmp_path: Path
) -> None:
    network = cw.from_onnx(model, dims={"batch": 1, "rows": 8, "columns": 8})
    assert network.macs == MACS
    cw.write_network(network, tmp_path / "small.yaml")
    assert cw.read_network(tmp_path / "small.yaml") == network
    instance = cw.instance(model, batch=3, shapes={"x": (1, 3, 8, 8)})
    assert (instance.network, instance.batch) == (network, 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "input 'x': its dimension 'batch' is not bound, say how large it is: --dim batch=1"),
        (("--dim", "batch"), "--dim batch: expected NAME=N, such as batch=1"),
        (("--dim", "batch=one"), "--dim batch=one: expected NAME=N"),
        (("--dim", "batch=1,2"), "expected NAME=N"),
        (("--dim", "batch=1", "--dim", "batch=2"), "--dim batch: is given twice"),
        (("--shape", "x=1,3,a,8"), "expected INPUT=D,D,..."),
        (("--shape", "z=1,3,8,8"), "--shape z: the model has no such input, it has 'x'"),
        ((*SIZES, "--batch", 0), "batch 0 is not at least 1"),
        ((*SIZES, "--sequence", 9), "a sequence length is for built-in networks"),
    ],
)
def test_what_is_missing_or_wrong_ends_in_one_line(
    options: tuple[Any, ...], said: str, run: Run, model: Path
) -> None:
    code, out, err = run("show", model, *options)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err


def test_sizes_for_one_model_are_refused_with_several(run: Run) -> None:
    code, _, err = run("solve", "--models", "alexnet:2,resnet18:2", "--dim", "batch=1")
    assert code == 2
    assert "--models model.onnx?batch=1:8" in err


def test_without_onnx_the_line_says_what_to_install(
    run: Run, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    code, _, err = run("show", model, *SIZES)
    assert code == 2
    assert "pip install 'chipweave[onnx]'" in err
    assert err.count("\n") == 1
