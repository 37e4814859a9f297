"""Divisions of graphs in files.

    kind: partition                 # may be absent
    devices:                        # of an ordered division in their order
      - kind: accelerator           # or cpu
        nodes: [0, 1, 5]            # ids

The result object that `chipweave solve graph.json --json` prints is read too: its key `schedule`
counts. Whether a division may run on a graph is not checked here but by
`schedules.partition.verify`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from instances.files.errors import Problems
from instances.files.schema import FileModel, Items, validate
from instances.files.text import read_data, write_data
from instances.graph import Kind
from schedules.files import found_in
from schedules.partition.partition import Device, Partition

Ids = Items[Annotated[int, Field(ge=-(2**63), lt=2**63)]]


class DeviceModel(FileModel):
    """One entry of `devices`."""

    kind: Kind
    nodes: Ids


class PartitionModel(FileModel):
    """A division's file, or the division inside a result."""

    kind: Literal["partition"] = "partition"
    devices: Items[DeviceModel]


def read_partition(path: str | Path) -> Partition:
    """Read a division, or that of a result, from YAML or JSON.

    Raises:
        FileError: the file holds no division of a graph.
    """
    return partition_from_data(read_data(path), str(path))


def write_partition(partition: Partition, path: str | Path) -> None:
    """Write a division, YAML or JSON by suffix.

    Raises:
        FileError: unknown suffix, or the file system refuses.
    """
    write_data({"kind": "partition", **partition_to_data(partition)}, path)


def partition_to_data(partition: Partition) -> dict[str, Any]:
    """The division as plain data."""
    return {
        "devices": [
            {"kind": device.kind, "nodes": list(device.nodes)} for device in partition.devices
        ]
    }


def partition_from_data(data: object, source: str) -> Partition:
    """A division from plain data, its own or a result's; `source` stands in messages.

    Raises:
        FileError: the data hold no division of a graph.
    """
    problems = Problems(source, data)
    own, place = found_in(data, source, kind="partition", key="devices")
    model = validate(PartitionModel, own, problems, place)
    return Partition(tuple(Device(device.kind, tuple(device.nodes)) for device in model.devices))
