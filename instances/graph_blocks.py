"""A graph as what is divided: blocks of nodes that share a device, and the tensors between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from instances.graph import OperatorGraph, Order, grouped

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Lists:
    """Lists of numbers behind one another: entry k is values[starts[k] : starts[k + 1]]."""

    starts: Ints
    values: Ints

    @classmethod
    def of(cls, entries: Sequence[Sequence[int]]) -> Lists:
        """Lists as arrays."""
        starts = np.zeros(len(entries) + 1, dtype=np.int64)
        np.cumsum([len(own) for own in entries], out=starts[1:])
        flat = [value for own in entries for value in own]
        return cls(starts, np.array(flat, dtype=np.int64))

    def __getitem__(self, entry: int) -> Ints:
        return self.values[self.starts[entry] : self.starts[entry + 1]]


@dataclass(frozen=True)
class Blocks:
    """What is divided among the devices, and what crosses between them.

    A tensor is paid by its owner's device unless all its readers are there, and by every other
    device with a reader. Outputs of one block with the same readers count as one tensor.

    Attributes:
        members: places of nodes in each block.
        accelerator, cpu: times of each block, in ticks; `accelerator` counts only where supported.
        supported: whether a block runs on accelerators.
        size: of each block, bytes.
        arcs: pairs of blocks that a forward edge joins; no block with itself, none twice.
        cost: of each tensor, ticks.
        owner: block of each tensor.
        readers: blocks that read each tensor, without its owner, ascending.
    """

    members: tuple[tuple[int, ...], ...]
    accelerator: Ints
    cpu: Ints
    supported: Flags
    size: Ints
    arcs: tuple[tuple[int, int], ...]
    cost: Ints
    owner: Ints
    readers: Lists

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.members)

    @cached_property
    def owned(self) -> Lists:
        """Tensors of each block."""
        return self._lists((int(block), tensor) for tensor, block in enumerate(self.owner))

    @cached_property
    def read(self) -> Lists:
        """Tensors that each block reads of others."""
        tensors = range(len(self.cost))
        return self._lists((int(b), tensor) for tensor in tensors for b in self.readers[tensor])

    @cached_property
    def before(self) -> Lists:
        """Blocks with an arc to each block."""
        return self._lists((v, u) for u, v in self.arcs)

    @cached_property
    def after(self) -> Lists:
        """Blocks to which each block has an arc."""
        return self._lists(self.arcs)

    def _lists(self, pairs: Iterable[tuple[int, int]]) -> Lists:
        """What stands behind each block in pairs."""
        return Lists.of(grouped(pairs, self.count))


def blocks_of(graph: OperatorGraph, order: Order) -> Blocks:
    """The blocks of a graph: its classes; where devices are ordered, also cycles of classes.

    In an order of devices in which every edge goes forward, classes on a cycle share a device.
    """
    classes = graph.classes
    arcs = _arcs(graph, classes)
    if order != "ordered":
        return _blocks(graph, classes, arcs)
    import networkx as nx

    quotient = nx.DiGraph()
    quotient.add_nodes_from(range(len(classes)))
    quotient.add_edges_from(arcs)
    parts = sorted(sorted(part) for part in nx.strongly_connected_components(quotient))
    merged = tuple(tuple(sorted(p for own in part for p in classes[own])) for part in parts)
    return _blocks(graph, merged, _arcs(graph, merged))


def _block_of(graph: OperatorGraph, members: tuple[tuple[int, ...], ...]) -> list[int]:
    """The block of each node."""
    found = [0] * len(graph.nodes)
    for block, places in enumerate(members):
        for place in places:
            found[place] = block
    return found


def _arcs(
    graph: OperatorGraph, members: tuple[tuple[int, ...], ...]
) -> tuple[tuple[int, int], ...]:
    block = _block_of(graph, members)
    pairs = {(block[u], block[v]) for u, v in graph.forward_edges}
    return tuple(sorted((u, v) for u, v in pairs if u != v))


def _blocks(
    graph: OperatorGraph,
    members: tuple[tuple[int, ...], ...],
    arcs: tuple[tuple[int, int], ...],
) -> Blocks:
    nodes = graph.nodes
    block = _block_of(graph, members)
    tensors: dict[tuple[int, tuple[int, ...]], int] = {}
    for place, node in enumerate(nodes):
        own = block[place]
        readers = tuple(sorted({block[reader] for reader in graph.successors[place]} - {own}))
        if readers and node.transfer:
            key = own, readers
            tensors[key] = tensors.get(key, 0) + node.transfer
    supported = [all(nodes[p].accelerator is not None for p in places) for places in members]
    return Blocks(
        members,
        _sums(members, [node.accelerator or 0 for node in nodes]),
        _sums(members, [node.cpu for node in nodes]),
        np.array(supported, dtype=np.bool_),
        _sums(members, [node.size for node in nodes]),
        arcs,
        np.array(list(tensors.values()), dtype=np.int64),
        np.array([own for own, _ in tensors], dtype=np.int64),
        Lists.of([readers for _, readers in tensors]),
    )


def _sums(members: tuple[tuple[int, ...], ...], values: list[int]) -> Ints:
    return np.array([sum(values[p] for p in places) for places in members], dtype=np.int64)
