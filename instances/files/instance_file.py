"""Instances in files.

    kind: instance
    name: my-run                # by default '<network> on <package>'
    batch: 64
    network: resnet50           # a built-in network, or the keys of a network file
    package: simba-4x4          # a built-in package, or the keys of a package file

`batch` and `package` may be absent where the reader has a default.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, prod
from pathlib import Path
from typing import Any, Literal

from instances.cost import OPTIONS, make_instance
from instances.files.cost_csv import read_csv_costs
from instances.files.errors import Problems, fail, quoted
from instances.files.network_file import network_from_data, network_to_data
from instances.files.package_file import package_from_data, package_to_data
from instances.files.schema import Batch, FileModel, Name, validate
from instances.files.table_checks import check_entries, check_magnitudes
from instances.files.table_file import tables_from_data, tables_to_data
from instances.files.text import kind_of, read_data, write_data
from instances.instance import Instance
from instances.network import Network
from instances.networks import build_network
from instances.package import Package

KINDS = ("instance", "tables", "network")
"""Kinds of file that hold an instance, or what makes one with a package and a batch."""


class InstanceFile(FileModel):
    """A file of kind instance."""

    kind: Literal["instance"]
    name: Name | None = None
    batch: Batch | None = None
    network: Any
    package: Any = None


def read_instance(
    path: str | Path,
    *,
    package: Package | None = None,
    batch: int | None = None,
    default_package: Package | None = None,
    default_batch: int | None = None,
) -> Instance:
    """Read an instance, a table instance or a network file.

    Args:
        path: YAML or JSON, by suffix; CSV for a table instance.
        package, batch: override what the file says. No package can be put on a table instance.
        default_package, default_batch: used where the file says nothing.

    Raises:
        FileError: the file cannot be used; one line a problem.
    """
    source, stem = str(path), Path(path).stem
    if Path(path).suffix.lower() == ".csv":
        _check_tables(source, package, batch)
        return read_csv_costs(path, batch=batch, default_batch=default_batch)
    data = read_data(path)
    problems = Problems(source, data)
    if data.get("kind") == "workload":
        fail(source, "holds several models; only `chipweave solve` and `verify` take those")
    kind = kind_of(data, source, KINDS)
    if kind == "tables":
        _check_tables(source, package, batch)
        return tables_from_data(data, problems, default_name=stem, batch=batch)
    _check_batch(source, batch)
    if kind == "network":
        name, own_package, own_batch = None, None, None
        network = network_from_data(data, problems, default_name=stem)
    else:
        model = validate(InstanceFile, data, problems)
        name, own_batch = model.name, model.batch
        network = _network(model.network, problems, stem)
        own_package = _package(model.package, problems, stem)
    return _make(
        problems,
        network,
        package or own_package or default_package,
        batch or own_batch or default_batch,
        name,
    )


def _check_batch(source: str, batch: int | None) -> None:
    if batch is not None and batch < 1:
        fail(source, f"batch {batch} is not at least 1")


def _check_tables(source: str, package: Package | None, batch: int | None) -> None:
    _check_batch(source, batch)
    if package is not None:
        fail(
            source,
            f"a table instance has its own costs: package {package.name!r} cannot be put on it",
        )


def instance_of_network(network: Network, package: Package, batch: int, *, source: str) -> Instance:
    """The instance of a network that another program's file holds.

    Args:
        network: as it was read.
        package, batch: on which and how many samples it runs.
        source: the file's name, in messages.

    Raises:
        FileError: costs that do not fit in 64 bits, or a batch below 1.
    """
    _check_batch(source, batch)
    return _make(Problems(source), network, package, batch, None)


def write_instance(instance: Instance, path: str | Path) -> None:
    """Write an instance, YAML or JSON by suffix.

    With a network and a package, these are written and the tables built anew when read; without,
    the tables are written.

    Raises:
        FileError: unknown suffix, or the file system refuses.
    """
    if instance.network is None or instance.package is None:
        write_data(tables_to_data(instance), path)
        return
    data: dict[str, object] = {
        "kind": "instance",
        "name": instance.name,
        "batch": instance.batch,
        "network": network_to_data(instance.network),
        "package": package_to_data(instance.package),
    }
    write_data(data, path)


def _network(data: object, problems: Problems, stem: str) -> Network:
    if not isinstance(data, str):
        return network_from_data(data, problems, default_name=stem, place=("network",))
    try:
        return build_network(data)
    except ValueError as error:
        fail(problems.source, str(error), ("network",))


def _package(data: object, problems: Problems, stem: str) -> Package | None:
    from instances.packages import load_package  # it reads files through this package

    if data is None:
        return None
    if not isinstance(data, str):
        return package_from_data(data, problems, default_name=stem, place=("package",))
    try:
        return load_package(data)
    except ValueError as error:
        fail(problems.source, str(error), ("package",))


def _make(
    problems: Problems,
    network: Network,
    package: Package | None,
    batch: int | None,
    name: str | None,
) -> Instance:
    if package is None:
        fail(problems.source, "a network needs a package: name one, or write it into the file")
    if batch is None:
        fail(problems.source, "a network needs a batch: give one, or write it into the file")
    lists = sum(len(t.consumers) * len(OPTIONS) + 2 for t in network.tensors)
    check_entries(len(network.layers), len(OPTIONS), package.chiplets, lists, problems)
    _check_products(network, package, problems)
    try:
        instance = make_instance(network, package, batch, name)
        tables = instance.tables
    except ValueError as error:
        fail(problems.source, str(error))
    check_magnitudes(tables, batch, problems)
    return instance


def _check_products(network: Network, package: Package, problems: Problems) -> None:
    """The cost model's largest products must fit in 64 bits.

    It multiplies the bytes that a layer moves, at most its inputs once an output channel, by the
    cycles of a byte and by region sizes; an output-stationary array reads its weights once a
    position.
    """
    clock, dram = package.chiplet.clock_hz, package.dram
    rates = Fraction(clock, package.nop.bandwidth), Fraction(clock, dram.bandwidth * dram.ports)
    factor = max(package.chiplets, *(ceil(rate) for rate in rates))
    for layer in network.layers:
        read = layer.channels * sum(prod(network.shape(name)) for name in layer.reads)
        made = sum(prod(shape) for _, shape in layer.outputs)
        moved = package.element_bytes * (layer.weights + read + made)
        weight_reads = package.element_bytes * layer.macs
        if max(moved * factor, weight_reads * package.chiplets) >= 2**63:
            fail(
                problems.source,
                f"layer {quoted(layer.name)} on package {quoted(package.name)} has costs that do"
                " not fit in 64 bits: make the layer smaller or the bandwidths larger",
            )
