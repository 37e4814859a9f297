"""`chipweave calibrate`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import io
import json
import pickle
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chipweave as cw
from experiments.calibrate import samples as samples_module
from instances.files import FileError

Run = Callable[..., tuple[int, str, str]]
"""Arguments -> exit code, standard output, standard error."""
MakeOnnx = Callable[..., bytes]

X = np.random.default_rng(3).normal(size=(8, 4, 5, 5)).astype(np.float32)


@pytest.fixture
def model(make_onnx: MakeOnnx, tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(make_onnx())
    return path


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    path = tmp_path / "inputs.npz"
    np.savez(path, x=X)
    return path


def test_a_calibration_is_shown_and_written(
    run: Run, model: Path, inputs: Path, tmp_path: Path
) -> None:
    files = ("--out", tmp_path / "losses.csv", "--json", tmp_path / "losses.json")
    code, out, err = run("calibrate", model, "--samples", inputs, "--ratios", "6,2", *files)
    assert (code, err) == (0, "")
    assert "top1, as the first output is probabilities" in out
    assert "fitted to 4, measured on 4 others" in out
    assert "error at 6" in out
    table = cw.read_losses(tmp_path / "losses.csv")
    assert (table.measure, table.samples) == ("top1", 4)
    assert {tensor: table.ratios(tensor) for tensor in table.tensors} == {
        "features": (1, 2, 6),
        "pooled": (1, 2, 6),
    }
    data = json.loads((tmp_path / "losses.json").read_text())
    rows = data["rows"]
    assert [row["loss"] for row in rows if row["tensor"] == "pooled"] == [
        table.loss("pooled", ratio) for ratio in (1, 2, 6)
    ]
    assert set(data["versions"]) == {"onnx", "onnxruntime", "numpy"}


def test_a_dash_prints_the_table_and_nothing_else(run: Run, model: Path, inputs: Path) -> None:
    arguments = ("calibrate", model, "--samples", inputs, "--tensors", "pooled")
    code, out, err = run(*arguments, "--measure", "relative", "--out", "-")
    assert (code, err) == (0, "")
    notes = [line for line in out.splitlines() if line.startswith("#")]
    assert notes[0] == "# measure: relative"
    assert out.splitlines()[len(notes)].startswith("tensor,operator,ratio,channels,code,error,")
    assert len(out.splitlines()) == len(notes) + 1 + 5
    assert json.loads(run(*arguments, "--json", "-")[1])["measure"] == "top1"


def test_one_array_needs_no_name_and_no_archive(run: Run, model: Path, tmp_path: Path) -> None:
    expected = None
    for name, save in (("any.npz", np.savez), ("plain.npy", np.save)):
        save(tmp_path / name, X.astype(np.float64))
        code, out, _ = run("calibrate", model, "--samples", tmp_path / name, "--out", "-")
        assert code == 0
        assert expected in (None, out)
        expected = out


def test_without_onnxruntime_it_says_what_to_install(
    run: Run, model: Path, inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("onnx", "onnxruntime"):
        with monkeypatch.context() as without:
            without.setitem(sys.modules, package, None)
            code, out, err = run("calibrate", model, "--samples", inputs)
        assert (code, out) == (2, "")
        assert err == (
            "error: calibrate needs onnx and onnxruntime, which are not installed:"
            " pip install 'chipweave[calibrate]'\n"
        )


def refused(run: Run, *arguments: object) -> str:
    """The one line that a refusal prints."""
    code, out, err = run("calibrate", *arguments)
    assert (code, out) == (2, ""), err
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    assert "Traceback" not in line
    assert len(line) < 700
    return line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--ratios", "2,x"), "--ratios: found 'x', expected whole numbers"),
        (("--ratios", "0"), "ratio 0: expected a whole number from 1"),
        (("--ratios", "9" * 20), "expected whole numbers"),
        (("--measure", "top5"), "--measure top5: expected top1 or relative"),
        (("--tensors", "feature"), "no tensor 'feature' goes between compute nodes (did you mean"),
        (("--tensors", "x"), "no tensor 'x' goes between compute nodes: there are features, poo"),
        (("--out", "none/losses.csv"), "there is no folder"),
        (("--out", "-", "--json", "-"), "cannot both go to standard output"),
        (("--workers", "0"), "'--workers': Input should be greater than or equal to 1"),
        (("--seed", "-1"), "'--seed': Input should be greater than or equal to 0"),
    ],
)
def test_a_wrong_option_is_one_line(
    run: Run, model: Path, inputs: Path, options: tuple[str, ...], message: str
) -> None:
    assert message in refused(run, model, "--samples", inputs, *options)


def test_what_is_read_is_not_overwritten(run: Run, model: Path, inputs: Path) -> None:
    line = refused(run, model, "--samples", inputs, "--out", model)
    assert "would overwrite what is read" in line


# Models that are none


def changed(model: bytes, change: Callable[[Any], None]) -> bytes:
    import onnx

    proto = onnx.load_from_string(model)
    change(proto)
    return bytes(proto.SerializeToString())


def _external(proto: Any) -> None:
    (weights,) = [own for own in proto.graph.initializer if own.name == "b"]
    weights.data_location = 1
    weights.ClearField("raw_data")
    weights.external_data.add(key="location", value="../../../../../../etc/passwd")


def _text(proto: Any) -> None:
    proto.graph.input[0].type.tensor_type.elem_type = 8


def _scalar(proto: Any) -> None:
    del proto.graph.input[0].type.tensor_type.shape.dim[:]


def _unknown(proto: Any) -> None:
    proto.graph.node[0].op_type = "Convolution"


def _infinite(proto: Any) -> None:
    import onnx

    bias = next(own for own in proto.graph.initializer if own.name == "bias")
    bias.CopyFrom(onnx.numpy_helper.from_array(np.full(6, np.inf, dtype=np.float32), "bias"))


def _alone(proto: Any) -> None:
    del proto.graph.node[1:]
    proto.graph.node[0].output[0] = "y"
    proto.graph.output[0].type.tensor_type.ClearField("shape")


def _lines(proto: Any) -> None:
    proto.graph.node[0].output[0] = proto.graph.node[1].input[0] = "two\nlines"


BROKEN_MODELS: dict[str, tuple[Callable[[Any], None], str]] = {
    "external": (_external, "not an ONNX model: "),
    "text": (_text, ""),
    "scalar": (_scalar, ""),
    "unknown": (_unknown, "the model cannot be loaded: "),
    "infinite": (_infinite, "the model's outputs have values that are infinite or no numbers"),
    "alone": (_alone, "no tensor goes from one compute node (Conv, "),
    "lines": (_lines, "tensor 'two\\nlines': expected a name of one line"),
    "empty graph": (lambda proto: proto.graph.ClearField("node"), "it has no nodes"),
    "old": (lambda proto: setattr(proto.opset_import[0], "version", 6), "found opset 6, expected"),
    "new": (lambda proto: setattr(proto.opset_import[0], "version", 9999), "cannot be loaded"),
}


@pytest.mark.parametrize("name", BROKEN_MODELS)
def test_a_model_that_cannot_be_used_is_one_line(
    run: Run, model: Path, inputs: Path, name: str
) -> None:
    change, message = BROKEN_MODELS[name]
    model.write_bytes(changed(model.read_bytes(), change))
    line = refused(run, model, "--samples", inputs)
    assert str(model) in line
    assert message in line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an ONNX model"),
        (b"tensor,ratio,loss\n", "not an ONNX model"),
        (b"\x08\x07", "it has no nodes"),
        (bytes(range(256)) * 9, "not an ONNX model"),
    ],
)
def test_a_file_that_is_no_model_is_one_line(
    run: Run, model: Path, inputs: Path, content: bytes, message: str
) -> None:
    model.write_bytes(content)
    assert message in refused(run, model, "--samples", inputs)


def test_a_name_that_is_no_text_is_one_line_and_nothing_is_tried_again(
    run: Run, model: Path, inputs: Path
) -> None:
    model.write_bytes(model.read_bytes().replace(b"Softmax", b"Softma\xf3"))
    assert "cannot be loaded" in refused(run, model, "--samples", inputs)


def test_a_model_that_is_cut_off_is_one_line(run: Run, model: Path, inputs: Path) -> None:
    whole = model.read_bytes()
    for length in range(0, len(whole) - 1, len(whole) // 40):
        model.write_bytes(whole[:length])
        refused(run, model, "--samples", inputs)


def test_files_that_are_not_there_or_folders_are_told(
    run: Run, model: Path, inputs: Path, tmp_path: Path
) -> None:
    none = tmp_path / "none"
    assert "no such file" in refused(run, none, "--samples", inputs)
    assert "is a directory" in refused(run, tmp_path, "--samples", inputs)
    assert "no such file" in refused(run, model, "--samples", none)
    assert "is a directory" in refused(run, model, "--samples", tmp_path)


# Samples that are none


def archive(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for name, content in members.items():
            out.writestr(f"{name}.npy", content)
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _huge() -> bytes:
    """An array whose heading promises a petabyte."""
    file = io.BytesIO()
    heading = {"descr": "<f4", "fortran_order": False, "shape": (10**14, 4, 5, 5)}
    np.lib.format.write_array_header_1_0(file, heading)
    return archive(x=file.getvalue() + bytes(1000))


class Evil:
    """What must not be run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path("/nowhere").write_text, ("",))


