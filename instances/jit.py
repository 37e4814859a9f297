"""Compiled kernels: one decorator, so that every kernel is built and cached alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile to machine code at the first call, keep it on disk, release the interpreter lock."""
    return cast(Kernel, numba.njit(cache=True, nogil=True)(function))
