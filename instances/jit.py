"""Compiled kernels: two decorators, so that all kernels are built and cached alike.

Numba compiles a kernel anew when its own file changes, not when a kernel that it calls does: after
such a change, delete the *.nbi files in the __pycache__ folders.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile to machine code at the first call, keep it on disk, release the interpreter lock."""
    return cast(Kernel, numba.njit(cache=True, nogil=True)(function))


def lean(function: Kernel) -> Kernel:
    """Compile into the kernels that call it: for small functions which make no arrays.

    It divides by zero without an error, and does not count references to the arrays that it is
    given. Counting would take longer than its work, some 10 ns for each array of each call.
    """
    return cast(Kernel, numba.njit(**_LEAN)(function))


_LEAN: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "forceinline": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
    "_nrt": False,
}
