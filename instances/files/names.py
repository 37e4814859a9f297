"""Networks and packages by names: built-in, generated, of a file, or with changes.

    resnet50                                            built in
    chain-64                                            generated
    my-network.yaml                                     a file
    model.onnx?batch=1                                  an ONNX model, and sizes it leaves open
    gpt2-xl?sequence=512                                an argument of `build_network`
    simba-4x4?nop.bandwidth=50000000000&dram.ports=4    keys of the package's file, by path

Values are written as in JSON; what is no JSON is text: `?overlap=false&chiplet.dataflow=...`.

Several models are written with their batches, and perhaps with their units, commas between:

    gpt2:8,resnet50:32                                  a network and a batch
    gpt2?sequence=128@layer:8,resnet50@stage:32         layer, block or stage is a unit
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from instances.files.errors import Problems, closest
from instances.files.network_file import read_network
from instances.files.package_file import package_from_data, package_to_data, read_package
from instances.files.schema import MAX_BATCH
from instances.files.text import SUFFIXES
from instances.importers.onnx import SUFFIX, from_onnx
from instances.network import Network
from instances.networks import build_network, takes_sequence
from instances.package import Package
from instances.workload import GRAINS, Grain, Job, job

MODEL = "network[?sequence=N][@units]:batch"
"""How a model is written."""


@cache
def network_of(name: str) -> Network:
    """The network of a name; a changed one bears the whole name.

    Raises:
        ValueError: there is no such network or argument, or a file that cannot be used (FileError).
    """
    base, changes = split(name)
    if base.lower().endswith(SUFFIX):
        for key, value in changes.items():
            _check_whole(name, key, value)
        return from_onnx(base, dims=changes)
    if _is_file(base):
        if changes:
            raise ValueError(f"{name}: a network of a file takes no changes: edit the file")
        return read_network(base)
    for key, value in changes.items():
        _check_whole(name, key, value)
    network = build_network(base, **changes)
    return network if network == build_network(base) else replace(network, name=name)


def _check_whole(name: str, key: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name}: {key} is {value!r}, expected a whole number")


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


def models_of(text: str) -> list[tuple[str, int]]:
    """Name and batch of each model of a list with commas.

    Raises:
        ValueError: one is not written as MODEL, or its batch is too large.
    """
    found = []
    for model in text.split(","):
        name, _, batch = model.strip().rpartition(":")
        if not name:
            raise ValueError(f"{model.strip()!r} has no batch: {_EXPECTED}")
        if not (batch.isdecimal() and batch.isascii()):
            raise ValueError(f"{model.strip()!r}: batch {batch!r} is no whole number: {_EXPECTED}")
        if len(batch) > len(str(MAX_BATCH)) or int(batch) > MAX_BATCH:
            raise ValueError(f"{model.strip()!r}: expected a batch of at most {MAX_BATCH:,}")
        found.append((name, int(batch)))
    return found


_EXPECTED = f"expected {MODEL}, such as resnet50:32 or gpt2?sequence=128@layer:8"


def jobs_of(
    models: Iterable[tuple[str, int]], *, sequence: int | None = None, grain: Grain | None = None
) -> tuple[Job, ...]:
    """Models by names and batches.

    Args:
        models: a name is as in MODEL, without the batch.
        sequence: tokens, for those networks that have a sequence length and do not name one.
        grain: units of those that do not name theirs; blocks by default.

    Raises:
        ValueError: an unknown network or grain, a batch below 1, or a sequence for none of them.
    """
    given = list(models)
    if sequence is not None and not any(takes_sequence(_base(name)) for name, _ in given):
        raise ValueError("a sequence length is for networks that have one: none of the models has")
    return tuple(_job(name, batch, sequence, grain or "block") for name, batch in given)


def _job(name: str, batch: int, sequence: int | None, grain: Grain) -> Job:
    network, units = _units(name)
    if sequence is not None and "?" not in network and takes_sequence(network):
        network = f"{network}?sequence={sequence}"
    return job(network_of(network), batch, units or grain)


def _base(name: str) -> str:
    """The network's name alone."""
    return split(_units(name)[0])[0]


def _units(name: str) -> tuple[str, Grain | None]:
    """What stands before the last '@', and the grain behind it."""
    network, mark, units = name.rpartition("@")
    if not mark or _is_file(name):
        return name, None
    for grain in GRAINS:
        if units == grain:
            return network, grain
    near = closest(units, GRAINS)
    raise ValueError(f"{name}: found units {units!r}, expected one of {', '.join(GRAINS)}{near}")


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
    except (ValueError, RecursionError):
        return text


def _is_file(name: str) -> bool:
    return Path(name).suffix.lower() in (*SUFFIXES, SUFFIX)


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
