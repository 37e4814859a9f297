"""The built-in packages: one YAML file each, in which every constant has its source."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from instances.files.errors import Problems
from instances.files.package_file import package_from_data
from instances.files.text import parse_data
from instances.package import Package


@cache
def package_names() -> tuple[str, ...]:
    """Names of the built-in packages, each family from small to large."""
    found = (entry.name for entry in files(__name__).iterdir())
    names = [name.removesuffix(".yaml") for name in found if name.endswith(".yaml")]
    return tuple(sorted(names, key=_natural))


@cache
def load_package(name: str) -> Package:
    """A built-in package.

    Raises:
        ValueError: there is none of this name; the message lists those that there are.
    """
    if name not in package_names():
        close = get_close_matches(name.lower(), package_names())
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        raise ValueError(
            f"there is no built-in package {name!r}.{hint} Built in: {', '.join(package_names())}"
        )
    source = f"{name}.yaml"
    data = parse_data(files(__name__).joinpath(source).read_text("utf-8"), ".yaml", source)
    return package_from_data(data, Problems(source, data), default_name=name)


def _natural(name: str) -> list[tuple[int, str]]:
    """A sort key that puts 8 before 16."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
