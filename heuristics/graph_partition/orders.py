"""The method `split`: cut several topological orders of a graph, and keep the best division."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Protocol

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from heuristics.graph_partition.crossings import room_of
from heuristics.graph_partition.split import NEVER, Pieces, best_split
from instances.graph import OperatorGraph
from instances.graph_blocks import Blocks, blocks_of
from schedules.partition.partition import Partition
from schedules.partition.progress import PartitionProgress
from schedules.progress import Stop

Ints = NDArray[np.int64]

RANDOM_ORDERS = 12
"""Orders that are drawn besides those that are the same in every run."""


class Seeded(Protocol):
    """Options with a seed."""

    @property
    def seed(self) -> int:
        """Of random choices."""
        ...


def split(progress: PartitionProgress, options: Seeded) -> Stop:
    """Offer the best ways to cut several orders.

    An ordered division is convex, and allowed where any is: so one is offered for all classes.
    """
    graph = progress.graph
    blocks = blocks_of(graph, "ordered")
    least, room = NEVER, room_of(graph)
    for order in orders(blocks, options.seed):
        if progress.expired:
            return "time-limit"
        load, pieces = best_split(blocks, order, room, least)
        progress.count("orders")
        if load < least:
            least = progress.offer(partition_of(graph, blocks, pieces))
    return "finished"


def partition_of(graph: OperatorGraph, blocks: Blocks, pieces: Pieces) -> Partition:
    """Devices with blocks as devices with nodes."""
    return Partition.of(
        [
            (
                "cpu" if is_cpu else "accelerator",
                [graph.nodes[p].id for block in own for p in blocks.members[block]],
            )
            for is_cpu, own in pieces
        ]
    )


def orders(blocks: Blocks, seed: int) -> Iterator[Ints]:
    """Orders in which each block is behind all that have an arc to it.

    Breadth first, depth first, both from the back, and depth first with random turns.
    """
    arcs = nx.DiGraph()
    arcs.add_nodes_from(range(blocks.count))
    arcs.add_edges_from(blocks.arcs)
    back = arcs.reverse()
    yield np.array(list(nx.topological_sort(arcs)))
    yield np.array(list(nx.topological_sort(back)))[::-1].copy()
    yield _depth_first(arcs)[::-1].copy()
    yield _depth_first(back)
    draw = Random(seed)
    for number in range(RANDOM_ORDERS):
        names = list(range(blocks.count))
        draw.shuffle(names)
        mixed: nx.DiGraph = nx.DiGraph()
        mixed.add_nodes_from(names)
        mixed.add_edges_from(draw.sample(blocks.arcs, len(blocks.arcs)))
        yield _depth_first(mixed)[::-1].copy() if number % 2 else _depth_first(mixed.reverse())


def _depth_first(arcs: nx.DiGraph) -> Ints:
    """Blocks in the order in which a search from the front is done with them."""
    return np.array(list(nx.dfs_postorder_nodes(arcs)), dtype=np.int64)
