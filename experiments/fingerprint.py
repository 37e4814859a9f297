"""What tells runs apart: the content of an instance, and the version of a method."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from experiments.digest import digest
from instances.cost import build_tables
from instances.files.network_file import network_to_data
from instances.files.package_file import package_to_data
from instances.instance import Instance
from instances.network import Network
from instances.networks import build_network
from instances.package import Package
from instances.packages import load_package
from instances.tables import CostTables
from solvers.engines import ENGINES
from solvers.solve import METHODS

PROBES = (
    ("alexnet", "simba-16x16"),
    ("unet", "simba-6x6"),
    ("mobilenet_v2", "datacentre-4x4"),
    ("gpt2-decode", "datacentre-2x2"),
)
"""Every kind of layer and both families of packages, quickly built."""

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("instances", "schedules", "heuristics", "formulations", "solvers")


def plain(tables: Any) -> dict[str, Any]:
    """Cost tables, and the dataclasses in them, as plain data: arrays by shape and digest."""
    return {field.name: _plain(getattr(tables, field.name)) for field in fields(tables)}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [*value.shape, hashlib.sha256(value.tobytes()).hexdigest()]
    if is_dataclass(value):
        return plain(value)
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def content(network: Network, package: Package, batch: int) -> str:
    """The name of what a network, a package and a batch say; no cost tables are built.

    The cost model is part of it, so that an optimum is never taken for that of other costs.
    """
    return digest(_network(network), package_to_data(package), batch, cost_model())


@cache
def _network(network: Network) -> str:
    return digest(network_to_data(network))


def content_of(instance: Instance) -> str:
    """The name of an instance's content: its network, package and batch, or else its tables.

    Tables that were given count, though they may have been made of the network once.
    """
    network, package = instance.network, instance.package
    if network is None or package is None or isinstance(instance.costs, CostTables):
        return digest(instance.name, instance.batch, plain(instance.tables))
    return content(network, package, instance.batch)


@cache
def cost_model() -> str:
    """The name of the cost model as it is: of the tables that it makes for PROBES.

    Code that is merely written anew keeps the name; another byte or cycle in a probe changes it.
    """
    return digest(
        *(
            plain(build_tables(build_network(network), load_package(package)))
            for network, package in PROBES
        )
    )


@cache
def version_of(method: str) -> str:
    """The name of everything that may change what a method finds.

    That is the code of its own module and of all modules of the rooms that this one imports,
    directly or not, without comments and docstrings; and the versions of its packages.
    """
    how = METHODS[method]
    places = [how.place, *(engine.place for engine in ENGINES.values() if how.models)]
    packages = {name: importlib.metadata.version(name) for name in how.packages}
    modules = _reached(*(place.split(":")[0] for place in places))
    return digest({name: _code(name) for name in sorted(modules)}, packages)


def _reached(*homes: str) -> set[str]:
    """Modules and all that they lead to within the rooms."""
    found: set[str] = set()
    ahead = list(homes)
    while ahead:
        name = ahead.pop()
        if name not in found and _file(name) is not None:
            found.add(name)
            ahead += _imports(name)
    return found


@cache
def _imports(name: str) -> tuple[str, ...]:
    """Names that a module imports, the packages that hold it, and whatever else may be modules."""
    packages = (name.rpartition(".")[0],)
    return packages + tuple(
        imported
        for node in ast.walk(_tree(name))
        for imported in _named(node)
        if imported.split(".")[0] in ROOMS
    )


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module is not None:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value.split(":")[0]  # tables name a module and a function that they load later


def _file(name: str) -> Path | None:
    """Where a module of the rooms is written, None if it is no such module."""
    if re.fullmatch(r"\w+(\.\w+)*", name) is None:
        return None
    path = ROOT.joinpath(*name.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


@cache
def _tree(name: str) -> ast.Module:
    file = _file(name)
    assert file is not None
    return ast.parse(file.read_text("utf-8"))


@cache
def _code(name: str) -> str:
    """A module's code without comments, docstrings and layout."""
    tree = _tree(name)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [line for line in body if not _is_text(line)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(line: ast.AST) -> bool:
    return (
        isinstance(line, ast.Expr)
        and isinstance(line.value, ast.Constant)
        and isinstance(line.value.value, str)
    )
