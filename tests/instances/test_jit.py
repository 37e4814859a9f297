"""The folder of compiled kernels."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import instances.outer
print(instances.outer.outer(1))
"""


def run(home: Path, program: str = PROGRAM) -> str:
    """What a program prints, with the kernels of `home`."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=home, capture_output=True, text=True, check=True
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


LOCKED = """
import fcntl
from pathlib import Path

import pytest
from instances import jit
taken = []
def flock(file, operation):
    folder = Path(file.name).parent
    taken.append((operation == fcntl.LOCK_EX, len(list(folder.rglob("*.nbi")))))
jit.fcntl.flock = flock
from instances.one import one
one(1)
one(1.0)
print(taken)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_a_process_takes_a_lock_before_it_saves_machine_code(tmp_path: Path) -> None:
    room = tmp_path / "instances"
    room.mkdir()
    (room / "__init__.py").touch()
    shutil.copy(ROOT / "instances" / "jit.py", room)
    head = "from instances.jit import compiled\n"
    (room / "one.py").write_text(head + "@compiled\ndef one(x):\n    return x + 1\n")
    # Two overloads are saved; the index is not there yet when the first lock is taken.
    assert run(tmp_path, LOCKED) == "[(True, 0), (True, 1)]"
