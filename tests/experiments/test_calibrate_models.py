"""`calibrate` on real models, which ship inside packages of the extra `models`."""

from __future__ import annotations

from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest

import chipweave as cw
from experiments.calibrate import CutLoss
from experiments.calibrate.cuts import find_cuts
from experiments.calibrate.inputs import MODELS, file_bytes, main, model_file, text_lines
from experiments.calibrate.model import Session, read_model

ROUNDING = 1e-5
"""What 32 bits may add to an error that is 0."""

TENSORS = {
    "text-lines": ["hardswish_0.tmp_0", "relu_2.tmp_0", "relu_5.tmp_0", "batch_norm_6.tmp_2"],
    "file-bytes": None,
}
"""All, or those of many that the test has time for."""


def model(name: str) -> Path:
    """A model's file, or no test."""
    pytest.importorskip("onnxruntime", reason="the extra calibrate is not installed")
    pytest.importorskip("onnx", reason="the extra calibrate is not installed")
    try:
        return model_file(name)
    except ImportError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", MODELS)
def test_losses_of_a_real_model_fall_to_0_as_the_ratio_falls_to_1(
    name: str, tmp_path: Path
) -> None:
    path = model(name)
    made = text_lines(32) if name == "text-lines" else file_bytes(32)
    np.savez(tmp_path / "samples.npz", made)
    found = cw.calibrate(
        path, tmp_path / "samples.npz", ratios=[1, 2, 4, 16], tensors=TENSORS[name]
    )
    assert found.measure == "top1"
    tensors = [list(rows) for _, rows in groupby(found.rows, key=lambda row: row.tensor)]
    assert len(tensors) >= 2
    for rows in tensors:
        assert [row.ratio for row in rows] == [1, 2, 4, 16]
        assert (rows[0].error, rows[0].measured, rows[0].loss) == (0, 0, 0)
        for finer, coarser in pairwise(rows):
            assert finer.error <= coarser.error + ROUNDING
            assert finer.loss <= coarser.loss
            assert finer.measured <= coarser.measured + 3 / 16  # of 16 answers
        assert rows[-1].loss == max(row.measured for row in rows)
    assert _sum(tensors, 1) < _sum(tensors, -1)
    assert sum(rows[1].error for rows in tensors) < sum(rows[-1].error for rows in tensors)


def _sum(tensors: list[list[CutLoss]], place: int) -> float:
    """Of the losses as measured, at one ratio."""
    return sum(rows[place].measured for rows in tensors)


def test_the_convolutions_of_a_real_model_are_all_found() -> None:
    graph = read_model(model("text-lines")).graph
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    cuts = {cut.tensor for cut in find_cuts(graph)}
    assert len(convolutions) == 53
    first, *others = convolutions
    assert first.input[0] not in cuts
    assert {node.input[0] for node in others} <= cuts
    assert [cut.operator for cut in find_cuts(graph)].count("MatMul") == 1


def test_the_pictures_of_text_are_such_that_the_model_sees_what_they_show() -> None:
    path = model("text-lines")
    (found,) = Session(read_model(path), str(path)).run({"x": text_lines(64)})
    upside_down = found.argmax(axis=1)
    assert (upside_down == np.arange(64) % 2).mean() >= 0.9


def test_the_files_are_of_many_types_and_the_model_is_mostly_sure() -> None:
    path = model("file-bytes")
    (found,) = Session(read_model(path), str(path)).run({"bytes": file_bytes(32)})
    assert len(set(found.argmax(axis=1))) >= 8
    assert (found.max(axis=1) > 0.5).mean() >= 0.9


def test_inputs_are_the_same_each_time_and_others_by_another_seed() -> None:
    assert np.array_equal(text_lines(3), text_lines(3))
    assert not np.array_equal(text_lines(3), text_lines(3, seed=1))
    assert np.array_equal(file_bytes(9), file_bytes(9))
    assert not np.array_equal(file_bytes(9), file_bytes(9, seed=1))
    with pytest.raises(ValueError, match="files are wanted"):
        file_bytes(10**6)


def test_the_script_writes_a_file_for_each_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["inputs", str(tmp_path / "new"), "4"])
    main()
    shapes = {
        name: [array.shape for array in dict(np.load(tmp_path / "new" / f"{name}.npz")).values()]
        for name in MODELS
    }
    assert shapes == {"text-lines": [(4, 3, 48, 192)], "file-bytes": [(4, 2048)]}
    for name in MODELS:
        assert (tmp_path / "new" / f"{name}.onnx").read_bytes() == model(name).read_bytes()


def test_without_its_package_a_model_is_left_out_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["inputs", str(tmp_path), "4"])
    monkeypatch.setitem(MODELS, "text-lines", ("no_such_package", "model.onnx"))
    main()
    assert "no text-lines.onnx: no_such_package is not installed" in capsys.readouterr().out
    assert not (tmp_path / "text-lines.onnx").exists()
