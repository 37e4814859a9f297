"""Models that packages ship: known totals, the built-in networks, and runs of ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chipweave as cw
from instances.network import Layer, Network
from instances.networks import build_network

Run = Callable[..., int]


def light(name: str) -> Path:
    """A weightless model that onnx ships with its tests."""
    spec = find_spec("onnx.backend")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(next(iter(spec.submodule_search_locations)))
    return folder / "test" / "data" / "light" / f"light_{name}.onnx"


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("bvlc_alexnet", "654.56"),
        ("zfnet512", "1481.73"),
        ("vgg19", "19632.06"),
        ("squeezenet", "349.15"),
        ("inception_v1", "1431.56"),
        ("shufflenet", "124.66"),
        ("resnet50", "4089.18"),
        ("inception_v2", "2018.85"),
        ("densenet121", "2834.16"),
    ],
)
def test_multiply_accumulates_of_a_known_model(name: str, millions: str) -> None:
    assert f"{cw.from_onnx(light(name)).macs / 1e6:.2f}" == millions


@pytest.mark.parametrize("name", ["resnet50", "vgg19", "densenet121"])
def test_a_model_equals_the_built_in_network_layer_for_layer(name: str) -> None:
    found, expected = cw.from_onnx(light(name)), build_network(name)
    for one, other in zip(nameless(found), nameless(expected), strict=True):
        assert one == other
    assert found.parameters == expected.parameters
    assert found.edges == expected.edges
    assert found.tables == expected.tables


def nameless(network: Network) -> list[Layer]:
    """The layers, with names that only say who makes what; results as a last layer's inputs."""
    names = {name: f"input {place}" for place, (name, _) in enumerate(network.inputs)}
    for index, layer in enumerate(network.layers):
        names |= {name: f"{index}.{place}" for place, (name, _) in enumerate(layer.outputs)}

    def renamed(given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(names[name] for name in given)

    layers = [
        replace(
            layer,
            name=str(index),
            inputs=renamed(layer.inputs),
            operands=renamed(layer.operands),
            addends=renamed(layer.addends),
            outputs=tuple((names[name], shape) for name, shape in layer.outputs),
        )
        for index, layer in enumerate(network.layers)
    ]
    ends = replace(layers[-1], name="results", inputs=renamed(network.results))
    return [*layers, ends]


def shipped(package: str, path: str) -> Path:
    """A model inside a package of the extra `models`."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{package} is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / path


REAL: dict[str, tuple[str, str, dict[str, tuple[int, ...]]]] = {
    "file types": ("magika", "models/standard_v3_3/model.onnx", {"bytes": (1, 2048)}),
    "angles": (
        "rapidocr",
        "models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
        {"x": (1, 3, 48, 192)},
    ),
    "places of text": ("rapidocr", "models/PP-OCRv6_det_small.onnx", {"x": (1, 3, 160, 96)}),
    "text": ("rapidocr", "models/PP-OCRv6_rec_small.onnx", {"x": (1, 3, 48, 160)}),
}


@pytest.mark.parametrize("name", REAL)
def test_a_real_model_multiplies_as_often_as_when_it_runs(name: str, macs_of_session: Run) -> None:
    package, path, shapes = REAL[name]
    file = shipped(package, path)
    inputs: dict[str, Any] = {
        own: np.zeros(shape, np.int32 if own == "bytes" else np.float32)
        for own, shape in shapes.items()
    }
    assert cw.from_onnx(file, shapes=shapes).macs == macs_of_session(file, inputs) > 0
