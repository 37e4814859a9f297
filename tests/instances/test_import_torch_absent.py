"""PyTorch is loaded only if asked for, and missed only then."""

from __future__ import annotations

import subprocess
import sys

import pytest

from instances.importers.torch import from_torch


@pytest.mark.parametrize(
    "code",
    [
        "import chipweave; chipweave.from_torch",
        "from chipweave.cli import main; assert main(['--help']) == 0",
        "import chipweave as cw; cw.solve(cw.instance('alexnet', 'simba-4x4'), 'sequential')",
    ],
)
def test_nothing_but_an_import_of_a_module_imports_torch(code: str) -> None:
    code += "\nimport sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"^PyTorch is not installed: pip install"):
        from_torch(object(), None)
