"""Networks and packages by names: built-in, generated, of a file, or with changes.

    resnet50                                            built in
    chain-64                                            generated
    my-network.yaml                                     a file
    gpt2-xl?sequence=512                                an argument of `build_network`
    simba-4x4?nop.bandwidth=50000000000&dram.ports=4    keys of the package's file, by path

Values are written as in JSON; what is no JSON is text: `?overlap=false&chiplet.dataflow=...`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from instances.files.errors import Problems
from instances.files.network_file import read_network
from instances.files.package_file import package_from_data, package_to_data, read_package
from instances.files.text import SUFFIXES
from instances.network import Network
from instances.networks import build_network
from instances.package import Package


@cache
def network_of(name: str) -> Network:
    """The network of a name; a changed one bears the whole name.

    Raises:
        ValueError: there is no such network or argument, or a file that cannot be used (FileError).
    """
    base, changes = split(name)
    if _is_file(base):
        if changes:
            raise ValueError(f"{name}: a network of a file takes no changes: edit the file")
        return read_network(base)
    for key, value in changes.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"{name}: {key} is {value!r}, expected a whole number")
    network = build_network(base, **changes)
    return network if network == build_network(base) else replace(network, name=name)


@cache
def package_of(name: str) -> Package:
    """The package of a name; a changed one bears the whole name.

    Raises:
        ValueError: there is no such package or key, a value that a package cannot have, or a file
            that cannot be used (FileError).
    """
    from instances.packages import load_package  # it reads files, as this module does

    base, changes = split(name)
    package = read_package(base) if _is_file(base) else load_package(base)
    data = package_to_data(package)
    for path, value in changes.items():
        _put(data, path, value, name)
    changed = package_from_data(data, Problems(name, data), default_name=name)
    return package if changed == package else replace(changed, name=name)


def split(name: str) -> tuple[str, dict[str, Any]]:
    """What stands before the question mark, and the changes behind it.

    Raises:
        ValueError: a change that is not key=value, or two of one key.
    """
    base, mark, text = name.partition("?")
    changes: dict[str, Any] = {}
    for change in text.split("&") if mark else []:
        key, sign, value = change.partition("=")
        if not (key and sign and value):
            raise ValueError(f"{name}: found {change!r} behind '?', expected key=value")
        if key in changes:
            raise ValueError(f"{name}: {key} is changed twice")
        changes[key] = _value(value)
    return base, changes


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _is_file(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES


def _put(data: Mapping[str, Any], path: str, value: Any, name: str) -> None:
    """Change the value at a path of a package's data."""
    *above, last = path.split(".")
    place: Any = data
    for key in above:
        place = place.get(key) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last not in place or isinstance(place[last], dict):
        known = ", ".join(_paths(data))
        raise ValueError(f"{name}: a package has no value {path!r} to change, it has {known}")
    if path in ("kind", "name"):
        raise ValueError(f"{name}: {path} cannot be changed")
    place[last] = value


def _paths(data: Mapping[str, Any], above: str = "") -> list[str]:
    """Paths of all values that can be changed."""
    found = []
    for key, value in data.items():
        if isinstance(value, dict):
            found += _paths(value, f"{above}{key}.")
        elif above or key not in ("kind", "name"):
            found.append(above + key)
    return found
