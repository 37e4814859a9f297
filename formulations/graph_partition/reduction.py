"""What is left to decide of a division, once loads above an incumbent's are ruled out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from instances.graph import Kind, OperatorGraph, Order
from instances.graph_blocks import Blocks, blocks_of

Place = tuple[Kind, int]
"""A kind of device, and its number among them; in an ordered division, its number in the order."""


@dataclass(frozen=True)
class Reduced:
    """A graph with what may be on which device.

    Attributes:
        graph, order: what is divided, and how.
        blocks: of the graph.
        most: no load above counts, ticks.
    """

    graph: OperatorGraph
    order: Order
    blocks: Blocks
    most: int

    @property
    def slots(self) -> int:
        """Numbers of devices: of an order, those of both kinds."""
        graph = self.graph
        return graph.devices if self.order == "ordered" else max(graph.accelerators, graph.cpus)

    @cached_property
    def share(self) -> float:
        """The most work of accelerators that a CPU takes over in a tick."""
        blocks = self.blocks
        able = (blocks.accelerator > 0) & (blocks.cpu <= self.most)
        if not self.graph.cpus or not able.any():
            return 0.0
        with np.errstate(divide="ignore"):
            return float((blocks.accelerator[able] / blocks.cpu[able]).max())

    @cached_property
    def places(self) -> tuple[tuple[Place, ...], ...]:
        """Of each block, where it may be."""
        first, last = self._windows()
        return tuple(
            tuple(self._places_of(block, first[block], last[block]))
            for block in range(self.blocks.count)
        )

    @cached_property
    def bound(self) -> int:
        """A lower bound on the largest load, ticks: each block by itself, and all work shared."""
        blocks, graph = self.blocks, self.graph
        fits = blocks.supported & (blocks.size <= graph.memory) & (graph.accelerators > 0)
        never = np.int64(2**62)
        alone = np.minimum(
            np.where(fits, blocks.accelerator, never), blocks.cpu if graph.cpus else never
        )
        able = graph.accelerators + self.share * graph.cpus
        total = float(blocks.accelerator.sum())
        shared = total / able * (1 - 1e-12) if able else 0.0
        return min(self.most, max(int(alone.max()), int(np.ceil(shared))))

    def _places_of(self, block: int, first: int, last: int) -> list[Place]:
        blocks, graph = self.blocks, self.graph
        found: list[Place] = []
        ordered = self.order == "ordered"
        fits = blocks.size[block] <= graph.memory and blocks.accelerator[block] <= self.most
        if blocks.supported[block] and fits and graph.accelerators:
            numbers = range(first, last + 1) if ordered else range(graph.accelerators)
            found += [("accelerator", number) for number in numbers]
        if blocks.cpu[block] <= self.most and graph.cpus:
            numbers = range(first, last + 1) if ordered else range(graph.cpus)
            found += [("cpu", number) for number in numbers]
        return found

    def _windows(self) -> tuple[list[int], list[int]]:
        """First and last number in the order at which each block can be, for its work alone."""
        count = self.blocks.count
        if self.order != "ordered":
            return [0] * count, [self.slots - 1] * count
        before, after = closures(self.blocks)
        work = self.blocks.accelerator.astype(np.float64)
        return (
            [self._devices_for(float(work[row].sum())) - 1 for row in before],
            [self.slots - self._devices_for(float(work[row].sum())) for row in after],
        )

    def _devices_for(self, work: float) -> int:
        """The fewest devices that may do this work, at least 1; at most all."""
        graph = self.graph
        for devices in range(1, graph.devices):
            slow = min(graph.cpus, devices) if self.share >= 1 else devices - graph.accelerators
            fast = devices - max(0, slow)
            able = fast + (self.share * (devices - fast) if devices > fast else 0)
            # A CPU that takes no time for something may do all, even where no load is above 0.
            if able == np.inf or work <= able * self.most * (1 + 1e-12):
                return devices
        return graph.devices


def closures(blocks: Blocks) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of each block, itself and all on paths to it; and itself and all on paths from it."""
    import networkx as nx

    arcs = nx.DiGraph()
    arcs.add_nodes_from(range(blocks.count))
    arcs.add_edges_from(blocks.arcs)
    before = np.eye(blocks.count, dtype=np.bool_)
    for block in nx.topological_sort(arcs):
        for other in blocks.before[block]:
            before[block] |= before[other]
    return before, before.T


def reduced(graph: OperatorGraph, order: Order, most: int) -> Reduced:
    """A graph with loads up to `most` ticks, and of each kind no more devices than blocks."""
    blocks = blocks_of(graph, order)
    accelerators, cpus = (min(own, blocks.count) for own in (graph.accelerators, graph.cpus))
    return Reduced(replace(graph, accelerators=accelerators, cpus=cpus), order, blocks, most)
