"""Divisions of a graph of operators among devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from instances.graph import Kind


@dataclass(frozen=True)
class Device:
    """A device and what runs on it.

    Attributes:
        kind: of the device.
        nodes: ids of the nodes, ascending.
    """

    kind: Kind
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class Partition:
    """Which device runs which nodes.

    Attributes:
        devices: those that have nodes; of an ordered division in their order, otherwise in any.
    """

    devices: tuple[Device, ...]

    @classmethod
    def of(cls, devices: Sequence[tuple[Kind, Sequence[int]]]) -> Partition:
        """From kinds and ids in any order; devices without nodes are left out."""
        found = (Device(kind, tuple(sorted(ids))) for kind, ids in devices if ids)
        return cls(tuple(found))
