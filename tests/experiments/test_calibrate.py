"""`calibrate` on small models whose losses can be foreseen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chipweave as cw
from experiments.calibrate.autoencoder import Autoencoder, Moments, by_channel, code_length
from experiments.calibrate.bench import Bench
from experiments.calibrate.cuts import find_cuts
from experiments.calibrate.measures import Change, default_measure
from experiments.calibrate.model import Layout, Session, read_model, with_autoencoder, with_outputs
from experiments.calibrate.samples import Samples

MakeOnnx = Callable[..., bytes]

SHAPES = {"picture": (4, 5, 5), "series": (4, 7), "tokens": (7, 4)}
AXES = {"picture": 1, "series": 1, "tokens": -1}

Files = Callable[..., tuple[Path, Path]]


@pytest.fixture
def files(make_onnx: MakeOnnx, tmp_path: Path) -> Files:
    """Write a small model and samples for it."""

    def write(kind: str = "picture", count: int = 12, **changes: Any) -> tuple[Path, Path]:
        model, samples = tmp_path / "model.onnx", tmp_path / "samples.npz"
        model.write_bytes(make_onnx(kind, **changes))
        draw = np.random.default_rng(1)
        np.savez(samples, x=draw.normal(size=(count, *SHAPES[kind])).astype(np.float32))
        return model, samples

    return write


def fitted(rows: np.ndarray[Any, Any]) -> Autoencoder:
    moments = Moments()
    for part in np.array_split(rows, 3):
        moments.add(part)
    return moments.fit()


# The autoencoder


@given(st.integers(0, 10**6), st.integers(2, 8), st.integers(1, 7), st.floats(-1e3, 1e3))
def test_no_other_linear_autoencoder_has_a_smaller_error_on_what_it_was_fitted_to(
    seed: int, channels: int, code: int, shift: float
) -> None:
    draw = np.random.default_rng(seed)
    code = min(code, channels)
    rows = draw.normal(size=(40, channels)) @ draw.normal(size=(channels, channels)) + shift
    best = fitted(rows).cut(code)
    error = np.square(best(rows) - rows).sum()
    centred = rows - rows.mean(axis=0)
    tail = np.linalg.svd(centred, compute_uv=False)[code:]
    assert error == pytest.approx(np.square(tail).sum(), rel=1e-6, abs=1e-6)
    encoder = draw.normal(size=(channels, code))
    decoder = np.linalg.lstsq(centred @ encoder, centred, rcond=None)[0]
    others = (centred @ encoder @ decoder, Autoencoder(rows.mean(axis=0) + 1, best.encoder)(rows))
    assert error <= np.square(others[0] - centred).sum() + 1e-6
    assert error <= np.square(others[1] - rows).sum() + 1e-6


@given(st.integers(0, 10**6), st.integers(2, 8))
def test_a_longer_code_never_has_a_larger_error_on_other_samples(seed: int, channels: int) -> None:
    draw = np.random.default_rng(seed)
    autoencoder = fitted(draw.normal(size=(20, channels)))
    others = 3 + 2 * draw.normal(size=(20, channels))
    errors = [
        np.square(autoencoder.cut(code)(others) - others).sum() for code in range(1, channels + 1)
    ]
    assert all(after <= before + 1e-9 for before, after in pairwise(errors))
    assert errors[-1] == pytest.approx(0, abs=1e-9)


def test_a_large_mean_costs_no_digits() -> None:
    draw = np.random.default_rng(0)
    rows = 1e6 + draw.normal(size=(300, 2)) @ draw.normal(size=(2, 5))
    assert np.abs(fitted(rows).cut(2)(rows) - rows).max() < 1e-6


def test_a_code_is_rounded_up_and_never_empty() -> None:
    assert [code_length(10, ratio) for ratio in (1, 2, 3, 4, 10, 16)] == [10, 5, 4, 3, 1, 1]


def test_rows_are_positions_and_columns_channels() -> None:
    tensor = np.arange(24).reshape(2, 3, 4)
    assert by_channel(tensor, 1).tolist()[1] == [1, 5, 9]
    assert by_channel(tensor, -1).tolist()[1] == [4, 5, 6, 7]


# What is cut


@pytest.mark.parametrize("kind", SHAPES)
def test_what_goes_between_compute_nodes_is_cut_and_nothing_else(files: Files, kind: str) -> None:
    cuts = find_cuts(read_model(files(kind)[0]).graph)
    assert [cut.tensor for cut in cuts] == ["features", "pooled"]
    assert [cut.axis for cut in cuts] == [AXES[kind], -1]


def test_products_of_activations_and_inputs_of_the_model_are_left_whole() -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    node = onnx.helper.make_node
    graph = onnx.helper.make_graph(
        [
            node("Constant", [], ["raw"], value_floats=[1.0]),
            node("Reshape", ["raw", "shape"], ["w"]),
            node("MatMul", ["x", "w"], ["q"]),
            node("Transpose", ["q"], ["k"]),
            node("MatMul", ["q", "k"], ["scores"]),
            node("Shape", ["scores"], ["size"]),
            node("MatMul", ["size", "w"], ["sized"]),
            node("Gemm", ["scores", "w"], ["summed"], transA=1),
            node("LSTM", ["scores", "w", "w"], ["sequence"]),
            node("Conv", ["sequence", "w"], ["y"], domain="of.my.own"),
            node("Conv", ["sequence", "w"], ["y"]),
        ],
        "attention",
        [],
        [],
        [onnx.numpy_helper.from_array(np.ones(2, dtype=np.int64), "shape")],
    )
    found = [(cut.tensor, cut.operator, cut.axis) for cut in find_cuts(graph)]
    assert found == [("scores", "LSTM", -1), ("sequence", "Conv", 1)]


# The model with an autoencoder in it


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("code", [1, 4])
def test_the_nodes_that_are_inserted_do_what_numpy_does(files: Files, kind: str, code: int) -> None:
    path, samples = files(kind)
    model = read_model(path)
    draw = np.random.default_rng(5)
    axis = AXES[kind]
    coder = Autoencoder(draw.normal(size=6), np.linalg.qr(draw.normal(size=(6, code)))[0])
    layout = Layout(axis, len(SHAPES[kind]) + 1, 6, np.dtype(np.float32))
    changed, sent = with_autoencoder(model, "features", layout, coder)
    session = Session(changed, str(path))
    plain = Session(model, str(path))
    before, sends, arrives = session.run(dict(np.load(samples)), ["y", sent, "features"])
    rows = by_channel(sends, axis)
    assert by_channel(arrives, axis) == pytest.approx(coder(rows), rel=1e-4, abs=1e-4)
    assert np.abs(before - plain.run(dict(np.load(samples)))[0]).max() > 1e-3
    kinds = [node.op_type for node in changed.graph.node if node.op_type != "Constant"]
    operator = "MatMul" if kind == "tokens" else "Conv"
    assert kinds[1:5] == ["Sub", operator, operator, "Add"]
    assert len(model.graph.node) < len(changed.graph.node)


def test_a_tensor_that_is_an_output_too_arrives_compressed_there(files: Files) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra calibrate is not installed")
    path, samples = files("tokens")
    model = read_model(path)
    model.graph.output.append(onnx.ValueInfoProto(name="features"))
    path.write_bytes(model.SerializeToString())
    found = cw.calibrate(path, samples, ratios=[6], tensors=["features"], measure="relative")
    alone = cw.calibrate(*files("tokens"), ratios=[6], tensors=["features"], measure="relative")
    assert found.rows[1].error == pytest.approx(alone.rows[1].error)
    assert found.answers > alone.answers
    assert 0 < found.rows[1].loss != alone.rows[1].loss


def test_every_reader_gets_what_arrives_and_names_in_use_are_left_alone(files: Files) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra calibrate is not installed")
    path, samples = files("tokens")
    model = read_model(path)
    nodes = [
        onnx.helper.make_node("Identity", ["features"], ["features/sent"]),
        onnx.helper.make_node("ReduceSum", ["features/sent"], ["features/mean"], keepdims=0),
    ]
    model.graph.node.extend(nodes)
    model.graph.output.extend(
        onnx.ValueInfoProto(name=f"features/{end}") for end in ("sent", "mean")
    )
    nothing = Autoencoder(np.zeros(6), np.zeros((6, 1)))
    layout = Layout(-1, 3, 6, np.dtype(np.float32))
    changed, sent = with_autoencoder(model, "features", layout, nothing)
    found = Session(changed, str(path)).run(
        dict(np.load(samples)), [sent, "features", "features/sent", "features/mean"]
    )
    assert sent not in ("features", "features/sent")
    assert [bool(array.any()) for array in found] == [True, False, False, False]


# Losses


@pytest.mark.parametrize("kind", SHAPES)
def test_ratios_within_the_rank_cost_nothing_and_those_beyond_do(files: Files, kind: str) -> None:
    found = cw.calibrate(*files(kind), ratios=[6, 3, 2], measure="relative")
    errors = {row.ratio: row.error for row in found.rows if row.tensor == "features"}
    losses = found.table.losses["features"]
    assert list(errors) == list(losses) == [1, 2, 3, 6]
    assert errors[1] == losses[1] == 0
    assert max(errors[2], errors[3], losses[2], losses[3]) < 1e-5
    assert min(errors[6], losses[6]) > 1e-3


def test_the_rows_say_what_was_done(files: Files) -> None:
    path, samples = files(count=13)
    found = cw.calibrate(path, samples, ratios=[4], tensors=["pooled"], seed=3)
    assert [(row.tensor, row.operator, row.ratio) for row in found.rows] == [
        ("pooled", "Gemm", 1),
        ("pooled", "Gemm", 4),
    ]
    assert [(row.channels, row.code) for row in found.rows] == [(3, 3), (3, 1)]
    assert (found.measure, found.asked, found.seed) == ("top1", False, 3)
    assert (found.fitted, found.samples, found.answers) == (6, 7, 7)
    assert found.rows[1].measured in {share / 7 for share in range(8)}


def test_every_ratio_has_a_loss_no_less_than_that_of_the_ratio_before(files: Files) -> None:
    class Wiggling(Bench):
        def compressed(self, *arguments: Any) -> tuple[float, float]:
            return 0.1, {5: 0.2, 4: 0.1, 3: 0.3}[arguments[-1].encoder.shape[1]]

    bench = Wiggling(None, "", None, None, None, None, None, "top1")  # type: ignore[arg-type]
    coder = Autoencoder(np.zeros(10), np.eye(10))
    layout = Layout(1, 4, 10, np.dtype(np.float32))
    (cut,) = [own for own in find_cuts(read_model(files()[0]).graph) if own.tensor == "features"]
    rows = list(bench.rows(cut, layout, coder, [1, 2, 3, 4]))
    assert [row.measured for row in rows] == [0, 0.2, 0.1, 0.3]
    assert [row.loss for row in rows] == [0, 0.2, 0.2, 0.3]


def test_what_a_calibration_writes_is_a_table_of_losses(files: Files, tmp_path: Path) -> None:
    found = cw.calibrate(*files(), ratios=[2, 6])
    found.write(tmp_path / "losses.csv")
    assert cw.read_losses(tmp_path / "losses.csv") == found.table


def test_the_same_seed_gives_the_same_losses_and_another_one_other_halves(files: Files) -> None:
    runs = [cw.calibrate(*files(), measure="relative", seed=seed, workers=1) for seed in (0, 0, 1)]
    assert runs[0] == runs[1]
    assert runs[0].rows != runs[2].rows


def test_a_model_that_takes_a_fixed_number_of_samples_gets_it(files: Files) -> None:
    free, fixed = (
        cw.calibrate(*files(samples=samples), ratios=[6], measure="relative")
        for samples in ("N", 3)
    )
    for one, other in zip(free.rows, fixed.rows, strict=True):
        assert one.error == pytest.approx(other.error, abs=1e-5)
        assert one.loss == pytest.approx(other.loss, abs=1e-5)


# Halves


@given(st.integers(2, 50), st.integers(0, 1000))
def test_the_halves_have_all_samples_and_none_twice(count: int, seed: int) -> None:
    fit, measured = Samples({}, count, 16).halves(seed)
    assert sorted([*fit, *measured]) == list(range(count))
    assert len(measured) - len(fit) in (0, 1)


def test_nothing_of_what_is_measured_on_goes_into_the_fit(files: Files) -> None:
    path, samples = files("tokens", count=20)
    model, x = read_model(path), np.load(samples)["x"]
    fit, measured = Samples({"x": x}, 20, 16).halves(0)
    x[fit, :, 1:] = 0  # one half knows one direction, the other one all
    np.savez(samples, x=x)
    session = Session(with_outputs(model, ["features"]), str(path))
    rows = {
        name: by_channel(session.run({"x": x[half]}, ["features"])[0], -1)
        for name, half in (("fit", fit), ("measured", measured), ("all", np.arange(20)))
    }
    crossing = {name: fitted(rows[name]).cut(1)(rows["measured"]) for name in rows}
    errors = {
        name: np.linalg.norm(arrives - rows["measured"]) / np.linalg.norm(rows["measured"])
        for name, arrives in crossing.items()
    }
    found = cw.calibrate(path, samples, ratios=[6], tensors=["features"]).rows[1].error
    assert found == pytest.approx(errors["fit"], rel=1e-4)
    assert min(abs(found - errors["measured"]), abs(found - errors["all"])) > 0.01


# Measures


def outputs(*rows: list[float]) -> list[np.ndarray[Any, Any]]:
    return [np.array(rows, dtype=np.float32)]


def test_top1_is_the_share_of_the_answers_that_change() -> None:
    change = Change("top1")
    change.add(outputs([0.1, 0.9], [0.8, 0.2]), outputs([0.4, 0.6], [0.1, 0.9]))
    change.add(outputs([0.1, 0.9], [0.8, 0.2]), outputs([0.0, 1.0], [1.0, 0.0]))
    assert change.value() == 0.25


def test_in_pictures_the_classes_come_before_the_positions() -> None:
    before, after = np.zeros((1, 3, 2, 2)), np.zeros((1, 3, 2, 2))
    before[:, 1] = after[:, 1] = 1
    after[0, 2, 1, 1] = 2
    change = Change("top1")
    change.add([before], [after])
    assert change.value() == 0.25


def test_relative_is_the_norm_of_the_change_over_that_of_the_outputs() -> None:
    change = Change("relative")
    change.add([*outputs([3, 0]), *outputs([4])], [*outputs([3, 1]), *outputs([4])])
    change.add([*outputs([0, 0]), *outputs([0])], [*outputs([0, 0]), *outputs([2])])
    assert change.value() == pytest.approx(5**0.5 / 5)


def test_the_default_measure_is_top1_for_probabilities_only() -> None:
    assert default_measure([outputs([0.2, 0.8])]) == "top1"
    for other in ([0.2, 0.9], [-0.2, 1.2], [1.0]):
        assert default_measure([outputs(other)]) == "relative"
    assert default_measure([[np.array([[1, 0]])]]) == "relative"