BROKEN_SAMPLES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "not an .npz file of arrays of numbers"),
    "text": (b"1,2,3\n", "found something else than numbers, expected an .npz file of arrays"),
    "pickle": (pickle.dumps(Evil()), "found something else than numbers"),
    "objects": (npz(x=np.array([Evil()], dtype=object)), "found something else than numbers"),
    "cut off": (npz(x=X)[:1500], "not an .npz file of arrays of numbers: File is not a zip file"),
    "no array": (archive(x=b"nothing"), "'x': found"),
    "names": (npz(x=X, y=X), "found 'y', expected only the inputs 'x'"),
    "other names": (npz(y=X, z=X), "found 'y', 'z', expected an array for the input 'x'"),
    "nothing": (npz(), "found nothing, expected an array for the input 'x'"),
    "shape": (npz(x=X[:, :3]), "'x': found the shape [8, 3, 5, 5], expected [samples, 4, 5, 5]"),
    "rank": (npz(x=X[0]), "'x': found the shape [4, 5, 5], expected [samples, 4, 5, 5]"),
    "type": (npz(x=X.astype(str)), "'x': found <U32, expected float32"),
    "complex": (npz(x=X.astype(complex)), "'x': found complex128, expected float32"),
    "nan": (npz(x=np.where(X > 2, np.nan, X)), "'x': found values that are infinite or no numbers"),
    "inf": (npz(x=np.where(X > 2, np.inf, X)), "'x': found values that are infinite or no numbers"),
    "large": (npz(x=X.astype(float) * 1e300), "'x': found values that float32 cannot hold"),
    "one": (npz(x=X[:1]), "found 1 samples, expected 2 or more"),
    "none": (npz(x=X[:0]), "found 0 samples, expected 2 or more"),
    "huge": (_huge(), "not an .npz file of arrays of numbers: "),
}


