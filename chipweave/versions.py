"""Versions of everything that a result may depend on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("chipweave", "numpy", "numba", "ortools", "pulp", "highspy", "pydantic", "matplotlib")


def show_versions() -> None:
    """Print what belongs in a bug report: a line for each package, Python and the machine."""
    for name in PACKAGES:
        print(name, _version(name))
    print("python", platform.python_version())
    print(platform.system(), platform.release(), platform.machine())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
