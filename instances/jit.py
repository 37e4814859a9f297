"""Compiled kernels: two decorators, so that all kernels are built and cached alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_UNCOUNTED: dict[str, Any] = {"_nrt": False}

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile to machine code at the first call, keep it on disk, release the interpreter lock."""
    return cast(Kernel, numba.njit(cache=True, nogil=True)(function))


def lean(function: Kernel) -> Kernel:
    """The same for a kernel that makes no arrays, only reads and writes those that it is given.

    It does not count references to them. Counting would take longer than a small kernel that is
    given a tuple of many arrays: some 10 ns for each of them and each call.
    """
    return cast(Kernel, numba.njit(cache=True, nogil=True, **_UNCOUNTED)(function))
