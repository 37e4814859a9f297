"""docs/compression.md: its measured losses are those of its files, and about those of today."""

from __future__ import annotations

import csv
import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest

import chipweave as cw
from chipweave.cli import main
from experiments.calibrate.cuts import COMPUTE
from experiments.calibrate.inputs import MODELS
from experiments.calibrate.inputs import main as make_inputs
from experiments.calibrate.result import COLUMNS

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "compression.md").read_text("utf-8")
RATIOS = (2, 4, 8, 16)


def measured(name: str) -> dict[tuple[str, int], dict[str, str]]:
    """All rows of a model's file, by tensor and ratio."""
    with (DOCS / "losses" / f"{name}.csv").open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {(row["tensor"], int(row["ratio"])): row for row in rows}


def table(name: str) -> list[list[str]]:
    """The cells of the table behind a model's name."""
    (found,) = re.findall(rf"^`{name}`: .*?\n\n(\|.*?)\n\n", TEXT, re.M | re.S)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found.split("\n")[2:]]


@pytest.mark.parametrize("name", MODELS)
def test_the_shown_losses_are_those_of_the_file(name: str) -> None:
    rows = measured(name)
    assert len(table(name)) == {"text-lines": 10, "file-bytes": 2}[name]
    for tensor, operator, channels, *numbers in table(name):
        found = [rows[tensor.strip("`"), ratio] for ratio in RATIOS]
        assert {(row["operator"], row["channels"]) for row in found} == {(operator, channels)}
        assert numbers == [f"{float(row[what]):.3f}" for what in ("error", "loss") for row in found]


def test_the_counts_of_tensors_are_those_of_the_file() -> None:
    rows = measured("text-lines")
    tensors = {tensor for tensor, _ in rows}
    assert len(tensors) == 53
    (shown,) = re.findall(r"^\| tensors \| (.*) \|$", TEXT, re.M)
    counts = [
        sum(float(rows[tensor, ratio]["loss"]) <= 0.01 for tensor in tensors) for ratio in RATIOS
    ]
    assert shown.split(" | ") == [str(count) for count in counts]


@pytest.mark.parametrize(("name", "samples"), [("text-lines", 128), ("file-bytes", 512)])
def test_the_files_of_losses_are_tables_for_a_solver(name: str, samples: int) -> None:
    losses = cw.read_losses(DOCS / "losses" / f"{name}.csv")
    assert (losses.measure, losses.samples) == ("top1", samples)
    assert all(losses.ratios(tensor) == (1, *RATIOS) for tensor in losses.tensors)


def test_the_last_command_of_the_page_gives_about_the_losses_that_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx", reason="the extra calibrate is not installed")
    pytest.importorskip("onnxruntime", reason="the extra calibrate is not installed")
    if find_spec("rapidocr") is None:
        pytest.skip("the extra models is not installed")
    found = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.M | re.S)
    (block,) = (text for text in found if "calibrate.inputs" in text)
    first, *_, last = block.splitlines()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", shlex.split(first)[2:])
    make_inputs()
    assert main([*shlex.split(last)[1:], "--out", "losses.csv"]) == 0
    text = (tmp_path / "losses.csv").read_text()
    today = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    assert [row["ratio"] for row in today] == ["1", "2", "4"]
    before = measured("text-lines")
    for row in today[1:]:
        known = before[row["tensor"], int(row["ratio"])]
        # Other versions of Python and matplotlib make other words in other pictures.
        assert float(row["error"]) == pytest.approx(float(known["error"]), rel=0.25)
        assert float(row["loss"]) == pytest.approx(float(known["loss"]), abs=0.06)


def test_the_page_names_all_columns_and_operators() -> None:
    for name in (*COLUMNS, *COMPUTE):
        assert f"`{name}`" in TEXT
