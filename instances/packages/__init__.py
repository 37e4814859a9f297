"""The built-in packages: one YAML file each, in which every constant has its source.

Packages of other sizes are derived from them: `simba-12x20` has the chiplets of `simba`. So are
packages of unlike chiplets (`instances.packages.mixed`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from math import ceil

from instances.files.errors import Problems
from instances.files.package_file import package_from_data
from instances.files.text import parse_data
from instances.package import Package
from instances.packages.mixed import (
    BASE,
    MIXED_NAMES,
    MONOLITHS,
    PATTERNS,
    mixed_package,
    mixed_size,
)

MAX_SIDE = 64
"""Columns and rows of a derived package."""


@cache
def package_names() -> tuple[str, ...]:
    """Names of the built-in packages of equal chiplets, each family from small to large."""
    found = (entry.name for entry in files(__name__).iterdir())
    names = [name.removesuffix(".yaml") for name in found if name.endswith(".yaml")]
    return tuple(sorted(names, key=_natural))


def package_families() -> tuple[str, ...]:
    """What the names of built-in packages begin with, before their meshes."""
    return tuple(dict.fromkeys(name.rsplit("-", 1)[0] for name in package_names()))


def is_package_name(name: object) -> bool:
    """Whether `load_package` knows a package of this name, if its mesh is not too large."""
    return isinstance(name, str) and (
        name in package_names() or _sized(name) is not None or mixed_size(name) is not None
    )


@cache
def load_package(name: str) -> Package:
    """A built-in package, or one of a built-in family with a mesh of up to 64 x 64.

    A derived package has a DRAM port on either side for every four rows of chiplets, as the
    built-in ones have.

    Raises:
        ValueError: there is none of this name; the message lists those that there are.
    """
    if name in package_names():
        source = f"{name}.yaml"
        data = parse_data(files(__name__).joinpath(source).read_text("utf-8"), ".yaml", source)
        return package_from_data(data, Problems(source, data), default_name=name)
    mixed = mixed_size(name)
    if mixed is not None:
        _check_mesh(name, *mixed[:2])
        return mixed_package(name, load_package(BASE))
    sized = _sized(name)
    if sized is None:
        close = get_close_matches(name.lower(), (*package_names(), *MIXED_NAMES))
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        raise ValueError(
            f"there is no built-in package {name!r}.{hint} Built in: {', '.join(package_names())},"
            f" and other meshes of {' and '.join(package_families())}; for several models het-XxY"
            f" or het-XxY-PATTERN with one of {', '.join((*PATTERNS, *MONOLITHS))}"
        )
    family, columns, rows = sized
    _check_mesh(name, columns, rows)
    base = load_package(next(n for n in package_names() if n.startswith(f"{family}-")))
    dram = replace(base.dram, ports=2 * ceil(rows / 4))
    return replace(base, name=name, mesh=(columns, rows), dram=dram)


def _check_mesh(name: str, columns: int, rows: int) -> None:
    if not (1 <= columns <= MAX_SIDE and 1 <= rows <= MAX_SIDE):
        raise ValueError(f"{name}: expected a mesh of 1 to {MAX_SIDE} columns and rows")


def _sized(name: str) -> tuple[str, int, int] | None:
    """Family, columns and rows."""
    found = re.fullmatch(rf"({'|'.join(package_families())})-([0-9]+)x([0-9]+)", name)
    return None if found is None else (found[1], int(found[2]), int(found[3]))


def _natural(name: str) -> list[tuple[int, str]]:
    """A sort key that puts 8 before 16."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
