"""Compiled kernels: two decorators, so that all kernels are built and cached alike."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

config: Any = numba.config

ROOMS = ("instances", "schedules", "heuristics", "formulations", "solvers")
"""Packages that may hold kernels."""


def _cache() -> Path | None:
    """A folder for the machine code of just these kernels; None where none can be made.

    Numba sees when a kernel's own file changes, but not when a kernel that it calls does, and
    would run old code after an update. So the folder's name is a digest of all kernels' files.
    """
    home = Path(__file__).parents[1]
    digest = blake2b(digest_size=8)
    for path in sorted(path for room in ROOMS for path in (home / room).rglob("*.py")):
        text = path.read_bytes()
        if b"instances.jit" in text or path.name == "jit.py":
            digest.update(path.name.encode() + text)
    parent = Path(config.CACHE_DIR or Path(__file__).parent / "__pycache__")
    folder = parent / f"kernels-{digest.hexdigest()}"
    try:
        if not folder.is_dir():
            for old in parent.glob("kernels-*"):
                shutil.rmtree(old, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
        (folder / "writable").touch()
    except OSError:
        return None
    return folder


_CACHE = _cache()


def kernel_folder() -> Path | None:
    """Where this process keeps compiled kernels; None where it can keep none."""
    return _CACHE


def _save_alone(kernel: Any) -> None:
    """Let one process at a time save machine code of a kernel.

    Numba reads its index, picks a free name for the code, and writes both. Two processes that
    compile different overloads at once may pick the same name: then each has the other's code.
    """
    file = getattr(kernel._cache, "_cache_file", None)
    if file is None or fcntl is None or _CACHE is None:
        return
    save, lock = file.save, _CACHE / "writable"

    def alone(key: Any, data: Any) -> None:
        with lock.open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            save(key, data)

    file.save = alone


def _build(function: Kernel, options: dict[str, Any]) -> Kernel:
    """Numba's function; other users of numba in the process keep their own folder."""
    before = config.CACHE_DIR
    config.CACHE_DIR = str(_CACHE or before)
    try:
        kernel = numba.njit(**options)(function)
        _save_alone(kernel)
        return cast(Kernel, kernel)
    finally:
        config.CACHE_DIR = before


def compiled(function: Kernel) -> Kernel:
    """Compile to machine code at the first call, keep it on disk, release the interpreter lock."""
    return _build(function, {"cache": True, "nogil": True})


def lean(function: Kernel) -> Kernel:
    """Compile into the kernels that call it: for small functions which make no arrays.

    It divides by zero without an error, and does not count references to the arrays that it is
    given. Counting would take longer than its work, some 10 ns for each array of each call.
    """
    return _build(function, _LEAN)


_LEAN: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "forceinline": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
    "_nrt": False,
}
