"""The folder of compiled kernels."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROGRAM = """
import instances.outer
print(instances.outer.outer(1))
"""


def run(home: Path) -> str:
    """What the program prints, with the kernels of `home`."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=home, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_kernel_is_built_anew_when_one_that_it_calls_has_changed(tmp_path: Path) -> None:
    room = tmp_path / "instances"
    room.mkdir()
    (room / "__init__.py").touch()
    shutil.copy(ROOT / "instances" / "jit.py", room)
    head = "from instances.jit import compiled\n"
    inner = "@compiled\ndef inner(x):\n    return x + {}\n"
    outer = "from instances.inner import inner\n@compiled\ndef outer(x):\n    return inner(x)\n"
    (room / "outer.py").write_text(head + outer)
    (room / "inner.py").write_text(head + inner.format(1))
    assert (run(tmp_path), run(tmp_path)) == ("2", "2")
    caches = list((room / "__pycache__").glob("kernels-*"))
    assert len(caches) == 1
    assert any(caches[0].rglob("*.nbi"))
    (room / "inner.py").write_text(head + inner.format(5))
    assert run(tmp_path) == "6"
    assert len(list((room / "__pycache__").glob("kernels-*"))) == 1