@pytest.mark.parametrize("name", BROKEN_SAMPLES)
def test_samples_that_cannot_be_used_are_one_line(
    run: Run, model: Path, inputs: Path, name: str
) -> None:
    content, message = BROKEN_SAMPLES[name]
    inputs.write_bytes(content)
    line = refused(run, model, "--samples", inputs)
    assert line.startswith(f"error: {inputs}: ")
    assert message in line


def test_samples_that_would_unpack_to_too_much_are_not_unpacked(
    run: Run, model: Path, inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples_module, "MAX_BYTES", 1000)
    assert "the most that is read" in refused(run, model, "--samples", inputs)


def test_a_fixed_number_of_samples_at_a_time_must_fit(
    run: Run, model: Path, inputs: Path, make_onnx: MakeOnnx
) -> None:
    model.write_bytes(make_onnx(samples=3))
    line = refused(run, model, "--samples", inputs)
    assert "found 8 samples, expected a multiple of 6, as the model takes 3 at a time" in line


@given(st.data())
@settings(max_examples=60)
def test_a_damaged_file_never_gets_past_an_error_of_a_user(
    make_onnx: MakeOnnx, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    files = {"model.onnx": bytearray(make_onnx()), "inputs.npz": bytearray(npz(x=X))}
    name = data.draw(st.sampled_from(sorted(files)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(files[name]) - 1))
        files[name][place] = data.draw(st.integers(0, 255))
    for own, content in files.items():
        (folder / own).write_bytes(content)
    with suppress(FileError):
        found = cw.calibrate(folder / "model.onnx", folder / "inputs.npz", ratios=[2])
        assert all(row.loss >= 0 for row in found.rows)
