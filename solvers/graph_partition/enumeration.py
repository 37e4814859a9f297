"""The best of all divisions of a graph: everything is tried. For very small graphs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from instances.graph import Kind, OperatorGraph
from schedules.partition.evaluate import evaluate_partition
from schedules.partition.partition import Partition
from schedules.partition.progress import PartitionProgress
from schedules.partition.verify import in_order, partition_violations
from schedules.progress import Stop
from solvers.methods import RunOptions

MOST = 2_000_000
"""Divisions that are tried at most."""


def enumerate_partitions(progress: PartitionProgress, options: RunOptions[Partition]) -> Stop:
    """Offer the best of all divisions; nothing before all are known.

    Raises:
        ValueError: there are too many.
    """
    graph = progress.graph
    count = graph.devices ** len(graph.classes)
    if count > MOST:
        raise ValueError(
            f"{len(graph.classes)} classes on {graph.devices} devices have {count:.1e} divisions,"
            f" more than {MOST:,}: use method exact"
        )
    best: tuple[int, Partition] | None = None
    for partition in _all(graph):
        if progress.expired:
            return "time-limit"
        cost = evaluate_partition(graph, partition).objective
        if best is not None and cost >= best[0]:
            continue
        if not partition_violations(graph, partition, progress.order):
            best = cost, partition
    if best is None:
        return "infeasible"
    found = in_order(graph, best[1]) if progress.order == "ordered" else best[1]
    progress.raise_bound(progress.offer(found))
    return "optimal"


def _all(graph: OperatorGraph) -> Iterator[Partition]:
    """Every class on every device."""
    kinds = graph.kinds
    for devices in product(range(len(kinds)), repeat=len(graph.classes)):
        found: list[tuple[Kind, list[int]]] = [(kind, []) for kind in kinds]
        for places, device in zip(graph.classes, devices, strict=True):
            found[device][1].extend(graph.nodes[place].id for place in places)
        yield Partition.of(found)
