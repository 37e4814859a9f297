"""Whether a division may run; it knows no solver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from instances.graph import OperatorGraph, Order, shown_path
from schedules.partition.partition import Device, Partition


def partition_violations(
    graph: OperatorGraph, partition: Partition, order: Order = "ordered"
) -> list[str]:
    """All that is wrong with a division, a sentence each; empty if it may run.

    Args:
        graph: what is divided.
        partition: what is checked.
        order: which divisions are allowed.
    """
    wrong = [*_nodes(graph, partition), *_devices(graph, partition)]
    if wrong:
        return wrong
    for number, device in enumerate(partition.devices):
        wrong += [f"device {number}: {text}" for text in _device(graph, device)]
    device_of = _device_of(graph, partition)
    wrong += _classes(graph, device_of)
    if order == "ordered":
        wrong += _no_order(graph, device_of, len(partition.devices))
    elif order == "convex":
        for number in range(len(partition.devices)):
            wrong += _way_back(graph, device_of, number)
    return wrong


def in_order(graph: OperatorGraph, partition: Partition) -> Partition:
    """An ordered division that may run, its devices in an order in which forward edges go forward.

    It is the same one where they are already.
    """
    device_of = _device_of(graph, partition)
    pairs = {(device_of[u], device_of[v]) for u, v in graph.forward_edges}
    order: list[int] = []
    left = list(range(len(partition.devices)))
    while left:
        behind = {v for u, v in pairs if u != v and u in left}
        order.append(next(number for number in left if number not in behind))
        left.remove(order[-1])
    return Partition(tuple(partition.devices[number] for number in order))


def _device_of(graph: OperatorGraph, partition: Partition) -> list[int]:
    """The number of each node's device."""
    of = {own: number for number, device in enumerate(partition.devices) for own in device.nodes}
    return [of[node.id] for node in graph.nodes]


def _nodes(graph: OperatorGraph, partition: Partition) -> Iterator[str]:
    known = {node.id for node in graph.nodes}
    often = Counter(own for device in partition.devices for own in device.nodes)
    for own, count in often.items():
        if own not in known:
            yield f"there is no node {own}"
        elif count > 1:
            yield f"node {own} is on {count} devices, expected one"
    for own in sorted(known - often.keys()):
        yield f"node {own} is on no device"


def _devices(graph: OperatorGraph, partition: Partition) -> Iterator[str]:
    limits = {"accelerator": graph.accelerators, "cpu": graph.cpus}
    for kind, count in Counter(device.kind for device in partition.devices).items():
        if count > limits[kind]:
            yield f"devices of kind {kind}: found {count}, expected at most {limits[kind]}"


def _device(graph: OperatorGraph, device: Device) -> Iterator[str]:
    if device.kind == "cpu":
        return
    nodes = {node.id: node for node in graph.nodes}
    for own in device.nodes:
        if nodes[own].accelerator is None:
            yield f"node {own} does not run on an accelerator"
    size = sum(nodes[own].size for own in device.nodes)
    if size > graph.memory:
        yield f"its nodes take {size:,} bytes of {graph.memory:,}"


def _classes(graph: OperatorGraph, device_of: list[int]) -> Iterator[str]:
    for places in graph.classes:
        found = sorted({device_of[place] for place in places})
        if len(found) > 1:
            color = graph.nodes[places[0]].color
            yield f"nodes of class {color} are on devices {found[0]} and {found[1]}, expected one"


def _no_order(graph: OperatorGraph, device_of: list[int], devices: int) -> Iterator[str]:
    """Devices that can be put in no order: each is behind another that is left."""
    pairs = {(device_of[u], device_of[v]) for u, v in graph.forward_edges}
    left = set(range(devices))
    while left:
        behind = {v for u, v in pairs if u != v and u in left and v in left}
        if not left - behind:
            names = ", ".join(map(str, sorted(left)))
            yield f"devices {names}: edges go to and fro between them, expected an order"
            return
        left &= behind


def _way_back(graph: OperatorGraph, device_of: list[int], device: int) -> Iterator[str]:
    """A path of forward edges that leaves a device and comes back to it."""
    after: list[list[int]] = [[] for _ in graph.nodes]
    for u, v in graph.forward_edges:
        after[u].append(v)
    # Outside nodes that the device reaches, and from where.
    reached: dict[int, int] = {}
    for place in graph.topological:
        if device_of[place] == device or place in reached:
            for reader in after[place]:
                if device_of[reader] != device:
                    reached.setdefault(reader, place)
                elif place in reached:
                    path = [reader, place]
                    while path[-1] in reached:
                        path.append(reached[path[-1]])
                    ids = [graph.nodes[own].id for own in reversed(path)]
                    yield f"device {device}: the path {shown_path(ids)} leaves it and comes back"
                    return
