"""What a division costs; it knows no solver, and counts node by node."""

from __future__ import annotations

from dataclasses import dataclass

from instances.graph import OperatorGraph
from schedules.partition.partition import Device, Partition


@dataclass(frozen=True)
class DeviceLoad:
    """What a device does for one sample.

    Attributes:
        device: and its nodes.
        work: time of its nodes, ticks.
        sent: time to move outputs that other devices read, ticks; 0 on a CPU.
        received: time to move outputs of other devices that it reads, ticks; 0 on a CPU.
        size: memory that its nodes take, bytes.
    """

    device: Device
    work: int
    sent: int
    received: int
    size: int

    @property
    def load(self) -> int:
        """Ticks between two samples, if nothing else took longer."""
        return self.work + self.sent + self.received


@dataclass(frozen=True)
class PartitionEvaluation:
    """What a division costs.

    Attributes:
        loads: of each device.
    """

    loads: tuple[DeviceLoad, ...]

    @property
    def objective(self) -> int:
        """The largest load, ticks: the time between two samples."""
        return max((own.load for own in self.loads), default=0)


def evaluate_partition(graph: OperatorGraph, partition: Partition) -> PartitionEvaluation:
    """What a division costs that may run; see `schedules.partition.verify`."""
    places = {node.id: place for place, node in enumerate(graph.nodes)}
    return PartitionEvaluation(
        tuple(
            _load(graph, device, {places[own] for own in device.nodes})
            for device in partition.devices
        )
    )


def _load(graph: OperatorGraph, device: Device, inside: set[int]) -> DeviceLoad:
    nodes = graph.nodes
    size = sum(nodes[place].size for place in inside)
    if device.kind == "cpu":
        return DeviceLoad(device, sum(nodes[place].cpu for place in inside), 0, 0, size)
    # Each tensor counts once, however many edges carry it.
    sent = {u for u, v in graph.edges if u in inside and v not in inside}
    received = {u for u, v in graph.edges if u not in inside and v in inside}
    return DeviceLoad(
        device,
        sum(nodes[place].accelerator or 0 for place in inside),
        sum(nodes[place].transfer for place in sent),
        sum(nodes[place].transfer for place in received),
        size,
    )
