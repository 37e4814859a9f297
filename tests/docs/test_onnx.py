"""docs/onnx.md: its table of models is what its own lines print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "onnx.md").read_text("utf-8")


def test_the_table_of_models_is_what_the_lines_below_it_print(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    (code,) = (
        own for own in re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S) if "light" in own
    )
    exec(compile(code, "docs/onnx.md", "exec"), {})
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 9
    assert "\n".join(rows) in TEXT
